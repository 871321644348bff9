"""What people may ask of a treatment, and what they are told when it cannot be.

STOP is heard in every state and from everybody. Pausing and lowering too are heard from everybody;
resuming, acknowledging and resetting need somebody at the unit, and take effect when their row is
durable. A reset is a row, then a one-shot, and is done when the unit says so or shows it. Whoever
lowers a setting to 0 stops.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.safety.alarm_texts import CAUSE_STANDS, NO_ANSWER, OF_REFUSAL
from controller.safety.alarms import Alarm
from controller.safety.guide_texts import HELD
from controller.safety.interlocks import is_stale
from controller.safety.reading import Reading
from controller.safety.refusal import Refusal
from controller.treatment import rows
from controller.treatment.conduct import Actions, Conduct
from controller.treatment.events import (
    Body,
    Closed,
    Command,
    End,
    Finished,
    Note,
    Person,
    SendReset,
    Step,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import ENDED, State
from firmware_protocol.vocabulary import Mode, StopKind

LOCAL_ONLY: Final = frozenset({Command.RESUME, Command.ACK, Command.RESET})

NOT_LOCAL: Final = Refusal(
    "not_local", "This needs a person at the unit.", "Ask somebody who stands beside the client."
)
OVER: Final = Refusal("over", "The treatment is over.", "Start the next one.")
NO_TRIP: Final = Refusal(
    "no_trip", "No trip is latched, so there is nothing to reset.", "Go on, or stop the treatment."
)
TRIP_STANDS: Final = Refusal(
    "trip_stands", "A safety trip is latched.", "Acknowledge and reset it first."
)
NOT_ACKNOWLEDGED: Final = Refusal(
    "not_acknowledged",
    "The trip was not acknowledged.",
    "Read the alarm, acknowledge it, then reset.",
)
NOT_SEEN: Final = Refusal(
    "no_link", "The unit cannot be heard, so it cannot be reset.", "Check its cable and power."
)
NOT_SAFE: Final = Refusal(
    "not_safe",
    "The unit is not in a safe state yet.",
    "Wait until the crystals are off and vented.",
)
RELEASE_FIRST: Final = Refusal(
    "switch_pressed", "The hand switch is pressed.", "Release it, then reset again."
)
RESETTING: Final = Refusal("resetting", "The reset is under way.", "Wait a moment.")
ACKNOWLEDGING: Final = Refusal(
    "acknowledging", "The acknowledgement is under way.", "Wait a moment."
)
RESUMING: Final = Refusal("resuming", "The resume is under way.", "Wait a moment.")
RESET_UNKNOWN: Final = Refusal(
    "unknown",
    "The unit did not answer, so it is not known whether it was reset.",
    "Look at `corneum status`, and reset again if the trip still stands.",
)
NOT_LOWER: Final = Refusal(
    "not_lower",
    "This is not below what is set now, and during a treatment settings only go down.",
    "Name a suction in kPa or a crystal flow in g/min below the present one.",
)
TOO_LOW: Final = Refusal(
    "too_low",
    "This is less than the handpiece can work with.",
    f"Name a suction from {SUCTION_SET_MIN_KPA:g} kPa and a crystal flow from "
    f"{FLOW_SET_MIN_G_PER_MIN:g} g/min, or pause; 0 ends the treatment.",
)


def of_alarm(code: str, alarm: Alarm) -> Refusal:
    """Return an alarm's words as the answer to somebody who asked."""
    return Refusal(code, alarm.sentence, alarm.next_step)


def answer(conduct: Conduct, event: Person, now_s: float) -> Actions:
    """Take what a person asks for; a Refusal among the actions means that nothing has changed."""
    if event.command in LOCAL_ONLY and not event.who.is_local:
        return (NOT_LOCAL,)
    return _ANSWERS[event.command](conduct, event, now_s)


def _stop(conduct: Conduct, event: Person, now_s: float) -> Actions:
    return conduct.stop(StopKind.NORMAL, f"stop by {_name(event)}", now_s, event.who)


def _emergency(conduct: Conduct, event: Person, now_s: float) -> Actions:
    why = f"emergency stop by {_name(event)}"
    return conduct.stop(StopKind.EMERGENCY, why, now_s, event.who)


def _name(event: Person) -> str:
    return event.who.name or "somebody"


def _over(conduct: Conduct) -> Refusal | None:
    if conduct.state is State.TRIPPED:
        return TRIP_STANDS
    over = conduct.state in ENDED or conduct.state is State.STOPPING
    return OVER if over else None


