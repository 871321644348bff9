"""Alarms: what is told to people, in which priority, and what stays until somebody acknowledges it.

Priorities after IEC 60601-1-8: the safe state is reached automatically before a person could react,
so most automatic trips are MEDIUM, and HIGH is kept for the safe state that was not reached. Codes
are a letter for the family and a number: V suction, F crystal flow, T trap and filter, C line and
controller, S skin, K configuration, H hand switch, U unit, R record. The texts are in
``alarm_texts.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, unique
from types import MappingProxyType
from typing import Final, NamedTuple


@unique
class Priority(IntEnum):
    """How soon somebody has to do something; the larger the sooner."""

    INFORMATION = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Light(NamedTuple):
    """The indicator light of a priority; ``flash_hz`` 0 is steady."""

    colour: str
    flash_hz: float
    duty_percent: float


LIGHTS: Final[Mapping[Priority, Light]] = MappingProxyType(
    {
        # IEC 60601-1-8, table of alarm indicator lights: high 1.4 to 2.8 Hz, medium 0.4 to 0.8 Hz,
        # both 20 to 60 % on; low steady. Information is no alarm and has no alarm colour.
        Priority.HIGH: Light("red", 2.0, 50.0),
        Priority.MEDIUM: Light("yellow", 0.6, 50.0),
        Priority.LOW: Light("cyan", 0.0, 100.0),
        Priority.INFORMATION: Light("white", 0.0, 100.0),
    }
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm condition: a sentence that says what happened, and one that says what to do.

    A latching alarm stays until it was acknowledged *and* its condition is gone; the others go with
    their condition.
    """

    code: str
    priority: Priority
    sentence: str
    next_step: str
    latching: bool = True

    def saying(self, more: str) -> "Alarm":
        """Return the same alarm with a detail of this occurrence added to its sentence."""
        return replace(self, sentence=f"{self.sentence} {more}") if more else self


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm on the board."""

    alarm: Alarm
    since_s: float
    present: bool = True
    """The condition is there now."""
    acknowledged: bool = False
    first_out: bool = False
    """No other latching alarm stood when this one came: what came after may be its consequence."""
    number: int = 0
    """Which alarm of this board it is: the order of those that came at one time."""


class AlarmBoard:
    """The alarms that stand, one per code.

    The highest priority comes first, within it the first-out alarm, then the oldest.
    """

    __slots__ = ("_count", "_standing")

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}
        self._count = 0

    def put(self, alarm: Alarm, now_s: float) -> bool:
        """Take an alarm; True when it is new, so that a repeated condition is told once.

        A condition that comes again after it was gone, or with a higher priority, is new: an
        acknowledgement only ever counts for what was there to be seen.
        """
        before = self._standing.get(alarm.code)
        if before is not None and before.present and alarm.priority <= before.alarm.priority:
            return False
        others = [one for code, one in self._standing.items() if code != alarm.code]
        first = alarm.latching and not any(one.alarm.latching for one in others)
        self._count += 1
        self._standing[alarm.code] = Standing(alarm, now_s, first_out=first, number=self._count)
        return True

    def settle(self, code: str) -> bool:
        """The condition is gone; True when something changed."""
        before = self._standing.get(code)
        if before is None or not before.present:
            return False
        if before.alarm.latching and not before.acknowledged:
            self._standing[code] = replace(before, present=False)
        else:
            del self._standing[code]
        return True

    def settle_all(self) -> None:
        """Every condition is gone: the unit is disarmed and the trip was reset."""
        for code in tuple(self._standing):
            self.settle(code)

    @property
    def newest(self) -> int:
        """The number of the newest alarm so far: what a person can have seen by now."""
        return self._count

    def acknowledge(self, newest: int | None = None) -> tuple[str, ...]:
        """Acknowledge what stands, or what came up to the alarm ``newest``; return the codes.

        What has gone already goes; what came after somebody looked is not acknowledged.
        """
        last = self._count if newest is None else newest
        seen = tuple(
            code
            for code, one in self._standing.items()
            if not one.acknowledged and one.number <= last
        )
        for code in seen:
            one = self._standing[code]
            if one.present:
                self._standing[code] = replace(one, acknowledged=True)
            else:
                del self._standing[code]
        return seen

    @property
    def standing(self) -> tuple[Standing, ...]:
        """All alarms that stand, the most urgent first."""
        return tuple(
            sorted(
                self._standing.values(),
                key=lambda one: (-one.alarm.priority, not one.first_out, one.since_s, one.number),
            )
        )
