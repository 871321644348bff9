"""Reads the log of the unit: what it was armed for, and which simulated faults were injected.

A simulated unit writes into its own log when somebody injects a fault or ends it. The host reads
that log over the line, with the same request as on hardware, and leaves a row for each: who reads
the record later sees that what happened was provoked. Hardware never writes such a record: its log
is read back once after each boot, and then it is asked no more.

Reading is a one-shot, and one-shots go one after the other. So nothing is read while a treatment
needs them: between its start and its arming, and while it stops.

The same log names the treatments that the unit was armed for: one that this record does not have
tells that the record went back, or that the unit was used with another one.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from controller.api.snapshot import SimulatedFaultView
from controller.record import listing
from controller.record.health import RecordHealth
from controller.record.journal import Journal, Row
from controller.record.store import Store
from controller.safety.reading import Identity
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.messages import LogRecord
from firmware_protocol.vocabulary import FAULT_OVER, LogCode

LOOK_PERIOD_S: Final = 1.0
CATCH_UP_PERIOD_S: Final = 0.25
"""While there is more to read."""
NO_ANSWER_PERIOD_S: Final = 3.0
"""A unit that does not answer is left in peace."""
RECORDS_PER_LOOK: Final = 16  # each takes 4 ms of the line at 115200 baud
BACK_MAX: Final = 256  # records that are read of what happened before this kernel
LAST_LOOK_MAX_S: Final = 0.5
KNOWN_MAX: Final = 1024
"""Rows that are remembered, so that a fault is written down once: four times what is read back."""

BUSY: Final = frozenset(state.value for state in (State.PREPARING, State.ARMING, State.STOPPING))

ReadRecord = Callable[[int], Awaitable[LogRecord | None]]


class DeviceLog:
    """Reads the log of the unit from where it was, and writes a row for each injected fault."""

    def __init__(self, read: ReadRecord, note: Callable[[Row], None]) -> None:
        self._read = read
        self._note = note
        self._boot_id: int | None = None
        self._next = 0
        """The record to read next; 0 while it is not known where the log stands."""
        self._read_back = False
        self._pause_s = CATCH_UP_PERIOD_S
        self._known: dict[tuple[int, int, int], None] = {}
        self._active: dict[int, bool] = {}
        self._health = RecordHealth()
        self._newest_treatment = 0

    @property
    def faults(self) -> tuple[SimulatedFaultView, ...]:
        """The faults that were injected into this unit since it was switched on, as far as read."""
        return tuple(SimulatedFaultView(number, active) for number, active in self._active.items())

    async def begin(self, journal: Journal, serial: int) -> None:
        """Learn what the journal has of this unit already. Raises RecordError."""
        self._known = dict.fromkeys(await journal.read(partial(_written, serial=serial)))
        self._health = journal.health
        self._newest_treatment = await journal.read(listing.newest)

    async def follow(self, asked: Callable[[], tuple[Identity, int] | None]) -> None:
        """Look for ever. ``asked`` gives the unit and the treatment, or None while it must not."""
        while True:
            await asyncio.sleep(self._pause_s)
            now = asked()
            if now is not None:
                await self.look(*now)

    async def last_look(self, identity: Identity, treatment: int) -> None:
        """Read what came meanwhile, before the line is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_LOOK_MAX_S):
                for _ in range(BACK_MAX // RECORDS_PER_LOOK):
                    await self.look(identity, treatment)
                    if self._pause_s != CATCH_UP_PERIOD_S:
                        break

    async def look(self, identity: Identity, treatment: int) -> None:
        """Read at most `RECORDS_PER_LOOK` records."""
        if identity.boot_id != self._boot_id:  # another unit, or another run of its firmware
            self._boot_id, self._next, self._read_back = identity.boot_id, 0, False
            self._active.clear()
        if self._read_back and not identity.simulated:
            return
        self._pause_s = CATCH_UP_PERIOD_S
        self._newest_treatment = max(self._newest_treatment, treatment)
        for _ in range(RECORDS_PER_LOOK):
            record = await self._record(max(self._next, 1))
            if record is None:
                self._pause_s = NO_ANSWER_PERIOD_S
                return
            if self._next == 0 or record.newest_seq < self._next - 1:
                self._next = max(1, record.newest_seq - BACK_MAX + 1)
            elif record.newest_seq < self._next:
                self._pause_s, self._read_back = LOOK_PERIOD_S, True
                return
            else:
                self._next += 1
                self._take(record, identity, treatment)

    async def _record(self, record_seq: int) -> LogRecord | None:
        with contextlib.suppress(LocalProtocolError):  # other requests wait: they come first
            return await self._read(record_seq)
        return None

    def _take(self, record: LogRecord, identity: Identity, treatment: int) -> None:
        if record.record_seq != 0 and record.code == LogCode.ARM:
            self._health.compare_with_unit(identity.serial, record.arg, self._newest_treatment)
        injected = identity.simulated and record.code == LogCode.FAULT_INJECTED
        if record.record_seq == 0 or not injected:
            return  # overwritten meanwhile, or of another kind
        number, active = record.arg & ~FAULT_OVER, not record.arg & FAULT_OVER
        self._active[number] = active
        key = (record.record_seq, record.tick_ms, record.arg)
        if key in self._known:
            return
        self._known[key] = None
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
        body = {
            "unit": identity.serial,
            "simulated": True,
            "fault": number,
            "active": active,
            "record_seq": record.record_seq,
            "tick_ms": record.tick_ms,
        }
        self._note(Row(Kind.FAULT_INJECTED, body, treatment))


def _written(store: Store, serial: int) -> list[tuple[int, int, int]]:
    """Return what the journal has of this unit: record, tick and argument, oldest first."""
    ids = store.ask(
        "SELECT id FROM journal WHERE kind = ? ORDER BY id DESC LIMIT ?",
        (Kind.FAULT_INJECTED, KNOWN_MAX),
    )
    rows = store.read((row_id for (row_id,) in reversed(ids)), skip_broken=True)
    return [
        (body["record_seq"], body["tick_ms"], body["fault"] | (0 if body["active"] else FAULT_OVER))
        for body in (row.body for row in rows)
        if body["unit"] == serial
    ]
