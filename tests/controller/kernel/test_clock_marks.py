"""Whose clock a row's times are on: the boot of its kernel, and the sleep since."""

from pathlib import Path

import pytest

from controller.record.chain import Stamped
from controller.record.clocks import ClockRecord, doubt_of, sentence_of
from controller.record.store import Store
from controller.safety.timeline import Moment

NOW = Moment("b", 900.0, 1.9e9 + 900.0)


def marks(path: Path, *rows: tuple[str, str]) -> list[tuple[str, float, bool]]:
    """Return boot, monotonic time with sleep, and whether it was decided, of each mark."""
    store = Store(path)
    store.append(
        [
            Stamped(10.0 * number, 1.9e9 + 10.0 * number, 0, kind, body)
            for number, (kind, body) in enumerate(rows, start=1)
        ]
    )
    record = ClockRecord(store)
    store.close()
    return [(mark.at.boot, mark.at.up_s, mark.decided) for mark in record._marks]


@pytest.mark.hazard("H41")
def test_each_mark_is_on_the_clock_of_its_boot_with_the_sleep_that_it_tells(tmp_path: Path) -> None:
    assert marks(
        tmp_path / "journal.sqlite3",
        ("kernel", '{"boot": "a", "asleep_s": 100.0}'),
        ("clock_step", '{"step_s": 5.0}'),
        ("kernel", '{"boot": "b"}'),
        ("clock_step", '{"step_s": 5.0, "asleep_s": 7.0}'),
        ("decision", '{"subject": "clock"}'),
        ("decision", '{"subject": "row", "row": 1}'),
        ("decision", '{"subject": "clock", "boot": "c", "asleep_s": 0.0}'),
        ("kernel", "{}"),
    ) == [
        ("a", 110.0, False),
        ("a", 120.0, False),
        ("b", 30.0, False),
        ("b", 47.0, False),
        ("", 57.0, True),
        ("c", 70.0, True),
        ("", 80.0, False),
    ]


def test_a_clock_that_stands_before_what_is_on_record_is_told_in_a_sentence(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "journal.sqlite3")
    store.append([Stamped(10.0, 1.9e9, 0, "kernel", '{"boot": "a", "asleep_s": 0.0}')])
    past = Moment("b", 900.0, 1.8e9)
    doubt = ClockRecord(store).timeline((), past).doubt
    assert doubt is not None
    assert doubt_of(store, past) == sentence_of(doubt)
    assert doubt_of(store, NOW) is None
    store.close()
