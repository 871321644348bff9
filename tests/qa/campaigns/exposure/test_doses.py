"""Strokes and doses of many zones at once, against the same hand and grid one at a time."""

import math
from dataclasses import replace

import numpy as np
import pytest

from qa.campaigns.exposure.dose_map import PLACE_MM, WINDOW_MM, dose_map, histogram, window
from qa.campaigns.exposure.settings import Arm, ZoneSetting
from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.zone_runs import (
    DWELL_TRIP_S,
    Crystals,
    End,
    FaultCourse,
    ZoneRuns,
    run_zone,
)
from qa.skin.grid import SkinGrid
from qa.skin.truth import SkinTruth
from simulator.plant.habits import HABITS, Habit
from simulator.plant.path import position

WINDOW_MM2 = math.pi / 4.0 * WINDOW_MM**2
EVEN = replace(HABITS["careful"], lane_jitter_mm=0.0, speed_ln_sd=0.0, tremble_mm=0.0)


def setting(**changes: object) -> ZoneSetting:
    made = ZoneSetting(
        zone="cheek_left", area_cm2=30.0, passes=2, suction_kpa=28.0, flow_g_per_min=7.0,
        contact_budget_s=66.7, expected_contact_s=66.7, cap_um=3.5, moving_um_per_s=0.03,
        still_um_per_s=2.2, suction_dose_max_kpa_s=100.0, speed_mm_per_s=30.0, motion_sensor=True,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # by field name


def treated(
    zone: ZoneSetting, habit: Habit, arm: Arm = Arm.INTERLOCKED, n: int = 24, *,
    fault: FaultCourse | None = None, angles: bool = False,
) -> tuple[ZoneRuns, np.ndarray]:  # fmt: skip
    rng = np.random.default_rng(1)
    hands = Strokers(habit, zone.area_cm2, n, rng)
    runs = run_zone(zone, hands, arm, rng, fault, angles=angles)
    return runs, dose_map(runs, hands, slice(None), rng, fault)


def test_places_are_those_of_the_hand_of_the_simulated_handpiece() -> None:
    hands = Strokers(HABITS["average"], 14.0, 1, np.random.default_rng(1))
    for along_mm in (0.0, 10.0, 37.5, 75.0, 400.0, 487.0, 950.0):
        x_mm, y_mm = hands.places(np.array([along_mm], np.float32), np.array([0.7], np.float32))
        expected = position(along_mm, hands.side_mm, HABITS["average"].pitch_mm, 0.7)
        assert (float(x_mm[0]), float(y_mm[0])) == pytest.approx(expected, abs=1e-3)


def test_no_second_of_crystals_is_lost_or_made_on_the_way_to_the_map() -> None:
    for name in ("average", "drifter", "trembler", "talker", "doubler"):
        runs, seconds = treated(setting(), HABITS[name], Arm.TIME_LIMIT)
        spread = seconds.sum(axis=(1, 2)) * PLACE_MM**2
        assert spread == pytest.approx(runs.dose_s * WINDOW_MM2, rel=1e-3)


def test_an_even_hand_treats_the_inside_evenly() -> None:
    zone = setting(contact_budget_s=500.0, cap_um=1e9)
    _, seconds = treated(zone, EVEN, Arm.TIME_LIMIT)
    inner = seconds[:, 8:-8, 8:-8]
    assert float(inner.std() / inner.mean()) < 0.13  # lanes of 3 mm under a window of 6 mm ripple


def test_the_map_is_that_of_a_fine_grid_on_the_same_strokes() -> None:
    zone, habit = setting(), EVEN
    runs, seconds = treated(zone, habit, Arm.TIME_LIMIT, n=8)
    hands = Strokers(habit, zone.area_cm2, 8, np.random.default_rng(1))
    rows = []
    first = Crystals(*(each[:, 0] for each in runs.crystals))
    for moved_s, from_mm, speed in zip(
        first.moved_s, first.from_mm, first.speed_mm_per_s, strict=True
    ):
        for at_s in np.arange(0.0, float(moved_s), 0.005):
            along = float(from_mm + speed * (at_s + 0.3))
            rows.append((*position(along, hands.side_mm, habit.pitch_mm, 0.0), 10.0, 30.0, 0.005))
    truth = SkinTruth(10.0, 1.0, 0.3, 1.0, 1.0, 0.7, 1.0)
    skin = SkinGrid(hands.side_mm, truth, np.random.default_rng(2), cell_mm=0.5)
    skin.expose(np.array(rows))
    fine, coarse = np.sort(skin.depth_um.ravel())[::-1], np.sort(seconds[0].ravel())[::-1]
    for share in (0.001, 0.01, 0.1, 0.3):
        area_mm2 = share * zone.area_cm2 * 100.0
        expected = fine[int(area_mm2 / 0.25)]
        assert coarse[int(area_mm2 / PLACE_MM**2)] == pytest.approx(expected, rel=0.15)


def test_a_window_covers_its_own_area() -> None:
    shares = window()
    total = 9.0 * shares.inner + 4.0 * shares.beside + 8.0 * shares.next_beside
    assert total * PLACE_MM**2 == pytest.approx(WINDOW_MM2)


def test_a_histogram_keeps_the_area_that_has_enough_dose_to_matter() -> None:
    layers = np.zeros((2, 10, 10), np.float32)
    layers[0, :5] = 1.0
    layers[1, 0, 0] = 1e6
    area = histogram(layers)
    assert area.sum(axis=1) == pytest.approx([50 * PLACE_MM**2, PLACE_MM**2])
    assert area[1, -1] > 0.0


def test_time_ends_a_zone_with_and_without_interlocks_and_not_without_any_limit() -> None:
    for arm in (Arm.INTERLOCKED, Arm.TIME_LIMIT):
        runs, _ = treated(setting(), HABITS["average"], arm)
        assert set(runs.end.tolist()) == {End.TIME}
        assert runs.contact_s == pytest.approx(66.7, abs=0.01)
    runs, _ = treated(setting(), HABITS["slow"], Arm.NONE)
    assert set(runs.end.tolist()) == {End.HAND}
    assert float(runs.contact_s.min()) > 2.0 * 66.7


def test_the_cap_ends_a_zone_where_the_ledger_reaches_it() -> None:
    runs, _ = treated(setting(cap_um=1.0), HABITS["average"])
    assert set(runs.end.tolist()) == {End.CAP}
    assert runs.bound_um == pytest.approx(1.0, rel=1e-3)


def test_a_still_tip_is_stopped_by_the_ledger_or_by_the_dwell_interlock() -> None:
    stops = replace(HABITS["average"], pause_chance=1.0, pause_s=(5.0, 5.0))
    capped, _ = treated(setting(), stops)
    assert set(capped.end.tolist()) == {End.CAP}
    dwelt, _ = treated(setting(still_um_per_s=0.03), stops)
    assert set(dwelt.end.tolist()) == {End.DWELL}
    assert float(dwelt.still_max_s.max()) <= DWELL_TRIP_S + 0.2
    blind, _ = treated(setting(still_um_per_s=0.03, motion_sensor=False), stops)
    assert float(blind.still_max_s.max()) > DWELL_TRIP_S + 0.2


def test_a_fault_adds_what_it_was_measured_to_add_and_ends_when_it_is_noticed() -> None:
    n = 24
    for lasts_s, end in ((2.0, End.FAULT), (np.inf, End.TIME)):
        course = FaultCourse(
            np.full(n, 10.0, np.float32), np.full(n, 3.0, np.float32),
            np.full(n, 1.0, np.float32), np.full(n, lasts_s, np.float32),
        )  # fmt: skip
        runs, seconds = treated(setting(), EVEN, fault=course)
        assert set(runs.end.tolist()) == {end}
        added = seconds.sum(axis=(1, 2)) * PLACE_MM**2 / WINDOW_MM2
        expected = 10.0 + 3.0 * (runs.dose_s - 10.0)
        assert added == pytest.approx(expected, rel=0.05)
