"""In which order the control loop does things: with a handpiece and a journal that remember."""

import asyncio

import pytest

from controller.device.answers import Answer, LinkNews, LinkState, Told
from controller.kernel.control import About, Control
from controller.safety.refusal import RefusedError
from controller.treatment.conductor import treatment_of
from controller.treatment.events import (
    Command,
    End,
    Finished,
)
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, Input, Mode, Refusal, StopKind, Wish
from qa.loop import LooseEndError, run_virtual
from tests.controller.kernel.memory import Bench, Memory, bench
from tests.controller.treatment.couch import ANNA, FLOWING, plan


# -- what stops ------------------------------------------------------------------------------------
@pytest.mark.hazard("H03")
def test_the_stop_is_written_in_the_callback_that_read_the_breach_before_any_row() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.see(Mode.ACTIVE, **FLOWING, suction_kpa=56.0, suction_b_kpa=56.0)
        assert one.memory.done[0] is StopKind.EMERGENCY
        assert [what for what in one.memory.done if what == ("asked", "trip")] == []
        await asyncio.sleep(0.01)
        assert ("durable", "trip") in one.memory.done

    bench(play)


@pytest.mark.hazard("H10")
def test_a_stop_is_written_before_the_call_returns() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.control.stop_now(ANNA)
        assert one.memory.done[0] is StopKind.NORMAL

    bench(play)


@pytest.mark.hazard("H40")
def test_a_stop_does_not_wait_for_a_slow_record_and_says_that_it_is_missing() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.commit_after_s = 10.0
        with pytest.raises(RefusedError, match="its record is not written"):
            await one.control.person(Command.STOP, ANNA)
        assert one.memory.done[0] is StopKind.NORMAL

    bench(play)


def test_a_mistake_of_ours_ends_in_stop() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.note_raises = True
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            one.see(Mode.PAUSED)
        assert one.memory.done[-1] is StopKind.EMERGENCY
        one.memory.note_raises = False

    bench(play)


def test_a_mistake_in_the_loop_itself_ends_it_with_stop() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.note_raises = True
        one.memory.noisy = True
        await asyncio.sleep(1.0)

    kept = Memory()
    with pytest.raises((LooseEndError, BaseExceptionGroup)):
        bench(play, kept)
    assert kept.done[-1] is StopKind.EMERGENCY


@pytest.mark.hazard("H11")
def test_a_noisy_line_trips() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.noisy = True
        await asyncio.sleep(0.06)
        assert one.control.snapshot().alarms[0].code == "C02"

    assert StopKind.EMERGENCY in bench(play).done


@pytest.mark.hazard("H40")
def test_a_journal_that_fails_in_the_middle_ends_it_in_order() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.failure = "The disk is full."
        await asyncio.sleep(0.06)
        assert one.control.snapshot().state == "stopping"
        one.memory.failure = None

    assert StopKind.NORMAL in bench(play).done


# -- what permits ----------------------------------------------------------------------------------
def test_each_step_towards_flow_waits_for_its_row() -> None:
    async def play(one: Bench) -> None:
        await one.control.begin(treatment_of(plan()), ANNA, 7)
        await one.see_for(0.1, Mode.DISARMED)
        await one.see_for(0.1, Mode.SELFTEST)
        await one.see_for(2.0, Mode.READY)
        await one.see_for(0.1, Mode.ARMED)

    done = bench(play).done
    config = next(what for what in done if isinstance(what, Config))
    assert config == Config(7, 28_000, 7_000, 8_000, 1)
    assert done.index(("durable", "begin")) < done.index(config) < done.index("self-test")
    assert done.index(("durable", "arm")) < done.index(("arm", 77, 7))
    beats = [what for what in done if isinstance(what, tuple) and what[0] == "setpoint"]
    assert [beat[3] for beat in beats] == list(range(1, len(beats) + 1))
    first_wish = next(beat for beat in beats if beat[1])
    assert first_wish[1] == Wish.ALL
    assert done.index(("arm", 77, 7)) < done.index(first_wish)


