"""What unit, treatment and alarms look like as values of the API."""

from typing import Any, Final

from controller.api.snapshot import (
    AlarmView,
    LightView,
    LiveView,
    ReceiptView,
    SignalView,
    ToneView,
    TreatmentView,
    UnitView,
    ZoneView,
)
from controller.safety.alarm_signals import Signal
from controller.safety.alarms import AlarmBoard
from controller.safety.effect import PERCENT
from controller.safety.guide_texts import waits_its_turn
from controller.safety.limits import Receipt
from controller.safety.reading import Identity, Reading
from controller.treatment.conduct import NOTHING, Conduct
from controller.treatment.course import ZoneProgress
from firmware_protocol.vocabulary import Cause

MS_PER_S: Final = 1000.0


def ms(seconds: float | None) -> float | None:
    """Return milliseconds to one decimal; None stays None."""
    return None if seconds is None else round(seconds * MS_PER_S, 1)


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
    effect = stage.effect(use.nominal_um, use.bound_um)
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
        share_percent=None if effect is None else round(PERCENT * effect.share, 3),
        layers=None if effect is None else round(effect.layers, 4),
        shedding_h=None if effect is None else round(effect.shedding_h, 3),
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
    said: dict[str, Any] = receipt.as_dict()
    return ReceiptView(**said)
