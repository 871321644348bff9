"""The leading screen, step by step: who it is, and how it is found to be gone."""

import asyncio
from typing import Any

import pytest

from controller.api.requests import Request
from controller.api.snapshot import LeadView
from controller.api.viewer import SILENT_MAX_S, Viewer
from controller.kernel.leading import LOOK_S, UNLED_MAX_S
from controller.record.store import RecordError
from controller.safety.guide_texts import NO_SCREEN
from controller.safety.interlocks import LOOP_STALL_MAX_S
from controller.treatment.events import Command
from controller.treatment.states import State
from tests.controller.kernel.screens import ANNA, BEN, KERNEL, Screens, now, play

PAUSE = ("person", Command.PAUSE, KERNEL, "the leading screen is gone")
HOLDABLE = {"preparing", "arming", "armed", "active", "paused"}


# -- who leads -------------------------------------------------------------------------------------
def test_whoever_asked_for_the_treatment_that_began_leads_it() -> None:
    async def scene(one: Screens) -> None:
        viewer = Viewer()
        assert one.leading.view is None
        assert await one.ask("treat", viewer, number=8) == {"answer": "treat"}
        assert one.leading.view == LeadView("anna", gone=False)
        assert viewer.leads
        other = Viewer()
        await one.ask("treat", other, BEN)  # nothing began
        assert (viewer.leads, other.leads) == (True, False)
        await one.ask("treat", other, BEN, number=9)
        assert (viewer.leads, other.leads) == (False, True)
        assert one.leading.view == LeadView("ben", gone=False)

    play(scene)


def test_a_beginning_whose_answer_is_no_has_a_leader_all_the_same() -> None:
    async def scene(one: Screens) -> None:
        viewer = Viewer()

        async def fails(_request: Request) -> dict[str, Any]:
            one.control.treatment = 8
            raise RecordError("The disk is full.")

        request = Request.model_validate({"do": "treat", "who": ANNA})
        with pytest.raises(RecordError):
            await one.leading.answer(request, viewer, fails)
        assert (viewer.leads, one.leading.view) == (True, LeadView("anna", gone=False))

    play(scene)


def test_a_confirmation_is_answered_with_nothing_and_asks_nothing() -> None:
    async def scene(one: Screens) -> None:
        assert await one.ask("seen", Viewer()) == {}
        assert one.control.done == []
        assert await one.ask("pause") == {"answer": "pause"}
        assert one.control.done == ["pause"]

    play(scene)


def test_the_first_treatment_of_a_kernel_is_one_that_began() -> None:
    async def scene(one: Screens) -> None:
        one.control.treatment, one.control.state = 0, "idle"
        await one.ask("treat", None, number=1)
        assert one.leading.view == LeadView("anna", gone=False)

    play(scene)


# -- its loss --------------------------------------------------------------------------------------
def test_a_screen_is_gone_two_seconds_after_it_began_to_lead_or_was_read_last() -> None:
    async def scene(one: Screens) -> None:
        viewer = Viewer()
        await asyncio.sleep(5.0)
        await one.led(viewer)
        await one.leading.look(5.0 + SILENT_MAX_S)
        assert one.control.done == []
        await asyncio.sleep(1.0)
        one.reads(viewer)
        await one.leading.look(6.0 + SILENT_MAX_S)
        assert one.control.done == []
        gone_s = 6.01 + SILENT_MAX_S
        await one.leading.look(gone_s)
        assert one.control.done == [("put", NO_SCREEN, gone_s), PAUSE]
        assert one.leading.view == LeadView("anna", gone=True)
        assert not viewer.leads
        await one.leading.look(gone_s + 1.0)
        assert len(one.control.done) == 2  # told once

    play(scene)


@pytest.mark.parametrize("state", [*State])
def test_only_what_can_be_paused_is_paused(state: State) -> None:
    async def scene(one: Screens) -> None:
        viewer = Viewer()
        await one.led(viewer)
        one.control.state = state.value
        await one.leading.look(100.0)
        can = state.value in HOLDABLE
        assert one.control.done == ([("put", NO_SCREEN, 100.0), PAUSE] if can else [])
        assert not viewer.leads
        one.control.state = "active"
        await one.leading.look(200.0)
        assert len(one.control.done) == (2 if can else 0)

    play(scene)


