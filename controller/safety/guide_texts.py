"""What the hand does next, in words: one step at a time, whatever else stands."""

from collections.abc import Collection
from typing import Final

from controller.safety.alarms import Alarm, Priority

_ONWARD: Final = "Lift off, release the switch, set down in the next zone and press again."


def _tell(
    code: str, sentence: str, next_step: str, priority: Priority = Priority.INFORMATION
) -> Alarm:
    return Alarm(code, priority, sentence, next_step, latching=False)


HELD: Final = _tell("H07", "The treatment is paused.", "Resume, then release and press the switch.")
NO_SCREEN: Final = _tell(
    "C17", "The screen that led this treatment is gone, so the treatment is paused.",
    "Open `corneum watch` at the unit, press p, then release and press the hand switch.",
    Priority.LOW,
)  # fmt: skip
ZONE_TIME: Final = _tell("S05", "This zone has had its contact time.", _ONWARD)
ZONE_EXPOSURE: Final = _tell("S06", "This zone has had the exposure it may have.", _ONWARD)
ZONE_SUCTION: Final = _tell(
    "S08", "This zone has had the suction that one place of skin may have.", _ONWARD
)
PRESS: Final = _tell(
    "H04", "The unit is armed.", "Press the hand switch on the skin within ten seconds."
)
ARMED_AGAIN: Final = _tell(
    "H05", "Nobody pressed the hand switch; the unit disarmed and arms again.",
    "Take the handpiece and wait for its light.",
)  # fmt: skip

GUIDES: Final = tuple(
    alarm.code
    for alarm in (NO_SCREEN, HELD, ZONE_TIME, ZONE_EXPOSURE, ZONE_SUCTION, PRESS, ARMED_AGAIN)
)
"""Where several stand only the first has its turn: whoever has to resume cannot press before, and
a zone that is done cannot be treated any more."""


def waits_its_turn(code: str, standing: Collection[str]) -> bool:
    """Return True for a step of the hand that comes after another one that stands."""
    first = next((each for each in GUIDES if each in standing), code)
    return code in GUIDES and code != first
