"""The recorder as a process: killed, stopped, beside a full disk, and when its kernel is gone."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from controller.archive import waveforms
from controller.archive.recording import CUT_SHORT, QUEUE_FULL, RECORDER_GONE
from controller.record.waveform_process import PROGRAM, RecorderProcess, file_name
from controller.record.waveform_samples import RECORD_BYTES, Text, parts_of
from tests.controller.archive.takes import SAMPLE_KIND, patch_test

pytestmark = pytest.mark.realtime

WAIT_MAX_S = 30.0
LOSS_MAX_S = 1.0
PERIOD_S = 0.02


def pieces() -> list[bytes]:
    data = patch_test()
    return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_MAX_S):
        while not holds():
            await asyncio.sleep(0.02)


def workers(recorder: RecorderProcess) -> list[int]:
    """Return the processes that take from the queue."""
    process = recorder._process
    assert process is not None
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(word) for word in text.split()]


async def pour(recorder: RecorderProcess, records: list[bytes], period_s: float = 0.0) -> int:
    """Put records, and return how many found no room."""
    refused = 0
    for each in records:
        refused += not recorder.put(each)
        if period_s:
            await asyncio.sleep(period_s)
    return refused


def run(folder: Path, play: Callable[[RecorderProcess], Awaitable[None]]) -> Path:
    async def whole() -> None:
        recorder = RecorderProcess(folder)
        recorder.start()
        try:
            await play(recorder)
        finally:
            recorder.give_up()
            await until(lambda: recorder._process is None or recorder._process.poll() is not None)

    pieces()  # made in virtual time, so not inside of a loop
    asyncio.run(whole())
    return folder / file_name(1)


def test_it_finishes_the_file_tells_its_hash_and_ends_with_the_queue(tmp_path: Path) -> None:
    async def play(recorder: RecorderProcess) -> None:
        assert await pour(recorder, pieces()) == 0
        await until(lambda: recorder.told.get("treatment") == 1)
        assert recorder.told["sha256"]
        process = recorder._process
        assert process is not None
        recorder.give_up(kill=False)
        async with asyncio.timeout(WAIT_MAX_S):
            while process.poll() is None:
                await asyncio.sleep(0.01)
        assert process.returncode == 0

    assert waveforms.read(run(tmp_path, play)).whole


def test_a_killed_worker_is_replaced_at_once_and_loses_less_than_a_second(tmp_path: Path) -> None:
    async def play(recorder: RecorderProcess) -> None:
        await pour(recorder, pieces()[:200], 0.004)
        for at in range(200, 440, 80):
            await until(lambda: bool(workers(recorder)))
            os.kill(workers(recorder)[0], signal.SIGKILL)
            await pour(recorder, pieces()[at : at + 80], 0.004)
        await pour(recorder, pieces()[440:])
        await until(lambda: recorder.told.get("treatment") == 1)

    read = waveforms.read(run(tmp_path, play))
    assert read.whole
    assert {gap.why for gap in read.gaps} <= {RECORDER_GONE}
    # The file has every sample but those of a turn that was under way when the kill came.
    turn = 0.25 / 0.004
    assert sum(gap.lost_samples for gap in read.gaps) <= 3 * turn
    samples = sum(piece[0] == SAMPLE_KIND for piece in pieces())
    lost = sum(gap.lost_samples for gap in read.gaps)
    assert len(read.columns["/suction"].log_time_ns) == samples - lost


def test_a_stopped_worker_costs_the_kernel_nothing_and_what_found_no_room_is_a_gap(
    tmp_path: Path,
) -> None:
    took_s: list[float] = []

    async def play(recorder: RecorderProcess) -> None:
        every = pieces()
        begin = [each for each in every if each[0] != SAMPLE_KIND][:-1]
        samples = [each for each in every if each[0] == SAMPLE_KIND]
        await pour(recorder, begin)
        await until(lambda: recorder.began == 1)
        os.killpg(recorder._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]
        for number in range(6000):  # two minutes of readings, as fast as they can be put
            sample = bytearray(samples[number % len(samples)])
            sample[8:12] = number.to_bytes(4, "little")
            began_s = time.perf_counter()
            recorder.put(bytes(sample))
            took_s.append(time.perf_counter() - began_s)
        os.killpg(recorder._process.pid, signal.SIGCONT)  # type: ignore[union-attr]
        await asyncio.sleep(1.0)
        end = {"treatment": 1, "samples": 6000, "at_s": 1e9}
        for each in parts_of(99, Text.END, end):
            assert recorder.put(each)
        await until(lambda: recorder.told.get("treatment") == 1)

    read = waveforms.read(run(tmp_path, play))
    took_s.sort()
    assert took_s[len(took_s) // 2] < 0.0005
    (gap,) = read.gaps
    assert gap.why == QUEUE_FULL
    assert gap.lost_samples == 6000 - len(read.columns["/suction"].log_time_ns) > 0


def test_a_recorder_that_is_killed_whole_is_gone_on_with_by_the_next(tmp_path: Path) -> None:
    async def play(recorder: RecorderProcess) -> None:
        await pour(recorder, pieces()[:250], 0.004)
        recorder.kill()
        await until(lambda: not recorder.lives)
        await pour(recorder, pieces()[250:])  # into the queue, where nobody takes it
        recorder.start(go_on=1)
        await until(lambda: recorder.told.get("treatment") == 1)

    read = waveforms.read(run(tmp_path, play))
    assert read.whole
    assert sum(gap.seconds for gap in read.gaps) <= LOSS_MAX_S * 5  # poured five times as fast


def test_a_kernel_that_is_gone_leaves_a_finished_file_that_says_so(tmp_path: Path) -> None:
    async def play(recorder: RecorderProcess) -> None:
        await pour(recorder, pieces()[:400], 0.002)
        recorder.give_up(kill=False)  # as the system closes all that a killed process has
        await until((tmp_path / file_name(1)).exists)
        await until(lambda: waveforms.read(tmp_path / file_name(1)).finished)

    read = waveforms.read(run(tmp_path, play))
    assert read.whole
    assert read.end["how"] == CUT_SHORT
    assert len(read.columns["/suction"].log_time_ns) == sum(
        piece[0] == SAMPLE_KIND for piece in pieces()[:400]
    )


def test_a_full_disk_is_said_in_a_sentence_and_ends_the_recorder(tmp_path: Path) -> None:
    limited = (
        sys.executable,
        "-c",
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from controller.archive.recorder import main; sys.exit(main(sys.argv[1:]))",
    )

    async def whole() -> dict[str, object]:
        recorder = RecorderProcess(tmp_path, limited)
        recorder.start()
        await pour(recorder, pieces())
        await until(lambda: not recorder.lives)
        recorder.put(pieces()[0])  # neither raises nor waits
        recorder.give_up()
        return recorder.told

    pieces()
    told = asyncio.run(whole())
    assert told["treatment"] == 1
    assert told["why"] == "The file of waveforms cannot be written (File too large)."
    read = waveforms.read(tmp_path / file_name(1))
    assert not read.finished
    assert read.seconds > 0.5  # and what was written stays


def test_nobody_starts_it_by_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    from controller.archive import recorder  # noqa: PLC0415

    assert recorder.main([]) == 2
    assert recorder.main(["folder", "x"]) == 2
    assert "usage: python -m controller.archive.recorder" in capsys.readouterr().err
    assert PROGRAM[2] == recorder.__name__