def test_a_pause_that_is_declined_leaves_the_screen_gone() -> None:
    async def scene(one: Screens) -> None:
        one.control.refuses = True
        await one.led(Viewer())
        await one.leading.look(100.0)
        assert one.control.done == [("put", NO_SCREEN, 100.0), PAUSE]
        assert one.leading.view == LeadView("anna", gone=True)

    play(scene)


def test_who_asks_without_a_connection_is_never_gone() -> None:
    async def scene(one: Screens) -> None:
        await one.led(None)
        await one.leading.look(1e6)
        assert one.control.done == []

    play(scene)


def test_a_treatment_that_nobody_leads_is_stopped_after_ten_minutes_by_the_kernel() -> None:
    async def scene(one: Screens) -> None:
        await one.led(Viewer())
        await one.leading.look(100.0)
        one.control.done.clear()
        await one.leading.look(100.0 + UNLED_MAX_S)
        assert one.control.done == []
        await one.leading.look(100.001 + UNLED_MAX_S)
        assert one.control.done == [("stop", KERNEL)]
        assert UNLED_MAX_S == 600.0

    play(scene)


def test_a_lead_that_was_lost_is_over_with_its_treatment() -> None:
    async def scene(one: Screens) -> None:
        await one.led(Viewer())
        await one.leading.look(100.0)
        one.control.done.clear()
        one.control.state = "stopped"
        await one.leading.look(101.0)
        await one.leading.look(102.0)
        assert one.control.done == [("settle", "C17")]
        assert one.leading.view == LeadView("anna", gone=False)

    play(scene)


def test_who_led_the_last_treatment_is_not_judged_while_the_next_begins() -> None:
    async def scene(one: Screens) -> None:
        viewer = Viewer()
        await one.led(viewer)
        await one.leading.look(100.0)
        one.control.state = "completed"
        one.control.done.clear()
        await one.ask("treat", None, number=8)  # refused: the number stays
        assert one.control.done == [("settle", "C17"), "treat"]
        assert one.leading.view == LeadView("anna", gone=False)

    play(scene)


# -- the loop --------------------------------------------------------------------------------------
def test_the_lead_is_judged_ten_times_a_second_and_a_loop_that_stood_still_gives_new_time() -> None:
    async def scene(one: Screens) -> None:
        looked: list[float] = []
        look = one.leading.look

        async def noted(now_s: float) -> None:
            looked.append(now_s)
            await look(now_s)

        one.leading.look = noted  # type: ignore[method-assign]  # it looks all the same
        watching = asyncio.create_task(one.leading.watch(), name="leading")
        await asyncio.sleep(1.0)
        assert looked == []  # nobody leads: there is nothing to judge
        await one.led(Viewer())
        await asyncio.sleep(0.35)
        assert looked == pytest.approx([1.1, 1.2, 1.3])
        one.control.state = "stopped"
        await asyncio.sleep(1.0)
        assert looked == pytest.approx([1.1, 1.2, 1.3, 1.4])
        watching.cancel()

    play(scene)
    assert LOOK_S == 0.1


@pytest.mark.parametrize("stalls", [True, False])
@pytest.mark.parametrize("gone", [True, False])
def test_only_a_stall_while_somebody_leads_puts_the_judgement_off(
    monkeypatch: pytest.MonkeyPatch, *, stalls: bool, gone: bool
) -> None:
    async def scene(one: Screens) -> None:
        sleep, stall_s = asyncio.sleep, LOOP_STALL_MAX_S + (0.01 if stalls else -0.01)

        async def slow(seconds: float) -> None:
            await sleep(seconds + stall_s)

        await one.led(Viewer())
        if gone:
            await one.leading.look(now() + 100.0)
        before_s = one.leading._since_s
        watching = asyncio.create_task(one.leading.watch(), name="leading")
        await sleep(0)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        monkeypatch.setattr(asyncio, "sleep", slow)
        watching = asyncio.create_task(one.leading.watch(), name="leading")
        await sleep(LOOK_S + stall_s + 0.001)
        watching.cancel()
        put_off = stalls and not gone
        assert one.leading._since_s == pytest.approx(LOOK_S + stall_s if put_off else before_s)

    play(scene)
