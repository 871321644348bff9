"""Whether this computer keeps time well enough to treat: two gaps, watched before arming.

A treatment on a computer that is held up ends by itself: the host trips when its control loop was
held up, or the unit silent, for 150 ms; the unit shuts its valve when the lease of 200 ms lapses.
It is safe each time, and the person on the couch has been disturbed for nothing. The preparation
takes 4 s and beats all the time, so it can tell beforehand. The gaps of the last ``WINDOW_BEATS``
beats count: a computer that was busy only for a moment is given time to show it.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.safety.interlocks import LOOP_STALL_MAX_S, STALE_MAX_S
from firmware_protocol.envelope import SETPOINT_PERIOD_S, TELEMETRY_PERIOD_S

WINDOW_BEATS: Final = 60
"""3 s: shorter than any preparation, so that the window is full when ARM could first be offered."""

BEATS_MIN: Final = 20
"""One second. Fewer say nothing, and what is unknown does not permit."""

BEAT_GAP_MAX_S: Final = LOOP_STALL_MAX_S - SETPOINT_PERIOD_S
"""100 ms between two beats: one of them a whole period late. One more period is left to the trip
(ADR 28)."""

BEAT_GAP_CENTILE_S: Final = 0.070
"""For 95 of 100 gaps. A loop that is often 20 ms late waits for the processor at every beat."""

CENTILE: Final = 0.95

READING_GAP_MAX_S: Final = STALE_MAX_S - 2.0 * TELEMETRY_PERIOD_S
"""110 ms between two readings that come every 20: the trip of 150 less two frames, since a gap is
seen at the frame that ends it."""


class Measured(NamedTuple):
    """The gaps of the window, in seconds; infinite while there are too few to say."""

    beats: int
    beat_gap_max_s: float
    beat_gap_centile_s: float
    reading_gap_max_s: float

    @property
    def steady(self) -> bool:
        """True where every gap is known and within its budget."""
        return (
            self.beats >= BEATS_MIN
            and self.beat_gap_max_s <= BEAT_GAP_MAX_S
            and self.beat_gap_centile_s <= BEAT_GAP_CENTILE_S
            and self.reading_gap_max_s <= READING_GAP_MAX_S
        )

    @property
    def held_up(self) -> bool:
        """True where enough was measured to say that this computer does not keep time."""
        return self.beats >= BEATS_MIN and not self.steady

    def as_row(self) -> dict[str, float | None]:
        """Return it for the record, in milliseconds; None is unknown."""
        gaps_s = {
            "beat_gap_max_ms": self.beat_gap_max_s,
            "beat_gap_p95_ms": self.beat_gap_centile_s,
            "reading_gap_max_ms": self.reading_gap_max_s,
        }
        return {
            name: round(gap_s * 1000, 1) if math.isfinite(gap_s) else None
            for name, gap_s in gaps_s.items()
        }

    def as_text(self) -> str:
        """Return what was measured beside what is allowed."""
        if self.beats < BEATS_MIN:
            return f"Only {self.beats} of {BEATS_MIN} beats were measured."
        reading = f"{_ms(self.reading_gap_max_s)} ms ({_ms(READING_GAP_MAX_S)} allowed)"
        return f"{self.beats_as_text()}, between two readings {reading}."

    def beats_as_text(self) -> str:
        """Return what was measured of the beats alone, without an end."""
        return (
            f"Between two beats {_ms(self.beat_gap_max_s)} ms ({_ms(BEAT_GAP_MAX_S)} allowed), "
            f"mostly {_ms(self.beat_gap_centile_s)} ms ({_ms(BEAT_GAP_CENTILE_S)} allowed)"
        )


@dataclass(slots=True)
class JitterWatch:
    """Takes the times of beats and readings and says what lies between them."""

    _beat_s: float | None = None
    _reading_s: float | None = None
    _reading_gap_s: float = 0.0
    _gaps_s: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=WINDOW_BEATS))

    def restart(self) -> None:
        """Forget everything: what follows has nothing to do with what was."""
        self._gaps_s.clear()
        self.interrupt()

    def interrupt(self) -> None:
        """Take the next beat and reading as first ones: nobody watched in between."""
        self._beat_s = self._reading_s = None
        self._reading_gap_s = 0.0

    def reading(self, now_s: float) -> None:
        """Note that a reading came."""
        if self._reading_s is not None:
            self._reading_gap_s = _larger(self._reading_gap_s, now_s - self._reading_s)
        self._reading_s = now_s

    def beat(self, now_s: float) -> None:
        """Note a beat. A reading that has not come by now is as late as it is already."""
        if self._reading_s is not None:
            self._reading_gap_s = _larger(self._reading_gap_s, now_s - self._reading_s)
        if self._beat_s is not None:
            self._gaps_s.append((now_s - self._beat_s, self._reading_gap_s))
        self._beat_s, self._reading_gap_s = now_s, 0.0

    def measured(self) -> Measured:
        """Return the gaps of the window."""
        count = len(self._gaps_s)
        if count < BEATS_MIN:
            return Measured(count, math.inf, math.inf, math.inf)
        beats = sorted(beat if math.isfinite(beat) else math.inf for beat, _ in self._gaps_s)
        reading = math.inf if self._reading_s is None else 0.0
        for _, gap_s in self._gaps_s:
            reading = _larger(reading, gap_s)
        return Measured(count, beats[-1], beats[math.ceil(count * CENTILE) - 1], reading)


def _larger(one_s: float, other_s: float) -> float:
    """Return the larger; what is no number is infinite."""
    return one_s if other_s <= one_s else other_s if math.isfinite(other_s) else math.inf


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
