"""From the person who begins to an armed unit: what each step of the preparation leads to.

CONFIG goes out when the row of the beginning is durable, ARM when the row of the arming is; each
end is taken by its number, so that a late one changes nothing. What the preparation itself waits
for, and for how long, is in ``preparation.py``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from controller.safety.alarm_texts import EXPOSURE, NO_ANSWER, OF_NOTICE, Notice
from controller.safety.interlocks import Interlock, is_stale
from controller.treatment import refusals, rows
from controller.treatment.conduct import AHEAD_S, Actions, Conduct
from controller.treatment.events import Closed, End, Finished, Step, Who
from controller.treatment.kinds import Kind
from controller.treatment.preparation import Preparation
from controller.treatment.states import Signal, State
from firmware_protocol.vocabulary import Mode

_RELEASE: Final = OF_NOTICE[Notice.RELEASE_SWITCH]


def begin(conduct: Conduct, preparation: Preparation, who: Who, now_s: float) -> Actions:
    """A person begins: the row first."""
    if conduct.course.done:
        return conduct.refuse(EXPOSURE)
    preparation.begin(now_s)
    return (conduct.row(Kind.BEGIN, {"who": rows.who_body(who)}, Step.BEGIN),)


def finished(
    conduct: Conduct, preparation: Preparation, step: Step, event: Finished, now_s: float
) -> Actions:
    """A row or a one-shot of the preparation has ended."""
    follow = _FOLLOWS.get(step)
    if follow is not None:
        return follow(conduct, preparation, event, now_s)
    preparation.answered(step, event, now_s)
    if step is Step.ARM and not preparation.offered:
        conduct.move(Signal.WITHDRAW)
    return (*prepared(conduct, preparation, now_s), *refusals.noted(conduct, step, event))


def prepared(conduct: Conduct, preparation: Preparation, now_s: float) -> Actions:
    """Look at how the preparation stands: it failed, or ARM can be offered, or neither."""
    reading = conduct.newest
    if preparation.failed is not None:
        if conduct.state is State.ARMING and preparation.failed is NO_ANSWER:
            return conduct.host_trip(Interlock.NO_ANSWER, now_s)  # it may be armed
        return conduct.refuse(preparation.failed)
    if not preparation.proven(now_s) or reading is None or reading.mode is not Mode.READY:
        return ()
    if not reading.switch_released:
        return conduct.tell(_RELEASE)
    if preparation.exhausted:
        return conduct.refuse(OF_NOTICE[Notice.NOBODY_PRESSED])
    preparation.offer(now_s)
    conduct.move(Signal.OFFER)
    body = rows.arm_body(preparation.offers, reading, conduct.course.may_open(AHEAD_S))
    return (*conduct.settle(_RELEASE.code), conduct.row(Kind.ARM, body, Step.ARM_ROW))


def _begun(_conduct: Conduct, preparation: Preparation, event: Finished, now_s: float) -> Actions:
    if event.end is End.DONE:
        preparation.begun(now_s)
    return (Closed(event.number, event.end),)


def _arm(conduct: Conduct, preparation: Preparation, event: Finished, now_s: float) -> Actions:
    """The row of the arming is durable; the unit is armed if it may still be by now."""
    if event.end is not End.DONE:
        return ()  # a lost row has ended the treatment
    reading = conduct.newest
    ready = reading is not None and reading.mode is Mode.READY and reading.switch_released
    if ready and reading is not None and not is_stale(reading.at_s, now_s):
        return preparation.arm()
    preparation.offer_again(now_s)
    conduct.move(Signal.WITHDRAW)
    return ()


_FOLLOWS: Final[Mapping[Step, Callable[[Conduct, Preparation, Finished, float], Actions]]] = (
    MappingProxyType({Step.BEGIN: _begun, Step.ARM_ROW: _arm})
)
