"""The clocks of rows, of this moment and of this computer: on whose boot each time is."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from controller.record import clocks, computer
from controller.record.chain import Stamped
from controller.record.clocks import ClockRecord, Here, Stamp, stamp_of
from controller.record.store import Store
from controller.safety.timeline import Mark, Moment
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record import damage


def record(*rows: tuple[str, str]) -> Store:
    store = Store(None)
    store.append(
        [
            Stamped(10.0 * number, 1.9e9 + 10.0 * number, 0, kind, body)
            for number, (kind, body) in enumerate(rows, start=1)
        ]
    )
    return store


ROWS: Final = (
    (Kind.KERNEL, '{"boot": "a", "asleep_s": 100.0}'),
    ("state", "{}"),
    (Kind.CLOCK_STEP, '{"asleep_s": 107.0}'),
    ("state", "{}"),
    (Kind.DECISION, '{"subject": "row", "row": 1}'),
    (Kind.KERNEL, '{"boot": "b"}'),
)
NOW: Final = Moment("b", 100.0, 1.9e9 + 100.0)


def at(row: int, boot: str, up_s: float) -> Mark:
    return Mark(row, Moment(boot, up_s, 1.9e9 + 10.0 * row))


def test_a_row_is_on_the_clock_of_the_kernel_before_it_unless_it_says_its_own() -> None:
    clock = ClockRecord(record(*ROWS))

    def moment(row: int, boot: str | None = None, asleep_s: float | None = None) -> Moment:
        return clock.moment(Stamp(row, 10.0 * row, 1.9e9, boot, asleep_s))

    assert [moment(row) for row in (0, 1, 2, 3, 4, 6, 9)] == [
        Moment("", 0.0, 1.9e9),
        Moment("a", 110.0, 1.9e9),
        Moment("a", 120.0, 1.9e9),
        Moment("a", 137.0, 1.9e9),
        Moment("a", 147.0, 1.9e9),
        Moment("b", 60.0, 1.9e9),
        Moment("b", 90.0, 1.9e9),
    ]
    assert moment(2, "c", 5.0) == Moment("c", 25.0, 1.9e9)
    assert moment(2, "c") == Moment("c", 20.0, 1.9e9)
    assert moment(2, "") == Moment("", 20.0, 1.9e9)


def test_a_timeline_has_each_row_once_in_its_order_and_now_at_the_end() -> None:
    clock = ClockRecord(record(*ROWS))
    stamps = [Stamp(row, 10.0 * row, 1.9e9 + 10.0 * row) for row in (4, 3, 2)]
    assert clock.timeline(stamps, NOW)._marks == (
        at(1, "a", 110.0), at(2, "a", 120.0), at(3, "a", 137.0), at(4, "a", 147.0),
        at(6, "b", 60.0), Mark(7, NOW),
    )  # fmt: skip


@pytest.mark.parametrize(("age_s", "row"), [(0.0, 6), (40.0, 6), (40.5, 3), (127.0, 1), (127.5, 0)])
def test_the_newest_mark_that_is_surely_old_enough_is_found(age_s: float, row: int) -> None:
    clock = ClockRecord(record(*ROWS))
    line = clock.timeline((), NOW)
    assert [line.least_s(each) for each in (1, 3, 6)] == [127.0, 100.0, 40.0]
    assert clock.last_before(NOW, age_s) == row


def test_a_row_that_is_not_what_was_written_is_no_mark(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    store.append([Stamped(1.0, 1.9e9, 0, Kind.KERNEL, '{"boot": "a"}')] * 3)
    store.close()
    damage.no_json(path, 2)
    store = Store(path)
    assert [mark.row for mark in ClockRecord(store)._marks] == [1, 3]
    store.close()


def test_only_so_many_of_the_newest_marks_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "MARKS_MAX", 2)
    assert [mark.row for mark in ClockRecord(record(*ROWS))._marks] == [6]
    monkeypatch.setattr(clocks, "MARKS_MAX", 3)
    assert [mark.row for mark in ClockRecord(record(*ROWS))._marks] == [3, 6]


def test_a_row_may_say_its_boot_itself() -> None:
    assert stamp_of(7, 1.0, 2.0, '{"boot": "a", "asleep_s": 3.0}') == Stamp(7, 1.0, 2.0, "a", 3.0)
    assert stamp_of(7, 1.0, 2.0, "{}") == Stamp(7, 1.0, 2.0, None, None)


def test_now_is_the_loops_time_with_the_sleep_and_rows_say_the_sleep_in_milliseconds() -> None:
    async def scenario() -> Moment:
        return Here(lambda: 1.9e9, "a", lambda: 1000.12345).now()

    began = run_virtual(scenario())
    assert (began.boot, began.wall_s) == ("a", 1.9e9)
    assert began.up_s == pytest.approx(1000.12345, abs=1e-6)
    assert Here(lambda: 1.9e9, "a", lambda: 1000.12345).body() == {
        "boot": "a", "asleep_s": 1000.123,
    }  # fmt: skip
    assert Here(lambda: 1.9e9).body() == {"boot": "", "asleep_s": 0.0}


# -- the computer ----------------------------------------------------------------------------------
def test_the_clocks_of_this_computer_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = SimpleNamespace(time=lambda: 1.9e9, monotonic=lambda: 50.0)
    monkeypatch.setattr(computer, "time", shown)
    monkeypatch.setattr(computer, "boot_id", lambda: "a")
    monkeypatch.setattr(computer, "asleep_s", lambda: 7.0)
    assert computer.moment() == Moment("a", 57.0, 1.9e9)
    here = computer.here()
    assert (here.wall_clock(), here.boot, here.asleep_clock()) == (1.9e9, "a", 7.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_text("0a1b-2c\n"), "0a1b-2c"),
        (lambda path: path.write_bytes(b"\xff\xfe"), ""),
        (lambda _path: None, ""),
    ],
)
def test_a_boot_is_named_by_the_system_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], says: str
) -> None:
    make(tmp_path / "boot_id")
    monkeypatch.setattr(computer, "BOOT_ID", tmp_path / "boot_id")
    assert computer.boot_id() == says


def test_the_sleep_is_what_the_clock_since_boot_is_ahead_and_never_below_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown_s = {"since boot": 107.5, "awake": 100.0}
    clock = SimpleNamespace(
        CLOCK_BOOTTIME="since boot", CLOCK_MONOTONIC="awake", clock_gettime=shown_s.__getitem__
    )
    monkeypatch.setattr(computer, "time", clock)
    assert computer.asleep_s() == 7.5
    shown_s["since boot"] = 99.0
    assert computer.asleep_s() == 0.0
    del clock.CLOCK_BOOTTIME
    assert computer.asleep_s() == 0.0
