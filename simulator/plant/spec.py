"""The numbers of the simulated handpiece, each with its source.

Sources in brackets. [DERM2003] The Dermatologist 2003, equipment review: handpiece openings of 4 to
6 mm. [ISO6358] critical pressure ratio of air, 0.528: flow through an orifice stops growing beyond
a suction of 47.8 kPa. [D] derived in docs/SAFETY.md for the time budgets. [ASSUMED] no published
figure was found; chosen for plausible behaviour, to be replaced by bench measurements. All without
a mark are properties chosen for this simulated unit.
"""

from dataclasses import dataclass
from typing import Final

AMBIENT_KPA: Final = 101.325  # standard atmosphere
CHOKE_KPA: Final = 47.8  # (1 - 0.528) * AMBIENT_KPA [ISO6358]
LAMINAR_KPA: Final = 0.25  # below this the orifices are laminar; also keeps the steps stable


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """One unit. Conductances are in litres per second per square root of a kilopascal."""

    # -- air path
    volume_l: float = 0.5  # hose, handpiece and waste canister [ASSUMED]
    pump_free_flow_l_per_s: float = 0.6  # 36 l/min diaphragm pump [ASSUMED]
    pump_dead_head_kpa: float = 65.0  # within the 60 to 80 kPa that vendors print [ASSUMED]
    pump_lag_s: float = 0.08  # motor and diaphragm follow the command [ASSUMED]
    tip_conductance: float = 0.28  # open 6 mm tip [DERM2003]: 4 kPa at full pump [ASSUMED]
    hose_conductance: float = 1.0  # hose off: the line is open to the room [ASSUMED]
    vent_conductance: float = 0.3  # 50 kPa to below 3 kPa in about 0.2 s [D: release within 1 s]
    vent_travel_s: float = 0.02  # solenoid [ASSUMED]
    bleed_conductance: float = 0.003  # between check valve and pump [ASSUMED]
    leak_conductance: float = 1.5e-5  # blocked tip at 40 kPa: 1 kPa lost a minute [ASSUMED]
    relief_kpa: float = 60.0  # spring relief valve, independent of all electronics [D]
    relief_share_per_ms: float = 0.5  # of the excess, through the relief valve [ASSUMED]

    # -- crystals
    valve_open_s: float = 0.06  # full stroke against the spring [ASSUMED]
    valve_close_s: float = 0.04  # full stroke by the spring: 30 to 50 ms in the time budget [D]
    carrier_conductance: float = 0.0045  # air with the crystals, fully open [ASSUMED]
    feed_full_g_per_min: float = 16.0  # full opening at 30 kPa: above the envelope of 12 [ASSUMED]
    feed_reference_kpa: float = 30.0
    hold_up_s: float = 0.027  # 95 % of the crystals in the line have left it after 80 ms [D]
    hopper_start_g: float = 300.0  # three faces or one back [ASSUMED]
    hopper_empty_g: float = 0.05  # what never comes out [ASSUMED]
    waste_start_g: float = 20.0
    waste_capacity_g: float = 500.0
    spill_share: float = 0.5  # of the crystals leaving an open tip, lost to the room [ASSUMED]
    filter_clean_kpa_s_per_l: float = 3.0  # pressure drop per flow of a clean filter [ASSUMED]
    filter_kpa_s_per_l_g: float = 0.03  # per gram of waste: due after 3 treatments [ASSUMED]

    # -- sensors
    suction_noise_kpa: float = 0.05
    suction_step_kpa: float = 0.025  # 12 bits over 100 kPa
    suction_span_kpa: float = 65.0
    suction_offset_a_kpa: float = 0.04  # within the zero check of 0.3 kPa [D]
    suction_offset_b_kpa: float = -0.03
    suction_filter_s: float = 0.005
    flow_noise_g_per_min: float = 0.08
    flow_noise_share: float = 0.02
    flow_step_g_per_min: float = 0.01
    flow_span_g_per_min: float = 65.0
    flow_filter_s: float = 0.01
    motion_sensor: bool = True
    motion_min_mm_per_s: float = 5.0

    # -- tip
    tip: int = 1  # number of the fitted tip; the simulated unit comes with the round one of 6 mm

    # -- electrics
    ambient_deg_c: float = 23.0
    pump_rise_deg_c: float = 25.0  # at full speed, settled [ASSUMED]
    pump_thermal_s: float = 600.0
    supply_nominal_v: float = 24.0
    supply_droop_v: float = 0.6  # at full pump [ASSUMED]
    supply_noise_v: float = 0.01
    valve_hold_min_v: float = 14.0  # below this the coil lets go and the spring shuts the valve
