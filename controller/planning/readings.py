"""Measured patches in a plan: none of a day that has not come, and in words what they change."""

from collections.abc import Sequence

from controller.planning.case import Case
from controller.safety.breach import p95_factor
from controller.safety.patch_reading import PER_VISIT, PatchReading, bound_factor, slow_visits
from controller.safety.refusal import Refusal


def readings_are_of_the_past(case: Case) -> Refusal | None:
    """A patch that is measured tomorrow tells nothing; its date or the clock is wrong."""
    for number, reading in enumerate(case.client.patch_readings, start=1):
        if not (reading.began_wall_s <= case.now_wall_s):
            return Refusal(
                "patch_reading",
                f"clients/{case.client.ref}.toml, patch_readings[{number}].date = {reading.date} "
                "has not come yet; it must be the day of the measurement, today at the latest.",
                "Correct the date in the client file, or the clock of this computer.",
            )
    return None


def reading_notes(case: Case) -> Sequence[str]:
    """Say of each reading in the noise that it is, and what the others make of the bound."""
    readings = case.client.patch_readings
    notes = [_in_the_noise(case, reading) for reading in readings if not reading.counts]
    told = [reading for reading in readings if reading.counts]
    return [*notes, _effect(case, told)] if told else notes


def _in_the_noise(case: Case, reading: PatchReading) -> str:
    floor_um = reading.instrument.floor_um
    sees = (
        "no depth in one person" if floor_um is None else f"only what is at least {floor_um:g} µm"
    )
    return (
        f"The patch reading of {reading.date}, {case.display(reading.zone)}, changes nothing: "
        f"{reading.removed_um:g} µm where {reading.expected_um:g} µm were expected, and "
        f"{reading.instrument.name} can see {sees}."
    )


def _effect(case: Case, told: Sequence[PatchReading]) -> str:
    model = case.skin.model
    factor, usual = bound_factor(model, told), p95_factor(model.error_ln_sd)
    whose = f"The patch readings of client {case.client.ref}"
    bound = f"the bound is {usual * factor:.2f} instead of {usual:.2f} times the nominal rate"
    if factor > 1.0:
        return f"{whose} say that this skin goes faster: {bound}."
    if factor < 1.0:
        return (
            f"{whose} agree over {slow_visits(told)} visits that this skin goes no faster than "
            f"expected: {bound}, at most a factor of {PER_VISIT:g} for each visit after the first."
        )
    visits = slow_visits(told)
    if visits > 1:
        why = "they do not agree within their noise; measure once more"
    elif visits == 1:
        why = "one visit alone makes no treatment longer"
    else:
        why = "they lie within what the bound allows for"
    return f"{whose} leave the bound as it is: {why}."
