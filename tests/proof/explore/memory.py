"""Remembers and recalls the real objects of a world, and names the state they are in.

Nothing is modelled twice: the objects under exploration are the product's own. To go back to an
earlier state their fields are written back, object by object, which is many times faster than a
deep copy. Two states count as the same when every field is equal, except for the fields that a
table of rules reads more coarsely (a clock as a distance from now, a token as there or not).
A field without a rule counts exactly, so whatever is added to the product is explored and not
overlooked.
"""

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Final, NamedTuple

Rule = Callable[[Any], Hashable]
"""Reads a field for the name of the state."""

_OURS: Final = ("controller.", "firmware_protocol.", "simulator.", "tests.proof.")
_BOXES: Final = (deque, dict, list, set, bytearray)


def skip(_value: object) -> None:
    """Leave a field out of the name: it decides nothing that happens later."""


def there(value: object) -> bool:
    """Read a field as set or not set."""
    return bool(value)


class Saved(NamedTuple):
    """Every field of every object, as it was."""

    cells: tuple[tuple[Any, "_Shape", tuple[Any, ...]], ...]
    boxes: tuple[tuple[Any, str, Any], ...]


class _Shape(NamedTuple):
    """How objects of one class are read and named."""

    names: tuple[str, ...]
    read: Callable[[Any], tuple[Any, ...]]
    followed: tuple[int, ...]
    """Which fields hold, or may hold, objects of ours or collections."""
    exact: Callable[[Any], tuple[Any, ...]]
    """Reads the fields that count exactly and are plain values."""
    rules: tuple[Rule, ...]
    ruled: Callable[[Any], tuple[Any, ...]]
    """Reads the fields that the rules are for."""
    parts: Callable[[Any], tuple[Any, ...]]
    """Reads the fields that count exactly and are objects of ours or collections."""


class Memory:
    """Saves, recalls and names whatever hangs below one root object.

    Rules are named ``Class.field``. ``apart`` names fields that are kept as references and never
    looked into: constants, and what is only ever written.
    """

    def __init__(self, rules: Mapping[str, Rule], apart: frozenset[str]) -> None:
        self.rules = dict(rules)
        """May be added to until the first object is seen."""
        self._apart = apart
        self._shapes: dict[type, _Shape] = {}
        self._kinds: dict[type, str] = {}

    def save(self, root: object) -> Saved:
        """Return everything below ``root``."""
        cells: list[tuple[Any, _Shape, tuple[Any, ...]]] = []
        boxes: list[tuple[Any, str, Any]] = []
        waiting = [root]
        while waiting:
            thing = waiting.pop()
            shape = self._shapes.get(type(thing)) or self._shape_of(thing)
            values = shape.read(thing)
            cells.append((thing, shape, values))
            for at in shape.followed:
                value = values[at]
                kind = self._kinds.get(type(value)) or self._kind_of(type(value))
                if kind == "box":
                    boxes.append((thing, shape.names[at], value.copy()))
                    waiting += self._objects_in(value)
                elif kind == "object":
                    waiting.append(value)
        return Saved(tuple(cells), tuple(boxes))

    def _objects_in(self, box: Any) -> list[Any]:  # noqa: ANN401 - any of _BOXES
        inside = box.values() if isinstance(box, dict) else box
        return [
            thing
            for thing in inside
            if (self._kinds.get(type(thing)) or self._kind_of(type(thing))) == "object"
        ]

    def load(self, saved: Saved) -> None:
        """Write everything back as it was."""
        for thing, shape, values in saved.cells:
            if shape.read(thing) != values:
                for name, value in zip(shape.names, values, strict=True):
                    setattr(thing, name, value)
        for thing, name, value in saved.boxes:
            setattr(thing, name, value.copy())

    def name(self, root: object) -> Hashable:
        """Return the name of the state below ``root``."""
        shape = self._shapes.get(type(root)) or self._shape_of(root)
        said: list[Hashable] = [shape.exact(root)]
        if shape.rules:
            said += [
                rule(value) for rule, value in zip(shape.rules, shape.ruled(root), strict=True)
            ]
        said += [self._name_of(value) for value in shape.parts(root)]
        return tuple(said)

    def _name_of(self, value: Any) -> Hashable:  # noqa: ANN401 - any field
        kind = self._kinds.get(type(value)) or self._kind_of(type(value))
        if kind == "object":
            return self.name(value)
        return _named_box(value) if kind == "box" else value

    def _kind_of(self, of: type) -> str:
        if issubclass(of, _BOXES):
            kind = "box"
        elif issubclass(of, (Enum, tuple)) or not of.__module__.startswith(_OURS):
            kind = "atom"
        else:
            frozen = is_dataclass(of) and of.__dataclass_params__.frozen  # type: ignore[attr-defined]
            kind = "atom" if frozen else "object"
        self._kinds[of] = kind
        return kind

    def _shape_of(self, thing: object) -> _Shape:
        of = type(thing)
        names = _fields(thing)
        title = {name: f"{of.__name__}.{name}" for name in names}
        deep = [name for name in names if self._is_deep(getattr(thing, name))]
        free = [name for name in names if title[name] not in self.rules]
        ruled = [name for name in names if self.rules.get(title[name], skip) is not skip]
        shape = _Shape(
            names,
            _reader(names),
            tuple(names.index(name) for name in deep if title[name] not in self._apart),
            _reader([name for name in free if name not in deep]),
            tuple(self.rules[title[name]] for name in ruled),
            _reader(ruled),
            _reader([name for name in free if name in deep]),
        )
        self._shapes[of] = shape
        return shape

    def _is_deep(self, value: object) -> bool:
        """True for a field that is looked into; None may be replaced by anything later."""
        return value is None or self._kind_of(type(value)) != "atom"


def _reader(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda thing: (only(thing),)
    return attrgetter(*names)


class OpaqueError(TypeError):
    """An object shows no fields, so that its states cannot be told apart."""


def _fields(thing: object) -> tuple[str, ...]:
    if not hasattr(thing, "__dict__") and not hasattr(thing, "__slots__"):
        raise OpaqueError(f"{type(thing).__name__} is compiled: explore the interpreted sources")
    slots = [name for base in type(thing).__mro__ for name in getattr(base, "__slots__", ())]
    return tuple(dict.fromkeys([*slots, *getattr(thing, "__dict__", ())]))


def _named_box(value: Any) -> Hashable:  # noqa: ANN401 - any of _BOXES
    if isinstance(value, dict):
        return tuple(sorted(value.items()))
    return bytes(value) if isinstance(value, bytearray) else tuple(value)
