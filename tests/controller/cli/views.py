"""Snapshots of a treatment, for whatever shows one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.api.snapshot import (
    AlarmView,
    KernelView,
    LinkView,
    LiveView,
    RecordView,
    Snapshot,
    TreatmentView,
    UnfinishedView,
    UnitView,
    ZoneView,
)
from controller.config.locate import shipped_configs

ALARM = AlarmView(
    "V01", "medium", "Suction went above its limit.", "Check the skin.", acknowledged=False
)
NOSE = ZoneView(
    "nose", "Nose", "current", 12.0, 31.0, 0.1, 0.9, 3.15, 18.0, 100.0, 1.4, 26.4, 29.5, 28.0, 7.0,
    share_percent=1.111, layers=0.0889, shedding_h=1.244,
)  # fmt: skip
CHIN = ZoneView(
    "chin", "Chin", "waiting", 0.0, 44.0, 0.0, 0.0, 3.15, 0.0, 100.0, 0.0, None, None, 28.0, 7.0,
    share_percent=0.0, layers=0.0, shedding_h=0.0,
)  # fmt: skip
TREATMENT = TreatmentView(7, "refresh", "Refresh", "demo", (NOSE, CHIN), None, simulated=True)
LIVE = LiveView(
    27.9, 7.1, 28.0, 7.0, 46.0, contact=True, switch=True, mode="active", cause=None,
    lease_left_ms=170, age_ms=12.0,
)  # fmt: skip
ACTIVE = Snapshot(
    kernel=KernelView(4242, "/dev/ttyACT0", 3.0),
    link=LinkView("identified", 0, 1.2, age_ms=8.0),
    unit=UnitView(1001, "1.0", simulated=True),
    state="active",
    treatment=TREATMENT,
    live=LIVE,
    alarms=(ALARM,),
    receipts=(),
    record=RecordView("journal.sqlite3", 12),
    unfinished=(UnfinishedView(6, "c-1", "refresh"),),
    time_to_safe_ms=None,
)
IDLE = replace(ACTIVE, state="idle", treatment=None, alarms=(), unfinished=())
DONE = replace(
    ACTIVE,
    state="completed",
    alarms=(),
    treatment=replace(
        TREATMENT,
        outcome="completed",
        recorded=True,
        zones=(replace(NOSE, state="done", ended_by="exposure"), replace(CHIN, state="done")),
    ),
)
STOPPED = replace(
    DONE,
    state="stopped",
    time_to_safe_ms=38.4,
    treatment=replace(TREATMENT, outcome="stopped", stopped_by="anna", message="stop by anna"),
)
TRIPPED = replace(
    DONE,
    state="tripped",
    alarms=(ALARM,),
    treatment=replace(TREATMENT, outcome="tripped", simulated=False),
    unit=UnitView(4711, "1.0", simulated=False),
)


def on(state: Path, shown: Snapshot = IDLE) -> Snapshot:
    """Return ``shown`` as a kernel of this folder and of the shipped files shows it."""
    return replace(
        shown,
        kernel=replace(shown.kernel, configs=str(shipped_configs())),
        record=replace(shown.record, path=str(state / "journal.sqlite3")),
    )


def _zone(display: str, expected_s: float, budget_s: float, ends_by: str) -> dict[str, Any]:
    return {
        "zone": display.lower(), "display": display, "suction_kpa": 28.0, "flow_g_per_min": 7.0,
        "expected_contact_s": expected_s, "contact_budget_s": budget_s, "ends_by": ends_by,
        "expected_nominal_um": 0.25, "expected_bound_um": 2.38, "cap_um": 3.09,
        "effect": {"share_percent": 2.81, "layers": 0.2246, "shedding_h": 3.144},
        "receipts": [
            {"sentence": "Suction 28 kPa is allowed."},
            {"sentence": f"Contact time of {display} was lowered."},
        ],
    }  # fmt: skip


def _proved(display: str) -> list[dict[str, Any]]:
    figures = (
        ("depth_um", "µm", 2.87, 3.09), ("suction_kpa_s", "kPa s", 34.0, 100.0),
        ("suction_kpa", "kPa", 30.0, 55.0), ("flow_g_per_min", "g/min", 7.7, 12.0),
        ("contact_s", "s", 25.2, 31.6), ("dwell_s", "s", 1.6, 2.25),
    )  # fmt: skip
    return [
        {
            "display": display, "quantity": quantity, "unit": unit, "worst": worst, "limit": limit,
            "margin": limit - worst,
        }
        for quantity, unit, worst, limit in figures
    ]  # fmt: skip


PLAN: dict[str, Any] = {
    "display_name": "Refresh",
    "client": "demo",
    "simulated": True,
    "unit_serial": 0,
    "zones": [_zone("Nose", 25.2, 31.0, "exposure"), _zone("Chin", 44.0, 44.0, "time")],
    "contact_s": 69.2,
    "effect": (
        "This removes about 0.25 µm on average (bound: 2.38 µm): 2.8 % of the stratum corneum, a "
        "fifth of one layer of corneocytes, what skin sheds by itself in about 3 hours. No "
        "instrument in use can see that little in one person."
    ),
    "chance": {
        "likely_bound_share": 6.5e-4,
        "likely_n": 40_000,
        "worst_bound_share": 5.0e-3,
        "worst_n": 4_000,
        "worst_tail": "harm-0.25",
    },
    "proof": {"lines": [*_proved("Nose"), *_proved("Chin")]},
    "notes": ["A note that is longer than a narrow terminal is wide, and goes on."],
    "planned_at_s": 1.9e9,
    "sha256": "0123456789abcdef" * 4,
}
