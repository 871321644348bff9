"""What came of the anchors, as text and as JSON: before, after, what moved, what is assumed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np

from controller.config.toml_file import read_toml
from qa.anchors.belief import Belief, ModelNumbers, belief_of, numbers_of
from qa.anchors.experiment import depth_um, likelihood, rate_um_per_s, seconds_under_tip
from qa.anchors.posterior import OPEN, PER_DOSE, Known, Posterior, posterior_of
from qa.anchors.published import CONTRADICTED_BELOW, Prediction, predict
from qa.anchors.rows import Anchor, AnchorsFile
from qa.skin.tails import TAILS

ABOUT: Final[Mapping[str, str]] = {
    OPEN: "rate on open skin, 30 kPa, 10 g/min, µm/s",
    PER_DOSE: "the same in µm per g/cm² of crystals",
}
"""What follows from the parameters; the others are told by their priors."""
CENTRAL: Final = "range of the publications"
"""What the prior of the file is called beside the other two."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the posterior says of an experiment like that of one anchor, done once more."""

    name: str
    seen: str
    chance: float | None
    """Of seeing the same again; None where nothing was seen that has one."""
    depth_um: tuple[float, ...]
    """Removed depth at the centiles; empty where the anchor has no dose."""
    counted: float
    """The chance of what was seen by all the other anchors, before this one counts."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that `corneum-sim anchors` tells."""

    version: str
    draws: int
    seed: int
    effective: float
    known: tuple[Known, ...]
    about: Mapping[str, str]
    headline: tuple[Known, ...]
    """The rate on open skin under each prior of the rate, by the name of the prior."""
    predicted: tuple[Predicted, ...]
    belief: Belief
    numbers: ModelNumbers
    standing: Mapping[str, float]
    """The controller's numbers as they stand in configs/skin/removal.toml."""
    published: tuple[Prediction, ...]
    """What each tail of the skin predicts of published treatments."""

    @property
    def moved(self) -> bool:
        """Whether the controller's numbers are others than those that follow."""
        return self.standing != self.numbers.as_dict()


def findings_of(file: AnchorsFile, configs: Path, draws: int, seed: int) -> Findings:
    """Return what follows from a file of anchors.

    Raises:
        AnchorsDisagreeError: no rate explains all of them.
        ConfigError: the controller's own numbers cannot be read.
    """
    posterior = posterior_of(file, draws, seed)
    beliefs = {CENTRAL: posterior} | {
        other.name: posterior_of(file, draws, seed, other) for other in file.other_rates
    }
    numbers = numbers_of(posterior, seed)
    standing = standing_of(read_toml(configs / "skin" / "removal.toml"), numbers)
    return Findings(
        version=file.version,
        draws=draws,
        seed=seed,
        effective=posterior.effective,
        known=posterior.known(),
        about={**{prior.name: prior.about for prior in file.priors}, **ABOUT},
        headline=tuple(_open(name, each) for name, each in beliefs.items()),
        predicted=tuple(_predicted(anchor, posterior, seed) for anchor in file.anchors),
        belief=belief_of(posterior),
        numbers=numbers,
        standing=standing,
        published=tuple(
            predict(treatment, name, tail, seed)
            for treatment in file.treatments
            for name, tail in TAILS.items()
        ),
    )


def standing_of(removal: Mapping[str, object], numbers: ModelNumbers) -> Mapping[str, float]:
    """Return what a removal.toml says now, whether or not it may; what it lacks is not a number."""
    model = removal.get("model")
    said = model if isinstance(model, dict) else {}
    return {name: float(said.get(name, nan)) for name in numbers.as_dict()}


def _open(name: str, posterior: Posterior) -> Known:
    found = next(known for known in posterior.known() if known.name == OPEN)
    return Known(name, found.prior, found.posterior, found.width)


def _predicted(anchor: Anchor, posterior: Posterior, seed: int) -> Predicted:
    """Do the experiment once more, with specimens of its own."""
    rng = np.random.default_rng((seed, 1))
    draws, weights = posterior.draws, posterior.weights
    specimens = np.exp(draws["specimen_ln_sd"] * rng.standard_normal(weights.size))
    depths: tuple[float, ...] = ()
    if anchor.suction_kpa is not None and seconds_under_tip(anchor) > 0.0:
        rate = rate_um_per_s(anchor, draws, specimens)
        depths = posterior.centiles(depth_um(rate, seconds_under_tip(anchor), draws))
    chance = None
    if anchor.likelihood == "removed":
        again = likelihood(anchor, draws, specimens)
        chance = float((again * weights).sum() / weights.sum())
    return Predicted(anchor.name, anchor.seen, chance, depths, posterior.fits[anchor.name])


