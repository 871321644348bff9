"""The trip of an idle unit: each step of its acknowledgement and reset, each refusal in full."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from controller.kernel.asked import due_s
from controller.kernel.idle_trip import IdleTrip
from controller.kernel.performer import Asked
from controller.safety.alarms import Alarm, Priority
from controller.safety.refusal import RefusedError
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Commit, End, Finished, SendReset
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode, Refusal
from qa.loop import run_virtual
from tests.controller.kernel.memory import Memory
from tests.controller.treatment.couch import ANNA, couch

TRIP = Alarm("X01", Priority.MEDIUM, "It tripped.", "Look.")
WORSE = Alarm("X02", Priority.HIGH, "It is worse.", "Run.")


class Performed:
    """A performer that notes what it is asked, and ends each as the test says."""

    def __init__(self) -> None:
        self.stops = 0
        self.asked: list[tuple[int, Asked]] = []
        self.ends: list[Finished | None] = []
        self.after_s = 0.1
        self.then: Callable[[], None] = lambda: None

    def ended(self, treatment: int, action: Asked) -> "asyncio.Future[Finished]":
        self.asked.append((treatment, action))
        end: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        said = self.ends.pop(0)
        if said is not None:
            asyncio.get_running_loop().call_later(self.after_s, self._end, end, said)
        return end

    def _end(self, end: "asyncio.Future[Finished]", said: Finished) -> None:
        self.then()
        end.set_result(said)


DONE = Finished(0, End.DONE)
LOST = Finished(0, End.FAILED, lost="The disk is full.")


class TripBench:
    """The trip, and everything around it by hand."""

    def __init__(self) -> None:
        self.unit = Memory()
        self.performed = Performed()
        self.alarms = AlarmSystem(lambda _row: None)
        self.trip = IdleTrip(self.unit, cast("Any", self.performed), self.alarms)
        self.resets: list[str] = []

    def see(self, mode: Mode = Mode.SAFE) -> None:
        now_s = asyncio.get_running_loop().time()
        bed = couch()
        bed.now_s = now_s
        self.unit.newest = bed.reading(mode, cause=Cause.DWELL)

    async def reset(self) -> None:
        await self.trip.reset(ANNA, due_s(), self.resets.append)


def on_trip(play: Callable[[TripBench], Awaitable[None]]) -> TripBench:
    async def whole() -> TripBench:
        one = TripBench()
        one.see()
        await play(one)
        return one

    return run_virtual(whole())


async def declined(asking: Awaitable[None]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        await asking
    return caught.value.code, caught.value.sentence, caught.value.next_step


WHO = {"name": "anna", "role": "practitioner", "origin": "local"}
ROW = Commit(Kind.RESET, {"who": WHO, "cause": "DWELL"})


def test_a_reset_is_its_row_then_the_question_and_then_what_follows_once() -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, DONE]
        await one.reset()
        assert asyncio.get_running_loop().time() == pytest.approx(0.2)

    one = on_trip(play)
    assert one.performed.asked == [(0, ROW), (0, SendReset(Cause.DWELL))]
    assert one.resets == ["DWELL"]


@pytest.mark.parametrize("mode", [Mode.SAFE, Mode.DISARMED, None])
def test_a_reset_whose_answer_is_lost_is_done_where_the_unit_shows_it(mode: Mode | None) -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, Finished(0, End.UNKNOWN)]

        def shows() -> None:
            if mode is not None:
                one.see(mode)

        one.performed.then, one.performed.after_s = shows, 0.5
        if mode is Mode.DISARMED:
            await one.reset()
            assert one.resets == ["DWELL"]
            return
        assert await declined(one.reset()) == (
            "unknown",
            "The unit did not answer, so it is not known whether it was reset.",
            "Look at `corneum status`, and reset again if the trip still stands.",
        )
        assert one.resets == []

    on_trip(play)


def test_a_reset_that_is_done_after_anybody_waits_still_counts() -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, DONE]
        one.performed.then = lambda: setattr(one.performed, "after_s", 6.0)
        assert (await declined(one.reset()))[0] == "unknown"
        assert one.resets == []
        await asyncio.sleep(2.0)
        assert one.resets == ["DWELL"]

    on_trip(play)


def test_a_reading_from_before_shows_no_reset() -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, Finished(0, End.UNKNOWN)]
        one.performed.after_s = 1.0
        one.performed.then = lambda: one.see(Mode.DISARMED) if one.performed.ends else None
        assert (await declined(one.reset()))[0] == "unknown"
        assert one.resets == []

    on_trip(play)


@pytest.mark.parametrize("row", [LOST, Finished(0, End.UNKNOWN), None])
def test_a_reset_whose_row_is_not_durable_in_time_is_not_asked_of_the_unit(
    row: Finished | None,
) -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [row]
        assert await declined(one.reset()) == (
            "record",
            "The unit was not reset, because the record of it is not written.",
            "`corneum status` says what is wrong with the record; mend that, and reset again.",
        )

    one = on_trip(play)
    assert one.performed.asked == [(0, ROW)]
    assert one.resets == []


@pytest.mark.parametrize("at_row", [True, False])
def test_a_stop_voids_the_reset_of_an_idle_unit_in_words(*, at_row: bool) -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, Finished(0, End.VOIDED)]

        def stops() -> None:
            one.performed.stops += at_row

        one.performed.then = stops
        assert await declined(one.reset()) == (
            "voided",
            "A stop, a trip or a newer wish came first, so it was not done.",
            "Ask again if need be.",
        )

    one = on_trip(play)
    assert len(one.performed.asked) == (1 if at_row else 2)
    assert one.resets == []


def test_a_unit_that_refuses_its_reset_is_quoted_and_one_that_is_silent_for_long_is_unknown() -> (
    None
):
    async def play(one: TripBench) -> None:
        one.performed.ends = [DONE, Finished(0, End.FAILED, Refusal.CAUSE_STANDS)]
        refused = await declined(one.reset())
        assert refused[0] == "not_reset"
        one.see()
        one.performed.ends = [DONE, None]
        assert await declined(one.reset()) == (
            "unknown",
            "It was asked for, and it is not known yet whether it was done.",
            "Look at `corneum status` before you ask again.",
        )
        assert one.resets == []

    on_trip(play)


def test_what_may_not_be_reset_is_refused_in_full_and_asks_nothing() -> None:
    async def play(one: TripBench) -> None:
        stale = (
            "no_link",
            "The unit cannot be heard, so it cannot be reset.",
            "Check its cable and power.",
        )
        no_trip = (
            "no_trip",
            "No trip is latched, so there is nothing to reset.",
            "Go on, or stop the treatment.",
        )
        await asyncio.sleep(5.0)
        assert await declined(one.reset()) == stale
        one.unit.newest = None
        assert await declined(one.reset()) == stale
        one.see(Mode.DISARMED)
        assert await declined(one.reset()) == no_trip
        one.see()
        one.alarms.put(TRIP, 1.0)
        assert await declined(one.reset()) == (
            "not_acknowledged",
            "The trip was not acknowledged.",
            "Read the alarm, acknowledge it, then reset.",
        )

    assert on_trip(play).performed.asked == []


def test_a_second_reset_waits_for_the_first_and_comes_again_after_it() -> None:
    async def play(one: TripBench) -> None:
        one.performed.ends = [LOST, DONE, DONE]
        first = asyncio.create_task(declined(one.reset()), name="first")
        await asyncio.sleep(0.05)
        assert await declined(one.reset()) == (
            "resetting",
            "The reset is under way.",
            "Wait a moment.",
        )
        assert (await first)[0] == "record"
        one.see()
        await one.reset()
        assert one.resets == ["DWELL"]

    on_trip(play)


@pytest.mark.parametrize("row", [DONE, LOST, Finished(0, End.VOIDED), None])
def test_an_acknowledgement_of_an_idle_unit_counts_when_its_row_is_durable(
    row: Finished | None,
) -> None:
    async def play(one: TripBench) -> None:
        one.alarms.put(TRIP, 1.0)
        one.performed.ends = [row]
        one.performed.then = lambda: one.alarms.put(WORSE, 2.0)
        if row is DONE:
            await one.trip.acknowledge(ANNA)
        elif row is None:
            assert (await declined(one.trip.acknowledge(ANNA)))[0] == "unknown"
            assert asyncio.get_running_loop().time() > 1.0
        else:
            assert await declined(one.trip.acknowledge(ANNA)) == (
                "record",
                "The alarm was not acknowledged, because the record of it is not written.",
                "`corneum status` says what is wrong with the record; mend that, and acknowledge "
                "again.",
            )
        counts = {one.alarm.code: one.acknowledged for one in one.alarms.board.standing}
        assert counts["X01"] is (row is DONE)
        assert not counts.get("X02", False)

    assert on_trip(play).performed.asked == [(0, Commit(Kind.ACK, {"who": WHO}))]
