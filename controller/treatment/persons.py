"""What people may ask of a treatment, and what they are told when it cannot be.

STOP is heard in every state and from everybody. Pausing and lowering too are heard from everybody;
resuming, acknowledging and resetting need somebody at the unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from controller.safety.alarm_texts import CAUSE_STANDS, HELD, NO_ANSWER, OF_REFUSAL
from controller.safety.alarms import Alarm
from controller.safety.interlocks import is_stale
from controller.treatment import rows
from controller.treatment.conduct import Actions, Conduct
from controller.treatment.events import (
    Answered,
    Body,
    Command,
    Commit,
    Declined,
    Note,
    Outcome,
    Person,
    SendReset,
    Who,
)
from controller.treatment.states import ENDED, State
from firmware_protocol.vocabulary import Mode, Refusal, StopKind

LOCAL_ONLY: Final = frozenset({Command.RESUME, Command.ACK, Command.RESET})

NOT_LOCAL: Final = Declined(
    "not_local", "This needs a person at the unit.", "Ask somebody who stands beside the client."
)
OVER: Final = Declined("over", "The treatment is over.", "Start the next one.")
NO_TRIP: Final = Declined(
    "no_trip", "No trip is latched, so there is nothing to reset.", "Go on, or stop the treatment."
)
TRIP_STANDS: Final = Declined(
    "trip_stands", "A safety trip is latched.", "Acknowledge and reset it first."
)
NOT_ACKNOWLEDGED: Final = Declined(
    "not_acknowledged",
    "The trip was not acknowledged.",
    "Read the alarm, acknowledge it, then reset.",
)
NOT_SEEN: Final = Declined(
    "no_link", "The unit cannot be heard, so it cannot be reset.", "Check its cable and power."
)
NOT_SAFE: Final = Declined(
    "not_safe",
    "The unit is not in a safe state yet.",
    "Wait until the crystals are off and vented.",
)
RELEASE_FIRST: Final = Declined(
    "switch_pressed", "The hand switch is pressed.", "Release it, then reset again."
)
RESETTING: Final = Declined("resetting", "The reset is under way.", "Wait a moment.")
NOT_LOWER: Final = Declined(
    "not_lower",
    "This is not below what is set now, and during a treatment settings only go down.",
    "Name a suction in kPa or a crystal flow in g/min below the present one.",
)


def answer(conduct: Conduct, event: Person, now_s: float) -> Actions:
    """Take what a person asks for; a Declined among the actions means that nothing has changed."""
    if event.command in LOCAL_ONLY and not event.who.is_local:
        return (NOT_LOCAL,)
    return _ANSWERS[event.command](conduct, event, now_s)


def _stop(conduct: Conduct, event: Person, now_s: float) -> Actions:
    why = f"stop by {event.who.name or 'somebody'}"
    return _by(event.who, conduct.stop(StopKind.NORMAL, Outcome.STOPPED, why, now_s))


def _emergency(conduct: Conduct, event: Person, now_s: float) -> Actions:
    why = f"emergency stop by {event.who.name or 'somebody'}"
    return _by(event.who, conduct.stop(StopKind.EMERGENCY, Outcome.STOPPED, why, now_s))


def _by(who: Who, actions: Actions) -> Actions:
    """Return the actions of a stop, whose row says who wanted it, in which role, from where."""
    return tuple(
        replace(action, body={**action.body, "who": rows.who_body(who)})
        if isinstance(action, Commit | Note) and action.kind == "stop"
        else action
        for action in actions
    )


def _closed(conduct: Conduct) -> Declined | None:
    if conduct.state is State.TRIPPED:
        return TRIP_STANDS
    over = conduct.state in ENDED or conduct.state is State.STOPPING
    return OVER if over else None


def _pause(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _closed(conduct)
    if declined is not None:
        return (declined,)
    conduct.held = True
    note = Note("pause", {"who": rows.who_body(event.who)})
    return (*conduct.hold(), *conduct.tell(HELD), note)


def _resume(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _closed(conduct)
    if declined is not None:
        return (declined,)
    conduct.held = False
    row = Commit("resume", {"who": rows.who_body(event.who)})
    return (row, *conduct.settle(HELD.code))


def _lower(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _closed(conduct)
    if declined is not None:
        return (declined,)
    lowering = conduct.course.lower(event.suction_kpa, event.flow_g_per_min)
    said = [rows.receipt_body(receipt) for receipt in lowering.receipts]
    body: Body = {"who": rows.who_body(event.who), "receipts": said}
    if lowering.taken:
        conduct.refused = ()
        return (*conduct.hold(), Note("lower", body))
    if not lowering.receipts:
        return (NOT_LOWER,)
    conduct.refused = lowering.receipts
    declined = replace(NOT_LOWER, receipt=lowering.receipts[0])
    return (declined, Note("declined", {"code": NOT_LOWER.code, **body}))


def _ack(conduct: Conduct, event: Person, now_s: float) -> Actions:
    if conduct.state is State.TRIPPED:
        conduct.acknowledged = True
    return (Commit("ack", {"who": rows.who_body(event.who)}),)


def _reset(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _not_resettable(conduct, now_s)
    if declined is not None:
        return (declined,)
    row = Commit("reset", {"who": rows.who_body(event.who), "why": conduct.why})
    reading = conduct.newest
    if reading is not None and reading.mode is Mode.SAFE:
        conduct.resetting = True
        return (row, SendReset(reading.cause))
    return (row, *conduct.clear())


def _not_resettable(conduct: Conduct, now_s: float) -> Declined | None:
    reading = conduct.newest
    if conduct.state is not State.TRIPPED:
        return NO_TRIP
    if not conduct.acknowledged:
        return NOT_ACKNOWLEDGED
    if conduct.resetting:
        return RESETTING
    if reading is None or is_stale(reading.at_s, now_s):
        return NOT_SEEN
    if not reading.outputs_off:
        return NOT_SAFE
    return None if reading.switch_released else RELEASE_FIRST


def reset_answered(conduct: Conduct, event: Answered) -> Actions:
    """Take the device's answer to RESET: it is disarmed, or it says why not."""
    if not conduct.resetting:
        return ()
    conduct.resetting = False
    if event.ok:
        return conduct.clear()
    alarm = reset_alarm(event.refusal, known=event.known)
    return (*conduct.settle(alarm.code), *conduct.tell(alarm))


def reset_alarm(refusal: Refusal, *, known: bool) -> Alarm:
    """Return why the device did not reset."""
    return OF_REFUSAL.get(refusal, CAUSE_STANDS) if known else NO_ANSWER


_ANSWERS: Final[Mapping[Command, Callable[[Conduct, Person, float], Actions]]] = MappingProxyType(
    {
        Command.STOP: _stop,
        Command.EMERGENCY: _emergency,
        Command.PAUSE: _pause,
        Command.RESUME: _resume,
        Command.LOWER: _lower,
        Command.ACK: _ack,
        Command.RESET: _reset,
    }
)
