"""The air path: what sets the suction in the line. Everything here is constant for one sample.

One volume (hose, handpiece, canister) is emptied by the pump and filled through orifices in
parallel: leak, tip rim, vent, hose end, and the crystal valve with its carrier air. An orifice
passes ``conductance * sqrt(suction)`` up to the choke; the pump has a straight curve from free flow
to dead head, behind the resistance of the filter and a check valve.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from simulator.plant.faults import Effects
from simulator.plant.hand import Grip
from simulator.plant.spec import AMBIENT_KPA, CHOKE_KPA, LAMINAR_KPA, PlantSpec

_CHOKED: Final = CHOKE_KPA / sqrt(CHOKE_KPA + LAMINAR_KPA)


@dataclass(slots=True)
class Air:
    """Coefficients of the air path, with the spec's units folded in."""

    kpa_per_l: float
    """Rise of suction per litre drawn."""
    pump_lag_s: float
    pump_flow: float
    """Litres per second per kilopascal below dead head, at full speed."""
    dead_head_kpa: float
    drag: float
    """Loss of pump flow by the filter, at full speed."""
    filter_kpa_s_per_l: float
    bleed: float
    inlet: float
    """Conductance of all orifices but the crystal valve."""
    carrier: float
    """Conductance of the crystal valve at full opening."""
    relief_kpa: float
    relief_keeps: float
    """Share of what is above ``relief_kpa`` that one millisecond leaves."""


def new_air(spec: PlantSpec) -> Air:
    """Return the coefficients of a healthy unit with an open tip and vent."""
    return Air(
        kpa_per_l=AMBIENT_KPA / spec.volume_l,
        pump_lag_s=spec.pump_lag_s,
        pump_flow=spec.pump_free_flow_l_per_s / spec.pump_dead_head_kpa,
        dead_head_kpa=spec.pump_dead_head_kpa,
        drag=0.0,
        filter_kpa_s_per_l=spec.filter_clean_kpa_s_per_l,
        bleed=spec.bleed_conductance,
        inlet=spec.tip_conductance + spec.vent_conductance,
        carrier=spec.carrier_conductance,
        relief_kpa=spec.relief_kpa,
        relief_keeps=1.0 - spec.relief_share_per_ms,
    )


def set_inlets(air: Air, spec: PlantSpec, effects: Effects, grip: Grip, vent: float) -> None:
    """Set the orifices for a grip and a position of the vent (0 shut, 1 open)."""
    passable = 1.0 - effects.clog
    air.inlet = (
        spec.leak_conductance
        + spec.tip_conductance * (1.0 - grip.seal) * passable
        + spec.vent_conductance * vent
        + (0.0 if effects.hose_on else spec.hose_conductance)
    )
    air.carrier = spec.carrier_conductance * passable


def orifice(suction_kpa: float) -> tuple[float, float]:
    """Return what an orifice of conductance 1 passes at a suction, and how steeply that rises."""
    if suction_kpa >= CHOKE_KPA:
        return _CHOKED, 0.0
    turbulent = suction_kpa + LAMINAR_KPA
    root = sqrt(turbulent)
    return suction_kpa / root, (0.5 * suction_kpa + LAMINAR_KPA) / (turbulent * root)


def filter_drop_kpa(air: Air, speed: float, suction_kpa: float) -> float:
    """Return the pressure drop over the filter at a pump speed and suction."""
    drawn = speed * air.pump_flow * max(0.0, air.dead_head_kpa - suction_kpa)
    return air.filter_kpa_s_per_l * drawn / (1.0 + speed * air.drag)


def set_pump(air: Air, spec: PlantSpec, effects: Effects, waste_g: float) -> None:
    """Set pump, bleed and filter for the active faults and the load of the filter."""
    air.pump_lag_s = spec.pump_lag_s + effects.pump_lag_s
    air.pump_flow = effects.pump_gain * spec.pump_free_flow_l_per_s / spec.pump_dead_head_kpa
    air.bleed = 0.0 if effects.pump_runs_away else spec.bleed_conductance
    air.filter_kpa_s_per_l = (
        spec.filter_clean_kpa_s_per_l
        + spec.filter_kpa_s_per_l_g * waste_g
        + effects.filter_kpa_s_per_l
    )
    air.drag = air.filter_kpa_s_per_l * air.pump_flow
