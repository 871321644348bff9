"""Where the crystals went: seconds under the tip for each place of a zone, many zones at a time."""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.tables import BINS_PER_OCTAVE, DOSE_BINS, LAYERS_MIN, OCTAVES
from qa.campaigns.exposure.zone_runs import (
    FLOW_LOSS_S,
    VALVE_DELAY_S,
    Crystals,
    FaultCourse,
    ZoneRuns,
)
from simulator.plant.habits import Habit
from simulator.plant.path import side_of

Floats = NDArray[np.float32]

PLACE_MM: Final = 1.5  # half of a lane, a quarter of the window: dose is smooth over it
JITTERS_MAX: Final = 4.0  # standard deviations of a lane that are kept apart
WINDOW_MM: Final = 6.0
REACH: Final = 2  # places from the centre of the window to its rim
POINT_MM: Final = 2.0  # a third of the window
STEPS_PER_OCTAVE: Final = 128  # of the dose, before it falls into a bin: within 1 %
BITS_DROPPED: Final = 16  # of the 23 of a float's fraction: the other 7 are the steps
POINTS_MIN: Final = 4
POINTS_MAX: Final = 96
FINE: Final = 24  # points per place and axis, to tell how much of a place the window covers


class _Window(NamedTuple):
    """How much of a place a tip covers whose centre is in the middle of a place so far away."""

    beside: float  # two places to the side, in the row of the centre
    next_beside: float  # two places to the side, one row up
    inner: float  # 1, but for what is lost by calling the nine places around the centre covered


@cache
def window() -> _Window:
    """Return the shares; all places within one step of the centre are covered."""
    size = 2 * REACH + 1
    fine = (np.arange(size * FINE) + 0.5) / FINE * PLACE_MM - size * PLACE_MM / 2.0
    disc = (fine[:, None] ** 2 + fine[None, :] ** 2) <= (WINDOW_MM / 2.0) ** 2
    shares = disc.reshape(size, FINE, size, FINE).mean(axis=(1, 3))
    beside, next_beside = float(shares[REACH, 0]), float(shares[REACH - 1, 0])
    covered = 9.0 + 4.0 * beside + 8.0 * next_beside
    inner = np.pi / 4.0 * WINDOW_MM**2 / PLACE_MM**2 / covered
    return _Window(beside * inner, next_beside * inner, inner)


def margin_of(habit: Habit) -> float:
    """Return how far beyond its zone the middle of the tip may come, in mm."""
    return habit.drift_mm + habit.tremble_mm + JITTERS_MAX * habit.lane_jitter_mm


def across_of(side_mm: float, habit: Habit) -> int:
    """Return how many places a zone has along each side, margins included."""
    return int(np.ceil((side_mm + 2.0 * margin_of(habit)) / PLACE_MM)) + 1


def places_of(area_cm2: float, habit: Habit) -> int:
    """Return how many places a zone has."""
    return (across_of(side_of(area_cm2), habit) + 2 * REACH) ** 2


def dose_map(
    runs: ZoneRuns,
    hands: Strokers,
    which: slice,
    rng: np.random.Generator,
    fault: FaultCourse | None = None,
) -> Floats:
    """Return the seconds of full flow over each place of some of the runs: runs, rows, columns."""
    strokes = Crystals(*(each[:, which] for each in runs.crystals))
    n, across = strokes.from_mm.shape[1], across_of(hands.side_mm, hands.habit)
    shift = rng.random((2, n), np.float32)  # lanes lie anywhere on the grid
    grid = _Grid(across, margin_of(hands.habit), shift)
    zone = np.broadcast_to(np.arange(n, dtype=np.int32), strokes.from_mm.shape)
    gain = _Gain(fault)
    moved = strokes.moved_s > 0.0
    parts = [
        _moving(Crystals(*(each[moved] for each in strokes)), zone[moved], hands, grid, gain, rng)
    ]
    stood = strokes.still_s > 0.0
    if stood.any():
        still = Crystals(*(each[stood] for each in strokes))
        parts.append(_standing(still, zone[stood], hands, grid, gain))
    index, seconds = (np.concatenate(each) for each in zip(*parts, strict=True))
    wide = across + 2 * REACH
    centres = np.bincount(index, seconds, minlength=n * wide**2).astype(np.float32)
    return _under_window(centres, wide).reshape(n, wide, wide)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Places of many zones, and where each zone lies on them."""

    across: int
    margin_mm: float
    shift: Floats

    def index(self, x_mm: Floats, y_mm: Floats, zone: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the place of each point, in one row over all zones."""
        margin, per_mm = np.float32(self.margin_mm), np.float32(1.0 / PLACE_MM)
        column = ((x_mm + margin) * per_mm + self.shift[0][zone]).astype(np.int32)
        row = ((y_mm + margin) * per_mm + self.shift[1][zone]).astype(np.int32)
        np.clip(column, 0, self.across - 1, out=column)
        np.clip(row, 0, self.across - 1, out=row)
        wide = np.int32(self.across + 2 * REACH)
        index: NDArray[np.int32] = (zone * wide + row + np.int32(REACH)) * wide + column
        return index + np.int32(REACH)


