"""The fingerprint of a plan: equal where two processes plan the same from the same, else not.

The asker plans and a person sees the plan; the kernel plans once more from what it reads itself and
starts only if both fingerprints are equal. A fingerprint covers the instant of the plan, everything
that planning looks at, and every number that comes of it. Texts for people are left out: a sentence
may change between two versions without a limit changing.

Each part has a hash of its own, so that a difference can be named.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from controller.planning.case import Case
from controller.planning.plan import Plan, PlannedStage
from controller.planning.program import Program
from controller.planning.proof import Line
from controller.planning.steps import Steps
from controller.planning.tips import TipPast
from controller.safety.instruments import Instrument
from controller.safety.skin import Site, Skin

FORMAT: Final = 1
"""Raised whenever the canonical text changes its form: old and new fingerprints never agree."""

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "wish": "what is asked for",
        "program": "the program file",
        "client": "the client file",
        "unit": "the handpiece or its file",
        "sites": "the table of skin sites",
        "removal": "the removal model and its rules",
        "history": "the record of this client",
        "tip": "the tip, or what the record says of it",
        "limits": "the limits that were computed (two versions of Corneum?)",
    }
)
"""The parts in the order in which they are named, each in words for people."""

_TEXTS: Final[Mapping[type, frozenset[str]]] = MappingProxyType(
    {
        Program: frozenset({"display_name", "course", "note", "sha256"}),
        Site: frozenset({"display", "source", "confidence"}),
        Instrument: frozenset({"name", "confidence", "cite"}),
        PlannedStage: frozenset({"display", "stratum"}),
        Line: frozenset({"display"}),
    }
)
"""Fields that are only read by people, or serve words alone. A new one counts until it stands here.

The hash of a program's file stands among them because it covers the texts of that file.
"""

KINDS_MAX: Final = 64
"""So many dataclasses are known by their fields; a plan is made of two dozen."""

_PLAIN: Final = (str, bool, int)
_ROWS: Final = (tuple, list)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a plan is known by. ``planned_at_wall_s`` is the instant that it was made for."""

    planned_at_wall_s: float
    parts: tuple[tuple[str, str], ...]
    """Name and SHA-256 of each part, in the order of ``WORDS``."""

    @property
    def sha256(self) -> str:
        """The hash over the instant and all parts."""
        return _sha256([FORMAT, self.planned_at_wall_s, self.parts])

    def differing(self, seen: Mapping[str, str]) -> tuple[str, ...]:
        """Return the parts that are not as in ``seen``; a part that nobody names differs."""
        return tuple(name for name, own in self.parts if seen.get(name) != own)


def skin_parts(skin: Skin) -> dict[str, str]:
    """Return the hashes of the parts that are of the skin data alone."""
    return {"sites": _sha256(skin.sites), "removal": _sha256((skin.model, skin.rules))}


def fingerprint(case: Case, plan: Plan, tip: TipPast | None) -> Steps[Fingerprint]:
    """Return the fingerprint of a plan, one part a step; ``tip`` is None where tips are alike."""
    wanted, skin = case.wanted, case.skin
    doses = sorted(case.history, key=lambda dose: _text(canonical(dose)))
    covered: dict[str, object] = {
        "wish": (wanted.lower, wanted.zones, wanted.reason),
        "program": case.program,
        "client": case.client,
        "unit": case.unit,
        "sites": skin.sites,
        "removal": (skin.model, skin.rules),
        "history": (doses, wanted.resumed),
        "tip": tip,
        "limits": (plan.stages, plan.model, plan.tip, plan.motion_sensor),
    }
    parts = []
    for name in WORDS:
        parts.append((name, _sha256(covered[name])))
        yield
    return Fingerprint(case.now_wall_s, tuple(parts))


def change_in_words(names: Sequence[str]) -> str:
    """Say which parts of a plan have changed since a person saw it, in one sentence."""
    if not names:
        return "The plan that was seen is not the plan that would be started."
    changed = ", ".join(WORDS[name] for name in names)
    return f"Changed since the plan was seen: {changed}."


def canonical(value: object) -> object:
    """Return a value as plain JSON; TypeError for what has no one form.

    Dataclasses become objects of their fields without the texts, enumerations the name of the
    member, tuples lists; a number that is not finite becomes its name.
    """
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if is_dataclass(value):
        kind: type = type(value)
        return {name: canonical(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, _ROWS):
        return [canonical(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


@lru_cache(maxsize=KINDS_MAX)
def _names(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that count."""
    texts = _TEXTS.get(kind, frozenset())
    return tuple(field.name for field in fields(kind) if field.name not in texts)


def _sha256(value: object) -> str:
    return hashlib.sha256(_text(canonical(value)).encode()).hexdigest()


def _text(plain: object) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
