"""The hard envelope and the timing contract, which both ends check independently.

Sources in brackets: [PSI30] Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5 (stratum corneum
gone after 20 s at 30 kPa, whole epidermis after 60 s at 50 kPa); [A4] Andrews et al., Int J Pharm
2011 (removal depends strongly on crystal flow and time, weakly on suction); [OPC15] OPC UA Safety,
part 15 (error limiter); [D] derived for this project, with the reasoning in docs/SAFETY.md.
"""

from typing import Final

# -- quantities ------------------------------------------------------------------------------------
SUCTION_SET_MAX_PA: Final = 50_000  # body setpoints; face is narrowed by program and site [D]
SUCTION_FACE_MAX_PA: Final = 40_000  # [D] from the working band of 13.5 to 41 kPa in practice
SUCTION_TRIP_PA: Final = 55_000  # over-suction trip [D]; a relief valve opens at 60 kPa
SUCTION_PERMIT_MIN_PA: Final = 8_000  # below this there is no seal that carries crystals away [D]
FLOW_SET_MIN_MG_PER_MIN: Final = 500  # of a CONFIG: a flow sensor cannot tell less from none [D]
FLOW_SET_MAX_MG_PER_MIN: Final = 12_000  # above the strongest program (10 g/min) [D]
CONTACT_SUCTION_MIN_PA: Final = 10_000  # "skin is sucked in": the dwell guard counts above it [D]

# -- lease and link --------------------------------------------------------------------------------
SETPOINT_PERIOD_S: Final = 0.050
LEASE_DEFAULT_MS: Final = 200
LEASE_MIN_MS: Final = 100
LEASE_MAX_MS: Final = 200  # with the margin below: 250 ms from the last word to the shut valve
LEASE_MARGIN_S: Final = 0.050  # from lapse to valve shut
ECHO_AGE_MAX_MS: Final = 100  # a setpoint that echoes an older device tick is dropped
TELEMETRY_PERIOD_S: Final = 0.020  # the mean
TELEMETRY_SHIFT_S: Final = 0.005  # each is sent on its beat or so much later, as the device draws
STATUS_PERIOD_S: Final = 0.200
STREAM_HEALTHY_FRAMES: Final = 18  # of the 20 setpoints of the last second, before ARM is accepted
STREAM_HEALTHY_WINDOW_S: Final = 1.0
ARM_WAIT_MAX_S: Final = 10.0  # from ARM to the first press of the hand switch
BAD_FRAMES_SHORT_MAX: Final = 5  # more in BAD_FRAMES_SHORT_S latch the safe state [OPC15]
BAD_FRAMES_SHORT_S: Final = 10.0
BAD_FRAMES_LONG_MAX: Final = 40
BAD_FRAMES_LONG_S: Final = 3600.0

# -- budgets from cause to valve shut [D] ----------------------------------------------------------
BUDGET_FLOW_S: Final = 0.250
BUDGET_NO_CONTACT_S: Final = 0.100
BUDGET_SWITCH_S: Final = 0.100
DWELL_WARN_S: Final = 1.0  # the host warns of a tip that stands still
DWELL_TRIP_S: Final = 2.0  # open valve, still tip [PSI30: 20 s strips the stratum corneum]
SEAL_UNBROKEN_MAX_S: Final = 8.0  # open valve on one seal, moving or not; strokes last 2 to 3 s
SUCKED_MAX_S: Final = 20.0  # one patch of skin, sucked in without a break [PSI30: 20 s at 30 kPa]
SWITCH_HELD_MAX_S: Final = 120.0  # a switch that is never released is stuck

# -- the crystal valve [D] -------------------------------------------------------------------------
VALVE_CLOSED_MIN_S: Final = 0.300  # after each closing; a lift and the seal after it take as long

# -- orderly end -----------------------------------------------------------------------------------
PURGE_S: Final = 2.0  # valve shut, suction on, so that the line empties
VENTED_MAX_PA: Final = 3_000  # vented: the tip lets go of the skin
VENT_TIMEOUT_S: Final = 2.0
