"""Where the hands of the library go: the way over the skin, apart from its rhythm."""

import dataclasses
import itertools
import math
import statistics
from typing import NamedTuple

import pytest

from simulator.plant.habits import HABITS, Habit
from simulator.plant.hand import CORNER, Grip, Hand, Lamp, ManualHand, Place
from simulator.plant.hands import HANDS, StrokingHand, make_hand
from simulator.plant.path import AREA_DEFAULT_CM2, position, side_of
from tests.simulator.plant.bench import dice

PERFECT = Habit(speed_ln_sd=0.0, lane_jitter_mm=0.0, repeat_chance=0.0, tremble_mm=0.0)
TICK_S = 0.005


class Seen(NamedTuple):
    """One look at a hand at work."""

    grip: Grip
    x_mm: float
    y_mm: float

    @property
    def place(self) -> Place:
        return self.x_mm, self.y_mm


def work(hand: Hand, seconds: float, start_s: float = 0.0, lamp: Lamp = Lamp.READY) -> list[Seen]:
    """Show READY whenever the switch is up and ON while it is down, as the device does."""
    seen: list[Seen] = []
    for tick in range(round(seconds / TICK_S)):
        now_s = start_s + tick * TICK_S
        grip = hand.step(now_s, lamp)
        seen.append(Seen(grip, *hand.where(now_s)))
        lamp = Lamp.ON if grip.switch_pressed else Lamp.READY
    return seen


def hand_of(habit: Habit, seed: int = 1) -> StrokingHand:
    return StrokingHand(habit, dice(seed), dice(seed + 1000))


def strokes(looks: list[Seen]) -> list[list[Seen]]:
    """Return the whole stretches on the skin."""
    found: list[list[Seen]] = [[]]
    for seen in looks:
        if seen.grip.on_skin:
            found[-1].append(seen)
        elif found[-1]:
            found.append([])
    return found[:-1]


def on_skin(looks: list[Seen]) -> list[Seen]:
    return [seen for seen in looks if seen.grip.on_skin]


def test_the_library_has_the_hands_that_are_promised() -> None:
    names = "average careful hurried slow uneven talker doubler drifter trembler still absent"
    assert set(HANDS) == set(names.split())
    assert set(HANDS) - set(HABITS) == {"absent"}


def test_the_way_goes_on_from_where_the_last_stroke_ended() -> None:
    for number, seen in enumerate(on_skin(work(hand_of(PERFECT), 60.0))):
        along_mm = number * PERFECT.speed_mm_per_s * TICK_S
        expected = position(along_mm, side_of(AREA_DEFAULT_CM2), PERFECT.pitch_mm, 0.0)
        assert seen.place == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", HABITS)
def test_the_rhythm_of_a_hand_does_not_depend_on_its_way(name: str) -> None:
    habit = dataclasses.replace(HABITS[name], pause_chance=0.0)  # a stop does make a stroke longer
    first = work(StrokingHand(habit, dice(1), dice(2)), 40.0)
    second = work(StrokingHand(habit, dice(1), dice(3)), 40.0)
    assert [seen.grip[:3] for seen in first] == [seen.grip[:3] for seen in second]
    assert name == "still" or first != second


@pytest.mark.parametrize("name", HABITS)
def test_the_same_chance_gives_the_same_way(name: str) -> None:
    first = work(make_hand(name, dice(1), dice(2)), 40.0)
    assert first == work(make_hand(name, dice(1), dice(2)), 40.0)


def test_strokes_are_off_their_lane_by_as_much_as_the_habit_says() -> None:
    habit = dataclasses.replace(PERFECT, lane_jitter_mm=1.5)
    hand, off = hand_of(habit), []
    for _ in range(400):
        hand._aim()
        off.append(hand._off_lane_mm)
    assert statistics.mean(off) == pytest.approx(0.0, abs=0.25)
    assert statistics.stdev(off) == pytest.approx(1.5, rel=0.1)


