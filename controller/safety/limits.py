"""The chain of limits: it only ever tightens, and it says in words what held a request back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

FINER_MAX: Final = 4
"""Decimals that are added where two values would read the same."""


class Source(Enum):
    """Where a limit comes from, from the widest to the narrowest; the value is for people."""

    FACTORY = "every device of this type"
    UNIT = "the calibration of this handpiece"
    DEVICE = "the handpiece itself"
    TIP = "the tip that is fitted"
    SITE = "this part of the body"
    RISK = "the chance that a point loses its whole stratum corneum"
    SUCTION = "the suction that one place of skin may have"
    SKIN = "this client's skin type and age"
    PROGRAM = "the program"
    PERSON = "your own setting"
    ZONE = "the exposure that this zone has left"


class Quantity(Enum):
    """What is limited: its name for people, its unit, and the decimals that are said."""

    SUCTION_KPA = ("Suction", "kPa", 1)
    FLOW_G_PER_MIN = ("Crystal flow", "g/min", 2)
    DEPTH_UM = ("Exposure cap", "µm", 2)
    CONTACT_S = ("Contact time", "s", 0)
    SUCTION_KPA_S = ("Suction dose", "kPa s", 0)
    DWELL_S = ("Time in one place", "s", 2)

    @property
    def label(self) -> str:
        """The name that a practitioner reads."""
        return self.value[0]

    @property
    def unit(self) -> str:
        """The unit that follows every value of this quantity."""
        return self.value[1]

    @property
    def decimals(self) -> int:
        """How finely people read this quantity."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Limit:
    """One link of the chain: ``quantity`` may not be above ``value``, because of ``source``."""

    source: Source
    quantity: Quantity
    value: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one request: what is allowed, what bound it, and by how much.

    ``binding`` is the limit that lowered the request, or None where nothing did. ``margin`` is the
    tightest limit minus the request: below zero is what was cut off, above zero is room. It is NaN
    where the request or a limit was not a number. ``refused`` says that nothing was done at all;
    ``allowed`` is then what could have been asked for.
    """

    quantity: Quantity
    requested: float
    allowed: float
    binding: Limit | None
    margin: float
    chain: tuple[Limit, ...]
    refused: bool = False

    @property
    def limited(self) -> bool:
        """True unless all of the request was granted."""
        return not (0.0 <= self.requested <= self.allowed)

    def as_refusal(self) -> "Receipt":
        """Return the receipt of a request that was not met at all."""
        return replace(self, refused=True)

    def as_dict(self) -> dict[str, Any]:
        """Return what was asked for, what was allowed, and what bound it.

        The one form of a receipt: in rows, in answers and errors of the API, in the snapshot and in
        plans. A number that is not finite becomes null, which JSON can carry.
        """
        return {
            "quantity": self.quantity.name.lower(),
            "unit": self.quantity.unit,
            "requested": _finite(self.requested),
            "allowed": _finite(self.allowed),
            "limited": self.limited,
            "refused": self.refused,
            "binding": None if self.binding is None else self.binding.source.name.lower(),
            "margin": _finite(self.margin),
            "chain": [
                {"source": limit.source.name.lower(), "value": _finite(limit.value)}
                for limit in self.chain
            ],
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """Say in one sentence what was allowed and why."""
        label = self.quantity.label
        verdict = "was refused" if self.refused else "is off"
        if not (math.isfinite(self.requested) and self.requested >= 0.0):
            return f"{label} {verdict}: what was asked for is not a usable number."
        asked = say(self.quantity, self.requested)
        if self.binding is not None:
            return self._sentence_of_limited(self.binding)
        if self.refused:
            return f"{label} {asked} was refused: it is less than the handpiece can work with."
        if not self.chain:
            return f"{label} {asked} is allowed; nothing limits it here."
        nearest = min(self.chain, key=lambda limit: limit.value)
        room, whose = say(self.quantity, self.margin), nearest.source.value
        if room == say(self.quantity, 0.0):
            return f"{label} {asked} is allowed, and that is the limit of {whose}."
        return f"{label} {asked} is allowed, {room} under the limit of {whose}."

    def _sentence_of_limited(self, binding: Limit) -> str:
        label = self.quantity.label
        why = binding.source.value
        if not math.isfinite(self.margin):
            asked = say(self.quantity, self.requested)
            verdict = f"{asked} was refused" if self.refused else "is off"
            return f"{label} {verdict}: the limit of {why} is not known."
        asked, allowed, cut = say_difference(self.quantity, self.requested, self.allowed)
        if self.refused:
            return f"{label} {asked} was refused: it is {cut} above {allowed}, the limit of {why}."
        return f"{label} was lowered by {cut} from {asked} to {allowed}, the limit of {why}."


def say(quantity: Quantity, value: float) -> str:
    """Return ``value`` with its unit, in as few digits as people need."""
    return _written(quantity, value, quantity.decimals)


def say_difference(quantity: Quantity, more: float, less: float) -> tuple[str, str, str]:
    """Return two values and what lies between them, so that the three that are read add up.

    Two that would read the same are said more finely.
    """
    for decimals in range(quantity.decimals, quantity.decimals + FINER_MAX + 1):
        if round(more, decimals) != round(less, decimals):
            break
    between = round(more, decimals) - round(less, decimals)
    said = (_written(quantity, value, decimals) for value in (more, less, between))
    return next(said), next(said), next(said)


def _written(quantity: Quantity, value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{short} {quantity.unit}"


def resolve(quantity: Quantity, requested: float, limits: Sequence[Limit]) -> Receipt:
    """Hold ``requested`` against every limit of its quantity and return the receipt.

    The smallest limit wins. A request or a limit that is negative or not a finite number allows
    nothing: unknown never permits. Limits of other quantities are left out of the chain.
    """
    chain = tuple(limit for limit in limits if limit.quantity is quantity)
    unusable = next((limit for limit in chain if not _usable(limit.value)), None)
    if unusable is not None:
        return Receipt(quantity, requested, 0.0, unusable, math.nan, chain)
    if not _usable(requested):
        return Receipt(quantity, requested, 0.0, None, math.nan, chain)
    if not chain:
        return Receipt(quantity, requested, requested, None, math.inf, chain)
    tightest = min(chain, key=lambda limit: limit.value)
    if requested <= tightest.value:
        return Receipt(quantity, requested, requested, None, tightest.value - requested, chain)
    margin = tightest.value - requested
    return Receipt(quantity, requested, tightest.value, tightest, margin, chain)


def _usable(value: float) -> bool:
    return math.isfinite(value) and value >= 0.0


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