def _pause(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _over(conduct)
    if declined is not None:
        return (declined,)
    conduct.held = conduct.must_release = True
    voided = conduct.acts.void(Step.RESUME)  # the newer wish counts
    told = () if event.why else conduct.tell(HELD)  # the kernel has an alarm for its reason
    why = {"why": event.why} if event.why else {}
    note = Note(Kind.PAUSE, {"who": rows.who_body(event.who), **why})
    return (*conduct.hold(), *voided, *told, note)


def _resume(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _over(conduct)
    if declined is not None:
        return (declined,)
    if conduct.acts.waits_for(Step.RESUME):
        return (RESUMING,)
    return (conduct.row(Kind.RESUME, {"who": rows.who_body(event.who)}, Step.RESUME),)


def _resumed(conduct: Conduct, event: Finished, act: int, _now_s: float) -> Actions:
    if event.end is not End.DONE:
        return (Closed(act, event.end),)
    conduct.held = False
    return (*conduct.settle(HELD.code), Closed(act, End.DONE))


def _lower(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _over(conduct)
    if declined is not None:
        return (declined,)
    if 0.0 in (event.suction_kpa, event.flow_g_per_min):  # of all zones that follow too
        return conduct.stop(StopKind.NORMAL, f"lowered to 0 by {_name(event)}", now_s, event.who)
    lowering = conduct.course.lower(event.suction_kpa, event.flow_g_per_min)
    said = [receipt.as_dict() for receipt in lowering.receipts]
    body: Body = {"who": rows.who_body(event.who), "receipts": said}
    if lowering.taken:
        conduct.refused = ()
        return (*conduct.hold(), Note(Kind.LOWER, body))
    if not lowering.receipts:
        return (NOT_LOWER,)
    conduct.refused = lowering.receipts
    words = TOO_LOW if lowering.too_low else NOT_LOWER
    declined = words._replace(receipt=lowering.receipts[0])
    return (declined, Note(Kind.DECLINED, {"code": declined.code, **body}))


def _ack(conduct: Conduct, event: Person, now_s: float) -> Actions:
    """Write an acknowledgement down; one of before the trip is none of the trip."""
    if conduct.acts.waits_for(Step.ACK):
        return (ACKNOWLEDGING,)
    step = Step.ACK if conduct.state is State.TRIPPED else None
    return (conduct.row(Kind.ACK, {"who": rows.who_body(event.who)}, step),)


def _acknowledged(conduct: Conduct, event: Finished, act: int, _now_s: float) -> Actions:
    conduct.acknowledged = conduct.acknowledged or event.end is End.DONE
    return (Closed(act, event.end),)


def _reset(conduct: Conduct, event: Person, now_s: float) -> Actions:
    declined = _not_resettable(conduct, now_s)
    if declined is not None:
        return (declined,)
    body: Body = {"who": rows.who_body(event.who), "why": conduct.why}
    return (conduct.row(Kind.RESET, body, Step.RESET_ROW),)


def _reset_recorded(conduct: Conduct, event: Finished, act: int, now_s: float) -> Actions:
    """The row of a reset has ended; the unit is asked if it may still be reset by now."""
    if event.end is not End.DONE:
        return (Closed(act, event.end),)
    declined, reading = _not_resettable(conduct, now_s), conduct.newest
    if declined is not None or reading is None:
        return (Closed(act, End.FAILED, declined),)
    if reading.mode is Mode.SAFE:
        return (SendReset(reading.cause, conduct.acts.ask(Step.RESET, act)),)
    return (*conduct.clear(), Closed(act, End.DONE))


def _reset_answered(conduct: Conduct, event: Finished, act: int, _now_s: float) -> Actions:
    """The device is disarmed, or it says why not."""
    if event.end is End.DONE:
        return (*conduct.clear(), Closed(act, End.DONE))
    if event.end is End.VOIDED:
        return (Closed(act, End.VOIDED),)
    unknown = event.end is End.UNKNOWN
    alarm = NO_ANSWER if unknown else OF_REFUSAL.get(event.refusal, CAUSE_STANDS)
    told = (*conduct.settle(alarm.code), *conduct.tell(alarm))
    return (*told, Closed(act, event.end, not_reset(event)))


def reset_shown(conduct: Conduct, reading: Reading) -> Actions:
    """A unit that was asked to reset and shows that it has left SAFE has done so."""
    if reading.mode is not Mode.DISARMED or not reading.outputs_off:
        return ()
    asked = conduct.acts.drop(Step.RESET)
    if not asked:
        return ()
    return (*conduct.clear(), *(Closed(one.act, End.DONE) for one in asked))


def _not_resettable(conduct: Conduct, now_s: float) -> Refusal | None:
    reading = conduct.newest
    if conduct.state is not State.TRIPPED:
        return NO_TRIP
    if not conduct.acknowledged:
        return NOT_ACKNOWLEDGED
    if conduct.acts.waits_for(Step.RESET_ROW, Step.RESET):
        return RESETTING
    if reading is None or is_stale(reading.at_s, now_s):
        return NOT_SEEN
    if not reading.outputs_off:
        return NOT_SAFE
    return None if reading.switch_released else RELEASE_FIRST


def not_reset(event: Finished) -> Refusal:
    """Return why the device was not reset, or that nobody knows."""
    if event.end is not End.FAILED:
        return RESET_UNKNOWN
    alarm = OF_REFUSAL.get(event.refusal, CAUSE_STANDS)
    return Refusal("not_reset", alarm.sentence, alarm.next_step)


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

ENDS: Final[Mapping[Step, Callable[[Conduct, Finished, int, float], Actions]]] = MappingProxyType(
    {
        Step.RESUME: _resumed,
        Step.ACK: _acknowledged,
        Step.RESET_ROW: _reset_recorded,
        Step.RESET: _reset_answered,
    }
)
"""What follows when a step of what a person asked for has ended; takes the number of the act."""
