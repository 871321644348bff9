"""What is shown of the kernel: its beat, and everything else as the values of the API."""

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from controller.api.snapshot import (
    AlarmView,
    KernelView,
    LightView,
    LinkView,
    LiveView,
    ReceiptView,
    RecordView,
    SignalView,
    Snapshot,
    ToneView,
    TreatmentView,
    UnfinishedView,
    UnitView,
    ZoneView,
)
from controller.device.precedence import Precedence
from controller.kernel.alarms import AlarmDesk
from controller.kernel.performer import Handpiece, JournalPort
from controller.safety.alarm_signals import Signal
from controller.safety.alarms import AlarmBoard
from controller.safety.guide_texts import waits_its_turn
from controller.safety.limits import Receipt
from controller.safety.reading import Identity, Reading
from controller.treatment.conduct import NOTHING, Conduct
from controller.treatment.course import ZoneProgress
from controller.treatment.rows import receipt_body
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.vocabulary import Cause


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
MS_PER_S: Final = 1000.0


class Seen(NamedTuple):
    """What a snapshot is made of."""

    kernel: KernelView
    record: RecordView
    unfinished: tuple[UnfinishedView, ...]
    clock: str | None
    handpiece: Handpiece
    state: str
    conduct: Conduct | None
    treatment: int
    alarms: AlarmDesk
    now_s: float


def snapshot(seen: Seen) -> Snapshot:
    """Return everything there is to see."""
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
        unfinished=seen.unfinished,
        time_to_safe_ms=None if conduct is None else ms(conduct.time_to_safe_s),
        signal=signal_view(seen.alarms.signal(seen.now_s)),
        clock=seen.clock,
    )


def record_view(journal: JournalPort, path: str) -> RecordView:
    """The record, with the reason why it cannot be written or believed."""
    return journal.health.view(path, journal.rows, journal.failure)


def ms(seconds: float | None) -> float | None:
    """Return milliseconds to one decimal; None stays None."""
    return None if seconds is None else round(seconds * MS_PER_S, 1)


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


def unit_view(identity: Identity | None) -> UnitView | None:
    """The unit, once it has said who it is."""
    if identity is None:
        return None
    return UnitView(identity.serial, identity.firmware, identity.simulated, identity.motion_sensor)


def live_view(reading: Reading | None, conduct: Conduct | None, now_s: float) -> LiveView | None:
    """The newest reading beside what the host has set."""
    if reading is None:
        return None
    sent = NOTHING if conduct is None else conduct.sent
    return LiveView(
        suction_kpa=reading.suction_kpa,
        flow_g_per_min=reading.flow_g_per_min,
        set_suction_kpa=sent.suction_kpa,
        set_flow_g_per_min=sent.flow_g_per_min,
        valve_percent=reading.valve_percent,
        contact=reading.contact,
        switch=reading.switch_pressed,
        mode=reading.mode.name.lower(),
        cause=None if reading.cause is Cause.NONE else reading.cause.name.lower(),
        lease_left_ms=round(reading.lease_left_s * MS_PER_S),
        age_ms=round(reading.age_s(now_s) * MS_PER_S, 1),
    )


def zone_view(progress: ZoneProgress) -> ZoneView:
    """One zone and what it has had."""
    stage, use = progress.stage, progress.use
    return ZoneView(
        zone=stage.zone,
        display=stage.display,
        state=progress.state,
        contact_s=use.contact_s,
        budget_s=stage.contact_budget_s,
        nominal_um=use.nominal_um,
        bound_um=use.bound_um,
        cap_um=stage.cap_um,
        suction_kpa_s=use.suction_kpa_s,
        suction_max_kpa_s=stage.suction_max_kpa_s,
        grams=use.grams,
        suction_kpa_mean=progress.suction_kpa_mean,
        suction_kpa_peak=progress.suction_kpa_peak,
        set_suction_kpa=progress.set_suction_kpa,
        set_flow_g_per_min=progress.set_flow_g_per_min,
        ended_by=None if progress.ended_by is None else progress.ended_by.value,
    )


def treatment_view(number: int, conduct: Conduct | None) -> TreatmentView | None:
    """The treatment; its outcome is told only once its row is durable."""
    if conduct is None:
        return None
    plan, outcome = conduct.plan, conduct.outcome
    return TreatmentView(
        id=number,
        program=plan.program.name,
        display_name=plan.program.display_name,
        client=plan.client_ref,
        zones=tuple(zone_view(zone) for zone in conduct.course.zones()),
        outcome=outcome.value if outcome is not None and conduct.recorded else None,
        simulated=plan.simulated,
        message=conduct.why or None,
        recorded=conduct.recorded,
        stopped_by=conduct.stopped_by,
    )


def alarm_views(board: AlarmBoard) -> tuple[AlarmView, ...]:
    """The alarms that stand, the most urgent first; the hand is told one step at a time."""
    codes = [one.alarm.code for one in board.standing]
    return tuple(
        AlarmView(
            code=one.alarm.code,
            priority=one.alarm.priority.name.lower(),
            sentence=one.alarm.sentence,
            next_step="" if waits_its_turn(one.alarm.code, codes) else one.alarm.next_step,
            acknowledged=one.acknowledged,
            first_out=one.first_out,
        )
        for one in board.standing
    )


def signal_view(said: Signal) -> SignalView:
    """What the alarms that stand sound and look like now."""
    return SignalView(
        tone=None if said.tone is None else ToneView(*said.tone),
        light=None if said.light is None else LightView(*said.light),
        inactivation=said.inactivation.value,
        left_s=None if said.left_s is None else round(said.left_s, 1),
        reminder_in_s=None if said.reminder_in_s is None else round(said.reminder_in_s, 1),
    )


def receipt_views(conduct: Conduct | None) -> tuple[ReceiptView, ...]:
    """What was limited, when it was planned and since."""
    if conduct is None:
        return ()
    planned = [receipt for stage in conduct.plan.stages for receipt in stage.receipts]
    limited = [receipt for receipt in planned if receipt.limited]
    return tuple(receipt_view(receipt) for receipt in (*limited, *conduct.receipts))


def receipt_view(receipt: Receipt) -> ReceiptView:
    """One receipt, in the form that rows and answers have too."""
    said: dict[str, Any] = receipt_body(receipt)
    return ReceiptView(**said)
