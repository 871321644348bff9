"""What is shown of the kernel: its beat, and everything else as the values of the API."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from controller.api.snapshot import (
    KernelView,
    LinkView,
    RecordView,
    Snapshot,
)
from controller.api.views import (
    alarm_views,
    live_view,
    ms,
    receipt_views,
    signal_view,
    treatment_view,
    unit_view,
)
from controller.device.interface import Handpiece
from controller.device.precedence import Precedence
from controller.record.journal import JournalPort
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.conduct import Conduct
from firmware_protocol.envelope import SETPOINT_PERIOD_S


@dataclass(slots=True)
class Timing:
    """The beat of the control loop, on absolute deadlines."""

    late_max_s: float = 0.0
    """The latest beat so far."""
    beats_missed: int = 0
    precedence: Precedence | None = None
    """None where nobody asked the system for any: in tests and in virtual time."""

    def next_due_s(self, due_s: float, now_s: float) -> float:
        """Return when the beat after that of ``due_s`` is due; missed ones are not made up for."""
        due_s += SETPOINT_PERIOD_S
        if now_s > due_s:
            missed = math.ceil((now_s - due_s) / SETPOINT_PERIOD_S)
            self.beats_missed += missed
            due_s += missed * SETPOINT_PERIOD_S
        return due_s

    def woke(self, due_s: float, now_s: float) -> None:
        """Note how late a beat came."""
        self.late_max_s = max(self.late_max_s, now_s - due_s)

    def view(self, pid: int, port: str, uptime_s: float) -> KernelView:
        """Return what is shown of the process."""
        granted = self.precedence
        return KernelView(
            pid,
            port,
            round(uptime_s, 3),
            None if granted is None else granted.scheduling,
            None if granted is None else granted.memory_locked,
            round(self.late_max_s * 1000, 1),
            self.beats_missed,
        )


# -- the snapshot ----------------------------------------------------------------------------------
class Seen(NamedTuple):
    """What a snapshot is made of."""

    kernel: KernelView
    record: RecordView
    handpiece: Handpiece
    state: str
    conduct: Conduct | None
    treatment: int
    alarms: AlarmSystem
    now_s: float


def snapshot(seen: Seen) -> Snapshot:
    """Return what is to be seen without reading the record."""
    handpiece, conduct = seen.handpiece, seen.conduct
    return Snapshot(
        kernel=seen.kernel,
        link=link_view(handpiece, seen.now_s),
        unit=unit_view(handpiece.identity),
        state=seen.state,
        treatment=treatment_view(seen.treatment, conduct),
        live=live_view(handpiece.newest, conduct, seen.now_s),
        alarms=alarm_views(seen.alarms.board),
        receipts=receipt_views(conduct),
        record=seen.record,
        unfinished=(),
        time_to_safe_ms=None if conduct is None else ms(conduct.time_to_safe_s),
        signal=signal_view(seen.alarms.signal(seen.now_s)),
    )


def record_view(journal: JournalPort, path: str) -> RecordView:
    """The record, with the reason why it cannot be written or believed."""
    return journal.health.view(path, journal.rows, journal.failure)


def link_view(handpiece: Handpiece, now_s: float) -> LinkView:
    """The line: how far the host has got with the unit, and when it last heard of it."""
    age_s, trouble = now_s - handpiece.heard_at_s, handpiece.trouble
    return LinkView(
        state=handpiece.state.value,
        bad_frames=handpiece.bad_frames,
        rtt_ms=ms(handpiece.round_trip_s),
        age_ms=ms(age_s) if math.isfinite(age_s) else None,
        trouble=None if trouble is None else trouble.sentence,
        next_step=None if trouble is None else trouble.next_step,
    )