class _Gain:
    """How much faster a fault makes the removal, by run and time."""

    def __init__(self, fault: FaultCourse | None) -> None:
        self._fault = fault

    def at(self, dose_s: Floats, zone: NDArray[np.int32]) -> Floats | np.float32:
        """Return the factor at ``dose_s`` seconds of full flow into each zone."""
        if self._fault is None:
            return np.float32(1.0)
        after = dose_s >= self._fault.after_s[zone]
        return np.where(after, self._fault.true_gain[zone], np.float32(1.0))


def _moving(
    strokes: Crystals, zone: NDArray[np.int32], hands: Strokers, grid: _Grid, gain: _Gain,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats]:  # fmt: skip
    """Lay the strokes down in points, about a place apart, each anywhere in its part of the way."""
    longest_mm = float((strokes.moved_s * strokes.speed_mm_per_s).mean())
    points = min(POINTS_MAX, max(POINTS_MIN, round(longest_mm / POINT_MM)))
    shape = (len(zone), points)
    part = (np.arange(points, dtype=np.float32) + rng.random(shape, np.float32)) / np.float32(
        points
    )
    at_s: Floats = (part * strokes.moved_s[:, None]).astype(np.float32)
    into_s = at_s + np.float32(VALVE_DELAY_S + FLOW_LOSS_S)
    along = strokes.from_mm[:, None] + strokes.speed_mm_per_s[:, None] * into_s
    sideways: Floats = strokes.sideways_mm[:, None]
    if hands.habit.tremble_mm > 0.0:
        phase = rng.random((len(zone), 1), np.float32)
        sideways = sideways + hands.tremble(into_s, phase)
    zones = zone[:, None]
    index = grid.index(*hands.places(along, sideways), zones)
    each_s = (strokes.moved_s * strokes.angle)[:, None] / np.float32(points)
    seconds = each_s * gain.at(strokes.before_s[:, None] + at_s, zones)
    return index.ravel(), np.broadcast_to(seconds, shape).ravel()


def _standing(
    strokes: Crystals, zone: NDArray[np.int32], hands: Strokers, grid: _Grid, gain: _Gain
) -> tuple[NDArray[np.int32], Floats]:
    middle_mm = strokes.from_mm + strokes.speed_mm_per_s * strokes.stroke_s / np.float32(2.0)
    index = grid.index(*hands.places(middle_mm, strokes.sideways_mm), zone)
    factor = gain.at(strokes.before_s + strokes.moved_s / np.float32(2.0), zone)
    return index, strokes.still_s * strokes.angle * factor


def _under_window(centres: Floats, wide: int) -> Floats:
    """Spread each centre over the window around it.

    All zones are one long row of numbers with ``REACH`` empty places around each zone, so that a
    step up or down is a step of ``wide`` numbers, and what leaves a zone is lost in the margin.
    """
    shares = [np.float32(share) for share in window()]
    beside, next_beside, inner = shares
    ones = np.zeros_like(centres)
    np.add(centres[:-2], centres[2:], out=ones[1:-1])
    twos = np.zeros_like(centres)
    np.add(centres[:-4], centres[4:], out=twos[2:-2])
    outer = next_beside * ones
    outer += beside * centres
    ones += centres
    ones *= inner
    line = beside * twos
    line += ones
    twos *= next_beside
    twos += ones
    out = line
    out[wide:] += twos[:-wide]
    out[:-wide] += twos[wide:]
    out[2 * wide :] += outer[: -2 * wide]
    out[: -2 * wide] += outer[2 * wide :]
    return out


def histogram(layers: Floats) -> Floats:
    """Return the area in mm² that falls into each bin of dose, zones by bins.

    ``layers`` is the mean removal of each place. What is below the first bin cannot matter and is
    left out; what is above the last one is in it.
    """
    n = layers.shape[0]
    bins = _bin_of_bits()
    bits = layers.reshape(n, -1).view(np.int32) >> BITS_DROPPED
    bits -= np.int32(_first_bits() - 1)
    np.clip(bits, 0, bins.size - 1, out=bits)
    index = bins[bits]
    index += np.arange(n, dtype=np.int32)[:, None] * np.int32(DOSE_BINS + 1)
    counts = np.bincount(index.ravel(), minlength=n * (DOSE_BINS + 1))
    area = counts.reshape(n, DOSE_BINS + 1)[:, 1:] * PLACE_MM**2
    return area.astype(np.float32)


def _first_bits() -> int:
    """Return the upper bits of the lowest dose that has a bin."""
    return int(np.float32(LAYERS_MIN).view(np.int32)) >> BITS_DROPPED


@cache
def _bin_of_bits() -> NDArray[np.int32]:
    """Return the bin of each pattern of upper bits: a logarithm without computing one.

    The upper bits of a positive float count its octaves and `STEPS_PER_OCTAVE` steps of each; bin 0
    is for what is below the lowest dose.
    """
    steps = np.arange(OCTAVES * STEPS_PER_OCTAVE + 1) - 1
    octave, step = np.divmod(steps, STEPS_PER_OCTAVE)
    log2 = octave + np.log2(1.0 + (step + 0.5) / STEPS_PER_OCTAVE)
    bins = np.floor(log2 * BINS_PER_OCTAVE).astype(np.int32) + 1
    return np.clip(np.where(steps < 0, 0, bins), 0, DOSE_BINS).astype(np.int32)
