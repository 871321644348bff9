"""How the control loop ends, and what it shows of itself."""

import asyncio

import pytest

from controller.api.snapshot import KernelView, LinkView, RecordView
from controller.kernel.control import About, Control
from controller.treatment.states import State
from firmware_protocol.vocabulary import StopKind
from qa.loop import run_virtual
from tests.controller.kernel.memory import Bench, bench
from tests.controller.kernel.score import Score, Stage, Whole, staged

OVER = {State.CLEARED, State.COMPLETED, State.STOPPED, State.REFUSED}


@pytest.mark.parametrize("state", [*State])
def test_a_control_that_ends_stops_what_has_not_ended(state: State) -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.state = state

    done = staged(play).unit.done
    assert done == ([] if state in OVER else [StopKind.EMERGENCY])


def test_the_snapshot_is_of_this_kernel_its_line_and_its_record() -> None:
    async def play(one: Stage) -> None:
        one.unit.rows, one.unit.bad_frames, one.unit.heard_at_s = 12, 4, 1.0
        await asyncio.sleep(1.2345)
        shown = one.control.snapshot()
        assert shown.kernel == KernelView(7, "a port", 1.234, None, None, 0.0, 0)
        assert shown.link == LinkView("identified", 4, None, 234.5)
        assert shown.record == RecordView("a file", 12)
        assert (shown.state, shown.treatment, shown.live) == ("idle", None, None)

    staged(play)


def test_what_is_no_treatment_is_shown_by_its_state_alone() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        assert one.control.snapshot().treatment is None
        assert one.control.snapshot().state == "active"
        one.score.waits = True
        assert one.control.snapshot().state == "paused"
        one.score.state = State.STOPPED

    staged(play, Score())


def test_a_kernel_is_as_old_as_its_control() -> None:
    async def scenario() -> float:
        await asyncio.sleep(2.0)
        unit = Whole()
        control = Control(lambda _listeners: unit, unit, About("a port", "a file"))
        await asyncio.sleep(0.5)
        return control.snapshot().kernel.uptime_s

    assert run_virtual(scenario()) == 0.5


def test_a_treatment_is_shown_by_its_number() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        shown = one.control.snapshot().treatment
        assert shown is not None
        assert shown.id == 7

    bench(play)
