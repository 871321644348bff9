"""What a treatment would say of a file that can be read: refusals to come, and what is assumed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from controller.config.models import CRYSTAL_MAX_UM
from controller.config.place import mistake
from controller.planning.client import Client
from controller.planning.unit import Unit

UNIT_FILE: Final = re.compile(r"unit-([1-9][0-9]{0,9})")
SIMULATED_FILE: Final = "simulated"


class Foreseen(NamedTuple):
    """Why every treatment with this file is refused, or an empty text; and what to know of it."""

    problem: str = ""
    notes: tuple[str, ...] = ()


def serial_of_name(path: Path) -> int | None:
    """Return the serial number that a handpiece file is named for."""
    found = UNIT_FILE.fullmatch(path.stem)
    return None if found is None else int(found[1])


def of_unit(unit: Unit, path: Path, now_wall_s: float) -> Foreseen:
    """Foresee what a treatment with this handpiece says."""
    if serial_of_name(path) is None and path.stem != SIMULATED_FILE:
        return Foreseen(
            notes=(
                f"{path} is read by no treatment: a file is used as unit-{unit.serial or 'SERIAL'}"
                ".toml, or as simulated.toml.",
            )
        )
    if path.stem == SIMULATED_FILE and not unit.simulated:
        return Foreseen(
            f"{path}, simulated = false: this file is read for simulated handpieces only, and "
            f"refused; name it unit-{unit.serial}.toml."
        )
    due_s = unit.calibration_due_wall_s
    if due_s is None:
        problem = "" if unit.simulated else _due(
            path, " is missing; a handpiece without it is refused as out of date: add the date of "
            "its certificate."
        )  # fmt: skip
    elif not (now_wall_s <= due_s):
        due = datetime.fromtimestamp(due_s, UTC)
        problem = _due(
            path,
            f" = {due:%Y-%m-%d} has passed; treatments with this handpiece are refused: have it "
            "calibrated.",
        )
    else:
        problem = ""
    return Foreseen(problem, tuple(_assumed(unit, path)))


def _due(path: Path, words: str) -> str:
    return mistake(path, ("calibration_due",), words).sentence


def _assumed(unit: Unit, path: Path) -> Sequence[str]:
    if unit.crystal_um is None:
        return (f"{path} does not say crystal_um; it counts as {CRYSTAL_MAX_UM:g} µm.",)
    return ()


def of_client(client: Client, path: Path, now_wall_s: float) -> Foreseen:
    """Foresee what a treatment of this client says; answers that speak against one are no error."""
    unanswered = client.checklist.unanswered
    if unanswered:
        keys = ", ".join(item.key for item in unanswered)
        words = (
            f" has no answer to {keys}; every question is asked before a treatment: write true or "
            "false."
        )
        return Foreseen(mistake(path, ("checklist",), words).sentence)
    for number, reading in enumerate(client.patch_readings):
        if not (reading.began_wall_s <= now_wall_s):
            words = (
                f" = {reading.date} has not come yet, so that treatments are refused; it must be "
                "the day of the measurement, today at the latest."
            )
            return Foreseen(mistake(path, ("patch_readings", number, "date"), words).sentence)
    notes = [
        f"{path}: {item.words}, so that treatments are refused. {item.advice.value}"
        for item in client.checklist.present
    ]
    return Foreseen(notes=tuple(notes))


def check_serial(
    path: Path, *, simulated: bool, said: int | None, answered: int | None = None
) -> None:
    """Refuse a calibration that is not of the unit that it would be used for.

    Raises:
        ConfigError: the serial number is missing on a real unit, or another than that of the unit
            that answered or of the file's name.
    """
    named = serial_of_name(path)
    if said is not None and answered is not None and said != answered:
        raise mistake(
            path,
            ("serial",),
            f" = {said} is not the {answered} that answered; its calibration may not be used for "
            "another unit.",
        )
    if said is None and not simulated:
        example = named or answered or 4711
        raise mistake(
            path,
            ("serial",),
            f" is missing; a calibration belongs to one unit: add serial = {example}, from its "
            "certificate.",
        )
    if said is not None and named is not None and said != named:
        raise mistake(
            path,
            ("serial",),
            f" = {said} differs from the {named} of the file's name; its calibration may not be "
            f"used for another unit: name the file unit-{said}.toml.",
        )
