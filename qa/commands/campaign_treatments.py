"""``corneum-sim campaign treatments``: what many simulated treatments do to skin."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from qa.commands.campaign_options import (
    BROKEN,
    AsJson,
    Dask,
    Report,
    Resume,
    Seed,
    Workers,
    campaign_in,
    refuse,
    where_of,
)

N_QUICK: Final = 1000
N_MAX: Final = 10_000_000


def treatments(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    n: Annotated[
        int, typer.Option("--n", min=2, max=N_MAX, help="Treatments in each row.")
    ] = N_QUICK,
    seed: Seed = 1,
    program: Annotated[
        list[str] | None, typer.Option(help="Only this preset; may be given again.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="Only rows with these words; may be given again."),
    ] = None,
    workers: Workers = 0,
    dask: Dask = None,
    resume: Resume = None,
    report: Report = None,
    configs: Annotated[
        Path | None, typer.Option(help="Programs and skin data; the shipped ones if not given.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Treat simulated clients by the thousand: how often would a limit have been too wide?

    Each row is a preset, a hand, a skin type, a site or a single fault, with the controller's own
    plans and limits. Without --program all of them, at --n 40000 some hours of two cores; exit
    code 1 when a goal is missed.
    """
    _needs_numpy()
    from qa.campaigns.exposure import asked, whole  # noqa: PLC0415 - numpy only for those who ask

    where_of(workers, dask)
    words = asked.Asked(
        n, seed, tuple(program or ()), tuple(only or ()), workers, dask, report, configs
    )
    with campaign_in(resume, words.campaign) as kept:
        try:
            told = whole.run_and_tell(
                words, lambda line: None if as_json else typer.echo(line), kept
            )
        except whole.REFUSALS as error:
            refuse(str(error))
    if as_json:
        typer.echo(json.dumps(told.as_json))
    if not told.holds:
        raise typer.Exit(BROKEN)


def _needs_numpy() -> None:
    try:
        import numpy  # noqa: F401, ICN001, PLC0415
        import scipy.special  # noqa: F401, PLC0415
    except ImportError:
        refuse("this campaign needs numpy and scipy: pip install 'corneum-qa[campaign]'")