def test_the_speed_varies_from_stroke_to_stroke_and_not_within_one() -> None:
    habit = dataclasses.replace(PERFECT, speed_ln_sd=0.3)
    made = strokes(work(hand_of(habit), 600.0))
    speeds = [{seen.grip.speed_mm_per_s for seen in one} for one in made]
    assert all(len(each) == 1 for each in speeds)
    logs = [math.log(each.pop() / habit.speed_mm_per_s) for each in speeds]
    assert statistics.mean(logs) == pytest.approx(0.0, abs=0.06)
    assert statistics.stdev(logs) == pytest.approx(0.3, rel=0.15)


def test_a_talker_stops_now_and_then_with_the_switch_pressed() -> None:
    made = strokes(work(make_hand("talker", dice(1), dice(2)), 900.0))
    stops = [[seen for seen in one if seen.grip.speed_mm_per_s == 0.0] for one in made]
    stopped = [stop for stop in stops if stop]
    assert 0.08 < len(stopped) / len(made) < 0.25
    assert all(0.79 <= len(stop) * TICK_S <= 3.01 for stop in stopped)
    assert all(seen.grip.switch_pressed for stop in stopped for seen in stop)
    assert all(math.dist(seen.place, stop[0].place) <= 0.21 for stop in stopped for seen in stop)


def test_a_doubler_goes_over_strokes_once_more_and_never_twice_more() -> None:
    habit = dataclasses.replace(PERFECT, repeat_chance=0.5)
    begins = [one[0].place for one in strokes(work(hand_of(habit), 600.0))]
    repeats = [a == pytest.approx(b) for a, b in itertools.pairwise(begins)]
    assert 0.2 < sum(repeats) / len(repeats) < 0.45
    assert not any(a and b for a, b in itertools.pairwise(repeats))


def test_a_drifter_leaves_the_zone_more_with_every_stroke_of_the_first_pass() -> None:
    habit = dataclasses.replace(PERFECT, drift_mm=HABITS["drifter"].drift_mm)
    made = strokes(work(hand_of(habit), 40.0))
    meant = strokes(work(hand_of(PERFECT), 40.0))
    offs = [one[0].y_mm - other[0].y_mm for one, other in zip(made, meant, strict=True)]
    assert offs[0] == 0.0
    assert offs == sorted(offs)
    farthest_mm = max(seen.y_mm for seen in work(hand_of(habit), 50.0))
    assert farthest_mm > side_of(AREA_DEFAULT_CM2) + 3.0


def test_a_trembler_swings_sideways_nine_times_a_second() -> None:
    habit = dataclasses.replace(PERFECT, tremble_mm=2.0)
    one = strokes(work(hand_of(habit), 5.0))[0]
    meant = strokes(work(hand_of(PERFECT), 5.0))[0]
    off = [seen.y_mm - other.y_mm for seen, other in zip(one, meant, strict=True)][:200]
    assert max(off) == pytest.approx(2.0, rel=0.05)
    assert min(off) == pytest.approx(-2.0, rel=0.05)
    assert sum(a < 0.0 <= b for a, b in itertools.pairwise(off)) in {8, 9, 10}


def test_a_new_zone_begins_at_its_corner_with_the_next_stroke() -> None:
    hand = hand_of(PERFECT)
    work(hand, 1.5)
    hand.begin_zone(4.0)
    hand.step(1.5, Lamp.ON)
    assert hand.where(1.5)[0] > 10.0  # the stroke under way stays where it is
    made = strokes(work(hand, 60.0, 1.505, Lamp.ON))[1:]
    assert made[0][0].place == pytest.approx(position(0.0, 20.0, 3.0, 0.0))
    assert max(seen.x_mm for one in made for seen in one) <= 20.0


def test_a_hand_moved_by_hand_strokes_over_the_zone_too() -> None:
    hand = ManualHand(make_hand("absent", dice(1), dice(2)))
    hand.begin_zone(4.0)
    assert hand.where(0.0) == CORNER
    hand.step(1.0, Lamp.READY)
    hand.place()
    hand.step(3.0, Lamp.READY)
    assert hand.where(3.0) == pytest.approx(position(60.0, 20.0, 3.0, 0.0))
    hand.hold_still()
    assert hand.where(9.0) == pytest.approx(position(60.0, 20.0, 3.0, 0.0))
    hand.auto()
    assert hand.where(9.0) == CORNER
