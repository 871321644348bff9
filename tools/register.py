"""The hazard register: reads docs/hazards.toml and finds every name of it in the code.

A name that is not found, a budget that is not the sum of its constants or a fault that no longer
exists is an error of the register: the document is generated from what the code really has.
"""

import tomllib
from collections.abc import Mapping
from enum import Enum, unique
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.safety.interlocks import RULES
from firmware_protocol import envelope
from simulator.firmware.guards import GUARDS
from simulator.plant.faults import FAULTS
from simulator.plant.hands import HANDS

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "hazards.toml"
HAND: Final = "hand:"
MS_PER_S: Final = 1000

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cause": "firmware_protocol.vocabulary.Cause",
        "Permit": "firmware_protocol.vocabulary.Permit",
        "Refusal": "firmware_protocol.vocabulary.Refusal",
        "Capability": "firmware_protocol.vocabulary.Capability",
        "LogCode": "firmware_protocol.vocabulary.LogCode",
        "Reject": "firmware_protocol.errors.Reject",
        "Trigger": "simulator.firmware.modes.Trigger",
        "Guard": "simulator.firmware.guards",
        "ChannelB": "simulator.firmware.channel_b",
        "Interlock": "controller.safety.interlocks.Interlock",
        "Notice": "controller.safety.alarm_texts.Notice",
        "Rule": "controller.planning.rules",
    }
)
"""Short first words of names, and where they live."""

_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class RegisterError(Exception):
    """A name of the register is not in the code; the text says which."""


@unique
class Standing(Enum):
    """How far the control of a hazard is built."""

    BUILT = "built"
    PARTLY = "partly"
    LATER = "later"
    OUTSIDE = "outside"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hook(_Model):
    """A way to provoke a hazard that is not a fault of the plant: line, process, person, file."""

    does: _Text
    by: _Text


class Budget(_Model):
    """A time from cause to valve shut: milliseconds, and the constants whose sum it is."""

    ms: Annotated[int, Field(gt=0)]
    of: Annotated[tuple[_Text, ...], Field(min_length=1)]
    when: str = ""


class Requirement(_Model):
    """One requirement, in a sentence."""

    id: Annotated[str, StringConstraints(pattern=r"^SR-\d\d$")]
    text: _Text


class Hazard(_Model):
    """One row."""

    id: Annotated[str, StringConstraints(pattern=r"^H\d\d$")]
    family: _Text
    title: _Text
    causes: Annotated[tuple[_Text, ...], Field(min_length=1)]
    device: tuple[_Text, ...]
    host: tuple[_Text, ...]
    planned: tuple[_Text, ...] = ()
    safe: _Text
    budgets: tuple[Budget, ...]
    inject: tuple[_Text, ...]
    requirements: Annotated[tuple[_Text, ...], Field(min_length=1)]
    standing: Standing
    note: str
    left: str

    @property
    def faults(self) -> tuple[str, ...]:
        """The injections that are faults of the simulator's catalogue."""
        return tuple(name for name in self.inject if name in FAULTS)


class Register(_Model):
    """All of it."""

    safe_states: Mapping[str, _Text]
    hooks: Mapping[str, Hook]
    requirement: tuple[Requirement, ...]
    hazard: tuple[Hazard, ...]

    def by_id(self) -> Mapping[str, Hazard]:
        """Return the hazards by their ids."""
        return {row.id: row for row in self.hazard}


@cache
def load(path: Path = PATH) -> Register:
    """Return the register; pydantic's ValidationError says what does not fit."""
    return Register.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def find(name: str) -> object:
    """Return what a name of the register stands for; RegisterError where there is no such thing."""
    first, _, rest = name.partition(".")
    found: object
    path = f"{ALIASES[first]}.{rest}" if first in ALIASES and rest else name
    module, names = _module_of(path)
    found = module
    for attribute in names:
        fields = getattr(found, "__annotations__", {})
        if not hasattr(found, attribute) and attribute not in fields:
            raise RegisterError(f"{name}: {path} is not in the code")
        found = getattr(found, attribute, fields.get(attribute))
    return found


def _module_of(path: str) -> tuple[object, list[str]]:
    """Import the longest part of a dotted path that is a module; return it and the rest."""
    words = path.split(".")
    for length in range(len(words), 0, -1):
        dotted = ".".join(words[:length])
        try:
            return import_module(dotted), words[length:]
        except ModuleNotFoundError as error:
            if error.name is None or not f"{dotted}.".startswith(f"{error.name}."):
                raise  # the module is there, and something that it imports is not
    raise RegisterError(f"{path}: there is no module {words[0]}")


def milliseconds(constant: str) -> int:
    """Return what a constant of a budget is worth in milliseconds."""
    if constant.startswith("Guard."):
        return _guard_ms(constant.removeprefix("Guard."))
    value = find(constant) if "." in constant else getattr(envelope, constant, None)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RegisterError(f"{constant} is no constant of the envelope and no dotted path to one")
    if constant.endswith("_MS"):
        return round(value)
    if constant.endswith("_S"):
        return round(value * MS_PER_S)
    raise RegisterError(f"{constant} does not say in its name whether it is seconds or ms")


def _guard_ms(cause: str) -> int:
    """How long the slowest guard of a cause must stand before it is believed."""
    times = [guard.after_ms for guard in GUARDS if guard.cause.name == cause]
    if not times:
        raise RegisterError(f"no guard trips with {cause}")
    return max(times)


def hook_of(name: str, register: Register) -> str:
    """Say what an injection does; RegisterError where the simulator has no such thing."""
    if name in FAULTS:
        return FAULTS[name].summary
    if name.startswith(HAND):
        if name.removeprefix(HAND) not in HANDS:
            raise RegisterError(f"there is no hand {name.removeprefix(HAND)!r}")
        return f"the hand '{name.removeprefix(HAND)}' holds the handpiece"
    if name not in register.hooks:
        raise RegisterError(f"{name} is no fault, no hand and no hook")
    return register.hooks[name].does


def grace_s(interlock: str) -> float | None:
    """Return how long the host lets a check of its table fail; None for one outside of it."""
    times = [rule.grace_s for rule in RULES if rule.interlock.name == interlock]
    return max(times) if times else None


def believed_ms(guard: str) -> int | None:
    """Return how long a guard of the device must stand, by the name of its check."""
    times = [row.after_ms for row in GUARDS if getattr(row.stands, "__name__", "") == guard]
    return max(times) if times else None
