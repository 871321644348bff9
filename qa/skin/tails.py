"""What nobody has published about skin and decides how rare a breach is: the tails. Needs scipy.

Theory of operation. A breach is a few flakes in a row that were thin: what counts is how the
thickness within one site is distributed far below its mean, how evenly crystals fall, how much
comes off as one, and how small a hole is called harm. Only the mean and the spread within a site
are known (Robertson & Rees 2010). A `Tail` fixes the rest. All of them have the same mean and,
but for the share within a site itself, the same spread, so that nothing but the shape differs;
`TAILS` changes one thing at a time from the central assumption.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from math import atan, sqrt
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.special import (
    gammainc,
    gammaincc,
    gammaincinv,
    log_ndtr,
    ndtr,
    stdtr,
    stdtrit,
)

Array = NDArray[np.float64]
ArrayOrFloat = Array | float

BREACH_MM2: Final = 1.0
"""A connected area without stratum corneum from here on is a breach."""
FLAKE_MM: Final = 0.25
"""What comes off as one. A corneocyte is 0.05 mm wide; 25 of them at once are ASSUMED."""
CORRELATION_MM: Final = 2.0
"""Distance over which the correlation of thickness falls to 1/e. ASSUMED: the spacing of the main
furrows of skin is of this order; nobody has published it for thickness. Vary it."""
SPOTS_AREA: Final = 0.02
"""Share of the skin that lies in thin spots. ASSUMED: mouths of follicles and fine furrows."""
SPOTS_THICKNESS: Final = 0.55
"""Thickness in a thin spot, over that beside it. ASSUMED, with the share above."""
STREAK_DOSES: Final = (0.5, 1.5)
"""Over the mean: what half of the width under the tip gets, and the other half. ASSUMED."""
STREAK_MM: Final = 3.0
"""Width of a streak, half of the tip: a square millimetre lies in one of them."""
DEGREES: Final = 5.0
"""Of freedom of the t: the fewest whole number with a finite fourth moment."""
T_PER_SD: Final = sqrt((DEGREES - 2.0) / DEGREES)
CUT_SD: Final = (7.0, 5.0)
"""Standard deviations below and above the middle where the t ends. Above: an exponential of a t has
no mean without an end, and with this one the spread of the thickness is the asked one within 5 % up
to 0.39. Below: at a usual spread of 0.35 the end is a tenth of the middle, about one layer of a
face, and skin with less is not whole before anybody treats it. This end decides: breaches
of a standard treatment are thirty times rarer with 5, and ten times more common with none, of which
98 % are in places of less than one layer."""
_NODES: Final = 400  # of the integral over the t; twice as many change nothing in nine digits


@unique
class Shape(Enum):
    """How thickness is distributed within a site."""

    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    """More thin places than a lognormal of the same mean and spread."""
    STUDENT_5 = "student-5"
    """The logarithm is a t with 5 degrees of freedom, scaled to the variance of the logarithm of
    the lognormal, cut at `CUT_SD` from its middle and moved so that the mean is equal."""


@dataclass(frozen=True, slots=True)
class Tail:
    """One set of assumptions about the structure of skin and what is harm; see above."""

    shape: Shape = Shape.LOGNORMAL
    thin_spots: bool = False
    """`SPOTS_AREA` of the skin has `SPOTS_THICKNESS` of the thickness beside it."""
    within_share: float | None = None
    """Of the variance, the part within a site; None where each client has one of its own."""
    streaks: bool = False
    """Crystals come unevenly, and streaks lie on the same skin in every pass."""
    flake_mm: float = FLAKE_MM
    correlation_mm: float = CORRELATION_MM
    """How far the thickness stays the same."""
    harm_mm2: float = BREACH_MM2
    """The smallest connected area whose loss counts."""

    @property
    def words(self) -> str:
        """What differs from the central assumption, or the name of its shape if nothing does."""
        parts = [] if self.shape is Shape.LOGNORMAL else [self.shape.value]
        if self.thin_spots:
            parts.append("thin-spots")
        if self.within_share is not None:
            parts.append(f"within-{self.within_share:g}")
        if self.streaks:
            parts.append("streaks")
        if (self.flake_mm, self.correlation_mm) != (FLAKE_MM, CORRELATION_MM):
            parts.append(f"flakes {self.flake_mm:g} mm, patches {self.correlation_mm:g} mm")
        if self.harm_mm2 != BREACH_MM2:
            parts.append(f"harm-{self.harm_mm2:g}")
        return ", ".join(parts) or self.shape.value

    @property
    def doses(self) -> tuple[float, ...]:
        """The doses of equal parts of the skin, over their mean."""
        return STREAK_DOSES if self.streaks else (1.0,)


CENTRAL: Final = Tail()
TAILS: Final[Mapping[str, Tail]] = MappingProxyType(
    {
        "lognormal": CENTRAL,  # with flakes of 0.25 mm, and harm from 1 mm² on
        "gamma": Tail(shape=Shape.GAMMA),
        "student-5": Tail(shape=Shape.STUDENT_5),
        "thin-spots": Tail(thin_spots=True),
        "within-0.5": Tail(within_share=0.5),
        "within-0.74": Tail(within_share=0.74),
        "streaks": Tail(streaks=True),
        "flakes-0.1": Tail(flake_mm=0.1),
        "flakes-0.5": Tail(flake_mm=0.5),
        "harm-0.25": Tail(harm_mm2=0.25),
    }
)
"""The set that a claim about breaches has to tell all of."""


def name_of(tail: Tail) -> str:
    """Return the name of a tail in ``TAILS``, or what differs where it has none."""
    return next((name for name, each in TAILS.items() if each == tail), tail.words)


def share_thinner(
    tail: Tail, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
) -> Array:
    """Return the share of skin no thicker than ``thickness``, in the unit of ``mean``.

    ``spread`` is the coefficient of variation, above 0; the three broadcast.
    """
    law = _LAWS[tail.shape]
    if not tail.thin_spots:
        return law.thinner(thickness, mean, spread)
    beside = _beside_spots(mean, spread)
    usual = law.thinner(thickness, beside.mean, beside.spread)
    in_spots = law.thinner(thickness, SPOTS_THICKNESS * beside.mean, beside.spread)
    return (1.0 - SPOTS_AREA) * usual + SPOTS_AREA * in_spots


def log_share_thicker(
    tail: Tail, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
) -> Array:
    """Return the log of the share of skin thicker than ``thickness``; see `share_thinner`."""
    law = _LAWS[tail.shape]
    if not tail.thin_spots:
        return law.log_thicker(thickness, mean, spread)
    beside = _beside_spots(mean, spread)
    usual = law.log_thicker(thickness, beside.mean, beside.spread)
    in_spots = law.log_thicker(thickness, SPOTS_THICKNESS * beside.mean, beside.spread)
    summed: Array = np.logaddexp(np.log1p(-SPOTS_AREA) + usual, np.log(SPOTS_AREA) + in_spots)
    return summed


def thickness_at(tail: Tail, deviate: Array, mean: float, spread: float, spots: Array) -> Array:
    """Return the thickness where standard normal fields have these values.

    ``spots`` decides where thin spots are, and counts only for a tail that has them.
    """
    law = _LAWS[tail.shape]
    if not tail.thin_spots:
        return law.at(deviate, mean, spread)
    beside = _beside_spots(mean, spread)
    usual = law.at(deviate, beside.mean, beside.spread)
    return np.where(ndtr(spots) < SPOTS_AREA, SPOTS_THICKNESS * usual, usual)


class _Beside(NamedTuple):
    mean: ArrayOrFloat
    spread: ArrayOrFloat


def _beside_spots(mean: ArrayOrFloat, spread: ArrayOrFloat) -> _Beside:
    """Return mean and spread beside the spots that give the asked ones with them."""
    factor = 1.0 - SPOTS_AREA * (1.0 - SPOTS_THICKNESS)
    square = (1.0 - SPOTS_AREA * (1.0 - SPOTS_THICKNESS**2)) / factor**2
    beside = np.maximum((1.0 + np.asarray(spread) ** 2) / square - 1.0, 0.0)
    return _Beside(mean / factor, np.sqrt(beside))


class _Law(Protocol):
    """A shape: share below, log of the share above, and the thickness at a normal deviate."""

    def thinner(
        self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
    ) -> Array: ...

    def log_thicker(
        self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
    ) -> Array: ...

    def at(self, deviate: Array, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array: ...


class _Lognormal:
    def thinner(self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        sigma = _ln_sd(spread)
        below: Array = ndtr((_log(thickness) - (np.log(mean) - sigma**2 / 2.0)) / sigma)
        return below

    def log_thicker(
        self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
    ) -> Array:
        sigma = _ln_sd(spread)
        above: Array = log_ndtr((np.log(mean) - sigma**2 / 2.0 - _log(thickness)) / sigma)
        return above

    def at(self, deviate: Array, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        sigma = _ln_sd(spread)
        made: Array = mean * np.exp(sigma * deviate - sigma**2 / 2.0)
        return made


class _Gamma:
    def thinner(self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        square = np.asarray(spread) ** 2
        below: Array = gammainc(1.0 / square, thickness / (mean * square))
        return below

    def log_thicker(
        self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
    ) -> Array:
        square = np.asarray(spread) ** 2
        return _log(gammaincc(1.0 / square, thickness / (mean * square)))

    def at(self, deviate: Array, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        square = np.asarray(spread) ** 2
        made: Array = gammaincinv(1.0 / square, ndtr(deviate)) * mean * square
        return made


class _Student:
    """`Shape.STUDENT_5`: the logarithm is ``middle + sd * t`` with t from one end to the other."""

    _LOW: Final = -CUT_SD[0] / T_PER_SD
    _HIGH: Final = CUT_SD[1] / T_PER_SD
    _BELOW: Final = float(stdtr(DEGREES, _LOW))
    _ABOVE: Final = float(stdtr(DEGREES, -_HIGH))
    _KEPT: Final = 1.0 - _BELOW - _ABOVE

    def thinner(self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        below = stdtr(DEGREES, self._t(thickness, mean, spread)) - self._BELOW
        kept: Array = np.clip(below / self._KEPT, 0.0, 1.0)
        return kept

    def log_thicker(
        self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat
    ) -> Array:
        beyond = stdtr(DEGREES, -self._t(thickness, mean, spread)) - self._ABOVE
        return _log(np.clip(beyond / self._KEPT, 0.0, 1.0))

    def at(self, deviate: Array, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        t = stdtrit(DEGREES, self._BELOW + ndtr(deviate) * self._KEPT)
        made: Array = np.exp(self._middle(mean, spread) + _ln_sd(spread) * T_PER_SD * t)
        return made

    def _t(self, thickness: ArrayOrFloat, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        t: Array = (_log(thickness) - self._middle(mean, spread)) / (_ln_sd(spread) * T_PER_SD)
        return t

    def _middle(self, mean: ArrayOrFloat, spread: ArrayOrFloat) -> Array:
        """Return the middle that gives the mean: t = sqrt(degrees) tan(angle) has an even pdf."""
        nodes, weights = leggauss(_NODES)
        low, high = (atan(end / sqrt(DEGREES)) for end in (self._LOW, self._HIGH))
        angles = low + (high - low) * (nodes + 1.0) / 2.0
        density = weights * np.cos(angles) ** (DEGREES - 1.0)
        t = sqrt(DEGREES) * np.tan(angles)
        grown = np.exp((_ln_sd(spread) * T_PER_SD)[..., None] * t)
        middle: Array = np.log(mean) - np.log(grown @ (density / density.sum()))
        return middle


_LAWS: Final[Mapping[Shape, _Law]] = MappingProxyType(
    {Shape.LOGNORMAL: _Lognormal(), Shape.GAMMA: _Gamma(), Shape.STUDENT_5: _Student()}
)


def _ln_sd(spread: ArrayOrFloat) -> Array:
    sd: Array = np.sqrt(np.log1p(np.asarray(spread) ** 2))
    return sd


def _log(values: ArrayOrFloat) -> Array:
    """Return the log, which is minus infinity for nothing."""
    with np.errstate(divide="ignore"):
        logs: Array = np.log(values)
    return logs
