"""``corneum-sim campaign treatments``: what many simulated treatments do to skin."""

import json
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

FAILED: Final = 1
USAGE: Final = 2
N_QUICK: Final = 1000
N_MAX: Final = 10_000_000


def treatments(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    n: Annotated[
        int, typer.Option("--n", min=2, max=N_MAX, help="Treatments in each row.")
    ] = N_QUICK,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    program: Annotated[
        list[str] | None, typer.Option(help="Only this preset; may be given again.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="Only rows with these words; may be given again."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=0, help="Processes; 0 is one per core.")
    ] = 0,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler instead of processes.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page, JSON and pictures to this folder.")
    ] = None,
    configs: Annotated[
        Path | None, typer.Option(help="Programs and skin data; the shipped ones if not given.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Treat simulated clients by the thousand: how often would a limit have been too wide?

    Each row is a preset, a hand, a skin type, a site or a single fault, with the controller's own
    plans and limits. Without --program all of them, at --n 40000 some hours of two cores; exit
    code 1 when a goal is missed.

    Example: corneum-sim campaign treatments --program refresh --n 4000
    """
    _needs_numpy()
    from simulator.qa.exposure import asked, whole  # noqa: PLC0415 - numpy only for those who ask

    try:
        told = whole.run_and_tell(
            asked.Asked(
                n, seed, tuple(program or ()), tuple(only or ()), workers, dask, report, configs
            ),
            lambda line: None if as_json else typer.echo(line),
        )
    except whole.REFUSALS as error:
        _refuse(str(error))
    if as_json:
        typer.echo(json.dumps(told.as_json))
    if not told.holds:
        raise typer.Exit(FAILED)


def _needs_numpy() -> None:
    try:
        import numpy  # noqa: F401, ICN001, PLC0415
        import scipy.special  # noqa: F401, PLC0415
    except ImportError:
        _refuse("this campaign needs numpy and scipy: pip install 'corneum[campaign]'")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"corneum-sim: {sentence}", err=True)
    raise typer.Exit(USAGE)
