"""What decides depth and breaches: the indices, where they are known and where they must differ."""

import numpy as np
import pytest

from controller.config.locate import shipped_configs
from qa.campaigns.exposure import sobol
from qa.campaigns.exposure.sobol import INPUTS, indices
from qa.skin.truth import Account


@pytest.fixture(scope="module")
def found() -> sobol.Indices:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sobol, "POWER", 7)
        return indices(1, shipped_configs())


def test_every_hidden_number_has_both_indices_of_both_outputs(found: sobol.Indices) -> None:
    for of in (found.depth, found.log_chance):
        assert {each.name for each in of} == set(INPUTS)
        assert [each.total for each in of] == sorted((each.total for each in of), reverse=True)
        assert sum(each.first for each in of) < 1.2


def test_the_mean_depth_does_not_ask_how_thick_the_skin_is(found: sobol.Indices) -> None:
    totals = {each.name: each.total for each in found.depth}
    assert totals["rate"] > 0.5
    assert max(totals["thickness"], totals["within"]) < 0.02


def test_the_chance_of_a_breach_asks_for_rate_and_thickness_alike(found: sobol.Indices) -> None:
    totals = {each.name: each.total for each in found.log_chance}
    assert {name for name, total in totals.items() if total > 0.1} >= {
        "rate",
        "within",
        "thickness",
    }


def test_a_rate_that_is_the_same_for_all_decides_nothing() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sobol, "POWER", 6)
        told = indices(1, shipped_configs(), Account.LOWEST)
    assert {each.total for each in told.depth if each.name == "rate"} == {0.0}


def test_the_inputs_are_spread_as_the_clients_of_a_campaign_are() -> None:
    rng = np.random.default_rng(1)
    skin, unit_flow = sobol._clients(Account.WIDE, rng.random((len(INPUTS), 100_000)))
    assert skin.thickness_mean_um.mean() == pytest.approx(1.0, rel=0.01)
    assert skin.layer_um.mean() == pytest.approx((0.5 + 1.0 + 1.3) / 3, rel=0.01)
    assert np.quantile(skin.rate_um_per_s, (0.025, 0.975)) == pytest.approx((0.4, 8.0), rel=0.05)
    assert (unit_flow.min(), unit_flow.max()) == pytest.approx((0.9, 1.1), abs=0.01)
