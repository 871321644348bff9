"""What a removed depth means: its share of the stratum corneum, its layers, hours of shedding.

Nothing here limits anything. A depth in micrometres says little to whoever holds the handpiece, and
what a setting removes on average is far below the bound that gates the valve. So the average is
said beside what skin sheds by itself, and beside what instruments can see.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.safety.instruments import INSTRUMENTS
from controller.safety.skin import Region, Site, Skin

PERCENT: Final = 100.0
MIN_PER_H: Final = 60.0
H_PER_DAY: Final = 24.0
_LESS: Final = "less than"
"""In front of the least that a rounded number shows."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """The stratum corneum of one site, and how long skin takes to shed one layer of it."""

    thickness_um: float
    layers: float
    shed_h_per_layer: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What was removed, or would be. ``share`` is of the whole stratum corneum, 0 to 1.

    All but ``bound_um`` is of the nominal depth, averaged over the zone.
    """

    depth_um: float
    bound_um: float
    share: float
    layers: float
    shedding_h: float
    """As long as skin that is left alone takes to shed as many layers."""
    seen_by: tuple[str, ...]
    """Names of the ``INSTRUMENTS`` that can see this depth in one person; mostly none."""


def stratum_of(skin: Skin, site: Site) -> Stratum:
    """Return the stratum corneum of a site, as the skin data has it."""
    shedding = skin.shedding
    face = site.region is Region.FACE
    rate = shedding.face_h_per_layer if face else shedding.body_h_per_layer
    return Stratum(site.sc_nom_um, site.layers, rate)


def effect_of(stratum: Stratum, depth_um: float, bound_um: float) -> Effect:
    """Return what a depth means there; what is no depth counts as the whole stratum corneum."""
    whole_um = stratum.thickness_um
    depth_um = depth_um if 0.0 <= depth_um < math.inf else whole_um
    share = depth_um / whole_um if depth_um < whole_um else 1.0
    layers = share * stratum.layers
    shedding_h = layers * stratum.shed_h_per_layer
    return Effect(depth_um, bound_um, share, layers, shedding_h, seen_by(depth_um))


def seen_by(depth_um: float) -> tuple[str, ...]:
    """Return the names of the instruments that can see a depth in one person."""
    return tuple(each.name for each in INSTRUMENTS.values() if each.sees(depth_um))


def in_words(effects: Sequence[Effect], *, given: bool = False) -> str:
    """Say what all of these zones lose, as a range where they differ.

    ``given`` is what was removed, else what would be. Zones of which nothing is removed are left
    out of a range.
    """
    some = [each for each in effects if not each.depth_um <= 0.0]
    if not some:
        return "Nothing was removed." if given else "This removes nothing."
    depths = _span([each.depth_um for each in some], _um)
    depths = depths if depths.startswith(_LESS) else f"about {depths}"
    bounds = _span([each.bound_um for each in some], _um)
    return (
        f"This {'removed' if given else 'removes'} {depths} µm on average (bound: {bounds} µm): "
        f"{_share_in_words([each.share for each in some])} of the stratum corneum, "
        f"{layers_in_words([each.layers for each in some])} of corneocytes, what skin sheds by "
        f"itself in about {hours_in_words([each.shedding_h for each in some])}. {_seen(some)}"
    )


def percent_in_words(share: float) -> str:
    """Return a share in percent, to one decimal below ten; what is less than that shows is said."""
    percent = PERCENT * share
    if 0.0 < percent < 0.05:  # noqa: PLR2004  where it would round to 0.0
        return f"{_LESS} 0.1"
    return f"{percent:.1f}" if percent < 9.95 else f"{percent:.0f}"  # noqa: PLR2004  rounds to 10


_PARTS: Final = (
    (1 / 50, "a fiftieth"), (1 / 30, "a thirtieth"), (1 / 20, "a twentieth"), (1 / 10, "a tenth"),
    (1 / 5, "a fifth"), (1 / 4, "a quarter"), (1 / 3, "a third"), (2 / 5, "two fifths"),
    (1 / 2, "half"), (2 / 3, "two thirds"), (3 / 4, "three quarters"),
)  # fmt: skip
_PART_MIN: Final = 1 / 60
_PART_MAX: Final = 7 / 8
_OF_ONE: Final = " of one layer"
_ONE_MAX: Final = 1.05
"""Above it a decimal shows that it is more than one layer."""


def layers_in_words(layers: Sequence[float]) -> str:
    """Return numbers of layers as a fraction of one layer, or as a number from one layer on."""
    low, high = _layers(min(layers)), _layers(max(layers))
    if low == high:
        return low
    for unit in (_OF_ONE, " layers"):
        if low.endswith(unit) and high.endswith(unit):
            low = low.removesuffix(unit)
    return f"{low} to {high}"


def hours_in_words(hours: Sequence[float]) -> str:
    """Return times in the unit in which each is a small number: minutes, hours or days."""
    low, low_unit = _time(min(hours))
    high, high_unit = _time(max(hours))
    if low_unit != high_unit:
        return f"{_counted(low, low_unit)} to {_counted(high, high_unit)}"
    return _counted(high, high_unit) if low == high else f"{low} to {high} {high_unit}s"


def _span(values: Sequence[float], said: Callable[[float], str]) -> str:
    low, high = said(min(values)), said(max(values))
    return low if low == high else f"{low} to {high}"


def _um(depth_um: float) -> str:
    return f"{_LESS} 0.01" if 0.0 < depth_um < 0.005 else f"{depth_um:.2f}"  # noqa: PLR2004


def _share_in_words(shares: Sequence[float]) -> str:
    return "all" if min(shares) >= 1.0 else f"{_span(shares, percent_in_words)} %"


def _layers(layers: float) -> str:
    if layers < _PART_MIN:
        return f"{_LESS} a fiftieth{_OF_ONE}"
    if layers < _PART_MAX:
        return min(_PARTS, key=lambda part: abs(part[0] - layers))[1] + _OF_ONE
    return "one layer" if layers < _ONE_MAX else f"{layers:.1f} layers"


def _time(hours: float) -> tuple[int, str]:
    """Return a time as a number and its unit; below three quarters of an hour to ten minutes."""
    if hours < 0.75:  # noqa: PLR2004
        return max(10, round(hours * MIN_PER_H / 10) * 10), "minute"
    return (round(hours), "hour") if hours < 2 * H_PER_DAY else (round(hours / H_PER_DAY), "day")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _seen(effects: Sequence[Effect]) -> str:
    deepest = max(effects, key=lambda each: each.depth_um)
    shallowest = min(effects, key=lambda each: each.depth_um)
    if not deepest.seen_by:
        return "No instrument in use can see that little in one person."
    *others, last = deepest.seen_by
    names = f"{', '.join(others)} and {last}" if others else last
    what = "it" if shallowest.seen_by == deepest.seen_by else "the deepest of it"
    return f"{names[0].upper()}{names[1:]} can see {what}."
