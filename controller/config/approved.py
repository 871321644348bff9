"""Is a program approved? Within a preset, or by a supervisor who has seen this very content.

A file that bears the name of a preset, or is shown under it, is held against that preset; any other
against each preset that has its zones. What goes above needs an approval of its content.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

from controller.config.approvals import Approval, approvals_path, read_approvals
from controller.config.errors import ConfigError
from controller.config.lines import Location
from controller.config.models import ProgramFile, StageFile
from controller.config.place import mistake
from controller.config.presets import INTERVAL_MIN_DAYS, PRESETS, TRAINED, preset_of
from controller.config.units import with_unit

_AT_MOST: Final = ("suction_kpa", "flow_g_per_min", "passes")


class Excess(NamedTuple):
    """Where a program goes above a preset, and what it says there."""

    place: Location
    words: str


def approval_of(file: ProgramFile, sha256: str, path: Path) -> Approval | None:
    """Return the approval that a program rests on; None for one within a preset.

    Raises:
        ConfigError: it is neither; names value, approved value and the way out.
    """
    names = _presets_for(file)
    found = [(name, excess_of(file, name)) for name in names]
    if any(not excess for _, excess in found):
        return None
    approvals = read_approvals(approvals_path(path))
    of_it = (each for each in approvals if (each.program, each.sha256) == (file.name, sha256))
    given = next(of_it, None)
    if given is not None:
        return given
    nearest = min((excess for _, excess in found), key=_distance)
    voided = next((each for each in reversed(approvals) if each.program == file.name), None)
    raise _unapproved(path, nearest[0], voided)


def _distance(excess: list[Excess]) -> tuple[int, int]:
    """Order presets by how near they are: one of other zones is not what was meant."""
    return sum("zones" in each.place for each in excess), len(excess)


def _unapproved(path: Path, excess: Excess, voided: Approval | None) -> ConfigError:
    edited = "" if voided is None else f"; it was edited after its approval of {voided.words}"
    return mistake(
        path,
        excess.place,
        f"{excess.words}, or a supervisor must approve a new preset{edited} "
        f"(corneum approve {path} --reason TEXT).",
    )


def _presets_for(file: ProgramFile) -> tuple[str, ...]:
    """Return the preset that a program claims to be, or all."""
    for claimed in (file.name, re.sub(r"[^a-z0-9]+", "-", file.display_name.lower()).strip("-")):
        if claimed in PRESETS:
            return (claimed,)
    return tuple(PRESETS)


def excess_of(file: ProgramFile, preset: str) -> list[Excess]:
    """Return each place in which a program goes above a preset."""
    found = [
        each
        for number, group in enumerate(file.stages)
        for zone in group.zones
        for each in _stage_excess(("stages", number), group, preset, zone, own=file.name == preset)
    ]
    named = "" if file.name == preset else f" {preset}"
    if not (file.interval_days >= INTERVAL_MIN_DAYS[preset]):
        said = with_unit("interval_days", file.interval_days)
        least = with_unit("interval_days", INTERVAL_MIN_DAYS[preset])
        found.append(Excess(("interval_days",), _stronger(said, named, f"at least {least}")))
    if preset in TRAINED and file.role != "trained":
        found.append(Excess(("role",), _stronger(f'"{file.role}"', named, '"trained"')))
    return found


def _stage_excess(
    place: Location, group: StageFile, preset: str, zone: str, *, own: bool
) -> list[Excess]:
    approved = preset_of(preset, zone)
    if approved is None:
        words = f': "{zone}" is not a zone of the preset {preset}; remove it'
        return [Excess((*place, "zones", group.zones.index(zone)), words)]
    named = "" if own else f" {preset}"
    found = []
    for field in _AT_MOST:
        value, limit = getattr(group, field), getattr(approved, field)
        if not (value <= limit):
            words = _stronger(with_unit(field, value), named, f"at most {with_unit(field, limit)}")
            found.append(Excess((*place, field), words))
    if not (group.speed_mm_per_s >= approved.speed_mm_per_s):
        field = "speed_mm_per_s"
        least = f"at least {with_unit(field, approved.speed_mm_per_s)}"
        words = _stronger(with_unit(field, group.speed_mm_per_s), named, least)
        found.append(Excess((*place, field), words))
    return found


def _stronger(value: str, named: str, bound: str) -> str:
    return (
        f" = {value} is stronger than the approved preset{named}; a practitioner may only lower, "
        f"so it must be {bound}"
    )
