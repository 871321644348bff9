"""The chain of limits: it only ever tightens, and it says in words what held a request back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Source(Enum):
    """Where a limit comes from, from the widest to the narrowest; the value is for people."""

    FACTORY = "every device of this type"
    UNIT = "the calibration of this handpiece"
    TIP = "the tip that is fitted"
    SITE = "this part of the body"
    SKIN = "this client's skin type and age"
    PROGRAM = "the program"
    PERSON = "your own setting"
    ZONE = "the exposure that this zone has left"


class Quantity(Enum):
    """What is limited: its name for people and its unit."""

    SUCTION_KPA = ("Suction", "kPa")
    FLOW_G_PER_MIN = ("Crystal flow", "g/min")
    DEPTH_UM = ("Removal in the worst case", "µm")
    CONTACT_S = ("Contact time", "s")

    @property
    def label(self) -> str:
        """The name that a practitioner reads."""
        return self.value[0]

    @property
    def unit(self) -> str:
        """The unit that follows every value of this quantity."""
        return self.value[1]


DECIMALS: Final = 2  # in sentences: finer than any instrument of a treatment room reads


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
    where the request or a limit was not a number.
    """

    quantity: Quantity
    requested: float
    allowed: float
    binding: Limit | None
    margin: float
    chain: tuple[Limit, ...]

    @property
    def limited(self) -> bool:
        """True unless all of the request was granted."""
        return not (0.0 <= self.requested <= self.allowed)

    def sentence(self) -> str:
        """Say in one sentence what was allowed and why."""
        label = self.quantity.label
        if not (math.isfinite(self.requested) and self.requested >= 0.0):
            return f"{label} is off: what was asked for is not a usable number."
        asked = say(self.quantity, self.requested)
        if self.binding is not None:
            return self._sentence_of_limited(asked, self.binding)
        if not self.chain:
            return f"{label} {asked} is allowed; nothing limits it here."
        nearest = min(self.chain, key=lambda limit: limit.value)
        limit = say(self.quantity, nearest.value)
        return f"{label} {asked} is allowed; the limit is {limit}, that of {nearest.source.value}."

    def _sentence_of_limited(self, asked: str, binding: Limit) -> str:
        label = self.quantity.label
        why = binding.source.value
        if not math.isfinite(binding.value):
            return f"{label} is off: the limit of {why} is not known."
        allowed = say(self.quantity, self.allowed)
        return f"{label} was lowered from {asked} to {allowed}, the limit of {why}."


def say(quantity: Quantity, value: float) -> str:
    """Return ``value`` with its unit, in as few digits as people need."""
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return f"{text} {quantity.unit}"


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
