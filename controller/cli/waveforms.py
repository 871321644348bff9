"""What `corneum records verify` and `recover` do with files of waveforms."""

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from controller.archive import folder, recovery
from controller.archive.folder import Checked, Found
from controller.archive.recovery import (
    Missing,
    NotRecoveredError,
    NotWaveformsError,
    Recovered,
)
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.words import instant
from controller.safety.refusal import RefusedError

Told = Callable[[int, int], None]

WRONG: Final = frozenset({Found.CHANGED, Found.UNREADABLE})
"""What makes a check fail. A file that is gone is told, and so is one that nothing names."""

_SAYS: Final = {
    Found.CHANGED: "its file is not what was recorded",
    Found.MISSING: "its file is not there",
    Found.UNREADABLE: "its file cannot be read",
    Found.NOT_RECORDED: "not recorded, or not to its end",
    Found.UNFINISHED: "its file is not finished; perhaps its treatment is under way",
    Found.NOT_NAMED: "no row of the record names its file",
}


# -- verify ----------------------------------------------------------------------------------------
def check(state: Path, told: Told) -> list[Checked]:
    """Compare the files with the record; a Failure says why that is not possible."""
    try:
        return folder.check(state, told)
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error


def check_json(found: list[Checked]) -> dict[str, Any]:
    """Return what was found for ``--json``."""
    return {
        "whole": sum(each.found is Found.WHOLE for each in found),
        "others": [
            {"treatment": each.treatment, "found": each.found.value, "why": each.why}
            for each in found
            if each.found is not Found.WHOLE
        ],
    }


def check_lines(found: list[Checked]) -> list[str]:
    """Return what was found, in lines; none where there are no waveforms."""
    if not found:
        return []
    whole = sum(each.found is Found.WHOLE for each in found)
    lines = [f"Waveforms: {whole} of {len(found)} files are as recorded."]
    for each in found:
        if each.found is not Found.WHOLE:
            why = f" ({each.why.rstrip('.')})" if each.why else ""
            lines.append(f"  treatment {each.treatment}: {_SAYS[each.found]}{why}")
    if any(each.found is Found.UNFINISHED for each in found):
        lines.append("What is not finished can be: `corneum records recover`.")
    return lines


# -- recover ---------------------------------------------------------------------------------------
def recover_one(state: Path, treatment: int) -> Recovered:
    """Recover the file of one treatment; a Failure says why that is not possible."""
    path = folder.path_of(state, treatment)
    if not path.exists():
        raise Failure(
            f"Treatment {treatment} has no file of waveforms: {path} is not there.",
            "`corneum records verify` tells which treatments have one.",
            name="waveforms",
        )
    try:
        return recovery.recover(path)
    except (NotWaveformsError, NotRecoveredError) as error:
        raise Failure(str(error), "Nothing was changed.", name="waveforms") from error


def recover_all(state: Path, told: Told) -> tuple[list[Recovered], list[str]]:
    """Recover every file that is not finished or is damaged; what could not be is a sentence."""
    found = folder.files(state)
    done: list[Recovered] = []
    failed: list[str] = []
    for number, (_, path) in enumerate(found, 1):
        try:
            one = recovery.recover(path)
        except (NotWaveformsError, NotRecoveredError) as error:
            failed.append(str(error))
        else:
            done += [] if one.whole else [one]
        told(number, len(found))
    return done, failed


def recovered_json(one: Recovered) -> dict[str, Any]:
    """Return what became of a file for ``--json``."""
    said = asdict(one) | {"path": str(one.path), "missing_s": round(one.missing_s, 3)}
    said["seconds"] = said.pop("span_s")
    said["kept"] = None if one.kept is None else str(one.kept)
    said["missing"] = [
        {"begin_s": each.begin_ns / 1e9, "seconds": each.gap_s, "why": each.why}
        for each in one.missing
    ]
    return said


def recovered_lines(one: Recovered) -> list[str]:
    """Return what became of a file, in lines."""
    if one.whole:
        return [f"{one.path.name} is whole: {one.span_s:.1f} s.", *map(_missing, one.missing)]
    lines = [
        f"{one.path.name} was made anew: {one.span_s:.1f} s, of which {one.missing_s:.1f} s are "
        "missing."
    ]
    lines += map(_missing, one.missing)
    if one.cut:
        lines.append("  Its end was cut off: what came after its last reading is not known.")
    return [*lines, f"  As it was it is kept in {one.kept}."]


def _missing(one: Missing) -> str:
    at_s = one.begin_ns / 1e9
    parts = math.floor(at_s % 1.0 * 10)
    return f"  {one.gap_s:.2f} s missing from {instant(at_s)} +0.{parts} s: {one.why}"
