"""``corneum-sim run``: scenario files in virtual time, with a line each and reports."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files, or folders.")
    ],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed for all of them instead of their own.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML report to this folder.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=1, help="Processes in parallel.")
    ] = 1,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Run scenarios in virtual time: 0 all as expected, 1 one was not, 2 a file has a mistake."""
    raise typer.Exit(2)
