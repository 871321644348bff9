"""What the kernel declines by itself, beside what a treatment declines: in words for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from controller.safety.alarms import Alarm
from controller.treatment.conduct import Actions
from controller.treatment.events import Command, Declined

NO_UNIT: Final = Declined(
    "no_unit", "No unit is connected.", "Check its cable and power; `corneum doctor` looks closer."
)
WRONG_UNIT: Final = Declined(
    "wrong_unit", "The plan was made for another unit.", "Plan anew for the unit that is connected."
)
BUSY: Final = Declined("busy", "A treatment is under way.", "Wait for its end, or stop it.")
EFFECT_NOT_ACKNOWLEDGED: Final = Declined(
    "not_acknowledged",
    "The unit did something while everything was switched off, and nobody has acknowledged it.",
    "Read the alarm, acknowledge it, then start anew.",
)
NOTHING_TO_ACKNOWLEDGE: Final = Declined(
    "nothing_to_acknowledge",
    "No alarm stands that nobody has acknowledged, so there was nothing to acknowledge.",
    "`corneum status` shows what stands.",
)
NOT_RECORDED: Final = Declined(
    "record",
    "It was done, but its record is not written.",
    "`corneum status` says what is wrong with the record; mend that before the next treatment.",
)
NOT_BEGUN_UNRECORDED: Final = Declined(
    "record",
    "The treatment did not begin, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and start anew.",
)
NOT_RESET_UNRECORDED: Final = Declined(
    "record",
    "The unit was not reset, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and reset again.",
)
NOT_RESUMED_UNRECORDED: Final = Declined(
    "record",
    "The treatment was not resumed, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that before the next treatment.",
)
NOT_ACKNOWLEDGED_UNRECORDED: Final = Declined(
    "record",
    "The alarm was not acknowledged, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and acknowledge again.",
)
NOT_BEGUN_STOPPED: Final = Declined(
    "stopped", "The treatment was stopped before it began.", "Start anew."
)
VOIDED: Final = Declined(
    "voided",
    "A stop, a trip or a newer wish came first, so it was not done.",
    "Ask again if need be.",
)
OUTCOME_UNKNOWN: Final = Declined(
    "unknown",
    "It was asked for, and it is not known yet whether it was done.",
    "Look at `corneum status` before you ask again.",
)

UNRECORDED: Final[Mapping[Command, Declined]] = MappingProxyType(
    {
        Command.RESUME: NOT_RESUMED_UNRECORDED,
        Command.ACK: NOT_ACKNOWLEDGED_UNRECORDED,
        Command.RESET: NOT_RESET_UNRECORDED,
    }
)
"""What is said where the row of a command is lost; of any other command, it was done without."""


class DeclinedError(Exception):
    """What was asked for was not done, or not recorded, or is not known; the sentence says it."""

    def __init__(self, declined: Declined) -> None:
        super().__init__(declined.sentence)
        self.code = declined.code
        self.sentence = declined.sentence
        self.next_step = declined.next_step
        self.receipt = declined.receipt


def of_alarm(code: str, alarm: Alarm) -> Declined:
    """Return an alarm's words as the answer to somebody who asked."""
    return Declined(code, alarm.sentence, alarm.next_step)


def raise_declined(actions: Actions) -> None:
    """Raise what the treatment declines, if it does."""
    for action in actions:
        if isinstance(action, Declined):
            raise DeclinedError(action)
