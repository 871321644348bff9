"""What a crash has cut off is told and dismissed without a kernel, from the record alone."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.config.paths import journal_path, run_dir
from controller.record.chain import Stamped
from controller.record.cut_off import cut_off
from controller.record.decisions import accept_here
from controller.record.dismissal import dismiss_here
from controller.record.history import past
from controller.record.locks import Lock
from controller.record.recovery import UNSEEN_S
from controller.record.sterilised import sterilised_here
from controller.record.store import Store
from controller.record.verify import verify
from controller.record.whole import recover
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from tests.controller.record import damage
from tests.controller.record.books import rows_of
from tests.controller.record.crashed import HAD, LOCK, PER_S, crashed
from tests.controller.record.test_recovery import interruption, kernel_on, killed_in_zone

ANNA = {"name": "anna", "role": "practitioner", "origin": "local"}
TOM = {"name": "tom", "role": "technician", "origin": "local"}
DISMISS = {"treatment": 1, "reason": "the client went home"}


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("marked", [False, True])
def test_what_was_cut_off_is_told_from_the_record_alone(tmp_path: Path, *, marked: bool) -> None:
    crashed(journal_path(tmp_path), marked=marked)
    before = journal_path(tmp_path).read_bytes()
    (left,) = cut_off(tmp_path)
    (zone,) = left.zones
    assert (left.treatment, left.client, left.by, left.unit) == (1, "c-0042", "anna", 4711)
    assert (left.marked, left.resumable, left.trouble) == (marked, True, None)
    assert (zone.display, zone.cap_um, left.unseen_s) == ("Nose", 3.0, UNSEEN_S)
    assert zone.charged_um == pytest.approx(UNSEEN_S * PER_S["bound_um"])
    assert zone.bound_um == pytest.approx(HAD["bound_um"] + zone.charged_um)
    assert journal_path(tmp_path).read_bytes() == before


def test_after_half_a_day_it_is_told_and_can_no_longer_be_gone_on_with(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path), age_s=13 * 3600.0)
    (left,) = cut_off(tmp_path)
    assert not left.resumable


def test_a_treatment_whose_kernel_lives_is_not_cut_off(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    lock = Lock(run_dir(tmp_path) / LOCK)
    lock.take()
    assert cut_off(tmp_path) == ()
    lock.release()
    assert [each.treatment for each in cut_off(tmp_path)] == [1]


def test_rows_that_cannot_be_believed_hide_no_other_treatment(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    crashed(journal_path(tmp_path), treatment=2, client="c-0043")
    damage.no_json(journal_path(tmp_path), 4)  # the exposure of the first
    second, first = cut_off(tmp_path)
    assert (second.treatment, second.trouble) == (2, None)
    assert first.treatment == 1
    assert first.trouble is not None


def test_a_dismissal_needs_no_kernel_and_is_a_row_that_says_who_and_why(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    assert dismiss_here(DISMISS, ANNA, tmp_path) == {"treatment": 1}
    assert cut_off(tmp_path) == ()
    kind, body = rows_of(journal_path(tmp_path))[-1][1:]
    assert kind == "dismissed"
    assert '"name":"anna"' in body
    assert "the client went home" in body
    assert verify(journal_path(tmp_path)).ok


@pytest.mark.hazard("H12", "H51")
def test_what_was_dismissed_unseen_is_charged_by_the_next_kernel_all_the_same(
    tmp_path: Path,
) -> None:
    run_virtual(killed_in_zone(tmp_path))
    dismiss_here(DISMISS, ANNA, tmp_path)

    async def next_kernel() -> int:
        async with kernel_on(tmp_path) as made:
            return len(made.snapshot()["unfinished"])

    assert run_virtual(next_kernel()) == 0
    assert interruption(tmp_path)["charged"]


@pytest.mark.parametrize(
    ("who", "treatment", "code"),
    [
        (ANNA, 7, "unknown_treatment"),
        ({**ANNA, "role": "viewer"}, 1, "not_allowed"),
        ({**ANNA, "origin": "remote"}, 1, "not_allowed"),
    ],
)
def test_the_same_people_dismiss_the_same_treatments_as_with_a_kernel(
    tmp_path: Path, who: dict[str, str], treatment: int, code: str
) -> None:
    crashed(journal_path(tmp_path))
    with pytest.raises(RefusedError) as caught:
        dismiss_here({**DISMISS, "treatment": treatment}, who, tmp_path)
    assert caught.value.code == code
    assert [each.treatment for each in cut_off(tmp_path)] == [1]


def test_no_treatment_is_dismissed_twice(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    dismiss_here(DISMISS, ANNA, tmp_path)
    with pytest.raises(RefusedError, match="Treatment 1 is not unfinished"):
        dismiss_here(DISMISS, ANNA, tmp_path)


def test_nothing_is_dismissed_past_a_kernel_that_may_live(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    lock = Lock(run_dir(tmp_path) / "port-other.lock")
    lock.take()
    with pytest.raises(RefusedError, match="A kernel of this record runs"):
        dismiss_here(DISMISS, ANNA, tmp_path)
    lock.release()


def test_where_locks_cannot_be_looked_at_a_kernel_may_live(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    run_dir(tmp_path).write_text("no folder")
    for asked in (recover, lambda state: dismiss_here(DISMISS, ANNA, state)):
        with pytest.raises(RefusedError, match="it cannot be seen that none does"):
            asked(tmp_path)


def test_what_a_row_rests_on_cannot_change_before_it_is_written(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    crashed(path)
    row = Stamped(1.0, 1.9e9, 0, "note", "{}")
    store, said = Store(path), []

    def refusal(_store: Store) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked") as caught:
            sqlite3.connect(path, timeout=0.0).execute("BEGIN IMMEDIATE")
        said.append(caught.value)

    assert store.append_unless([row], refusal) is None
    assert len(said) == 1
    assert store.append_unless([row], lambda _store: "not now") == "not now"
    store.close()
    assert [kind for _, kind, _ in rows_of(path)].count("note") == 1
    assert verify(path).ok


ASKED: dict[str, Callable[[Path], object]] = {
    "recover": recover,
    "dismiss": lambda state: dismiss_here(DISMISS, ANNA, state),
    "accept a row": lambda state: accept_here(
        {"subject": "row", "number": 1, "reason": "so"}, TOM, state
    ),
    "accept the clock": lambda state: accept_here({"subject": "clock", "reason": "so"}, TOM, state),
    "sterilised": lambda state: sterilised_here({"tip": "R-7"}, ANNA, state),
    "list": lambda state: past(state, None, 20),
}


@pytest.mark.parametrize("asked", ASKED)
def test_where_no_record_is_none_is_made(tmp_path: Path, asked: str) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with pytest.raises(RefusedError) as caught:
        ASKED[asked](state)
    assert caught.value.code in {"no_record", "tip_unknown"}
    assert not list(state.iterdir())
    assert cut_off(state) == ()
    assert not list(state.iterdir())


def test_past_treatments_are_told_with_how_each_ended(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    crashed(path, marked=True)
    crashed(path, treatment=2, client="c-0043")
    crashed(path, treatment=3)
    dismiss_here({**DISMISS, "treatment": 2}, ANNA, tmp_path)
    damage.no_json(path, 11)  # the row that began the third
    newest, second, first = past(tmp_path, None, 20)
    assert newest.outcome == "its rows cannot be believed"
    assert (second.outcome, second.client) == ("cut off, dismissed", "c-0043")
    assert (first.outcome, first.by, first.unit) == ("cut off", "anna", 4711)
    assert [zone.zone for zone in first.zones] == ["nose"]
    assert [each.treatment for each in past(tmp_path, "c-0043", 20)] == [2]
    assert [each.treatment for each in past(tmp_path, None, 1)] == [3]
