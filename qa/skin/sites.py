"""How thick the stratum corneum of each zone is, by everything that was published about it.

This table is for simulated skin. It is not the one that the controller works with: a controller
must take the lowest method; skin knows nothing of methods, and the best guess of it is the mean of
all methods, each counted once whatever the number of its studies. Where a method has no figure for
a site, the nearest one of the same region stands in, and the row says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

LAYER_UM: Final = 1.0
"""One layer, in vivo and hydrated. Read: "about 1 um thick"; other texts say 0.5 down to 0.2."""


@unique
class Method(Enum):
    """How a thickness was found. Raman reads higher than histology on the same skin."""

    BIOPSY = "biopsy, light microscopy"
    TEM = "transmission electron microscopy"
    RAMAN = "confocal Raman"
    OCT = "optical coherence tomography"
    TAPE = "tape stripping and water loss"
    LAYERS = "layers counted, at 1.0 um each"


@dataclass(frozen=True, slots=True)
class Published:
    """One published mean."""

    method: Method
    um: float
    source: str
    recalled: bool = False
    """Quoted from memory and to be checked against the paper; False: read in its abstract."""


YA_XIAN: Final = "Ya-Xian et al. 1999, Arch Dermatol Res 291:555-559, n = 301"
SANDBY: Final = "Sandby-Møller et al. 2003, Acta Derm Venereol 83:410-413, n = 71"
EGAWA: Final = "Egawa et al. 2007, Acta Derm Venereol 87:4-8, n = 15"
CROWTHER: Final = "Crowther et al. 2008, Br J Dermatol 159:567-577"
HOLBROOK: Final = "Holbrook & Odland 1974, J Invest Dermatol 62:415-422, n = 6"
SCHWINDT: Final = "Schwindt et al. 1998, J Invest Dermatol 111:385-389"
TWO_READINGS: Final = "Skin Res Technol 2018;24:504-508, the mean of two readings of one spectrum"
TSUGITA: Final = (
    "Tsugita et al. 2013, Skin Res Technol, 11 sites of 116 women pooled, SD of sites 1.8"
)

_OCT: Final = Published(Method.OCT, 14.1, TSUGITA)


def _layers(count: float, region: str, *, recalled: bool = False) -> Published:
    return Published(Method.LAYERS, count * LAYER_UM, f"{YA_XIAN}: {region}", recalled)


_FACE: Final = (_layers(9, "face 9 ± 2"), _OCT)
_NOSE: Final = (_layers(8, "nose 8 ± 2", recalled=True), _OCT)
_MOUTH: Final = (_layers(8, "nose 8 ± 2 for lip and chin", recalled=True), _OCT)
_CHEEK: Final = (
    Published(Method.RAMAN, 16.8, EGAWA),
    Published(Method.RAMAN, 12.8, CROWTHER, recalled=True),
    *_FACE,
)
_NECK: Final = (_layers(10, "neck 10 ± 2"), _OCT)
_CHEST: Final = (
    Published(Method.BIOPSY, 11.0, f"{SANDBY}: shoulder, for the chest"),
    _layers(13, "trunk 13 ± 4"),
    _OCT,
)
_BACK: Final = (
    Published(Method.TEM, 9.4, HOLBROOK, recalled=True),
    Published(Method.TAPE, 11.2, SCHWINDT, recalled=True),
    _layers(13, "trunk 13 ± 4"),
    _OCT,
)
_HAND: Final = (
    Published(Method.BIOPSY, 18.3, f"{SANDBY}: dorsal forearm, for the back of the hand"),
    Published(Method.RAMAN, 29.3, EGAWA),
    _layers(15, "extremities 15 ± 4"),
    _OCT,
)
_ARM: Final = (
    Published(Method.BIOPSY, 11.0, f"{SANDBY}: shoulder, for the upper arm"),
    _layers(15, "extremities 15 ± 4"),
    _OCT,
)
_THIGH: Final = (
    Published(Method.TEM, 10.9, HOLBROOK, recalled=True),
    Published(Method.TAPE, 13.1, SCHWINDT, recalled=True),
    _layers(15, "extremities 15 ± 4"),
    _OCT,
)
_FOREARM_INNER: Final = (
    Published(Method.RAMAN, 22.6, EGAWA),
    Published(Method.RAMAN, 18.0, CROWTHER, recalled=True),
    Published(Method.RAMAN, 19.45, TWO_READINGS),
    Published(Method.TEM, 12.9, HOLBROOK, recalled=True),
    Published(Method.TAPE, 12.3, SCHWINDT, recalled=True),
    _layers(15, "extremities 15 ± 4"),
    _OCT,
)

PUBLISHED: Final[Mapping[str, tuple[Published, ...]]] = MappingProxyType(
    {
        "forehead": _FACE,
        "temple_left": _FACE,
        "temple_right": _FACE,
        "nose": _NOSE,
        "nose_sides": _NOSE,
        "cheek_left": _CHEEK,
        "cheek_right": _CHEEK,
        "upper_lip": _MOUTH,
        "chin": _MOUTH,
        "jaw_left": _FACE,
        "jaw_right": _FACE,
        "neck_left": _NECK,
        "neck_right": _NECK,
        "chest": _CHEST,
        "hand_left": _HAND,
        "hand_right": _HAND,
        "back_upper_left": _BACK,
        "back_upper_right": _BACK,
        "back_middle_left": _BACK,
        "back_middle_right": _BACK,
        "arm_left": _ARM,
        "arm_right": _ARM,
        "thigh_left": _THIGH,
        "thigh_right": _THIGH,
        "forearm_inner": _FOREARM_INNER,
    }
)
"""Every zone that a program may treat, by the name that it has in the configuration."""


class UnknownZoneError(ValueError):
    """Nothing was collected about the zone; the text says which zones there are."""


def thickness_of(zone: str) -> float:
    """Return the thickness of a zone in um, the mean over methods; UnknownZoneError otherwise."""
    if zone not in PUBLISHED:
        raise UnknownZoneError(
            f"no skin is known for '{zone}'; choose one of {', '.join(PUBLISHED)}"
        )
    by_method: dict[Method, list[float]] = {}
    for row in PUBLISHED[zone]:
        by_method.setdefault(row.method, []).append(row.um)
    means = [sum(values) / len(values) for values in by_method.values()]
    return sum(means) / len(means)
