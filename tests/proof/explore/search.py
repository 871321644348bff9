"""Breadth-first search over every state that a world can get into, with a shortest trace to each.

A world offers its actions in the present state and performs one of them on the real objects; it
says at once when a property is broken. Breadth first means that the first trace to a broken
property is also a shortest one.
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from tests.proof.explore.memory import Saved

TRACES_MAX: Final = 1  # of each property; the first is a shortest one
TRACE_LINES_MAX: Final = 10_000  # no search gets as deep; a loop in the parents would


class Broken(NamedTuple):
    """A property that does not hold, and in what way."""

    rule: str
    how: str


class World(Protocol):
    """What can be searched."""

    @property
    def title(self) -> str:
        """What is explored, for people."""

    def start(self) -> None:
        """Put the real objects into their first state."""

    def actions(self) -> Sequence[Any]:
        """Return what may happen next; each has a readable ``str``."""

    def perform(self, action: Any) -> tuple[Broken, ...]:  # noqa: ANN401 - each world has its own
        """Let it happen to the real objects, and return what it broke."""

    def probe(self) -> tuple[Broken, ...]:
        """Ask for what must be possible from here; may leave the state behind."""

    def save(self) -> Saved:
        """Return the present state."""

    def load(self, saved: Saved) -> None:
        """Go back to a state."""

    def name(self) -> Hashable:
        """Return the name of the present state; equal names are one state."""

    def family(self) -> str:
        """Return the group that the present state is counted in."""

    @property
    def told(self) -> Counter[str]:
        """How often each property was put to the test."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A broken property and the shortest way there."""

    broken: Broken
    steps: tuple[str, ...]

    def text(self) -> str:
        """Return it for people."""
        lines = [f"{self.broken.rule} does not hold: {self.broken.how}"]
        lines += [f"  {number:3d}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join(lines)


@dataclass(slots=True)
class Found:
    """What a search came to."""

    title: str
    states: int = 0
    transitions: int = 0
    depth: int = 0
    closed: bool = False
    """Every action of every state was tried; otherwise a bound cut the search."""
    families: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    traces: list[Trace] = field(default_factory=list)


def never(_found: Found) -> bool:
    """Search to the end."""
    return False


class Search:
    """One search; ``states_max`` bounds it, and ``enough`` may end it at any time."""

    def __init__(
        self, world: World, states_max: int, enough: Callable[[Found], bool] = never
    ) -> None:
        self._world = world
        self._states_max = states_max
        self._enough = enough
        self._numbers: dict[Hashable, int] = {}
        self._parents: list[tuple[int, Any, int]] = []
        self._waiting: deque[tuple[int, Saved]] = deque()
        self._found = Found(world.title)
        self._seen: Counter[str] = Counter()

    def run(self) -> Found:
        """Search until nothing new turns up or the bound is reached."""
        world, found = self._world, self._found
        world.start()
        self._meet(-1, None)
        while self._waiting and len(self._numbers) <= self._states_max:
            if self._enough(found):
                break
            number, saved = self._waiting.popleft()
            self._expand(number, saved)
        found.closed = not self._waiting
        found.states = len(self._numbers)
        found.checks = world.told
        return found

    def _expand(self, number: int, saved: Saved) -> None:
        world, found = self._world, self._found
        world.load(saved)
        for action in world.actions():
            world.load(saved)
            broken = world.perform(action)
            found.transitions += 1
            if broken:
                self._report(broken, number, action)
            else:  # beyond a broken property nothing is explored
                self._meet(number, action)
        world.load(saved)
        broken = world.probe()
        if broken:
            self._report(broken, number, None)

    def _meet(self, parent: int, action: object) -> None:
        name = self._world.name()
        if name in self._numbers:
            return
        number = len(self._numbers)
        self._numbers[name] = number
        depth = self._parents[parent][2] + 1 if parent >= 0 else 0
        self._parents.append((parent, action, depth))
        self._found.depth = max(self._found.depth, depth)
        self._found.families[self._world.family()] += 1
        self._waiting.append((number, self._world.save()))

    def _report(self, broken: tuple[Broken, ...], number: int, action: object) -> None:
        for one in broken:
            self._seen[one.rule] += 1
            if self._seen[one.rule] <= TRACES_MAX:
                last = () if action is None else (str(action),)
                self._found.traces.append(Trace(one, (*self._way_to(number), *last)))

    def _way_to(self, number: int) -> tuple[str, ...]:
        steps: list[str] = []
        while number > 0 and len(steps) < TRACE_LINES_MAX:
            number, action, _ = self._parents[number]
            steps.append(str(action))
        return tuple(reversed(steps))
