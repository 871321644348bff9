"""``corneum-sim run``: scenario files in virtual time, with a line each and reports."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator.refusals import USAGE, Refusal

if TYPE_CHECKING:
    from qa.scenarios.runner import Ran, Task

FAILED: Final = 1
STOPPED: Final = 5
"""Stopped by a person, as `corneum` has it."""


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
    """Run scenarios in virtual time.

    Exit codes: 0 all as expected, 1 one was not, 2 a file has a mistake, 5 stopped by a person.
    """
    tasks = _tasks(scenarios, seed, as_json=as_json)
    if report is not None:
        _can_draw()
    results = _run(tasks, workers, as_json=as_json)
    _write(results, junit, report)
    failed = sum(not ran.played.passed for ran in results)
    if as_json:
        from qa.scenarios import report_text  # noqa: PLC0415

        typer.echo(json.dumps(report_text.as_json(results)))
    else:
        virtual_s = sum(ran.played.virtual_s for ran in results)
        typer.echo(f"{len(results)} scenarios, {failed} failed, {virtual_s:.1f} virtual s")
    if failed:
        raise typer.Exit(FAILED)


def _tasks(places: list[Path], seed: int | None, *, as_json: bool) -> "list[Task]":
    from qa.scenarios.mistakes import ScenarioError  # noqa: PLC0415
    from qa.scenarios.runner import tasks_of  # noqa: PLC0415

    try:
        return tasks_of(places, seed)
    except ScenarioError as error:
        if as_json:
            said = [str(mistake) for mistake in error.mistakes]
            typer.echo(json.dumps({"scenarios": [], "failed": 0, "mistakes": said}))
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from error


def _run(tasks: "list[Task]", workers: int, *, as_json: bool) -> "list[Ran]":
    from qa.scenarios import report_text  # noqa: PLC0415
    from qa.scenarios.runner import run_all  # noqa: PLC0415
    from simulator.interrupts import unwind  # noqa: PLC0415

    unwind()
    results: list[Ran] = []
    shows_progress = sys.stderr.isatty()
    try:
        for ran in run_all(tasks, workers):
            results.append(ran)
            if shows_progress:
                sys.stderr.write(f"\r{len(results)}/{len(tasks)}\033[K\r")
            if not as_json:
                typer.echo(report_text.line(ran))
                if not ran.played.passed:
                    typer.echo(report_text.complaint(ran))
    except KeyboardInterrupt:
        done = f"{len(results)} of {len(tasks)} scenarios had been run"
        typer.echo(f"corneum-sim: stopped; {done}, and no report is written", err=True)
        if as_json:
            typer.echo(json.dumps(report_text.as_json(results) | {"stopped": True}))
        raise typer.Exit(STOPPED) from None
    return results


def _write(results: "list[Ran]", junit: Path | None, report: Path | None) -> None:
    try:
        if junit is not None:
            from qa.scenarios.report_junit import junit as junit_text  # noqa: PLC0415

            junit.write_text(junit_text(results), encoding="utf-8")
        if report is not None:
            from qa.scenarios.report_html import page  # noqa: PLC0415

            report.mkdir(parents=True, exist_ok=True)
            (report / "index.html").write_text(page(results), encoding="utf-8")
    except OSError as error:
        path = error.filename or " or ".join(str(one) for one in (junit, report) if one)
        raise Refusal(
            f"{path} cannot be written: {error.strerror}; make room or name another path", USAGE
        ) from error


def _can_draw() -> None:
    from qa.scenarios.report_plots import can_draw  # noqa: PLC0415

    if not can_draw():
        raise Refusal(
            "the HTML report needs matplotlib; install it with: pip install 'corneum-qa[reports]'",
            USAGE,
        )
