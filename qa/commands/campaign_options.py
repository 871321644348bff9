"""What every campaign has in common: its options, its results in a file, and how it ends."""

import contextlib
import errno
import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from simulator.refusals import USAGE, Refusal

if TYPE_CHECKING:
    from qa.campaigns.kept import Kept
    from qa.campaigns.workers import Where

BROKEN: Final = 1
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
SEED_MAX: Final = 2**32 - 1

Seed = Annotated[int, typer.Option(min=0, max=SEED_MAX, help="Everything follows from it.")]
Workers = Annotated[
    int, typer.Option("--workers", "-j", min=0, help="Processes here; 0 is one per core.")
]
Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler to run on instead.")
]
Resume = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep results here, and go on with those that are there."),
]
Report = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write a page and scenarios to this folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def where_of(workers: int, dask: str | None) -> "Where":
    """Return where to run; refuses two places at once."""
    from qa.campaigns.workers import Where  # noqa: PLC0415

    if dask is not None and workers:
        refuse("--workers and --dask name two places; give one of them")
    return Where(workers, dask)


@contextlib.contextmanager
def campaign_in(resume: Path | None, name: str) -> Iterator["Kept | None"]:
    """Keep results while a campaign runs, and say in a sentence what it cannot go on with."""
    from qa.campaigns.kept import Kept, OtherCampaignError  # noqa: PLC0415
    from qa.campaigns.workers import WorkersLostError  # noqa: PLC0415
    from simulator.interrupts import INTERRUPTED, unwind  # noqa: PLC0415

    unwind()
    try:
        with _sigterm_as_ctrl_c(), contextlib.ExitStack() as stack:
            yield None if resume is None else stack.enter_context(Kept(resume, name))
    except KeyboardInterrupt:
        kept = "--resume FILE would have kept what was done"
        if resume is not None:
            kept = f"what was done is kept in {resume}, and the same command goes on"
        typer.echo(f"corneum-sim: interrupted; {kept}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except OtherCampaignError as error:
        refuse(str(error))
    except OSError as error:
        if error.filename is None and error.errno not in NO_ROOM:
            raise
        written = error.filename or "the results or the report"  # a write does not say to where
        refuse(f"{written}: {error.strerror}; make room there or name another path")
    except WorkersLostError as error:
        raise Refusal(str(error), BROKEN) from None


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def scenarios_to(report: Path | None, texts: Mapping[str, str]) -> dict[str, str]:
    """Write scenario files by key, and return for each the command that plays it."""
    folder = Path("violations") if report is None else report / "scenarios"
    commands: dict[str, str] = {}
    for key, text in texts.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_name_in(text)}.toml"
        path.write_text(text, encoding="utf-8")
        commands[key] = f"corneum-sim run {path}"
    return commands


def report_to(report: Path | None, pages: Mapping[str, str]) -> None:
    """Write the files of a report by name."""
    if report is None:
        return
    report.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (report / name).write_text(text, encoding="utf-8")


def finish(figures: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print the figures, and end with 1 where something broke."""
    typer.echo(json.dumps(figures) if as_json else text)
    if figures["violations"]:
        raise typer.Exit(BROKEN)


def refuse(sentence: str) -> NoReturn:
    """End with a sentence that says what to do instead."""
    raise Refusal(sentence, USAGE)


def _name_in(text: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith("name = "))
    return str(json.loads(line.removeprefix("name = ")))