@pytest.mark.hazard("H40")
def test_without_a_record_nothing_is_asked_of_the_unit() -> None:
    async def play(one: Bench) -> None:
        with pytest.raises(RefusedError, match="did not begin, because the record of it"):
            await one.control.begin(treatment_of(plan()), ANNA, 7)
        await one.see_for(0.3, Mode.DISARMED)
        assert one.control.snapshot().state == "refused"
        assert one.control.idle

    done = bench(play, Memory(broken="The disk is full.")).done
    assert not [what for what in done if isinstance(what, Config)]


def test_the_end_of_a_link_is_told_to_the_treatment() -> None:
    async def play(one: Bench) -> None:
        one.news(LinkNews(LinkState.DISCONNECTED, "nobody treats"))
        await one.bring_to_active()
        one.news(LinkNews(LinkState.CONNECTED, "not yet"))
        assert one.control.snapshot().state == "active"
        one.news(LinkNews(LinkState.DISCONNECTED, "unplugged"))
        assert one.control.snapshot().state == "tripped"

    bench(play)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(Told.FAILED, Refusal.LOCKED), "not_reset"),
        (Answer(Told.UNKNOWN), "unknown"),
    ],
)
def test_a_reset_that_fails_says_why(answer: Answer, code: str) -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
        await one.control.person(Command.ACK, ANNA)
        one.memory.answer = answer
        with pytest.raises(RefusedError) as caught:
            await one.control.person(Command.RESET, ANNA)
        assert caught.value.code == code
        one.see(Mode.SAFE, cause=Cause.DWELL, inputs=Input.SWITCH_REST)
        one.memory.answer_after_s = 9.0
        with pytest.raises(RefusedError, match="not known yet whether it was done"):
            await one.control.person(Command.RESET, ANNA)

    bench(play)


@pytest.mark.hazard("H18", "H40")
@pytest.mark.parametrize("trouble", ["broken", "slow"])
def test_without_its_row_the_trip_of_an_idle_unit_is_not_reset(trouble: str) -> None:
    async def play(one: Bench) -> None:
        await one.see_for(0.1, Mode.SAFE, cause=Cause.BROWN_OUT)
        await one.control.person(Command.ACK, ANNA)
        one.see(Mode.SAFE, cause=Cause.BROWN_OUT)
        if trouble == "broken":
            one.memory.broken = "The disk is full."
        else:
            one.memory.commit_after_s = 10.0
        with pytest.raises(RefusedError, match="was not reset, because the record of it"):
            await one.control.person(Command.RESET, ANNA)
        assert ("reset", Cause.BROWN_OUT) not in one.memory.done

    bench(play)


def test_beats_that_come_too_late_are_left_out_and_not_made_up_for() -> None:
    async def whole() -> None:
        kept = Memory()
        control = Control(lambda _: kept, kept, About("a port", "a file"))
        task = asyncio.create_task(control.run(), name="control")
        await asyncio.sleep(5.0)
        assert control.timing.beats_missed > 10
        assert control.timing.late_max_s > 0.1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(whole(), seed=1, lateness_max_s=0.2)


def test_answers_to_an_earlier_treatment_and_a_missing_unit_change_nothing() -> None:
    async def play(one: Bench) -> None:
        identity, one.memory.identity = one.memory.identity, None
        one.memory.state = LinkState.CONNECTED
        with pytest.raises(RefusedError, match="No unit"):
            await one.control.begin(treatment_of(plan()), ANNA, 7)
        view = one.control.snapshot()
        assert (view.unit, view.live, view.treatment) == (None, None, None)
        assert one.control.idle
        one.memory.identity, one.memory.state = identity, LinkState.IDENTIFIED
        await one.bring_to_active()
        first = one.control._conductor
        assert first is not None
        await one.control.person(Command.STOP, ANNA)
        await one.see_for(0.1, Mode.DISARMED)
        await one.control.begin(treatment_of(plan()), ANNA, 8)
        one.control._finished(first, 7, Finished(1, End.FAILED, lost="late"))
        assert one.control.state == "preparing"

    bench(play)