# -- text ------------------------------------------------------------------------------------------
def lines_of(found: Findings) -> Sequence[str]:
    """Return what a person reads, a line each."""
    lines = [
        f"Anchors {found.version}: {found.draws:,} draws, seed {found.seed}, worth "
        f"{found.effective:,.0f} equal ones.",
        "",
        f"{'':42} {'before':>21} {'after':>21} width",
    ]
    for known in found.known:
        mark = "assumed" if known.assumed else ""
        about = found.about[known.name]
        lines.append(
            f"{about:42} {_range(known.prior):>21} {_range(known.posterior):>21} "
            f"{known.width:5.2f} {mark}".rstrip()
        )
    lines += [
        "",
        "Median, and in brackets the middle 95 %. Width: how wide it is after, over before; above",
        "0.9 the anchors say nothing about it, and it is an assumption.",
        "",
        f"{ABOUT[OPEN]}, by what was believed of the rate before:",
    ]
    lines += [f"    {each.name:28} {_range(each.posterior)}" for each in found.headline]
    lines += ["", "Each experiment done once more:"]
    lines += [f"    {_predicted_line(each)}" for each in found.predicted]
    lines += ["", *_published(found.published), "", *_numbers(found)]
    return lines


def _predicted_line(one: Predicted) -> str:
    said = f"{one.name:8}"
    if one.depth_um:
        said += f" {_range(one.depth_um)} µm"
    if one.chance is not None:
        said += f"; what was seen has a chance of {one.chance:.2f}"
    if not one.depth_um and one.chance is None:
        said += " no dose, no depth"
    return said


def _published(predictions: Sequence[Prediction]) -> list[str]:
    """Say of each published series what the tails predict, and which of them it contradicts."""
    lines = ["Published treatments at the lowest plausible rate, by the tails of the skin:"]
    for name, lowest in dict.fromkeys((each.treatment, each.lowest) for each in predictions):
        of_it = [each for each in predictions if (each.treatment, each.lowest) == (name, lowest)]
        chances = sorted(each.chance for each in of_it)
        dose = "lowest dose" if lowest else "usual dose"
        lines.append(
            f"    {name}, {dose}, {of_it[0].depth_um:.2g} µm: harm in {chances[0]:.1g} to "
            f"{chances[-1]:.1g} of faces"
        )
    against = sorted({each.tail for each in predictions if each.contradicted})
    told = f"Contradicted (chance under {CONTRADICTED_BELOW:.0%} at the lowest dose): "
    return [*lines, f"{told}{', '.join(against) or 'no tail'}."]


def _numbers(found: Findings) -> list[str]:
    lines = ["The controller's numbers, in configs/skin/removal.toml:"]
    for name, value in found.numbers.as_dict().items():
        before = found.standing[name]
        moved = "as it stands" if before == value else f"stands as {before:g}"
        lines.append(f"    {name:22} {value:<6g} {moved}")
    return lines


def _range(centiles: Sequence[float]) -> str:
    low, _, middle, _, high = centiles
    return f"{middle:.3g} ({low:.2g} to {high:.2g})"


# -- JSON ------------------------------------------------------------------------------------------
def as_json(found: Findings) -> dict[str, Any]:
    """Return the findings as one object; figures rounded to four digits."""
    return {
        "version": found.version,
        "draws": found.draws,
        "seed": found.seed,
        "effective": round(found.effective),
        "known": [
            {"name": known.name, "about": found.about[known.name], **_known(known)}
            for known in found.known
        ],
        "headline": [{"prior_of_rate": known.name, **_known(known)} for known in found.headline],
        "predicted": [
            {
                "name": one.name,
                "seen": one.seen,
                "chance": _digits(one.chance),
                "depth_um": [_digits(value) for value in one.depth_um],
                "counted": _digits(one.counted),
            }
            for one in found.predicted
        ],
        "published": [
            {
                "treatment": each.treatment,
                "lowest": each.lowest,
                "tail": each.tail,
                "depth_um": _digits(each.depth_um),
                "chance": _digits(each.chance),
                "uninjured": _digits(each.uninjured),
                "contradicted": each.contradicted,
            }
            for each in found.published
        ],
        "belief": found.belief.as_json(),
        "numbers": dict(found.numbers.as_dict()),
        "standing": dict(found.standing),
    }


def _known(known: Known) -> dict[str, Any]:
    return {
        "prior": [_digits(value) for value in known.prior],
        "posterior": [_digits(value) for value in known.posterior],
        "width": _digits(known.width),
        "assumed": known.assumed,
    }


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
