"""Snapshots of a treatment, for whatever shows one."""

from dataclasses import replace
from pathlib import Path

from controller.config.locate import shipped_configs
from controller.kernel.snapshot import (
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

ALARM = AlarmView(
    "V01", "medium", "Suction went above its limit.", "Check the skin.", acknowledged=False
)
NOSE = ZoneView(
    "nose", "Nose", "current", 12.0, 31.0, 0.1, 0.9, 3.15, 18.0, 100.0, 1.4, 26.4, 29.5, 28.0, 7.0
)  # fmt: skip
CHIN = ZoneView(
    "chin", "Chin", "waiting", 0.0, 44.0, 0.0, 0.0, 3.15, 0.0, 100.0, 0.0, None, None, 28.0, 7.0
)
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
