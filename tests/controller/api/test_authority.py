"""Who may ask for what: every cell of the table, and what the kernel does with it."""

import asyncio
from itertools import product
from typing import Any

import pytest

from controller.api.authority import ALLOWED, Do, Origin, Role, may, refusal_sentence
from controller.api.requests import Request, WhoSays
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import service

ANYBODY = {Do.STOP, Do.STATUS, Do.WATCH, Do.SEEN}
LOWERS = {Do.PAUSE, Do.LOWER}
SERVICE = {Do.UNLOCK, Do.ACCEPT}


def expected(do: Do, role: Role, origin: Origin) -> bool:
    """Anybody stops and looks, staff lowers, staff in the room starts, service there unlocks."""
    if do in ANYBODY:
        return True
    if do in LOWERS:
        return role is not Role.VIEWER
    if do in SERVICE:
        return origin is Origin.LOCAL and role is Role.TECHNICIAN
    return origin is Origin.LOCAL and role is not Role.VIEWER


@pytest.mark.hazard("H21")
@pytest.mark.parametrize(("do", "role", "origin"), list(product(Do, Role, Origin)))
def test_each_cell_of_the_table_is_as_the_rules_say(do: Do, role: Role, origin: Origin) -> None:
    assert may(do, role, origin) is expected(do, role, origin)


def test_every_question_has_a_row_and_a_person_in_the_room_reads_why_not() -> None:
    assert set(ALLOWED) == set(Do)
    assert "viewer" in refusal_sentence(Do.TREAT, Role.VIEWER, Origin.LOCAL)
    assert "person at the unit" in refusal_sentence(Do.TREAT, Role.SUPERVISOR, Origin.REMOTE)


@pytest.mark.hazard("H21")
@pytest.mark.parametrize("do", [do for do in Do if do not in ANYBODY | LOWERS])
def test_a_remote_party_can_start_or_raise_nothing(do: Do) -> None:
    async def scenario() -> tuple[str, list[str]]:
        async with service() as made:
            far = Request(
                do=do, who=WhoSays(name="ben", role=Role.SUPERVISOR, origin=Origin.REMOTE)
            )
            with pytest.raises(RefusedError) as caught:
                await made.kernel.handle(far)
            await asyncio.sleep(1.0)
            return caught.value.code, [str(event["kind"]) for event in made.rig.events]

    code, happened = run_virtual(scenario())
    assert code == "not_allowed"
    assert "valve" not in happened


@pytest.mark.hazard("H21")
def test_who_says_nothing_about_himself_is_a_remote_viewer() -> None:
    who = Request.model_validate({"do": "treat"}).who
    assert (who.role, who.origin) == (Role.VIEWER, Origin.REMOTE)


def test_a_remote_party_stops_pauses_and_lowers_a_running_treatment() -> None:
    far = WhoSays(name="ben", role=Role.PRACTITIONER, origin=Origin.REMOTE)

    async def scenario() -> dict[str, Any]:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            await made.until(lambda: made.state == "active", 30.0)
            await made.kernel.handle(Request(do=Do.LOWER, who=far, args={"suction_kpa": 20.0}))
            await made.kernel.handle(Request(do=Do.PAUSE, who=far))
            lowered = made.snapshot()["receipts"]
            made.kernel.stop(Request(do=Do.STOP, who=far))
            await made.until(lambda: made.kernel.idle)
            return {"lowered": lowered, **made.snapshot()["treatment"]}

    seen = run_virtual(scenario())
    assert seen["outcome"] == "stopped"
    lowered = [each for each in seen["lowered"] if each["quantity"] == "suction_kpa"]
    assert [receipt["allowed"] for receipt in lowered] == [20.0]


def test_who_knocks_in_vain_all_day_does_not_fill_the_record() -> None:
    async def scenario() -> int:
        async with service() as made:
            before = int(made.snapshot()["record"]["rows"])
            for _ in range(300):
                with pytest.raises(RefusedError):
                    await made.kernel.handle(Request(do=Do.TREAT))
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            return int(made.snapshot()["record"]["rows"]) - before

    assert 3 <= run_virtual(scenario()) <= 4
