"""The end of a treatment: a table by zone for people, one object for scripts."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from controller.api.snapshot import RecordView, Snapshot, TreatmentView, ZoneView
from controller.cli import effect_sheet
from controller.cli.live import alarm_line
from controller.cli.outcome import ExitCode, Failure
from controller.cli.output import text
from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN, outcome_words, quantity, share
from controller.safety.effect import PERCENT, Effect, in_words, seen_by

KERNEL_GONE: Final = "kernel_gone"
"""The name of the failure after which nobody here knows how the treatment ended."""

SPENT: Final = {
    "exposure": "its exposure is spent",
    "suction": "its suction dose is spent",
}
"""What ends a zone before its time, in words."""

EXIT_BY_OUTCOME: Final = {
    "completed": ExitCode.DONE,
    "stopped": ExitCode.REFUSED,
    "tripped": ExitCode.TRIPPED,
    "refused": ExitCode.REFUSED,
}
"""A treatment that was stopped because nobody treated, or for its record, did not do its work."""


def exit_code(outcome: str | None) -> ExitCode:
    """Return the exit code of an outcome; a treatment that never ended counts as a device error."""
    return EXIT_BY_OUTCOME.get(outcome or "", ExitCode.PORT)


def exit_code_of(snapshot: Snapshot) -> ExitCode:
    """Return the exit code of the treatment; an end that the record does not hold has failed."""
    treatment = snapshot.treatment
    if treatment is None:
        return exit_code(None)
    if treatment.recorded is not False:
        by_person = treatment.outcome == "stopped" and treatment.stopped_by is not None
        return ExitCode.STOPPED if by_person else exit_code(treatment.outcome)
    return ExitCode.TRIPPED if snapshot.state == "tripped" else ExitCode.REFUSED


def as_object(snapshot: Snapshot) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    treatment = snapshot.treatment
    unit = snapshot.unit
    return {
        "outcome": treatment.outcome if treatment else None,
        "state": snapshot.state,
        "recorded": treatment.recorded if treatment else None,
        "program": treatment.program if treatment else None,
        "client": treatment.client if treatment else None,
        "simulated": treatment.simulated if treatment else None,
        "unit": asdict(unit) if unit else None,
        "zones": [asdict(zone) for zone in treatment.zones] if treatment else [],
        "effect": effect_in_words(treatment) if treatment else None,
        "message": treatment.message if treatment else None,
        "stopped_by": treatment.stopped_by if treatment else None,
        "alarms": [asdict(alarm) for alarm in snapshot.alarms],
        "time_to_safe_ms": snapshot.time_to_safe_ms,
        "simulated_faults": [asdict(fault) for fault in snapshot.simulated_faults],
        "record": {
            "path": snapshot.record.path,
            "treatment": treatment.id if treatment else None,
            "rows": snapshot.record.rows,
            "witness": snapshot.record.witness,
        },
    }


def beside_failure(failure: Failure) -> dict[str, Any]:
    """Return what ``--json`` says beside why no treatment came to its end here."""
    outcome = None if failure.name == KERNEL_GONE else "refused"
    return {"outcome": outcome, "zones": [], "record": None}


def show(console: Console, snapshot: Snapshot) -> None:
    """Print the summary by zone and where the record lies."""
    treatment = snapshot.treatment
    if treatment is None:
        return
    console.print(_title(treatment, snapshot.state))
    console.print(_sheet(treatment))
    words = effect_in_words(treatment)
    if words is not None:
        console.print(text(words))
        console.print(effect_sheet.sheet(_effect_row(zone) for zone in treatment.zones))
    for zone in treatment.zones:
        if zone.ended_by in SPENT:
            console.print(text(_ended_early(zone)))
    if treatment.message:
        console.print(text(treatment.message))
    for alarm in snapshot.alarms:
        console.print(alarm_line(alarm))
    if snapshot.time_to_safe_ms is not None:
        console.print(f"valve shut {snapshot.time_to_safe_ms:.0f} ms after the stop")
    lines = map(text, _record(treatment, snapshot.record))
    console.print(Text("\n").join(lines), soft_wrap=True)


def _record(treatment: TreatmentView, record: RecordView) -> Iterator[str]:
    yield f"record: treatment {treatment.id} in {record.path}"
    if record.witness is not None:
        yield f"witness: {record.witness}"


def effect_in_words(treatment: TreatmentView) -> str | None:
    """Return what was really removed, in words; None where the kernel does not say it."""
    found = [_effect(zone) for zone in treatment.zones]
    known = [each for each in found if each is not None]
    return in_words(known, given=True) if known else None


def _effect(zone: ZoneView) -> Effect | None:
    share_percent, layers, shedding_h = zone.share_percent, zone.layers, zone.shedding_h
    if share_percent is None or layers is None or shedding_h is None:
        return None
    share, seen = share_percent / PERCENT, seen_by(zone.nominal_um)
    return Effect(zone.nominal_um, zone.bound_um, share, layers, shedding_h, seen)


def _effect_row(zone: ZoneView) -> effect_sheet.Row:
    return zone.display, zone.share_percent, zone.layers, zone.shedding_h


def _ended_early(zone: ZoneView) -> str:
    done = 100.0 * share(zone.contact_s, zone.budget_s)
    return f"{zone.display}: ended at {done:.0f} % of its time, {SPENT[zone.ended_by or '']}"


def _title(treatment: TreatmentView, state: str) -> Text:
    outcome = outcome_words(treatment.outcome, state, recorded=treatment.recorded)
    simulated = " (simulated)" if treatment.simulated else ""
    return text(f"{treatment.display_name} for {treatment.client}: {outcome}{simulated}", "italic")


def _sheet(treatment: TreatmentView) -> Sheet:
    names = ("zone", "state", "crystals", "on skin", "suction, peak", "depth", "bound of cap")
    return Sheet(names, [_cells(zone) for zone in treatment.zones], words_at=(1,))


def _cells(zone: ZoneView) -> tuple[str, ...]:
    mean, peak = zone.suction_kpa_mean, zone.suction_kpa_peak
    return (
        zone.display,
        zone.state,
        quantity(zone.grams, "g"),
        quantity(zone.contact_s, "s", 0),
        UNKNOWN if mean is None or peak is None else f"{mean:.1f}, {peak:.1f} kPa",
        quantity(zone.nominal_um, "µm", 2),
        f"{zone.bound_um:.2f} of {zone.cap_um:.2f} µm",
    )
