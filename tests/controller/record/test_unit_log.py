"""What is taken from the log of a unit: each row in full, what is known already, and when."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from controller.api.snapshot import SimulatedFaultView
from controller.record import device_log as module
from controller.record.chain import Stamped
from controller.record.device_log import (
    BACK_MAX,
    CATCH_UP_PERIOD_S,
    LAST_LOOK_MAX_S,
    LOOK_PERIOD_S,
    NO_ANSWER_PERIOD_S,
    RECORDS_PER_LOOK,
    DeviceLog,
)
from controller.record.journal import Row
from controller.record.store import Store
from controller.safety.reading import Identity
from controller.treatment.kinds import Kind
from firmware_protocol.messages import LogRecord
from firmware_protocol.vocabulary import FAULT_OVER, Capability, LogCode
from qa.loop import run_virtual
from tests.controller.record import damage
from tests.controller.record.books import journal_in, rows_of

UNIT: Final = Identity(4711, 7, "1.0", Capability.SIMULATED)
HARDWARE: Final = UNIT._replace(capabilities=Capability(0))


def record(
    seq: int, arg: int = 3, code: int = LogCode.FAULT_INJECTED, tick_ms: int | None = None
) -> LogRecord:
    return LogRecord(1, seq, seq * 20 if tick_ms is None else tick_ms, code, arg, 0)


class Log:
    """The log of a unit; what is not in it is answered as a record that is none."""

    def __init__(self, *records: LogRecord, newest: int | None = None) -> None:
        self.records = {each.record_seq: each for each in records}
        self.newest = max(self.records, default=0) if newest is None else newest
        self.asked: list[int] = []
        self.takes_s = 0.0

    async def read(self, record_seq: int) -> LogRecord | None:
        self.asked.append(record_seq)
        await asyncio.sleep(self.takes_s)
        found = self.records.get(record_seq, LogRecord(1, 0, 0, 0, 0, 0))
        return found._replace(newest_seq=self.newest)


def noted(log: Log, *looks: tuple[Identity, int]) -> tuple[list[Row], DeviceLog]:
    """Look as often and return what was noted."""
    rows: list[Row] = []
    made = DeviceLog(log.read, rows.append)

    async def scenario() -> None:
        for unit, treatment in looks or ((UNIT, 9),):
            await made.look(unit, treatment)

    run_virtual(scenario())
    return rows, made


def fault(seq: int, number: int, *, active: bool, tick_ms: int | None = None) -> Row:
    body = {
        "unit": 4711, "simulated": True, "fault": number, "active": active, "record_seq": seq,
        "tick_ms": seq * 20 if tick_ms is None else tick_ms,
    }  # fmt: skip
    return Row(Kind.FAULT_INJECTED, body, 9)


def test_a_fault_and_its_end_are_rows_of_the_treatment_and_shown() -> None:
    log = Log(record(1, 3), record(2, 5), record(3, 3 | FAULT_OVER))
    rows, made = noted(log)
    assert rows == [
        fault(1, 3, active=True), fault(2, 5, active=True), fault(3, 3, active=False),
    ]  # fmt: skip
    assert made.faults == (SimulatedFaultView(3, active=False), SimulatedFaultView(5, active=True))


@pytest.mark.parametrize(
    "other", [record(1, code=LogCode.ARM), LogRecord(1, 0, 0, LogCode.FAULT_INJECTED, 3, 0)]
)
def test_a_record_of_another_kind_or_one_that_was_overwritten_is_no_fault(
    other: LogRecord,
) -> None:
    log = Log()
    log.records, log.newest = {1: other}, 1
    rows, made = noted(log)
    assert (rows, made.faults) == ([], ())
    assert made._health.unit_ahead is None or other.code == LogCode.ARM


def test_hardware_says_what_it_was_armed_for_and_nothing_of_it_was_injected() -> None:
    rows, made = noted(Log(record(1), record(2, 41, LogCode.ARM)), (HARDWARE, 9), (HARDWARE, 9))
    assert (rows, made.faults) == ([], ())
    assert "Unit 4711 was armed for treatment 41, and the newest on record is 9" in str(
        made._health.unit_ahead
    )


def test_a_unit_that_was_armed_for_what_is_under_way_is_not_ahead() -> None:
    log = Log(record(1, 41, LogCode.ARM))
    for treatments in ((41,), (41, 3), (50,)):
        _, made = noted(log, *((UNIT, treatment) for treatment in treatments))
        assert made._health.unit_ahead is None
    _, made = noted(log, (UNIT, 40))
    assert made._health.unit_ahead is not None


def test_an_arming_record_that_was_overwritten_says_nothing() -> None:
    log = Log()
    log.records, log.newest = {1: LogRecord(1, 0, 0, LogCode.ARM, 41, 0)}, 1
    _, made = noted(log)
    assert made._health.unit_ahead is None


@pytest.mark.parametrize(
    ("newest", "first"),
    [(0, 1), (5, 1), (BACK_MAX, 1), (BACK_MAX + 1, 2), (BACK_MAX + 700, 701)],
)
def test_of_a_log_that_was_never_read_so_many_of_the_newest_are(newest: int, first: int) -> None:
    log = Log(newest=newest)
    noted(log)
    assert log.asked[:2] == [1, first]
    assert len(log.asked) <= RECORDS_PER_LOOK


def test_a_log_that_went_back_is_read_anew() -> None:
    log = Log(*(record(seq) for seq in range(1, 5)))
    made = DeviceLog(log.read, lambda _row: None)

    async def asked() -> list[int]:
        log.asked.clear()
        await made.look(UNIT, 9)
        return log.asked

    async def scenario() -> list[list[int]]:
        found = [list(await asked())]
        for newest in (4, 3, 5):
            log.newest = newest
            found.append(list(await asked()))
        return found

    assert run_virtual(scenario()) == [
        [1, 1, 2, 3, 4, 5],  # where it stands, then all of it, and that there is no more
        [5],
        [5, 1, 2, 3, 4],  # one less than was read: it begins again
        [4, 5, 6],
    ]


def test_another_unit_shows_none_of_the_faults_of_the_one_before() -> None:
    log = Log(record(1))
    _, made = noted(log)
    log.records, log.newest = {}, 0
    run_virtual(made.look(UNIT._replace(boot_id=8), 9))
    assert made.faults == ()


def test_the_same_fault_of_another_time_is_another_row() -> None:
    log = Log(record(1))
    made_rows, made = noted(log)
    for seen in (record(1, tick_ms=21), record(1, 4), record(1)):
        log.records = {1: seen}
        made._boot_id = None  # the log is read anew
        run_virtual(made.look(UNIT, 9))
    assert made_rows == [
        fault(1, 3, active=True),
        fault(1, 3, active=True, tick_ms=21),
        fault(1, 4, active=True),
    ]


# -- what is on record -----------------------------------------------------------------------------
def on_record(*bodies: dict[str, Any]) -> Sequence[Stamped]:
    return [
        Stamped(1.0, 1.9e9, 9, Kind.FAULT_INJECTED, json.dumps(body, sort_keys=True))
        for body in bodies
    ]


def test_what_is_on_record_of_this_unit_is_not_written_again(tmp_path: Any) -> None:  # noqa: ANN401
    known = [
        dict(fault(1, 3, active=True).body),
        dict(fault(2, 3, active=False).body),
        dict(fault(3, 5, active=True).body) | {"unit": 1},
    ]
    store = Store(tmp_path / "journal.sqlite3")
    store.append([*on_record(*known), Stamped(1.0, 1.9e9, 12, Kind.TREATMENT, "{}")])
    store.close()
    log = Log(record(1), record(2, 3 | FAULT_OVER), record(3, 5), record(4, 12, LogCode.ARM))
    rows: list[Row] = []

    async def scenario() -> DeviceLog:
        journal = journal_in(tmp_path)
        made = DeviceLog(log.read, rows.append)
        await made.begin(journal, 4711)
        await made.look(UNIT, 9)
        assert made._health is journal.health
        await journal.close()
        return made

    made = run_virtual(scenario())
    assert rows == [fault(3, 5, active=True)]
    assert list(made._known) == [(1, 20, 3), (2, 40, 3 | FAULT_OVER), (3, 60, 5)]
    assert made._health.unit_ahead is None  # of treatment 12, which is on record
    assert len(rows_of(tmp_path / "journal.sqlite3")) == 4


def test_only_the_newest_rows_are_remembered_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KNOWN_MAX", 2)
    store = Store(None)
    bodies = [dict(fault(seq, 3, active=True).body) for seq in (1, 2, 3)]
    store.append([*on_record(*bodies), Stamped(1.0, 1.9e9, 0, Kind.ALARM, "{}")])
    assert module._written(store, 4711) == [(2, 40, 3), (3, 60, 3)]
    log = Log(record(4), record(5), record(6))
    _, made = noted(log)
    assert list(made._known) == [(5, 100, 3), (6, 120, 3)]


def test_a_row_that_cannot_be_believed_is_not_remembered(tmp_path: Any) -> None:  # noqa: ANN401
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    bodies = [dict(fault(seq, 3, active=True).body) for seq in (1, 2, 3)]
    store.append(on_record(*bodies))
    store.close()
    damage.no_json(path, 2)
    store = Store(path)
    assert module._written(store, 4711) == [(1, 20, 3), (3, 60, 3)]
    store.close()


# -- when ------------------------------------------------------------------------------------------
def test_it_is_looked_again_as_soon_as_there_is_reason_and_not_while_it_must_not() -> None:
    log = Log(*(record(seq) for seq in range(1, RECORDS_PER_LOOK + 2)))
    made = DeviceLog(log.read, lambda _row: None)
    times_s: list[float] = []
    may = [True]

    def asked() -> tuple[Identity, int] | None:
        times_s.append(asyncio.get_running_loop().time())
        return (UNIT, 9) if may[0] else None

    async def scenario() -> float:
        began_s = asyncio.get_running_loop().time()
        following = asyncio.create_task(made.follow(asked), name="follow")
        await asyncio.sleep(0.6)
        may[0] = False
        before = len(log.asked)
        await asyncio.sleep(2.0)
        assert len(log.asked) == before
        following.cancel()
        return began_s

    began_s = run_virtual(scenario())
    assert [round(at_s - began_s, 3) for at_s in times_s] == [
        CATCH_UP_PERIOD_S, 2 * CATCH_UP_PERIOD_S, 2 * CATCH_UP_PERIOD_S + LOOK_PERIOD_S,
        2 * CATCH_UP_PERIOD_S + 2 * LOOK_PERIOD_S,
    ]  # fmt: skip


def test_the_last_look_reads_what_came_and_ends_where_there_is_no_more() -> None:
    log = Log(*(record(seq) for seq in range(1, 41)))
    rows: list[Row] = []
    made = DeviceLog(log.read, rows.append)
    run_virtual(made.last_look(UNIT, 9))
    assert [row.body["record_seq"] for row in rows] == list(range(1, 41))
    assert {row.treatment for row in rows} == {9}
    assert log.asked == [1, *range(1, 42)]


def test_the_last_look_is_bounded_in_time_and_in_number() -> None:
    slow = Log(*(record(seq) for seq in range(1, 41)))
    slow.takes_s = 0.1
    endless = Log(newest=10**6)

    async def scenario() -> float:
        began_s = asyncio.get_running_loop().time()
        await DeviceLog(slow.read, lambda _row: None).last_look(UNIT, 9)
        took_s = asyncio.get_running_loop().time() - began_s
        await DeviceLog(endless.read, lambda _row: None).last_look(UNIT, 9)
        return took_s

    assert run_virtual(scenario()) == pytest.approx(LAST_LOOK_MAX_S)
    assert len(endless.asked) == BACK_MAX


def test_a_unit_that_says_nothing_is_looked_at_less_often() -> None:
    async def silent(_record_seq: int) -> LogRecord | None:
        return None

    made = DeviceLog(silent, lambda _row: None)
    run_virtual(made.last_look(UNIT, 9))
    assert made._pause_s == NO_ANSWER_PERIOD_S
