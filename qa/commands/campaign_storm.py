"""``corneum-sim campaign storm``: storms by chance, the promise looked at in every tick."""

import json
import time
from typing import Annotated, Final

import typer

from qa.commands.campaign_options import (
    AsJson,
    Dask,
    Report,
    Resume,
    Seed,
    Workers,
    campaign_in,
    finish,
    report_to,
    scenarios_to,
    where_of,
)

N_DEFAULT: Final = 100


def storm(  # noqa: PLR0913 - one parameter per option of the command
    n: Annotated[int, typer.Option("--n", min=1, help="How many storms.")] = N_DEFAULT,
    seed: Seed = 1,
    workers: Workers = 0,
    dask: Dask = None,
    resume: Resume = None,
    report: Report = None,
    *,
    only: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=0, help="Only the storm of this number.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Random faults, hands, noise and restarts: 0 the promise held, 1 a storm broke it."""
    from qa.campaigns.storm import campaign  # noqa: PLC0415
    from qa.campaigns.storm import report as told  # noqa: PLC0415

    where = where_of(workers, dask)
    began_s = time.monotonic()
    with campaign_in(resume, campaign.name_of(seed)) as kept:
        numbers = range(n) if only is None else [only]
        weathered = campaign.weather(numbers, seed, where, kept)
        texts = {str(number): least["scenario"] for number, least in weathered.shrunk.items()}
        commands = scenarios_to(report, texts)
        took_s = time.monotonic() - began_s
        figures = campaign.figures(weathered) | {"took_s": round(took_s, 1), "replay": commands}
        report_to(
            report,
            {"index.html": told.page(weathered), "storm.json": json.dumps(figures, indent=1)},
        )
    replays = [f"  replay: {command}" for command in commands.values()]
    broke = len(weathered.broken)
    end = f"{broke} broke the promise, {took_s:.0f} s"
    finish(figures, "\n".join([*told.lines(weathered), *replays, end]), as_json=as_json)
