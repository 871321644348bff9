"""The steps of 5 ms in closed form against plain Euler steps of 1 ms, and of a tenth of that."""

import dataclasses
from math import exp, sin, sqrt

import pytest

from simulator.plant.hand import AWAY, Grip, Lamp
from simulator.plant.hands import AbsentHand
from simulator.plant.plant import Drives, Plant, PlantTruth
from simulator.plant.spec import CHOKE_KPA, LAMINAR_KPA, PlantSpec
from tests.simulator.plant.bench import dice

SPAN_S = 5.0
VENTED_S = 4.3
FAULTS = ("", "hose-off", "pump-runaway", "filter-loaded", "valve-slow", "valve-leak", "pump-weak")
SCALES = {"suction_kpa": 30.0, "feed_g_per_min": 8.0, "flow_g_per_min": 8.0, "held_g": 0.004,
          "pump_speed": 0.4, "valve_open": 0.4}  # fmt: skip


class Euler(Plant):
    """The same plant in many small straight steps, as it was integrated at first."""

    per_ms = 1

    def _run(self, steps: int) -> None:
        air, crystals, truth = self._air, self._crystals, self.truth
        step_s = 0.001 / self.per_ms
        share, empty = 1.0 - exp(-step_s / air.pump_lag_s), 1.0 - exp(-step_s / crystals.hold_up_s)
        close, rise = step_s * crystals.close_per_s, step_s * crystals.open_per_s
        for _ in range(steps * self.per_ms):
            truth.pump_speed += (self._pump_drive - truth.pump_speed) * share
            way = self._valve_target - truth.valve_open
            truth.valve_open += min(max(way, -close), rise)
            head = min(truth.suction_kpa, CHOKE_KPA)
            root = head / sqrt(head + LAMINAR_KPA)
            speed = truth.pump_speed
            pumped = speed * air.pump_flow * (air.dead_head_kpa - truth.suction_kpa)
            drawn = max(pumped / (1.0 + speed * air.drag) - air.bleed * root, 0.0)
            opening = truth.valve_open + crystals.leak
            net = drawn - (air.inlet + air.carrier * opening) * root
            truth.suction_kpa += air.kpa_per_l * net * step_s
            above = truth.suction_kpa - air.relief_kpa
            if above > 0.0:
                truth.suction_kpa -= above * (1.0 - air.relief_keeps ** (1.0 / self.per_ms))
            passed = opening * crystals.feed * root * step_s
            self._fed_g += passed
            truth.held_g += passed - truth.held_g * empty


class Strokes(AbsentHand):
    """Two seconds on the skin, half a second off it."""

    on = Grip(switch_pressed=True, on_skin=True, seal=0.985, speed_mm_per_s=30.0)

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        on_skin = now_s % 2.5 < 2.0
        return self.on if on_skin else AWAY


def run(kind: type[Plant], fault: str) -> list[PlantTruth]:
    """Return the truth every 5 ms of strokes, restless drives and a venting at the end."""
    plant = kind(PlantSpec(), Strokes(), dice(1))
    truths = []
    if fault:
        plant.faults.set(fault)
    for tick in range(round(SPAN_S / 0.005)):
        now_s = tick * 0.005
        drives = Drives()
        if now_s < VENTED_S:
            working = 0.3 < now_s % 2.5 < 2.0
            drives = Drives(pump=0.4 + 0.2 * sin(5.0 * now_s), vent_closed=True)
            drives.valve = 0.4 + 0.05 * sin(300.0 * now_s) if working else 0.0
        plant.advance(drives, 5)
        truths.append(dataclasses.replace(plant.truth))
    return truths


def worst(ours: list[PlantTruth], theirs: list[PlantTruth], name: str) -> float:
    """Return by how much they ever differ, as a share of what is usual."""
    pairs = zip(ours, theirs, strict=True)
    return float(max(abs(getattr(a, name) - getattr(b, name)) for a, b in pairs)) / SCALES[name]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_numbers_are_those_of_small_steps_to_better_than_one_percent(fault: str) -> None:
    ours, theirs = run(Plant, fault), run(Euler, fault)
    assert worst(ours, theirs, "suction_kpa") < 0.01
    assert worst(ours, theirs, "pump_speed") < 0.01
    assert worst(ours, theirs, "flow_g_per_min") < 0.01
    grams = theirs[-1].through_valve_g
    assert ours[-1].through_valve_g == pytest.approx(grams, rel=0.01)
    assert ours[-1].waste_g + ours[-1].ejected_g == pytest.approx(grams, rel=0.01)


def test_most_of_what_is_left_is_the_error_of_the_small_steps() -> None:
    class Finer(Euler):
        per_ms = 10

    fine, ours, coarse = run(Finer, ""), run(Plant, ""), run(Euler, "")
    assert 5.0 * worst(ours, fine, "suction_kpa") < worst(coarse, fine, "suction_kpa")
    assert all(worst(ours, fine, name) < 0.006 for name in SCALES)


def test_drives_that_change_within_a_sample_count_from_there() -> None:
    plants = [Plant(PlantSpec(), Strokes(), dice(1)) for _ in range(2)]
    closed, opened = Drives(vent_closed=True), Drives(valve=1.0, vent_closed=True)
    for plant, cuts in zip(plants, ((2, 3), (1, 1, 1, 2)), strict=True):
        passed = 0
        for cut in cuts:
            plant.advance(closed if passed < 2 else opened, cut)
            passed += cut
    assert plants[0].truth == plants[1].truth
    assert plants[0].truth.valve_open == pytest.approx(0.003 / PlantSpec().valve_open_s)
