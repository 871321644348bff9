"""The library of hands by name: habits of an operator, and the hand that works by them."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from simulator.plant.hand import AWAY, Grip, Hand, Lamp
from simulator.plant.signals import Noise

NEVER_S: Final = math.inf

Range = tuple[float, float]
"""The lowest and the highest value of something that varies from stroke to stroke."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How an operator works. Strokes of 5 to 10 cm at about 30 mm/s are usual practice."""

    stroke_s: Range = (2.0, 3.0)
    lift_s: Range = (0.3, 0.6)
    speed_mm_per_s: float = 30.0
    seal: Range = (0.98, 0.99)
    strokes_between_looks: int = 12
    """After so many strokes the switch is released and the skin is looked at."""
    look_s: Range = (1.0, 2.0)
    reaction_s: Range = (0.25, 0.45)
    releases_between_strokes: bool = False
    """Releases the switch before each lift and presses again only on the skin."""


SETTLE_S: Final = 0.15  # a careful hand rests so long on the skin before pressing and lifting


class StrokingHand:
    """Presses when the lamp says READY, strokes and lifts, lets go when it says OFF or TRIP."""

    def __init__(self, habit: Habit, noise: Noise) -> None:
        self._habit = habit
        self._noise = noise
        self._lamp = Lamp.OFF
        self._grip = AWAY
        self._until_s = NEVER_S
        self._script: deque[tuple[float, Grip]] = deque()  # at most one look and one stroke
        self._strokes = 0

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip at ``now_s``."""
        if lamp is not self._lamp:
            self._see(lamp, now_s)
        if now_s >= self._until_s:
            self._next(now_s)
        return self._grip

    def _see(self, lamp: Lamp, now_s: float) -> None:
        before, self._lamp = self._lamp, lamp
        if lamp is Lamp.ON:
            return
        waiting = self._until_s == NEVER_S and self._grip is AWAY
        pressed_in_vain = before is Lamp.ON and self._grip.switch_pressed
        if lamp is Lamp.READY and not (waiting or pressed_in_vain):
            return
        self._script.clear()
        if not waiting or lamp is Lamp.READY:
            self._until_s = now_s + self._draw(self._habit.reaction_s)

    def _next(self, now_s: float) -> None:
        if not self._script:
            self._plan()
        if self._script:
            duration_s, self._grip = self._script.popleft()
            self._until_s = now_s + duration_s
        else:
            self._grip = AWAY
            self._until_s = NEVER_S

    def _plan(self) -> None:
        """Script what comes next: nothing, a stroke, or a look at the skin and then a stroke."""
        if self._lamp is Lamp.OFF or self._lamp is Lamp.TRIP:
            self._strokes = 0
            return
        habit = self._habit
        if self._grip.switch_pressed and self._lamp is Lamp.READY:
            self._script.append((self._draw(habit.reaction_s), AWAY))  # let go, then press anew
        elif self._strokes >= habit.strokes_between_looks:
            self._strokes = 0
            self._script.append((self._draw(habit.look_s), AWAY))
        self._strokes += 1
        self._stroke()

    def _stroke(self) -> None:
        habit = self._habit
        seal = self._draw(habit.seal)
        working = Grip(
            switch_pressed=True, on_skin=True, seal=seal, speed_mm_per_s=habit.speed_mm_per_s
        )
        stroke_s, lift_s = self._draw(habit.stroke_s), self._draw(habit.lift_s)
        if habit.releases_between_strokes:
            resting = working._replace(switch_pressed=False, speed_mm_per_s=0.0)
            script = [(SETTLE_S, resting), (stroke_s, working), (SETTLE_S, resting), (lift_s, AWAY)]
        else:
            script = [(stroke_s, working), (lift_s, AWAY._replace(switch_pressed=True))]
        self._script.extend(script)

    def _draw(self, span: Range) -> float:
        low, high = span
        return low if low == high else low + (high - low) * self._noise.random()


class AbsentHand:
    """Never touches the handpiece."""

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the same grip for ever: away."""
        return AWAY


HABITS: Final[Mapping[str, Habit]] = MappingProxyType(
    {
        "average": Habit(),
        "careful": Habit(
            stroke_s=(2.0, 2.5), lift_s=(0.4, 0.7), seal=(0.985, 0.995),
            releases_between_strokes=True,
        ),
        "slow": Habit(stroke_s=(4.0, 6.0), speed_mm_per_s=12.0, reaction_s=(0.4, 0.8)),
        "hurried": Habit(
            stroke_s=(1.0, 1.6), lift_s=(0.15, 0.3), speed_mm_per_s=60.0, seal=(0.95, 0.98),
            reaction_s=(0.15, 0.25),
        ),
        "still": Habit(stroke_s=(NEVER_S, NEVER_S), speed_mm_per_s=0.0, seal=(0.99, 0.99)),
    }
)  # fmt: skip


def _stroking(habit: Habit) -> Callable[[Noise], Hand]:
    return lambda noise: StrokingHand(habit, noise)


HANDS: Final[Mapping[str, Callable[[Noise], Hand]]] = MappingProxyType(
    {name: _stroking(habit) for name, habit in HABITS.items()}
    | {"absent": lambda noise: AbsentHand()}
)
"""Every hand by name; call it with a source of chance of its own."""


class UnknownHandError(ValueError):
    """The name is not in the library; the text says which names are."""


def make_hand(name: str, noise: Noise) -> Hand:
    """Return the hand of that name; UnknownHandError names the ones that exist."""
    if name not in HANDS:
        raise UnknownHandError(f"there is no hand '{name}'; choose one of {', '.join(HANDS)}")
    return HANDS[name](noise)
