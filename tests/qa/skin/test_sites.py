import math

import pytest

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from qa.skin.sites import PUBLISHED, Method, UnknownZoneError, thickness_of


def test_every_zone_that_a_program_may_treat_has_skin_and_no_other_has() -> None:
    sites = load_skin(shipped_configs()).sites
    assert set(PUBLISHED) == {site.zone for site in sites if site.selectable}


def test_simulated_skin_is_the_mean_of_the_methods_and_each_counts_once() -> None:
    raman_um = (16.8 + 12.8) / 2
    assert thickness_of("cheek_left") == pytest.approx((raman_um + 9.0 + 14.1) / 3)


@pytest.mark.parametrize("zone", PUBLISHED)
def test_no_site_rests_on_one_method_alone(zone: str) -> None:
    assert len({row.method for row in PUBLISHED[zone]}) >= 2
    assert all(math.isfinite(row.um) and row.um > 0.0 for row in PUBLISHED[zone])
    assert all(row.source for row in PUBLISHED[zone])
    lowest, highest = (f(row.um for row in PUBLISHED[zone]) for f in (min, max))
    assert lowest < thickness_of(zone) < highest


def test_layers_are_counted_at_one_micrometre_each() -> None:
    layers = {row.um for rows in PUBLISHED.values() for row in rows if row.method is Method.LAYERS}
    assert layers == {8.0, 9.0, 10.0, 13.0, 15.0}


def test_a_zone_without_skin_is_refused_by_name() -> None:
    with pytest.raises(UnknownZoneError, match="no skin is known for 'lips'; choose one of fore"):
        thickness_of("lips")
