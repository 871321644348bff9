import dataclasses
import json

import numpy as np
import pytest

from qa.skin.belief_file import BELIEF_FILE
from qa.skin.sites import thickness_of
from qa.skin.truth import (
    Account,
    SkinTruth,
    SkinTruths,
    draw_angles,
    draw_truth,
    draw_truths,
    ln_rate_of,
    rate_under_tip,
)

COUNT = 20_000
TRUTH = SkinTruth(
    thickness_mean_um=12.0,
    layer_um=1.0,
    within_cv=0.3,
    hydration=1.0,
    rate_um_per_s=0.75,
    suction_exponent=0.7,
    flow_exponent=1.0,
)


def drawn(account: Account, seed: int = 1) -> SkinTruths:
    return draw_truths("forehead", COUNT, np.random.default_rng(seed), account)


def test_clients_differ_in_thickness_by_the_published_spread_around_the_mean_of_methods() -> None:
    thickness = drawn(Account.LOWEST).thickness_mean_um
    assert thickness.mean() == pytest.approx(thickness_of("forehead"), rel=0.01)
    assert thickness.std() / thickness.mean() == pytest.approx(0.23, rel=0.03)


def test_layers_and_spread_stay_in_the_published_ranges() -> None:
    some = drawn(Account.WIDE)
    assert 0.5 <= some.layer_um.min() < some.layer_um.max() <= 1.3
    assert some.layer_um.mean() == pytest.approx((0.5 + 1.0 + 1.3) / 3, rel=0.01)
    assert some.within_cv.min() == pytest.approx(0.23, abs=0.005)
    assert some.within_cv.max() == pytest.approx(0.388, abs=0.005)
    assert np.median(some.hydration) == pytest.approx(1.0, rel=0.02)
    assert np.log(some.hydration).std() == pytest.approx(0.3, rel=0.03)


def test_the_lowest_plausible_rate_is_the_same_for_all_clients() -> None:
    some = drawn(Account.LOWEST)
    assert set(some.rate_um_per_s) == {0.75}
    assert set(some.suction_exponent) == {0.7}
    assert set(some.flow_exponent) == {1.0}


def test_the_wide_account_draws_the_rate_and_its_exponents_too() -> None:
    some = drawn(Account.WIDE)
    assert np.quantile(some.rate_um_per_s, (0.025, 0.975)) == pytest.approx((0.4, 8.0), rel=0.05)
    assert 0.2 <= some.suction_exponent.min() < 0.25
    assert 1.15 < some.suction_exponent.max() <= 1.2
    assert 0.7 <= some.flow_exponent.min() < some.flow_exponent.max() <= 1.0


def test_the_posterior_account_draws_what_the_anchors_leave() -> None:
    some, said = drawn(Account.POSTERIOR), json.loads(BELIEF_FILE.read_text("utf-8"))
    known = {each["name"]: each["posterior"] for each in said["known"]}
    low, _, middle, _, high = known["open_rate_um_per_s"]
    found = np.quantile(some.rate_um_per_s, (0.025, 0.5, 0.975))
    assert found == pytest.approx(
        (low, middle, high), rel=0.08
    )  # a lognormal, of what is nearly one
    for name in ("suction_exponent", "flow_exponent"):
        assert getattr(some, name).mean() == pytest.approx(known[name][2], abs=0.03)
    assert 0.2 <= some.suction_exponent.min() < some.suction_exponent.max() <= 1.2
    assert 0.7 <= some.flow_exponent.min() < some.flow_exponent.max() <= 1.0


def test_a_tilted_rate_is_higher_by_so_many_standard_deviations_and_takes_its_exponents_along() -> (
    None
):
    plain, tilted = (
        draw_truths("forehead", COUNT, np.random.default_rng(1), Account.POSTERIOR, tilt)
        for tilt in (0.0, 1.5)
    )
    moved = np.log(tilted.rate_um_per_s / plain.rate_um_per_s)
    assert moved == pytest.approx(np.full(COUNT, 1.5 * ln_rate_of(Account.POSTERIOR)[1]))
    assert np.array_equal(plain.thickness_mean_um, tilted.thickness_mean_um)


def test_every_account_draws_the_same_clients() -> None:
    lowest, *others = (drawn(account) for account in Account)
    for name in ("thickness_mean_um", "layer_um", "within_cv", "hydration"):
        for other in others:
            assert np.array_equal(getattr(lowest, name), getattr(other, name))


def test_the_same_seed_gives_the_same_client_and_another_seed_another() -> None:
    one, same, other = (draw_truth("nose", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_the_angle_of_the_tip_varies_from_stroke_to_stroke() -> None:
    angles = draw_angles(COUNT, np.random.default_rng(1))
    assert np.median(angles) == pytest.approx(1.0, rel=0.02)
    assert np.log(angles).std() == pytest.approx(0.35, rel=0.03)


def test_the_rate_is_the_published_one_at_the_reference() -> None:
    assert rate_under_tip(TRUTH, 10.0, 30.0) == pytest.approx(0.75)
    moist = dataclasses.replace(TRUTH, hydration=1.5)
    assert rate_under_tip(moist, 10.0, 30.0) == pytest.approx(1.5 * 0.75)


def test_the_rate_grows_with_flow_and_suction_by_their_exponents_up_to_the_choke() -> None:
    truth = dataclasses.replace(TRUTH, flow_exponent=0.8)
    at = rate_under_tip(truth, 10.0, 20.0)
    assert rate_under_tip(truth, 20.0, 20.0) / at == pytest.approx(2.0**0.8)
    assert rate_under_tip(truth, 10.0, 40.0) / at == pytest.approx(2.0**0.7)
    assert rate_under_tip(truth, 10.0, 48.0) == rate_under_tip(truth, 10.0, 60.0)


def test_nothing_is_removed_without_crystals_or_suction() -> None:
    assert rate_under_tip(TRUTH, 0.0, 30.0) == 0.0
    assert rate_under_tip(TRUTH, 10.0, 0.0) == 0.0
    assert rate_under_tip(TRUTH, 10.0, -1.0) == 0.0
