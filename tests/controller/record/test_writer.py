"""The journal's thread: in order, never in the way of the loop, and bounded when the disk hangs."""

import asyncio
import queue
import threading
from functools import partial
from pathlib import Path

import pytest

from controller.record import writer as writer_module
from controller.record.journal import Journal, Row
from controller.record.store import RecordError, Store
from controller.record.verify import verify
from controller.record.writer import QUEUE_MAX, InlineWriter, ThreadWriter
from controller.treatment.kinds import Kind
from tests.controller.record.books import WALL_S, rows_of

pytestmark = pytest.mark.realtime


@pytest.mark.asyncio
async def test_what_is_submitted_is_done_in_order_and_told_on_the_loop(tmp_path: Path) -> None:
    writer = ThreadWriter(Store(tmp_path / "journal.sqlite3"))
    threads: set[int] = set()

    def job(number: int, _store: Store) -> int:
        threads.add(threading.get_ident())
        return number

    told = [await writer.submit(partial(job, number)) for number in range(50)]
    writer.close()
    assert told == list(range(50))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


@pytest.mark.asyncio
async def test_the_loop_goes_on_while_the_disk_works() -> None:
    writer, release = ThreadWriter(Store(None)), threading.Event()
    slow = writer.submit(lambda _store: release.wait(5.0))
    beats = 0
    for _ in range(20):
        await asyncio.sleep(0)
        beats += not slow.done()
    release.set()
    assert await slow
    writer.close()
    assert beats == 20


@pytest.mark.asyncio
async def test_whatever_a_job_raises_reaches_who_waits_and_the_thread_lives_on() -> None:
    writer = ThreadWriter(Store(None))
    for error in (RecordError("full"), ValueError("a bug"), KeyError("another")):

        def fail(_store: Store, error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            await writer.submit(fail)
    assert await writer.submit(Store.probe) == 0
    writer.close()


@pytest.mark.hazard("H40")
@pytest.mark.asyncio
async def test_a_queue_that_is_full_is_said_at_once_and_the_end_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "CLOSE_MAX_S", 0.05)
    writer, release = ThreadWriter(Store(None)), threading.Event()
    waiting = [writer.submit(lambda _store: release.wait(5.0))]
    with pytest.raises(RecordError, match="does not keep up"):
        waiting += [writer.submit(lambda _store: True) for _ in range(QUEUE_MAX + 2)]
    began_s = asyncio.get_running_loop().time()
    writer.close()
    took_s = asyncio.get_running_loop().time() - began_s
    release.set()
    done, _ = await asyncio.wait(waiting)
    assert all(each.result() for each in done)
    assert took_s < 1.0


@pytest.mark.asyncio
async def test_who_no_longer_waits_is_not_told(tmp_path: Path) -> None:
    journal = Journal(
        ThreadWriter(Store(tmp_path / "journal.sqlite3")), lambda: WALL_S, folder=tmp_path
    )
    task = asyncio.create_task(journal.commit([Row(Kind.ARM, {})]), name="commit")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await journal.commit([Row(Kind.TRIP, {})])
    await journal.close()
    assert [kind for _, kind, _ in rows_of(tmp_path / "journal.sqlite3")] == ["arm", "trip"]
    assert verify(tmp_path / "journal.sqlite3").ok


def test_rows_that_are_written_after_the_loop_has_ended_are_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    writer = ThreadWriter(Store(path))

    async def scenario() -> None:
        journal = Journal(writer, lambda: WALL_S, folder=tmp_path)
        journal.note(Row(Kind.EXPOSURE, {}))
        journal._flush()

    asyncio.run(scenario())
    writer.close()
    assert len(rows_of(path)) == 1


@pytest.mark.asyncio
async def test_a_queue_that_is_full_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ThreadWriter(Store(tmp_path / "journal.sqlite3"))

    def full(_queue: object, _job: object) -> None:
        raise queue.Full

    monkeypatch.setattr(queue.Queue, "put_nowait", full)
    with pytest.raises(RecordError) as caught:
        await writer.submit(Store.probe)
    writer.close()
    assert str(caught.value) == (
        f"The journal {tmp_path / 'journal.sqlite3'} does not keep up: the disk is too slow or "
        "hangs; check it before the next treatment."
    )
    assert not writer._thread.is_alive()


@pytest.mark.asyncio
async def test_in_a_pause_the_log_is_folded_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "IDLE_S", 0.005)
    paused = threading.Event()
    monkeypatch.setattr(Store, "checkpoint", lambda _store: paused.set())
    writer = ThreadWriter(Store(tmp_path / "journal.sqlite3"))
    assert paused.wait(5.0)
    assert await writer.submit(Store.probe) == 0  # and the thread lives on
    writer.close()


@pytest.mark.asyncio
async def test_the_thread_is_called_after_what_it_does_and_holds_no_process_alive() -> None:
    writer = ThreadWriter(Store(None))
    told = (writer._thread.name, writer._thread.daemon)
    writer.close()
    assert told == ("journal", True)


@pytest.mark.asyncio
async def test_a_job_without_a_thread_is_done_when_it_is_submitted() -> None:
    writer = InlineWriter(Store(None))
    done = writer.submit(Store.probe)
    assert (done.done(), await done) == (True, 0)

    def fails(_store: Store) -> None:
        raise KeyError("so")

    failed = writer.submit(fails)
    assert failed.done()
    with pytest.raises(KeyError, match="so"):
        await failed
    writer.close()
    assert writer._store._connection is None
