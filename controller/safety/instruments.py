"""What can tell how much stratum corneum is gone, and how finely.

``noise_um`` is the standard deviation of one reading of removed depth, before minus after on the
same place, in µm of stratum corneum. No publication gives it as such for any of them: it is derived
or assumed, as each row says, on the coarse side. A row may be replaced by what a clinic has
measured with its own instrument.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Instrument:
    """One way of measuring; ``confidence`` is ``derived`` from what is cited, or ``assumed``."""

    name: str
    display: str
    noise_um: float
    confidence: str
    source: str


_TABLE: Final = (
    Instrument(
        "tape-strip-protein",
        "Tape strips, protein assay",
        0.5,
        "assumed",
        "half a layer of 1.0 µm; the assay itself is accurate and reproducible (Dreher et al. "
        "1998, doi:10.1080/000155598441495), how much a strip takes is not",
    ),
    Instrument(
        "tape-strip-weight",
        "Tape strips, weighed",
        1.0,
        "assumed",
        "a whole layer of 1.0 µm: weighing is often subject to artefacts (Dreher et al. 1998, "
        "doi:10.1080/000155598441495)",
    ),
    Instrument(
        "confocal-raman",
        "Confocal Raman, water profile",
        1.5,
        "derived",
        "two algorithms on the same 21 spectra, 21.3 ± 2.6 and 17.6 ± 2.8 µm with r = 0.899 (Skin "
        "Res Technol 2018;24:504-508), scatter by 1.23 µm about their difference of 20 %; more for "
        "a place that is not met twice. Axial resolution 5.1 µm (Caspers et al. 2000, J Raman "
        "Spectrosc)",
    ),
    Instrument(
        "oct",
        "Optical coherence tomography",
        2.0,
        "assumed",
        "a third of an axial resolution of some 5 to 7 µm in tissue, which is recalled",
    ),
    Instrument(
        "tewl",
        "Water loss (TEWL)",
        5.0,
        "assumed",
        "half of a stratum corneum: some people show no rise though as much was removed (pubmed "
        "11301640), so that one person's water loss tells no depth",
    ),
)

INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType(
    {each.name: each for each in _TABLE}
)
"""Each instrument that a reading may name, the finest first."""
