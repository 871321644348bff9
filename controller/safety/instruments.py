"""What can tell how much stratum corneum is gone in one person, and how finely.

No publication gives the noise of one reading of removed depth as such: it is derived, recalled or
assumed, as each row says, on the coarse side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

FLOOR_SD: Final = 2.0
"""Standard deviations of an instrument below which a depth cannot be told from none: nothing at all
reads higher than this once in 44 times."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A way to look at the stratum corneum of one person.

    ``noise_um`` is the standard deviation of one reading of removed depth, before minus after on
    the same place; None where no depth can be relied on. ``confidence`` is as in the files of the
    skin data: published, recalled, derived or assumed.
    """

    key: str
    """Its name in files."""
    name: str
    noise_um: float | None
    confidence: str
    cite: str

    @property
    def floor_um(self) -> float | None:
        """The least depth that it can see; None where there is none."""
        return None if self.noise_um is None else FLOOR_SD * self.noise_um

    def sees(self, depth_um: float) -> bool:
        """Return True for a depth that it can tell from none."""
        floor_um = self.floor_um
        return floor_um is not None and floor_um <= depth_um


_TABLE: Final = (
    Instrument(
        "tape-strip-protein",
        "tape strips with a protein assay",
        0.25,
        "assumed",
        "One strip takes about half a layer to one layer, of about 1 µm; less than the least strip "
        "is not seen. The assay follows what strips take: Dreher et al. 1998, Acta Derm Venereol, "
        "doi:10.1080/000155598441495.",
    ),
    Instrument(
        "confocal-raman",
        "confocal Raman",
        1.3,
        "derived",
        "The same forearms: 21.3 ± 2.6 µm by one algorithm, 17.6 ± 2.8 µm by another from the same "
        "spectra, r = 0.899 (Skin Res Technol 2018;24:504-508): beside their difference of 20 % "
        "they scatter by 1.23 µm. Axial resolution 5.1 µm: Caspers et al. 2000, J Raman "
        "Spectrosc, repub.eur.nl/pub/10882.",
    ),
    Instrument(
        "oct",
        "optical coherence tomography (OCT)",
        2.5,
        "recalled",
        "Axial resolution of some micrometres; 5 µm is the finer end of what is in use on skin.",
    ),
    Instrument(
        "tewl",
        "transepidermal water loss (TEWL)",
        None,
        "published",
        "Not in one person: some show no rise at the same mass removed (pubmed 11301640); not "
        "sensitive enough for single strips (Weigmann 2005).",
    ),
)

INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType({each.key: each for each in _TABLE})
"""Each instrument by its name in files, the finest first."""
