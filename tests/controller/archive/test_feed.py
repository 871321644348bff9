"""The kernel's side of waveforms: it waits for nothing, and whatever fails is a row."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.record import waveform_feed
from controller.record.waveform_feed import (
    AGAIN_S,
    FINISH_MAX_S,
    GAVE_UP,
    NOT_FED,
    SILENT,
    STARTS_MAX,
    TAIL_S,
    WaveformFeed,
)
from controller.record.waveform_samples import Records, Sample, Text
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.archive.takes import Fed, Shelf, fed

Play = Callable[[Fed], Awaitable[None]]


def play(scene: Play, shelf: Shelf | None = None) -> Fed:
    async def whole() -> Fed:
        return await fed(Shelf() if shelf is None else shelf, scene)

    return run_virtual(whole())


def rows(one: Fed) -> list[dict[str, Any]]:
    return [row.body for row in one.rig._store.rows("kind = ?", (Kind.WAVEFORM,))]


def texts(shelf: Shelf) -> list[Text]:
    taken = Records().take(b"".join(shelf.kept))
    return [each[0] for each in taken if not isinstance(each, Sample)]


FINISHED = {
    "treatment": 1, "file": "treatment-000001.mcap", "sha256": "0" * 64, "bytes": 1, "samples": 1,
    "seconds": 1.0, "gaps": 0, "missing_s": 0.0,
}  # fmt: skip


async def treated(one: Fed) -> None:
    await one.service.treat("patch-test")


def test_a_finished_file_is_a_row_of_its_treatment() -> None:
    async def scene(one: Fed) -> None:
        await treated(one)
        await asyncio.sleep(TAIL_S + 1.0)
        one.shelf.say(**FINISHED)
        await asyncio.sleep(1.0)
        assert rows(one) == [{k: v for k, v in FINISHED.items() if k != "treatment"}]
        assert one.rig._store.rows("kind = ?", (Kind.WAVEFORM,))[0].treatment == 1
        assert one.shelf.given_up == 0  # the next treatment has the same recorder

    assert texts(play(scene).shelf)[-1] is Text.END


def test_samples_go_on_for_a_moment_after_the_end_and_then_no_more() -> None:
    async def scene(one: Fed) -> None:
        await treated(one)
        before = len(one.shelf.samples)
        await asyncio.sleep(TAIL_S + 0.5)
        after = len(one.shelf.samples)
        assert (after - before) / 50 == pytest.approx(TAIL_S, abs=0.4)
        await asyncio.sleep(5.0)
        assert len(one.shelf.samples) == after

    play(scene)


def test_a_full_queue_costs_the_treatment_nothing_and_a_silent_recorder_is_a_row() -> None:
    async def scene(one: Fed) -> None:
        shown = await one.service.treat("patch-test")
        assert shown["treatment"]["outcome"] == "completed"
        await asyncio.sleep(30.0)
        (row,) = rows(one)
        assert row["why"] in {SILENT, GAVE_UP}
        assert row["file"] == "treatment-000001.mcap"
        assert row["lost_samples"] > 100
        assert one.shelf.given_up == 1

    one = play(scene, Shelf(room=300))
    assert one.shelf.killed >= 1


def test_a_recorder_that_cannot_be_started_is_a_row_and_the_treatment_goes_on() -> None:
    shelf = Shelf()
    shelf.fails = OSError(12, "Cannot allocate memory")

    async def scene(one: Fed) -> None:
        assert (await one.service.treat("patch-test"))["treatment"]["outcome"] == "completed"
        (row,) = rows(one)
        assert row == {"file": None, "why": "[Errno 12] Cannot allocate memory", "lost_samples": 0}

    play(scene, shelf)


def test_a_fault_of_our_own_in_the_feed_is_a_row_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("nobody foresaw this")

    monkeypatch.setattr(waveform_feed, "parts_of", broken)

    async def scene(one: Fed) -> None:
        assert (await one.service.treat("patch-test"))["treatment"]["outcome"] == "completed"
        (row,) = rows(one)
        assert row["why"] == "LookupError: nobody foresaw this"

    play(scene)


def test_no_process_is_started_while_the_valve_may_open() -> None:
    async def scene(one: Fed) -> None:
        await one.service.ask("treat", program="patch-test", client="demo")
        await one.service.until(lambda: one.service.state == "active")
        assert one.shelf.started == [0]
        one.shelf.die()
        await one.service.until(lambda: one.service.kernel.idle)
        assert one.shelf.started == [0]
        await asyncio.sleep(1.0)
        assert one.shelf.started == [0, 1]  # now, and it goes on with the file of treatment 1

    play(scene)


def test_what_dies_again_and_again_is_given_up() -> None:
    async def scene(one: Fed) -> None:
        await one.service.ask("treat", program="patch-test", client="demo")
        await one.service.until(lambda: one.service.kernel.idle)
        for _ in range(STARTS_MAX + 1):
            one.shelf.die()
            await asyncio.sleep(0.4)
        (row,) = rows(one)
        assert row["why"] == GAVE_UP

    play(scene)


def test_a_beginning_of_which_nothing_is_heard_is_said_again() -> None:
    shelf = Shelf()
    shelf.began = 0

    async def scene(one: Fed) -> None:
        await one.service.ask("treat", program="patch-test", client="demo")
        await asyncio.sleep(AGAIN_S + 0.5)
        assert texts(shelf).count(Text.BEGIN) == 2
        shelf.began = 1
        await asyncio.sleep(2 * AGAIN_S)
        assert texts(shelf).count(Text.BEGIN) == 2
        await one.service.until(lambda: one.service.kernel.idle)

    play(scene, shelf)


def test_the_next_treatment_ends_the_file_of_the_one_before() -> None:
    async def scene(one: Fed) -> None:
        await treated(one)
        one.shelf.say(**FINISHED)
        await one.service.treat("patch-test", client="demo")
        numbers = {
            each.treatment
            for each in Records().take(b"".join(one.shelf.kept))
            if isinstance(each, Sample)
        }
        assert numbers == {1, 2}

    play(scene)


def test_a_kernel_that_ends_has_the_file_finished_first_and_waits_for_no_more_than_that() -> None:
    async def scene(one: Fed) -> None:
        await treated(one)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await one.feed.close()
        assert loop.time() - began_s <= waveform_feed.CLOSE_MAX_S + 0.1
        assert texts(one.shelf)[-1] is Text.END

    play(scene)


def test_an_alarm_that_comes_and_goes_is_told_with_its_time() -> None:
    async def scene(one: Fed) -> None:
        await treated(one)

    shelf = play(scene).shelf
    said = [
        each[1]
        for each in Records().take(b"".join(shelf.kept))
        if not isinstance(each, Sample) and each[0] is Text.ALARM
    ]
    assert said
    assert {"code", "priority", "sentence", "stands", "at_s"} == set(said[0])
    assert said[0]["stands"] is True
    assert any(each["code"] == said[0]["code"] and not each["stands"] for each in said[1:])


def test_a_kernel_without_a_recorder_keeps_its_listener_and_its_assignment_as_they_are() -> None:
    def listener(_reading: object) -> None:
        pass

    assert NOT_FED.after(listener) is listener
    assert WaveformFeed().beside(None) is None  # type: ignore[arg-type]
    assert FINISH_MAX_S > 0.0
