"""The library of hands by name, and the hand that works by the habits of an operator."""

from collections import deque
from collections.abc import Callable, Mapping
from math import exp, sin, tau
from types import MappingProxyType
from typing import Final

from simulator.plant.habits import HABITS, NEVER_S, TREMOR_HZ, Habit, Range
from simulator.plant.hand import AWAY, CORNER, Grip, Hand, Lamp, Place
from simulator.plant.path import AREA_DEFAULT_CM2, pass_length_of, position, side_of
from simulator.plant.signals import Noise

SETTLE_S: Final = 0.15  # a careful hand rests so long on the skin before pressing and lifting


class StrokingHand:
    """Presses when the lamp says READY, strokes and lifts, lets go when it says OFF or TRIP."""

    def __init__(self, habit: Habit, noise: Noise, wander: Noise) -> None:
        """``noise`` varies the rhythm and ``wander`` the way: neither changes the other."""
        self._habit = habit
        self._noise = noise
        self._wander = wander
        self._lamp = Lamp.OFF
        self._grip = AWAY
        self._until_s = NEVER_S
        self._script: deque[tuple[float, Grip]] = deque()  # at most one look and one stroke
        self._strokes = 0
        self._since_s = 0.0
        """Since when the grip is as it is."""
        self._side_mm = side_of(AREA_DEFAULT_CM2)
        self._next_side_mm: float | None = None
        self._along_mm = 0.0
        """How far on the way it was then. Off the skin the speed is 0."""
        self._began_mm = 0.0
        """Where on the way the present stroke began, or the last one."""
        self._repeats = False
        """The present stroke is made once more; it is not made a third time."""
        self._off_lane_mm = 0.0

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip at ``now_s``."""
        if lamp is not self._lamp:
            self._see(lamp, now_s)
        if now_s >= self._until_s:
            self._next(now_s)
        return self._grip

    def begin_zone(self, area_cm2: float) -> None:
        """Begin at the first corner of a zone of this area with the next stroke."""
        self._next_side_mm = side_of(area_cm2)

    def where(self, now_s: float) -> Place:
        """Return the place at ``now_s``; off the skin, the one where the tip left it."""
        habit = self._habit
        along_mm = self._along_mm + self._grip.speed_mm_per_s * (now_s - self._since_s)
        sideways_mm = self._off_lane_mm + habit.tremble_mm * sin(tau * TREMOR_HZ * now_s)
        return position(along_mm, self._side_mm, habit.pitch_mm, sideways_mm)

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
        self._along_mm += self._grip.speed_mm_per_s * (now_s - self._since_s)
        self._since_s = now_s
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
        stroke_s, lift_s = self._draw(habit.stroke_s), self._draw(habit.lift_s)
        speed = habit.speed_mm_per_s * exp(habit.speed_ln_sd * self._wander.gauss(0.0, 1.0))
        self._aim()
        working = Grip(switch_pressed=True, on_skin=True, seal=seal, speed_mm_per_s=speed)
        strokes = self._with_pause(working, stroke_s)
        if habit.releases_between_strokes:
            resting = working._replace(switch_pressed=False, speed_mm_per_s=0.0)
            script = [(SETTLE_S, resting), *strokes, (SETTLE_S, resting), (lift_s, AWAY)]
        else:
            script = [*strokes, (lift_s, AWAY._replace(switch_pressed=True))]
        self._script.extend(script)

    def _aim(self) -> None:
        """Choose where the stroke begins, on from the last one or over it, and how far off."""
        habit, wander = self._habit, self._wander
        repeats = wander.random() < habit.repeat_chance
        if self._next_side_mm is not None:
            self._side_mm, self._next_side_mm = self._next_side_mm, None
            self._along_mm, self._repeats = 0.0, False
        elif repeats and not self._repeats and self._along_mm > self._began_mm:
            self._along_mm, self._repeats = self._began_mm, True
        else:
            self._repeats = False
        self._began_mm = self._along_mm
        way = min(1.0, self._along_mm / pass_length_of(self._side_mm, habit.pitch_mm))
        self._off_lane_mm = habit.lane_jitter_mm * wander.gauss(0.0, 1.0) + habit.drift_mm * way

    def _with_pause(self, working: Grip, stroke_s: float) -> list[tuple[float, Grip]]:
        """Return the stroke, cut by a stop with the switch pressed where chance wants one."""
        habit, chance = self._habit, self._wander.random
        if chance() >= habit.pause_chance:
            return [(stroke_s, working)]
        before_s, pause_s = stroke_s * chance(), _drawn(habit.pause_s, self._wander)
        stopped = working._replace(speed_mm_per_s=0.0)
        return [(before_s, working), (pause_s, stopped), (stroke_s - before_s, working)]

    def _draw(self, span: Range) -> float:
        return _drawn(span, self._noise)


def _drawn(span: Range, noise: Noise) -> float:
    low, high = span
    return low if low == high else low + (high - low) * noise.random()


class AbsentHand:
    """Never touches the handpiece."""

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the same grip for ever: away."""
        return AWAY

    def begin_zone(self, area_cm2: float) -> None:
        """Stay away."""

    def where(self, now_s: float) -> Place:
        """Return the corner that nobody came to."""
        return CORNER


Maker = Callable[[Noise, Noise], Hand]


def _stroking(habit: Habit) -> Maker:
    return lambda noise, wander: StrokingHand(habit, noise, wander)


HANDS: Final[Mapping[str, Maker]] = MappingProxyType(
    {name: _stroking(habit) for name, habit in HABITS.items()}
    | {"absent": lambda noise, wander: AbsentHand()}
)
"""Every hand by name; call it with two sources of chance, for its rhythm and for its way."""


class UnknownHandError(ValueError):
    """The name is not in the library; the text says which names are."""


def make_hand(name: str, noise: Noise, wander: Noise) -> Hand:
    """Return the hand of that name; UnknownHandError names the ones that exist."""
    if name not in HANDS:
        raise UnknownHandError(f"there is no hand '{name}'; choose one of {', '.join(HANDS)}")
    return HANDS[name](noise, wander)
