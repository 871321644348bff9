"""The door for whoever writes beside no kernel: who may, into which record, and what is refused."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.api.authority import Do
from controller.config.paths import journal_path, run_dir
from controller.record import beside, offline, read
from controller.record.chain import Stamped
from controller.record.clocks import Here
from controller.record.computer import boot_id
from controller.record.dismissal import dismiss_here
from controller.record.journal import Journal, Row
from controller.record.locks import Lock
from controller.record.store import RecordError, Store
from controller.record.whole import recover
from controller.safety.refusal import RefusedError
from controller.treatment.events import Who
from controller.treatment.kinds import Kind
from tests.controller.record.books import rows_of
from tests.controller.record.crashed import crashed

ANNA = {"name": "anna", "role": "practitioner", "origin": "local"}


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


def written(state: Path, who: dict[str, str] = ANNA, do: Do = Do.DISMISS) -> tuple[Who, Here]:
    """Write one row through the door, and return who is said to write, by which clocks."""
    seen: list[tuple[Who, Here]] = []

    async def act(journal: Journal, who: Who, clocks: Here) -> dict[str, Any]:
        seen.append((who, clocks))
        await journal.commit([Row(Kind.DISMISSED, {"reason": "x"}, 1)])
        return {"done": True}

    assert beside.write(do, who, state, act, "Ask anna.") == {"done": True}
    return seen[0]


def test_a_row_is_written_by_the_person_and_the_clocks_of_this_computer(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    who, clocks = written(tmp_path)
    assert who == Who("anna", "practitioner", "local")
    assert clocks.boot == boot_id()
    assert rows_of(journal_path(tmp_path))[-1][1:] == ("dismissed", '{"reason":"x"}')


def test_where_no_record_is_nothing_is_left_behind(tmp_path: Path) -> None:
    written(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("who", "do", "sentence"),
    [
        ({**ANNA, "role": "viewer"}, Do.DISMISS, "The role viewer may not ask for 'dismiss'."),
        ({}, Do.STERILISED, "The role viewer may not ask for 'sterilised'."),
        (
            {**ANNA, "origin": "remote"},
            Do.DISMISS,
            "'dismiss' needs a person at the unit: from elsewhere one may stop, pause, lower and "
            "look, never start or raise.",
        ),
    ],
)
def test_who_may_not_is_told_whom_to_ask_and_nothing_is_written(
    tmp_path: Path, who: dict[str, str], do: Do, sentence: str
) -> None:
    crashed(journal_path(tmp_path))
    assert refused(lambda: written(tmp_path, who, do)) == ("not_allowed", sentence, "Ask anna.")
    assert len(rows_of(journal_path(tmp_path))) == 4


def test_a_record_that_cannot_be_kept_is_told_and_nothing_was_recorded(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))

    async def act(_journal: Journal, _who: Who, _clocks: Here) -> dict[str, Any]:
        raise RecordError("It is full.")

    assert refused(lambda: beside.write(Do.DISMISS, ANNA, tmp_path, act, "")) == (
        "record", "It is full.", "Nothing was recorded.",
    )  # fmt: skip


def test_the_record_is_proved_before_anybody_writes_into_it(tmp_path: Path) -> None:
    journal_path(tmp_path).write_text("this is no journal" * 100)
    assert refused(lambda: written(tmp_path))[0] == "record"


def test_where_no_record_lies_its_folder_is_told_with_what_makes_one(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    said = (
        "no_record",
        f"There is no record {path}.",
        "Name the folder of the record in CORNEUM_STATE; a first treatment makes one.",
    )
    assert refused(lambda: beside.check_record(tmp_path)) == said
    assert refused(lambda: beside.check_record(tmp_path, lost_too=True)) == said
    assert refused(lambda: recover(tmp_path)) == said
    assert refused(lambda: dismiss_here({"treatment": 1}, ANNA, tmp_path)) == said
    assert not beside.is_known(tmp_path)


def test_a_record_that_is_known_to_have_lain_there_is_enough_where_that_is_asked(
    tmp_path: Path,
) -> None:
    path = journal_path(tmp_path)
    store = Store(path)
    store.append([Stamped(1.0, 1.9e9, 0, "state", "{}")])
    store.close()
    assert beside.check_record(tmp_path) == path
    assert beside.is_known(tmp_path)
    path.unlink()
    assert beside.is_known(tmp_path)
    assert beside.check_record(tmp_path, lost_too=True) == path
    assert refused(lambda: beside.check_record(tmp_path))[0] == "no_record"


def test_a_record_that_cannot_be_looked_for_may_lie_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exists(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", exists)
    assert beside.check_record(tmp_path) == journal_path(tmp_path)


# -- beside no kernel ------------------------------------------------------------------------------
RUNS = "A kernel of this record runs, or it cannot be seen that none does."


@pytest.fixture
def state(tmp_path: Path) -> Path:
    crashed(journal_path(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("act", "step"),
    [
        (
            lambda state: dismiss_here({"treatment": 1}, ANNA, state),
            "Ask it: leave --port out, or name its port.",
        ),
        (recover, "It would have to wait for this: end it, then ask again."),
        (lambda state: beside.check_no_kernel(state, "Do it."), "Do it."),
    ],
)
def test_while_a_kernel_lives_it_is_asked_instead(
    state: Path, act: Callable[[Path], object], step: str
) -> None:
    lock = Lock(run_dir(state) / "port-1.lock")
    lock.take()
    assert refused(lambda: act(state)) == ("kernel_running", RUNS, step)
    lock.release()
    act(state)


def test_no_kernel_is_there_where_no_lock_of_a_port_is_held(tmp_path: Path) -> None:
    beside.check_no_kernel(tmp_path, "x")  # there is no folder of locks
    unit = Lock(run_dir(tmp_path) / "unit-1.lock")
    unit.take()
    (run_dir(tmp_path) / "port-1.lock").touch()
    beside.check_no_kernel(tmp_path, "x")
    unit.release()


@pytest.mark.parametrize("thing", ["a file", "a lock that is a link in a circle"])
def test_locks_that_cannot_be_looked_at_may_be_held(tmp_path: Path, thing: str) -> None:
    if thing == "a file":
        run_dir(tmp_path).write_text("")
    else:
        run_dir(tmp_path).mkdir()
        _circle(run_dir(tmp_path) / "port-1.lock")
    assert refused(lambda: beside.check_no_kernel(tmp_path, "x")) == ("kernel_running", RUNS, "x")


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def test_a_lock_is_looked_for_in_the_folder_of_locks_by_its_name_alone(tmp_path: Path) -> None:
    alive = beside.alive_in(tmp_path)
    lock = Lock(run_dir(tmp_path) / "port-1.lock")
    lock.take()
    assert [alive(name) for name in ("port-1.lock", "../x/port-1.lock", "port-2.lock")] == [
        True, True, False,
    ]  # fmt: skip
    lock.release()
    assert not alive("port-1.lock")
    _circle(run_dir(tmp_path) / "port-3.lock")
    assert alive("port-3.lock")


def test_the_two_doors_have_what_they_name() -> None:
    for door in (offline, read):
        assert all(hasattr(door, name) for name in door.__all__)
