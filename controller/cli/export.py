"""`corneum records export`: one treatment for other programs, as CSV, JSON or MCAP."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path
from typing import Final, TextIO

from controller.archive import export, waveforms
from controller.archive.folder import Checked, Found
from controller.cli import output
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.report import time_zone
from controller.cli.verify import Progress
from controller.config.paths import state_dir
from controller.safety.refusal import RefusedError

FORMS: Final = (".csv", ".json", ".mcap")

_NONE: Final = {
    Found.MISSING: "is not there",
    Found.NOT_RECORDED: "was not recorded, or not to its end",
    Found.UNREADABLE: "cannot be read",
    Found.CHANGED: "is not the one that was recorded: somebody has changed it",
    Found.UNFINISHED: "is not finished",
}


def run(number: int, file: Path, zone: str | None, *, as_json: bool) -> ExitCode:
    """Write treatment ``number`` to ``file``, in the form that its name ends with."""
    form = file.suffix.lower()
    if form not in FORMS:
        raise Failure(
            f"The name {file.name} does not say in which form treatment {number} is wanted.",
            "End it with .csv, .json or .mcap.",
            ExitCode.USAGE,
        )
    clock, state = time_zone(zone), state_dir()
    try:
        kept = export.kept(state, number)
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    checked = kept.checked
    lacks = None if checked.found in {Found.WHOLE, Found.NOT_NAMED} else _lacking(checked)
    if lacks is not None and (form != ".json" or checked.found is Found.CHANGED):
        raise lacks
    _write(file, _writer(form, kept, clock, lacking=lacks is not None))
    if as_json:
        said = {"done": "export", "file": str(file), "treatment": number, "form": form[1:]}
        sys.stdout.write(json.dumps(said | {"waveforms": checked.found.value}) + "\n")
    else:
        without = "" if lacks is None else f"Without waveforms: {lacks.sentence}\n"
        sys.stdout.write(output.clean(f"written: {file}") + f"\n{without}")
    return ExitCode.DONE


def _lacking(checked: Checked) -> Failure:
    """Say why the file of waveforms cannot be given away."""
    steps = {
        Found.UNFINISHED: "When its treatment is over: corneum records recover "
        f"{checked.treatment}.",
        Found.CHANGED: f"See docs/WAVEFORMS.md; the file itself is {checked.path}.",
    }
    step = steps.get(checked.found, "The rows of the record are in the form .json.")
    why = f" ({checked.why})" if checked.why else ""
    whose = f"The file of waveforms of treatment {checked.treatment}"
    return Failure(f"{whose} {_NONE[checked.found]}{why}.", step, ExitCode.REFUSED)


def _writer(
    form: str, kept: export.Kept, zone: tzinfo | None, *, lacking: bool
) -> Callable[[TextIO], object]:
    checked = kept.checked
    if form == ".mcap":
        return lambda file: _copy(checked.path, file)
    try:
        found = None if lacking else waveforms.read(checked.path)
    except waveforms.NotWaveformsError as error:
        raise Failure(f"{checked.path}: {error}", "See it with corneum records verify.") from error
    if form == ".json" or found is None:
        said = export.as_object(kept.one, found, zone)
        return lambda file: export.write_json(said, file)
    return lambda file: export.write_csv(found, zone, file, Progress("message"))


def _copy(path: Path, file: TextIO) -> None:
    with path.open("rb") as source:
        shutil.copyfileobj(source, file.buffer)


def _write(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a file that has its name only once it is whole and durable; none is replaced."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _check_free(path)
        try:
            with fresh.open("x", encoding="utf-8", newline="") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            _check_free(path)
            fresh.rename(path)  # a stick knows no hard links, which would replace nothing
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
    except FileExistsError as error:
        raise Failure(
            f"{path} is there already, and an export replaces no file.", "Name another file."
        ) from error
    except OSError as error:
        raise Failure(
            f"The export cannot be written into {path} ({error.strerror}).",
            "Free space or mend the rights there, or name another file.",
        ) from error


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError
