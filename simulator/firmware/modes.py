"""The device's own modes: one table of transitions, one table of what each mode may drive.

Nothing outside of this file compares modes. An event without a row is refused and changes nothing;
every mode has a row for TRIP and for both stops, and only RESET leaves SAFE. HELLO has no row in
the modes in which a treatment lives, which is what makes the device answer BUSY there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

from firmware_protocol.vocabulary import Mode


@unique
class Trigger(Enum):
    """What can move the device from one mode to another."""

    BOOTED = "own checks at power-on are through"
    SESSION = "a host opened a new session"
    CONFIGURE = "a configuration was accepted"
    TEST = "the self-test was asked for"
    PASSED = "the self-test passed"
    FAILED = "the self-test failed"
    ARM = "the treatment was armed"
    WAITED = "nobody pressed the hand switch in time"
    PRESS = "the hand switch was newly pressed"
    RELEASE = "the hand switch was released"
    HOLD = "the host withdrew its wish for flow"
    STOP_NORMAL = "orderly stop"
    STOP_EMERGENCY = "emergency stop"
    VENTED = "the orderly end is over"
    TRIP = "a trip was latched"
    RESET = "a latched trip was reset"


_T = Trigger
_ALWAYS: Final = {_T.TRIP: Mode.SAFE}
_IDLE: Final = _ALWAYS | {
    _T.SESSION: Mode.DISARMED,
    _T.STOP_NORMAL: Mode.DISARMED,
    _T.STOP_EMERGENCY: Mode.DISARMED,
}
_LIVE: Final = _ALWAYS | {
    _T.STOP_NORMAL: Mode.STOPPING,
    _T.STOP_EMERGENCY: Mode.DISARMED,
}

TRANSITIONS: Final[Mapping[Mode, Mapping[Trigger, Mode]]] = MappingProxyType(
    {
        Mode.BOOT: _IDLE | {_T.BOOTED: Mode.DISARMED, _T.SESSION: Mode.BOOT},
        Mode.DISARMED: _IDLE | {_T.CONFIGURE: Mode.DISARMED, _T.TEST: Mode.SELFTEST},
        Mode.SELFTEST: _IDLE | {_T.PASSED: Mode.READY, _T.FAILED: Mode.DISARMED},
        Mode.READY: _IDLE
        | {_T.CONFIGURE: Mode.DISARMED, _T.TEST: Mode.SELFTEST, _T.ARM: Mode.ARMED},
        Mode.ARMED: _LIVE | {_T.PRESS: Mode.ACTIVE, _T.WAITED: Mode.DISARMED},
        Mode.ACTIVE: _LIVE | {_T.RELEASE: Mode.PAUSED, _T.HOLD: Mode.PAUSED},
        Mode.PAUSED: _LIVE | {_T.PRESS: Mode.ACTIVE},
        Mode.STOPPING: _LIVE | {_T.VENTED: Mode.DISARMED},
        Mode.SAFE: _ALWAYS
        | {
            _T.SESSION: Mode.SAFE,
            _T.STOP_NORMAL: Mode.SAFE,
            _T.STOP_EMERGENCY: Mode.SAFE,
            _T.RESET: Mode.DISARMED,
        },
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a mode may drive, and what it is guarded by."""

    valve: bool = False
    """The crystal valve may open, if every permissive holds."""
    armed: bool = False
    """The treatment is armed: the pump runs on the host's wish and a lapse of the lease trips."""
    ending: bool = False
    """The orderly end runs: purge, then vent."""
    testing: bool = False
    """The self-test watches, with outputs off."""
    waiting: bool = False
    """The first press of the hand switch must come in time."""
    latched: bool = False
    """A trip is latched: power is off."""
    booting: bool = False

    @property
    def running(self) -> bool:
        """True while the air path is driven, so that every guard of the process applies."""
        return self.armed or self.ending


POLICY: Final[Mapping[Mode, Policy]] = MappingProxyType(
    {
        Mode.BOOT: Policy(booting=True),
        Mode.DISARMED: Policy(),
        Mode.SELFTEST: Policy(testing=True),
        Mode.READY: Policy(),
        Mode.ARMED: Policy(armed=True, waiting=True),
        Mode.ACTIVE: Policy(armed=True, valve=True),
        Mode.PAUSED: Policy(armed=True),
        Mode.STOPPING: Policy(ending=True),
        Mode.SAFE: Policy(latched=True),
    }
)


class NoRowError(Exception):
    """The table has no row for this event in this mode; nothing was changed."""


def allows(mode: Mode, trigger: Trigger) -> bool:
    """Return whether the table has a row."""
    return trigger in TRANSITIONS[mode]


def step(mode: Mode, trigger: Trigger) -> Mode:
    """Return the next mode; NoRowError where the table has no row."""
    try:
        return TRANSITIONS[mode][trigger]
    except KeyError:
        raise NoRowError(f"{mode.name} has no row for {trigger.name}") from None


def mermaid() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> BOOT"]
    for mode, row in TRANSITIONS.items():
        for trigger, after in row.items():
            if after is not mode:
                lines.append(f"    {mode.name} --> {after.name}: {trigger.name}")
    return "\n".join(lines) + "\n"
