"""The strokes of a simulated hand over a zone, many zones at a time.

The same habits and the same path as the hand of the simulated handpiece (`simulator.plant.habits`,
`simulator.plant.path`), stroke by stroke instead of sample by sample. A test holds both against
each other on a shared sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.plant.habits import TREMOR_HZ, Habit, Range
from simulator.plant.path import lanes_of, side_of

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Strokes:
    """One stroke of each of many zones."""

    stroke_s: Floats
    """Time on the skin, without a stop."""
    rest_s: Floats
    """Time until the next stroke: lift, and now and then a look."""
    speed_mm_per_s: Floats
    from_mm: Floats
    """Where on the path the stroke begins."""
    sideways_mm: Floats
    """Error of the lane, drift included."""
    pause_s: Floats
    """How long the tip stops in the middle of the stroke; mostly 0."""


class Strokers:
    """Many hands of one habit, each in a zone of the same size."""

    def __init__(self, habit: Habit, area_cm2: float, n: int, rng: np.random.Generator) -> None:
        self.side_mm = side_of(area_cm2)
        self.lanes = lanes_of(self.side_mm, habit.pitch_mm)
        self.habit = habit
        self._rng = rng
        self.n = n
        self._at_mm = np.zeros(n, np.float32)
        self._began_mm = np.zeros(n, np.float32)
        self._count = 0

    @property
    def pass_mm(self) -> float:
        """Length of the path of one pass over the zone."""
        return self.lanes * self.side_mm

    @property
    def along_mm(self) -> Floats:
        """How far each hand has come."""
        return self._at_mm

    def next(self) -> Strokes:
        """Return the next stroke of every hand."""
        habit, rng, n = self.habit, self._rng, self.n
        speed = habit.speed_mm_per_s * np.exp(
            habit.speed_ln_sd * rng.standard_normal(n, np.float32)
        )
        stroke_s = self._draw(habit.stroke_s)
        rest_s = self._draw(habit.lift_s)
        self._count += 1
        if self._count % habit.strokes_between_looks == 0:
            rest_s += self._draw(habit.look_s)
        from_mm = self._at_mm
        if habit.repeat_chance > 0.0 and self._count > 1:
            from_mm = np.where(rng.random(n) < habit.repeat_chance, self._began_mm, from_mm)
        drift = habit.drift_mm * np.minimum(1.0, from_mm / self.pass_mm)
        sideways = habit.lane_jitter_mm * rng.standard_normal(n, np.float32) + drift
        pause_s = np.zeros(n, np.float32)
        if habit.pause_chance > 0.0:
            stops = rng.random(n) < habit.pause_chance
            pause_s = np.where(stops, self._draw(habit.pause_s), pause_s)
        self._began_mm = from_mm
        self._at_mm = (from_mm + speed * stroke_s).astype(np.float32)
        return Strokes(stroke_s, rest_s, speed, from_mm, sideways.astype(np.float32), pause_s)

    def places(self, along_mm: Floats, sideways_mm: Floats) -> tuple[Floats, Floats]:
        """Return x and y of the tip, in mm from the corner of the zone."""
        lanes, side = np.float32(self.lanes), np.float32(self.side_mm)
        t = along_mm * np.float32(1.0 / self.side_mm)  # lanes so far, over all passes
        passed = np.floor(t * np.float32(1.0 / self.lanes))
        t -= passed * lanes
        u = side * np.abs(t - np.float32(2.0) * np.rint(t * np.float32(0.5)))  # forth and back
        lane = np.minimum(np.floor(t), lanes - np.float32(1.0))
        v = (lane + np.float32(0.5)) * (side / lanes) + sideways_mm
        turned = (passed.astype(np.int32) & 1).astype(np.bool_)
        return np.where(turned, v, u), np.where(turned, u, v)

    def tremble(self, into_s: Floats, phase: Floats) -> Floats:
        """Return the fast sideways movement at ``into_s`` seconds into strokes of a phase."""
        turns = np.float32(TREMOR_HZ) * into_s + phase
        wave: Floats = np.sin(np.float32(2.0 * np.pi) * turns)
        return np.float32(self.habit.tremble_mm) * wave

    def _draw(self, span: Range) -> Floats:
        low, high = span
        if low == high:
            return np.full(self.n, low, np.float32)
        return np.float32(low) + np.float32(high - low) * self._rng.random(self.n, np.float32)
