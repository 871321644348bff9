"""``corneum-sim campaign kills``: kill -9 of a real kernel, and what its record says afterwards."""

from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Resume, Seed, Workers, campaign_in, finish

N_DEFAULT: Final = 1000


def kills(
    n: Annotated[int, typer.Option("--n", min=1, help="How many kills.")] = N_DEFAULT,
    seed: Seed = 1,
    workers: Workers = 0,
    resume: Resume = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Kill kernels at random moments of connecting, logging, arming, treating and ending.

    Real processes and real seconds: about 10 s a kill. Exit code 1 when a row is gone that a client
    was told of, when the journal is not whole, when the valve outlasts its lease, or when the next
    kernel does not mark the treatment and charge at least what was given.
    """
    from qa.campaigns.kills import campaign  # noqa: PLC0415
    from qa.campaigns.workers import Where  # noqa: PLC0415

    with campaign_in(resume, campaign.name_of(seed)) as kept:
        said = campaign.figures(campaign.run(n, seed, Where(workers), kept), seed)
    finish(said, campaign.text(said), as_json=as_json)
