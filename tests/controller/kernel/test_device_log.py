"""What is injected into a simulated unit stands in the record as simulated: all of it, and once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller.kernel.service import Place, running
from controller.record.chain import BODY
from controller.record.device_log import (
    BACK_MAX,
    BUSY,
    CATCH_UP_PERIOD_S,
    LOOK_PERIOD_S,
    NO_ANSWER_PERIOD_S,
    RECORDS_PER_LOOK,
    DeviceLog,
)
from controller.record.journal import Row
from controller.safety.reading import Identity
from controller.treatment.kinds import Kind
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.messages import LogRecord
from firmware_protocol.vocabulary import FAULT_OVER, Capability, LogCode
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig, service
from simulator.plant.faults import FAULTS
from tests.controller.record.books import rows_of

UNIT = Identity(1001, 7, "1.0", Capability.SIMULATED)
CREEP = FAULTS["suction-a-creep"].number
TREMBLING = FAULTS["motion-stuck"].number


class Log:
    """A unit's log of which every record is an injected fault; ``first`` was not overwritten."""

    def __init__(self, count: int, first: int = 1) -> None:
        self.count = count
        self.first = first
        self.silent = False
        self.full = False
        self.asked: list[int] = []

    async def read(self, record_seq: int) -> LogRecord | None:
        self.asked.append(record_seq)
        if self.full:
            raise LocalProtocolError("4 one-shots are waiting already")
        if self.silent:
            return None
        if not self.first <= record_seq <= self.count:
            return LogRecord(1, 0, 0, 0, 0, self.count)
        return LogRecord(1, record_seq, record_seq * 20, LogCode.FAULT_INJECTED, 3, self.count)


def looked(log: Log, device_log: DeviceLog, times: int = 1, unit: Identity = UNIT) -> None:
    async def scenario() -> None:
        for _ in range(times):
            await device_log.look(unit, 0)

    run_virtual(scenario())


def seqs(rows: list[Row]) -> list[Any]:
    return [row.body["record_seq"] for row in rows]


def test_a_log_is_read_a_piece_at_a_time_and_then_once_a_second() -> None:
    rows: list[Row] = []
    log = Log(RECORDS_PER_LOOK + 3)
    device_log = DeviceLog(log.read, rows.append)
    looked(log, device_log)
    assert len(rows) == RECORDS_PER_LOOK - 1
    assert device_log._pause_s == CATCH_UP_PERIOD_S
    looked(log, device_log)
    assert seqs(rows) == list(range(1, log.count + 1))
    assert device_log._pause_s == LOOK_PERIOD_S
    before = len(log.asked)
    looked(log, device_log)
    assert log.asked[before:] == [log.count + 1]


def test_of_a_long_log_the_newest_are_read_back_and_of_a_new_one_all() -> None:
    rows: list[Row] = []
    log = Log(5000, first=905)
    device_log = DeviceLog(log.read, rows.append)
    looked(log, device_log, 40)
    assert seqs(rows) == list(range(5000 - BACK_MAX + 1, 5001))
    log.count, log.first = 2, 1
    rows.clear()
    looked(log, device_log, 2)
    assert seqs(rows) == [1, 2]


def test_another_boot_is_read_anew_and_what_is_written_is_not_written_twice() -> None:
    rows: list[Row] = []
    log = Log(4)
    device_log = DeviceLog(log.read, rows.append)
    looked(log, device_log)
    log.count = 5
    looked(log, device_log, 2, UNIT._replace(boot_id=8))
    assert seqs(rows) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("trouble", ["silent", "full"])
def test_a_unit_that_does_not_answer_is_left_in_peace_and_a_busy_line_too(trouble: str) -> None:
    log = Log(4)
    setattr(log, trouble, True)
    device_log = DeviceLog(log.read, lambda _row: None)
    looked(log, device_log)
    assert len(log.asked) == 1
    assert device_log._pause_s == NO_ANSWER_PERIOD_S


def test_hardware_is_read_back_once_after_each_boot_and_nothing_of_it_was_injected() -> None:
    log, rows = Log(4), list[Row]()
    hardware = UNIT._replace(capabilities=Capability(0))
    device_log = DeviceLog(log.read, rows.append)
    looked(log, device_log, 2, hardware)
    assert log.asked == [1, 1, 2, 3, 4, 5]
    assert rows == []
    log.asked.clear()
    looked(log, device_log, 2, hardware)
    assert log.asked == []
    looked(log, device_log, 1, hardware._replace(boot_id=8))
    assert log.asked


