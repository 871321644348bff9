"""The instruments that a measured patch may name."""

from pathlib import Path

import pytest

from controller.safety.instruments import INSTRUMENTS, Instrument
from controller.safety.patch_reading import FLOOR_SD

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "PRACTITIONER.md"


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_the_guide_tells_each_instrument_with_its_noise_and_source(instrument: Instrument) -> None:
    row = (
        f"| `{instrument.name}` | {instrument.display} | {instrument.noise_um:g} | "
        f"{FLOOR_SD * instrument.noise_um:g} | {instrument.confidence} | {instrument.source} |"
    )
    assert row in GUIDE.read_text("utf-8").splitlines()


def test_what_no_publication_gives_is_called_derived_or_assumed() -> None:
    assert {each.confidence for each in INSTRUMENTS.values()} == {"derived", "assumed"}


def test_the_noise_of_raman_covers_the_scatter_of_two_algorithms_on_the_same_spectra() -> None:
    slope_um, intersection_um, correlation = 2.6, 2.8, 0.899  # Skin Res Technol 2018;24:504-508
    scatter_um2 = slope_um**2 + intersection_um**2 - 2 * correlation * slope_um * intersection_um
    assert scatter_um2**0.5 == pytest.approx(1.23, abs=0.01)
    assert INSTRUMENTS["confocal-raman"].noise_um >= scatter_um2**0.5
