"""Breaches counted on drawn skin: an oracle of the exposure model that shares no code with it.

It is written from published statements alone and imports neither product nor campaigns; a test
looks at that. Nothing here is fast or clever: skin is a grid of flakes, every flake is hit as often
as Poisson says, and what is connected is found by looking. What the controller and the campaigns
compute with formulas and tables is held against these counts.

- Layers come off one by one: corneocytes of 0.5 to 1.3 um, Ya-Xian et al. 1999.
- Thickness varies between people (0.20 to 0.27 of the mean, Sandby-Møller et al. 2003) and within a
  site (half to three quarters of all variance, Robertson & Rees 2010).
- Removal: 15 um in 20 s at 30 kPa, Andrews et al. 2013, Pharm Res 30:1099-1109; it goes strongly
  with crystal flow and time and weakly with suction, Andrews et al. 2011, Int J Pharm 407:95-104.

That the thickness is the same over a square patch, that flakes of 0.25 mm come off as one, and the
shape of the thickness distribution are assumptions, here as in the campaigns: an oracle shows that
the arithmetic is right, not that skin is so.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

FLAKES_AT_ONCE: Final = 2_000_000  # drawn at a time: some 50 MB
HALVINGS: Final = 60  # of an interval of 1: finer than a float near 1e-3
T_FREEDOM: Final = 5.0  # of the heavy-tailed shape
T_CUT_SD: Final = (-7.0, 5.0)  # where it ends: the exponential of an endless t has no mean
MM_PER_CM: Final = 10.0


@unique
class Shape(Enum):
    """How the thickness of patches is distributed about its mean."""

    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    LOG_T5 = "Student's t with 5 degrees of freedom of the logarithm"
    """As wide as the logarithm of the lognormal, cut at ``T_CUT_SD``, moved to the same mean."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What comes off as one, over what the thickness is the same, and what counts as harm."""

    flake_mm: float = 0.25
    patch_mm: float = 2.0
    harm_mm2: float = 1.0

    @property
    def across(self) -> int:
        """Flakes along the side of a patch."""
        return round(self.patch_mm / self.flake_mm)

    @property
    def harm_flakes(self) -> int:
        """Connected flakes that are a breach."""
        return math.ceil(self.harm_mm2 / self.flake_mm**2 - 1e-9)


