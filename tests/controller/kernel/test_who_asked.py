"""Every act leaves a row, and the row says who asked, in which role, and from where."""

import asyncio
import json
from typing import Any

import pytest

from controller.api.authority import ALLOWED, Do, Origin, Role
from controller.api.requests import Request
from controller.record.store import Store
from firmware_protocol.vocabulary import Cause, Mode
from qa.loop import run_virtual
from qa.planning import planned_request
from qa.rig import Service, service
from tests.controller.record.edits import bodies

TREAT = {"program": "refresh", "client": "demo"}
NO_ACT = {Do.STATUS, Do.WATCH, Do.SEEN}
"""Looking leaves no row."""
ELSEWHERE = {Do.DISMISS, Do.STERILISED, Do.UNLOCK, Do.ACCEPT, Do.SHUTDOWN}
"""Acts on paper, each beside its own tests; and the end of the kernel, which is its own stop."""
STEPS: tuple[tuple[Do, str, dict[str, Any]], ...] = (
    (Do.TREAT, "treatment", TREAT),
    (Do.PAUSE, "pause", {}),
    (Do.RESUME, "resume", {}),
    (Do.LOWER, "lower", {"suction_kpa": 12.0}),
    (Do.SILENCE, "alarm_quiet", {}),
    (Do.ACK, "ack", {}),
    (Do.RESET, "reset", {}),
    (Do.STOP, "stop", {}),
)
"""What is asked for, in an order in which each is answered; the kind of its row; its arguments."""


def who_for(do: Do) -> dict[str, str]:
    """Return somebody who may, and whom no other act has: another name, and far away if allowed."""
    origin = next(at for at in (Origin.REMOTE, Origin.LOCAL) if ALLOWED[do].get(at))
    role = next(role for role in Role if role in ALLOWED[do][origin] and role is not Role.VIEWER)
    return {"name": f"who asks for {do.value}", "role": role.value, "origin": origin.value}


async def ask(made: Service, do: Do, args: dict[str, Any]) -> None:
    said = {"do": do.value, "who": who_for(do), "args": args}
    request = await planned_request(made.kernel, Request.model_validate(said))
    await made.kernel.handle(request)


async def rows_of(made: Service, kind: str) -> list[Any]:
    """Return who stands in the rows of a kind, with None where nobody does."""
    await asyncio.sleep(0.2)  # the notes of a group

    def question(store: Store) -> list[Any]:
        found = bodies(store.connection(), kind)
        return [json.loads(body).get("who") for body in found]

    return await made.kernel.journal.read(question)


async def trip(made: Service) -> None:
    """Let the unit trip, and take away what it tripped by."""
    device = made.rig.handpiece
    device.set_fault("waste-full")
    await made.until(lambda: made.state == "tripped", 10.0)
    device.hand.release()
    device.clear_fault("waste-full")
    await asyncio.sleep(1.0)


def test_no_act_that_can_be_asked_for_is_left_out_here() -> None:
    assert {do for do, _, _ in STEPS} | ELSEWHERE | NO_ACT == set(Do)


@pytest.mark.hazard("H40")
def test_the_row_of_every_act_of_a_treatment_says_who_asked_for_it() -> None:
    async def scenario() -> None:
        async with service() as made:
            for do, kind, args in STEPS:
                if do is Do.SILENCE:
                    await trip(made)
                await ask(made, do, args)
                if do is Do.TREAT:
                    await made.until(lambda: made.state == "active", 30.0)
                assert who_for(do) in await rows_of(made, kind), do

    run_virtual(scenario())


@pytest.mark.hazard("H40", "H18")
def test_the_rows_of_a_trip_that_no_treatment_has_latched_say_who_too() -> None:
    async def scenario() -> None:
        async with service() as made:
            made.rig.handpiece.firmware.board.trip(Cause.BROWN_OUT)
            await asyncio.sleep(0.5)
            for do, kind in ((Do.ACK, "ack"), (Do.RESET, "reset"), (Do.STOP, "stop")):
                await ask(made, do, {})
                assert await rows_of(made, kind) == [who_for(do)]
            assert made.rig.handpiece.firmware.mode is Mode.DISARMED

    run_virtual(scenario())
