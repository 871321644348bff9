"""A whole record is asked beside no kernel: checked with what was decided, and made anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from controller.config.paths import journal_path
from controller.record import whole, words
from controller.record.chain import Stamped
from controller.record.decisions import accept_here
from controller.record.health import believe
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import Break, CheckResult
from controller.record.whole import Accepted, Checked, check, recover
from controller.safety.refusal import RefusedError
from tests.controller.record import damage
from tests.controller.record.crashed import crashed

TOM: Final = {"name": "tom", "role": "technician", "origin": "local"}
WRITTEN: Final = "its content is not what was written"


def silent(_row: int, _rows: int) -> None:
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of a treatment of each of two clients, four rows each."""
    made = journal_path(tmp_path)
    crashed(made, treatment=1, client="c-1")
    crashed(made, treatment=2, client="c-2")
    return made


def decide(state: Path, row: int) -> float:
    """Decide on a row; return when."""
    accept_here({"subject": "row", "number": row, "reason": f"read {row}"}, TOM, state)
    store = Store(journal_path(state))
    (*_, decision) = store.decisions()
    store.close()
    return decision.wall_s


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


# -- checked ---------------------------------------------------------------------------------------
def test_a_whole_record_is_told_by_its_rows_and_how_far_the_check_is(path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = check(path.parent, lambda row, rows: told.append((row, rows)))
    assert found == Checked(CheckResult(path, 8))
    assert told == [(8, 8)]


def test_breaks_stand_until_each_is_decided_on_and_then_say_by_whom_and_why(path: Path) -> None:
    for row in (3, 6):
        damage.no_json(path, row)
    breaks = [Break(3, WRITTEN), Break(6, WRITTEN)]
    assert check(path.parent, silent) == Checked(CheckResult(path, 2, breaks))
    when_s = decide(path.parent, 3)
    first = Accepted(3, WRITTEN, TOM, "read 3", when_s)
    assert check(path.parent, silent) == Checked(CheckResult(path, 5, breaks[1:]), (first,))
    second = Accepted(6, WRITTEN, TOM, "read 6", decide(path.parent, 6))
    found = check(path.parent, silent)
    assert found == Checked(CheckResult(path, 10, []), (first, second))
    assert found.ok
    damage.no_json(path, 5)
    assert not check(path.parent, silent).ok


def test_a_decision_of_an_older_build_names_nobody(path: Path) -> None:
    damage.no_json(path, 3)
    store = Store(path)
    decided = '{"row":3,"subject":"row"}'
    about_the_head = '{"heads":[],"subject":"head"}'
    store.append([Stamped(9.0, 1.9e9, 0, "decision", body) for body in (decided, about_the_head)])
    store.close()
    assert check(path.parent, silent).accepted == (Accepted(3, WRITTEN, {}, "", 1.9e9),)


def test_what_a_record_lacks_is_told_beside_its_rows(path: Path) -> None:
    copy = path.read_bytes()
    store = Store(path)
    store.append([Stamped(1e6, 1.9e9, 0, "state", "{}")])
    store.close()
    path.write_bytes(copy)
    found = check(path.parent, silent)
    assert found.found == CheckResult(path, 8)
    assert str(found.lacking).startswith(f"The record {path} lacks row 9 of journal ")
    assert not found.ok


def test_a_file_that_cannot_be_read_is_told_by_the_check_alone(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    path.write_bytes(b"no database" * 100)
    found = check(tmp_path, silent)
    assert found == Checked(found.found)
    assert found.found.unreadable == (
        f"The record {path} is damaged, or is no record (file is not a database): leave it where "
        f"it is; {words.RESTORE}."
    )


def test_a_record_that_cannot_be_asked_beside_is_told_as_lacking(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(asked: Path, _question: object) -> None:
        assert asked == path
        raise RecordError("It is busy.")

    monkeypatch.setattr(whole, "ask_record", ask)
    assert check(path.parent, silent) == Checked(CheckResult(path, 8), lacking="It is busy.")


# -- made anew -------------------------------------------------------------------------------------
def test_lists_are_made_anew_and_the_file_is_named(path: Path) -> None:
    damage.lost_entry(path, 2)
    assert not check(path.parent, silent).ok
    assert recover(path.parent) == path
    assert check(path.parent, silent).ok


def test_a_record_that_cannot_be_opened_is_not_made_anew(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    path.write_bytes(b"no database" * 100)
    code, sentence, step = refused(lambda: recover(tmp_path))
    assert (code, step) == ("record", "Nothing was changed.")
    assert sentence.startswith(f"The record {path} is damaged, or is no record")


def test_what_was_opened_is_closed_whatever_comes_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []
    close = Store.close

    def closing(store: Store) -> None:
        closed.append(store.path)
        close(store)

    monkeypatch.setattr(Store, "close", closing)
    recover(path.parent)
    monkeypatch.setattr(Store, "recover", lambda _store: False)
    refused(lambda: recover(path.parent))
    assert closed == [path, path]


# -- believed --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "concerned"),
    [(1, set()), (2, {"c-1"}), (5, {"c-1"}), (6, {"c-1", "c-2"}), (8, {"c-1", "c-2"})],
)
def test_a_break_concerns_whoever_was_treated_at_it_or_at_the_row_before(
    path: Path, row: int, concerned: set[str]
) -> None:
    store = Store(path)
    for client in ("c-1", "c-2", "c-3"):
        if client not in concerned:
            believe(store, client, [Break(row, "it is gone")])
            continue
        with pytest.raises(BrokenRowError) as caught:
            believe(store, client, [Break(row, "it is gone")])
        assert str(caught.value) == str(BrokenRowError(path, row, "it is gone"))
    store.close()


def test_a_break_that_was_decided_on_concerns_nobody(path: Path) -> None:
    damage.no_json(path, 3)
    decide(path.parent, 3)
    store = Store(path)
    believe(store, "c-1", [Break(3, WRITTEN)])
    with pytest.raises(BrokenRowError, match="Row 4"):
        believe(store, "c-1", [Break(3, WRITTEN), Break(4, WRITTEN)])
    store.close()


def test_a_treatment_of_somebody_unknown_concerns_everybody() -> None:
    store = Store(None)
    store.append([Stamped(1.0, 1.9e9, 1, "treatment", "{}")])
    with pytest.raises(BrokenRowError):
        believe(store, "c-9", [Break(1, "x")])
    believe(store, "c-9", ())
    store.close()