@dataclass(frozen=True, slots=True)
class Skins:
    """The stratum corneum of one zone each, or of the same zone ``n`` times if all are equal."""

    mean_um: Array
    cv: Array
    """Standard deviation over mean of the thickness of patches."""
    layer_um: Array
    shape: Shape = Shape.LOGNORMAL

    @staticmethod
    def same(n: int, mean_um: float, cv: float, layer_um: float, shape: Shape) -> "Skins":
        """Return ``n`` zones of the same mean, spread and layers."""
        return Skins(np.full(n, mean_um), np.full(n, cv), np.full(n, layer_um), shape)

    def part(self, which: slice) -> "Skins":
        """Return some of them."""
        return Skins(self.mean_um[which], self.cv[which], self.layer_um[which], self.shape)

    def thickness_um(self, patches: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw the thickness of ``patches`` in each zone: zones first."""
        to_zones = (slice(None), *(None for _ in patches))
        mean, cv = self.mean_um[to_zones], self.cv[to_zones]
        size = (len(self.mean_um), *patches)
        if self.shape is Shape.GAMMA:
            drawn: Array = rng.gamma(np.broadcast_to(cv**-2.0, size)) * cv**2 * mean
            return drawn
        ln_sd = np.sqrt(np.log(1.0 + cv**2))
        if self.shape is Shape.LOGNORMAL:
            thickness: Array = mean * np.exp(ln_sd * rng.normal(size=size) - ln_sd**2 / 2.0)
            return thickness
        return mean * np.exp(ln_sd * _cut_t(size, rng)) / _mean_of_exp(ln_sd)


def _cut_t(size: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw a t of unit variance, again where it falls beyond its ends."""
    low, high = T_CUT_SD
    drawn: Array = rng.standard_t(T_FREEDOM, size) / math.sqrt(T_FREEDOM / (T_FREEDOM - 2.0))
    while np.any(beyond := (drawn < low) | (drawn > high)):
        drawn[beyond] = _cut_t((int(beyond.sum()),), rng)
    return drawn


def _mean_of_exp(ln_sd: Array) -> Array:
    """Return the mean of exp(ln_sd * t) of `_cut_t`, by summing over its density."""
    each, place = np.unique(ln_sd, return_inverse=True)
    at = np.linspace(*T_CUT_SD, 601)
    density = (1.0 + at**2 / (T_FREEDOM - 2.0)) ** (-(T_FREEDOM + 1.0) / 2.0)
    means = (np.exp(each[:, None] * at) * density).sum(axis=-1) / density.sum()
    summed: Array = means[place.reshape(ln_sd.shape)]
    return summed


class Counted(NamedTuple):
    """How often something happened in independent trials."""

    hits: int
    of: int

    def bounds(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the exact two-sided bounds of Clopper and Pearson, by bisection on the tails."""
        tail = (1.0 - confidence) / 2.0
        low = 0.0 if self.hits == 0 else _where_at_most(self.hits - 1, self.of, 1.0 - tail)
        high = 1.0 if self.hits == self.of else _where_at_most(self.hits, self.of, tail)
        return low, high

    def per_mm2(self, zone_mm2: float, confidence: float = 0.95) -> tuple[float, float]:
        """Return the bounds of the expected breaches of a mm², where a trial is one zone.

        Breaches that are rare and apart are Poisson: a zone is spared with exp(-rate * area).
        """
        low, high = self.bounds(confidence)
        return -math.log1p(-low) / zone_mm2, math.inf if high == 1.0 else (
            -math.log1p(-high) / zone_mm2
        )


def _where_at_most(hits: int, of: int, chance: float) -> float:
    """Return the share at which at most ``hits`` of ``of`` are as likely as ``chance``."""
    many = np.arange(1, hits + 1, dtype=np.float64)
    log_ways = np.concatenate(([0.0], np.cumsum(np.log((of - many + 1.0) / many))))
    number = np.arange(hits + 1)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2.0
        logs = log_ways + number * math.log(share) + (of - number) * math.log1p(-share)
        if float(np.exp(logs).sum()) > chance:
            low = share
        else:
            high = share
    return (low + high) / 2.0


def gone_flakes(
    skins: Skins, depth_um: Array, side_mm: float, structure: Structure, rng: np.random.Generator
) -> Bools:
    """Return which flakes of each square zone are gone: zones, rows, columns.

    ``depth_um`` is the mean removal: one value, or anything that broadcasts to that shape. A flake
    is gone when it has lost as many whole layers as it is thick, a part of one counting as one.
    """
    patches = round(side_mm / structure.patch_mm)
    thickness = skins.thickness_um((patches, patches), rng)
    there = np.ceil(thickness / skins.layer_um[:, None, None])
    for axis in (1, 2):
        there = there.repeat(structure.across, axis=axis)
    layers = np.broadcast_to(depth_um / skins.layer_um[:, None, None], there.shape)
    gone: Bools = rng.poisson(layers) >= there
    return gone


def largest_groups(gone: Bools) -> NDArray[np.intp]:
    """Return how many flakes the largest group of each zone has that touch by their sides."""
    n, flakes = len(gone), gone[0].size
    number = np.arange(gone.size).reshape(gone.shape)
    beside = gone[:, :, 1:] & gone[:, :, :-1]
    below = gone[:, 1:, :] & gone[:, :-1, :]
    one = np.concatenate((number[:, :, :-1][beside], number[:, :-1, :][below]))
    other = np.concatenate((number[:, :, 1:][beside], number[:, 1:, :][below]))
    chief = number.ravel().copy()  # of each flake, a flake of its group; at last the first of it
    while len(one):
        a, b = chief[one], chief[other]
        apart = a != b
        one, other = one[apart], other[apart]
        np.minimum.at(chief, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while np.any(chief != (higher := chief[chief])):
            chief = higher
    sizes = np.bincount(chief[gone.ravel()], minlength=gone.size)
    largest: NDArray[np.intp] = sizes.reshape(n, flakes).max(axis=1)
    return largest


def breached(gone: Bools, structure: Structure) -> Bools:
    """Return in which zones a connected area of at least ``harm_mm2`` is gone."""
    hit = gone.sum(axis=(1, 2)) >= structure.harm_flakes
    hit[hit] = largest_groups(gone[hit]) >= structure.harm_flakes if hit.any() else False
    result: Bools = hit
    return result


def patch_by_patch(gone: Bools, structure: Structure) -> Bools:
    """Return the same flakes with every patch a zone of its own: nothing joins across patches."""
    n, side = gone.shape[0], gone.shape[1]
    cut = gone.reshape(n, side // structure.across, structure.across, -1, structure.across)
    return cut.swapaxes(2, 3).reshape(-1, structure.across, structure.across)


def breached_zones(
    skins: Skins,
    depth_um: Array,
    side_mm: float,
    rng: np.random.Generator,
    structure: Structure = Structure(),
) -> tuple[Bools, Bools]:
    """Return which square zones have a breach: in one patch alone, and of whatever is connected.

    The first is what the tables of the campaigns are about; the second also has areas that reach
    over the border of two patches. ``depth_um`` is one value for all, one for each zone, or one for
    each flake of a zone (rows, columns).
    """
    n = len(skins.mean_um)
    inside, anywhere = np.zeros((2, n), np.bool_)
    for part in _parts(n, round(side_mm / structure.flake_mm) ** 2):
        depth = depth_um[part][:, None, None] if depth_um.shape == (n,) else depth_um
        gone = gone_flakes(skins.part(part), depth, side_mm, structure, rng)
        anywhere[part] = breached(gone, structure)
        by_patch = breached(patch_by_patch(gone, structure), structure)
        inside[part] = by_patch.reshape(len(gone), -1).any(axis=1)
    return inside, anywhere


def count_breached(
    skins: Skins, depth_um: Array, side_mm: float, rng: np.random.Generator
) -> tuple[Counted, Counted]:
    """Count what `breached_zones` finds."""
    inside, anywhere = breached_zones(skins, depth_um, side_mm, rng)
    return Counted(int(inside.sum()), len(inside)), Counted(int(anywhere.sum()), len(anywhere))


def count_points_gone(
    skins: Skins, bound_um: float, error_ln_sd: float, rng: np.random.Generator
) -> Counted:
    """Count the points without stratum corneum where the 95th centile of the depth is ``bound_um``.

    Each point has a thickness and a lognormal error of its own.
    """
    n = len(skins.mean_um)
    centile_95 = 1.6448536269514722  # of the normal distribution
    depth_um = bound_um * np.exp(error_ln_sd * (rng.normal(size=n) - centile_95))
    there = np.ceil(skins.thickness_um((), rng) / skins.layer_um)
    return Counted(int((rng.poisson(depth_um / skins.layer_um) >= there).sum()), n)


def _parts(n: int, flakes_each: int) -> Iterator[slice]:
    step = max(1, FLAKES_AT_ONCE // flakes_each)
    for first in range(0, n, step):
        yield slice(first, min(n, first + step))


@dataclass(frozen=True, slots=True)
class People:
    """How clients differ in one zone, as published or, for layers and moisture, as assumed."""

    thickness_um: float
    between_cv: float = 0.23
    within_share: tuple[float, float] = (0.50, 0.74)
    layer_um: tuple[float, float, float] = (0.5, 1.0, 1.3)
    hydration_ln_sd: float = 0.3
    flow_share: float = 0.10
    """What the flow of a calibrated unit may be off by, evenly."""
    shape: Shape = Shape.LOGNORMAL
    """Within a zone; between people it is lognormal."""

    def drawn(self, n: int, rng: np.random.Generator, thin: float, wet: float) -> "Drawn":
        """Draw ``n`` clients, thinner and moister than all by so many standard deviations."""
        ln_sd = math.sqrt(math.log(1.0 + self.between_cv**2))
        thickness, moisture = rng.normal(-thin, 1.0, n), rng.normal(wet, 1.0, n)
        mean_um = self.thickness_um * np.exp(ln_sd * thickness - ln_sd**2 / 2.0)
        share = rng.uniform(*self.within_share, n)
        within_cv = np.sqrt(self.between_cv**2 * share / (1.0 - share))
        skins = Skins(mean_um, within_cv, rng.triangular(*self.layer_um, n), self.shape)
        flow = rng.uniform(1.0 - self.flow_share, 1.0 + self.flow_share, n)
        log_weight = thin * thickness + thin**2 / 2.0 - wet * moisture + wet**2 / 2.0
        factor = flow * np.exp(self.hydration_ln_sd * moisture)
        return Drawn(skins, factor, np.exp(log_weight))


class Drawn(NamedTuple):
    """Clients: their skin, how much more than the mean each gets, what each counts for."""

    skins: Skins
    factor: Array
    weight: Array
    """1, or the ratio of the densities where thin and moist skin was drawn more often."""


def count_treatments(
    people: People, depth_um: float, side_mm: float, n: int, rng: np.random.Generator
) -> tuple[Counted, Counted]:
    """Count treatments of one zone with a breach, everywhere at a mean depth of ``depth_um``.

    In one patch alone, and of whatever is connected, as `count_breached`.
    """
    drawn = people.drawn(n, rng, thin=0.0, wet=0.0)
    return count_breached(drawn.skins, depth_um * drawn.factor, side_mm, rng)


def rare_treatments(
    people: People, depth_um: float, side_mm: float, n: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the chance of a breach in one patch and its standard error, where counts see none.

    Clients with thin and moist skin are drawn more often and count for less; breaches of each are
    still counted.
    """
    drawn = people.drawn(n, rng, thin=1.5, wet=1.5)
    inside, _ = breached_zones(drawn.skins, depth_um * drawn.factor, side_mm, rng)
    weighed = inside * drawn.weight
    return float(weighed.mean()), float(weighed.std(ddof=1)) / math.sqrt(n)


@dataclass(frozen=True, slots=True)
class Removal:
    """Depth by suction, crystals and time: the power law that the controller claims."""

    rate_ref_um_per_s: float = 0.75  # at 30 kPa, 10 g/min and crystals of 100 um
    flow_exponent: float = 1.0
    suction_exponent: float = 0.7
    size_exponent: float = 0.5
    choke_kpa: float = 48.0
    window_mm: float = 6.0

    def rate_um_per_s(
        self, flow_g_per_min: float, suction_kpa: float, crystal_um: float = 100.0
    ) -> float:
        """Return the depth per second under the tip."""
        logs = self.flow_exponent * math.log(flow_g_per_min / 10.0)
        logs += self.suction_exponent * math.log(min(suction_kpa, self.choke_kpa) / 30.0)
        logs += self.size_exponent * math.log(crystal_um / 100.0)
        return self.rate_ref_um_per_s * math.exp(logs)

    def zone_depth_um(self, rate_um_per_s: float, seconds: float, area_cm2: float) -> float:
        """Return the mean depth of a zone after so many seconds of crystals anywhere in it."""
        volume = rate_um_per_s * seconds * math.pi * (self.window_mm / 2.0) ** 2
        return volume / (area_cm2 * MM_PER_CM**2)

    def pass_depth_um(self, rate_um_per_s: float, speed_mm_per_s: float) -> float:
        """Return the mean depth across the lane of one pass: pi D / (4 u) times the rate."""
        return math.pi * self.window_mm / (4.0 * speed_mm_per_s) * rate_um_per_s

    def stroked_depth_um(
        self, rate_um_per_s: float, speed_mm_per_s: float, step_mm: float = 0.02
    ) -> float:
        """Return the same by moving a round window over a line of points across its lane."""
        radius = self.window_mm / 2.0
        across = np.arange(-radius + step_mm / 2.0, radius, step_mm)
        along = np.arange(-radius + step_mm / 2.0, radius, step_mm)
        under = across[:, None] ** 2 + along[None, :] ** 2 <= radius**2
        seconds = under.sum(axis=1) * step_mm / speed_mm_per_s
        return float(seconds.mean()) * rate_um_per_s
