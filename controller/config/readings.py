"""Measured patches in a client's file: one that cannot be true is a mistake for a person to see."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from controller.config.errors import ConfigError
from controller.config.lines import Location
from controller.config.models import ClientFile, PatchReadingFile
from controller.config.place import mistake
from controller.config.suggest import near
from controller.safety.instruments import INSTRUMENTS
from controller.safety.patch_reading import RATIO_MAX, PatchReading

DAY_BEGINS_EARLIEST_S: Final = 14 * 3600.0
"""A day begins so long before it does at Greenwich, where it begins first (UTC+14)."""

Zones = Mapping[str, bool]
"""Each zone that exists, and whether it can be selected."""


def refuse_the_old_table(said: Mapping[str, object], path: Path) -> None:
    """Refuse ``[patch_reading]``, which had neither day nor place nor instrument."""
    if "patch_reading" in said:
        raise mistake(
            path,
            ("patch_reading",),
            " is no longer read; write a table [[patch_readings]] for each reading, with "
            f"{', '.join(PatchReadingFile.model_fields)} (expected_um is what nominal_um was).",
        )


def readings_of(file: ClientFile, path: Path, zones: Zones) -> tuple[PatchReading, ...]:
    """Return the readings of a client; ConfigError names the first that cannot be used."""
    return tuple(
        _reading(said, path, ("patch_readings", number), zones)
        for number, said in enumerate(file.patch_readings)
    )


def _reading(said: PatchReadingFile, path: Path, place: Location, zones: Zones) -> PatchReading:
    selectable = [zone for zone, can_be in zones.items() if can_be]
    if said.zone not in selectable:
        raise _no_such(path, (*place, "zone"), said.zone, selectable)
    if said.instrument not in INSTRUMENTS:
        raise _no_such(path, (*place, "instrument"), said.instrument, list(INSTRUMENTS))
    reading = PatchReading(
        date=said.date.isoformat(),
        began_wall_s=_began_wall_s(said.date),
        zone=said.zone,
        instrument=INSTRUMENTS[said.instrument],
        expected_um=said.expected_um,
        removed_um=said.removed_um,
        ln_sd=said.ln_sd,
    )
    if not reading.plausible:
        raise mistake(
            path,
            (*place, "removed_um"),
            f" = {said.removed_um:g} µm where {said.expected_um:g} µm were expected is more than "
            f"{RATIO_MAX:g} times off, and a mistake of the reading; measure again, or leave it "
            "out.",
        )
    return reading


def _began_wall_s(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp() - DAY_BEGINS_EARLIEST_S


def _no_such(path: Path, place: Location, said: str, known: Sequence[str]) -> ConfigError:
    meant = near(said, known)
    hint = f"did you mean {meant}?" if meant else f"use one of {', '.join(sorted(known))}."
    return mistake(path, place, f' = "{said[:40]}" is not among those that are known; {hint}')
