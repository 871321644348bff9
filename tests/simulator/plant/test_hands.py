import itertools

import pytest

from simulator.plant.hand import AWAY, Grip, Hand, Lamp, ManualHand, physical
from simulator.plant.hands import HANDS, UnknownHandError, make_hand
from tests.simulator.plant.bench import dice

WORKERS = [name for name in HANDS if name != "absent"]


def watch(hand: Hand, lamp: Lamp, start_s: float, seconds: float) -> list[Grip]:
    return [hand.step(start_s + tick * 0.005, lamp) for tick in range(round(seconds / 0.005))]


def work(hand: Hand, seconds: float) -> list[Grip]:
    """Show READY whenever the switch is up and ON while it is down, as the device does."""
    grips: list[Grip] = []
    lamp = Lamp.READY
    for tick in range(round(seconds / 0.005)):
        grips.append(hand.step(tick * 0.005, lamp))
        lamp = Lamp.ON if grips[-1].switch_pressed else Lamp.READY
    return grips


def runs(grips: list[Grip], *, on_skin: bool) -> list[float]:
    """Return the lengths, in seconds, of the whole stretches on or off the skin."""
    stretches: list[tuple[bool, int]] = []
    for grip in grips:
        if stretches and stretches[-1][0] is grip.on_skin:
            stretches[-1] = (grip.on_skin, stretches[-1][1] + 1)
        else:
            stretches.append((grip.on_skin, 1))
    return [ticks * 0.005 for skin, ticks in stretches[1:-1] if skin is on_skin]


@pytest.mark.parametrize("name", HANDS)
def test_no_hand_touches_the_switch_before_the_lamp_says_ready(name: str) -> None:
    hand = make_hand(name, dice(1), dice(0))
    assert set(watch(hand, Lamp.OFF, 0.0, 20.0)) == {AWAY}


@pytest.mark.parametrize("name", WORKERS)
def test_a_working_hand_presses_within_a_second_and_a_half_of_ready(name: str) -> None:
    hand = make_hand(name, dice(1), dice(0))
    assert any(grip.switch_pressed for grip in watch(hand, Lamp.READY, 0.0, 1.5))


@pytest.mark.parametrize("lamp", [Lamp.TRIP, Lamp.OFF])
@pytest.mark.parametrize("name", WORKERS)
def test_a_working_hand_lets_go_and_stays_away_when_told(name: str, lamp: Lamp) -> None:
    hand = make_hand(name, dice(1), dice(0))
    work(hand, 5.0)
    after = watch(hand, lamp, 5.0, 10.0)
    assert set(after[200:]) == {AWAY}


@pytest.mark.parametrize("name", WORKERS)
def test_a_working_hand_starts_again_when_the_lamp_says_so(name: str) -> None:
    hand = make_hand(name, dice(1), dice(0))
    work(hand, 5.0)
    watch(hand, Lamp.TRIP, 5.0, 3.0)
    assert any(grip.switch_pressed for grip in watch(hand, Lamp.READY, 8.0, 1.5))


def test_an_average_hand_strokes_for_two_to_three_seconds_and_lifts_in_between() -> None:
    grips = work(make_hand("average", dice(3), dice(0)), 120.0)
    strokes, lifts = runs(grips, on_skin=True), runs(grips, on_skin=False)
    assert len(strokes) > 30
    assert all(1.99 <= stroke_s <= 3.01 for stroke_s in strokes)
    assert all(0.29 <= lift_s <= 2.7 for lift_s in lifts)
    speeds = {grip.speed_mm_per_s for grip in grips if grip.on_skin}
    assert len(speeds) > 30
    assert 20.0 < min(speeds) < max(speeds) < 45.0


@pytest.mark.parametrize("name", ["average", "careful", "slow", "hurried"])
def test_no_ordinary_hand_holds_the_switch_as_long_as_a_stuck_one(name: str) -> None:
    longest = held = 0
    for grip in work(make_hand(name, dice(4), dice(0)), 300.0):
        held = held + 1 if grip.switch_pressed else 0
        longest = max(longest, held)
    assert 1.0 < longest * 0.005 < 90.0


def test_a_careful_hand_presses_and_releases_only_on_the_skin() -> None:
    grips = work(make_hand("careful", dice(5), dice(0)), 60.0)
    for before, after in itertools.pairwise(grips):
        if before.switch_pressed is not after.switch_pressed:
            assert before.on_skin
            assert after.on_skin
    assert all(grip.on_skin for grip in grips if grip.switch_pressed)


@pytest.mark.hazard("H02")
def test_a_still_hand_neither_moves_nor_lifts() -> None:
    grips = work(make_hand("still", dice(6), dice(0)), 60.0)
    first = next(index for index, grip in enumerate(grips) if grip.on_skin)
    assert {(grip.on_skin, grip.speed_mm_per_s) for grip in grips[first:]} == {(True, 0.0)}


def test_a_press_that_the_device_ignored_is_made_anew() -> None:
    hand = make_hand("average", dice(7), dice(0))
    pressed = [grip.switch_pressed for grip in watch(hand, Lamp.READY, 0.0, 10.0)]
    changes = sum(a is not b for a, b in itertools.pairwise(pressed))
    assert changes >= 3


def test_a_held_switch_is_pressed_anew_when_the_host_paused_and_resumed() -> None:
    hand = make_hand("average", dice(8), dice(0))
    work(hand, 1.5)
    after = [grip.switch_pressed for grip in watch(hand, Lamp.READY, 1.5, 2.0)]
    assert after[0] is True
    assert False in after
    assert True in after[after.index(False) :]


def test_an_absent_hand_never_comes() -> None:
    assert set(work(make_hand("absent", dice(9), dice(0)), 60.0)) == {AWAY}


def test_a_hand_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(UnknownHandError, match="no hand 'left'; choose one of average, careful"):
        make_hand("left", dice(1), dice(0))


def test_a_manual_hand_does_as_told_and_gives_back_on_auto() -> None:
    hand = ManualHand(make_hand("average", dice(1), dice(0)))
    assert hand.step(0.0, Lamp.READY) == AWAY
    hand.place()
    hand.press()
    grip = hand.step(0.1, Lamp.READY)
    assert (grip.switch_pressed, grip.on_skin) == (True, True)
    hand.release()
    assert hand.step(0.2, Lamp.READY).on_skin
    hand.lift()
    assert hand.step(60.0, Lamp.TRIP) == AWAY
    hand.auto()
    hand.step(60.1, Lamp.READY)
    assert hand.step(61.0, Lamp.READY).switch_pressed


def test_releasing_in_mid_stroke_leaves_the_tip_on_the_skin() -> None:
    hand = ManualHand(make_hand("average", dice(1), dice(0)))
    hand.step(0.0, Lamp.READY)
    assert hand.step(1.0, Lamp.READY).switch_pressed
    hand.release()
    grip = hand.step(1.1, Lamp.ON)
    assert (grip.switch_pressed, grip.on_skin) == (False, True)


@pytest.mark.parametrize(("seal", "on_skin"), [(0.9, False), (float("nan"), True), (-1.0, True)])
def test_a_seal_that_cannot_be_is_none(seal: float, on_skin: bool) -> None:  # noqa: FBT001
    grip = Grip(switch_pressed=False, on_skin=on_skin, seal=seal, speed_mm_per_s=0.0)
    assert physical(grip).seal == 0.0
