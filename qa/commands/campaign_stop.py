"""``corneum-sim campaign stop``: `corneum stop` where everything stands in its way."""

from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Resume, Seed, campaign_in, finish

N_DEFAULT: Final = 1000


def stop(
    n: Annotated[int, typer.Option("--n", min=1, help="How many stops.")] = N_DEFAULT,
    seed: Seed = 1,
    resume: Resume = None,
    lanes: Annotated[
        int, typer.Option("--lanes", min=1, max=16, help="Treatments that are prepared at a time.")
    ] = 4,
    *,
    as_json: AsJson = False,
) -> None:
    """Stop treatments among hostile clients, leftovers, a frozen kernel and another account.

    Real processes and real seconds: about 1.5 s a stop. Exit code 1 when one does not stop, or when
    a goal is missed: 50 ms from the first byte sent, 300 ms from the start of the process, p99.
    """
    from qa.campaigns.stops import campaign  # noqa: PLC0415
    from qa.campaigns.stops.lane import Scale  # noqa: PLC0415

    scale = Scale()
    with campaign_in(resume, campaign.name_of(seed, scale)) as kept:
        said = campaign.run(n, seed, scale, kept, lanes)
    finish(said, campaign.text(said), as_json=as_json)
