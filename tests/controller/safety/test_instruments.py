"""The instruments that a measured patch may name."""

import math

import pytest

from controller.safety.instruments import INSTRUMENTS


def test_a_depth_is_seen_from_twice_the_noise_on() -> None:
    raman = INSTRUMENTS["confocal-raman"]
    assert raman.sees(2.6)
    assert not raman.sees(math.nextafter(2.6, 0.0))
    assert not raman.sees(math.nan)


def test_water_loss_sees_no_depth_in_one_person() -> None:
    assert not INSTRUMENTS["tewl"].sees(math.inf)


def test_the_noise_of_raman_covers_the_scatter_of_two_algorithms_on_the_same_spectra() -> None:
    slope_um, intersection_um, correlation = 2.6, 2.8, 0.899  # Skin Res Technol 2018;24:504-508
    scatter_um2 = slope_um**2 + intersection_um**2 - 2 * correlation * slope_um * intersection_um
    assert scatter_um2**0.5 == pytest.approx(1.23, abs=0.01)
    assert (INSTRUMENTS["confocal-raman"].noise_um or 0.0) >= scatter_um2**0.5
