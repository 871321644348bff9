"""Where the tip is: a zone as a square, stroked in lanes forth and back, then at a right angle.

Theory of operation. A zone is a square of the same area. The tip walks it in one long line whose
coordinate, ``along_mm``, is the way stroked so far: lane after lane, every other one backwards,
until the pass is full; the next pass runs at a right angle to the one before (the usual practice:
it avoids streaks). Lifts, looks and the turns from lane to lane take no way. Whoever holds the tip
may be off to the side of the lane; off along the lane changes nothing but the order.
"""

from math import ceil, floor, sqrt
from typing import Final

MM_PER_CM: Final = 10.0
AREA_DEFAULT_CM2: Final = 30.0
"""The zone of a hand that nobody told which one it is: half a cheek."""


def side_of(area_cm2: float) -> float:
    """Return the side, in mm, of the square that stands for a zone of this area."""
    return MM_PER_CM * sqrt(area_cm2)


def lanes_of(side_mm: float, pitch_mm: float) -> int:
    """Return how many lanes, at most ``pitch_mm`` apart, fill the square."""
    return max(1, ceil(side_mm / pitch_mm))


def pass_length_of(side_mm: float, pitch_mm: float) -> float:
    """Return the way, in mm, that goes over the whole square once."""
    return lanes_of(side_mm, pitch_mm) * side_mm


def position(
    along_mm: float, side_mm: float, pitch_mm: float, sideways_mm: float
) -> tuple[float, float]:
    """Return (x, y) in mm from the first corner, ``along_mm`` (not negative) into the walk.

    ``sideways_mm`` is off the lane, positive towards the lanes to come; it may leave the square.
    """
    lanes = max(1, ceil(side_mm / pitch_mm))
    pass_length = lanes * side_mm
    pass_no = floor(along_mm / pass_length)
    within = along_mm - pass_no * pass_length
    lane = min(floor(within / side_mm), lanes - 1)  # the end of a pass may round to one lane more
    t = within - lane * side_mm
    u = side_mm - t if lane % 2 else t
    v = (lane + 0.5) * side_mm / lanes + sideways_mm
    return (v, u) if pass_no % 2 else (u, v)
