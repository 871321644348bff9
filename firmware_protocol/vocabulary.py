"""The words that both ends must agree on: modes, causes, outcomes and flags.

The enums are shared; the tables that move between modes are not. The device has its own transition
table and the host has a belief about it, and a disagreement is a fault to report.
"""

from enum import IntEnum, IntFlag, unique
from typing import Final, NamedTuple


@unique
class Mode(IntEnum):
    """What the device is doing, as it says so itself in every TELEMETRY."""

    BOOT = 0
    """Powered on, not yet through its own checks; outputs off."""
    DISARMED = 1
    """Outputs off, vented. The only way in from everywhere, the only way out is SELFTEST."""
    SELFTEST = 2
    """Proving zero, shut valve, agreeing sensors and a released hand switch; outputs off."""
    READY = 3
    """Self-test passed in this session with this configuration; waits for ARM with its token."""
    ARMED = 4
    """The pump may run; the crystal valve stays shut until the hand switch is pressed."""
    ACTIVE = 5
    """Hand switch pressed; the valve opens while every permissive holds."""
    PAUSED = 6
    """Hand switch released, or the host holds; the valve is shut, the treatment can go on."""
    STOPPING = 7
    """Orderly end: valve shut, purge, vent, then DISARMED."""
    SAFE = 8
    """A trip is latched: valve shut, pump off, vent open. Only RESET leaves it, to DISARMED."""


@unique
class Cause(IntEnum):
    """Why the device tripped; the first one is latched with its tick (first-out)."""

    NONE = 0
    LEASE_LAPSED = 1
    OVER_SUCTION = 2
    FLOW_WITHOUT_CONTACT = 3
    VALVE_STUCK_OPEN = 4
    NO_FLOW = 5
    DWELL = 6
    SENSOR_INVALID = 7
    SENSOR_FROZEN = 8
    SENSORS_DISAGREE = 9
    SWITCH_FAULT = 10
    LINK_ERRORS = 11
    BROWN_OUT = 12
    OVERHEAT = 13
    LOOP_STALL = 14
    WASTE_FULL = 15
    FILTER_LOADED = 16
    HOPPER_EMPTY = 17
    TIP_CHANGED = 18
    ENVELOPE = 19
    CONTACT_TOO_LONG = 20
    SELF_TEST = 21
    RESET_STORM = 22
    NO_SUCTION = 23
    EXPOSURE = 24


@unique
class Outcome(IntEnum):
    """How the device answered a one-shot; the third outcome, unknown, is that no answer came."""

    DONE = 0
    FAILED = 1


@unique
class Refusal(IntEnum):
    """Why a one-shot failed. Each has a sentence for people in the host's tables."""

    NONE = 0
    WRONG_MODE = 1
    OUT_OF_ENVELOPE = 2
    STREAM_NOT_HEALTHY = 3
    BAD_TOKEN = 4
    SWITCH_PRESSED = 5
    CAUSE_STANDS = 6
    SELF_TEST_FAILED = 7
    NOT_CONFIGURED = 8
    NOT_UNDERSTOOD = 9
    BUSY = 10
    VERSION = 11
    NO_SUCH_RECORD = 12
    LOCKED = 13
    WITNESS_AHEAD = 14
    """WITNESS_KEEP: the unit keeps a later row of this journal, or another hash of this one."""


@unique
class StopKind(IntEnum):
    """How a treatment that is under way is ended."""

    NORMAL = 0
    """Valve shut, purge for at least 2 s, then vent."""
    EMERGENCY = 1
    """Valve shut and vent together: skin release before tidiness."""


class Permit(IntFlag):
    """The device's permissives; the crystal valve opens only while all of ``ALL`` are set."""

    NONE = 0
    LEASE = 1
    """The lease is alive."""
    ARMED = 2
    """The mode is ARMED, ACTIVE or PAUSED."""
    SWITCH = 4
    """The hand switch is pressed, for longer than its contacts bounce."""
    CONTACT = 8
    """The tip is sealed on skin."""
    SUCTION = 16
    """Suction has reached the least of CONFIG."""
    NO_TRIP = 32
    """No trip is latched."""
    EXPOSURE = 64
    """Something is left of the newest setpoint's exposure."""
    REQUESTED = 128
    """The newest setpoint has the wish FLOW and a flow above 0."""
    CHANNEL_B = 256
    """The second channel agrees: its own lease, switch contact and suction sensor."""
    ALL = 511