@pytest.mark.hazard("H40")
@pytest.mark.parametrize("capability", [Capability(0), Capability.SIMULATED])
def test_a_unit_that_was_armed_for_more_than_the_record_has_is_told(
    capability: Capability,
) -> None:
    class Armed(Log):
        async def read(self, record_seq: int) -> LogRecord | None:
            record = await super().read(record_seq)
            return record and record._replace(code=LogCode.ARM, arg=41)

    log = Armed(3)
    device_log = DeviceLog(log.read, lambda _row: None)
    looked(log, device_log, 2, UNIT._replace(capabilities=capability))
    assert "armed for treatment 41" in str(device_log._health.unit_ahead)


def test_a_storm_of_faults_does_not_grow_the_memory() -> None:
    log = Log(1)
    device_log = DeviceLog(log.read, lambda _row: None)
    looked(log, device_log)
    log.count = 3000
    looked(log, device_log, 3000 // RECORDS_PER_LOOK + 2)
    assert len(device_log._known) == 1024


# -- with the whole service ------------------------------------------------------------------------
def injected(made: Service) -> list[tuple[int, dict[str, Any]]]:
    store = made.kernel._outside.journal._writer._store  # type: ignore[attr-defined]  # inline
    found = store.connection().execute(
        f"SELECT treatment, {BODY} FROM journal WHERE kind = ? ORDER BY id",  # noqa: S608
        (Kind.FAULT_INJECTED,),
    )
    return [(treatment, json.loads(body)) for treatment, body in found]


def said(rows: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, int, bool]]:
    return [(treatment, body["fault"], body["active"]) for treatment, body in rows]


def test_faults_before_within_and_after_a_treatment_are_rows_marked_simulated() -> None:
    async def scenario() -> tuple[list[tuple[int, dict[str, Any]]], list[dict[str, Any]]]:
        async with service() as made:
            unit = made.rig.handpiece
            unit.set_fault("motion-stuck")
            await asyncio.sleep(2.5)
            await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            await made.until(lambda: made.rig.flows, 30.0)
            unit.set_fault("suction-a-creep")
            await asyncio.sleep(2.5)
            unit.clear_fault("suction-a-creep")
            await made.until(lambda: made.kernel.idle)
            await asyncio.sleep(2.5)
            unit.clear_fault("motion-stuck")
            await asyncio.sleep(2.5)
            return injected(made), list(made.snapshot()["simulated_faults"])

    rows, shown = run_virtual(scenario())
    assert said(rows) == [
        (0, TREMBLING, True), (1, CREEP, True), (1, CREEP, False), (0, TREMBLING, False),
    ]  # fmt: skip
    assert all(body["simulated"] is True and body["unit"] == 1001 for _, body in rows)
    assert shown == [{"number": TREMBLING, "active": False}, {"number": CREEP, "active": False}]


def test_a_fault_that_restarts_the_unit_is_a_row_all_the_same() -> None:
    async def scenario() -> list[tuple[int, dict[str, Any]]]:
        async with service() as made:
            await asyncio.sleep(2.5)
            made.rig.handpiece.set_fault("power-dip")
            await asyncio.sleep(10.0)
            return injected(made)

    dip = FAULTS["power-dip"].number
    assert said(run_virtual(scenario())) == [(0, dip, True), (0, dip, False)]


def test_the_next_kernel_writes_down_what_happened_meanwhile_and_nothing_twice(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with rig(RigSpec(record=tmp_path)) as made:
            made.handpiece.set_fault("motion-stuck")
            async with running(Place("virtual"), made.outside()):
                await asyncio.sleep(1.0)
            made.handpiece.set_fault("suction-a-creep")
            await asyncio.sleep(1.0)
            async with running(Place("virtual"), made.outside()):
                made.handpiece.clear_fault("motion-stuck")  # and the kernel ends at once

    run_virtual(scenario())
    bodies = [
        json.loads(body)
        for _, kind, body in rows_of(tmp_path / "journal.sqlite3")
        if kind == Kind.FAULT_INJECTED
    ]
    assert [(body["fault"], body["active"]) for body in bodies] == [
        (TREMBLING, True), (CREEP, True), (TREMBLING, False),
    ]  # fmt: skip


def test_nothing_is_read_while_a_treatment_needs_the_line_for_its_one_shots() -> None:
    async def scenario() -> set[str]:
        states: set[str] = set()
        async with service() as made:
            client = made.kernel._handpiece
            read = client.log_record

            async def watched(record_seq: int) -> LogRecord | None:
                states.add(made.state)
                return await read(record_seq)

            made.kernel._device_log._read = watched
            await made.treat("refresh", zones=["nose"])
            await asyncio.sleep(2.0)
        return states

    states = run_virtual(scenario())
    assert {"active", "completed"} <= states
    assert not states & BUSY


def test_a_fault_number_never_looks_like_the_end_of_a_fault() -> None:
    assert all(0 < fault.number < FAULT_OVER for fault in FAULTS.values())
