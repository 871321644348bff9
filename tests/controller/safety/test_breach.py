"""The share of points without stratum corneum: against sampling, and at its edges."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.breach import (
    LAYERS_MAX,
    Layered,
    breach_risk,
    depth_at_risk_um,
    local_cv,
    p95_factor,
)
from controller.safety.skin import layered, risk_cap_um

SKIN = load_skin(shipped_configs())
FACE = Layered(9.0, 1.0, 0.373)
ERROR_LN_SD = 0.9

skins = st.builds(
    Layered, st.floats(5.0, 18.0), st.floats(0.8, 1.5), st.floats(0.2, 0.6)
)  # fmt: skip


def sampled(bound_um: float, skin: Layered, error_ln_sd: float, points: int) -> float:
    """The same share by drawing thickness, error and layers one point at a time."""
    chance = random.Random(7)  # noqa: S311 - it draws points of skin
    variance = math.log1p(skin.local_cv**2)
    gone = 0
    for _ in range(points):
        thickness_um = skin.thickness_um * chance.lognormvariate(-variance / 2, variance**0.5)
        there = max(1, math.ceil(thickness_um / skin.layer_um))
        error = math.exp(error_ln_sd * (chance.gauss(0.0, 1.0) - 1.645))
        left_s, removed = bound_um / skin.layer_um * error, 0
        while (left_s := left_s - chance.expovariate(1.0)) > 0.0:
            removed += 1
        gone += removed >= there
    return gone / points


@pytest.mark.parametrize(
    ("bound_um", "skin", "error_ln_sd"),
    [
        (3.15, FACE, 0.9),
        (8.0, FACE, 0.9),
        (8.0, FACE, 0.3),
        (5.0, Layered(10.0, 0.9, 0.5), 1.2),
    ],
)
def test_the_share_is_that_of_points_drawn_one_by_one(
    bound_um: float, skin: Layered, error_ln_sd: float
) -> None:
    points = 20_000
    found, drawn = (
        breach_risk(bound_um, skin, error_ln_sd),
        sampled(bound_um, skin, error_ln_sd, points),
    )
    assert found == pytest.approx(drawn, abs=4.0 * math.sqrt(found / points))


@pytest.mark.parametrize(("cv", "low", "high"), [(0.33, 0.007, 0.010), (0.45, 0.010, 0.014)])
def test_a_cap_of_0_35_of_the_thickness_means_about_one_point_in_a_hundred(
    cv: float, low: float, high: float
) -> None:
    assert low <= breach_risk(0.35 * 9.0, FACE._replace(local_cv=cv), ERROR_LN_SD) <= high


@pytest.mark.hazard("H01")
@given(skin=skins, error_ln_sd=st.floats(0.9, 1.8), risk=st.floats(1e-4, 0.01))
def test_at_the_depth_of_a_risk_it_is_within_and_a_little_deeper_it_is_not(
    skin: Layered, error_ln_sd: float, risk: float
) -> None:
    depth_um = depth_at_risk_um(skin, error_ln_sd, risk)
    assert breach_risk(depth_um, skin, error_ln_sd) <= risk
    if 0.0 < depth_um < 0.999 * skin.thickness_um:
        assert breach_risk(depth_um + 0.001 * skin.thickness_um, skin, error_ln_sd) > risk


@given(skin=skins, bound_um=st.floats(0.0, 60.0), more_um=st.floats(0.0, 10.0))
def test_deeper_or_more_uneven_skin_is_never_safer(
    skin: Layered, bound_um: float, more_um: float
) -> None:
    risk = breach_risk(bound_um, skin, ERROR_LN_SD)
    assert 0.0 <= risk <= breach_risk(bound_um + more_um, skin, ERROR_LN_SD) + 1e-9
    assert risk <= 1.0


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("bound_um", [math.nan, math.inf, -0.1])
def test_a_depth_that_is_not_known_breaches_everywhere(bound_um: float) -> None:
    assert breach_risk(bound_um, FACE, ERROR_LN_SD) == 1.0


def test_nothing_removed_breaches_nowhere_and_everything_everywhere() -> None:
    assert breach_risk(0.0, FACE, ERROR_LN_SD) == 0.0
    assert breach_risk(1e5, FACE, ERROR_LN_SD) == pytest.approx(1.0, abs=1e-5)


def test_a_skin_of_more_layers_than_any_is_not_summed_for_ever() -> None:
    assert breach_risk(10.0, Layered(5000.0, 1.0, 0.4), ERROR_LN_SD) <= 1e-6
    assert LAYERS_MAX < 5000


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    "skin",
    [
        Layered(0.0, 1.0, 0.4), Layered(9.0, 0.0, 0.4), Layered(9.0, 1.0, 0.0),
        Layered(math.nan, 1.0, 0.4),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_leaves_no_depth(skin: Layered) -> None:
    assert depth_at_risk_um(skin, ERROR_LN_SD, 0.01) == 0.0


def test_the_spread_at_a_point_is_larger_than_that_between_people() -> None:
    assert local_cv(0.23, 0.5) == pytest.approx(0.325, abs=1e-3)
    assert local_cv(0.23, 0.74) == pytest.approx(0.451, abs=1e-3)
    assert p95_factor(0.9) == pytest.approx(4.395, abs=1e-3)


def test_the_fewer_of_counted_layers_and_those_that_fit_are_taken() -> None:
    cheek, back = SKIN.site("cheek_left"), SKIN.site("back_upper_left")
    assert cheek is not None
    assert back is not None
    assert layered(cheek, SKIN.rules).layer_um == pytest.approx(12.0 / 9.0)
    assert layered(back, SKIN.rules).layer_um == 1.0


def test_every_site_has_a_cap_by_risk_near_a_third_of_its_thickness() -> None:
    for site in SKIN.sites:
        cap_um = risk_cap_um(SKIN, site)
        assert (0.30 * site.sc_nom_um < cap_um < 0.42 * site.sc_nom_um) is site.selectable
