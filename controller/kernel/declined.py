"""What the kernel declines by itself, beside what a treatment declines: in words for people."""

from typing import Final

from controller.safety.alarms import Alarm
from controller.treatment.conduct import Actions
from controller.treatment.events import Declined, Raise

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
NOT_RECORDED: Final = Declined(
    "record", "It was done, but its record is not written.", "Check the disk of the record."
)
NOT_RESET_UNRECORDED: Final = Declined(
    "record",
    "The unit was not reset, because the record of it is not written.",
    "Check the disk of the record, and reset again.",
)


class DeclinedError(Exception):
    """What was asked for cannot be; nothing has changed."""

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


def raise_not_reset(actions: Actions) -> None:
    """Raise why the unit was not reset, if it was not."""
    for action in actions:
        if isinstance(action, Raise):
            raise DeclinedError(of_alarm("not_reset", action.alarm))
