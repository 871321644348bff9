"""`corneum records report`: one treatment from the record, for people, auditors and scripts."""

import json
import math
import os
import sys
from dataclasses import asdict
from datetime import tzinfo
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from controller.archive.report.document import NotInstalledError
from controller.archive.report.facts import Facts
from controller.archive.report.html import as_html
from controller.archive.report.pdf import DrawnError, as_pdf
from controller.archive.report.report import Asked, document_of, report_of
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.config.errors import ConfigError
from controller.config.paths import own_dir, state_dir
from controller.safety.refusal import RefusedError

INSTALL: Final = "Install it with: pip install 'corneum[reports]'."
_NAMED: Final = ("pdf", "html")


class Files(NamedTuple):
    """Where a report goes."""

    pdf: Path | None = None
    html: Path | None = None


def run(
    number: int, files: Files, configs: Path | None, zone: str | None, *, as_json: bool
) -> ExitCode:
    """Write the report of one treatment into the files that are named; Failure says why not."""
    if not (any(files) or as_json):
        raise Failure(
            "A report needs a file.",
            f"Name it: corneum records report {number} --pdf treatment-{number}.pdf, or --html "
            "FILE; --json prints the facts.",
            ExitCode.USAGE,
        )
    for path in filter(None, files):
        _check_folder(path)
    asked = Asked(state_dir(), own_dir(), configs, time_zone(zone))
    facts = _facts(asked, number)
    written = _written(facts, asked, files)
    if as_json:
        sys.stdout.write(json.dumps(as_object(facts, written), allow_nan=False) + "\n")
    else:
        sys.stdout.write("".join(f"written: {path}\n" for path in written.values()))
    return ExitCode.DONE


def as_object(facts: Facts, written: dict[str, str]) -> dict[str, Any]:
    """Return what ``--json`` prints; a number that is not finite is null."""
    said = _plain(asdict(facts))
    for zone, told in zip(facts.zones, said["zones"], strict=True):
        told["cap_share"] = _plain(zone.share)
    return {"done": "report", "files": written, "facts": said}


def _facts(asked: Asked, number: int) -> Facts:
    try:
        return report_of(asked, number)
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    except ConfigError as error:
        raise Failure(error.sentence, "Or name another folder with --configs.") from error


def _written(facts: Facts, asked: Asked, files: Files) -> dict[str, str]:
    """Make every file before the first one is written, so that a report is never half there."""
    made: dict[str, bytes] = {}
    try:
        if any(files):
            document = document_of(facts, asked)
            made = {} if files.pdf is None else {"pdf": as_pdf(document)}
            made |= {} if files.html is None else {"html": as_html(document)}
    except NotInstalledError as error:
        raise Failure(
            f"Reports need {error}, which is not installed.", INSTALL, name="not_installed"
        ) from error
    except DrawnError as error:
        raise Failure(
            f"The pages of treatment {facts.treatment} could not be set ({error}).",
            "The report as --html and --json needs no typesetting; tell support.",
        ) from error
    places = dict(zip(_NAMED, files, strict=True))
    for name, data in made.items():
        place = places[name]
        if place is not None:
            _write(place, data)
    return {name: str(places[name]) for name in made}


def _check_folder(path: Path) -> None:
    if path.is_dir():
        raise Failure(f"{path} is a folder.", "Name a file in it.")
    if not path.absolute().parent.is_dir():
        raise Failure(
            f"The folder {path.absolute().parent} is not there.", "Make it, or name another file."
        )


def _write(path: Path, data: bytes) -> None:
    """Replace a file in one step; what was there stays where the disk refuses."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device takes bytes as they come
            path.write_bytes(data)
            return
        try:
            fresh.write_bytes(data)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(
            f"The report cannot be written into {path} ({error.strerror}).",
            "Free space or mend the rights there, or name another file.",
        ) from error


def time_zone(name: str | None) -> tzinfo | None:
    """Return a time zone by its name; None stands for that of this computer.

    Raises:
        Failure: this computer knows none of that name.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise Failure(
            f"--time-zone {name!r} is no time zone that this computer knows.",
            "Name one such as Europe/London, or leave it out for the zone of this computer.",
            ExitCode.USAGE,
        ) from error


def _plain(value: Any) -> Any:  # noqa: ANN401  JSON is anything
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