class Input(IntFlag):
    """What the device senses and commands, one bit each."""

    NONE = 0
    SWITCH_CLOSED = 1
    """The normally open contact of the hand switch is closed (pressed)."""
    SWITCH_REST = 2
    """The normally closed contact of the hand switch is closed (released)."""
    CONTACT = 4
    """The tip is sealed on skin."""
    VALVE_COMMANDED = 8
    """Channel A commands the crystal valve open."""
    PUMP_COMMANDED = 16
    """Channel A drives the pump."""
    VENT_OPEN = 32
    """The vent is not driven, and so is open."""
    MOTION = 64
    """The motion sensor sees the tip move; means nothing without the capability."""
    CONFIGURED = 128
    """A configuration was accepted in this session."""


class Wish(IntFlag):
    """What the host wants of the outputs, in every SETPOINT. Zero wants everything off."""

    NONE = 0
    PUMP = 1
    """Hold the suction of this setpoint."""
    FLOW = 2
    """Let crystals flow whenever the permissives allow it."""
    ALL = 3


class Capability(IntFlag):
    """What a unit has, in its IDENT."""

    NONE = 0
    MOTION_SENSOR = 1
    """It sees whether the tip moves; without it the limit of an unbroken seal is what counts."""
    SIMULATED = 2
    """This is the simulator. Every record of the host says so."""


class Defect(IntFlag):
    """What a self-test finds wrong, one bit each; none at all is a self-test that passed.

    The device tests itself at every power-on and whenever SELFTEST asks for it.
    """

    NONE = 0
    SENSOR_LOST = 1
    """A sensor of suction or flow is at its rail."""
    SWITCH_PRESSED = 2
    """The hand switch is not released, or its contacts contradict each other."""
    NOT_VENTED = 4
    """Suction did not go away."""
    ZERO_A = 8
    """Suction sensor A is off its zero, with the line vented."""
    ZERO_B = 16
    """Suction sensor B is."""
    SENSORS_DISAGREE = 32
    """The two are apart, with the line vented."""
    SENSOR_FROZEN = 64
    """A sensor shows one and the same count; a live one has noise."""
    VALVE_OPEN = 128
    """The valve is not on its seat."""
    FLOW = 256
    """Crystals flow though the valve is commanded shut."""
    HOPPER_EMPTY = 512
    """Of this and the next four STATUS has the values, the constants of the unit the limits."""
    WASTE_FULL = 1024
    FILTER_LOADED = 2048
    PUMP_HOT = 4096
    SUPPLY_LOW = 8192
    MEMORY_SPOILT = 16384
    """At power-on a copy of what the unit keeps did not fit its complement."""
    WATCHDOG = 32768
    """The watchdog made the newest restart. Both stay until the next power-on."""
    ALL = 65535


@unique
class LogCode(IntEnum):
    """What an entry of the device's event log tells; ``arg`` is explained beside each."""

    BOOT = 1
    """arg: boot id."""
    MODE = 2
    """arg: the new mode."""
    TRIP = 3
    """arg: the cause."""
    SAFE_REACHED = 4
    """arg: milliseconds from cause to valve shut."""
    STOP = 5
    """arg: the stop kind."""
    RESET = 6
    """arg: the cause that was reset."""
    CONFIG = 7
    """arg: configuration check value."""
    ARM = 8
    """arg: the treatment."""
    SESSION = 9
    """arg: the session."""
    SWITCH = 10
    """arg: 1 pressed, 0 released."""
    FAULT_INJECTED = 11
    """arg: the simulator's fault number, with `FAULT_OVER` when it ends; never of hardware."""
    SELF_TEST = 12
    """arg: bit set of Defect; 0 is passed."""


FAULT_OVER: Final = 2**31  # of the argument of FAULT_INJECTED: that fault is not active any more


class Added(NamedTuple):
    """A word that a minor version has brought."""

    word: IntEnum | IntFlag
    minor: int
    older: int
    """What a peer of an older minor is sent instead: a word, or bits that then stand for the new
    one (of a Permit: bits that are missing while the new one is)."""


ADDED: Final[tuple[Added, ...]] = (Added(Refusal.WITNESS_AHEAD, 1, Refusal.WRONG_MODE),)
"""Every word that minor 0 does not have. The rules are in `schema`."""
