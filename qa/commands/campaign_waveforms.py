"""``corneum-sim campaign waveforms``: kills at random moments while waveforms are recorded."""

from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Resume, Seed, campaign_in, finish

N_DEFAULT: Final = 1000
WORKERS_DEFAULT: Final = 4
WORKERS_MAX: Final = 64


def waveforms(
    n: Annotated[int, typer.Option("--n", min=1, help="How many kills.")] = N_DEFAULT,
    seed: Seed = 1,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=1, max=WORKERS_MAX, help="Kills at a time.")
    ] = WORKERS_DEFAULT,
    resume: Resume = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Kill worker, recorder, kernel or all of them: 1 where one costs more than a second.

    Real processes and real seconds: about 4 s a kill. Nothing that is lost may be without a mark.
    """
    from qa.campaigns.waveforms import campaign  # noqa: PLC0415

    with campaign_in(resume, campaign.name_of(seed)) as kept:
        results = campaign.run(n, seed, workers, kept)
    figures = campaign.figures(results, seed)
    finish(figures, "\n".join(campaign.lines(figures)), as_json=as_json)
