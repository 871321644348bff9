"""``corneum-sim campaign matrix``: every fault in every state, at every phase, for any time."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

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
    refuse,
    report_to,
    scenarios_to,
    where_of,
)

if TYPE_CHECKING:
    from qa.campaigns.sweep.run import Swept
    from qa.matrix.cells import Cell

PICTURE: Final = "heat-map.png"


def matrix(  # noqa: PLR0913 - one parameter per option of the command
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, help="How many cells; otherwise each fault in each state once."),
    ] = None,
    seed: Seed = 1,
    workers: Workers = 0,
    dask: Dask = None,
    resume: Resume = None,
    report: Report = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="Every cell there is.")] = False,
    only: Annotated[
        str | None, typer.Option(metavar="CELL", help="Only this cell, as it was named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every fault x state x phase x duration: 0 all safe in time, 1 a cell broke a rule."""
    from qa.campaigns.sweep import run as sweep  # noqa: PLC0415

    where = where_of(workers, dask)
    cells = _cells(n, seed, only, full=full)
    began_s = time.monotonic()
    with campaign_in(resume, f"matrix --seed {seed}") as kept:
        swept = sweep.sweep(cells, seed, where, kept)
        texts = {key: least["scenario"] for key, least in swept.shrunk.items()}
        commands = scenarios_to(report, texts)
        took_s = time.monotonic() - began_s
        figures = sweep.figures(swept) | {"took_s": round(took_s, 1), "replay": commands}
        if report is not None:
            report_to(report, {"matrix.json": json.dumps(figures, indent=1)})
            report_to(report, {"index.html": _page(swept, report)})
    finish(figures, "" if as_json else _text(swept, commands, took_s), as_json=as_json)


def _cells(n: int | None, seed: int, only: str | None, *, full: bool) -> "list[Cell]":
    from qa.campaigns.sweep import run as sweep  # noqa: PLC0415

    if only is not None:
        try:
            return [sweep.cell_of(only, seed)]
        except ValueError as error:
            refuse(str(error))
    return sweep.all_cells(seed) if full else sweep.sample(seed, n or sweep.PAIRS)


def _page(swept: "Swept", report: Path) -> str:
    from qa.campaigns.sweep.heat import page  # noqa: PLC0415
    from qa.scenarios.report_plots import can_draw  # noqa: PLC0415

    if not can_draw():
        return page(swept)
    from qa.campaigns.sweep.heat_plot import draw  # noqa: PLC0415

    draw(swept, report / PICTURE)
    return page(swept, PICTURE)


def _text(swept: "Swept", commands: dict[str, str], took_s: float) -> str:
    from qa.campaigns.sweep.run import key_of  # noqa: PLC0415
    from qa.matrix.campaign import table  # noqa: PLC0415

    wrong = [verdict for verdict in swept.verdicts if verdict.wrong]
    lines = [f"{key_of(each.cell)}: {'; '.join(each.wrong)}" for each in wrong]
    lines += [f"replay: {command}" for command in commands.values()]
    end = f"{len(swept.verdicts)} of {swept.of} cells, {len(wrong)} wrong, {took_s:.0f} s"
    return "\n".join([table(swept.verdicts), *lines, end])
