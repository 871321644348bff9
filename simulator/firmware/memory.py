"""Who the unit is, and what it keeps over a restart: event log, count of restarts, witness.

The log is a ring of records that the host reads by number. No clock runs while the unit is off, so
restarts are counted instead of dated: each boot adds one, and 60 s without another one forget them
all. Four boots that are less than 60 s apart are a storm, which is never milder than four within
60 s.

The count stands in two copies, each beside its complement. A copy that does not fit its complement
is not believed; where neither can be read, the worst is assumed.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from firmware_protocol.catalogue import PROTOCOL_MINOR
from firmware_protocol.vocabulary import Capability, LogCode
from simulator.firmware.witness import Witness

FIRMWARE_VERSION: Final = 0x0100  # 1.0


class Identity(NamedTuple):
    """One unit and one boot of it."""

    serial: int
    boot_id: int
    capabilities: Capability = Capability.SIMULATED
    firmware: int = FIRMWARE_VERSION
    boot_tick_ms: int = 0
    """Tick at power-on; anything, because the tick wraps."""
    minor: int = PROTOCOL_MINOR
    """The newest minor version that it speaks; a lower one is that of an older unit."""


# -- the event log ---------------------------------------------------------------------------------
CAPACITY: Final = 512  # 16-byte records in 8 kB of FRAM; a host reads back 256
_WORD: Final = 0xFFFF_FFFF


class Record(NamedTuple):
    """One event: number from 1, device tick, code and its argument."""

    seq: int
    tick_ms: int
    code: LogCode
    arg: int


class EventLog:
    """Keeps the newest ``CAPACITY`` records."""

    __slots__ = ("_ring", "newest_seq")

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self._ring: deque[Record] = deque(records, maxlen=CAPACITY)
        self.newest_seq = records[-1].seq if records else 0

    @property
    def records(self) -> tuple[Record, ...]:
        """All that are kept, the oldest first."""
        return tuple(self._ring)

    def add(self, tick_ms: int, code: LogCode, arg: int) -> None:
        """Append one record."""
        self.newest_seq += 1
        self._ring.append(Record(self.newest_seq, tick_ms, code, arg & _WORD))

    def read(self, seq: int) -> Record | None:
        """Return the record with this number, or None when it never was or was overwritten."""
        at = seq - (self.newest_seq - len(self._ring)) - 1
        return self._ring[at] if 0 <= at < len(self._ring) else None


# -- restarts --------------------------------------------------------------------------------------
STORM_BOOTS_MAX: Final = 3  # a slip with the plug, twice; more is a fault
STORM_SPAN_MS: Final = 60_000
BOOTS_UNKNOWN: Final = 0xFF
_MASK: Final = 0xFF


class Memory:
    """The non-volatile memory of one unit."""

    __slots__ = ("_copies", "log", "spoilt", "stalled", "witness")

    def __init__(
        self, log: EventLog | None = None, witness: Witness | None = None, boots: int = 0
    ) -> None:
        self.log = EventLog() if log is None else log
        self.witness = Witness() if witness is None else witness
        self.stalled = False
        """The reset register: the watchdog made this restart."""
        self.spoilt = False
        """At the newest boot a copy of the count did not fit its complement."""
        self._copies = [0, 0]
        self._write(boots)

    @property
    def boots(self) -> int:
        """Boots since the unit last stayed up for long enough; the worst where unreadable."""
        return max(self._known(), default=BOOTS_UNKNOWN)

    @property
    def storming(self) -> bool:
        """True where the unit restarted too often."""
        return not self.boots <= STORM_BOOTS_MAX

    def booted(self) -> None:
        """Count one boot."""
        self.spoilt = len(self._known()) < len(self._copies)
        self._write(min(self.boots + 1, BOOTS_UNKNOWN))

    def settled(self) -> None:
        """Forget the boots: the unit has stayed up."""
        if self.boots:
            self._write(0)

    def spoil(self, copies: int) -> None:
        """Flip a bit in the first ``copies`` of the count: a fault, for the simulation."""
        for number in range(copies):
            self._copies[number] ^= 1

    def _known(self) -> list[int]:
        """Return each copy that fits its complement."""
        return [copy >> 8 for copy in self._copies if copy >> 8 ^ _MASK == copy & _MASK]

    def _write(self, boots: int) -> None:
        self._copies = [boots << 8 | boots ^ _MASK] * 2
