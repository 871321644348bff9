"""How operators work: the habits behind the library of hands, as data.

Timing and speed: strokes of 5 to 10 cm at 20 to 50 mm/s, "keep moving", two to four passes, the
second at a right angle [skin-disease-care.com/1575]. No figure was found for how evenly people
stroke; what is marked ASSUMED is chosen so that the average hand is a trained one with ordinary
errors, and each other hand has one fault, large enough to matter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

NEVER_S: Final = math.inf

TREMOR_HZ: Final = 9.0
"""Physiological tremor of the hand lies at 8 to 12 Hz."""

Range = tuple[float, float]
"""The lowest and the highest value of something that varies from stroke to stroke."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How an operator works. The defaults are the average hand."""

    # -- rhythm
    stroke_s: Range = (2.0, 3.0)
    """5 to 10 cm at about 30 mm/s."""
    lift_s: Range = (0.3, 0.6)
    seal: Range = (0.98, 0.99)
    """Share of the rim that is tight. ASSUMED."""
    strokes_between_looks: int = 12
    """After so many strokes the switch is released and the skin is looked at. ASSUMED."""
    look_s: Range = (1.0, 2.0)
    reaction_s: Range = (0.25, 0.45)
    """A simple reaction to a light, with the hand on the tool."""
    releases_between_strokes: bool = False
    """Releases the switch before each lift and presses again only on the skin."""

    # -- speed over the skin
    speed_mm_per_s: float = 30.0
    """The median of all strokes. 20 to 50 mm/s is assumed practice; no measurement was found."""
    speed_ln_sd: float = 0.10
    """Lognormal spread of the speed from stroke to stroke: two strokes of three within 10 percent
    for a trained hand. ASSUMED."""
    pause_chance: float = 0.0
    """Chance, for each stroke, to stop moving once with the switch pressed."""
    pause_s: Range = (0.0, 0.0)
    """How long such a stop is; it comes on top of the stroke."""

    # -- way over the skin
    pitch_mm: float = 3.0
    """Distance of the lanes: a window of 6 mm that overlaps its neighbour by half. ASSUMED."""
    lane_jitter_mm: float = 0.5
    """Standard deviation of the sideways error of one stroke: a sixth of the distance of the lanes,
    as when following a line by eye. ASSUMED."""
    repeat_chance: float = 0.02
    """Chance to go over the same stroke once more: one in fifty, where crystals were left or
    the skin looked untouched. ASSUMED."""
    drift_mm: float = 0.0
    """Sideways bias that grows with the way, from 0 to this by the end of the first pass over the
    zone, and then stays: the tip leaves the zone."""
    tremble_mm: float = 0.1
    """Amplitude of a sideways sine of ``TREMOR_HZ``. Physiological tremor of a supported hand is
    about a tenth of a millimetre. ASSUMED."""


HABITS: Final[Mapping[str, Habit]] = MappingProxyType(
    {
        "average": Habit(),
        # Follows a drawn or imagined grid and never goes back over it.
        "careful": Habit(
            stroke_s=(2.0, 2.5), lift_s=(0.4, 0.7), seal=(0.985, 0.995),
            releases_between_strokes=True, speed_ln_sd=0.05, lane_jitter_mm=0.3,
            repeat_chance=0.0, tremble_mm=0.05,
        ),
        # A beginner: watches the tip instead of the zone.
        "slow": Habit(
            stroke_s=(4.0, 6.0), speed_mm_per_s=12.0, reaction_s=(0.4, 0.8), speed_ln_sd=0.15,
        ),
        # Twice the speed, and twice the error with it.
        "hurried": Habit(
            stroke_s=(1.0, 1.6), lift_s=(0.15, 0.3), speed_mm_per_s=60.0, seal=(0.95, 0.98),
            reaction_s=(0.15, 0.25), speed_ln_sd=0.15, lane_jitter_mm=1.0, repeat_chance=0.0,
        ),
        # Keeps neither speed nor lane: one stroke of six is beyond the next lane or is 40 percent
        # faster or slower than meant.
        "uneven": Habit(
            stroke_s=(1.0, 4.0), seal=(0.96, 0.99), speed_ln_sd=0.35, lane_jitter_mm=1.5,
            repeat_chance=0.05,
        ),
        # Stops to talk: about once in seven strokes, for a short sentence, with the switch pressed.
        "talker": Habit(pause_chance=0.15, pause_s=(0.8, 3.0)),
        # Presses twice: every other stroke is made once more, with single ones in between.
        "doubler": Habit(repeat_chance=0.5),
        # Loses the border of the zone by more than the width of the tip.
        "drifter": Habit(drift_mm=8.0, lane_jitter_mm=0.8),
        # An essential tremor that stroking does not damp: 4 mm from side to side.
        "trembler": Habit(tremble_mm=2.0, lane_jitter_mm=0.8, speed_ln_sd=0.15),
        # Sets the tip down, presses, and stays.
        "still": Habit(
            stroke_s=(NEVER_S, NEVER_S), speed_mm_per_s=0.0, seal=(0.99, 0.99), speed_ln_sd=0.0,
            lane_jitter_mm=0.0, repeat_chance=0.0, tremble_mm=0.0,
        ),
    }
)  # fmt: skip
