"""What the unit says of itself and what it measures, in units of people, with the unknown as None.

Readings are named tuples, as the messages are: one is built for every frame of telemetry. A field
that has no valid reading is None, never zero: a check on it must come out false.
"""

from typing import Final, NamedTuple

from firmware_protocol.envelope import VENTED_MAX_PA
from firmware_protocol.messages import PA_PER_KPA
from firmware_protocol.vocabulary import Capability, Cause, Defect, Input, Mode, Permit

VALVE_SHUT_PERCENT: Final = (
    1.0  # the position sensor reads up to 1 % with the valve on its seat [D]
)

# Plain integers: the arithmetic of enum flags costs far more, and this is read for every frame.
_CONTACT: Final = int(Input.CONTACT)
_MOTION: Final = int(Input.MOTION)
_CLOSED: Final = int(Input.SWITCH_CLOSED)
_REST: Final = int(Input.SWITCH_REST)
_BOTH: Final = _CLOSED | _REST
_MOTION_SENSOR: Final = int(Capability.MOTION_SENSOR)

FLOW_NOISE_G_PER_MIN: Final = 0.5  # half of the weakest program; a shut valve reads below it
VENTED_KPA: Final = 2.0 * VENTED_MAX_PA / PA_PER_KPA  # twice the vented level: not noise

_OUTPUTS_OFF: Final = frozenset({Mode.BOOT, Mode.DISARMED, Mode.SAFE})
_TREATING: Final = frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})


class Identity(NamedTuple):
    """One unit, as its IDENT describes it."""

    serial: int
    boot_id: int
    firmware: str
    capabilities: Capability

    @property
    def simulated(self) -> bool:
        """True for the simulator; every record says so."""
        return bool(self.capabilities & Capability.SIMULATED)

    @property
    def motion_sensor(self) -> bool:
        """True where the tip reports that it moves."""
        return bool(int(self.capabilities) & _MOTION_SENSOR)


class Supplies(NamedTuple):
    """The slow state of the unit: what it has used up and how it feels."""

    at_s: float
    """When it arrived, on the clock of the loop."""
    crystal_total_g: float
    """Crystals through the valve since boot; wraps at 4,294,967.295 g."""
    contact_total_s: float
    """Seconds with open valve on skin since boot; wraps at 4,294,967.295 s."""
    hopper_g: float
    waste_percent: float
    filter_kpa: float | None
    pump_deg_c: float
    supply_v: float
    bad_frames: int
    """Corrupt frames that the unit has counted in this session."""
    defects: Defect = Defect.NONE
    """What its newest self-test found, at power-on or asked for."""


class Reading(NamedTuple):
    """One frame of telemetry, with the newest slow state beside it."""

    at_s: float
    """When it arrived, on the clock of the loop."""
    tick_ms: int
    """Clock of the unit; wraps at 32 bits."""
    mode: Mode
    cause: Cause = Cause.NONE
    permits: Permit = Permit.NONE
    inputs: Input = Input.NONE
    valve_percent: float = 100.0
    """Measured opening of the crystal valve."""
    suction_kpa: float | None = None
    """Sensor of channel A, below ambient."""
    suction_b_kpa: float | None = None
    """Sensor of channel B, below ambient."""
    flow_g_per_min: float | None = None
    lease_left_s: float = 0.0
    loop_counter: int = 0
    """Loop counter of the last setpoint that the unit accepted."""
    last_request_seq: int = 0
    set_suction_kpa: float = 0.0
    """Setpoint in force after the unit's own limits."""
    set_flow_g_per_min: float = 0.0
    supplies: Supplies | None = None
    boot_id: int = 0
    """Boot of the unit that this session was opened with."""

    def age_s(self, now_s: float) -> float:
        """Return how long ago this arrived."""
        return now_s - self.at_s

    @property
    def valve_shut(self) -> bool:
        """True while the crystal valve is measured on its seat."""
        return self.valve_percent <= VALVE_SHUT_PERCENT

    @property
    def outputs_off(self) -> bool:
        """True in the modes in which the unit holds every output off, and the valve is shut."""
        return self.mode in _OUTPUTS_OFF and self.valve_shut

    @property
    def treating(self) -> bool:
        """True in the modes from which the valve can open: ARMED, ACTIVE, PAUSED."""
        return self.mode in _TREATING

    @property
    def contact(self) -> bool:
        """True while the tip is sealed on skin."""
        return bool(int(self.inputs) & _CONTACT)

    @property
    def moving(self) -> bool:
        """True while the tip is seen to move; False too where no motion sensor is fitted."""
        return bool(int(self.inputs) & _MOTION)

    @property
    def is_vented(self) -> bool:
        """True where a suction is known, and each that is known is next to none."""
        known = [kpa for kpa in (self.suction_kpa, self.suction_b_kpa) if kpa is not None]
        return bool(known) and all(kpa <= VENTED_KPA for kpa in known)

    @property
    def switch_pressed(self) -> bool:
        """True while the hand switch is pressed, as both of its contacts say."""
        return int(self.inputs) & _BOTH == _CLOSED

    @property
    def switch_released(self) -> bool:
        """True while the hand switch is released, as both of its contacts say."""
        return int(self.inputs) & _BOTH == _REST
