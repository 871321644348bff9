"""What the device may meet from outside within one beat, reduced to a few symbols.

A scene is what the sensors show and a grip is what the two contacts of the hand switch show; every
pair of them may follow on every other pair, at any beat, also where physics would not allow it.
Suction is 9 kPa where it is enough: above the least that permits flow and below the mark from which
the dwell guard counts sucked-in skin, which has a scene of its own.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from simulator.plant.signals import Sensors

ENOUGH_KPA: Final = 9.0
SUCKED_KPA: Final = 20.0
OVER_KPA: Final = 56.0
LITTLE_KPA: Final = 0.1
NOISE_KPA: Final = 0.01  # a live sensor never shows the very same count twice
FLOW_G_PER_MIN: Final = 1.0
EXCESS_G_PER_MIN: Final = 20.0
OPEN_PERCENT: Final = 45.0
FROZEN_KPA: Final = ENOUGH_KPA + NOISE_KPA / 4
FROZEN_FLOW: Final = FLOW_G_PER_MIN + NOISE_KPA / 4
TIP: Final = 1
NAN: Final = float("nan")


class Grip(NamedTuple):
    """The two contacts of the hand switch."""

    name: str
    closed: bool
    rest: bool


RELEASED: Final = Grip("switch released", closed=False, rest=True)
PRESSED: Final = Grip("switch pressed", closed=True, rest=False)
BOTH: Final = Grip("both switch contacts closed", closed=True, rest=True)
NEITHER: Final = Grip("both switch contacts open", closed=False, rest=False)
GRIPS: Final = (RELEASED, PRESSED, BOTH, NEITHER)

WELL: Final = Sensors(
    suction_a_kpa=LITTLE_KPA,
    suction_b_kpa=LITTLE_KPA,
    flow_g_per_min=0.0,
    valve_percent=0.0,
    contact=False,
    motion=True,
    switch_closed=False,
    switch_rest=True,
    hopper_g=100.0,
    waste_percent=10.0,
    filter_kpa=1.0,
    pump_deg_c=30.0,
    supply_v=24.0,
    tip=1,
)
_ON: Final = replace(WELL, suction_a_kpa=ENOUGH_KPA, suction_b_kpa=ENOUGH_KPA, contact=True)
_FLOWING: Final = replace(_ON, flow_g_per_min=FLOW_G_PER_MIN, valve_percent=OPEN_PERCENT)

AWAY: Final = "off the skin"
SEALED: Final = "on skin, valve on its seat"
FLOWING: Final = "on skin, valve open, crystals flow"

SCENES: Final[dict[str, Sensors]] = {
    AWAY: WELL,
    SEALED: _ON,
    FLOWING: _FLOWING,
    "crystals flow off the skin": replace(_FLOWING, contact=False),
    "both sensors above the trip": replace(
        _FLOWING, suction_a_kpa=OVER_KPA, suction_b_kpa=OVER_KPA
    ),
    # -- the rest is for the full configuration ----------------------------------------------------
    "on skin, no suction": replace(WELL, contact=True),
    "on skin, valve open, nothing flows": replace(_FLOWING, flow_g_per_min=0.0),
    "crystals flow past a shut valve": replace(_ON, flow_g_per_min=FLOW_G_PER_MIN),
    "flow in excess": replace(_FLOWING, flow_g_per_min=EXCESS_G_PER_MIN),
    "sensor A lost": replace(_FLOWING, suction_a_kpa=None),
    "sensor B lost": replace(_FLOWING, suction_b_kpa=None),
    "flow sensor lost": replace(_FLOWING, flow_g_per_min=None),
    "tip does not move": replace(_FLOWING, motion=False),
    "supply sags": replace(_FLOWING, supply_v=15.0),
    "skin sucked in": replace(_FLOWING, suction_a_kpa=SUCKED_KPA, suction_b_kpa=SUCKED_KPA),
    "sensor A above the trip": replace(_FLOWING, suction_a_kpa=OVER_KPA),
    "sensor B above the trip": replace(_FLOWING, suction_b_kpa=OVER_KPA),
    "sensors disagree": replace(_FLOWING, suction_b_kpa=ENOUGH_KPA + 5.0),
    "sensor A frozen": replace(_FLOWING, suction_a_kpa=FROZEN_KPA),
    "sensor B frozen": replace(_FLOWING, suction_b_kpa=FROZEN_KPA),
    "flow sensor frozen": replace(_FLOWING, flow_g_per_min=FROZEN_FLOW),
    "sensor A is not a number": replace(_FLOWING, suction_a_kpa=NAN),
    "sensor B is not a number": replace(_FLOWING, suction_b_kpa=NAN),
    "flow is not a number": replace(_FLOWING, flow_g_per_min=NAN),
    "valve position is not a number": replace(_FLOWING, valve_percent=NAN),
    "valve ajar off the skin": replace(WELL, valve_percent=OPEN_PERCENT),
    "no motion sensor": replace(_FLOWING, motion=None),
    "another tip": replace(_FLOWING, tip=TIP + 1),
    "tip cannot be read": replace(_FLOWING, tip=None),
    "hopper empty": replace(_FLOWING, flow_g_per_min=0.0, hopper_g=0.0),
    "waste full": replace(_FLOWING, waste_percent=100.0),
    "filter loaded": replace(_FLOWING, filter_kpa=9.0),
    "pump hot": replace(_FLOWING, pump_deg_c=90.0),
}
SMALL: Final = 5
"""So many of the scenes, from the first, are in the small configuration."""

_SAMPLES: Final[dict[tuple[str, str, bool], Sensors]] = {}


def sample(scene: str, grip: Grip, *, odd: bool) -> Sensors:
    """Return one sample; what is alive shows another count at odd beats than at even ones."""
    key = (scene, grip.name, odd)
    if key not in _SAMPLES:
        seen = SCENES[scene]
        _SAMPLES[key] = replace(
            seen,
            suction_a_kpa=_live(seen.suction_a_kpa, odd=odd),
            suction_b_kpa=_live(seen.suction_b_kpa, odd=odd),
            flow_g_per_min=_live(seen.flow_g_per_min, odd=odd),
            switch_closed=grip.closed,
            switch_rest=grip.rest,
        )
    return _SAMPLES[key]


def _live(value: float | None, *, odd: bool) -> float | None:
    stuck = value is None or value in (FROZEN_KPA, FROZEN_FLOW)
    return value if stuck or not odd or value is None else value + NOISE_KPA
