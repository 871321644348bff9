"""What an alarm looks and sounds like, and the states in which that is held back.

After IEC 60601-1-8. Sound and light are data for whoever shows them (a page, a beeper); the numbers
lie inside the spans of the standard, and the pulses are those of devices that are sold: Nellcor
N-560 (932 Hz, 120 ms), Edan iM series (bursts every 10, 25 and 30 s).

Four states hold signals back: sound only or sound and light, for a time or until it is taken back.
What has a time says how much of it is left, what has none reminds. A person at the unit may only
pause the sound; the others belong to the responsible organisation. Acknowledging is none of them:
it silences what stands now and nothing that comes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final, NamedTuple

from controller.safety.alarms import LIGHTS, Light, Priority, Standing


class Tone(NamedTuple):
    """One burst; ``every_s`` is from the end of one to the start of the next."""

    pulses: int
    pulse_ms: float
    every_s: float
    fundamental_hz: float


TONES: Final[Mapping[Priority, Tone | None]] = MappingProxyType(
    {
        # Spans of the standard: 10 pulses of 75 to 200 ms every 2.5 to 15 s; 3 of 125 to 250 ms
        # every 2.5 to 30 s; 1 or 2 of 125 to 250 ms at more than 15 s; 150 to 1000 Hz.
        Priority.HIGH: Tone(10, 120.0, 10.0, 932.0),
        Priority.MEDIUM: Tone(3, 180.0, 25.0, 698.0),
        Priority.LOW: Tone(2, 180.0, 30.0, 523.0),
        Priority.INFORMATION: None,
    }
)


@unique
class Inactivation(Enum):
    """What holds the signals back."""

    NONE = "none"
    AUDIO_PAUSED = "audio paused"
    AUDIO_OFF = "audio off"
    ALARM_PAUSED = "alarm paused"
    ALARM_OFF = "alarm off"


class Terms(NamedTuple):
    """What a state holds back, for how long at most, and how often it reminds of itself."""

    sound: bool
    light: bool
    max_s: float | None
    reminder_s: float | None
    by_operator: bool


TERMS: Final[Mapping[Inactivation, Terms]] = MappingProxyType(
    {
        Inactivation.NONE: Terms(
            sound=True, light=True, max_s=None, reminder_s=None, by_operator=True
        ),
        # 120 s: the pause that patient monitors offer, and as long as a client can be talked to.
        Inactivation.AUDIO_PAUSED: Terms(
            sound=False, light=True, max_s=120.0, reminder_s=None, by_operator=True
        ),
        Inactivation.AUDIO_OFF: Terms(
            sound=False, light=True, max_s=None, reminder_s=120.0, by_operator=False
        ),
        Inactivation.ALARM_PAUSED: Terms(
            sound=False, light=False, max_s=120.0, reminder_s=None, by_operator=False
        ),
        Inactivation.ALARM_OFF: Terms(
            sound=False, light=False, max_s=None, reminder_s=60.0, by_operator=False
        ),
    }
)


@unique
class Move(Enum):
    """What changes the state."""

    PAUSE_AUDIO = "pause the sound"
    AUDIO_OFF = "switch the sound off"
    PAUSE_ALARM = "pause sound and light"
    ALARM_OFF = "switch sound and light off"
    ACTIVATE = "take it back"
    NEW = "a condition that was not there"
    NEW_HIGH = "a condition of high priority that was not there"
    EXPIRE = "the time is over"


_ASKED: Final = {
    Move.PAUSE_AUDIO: Inactivation.AUDIO_PAUSED,
    Move.AUDIO_OFF: Inactivation.AUDIO_OFF,
    Move.PAUSE_ALARM: Inactivation.ALARM_PAUSED,
    Move.ALARM_OFF: Inactivation.ALARM_OFF,
    Move.ACTIVATE: Inactivation.NONE,
    Move.NEW_HIGH: Inactivation.NONE,
}
"""The same from every state; a pause of the sound never brings back a light that was off."""


def moved(state: Inactivation, move: Move) -> Inactivation:
    """Return the state that ``move`` leads to.

    A new condition and the end of the time end what was for a time; what was switched off stays
    off, except for a condition of high priority.
    """
    if move in _ASKED:
        weaker = move is Move.PAUSE_AUDIO and not TERMS[state].sound
        return state if weaker else _ASKED[move]
    return state if TERMS[state].max_s is None else Inactivation.NONE


@dataclass(frozen=True, slots=True)
class Quiet:
    """The state of inactivation, and since when."""

    state: Inactivation = Inactivation.NONE
    since_s: float = 0.0

    def after(self, move: Move, now_s: float) -> "Quiet":
        """Return the state after ``move``; asked again, a pause does not become longer."""
        state = moved(self.state, move)
        return self if state is self.state else Quiet(state, now_s)

    def now(self, now_s: float) -> "Quiet":
        """Return the state at ``now_s``: what had a time ends with it."""
        left_s = self.left_s(now_s)
        return self if left_s is None or left_s > 0.0 else self.after(Move.EXPIRE, now_s)

    def left_s(self, now_s: float) -> float | None:
        """Return how much is left of a state that has a time; a time that is unknown is over."""
        max_s = TERMS[self.state].max_s
        if max_s is None:
            return None
        left_s = self.since_s + max_s - now_s
        return left_s if math.isfinite(left_s) and 0.0 < left_s <= max_s else 0.0

    def reminder_in_s(self, now_s: float) -> float | None:
        """Return when a state that has no time reminds of itself next."""
        reminder_s = TERMS[self.state].reminder_s
        return None if reminder_s is None else reminder_s - (now_s - self.since_s) % reminder_s


class Signal(NamedTuple):
    """What is to be heard and seen now."""

    tone: Tone | None
    light: Light | None
    inactivation: Inactivation
    left_s: float | None
    reminder_in_s: float | None


def signal(standing: Sequence[Standing], quiet: Quiet, now_s: float) -> Signal:
    """Return what the alarms that stand sound and look like under ``quiet``.

    The light is that of the highest priority that stands, acknowledged or not; the tone that of
    the highest that nobody has acknowledged.
    """
    current = quiet.now(now_s)
    terms = TERMS[current.state]
    seen = max((one.alarm.priority for one in standing), default=None)
    heard = max((one.alarm.priority for one in standing if not one.acknowledged), default=None)
    return Signal(
        tone=None if heard is None or not terms.sound else TONES[heard],
        light=None if seen is None or not terms.light else LIGHTS[seen],
        inactivation=current.state,
        left_s=current.left_s(now_s),
        reminder_in_s=current.reminder_in_s(now_s),
    )


def move_of(priority: Priority) -> Move | None:
    """Return what a new condition of ``priority`` does to the state; information does nothing."""
    if priority is Priority.INFORMATION:
        return None
    return Move.NEW_HIGH if priority is Priority.HIGH else Move.NEW
