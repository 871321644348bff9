"""Power cuts and failing disks below the real SQLite: a sample, and that the proof can fail."""

import sqlite3
from collections.abc import Iterator
from unittest import mock

import pytest

from controller.record import recovery
from controller.record.store import Store
from tests.proof.crash import checks
from tests.proof.crash.cuts import Cut, Fate, Files, How, Medium
from tests.proof.crash.disk import Act, Failure, Fault, Step
from tests.proof.crash.proof import ASKED, cases_at, jobs, prove
from tests.proof.crash.scenes import SCENES, Recorded, recorded, treatment

SAMPLE = 18
FILE = "journal.sqlite3-wal"


def write(offset: int, data: bytes, file: str = FILE) -> Step:
    return Step(Act.WRITE, file, offset, data)


def after(medium: Medium, cut: Cut, last: Step) -> Files:
    return medium.after(cut, last, seed=1)


# -- the record ------------------------------------------------------------------------------------
@pytest.mark.hazard("H12", "H51")
@pytest.mark.parametrize("scene", SCENES)
def test_no_row_is_lost_or_halved_by_a_cut_and_the_next_start_charges_the_worst(scene: str) -> None:
    results = [prove(job) for job in jobs(1, SAMPLE // len(SCENES), [scene]).values()]
    assert [each for result in results for each in result["wrong"]] == []
    assert sum(result["cut"] for result in results) > 0
    assert sum(result["fault"] for result in results) > 0


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_asks_the_same_of_its_disk_whenever_it_is_run(scene: str) -> None:
    again = SCENES[scene](1)
    assert again.steps == recorded(scene, 1).steps
    assert again.rows == recorded(scene, 1).rows


def _commits(found: Recorded) -> list[int]:
    """Return which of all that was asked of the disk is the sync of a commit."""
    numbers = [number for number, step in enumerate(found.steps) if step.act in ASKED]
    return [at for at, number in enumerate(numbers) if found.steps[number + 1].act is Act.TOLD]


@pytest.mark.hazard("H40")
@pytest.mark.parametrize(
    ("failure", "before"), [(Failure.FULL, 1), (Failure.BROKEN, 1), (Failure.UNSYNCED, 0)]
)
def test_a_disk_that_fails_ends_the_treatment_and_what_it_lost_is_marked(
    failure: Failure, before: int
) -> None:
    commits = _commits(recorded("treatment", 1))
    failed = treatment(1, Fault(failure, commits[len(commits) * 2 // 3] - before))
    assert failed.failed > 0
    assert not failed.flowed_on
    assert not failed.open_valve
    assert failed.lost_rows == failed.marked_rows > 0
    assert failed.given[-1].contact_s < recorded("treatment", 1).given[-1].contact_s


# -- the proof can fail ----------------------------------------------------------------------------
@pytest.fixture
def _careless() -> Iterator[None]:
    """Let the store sync nothing but what a checkpoint needs."""
    real = Store._prepare

    def prepare(store: Store, connection: sqlite3.Connection) -> None:
        real(store, connection)
        connection.execute("PRAGMA synchronous = NORMAL")

    with mock.patch.object(Store, "_prepare", prepare):
        yield


def _all_lost(found: Recorded) -> Iterator[str]:
    """Cut the power now and then in the last half, with all lost that was not synced."""
    medium = Medium(dict(found.before))
    for number, step in enumerate(found.steps):
        cuts = [each for each in cases_at(found.steps, number) if isinstance(each, Cut)]
        for cut in cuts:
            if cut.how is How.LOST and number % 10 == 0 and number > len(found.steps) / 2:
                yield from checks.after_cut(found, medium, cut, 1, set())
        medium.take(step)


@pytest.mark.usefixtures("_careless")
def test_a_store_that_does_not_sync_each_commit_is_found_out() -> None:
    assert any("were told as durable" in each for each in _all_lost(treatment(1)))


def test_a_recovery_that_charges_nothing_for_what_nobody_saw_is_found_out() -> None:
    with mock.patch.object(recovery, "UNSEEN_S", 0.0):
        assert any("s are charged and" in each for each in _all_lost(recorded("treatment", 1)))


# -- the disk --------------------------------------------------------------------------------------
def test_a_cut_before_a_sync_loses_what_was_written_and_one_after_it_does_not() -> None:
    medium = Medium({FILE: b""})
    medium.take(write(0, b"a" * 512))
    sync = Step(Act.SYNC, FILE)
    assert after(medium, Cut(1, How.LOST), sync) == {FILE: b""}
    medium.take(sync)
    assert after(medium, Cut(2, How.LOST), write(512, b"b")) == {FILE: b"a" * 512}


@pytest.mark.parametrize(
    ("fate", "middle"),
    [(Fate.OLD, b"-" * 512), (Fate.TORN, b"n" * 256 + b"-" * 256), (Fate.WILD, b"\xcb" * 512)],
)
def test_one_sector_of_the_last_write_is_missing_torn_or_wild(fate: Fate, middle: bytes) -> None:
    medium = Medium({FILE: b"-" * 2000})
    found = after(medium, Cut(0, How.SECTOR, 1, fate), write(0, b"n" * 1536))
    assert found[FILE] == b"n" * 512 + middle + b"n" * 512 + b"-" * 464


def test_bytes_beside_a_write_in_its_sector_stay_as_they_were() -> None:
    medium = Medium({FILE: b"-" * 1024})
    found = after(medium, Cut(0, How.SECTOR, 0, Fate.WILD), write(500, b"n" * 12))
    assert found[FILE] == b"-" * 500 + b"\xcb" * 12 + b"-" * 512


def test_a_failed_sync_loses_what_it_was_for_even_where_the_next_one_works() -> None:
    medium = Medium({FILE: b""})
    for step in (write(0, b"a" * 512), Step(Act.SYNC_FAILED, FILE), Step(Act.SYNC, FILE)):
        medium.take(step)
    assert medium.durable == {FILE: b""}


def test_a_new_name_is_lost_until_its_file_is_synced_and_a_removed_one_comes_back() -> None:
    medium = Medium({"journal.sqlite3-journal": b"hot"})
    for step in (Step(Act.DELETE, "journal.sqlite3-journal"), Step(Act.CREATE, FILE)):
        medium.take(step)
    last = write(0, b"a")
    assert set(after(medium, Cut(2, How.LOST), last)) == {"journal.sqlite3-journal"}
    assert set(after(medium, Cut(2, How.KEPT), last)) == {FILE}
    for step in (last, Step(Act.SYNC, FILE)):
        medium.take(step)
    assert medium.durable == {FILE: b"a"}
