"""The device's event log: a ring of records that the host reads by number."""

from collections import deque
from typing import Final, NamedTuple

from firmware_protocol.vocabulary import LogCode

CAPACITY: Final = 512  # 16-byte records in 8 kB of FRAM; a host reads back 256
_MASK = 0xFFFF_FFFF


class Record(NamedTuple):
    """One event: number from 1, device tick, code and its argument."""

    seq: int
    tick_ms: int
    code: LogCode
    arg: int


class EventLog:
    """Keeps the newest ``CAPACITY`` records."""

    __slots__ = ("_ring", "newest_seq")

    def __init__(self) -> None:
        self._ring: deque[Record] = deque(maxlen=CAPACITY)
        self.newest_seq = 0

    def add(self, tick_ms: int, code: LogCode, arg: int) -> None:
        """Append one record."""
        self.newest_seq += 1
        self._ring.append(Record(self.newest_seq, tick_ms, code, arg & _MASK))

    def read(self, seq: int) -> Record | None:
        """Return the record with this number, or None when it never was or was overwritten."""
        at = seq - (self.newest_seq - len(self._ring)) - 1
        return self._ring[at] if 0 <= at < len(self._ring) else None
