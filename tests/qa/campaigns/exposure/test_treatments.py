"""Whole treatments by the thousand: what arms, faults, clients and tilts do to the figures."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from controller.config.locate import shipped_configs
from qa.campaigns.exposure.campaign import Figures, run
from qa.campaigns.exposure.coverage import coverage
from qa.campaigns.exposure.fault_responses import responses
from qa.campaigns.exposure.goals import gains_of, goals_of
from qa.campaigns.exposure.measure_faults import measure
from qa.campaigns.exposure.population import TOWARDS_BREACH, Tilt, draw_clients
from qa.campaigns.exposure.rows import Group, NoPlanError, Row, cell_of, plan_of, rows_of
from qa.campaigns.exposure.settings import Arm
from qa.campaigns.exposure.statistics import Estimate, Share, effective_count, weighted_mean
from qa.campaigns.exposure.treatments import FaultDraw, treat
from qa.campaigns.workers import Where
from qa.skin.sites import thickness_of
from qa.skin.tails import TAILS, Shape, Tail
from qa.skin.truth import Account, within_cv_of
from simulator.plant.faults import FAULTS

CONFIGS = shipped_configs()
FEW = 120
SMALL = Row(Group.PRESET, program="refresh", zones=("nose", "chin"))


def chance(row: Row, n: int = FEW, seed: int = 1, tilt: Tilt | None = None) -> Estimate:
    used = TOWARDS_BREACH[row.account] if tilt is None else tilt
    done = treat(cell_of(row, CONFIGS, used), n, np.random.default_rng(seed))
    return weighted_mean(done.skins.breach_chance, done.clients.weight)


def test_the_weights_of_tilted_clients_average_to_one() -> None:
    for account in Account:
        clients = draw_clients(40_000, account, np.random.default_rng(1), TOWARDS_BREACH[account])
        assert clients.weight.mean() == pytest.approx(1.0, abs=0.2)
        assert effective_count(clients.weight) > 100.0


def test_tilted_clients_are_the_same_population_as_plain_ones() -> None:
    rng = np.random.default_rng(2)
    plain = draw_clients(20_000, Account.WIDE, rng)
    tilted = draw_clients(20_000, Account.WIDE, rng, Tilt(-1.2, 1.0, 1.0))
    thin_plain = (plain.skin.thickness_mean_um < 0.7).mean()
    thin_tilted = ((tilted.skin.thickness_mean_um < 0.7) * tilted.weight).mean()
    assert thin_tilted == pytest.approx(thin_plain, rel=0.15)
    assert (tilted.skin.thickness_mean_um < 0.7).mean() > 3.0 * thin_plain


def test_importance_sampling_agrees_with_plain_sampling_where_that_reaches() -> None:
    row = replace(
        SMALL, account=Account.WIDE, hand="doubler", arm=Arm.NONE, tail=TAILS["harm-0.25"]
    )
    plain = chance(row, 4000, tilt=Tilt())
    tilted = chance(row, 4000, seed=2)
    error = float(np.hypot(plain.error, tilted.error))
    assert tilted.value == pytest.approx(plain.value, abs=4.0 * error)
    assert plain.value > 3.0 * plain.error


def test_slow_and_double_strokes_breach_more_without_interlocks_than_with_them() -> None:
    for hand in ("slow", "doubler", "talker"):
        row = replace(SMALL, hand=hand)
        assert chance(row).value < chance(replace(row, arm=Arm.NONE)).value


def test_a_whole_unknown_rate_breaches_more_than_the_central_one() -> None:
    assert chance(SMALL).value < chance(replace(SMALL, account=Account.WIDE)).value


def test_flakes_as_large_as_a_cell_breach_more_than_those_of_a_few_corneocytes() -> None:
    coarse = chance(replace(SMALL, tail=Tail(flake_mm=0.5)))
    fine = chance(replace(SMALL, tail=Tail(flake_mm=0.05)))
    assert fine.value < chance(SMALL).value < coarse.value


def test_a_campaign_asks_of_each_preset_about_every_tail_and_its_row_names_it() -> None:
    rows = [row for row in rows_of(CONFIGS, ["refresh", "hands"]) if row.group is Group.TAIL]
    assert [row.tail for row in rows] == 2 * list(TAILS.values())
    assert [row.label for row in rows] == [
        f"{program}, average hand, {name}" for program in ("refresh", "hands") for name in TAILS
    ]
    assert {row.account for row in rows} == {Account.POSTERIOR}


def test_a_row_of_another_question_says_what_tail_its_skin_has() -> None:
    row = replace(SMALL, tail=Tail(Shape.GAMMA, thin_spots=True))
    assert row.label == "refresh, nose, chin, average hand, gamma, thin-spots"


def test_the_key_of_a_row_has_its_question_its_limits_and_its_account() -> None:
    row = Row(Group.GRAIN, tail=Tail(flake_mm=0.5, correlation_mm=8.0))
    assert row.key == (
        "GRAIN: refresh, average hand, flakes 0.5 mm, patches 8 mm; interlocked; lowest "
        "plausible rate"
    )
    assert Row(Group.PRESET).key == (
        "PRESET: refresh, average hand; interlocked; lowest plausible rate"
    )


@pytest.mark.parametrize("name", ["gamma", "student-5", "thin-spots", "within-0.74", "streaks"])
def test_every_worse_tail_of_the_skin_breaches_more_than_the_central_one(name: str) -> None:
    assert chance(replace(SMALL, tail=TAILS[name])).value > 2.0 * chance(SMALL).value


def test_a_share_within_a_site_that_a_tail_fixes_is_that_of_every_client() -> None:
    cell = cell_of(replace(SMALL, tail=TAILS["within-0.5"]), CONFIGS)
    done = treat(cell, 10, np.random.default_rng(1))
    assert set(done.clients.skin.within_cv) == {within_cv_of(0.5)}


def test_more_crystals_than_the_ledger_sees_breach_more() -> None:
    row = replace(SMALL, account=Account.POSTERIOR)
    cell = cell_of(row, CONFIGS, TOWARDS_BREACH[Account.POSTERIOR])
    unseen = FaultDraw("unseen", (3.0,), (1.0,), (float("inf"),))
    seen = FaultDraw("seen", (3.0,), (3.0,), (float("inf"),))
    values = {}
    for name, fault in (("none", None), ("unseen", unseen), ("seen", seen)):
        done = treat(replace(cell, fault=fault), FEW, np.random.default_rng(1))
        values[name] = weighted_mean(done.skins.breach_chance, done.clients.weight).value
    assert values["none"] < values["seen"] < values["unseen"]


def test_every_fault_of_the_catalogue_was_measured_on_the_whole_service() -> None:
    assert set(responses()) == set(FAULTS)


@pytest.mark.parametrize("name", ["flow-runaway", "suction-a-gain"])
def test_measuring_a_fault_again_gives_what_the_file_says(name: str) -> None:
    told, again = responses()[name], measure(name, 1)
    assert again.lasts_s == pytest.approx(told.lasts_s[0], abs=0.3)
    assert again.true_gain == pytest.approx(told.true_gain[0], rel=0.25)


def test_a_phototype_that_is_derated_gets_less() -> None:
    light, dark = (
        plan_of(replace(SMALL, program="tone-safe", phototype=kind), CONFIGS) for kind in (2, 5)
    )
    assert dark.stages[0].cap_um < light.stages[0].cap_um


def test_a_row_that_the_controller_refuses_says_why() -> None:
    with pytest.raises(NoPlanError, match="years"):
        plan_of(replace(SMALL, age_years=85), CONFIGS)


def test_every_row_has_a_key_of_its_own() -> None:
    rows = rows_of(CONFIGS)
    assert len({row.key for row in rows}) == len(rows) > 150
    assert {row.fault for row in rows} >= set(FAULTS)
    assert {row.hand for row in rows} >= {"average", "careful", "talker", "doubler"}


def test_the_same_seed_gives_the_same_figures_whoever_works() -> None:
    rows = [replace(SMALL, zones=("nose",)), replace(SMALL, zones=("nose",), hand="slow")]
    alone = list(run(rows, 40, 7, CONFIGS, Where(workers=1)))
    shared = sorted(run(rows, 40, 7, CONFIGS, Where(workers=2)), key=lambda each: each.row.key)
    assert sorted(alone, key=lambda each: each.row.key) == shared
    other = list(run(rows, 40, 8, CONFIGS, Where(workers=1)))
    assert other[0].depth_um != alone[0].depth_um


def figures(row: Row, chance_of: float, early: int = 0, hits: int = 0, n: int = 10_000) -> Figures:
    return Figures(
        row, n, Share(hits, n), Estimate(chance_of, chance_of / 10.0), 0.0, (0.1, 0.2, 0.3),
        Share(0, 10_000), Share(0, 10_000), Share(early, 10_000), Share(0, 10_000), 0.5, 0.3, 1.0,
    )  # fmt: skip


def verdicts(*found: Figures) -> list[str]:
    return [goal.verdict.value for goal in goals_of({each.row: each for each in found})]


def test_a_goal_that_is_missed_is_told() -> None:
    good, bad = Row(Group.PRESET, "refresh"), Row(Group.PRESET, "clarify")
    assert verdicts(figures(good, 1e-6, n=40_000), figures(bad, 1e-6, early=200, hits=9)) == [
        "holds", "holds", "falls short", "falls short",
    ]  # fmt: skip


def test_an_estimate_alone_shows_nothing() -> None:
    row = Row(Group.PRESET, "even-bright")
    assert verdicts(figures(row, 1.6e-5, n=29_000))[0] == "undecided"
    assert verdicts(figures(row, 1.6e-5, n=30_000))[0] == "holds"


def test_three_of_forty_thousand_show_nothing_about_one_in_ten_thousand() -> None:
    row = Row(Group.PRESET, "even-bright")
    assert verdicts(figures(row, 1.6e-5, hits=3, n=40_000))[0] == "undecided"
    assert verdicts(figures(row, 1.6e-5, hits=9, n=40_000))[0] == "falls short"
    assert verdicts(figures(row, 1.6e-5, hits=3, n=100_000))[0] == "holds"
    assert verdicts(figures(row, 1.6e-5, hits=8, n=100_000))[0] == "falls short"


@pytest.mark.parametrize(
    ("tail", "hits", "verdict"),
    [("gamma", 3, "holds"), ("gamma", 9, "falls short"),
     ("student-5", 80, "holds"), ("student-5", 120, "falls short")],
)  # fmt: skip
def test_a_preset_is_held_to_one_in_a_thousand_with_gamma_and_to_one_in_a_hundred_with_any_tail(
    tail: str, hits: int, verdict: str
) -> None:
    row = Row(Group.TAIL, account=Account.POSTERIOR, tail=TAILS[tail])
    assert verdicts(figures(row, 1e-6, hits=hits)) == [verdict]


def test_a_careless_hand_is_held_against_nothing_at_all_where_that_is_not_rare() -> None:
    held = Row(Group.HAND, hand="slow")
    bare = replace(held, arm=Arm.NONE)
    few = figures(held, 1e-5)
    assert verdicts(few, figures(bare, 5e-4)) == ["falls short"]
    assert verdicts(few, figures(bare, 5e-3)) == ["holds"]
    assert verdicts(few, figures(bare, 5e-5)) == []


def test_what_interlocks_gain_is_told_of_every_hand_whether_or_not_it_is_a_goal() -> None:
    held = Row(Group.HAND, hand="average")
    rows = {arm: replace(held, arm=arm) for arm in Arm}
    chances = {Arm.INTERLOCKED: 2e-5, Arm.TIME_LIMIT: 2e-5, Arm.NONE: 3e-5}
    (gain,) = gains_of({row: figures(row, chances[arm]) for arm, row in rows.items()})
    assert (gain.interlocked, gain.timed, gain.bare) == (2e-5, 2e-5, 3e-5)
    assert gain.times == pytest.approx(1.5)


def test_the_coverage_factors_of_the_controller_hold_for_the_hands_of_the_library() -> None:
    model = plan_of(SMALL, CONFIGS).model
    seen, blind = (coverage(stops=stops, n=30)[-1] for stops in (False, True))
    assert seen.factor <= model.coverage_factor * 1.03
    assert blind.factor <= model.coverage_factor_blind
    assert model.coverage_factor <= 1.1 * seen.factor  # derived, not piled up


def test_the_published_thickness_of_a_zone_is_never_below_what_the_controller_counts_with() -> None:
    for stage in plan_of(Row(Group.PRESET, program="refresh"), CONFIGS).stages:
        assert thickness_of(stage.zone) * 0.35 >= stage.cap_um


def test_the_command_tells_rows_and_goals_as_one_object(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator.cli", "campaign", "treatments", "--n", "20",
         "--program", "patch-test", "--only", "lowest", "--workers", "1", "--json"],
        capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert told["seed"] == 1
    assert told["runs"] == 60
    assert told["violations"] == 0
    assert {row["limits"] for row in told["rows"]} == {"interlocked", "time limit", "no interlocks"}


def test_a_program_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator.cli", "campaign", "treatments",
         "--program", "nonsense"],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr
