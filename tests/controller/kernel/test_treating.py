"""From the request to a treatment: what each step is given, and each way in which none begins."""

import asyncio

import pytest

from controller.api.ask import PREPARED_MAX_S
from controller.kernel.asked import BUSY
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.conductor import Assignment
from controller.treatment.events import Who
from qa.loop import run_virtual
from tests.controller.kernel.beginning import (
    MAY,
    PLANNED,
    SHA,
    House,
    book_of,
    house_of,
    refused,
)
from tests.controller.kernel.score import ANNA

DECLINED = Refusal("no", "It cannot be.", "Wait.")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return house_of(monkeypatch)


# -- a treatment that begins -----------------------------------------------------------------------
def test_a_treatment_is_planned_checked_booked_and_begun_in_this_order(house: House) -> None:
    async def scenario() -> None:
        assert not house.treating.starting
        asked = asyncio.create_task(house.treat(), name="treat")
        await asyncio.sleep(0)
        assert house.treating.starting
        assert await asked == {"treatment": 9, "plan": {"sha256": SHA}}
        assert not house.treating.starting

    assert (house.treating.begun, house.treating.treatment) == (0, 0)
    run_virtual(scenario())
    assert house.done == [
        *PLANNED,
        MAY,
        book_of(house),
        ("begin", 1001, ANNA, 9),
    ]
    assert (house.treating.begun, house.treating.treatment) == (1, 9)


def test_each_treatment_that_begins_is_counted(house: House) -> None:
    async def scenario() -> None:
        await house.treat()
        await house.treat()

    run_virtual(scenario())
    assert house.treating.begun == 2


# -- one that does not -----------------------------------------------------------------------------
UNDER_WAY = ("busy", "A treatment is under way on this unit.", "Wait for its end, or stop it.")


def test_one_at_a_time_is_begun(house: House) -> None:
    async def scenario() -> None:
        house.book_s = 0.5
        asked = asyncio.create_task(house.treat(), name="treat")
        await asyncio.sleep(0.1)
        with pytest.raises(RefusedError) as caught:
            await house.treat()
        error = caught.value
        assert (error.code, error.sentence, error.next_step) == UNDER_WAY
        assert house.treating.starting  # the first one still does
        await asked
        house.idle = False
        house.done.clear()
        assert await refused(house) == UNDER_WAY
        assert house.done == []

    run_virtual(scenario())


def test_a_plan_that_is_not_ready_in_time_begins_nothing(house: House) -> None:
    async def scenario() -> None:
        house.read_s = PREPARED_MAX_S + 0.5
        assert await refused(house) == (
            "slow",
            "The plan was not ready within 10 s, so nothing has begun.",
            "Close other programs on this computer, then start anew.",
        )
        assert asyncio.get_running_loop().time() == pytest.approx(PREPARED_MAX_S)
        assert house.done == PLANNED[:3]
        house.read_s = PREPARED_MAX_S - 0.5
        await house.treat()

    run_virtual(scenario())
    assert house.treating.begun == 1


def test_what_the_control_declines_is_not_booked(house: House) -> None:
    async def scenario() -> None:
        house.declines[0] = DECLINED
        assert await refused(house) == ("no", "It cannot be.", "Wait.")

    run_virtual(scenario())
    assert house.done == [*PLANNED, MAY]
    assert house.treating.begun == 0


@pytest.mark.parametrize("idle", [True, False])
def test_what_is_declined_after_it_was_booked_is_withdrawn_unless_it_runs(
    house: House, *, idle: bool
) -> None:
    async def scenario() -> None:
        house.declines[1] = DECLINED
        begin = house.begin

        async def begun(assignment: Assignment, who: Who, treatment: int) -> None:
            house.idle = idle
            await begin(assignment, who, treatment)

        house.begin = begun  # type: ignore[method-assign]  # and it runs, or does not
        assert await refused(house) == ("no", "It cannot be.", "Wait.")

    run_virtual(scenario())
    withdrawn = [("withdraw", 9, "It cannot be.")] if idle else []
    assert house.done[len(PLANNED) :] == [
        MAY,
        book_of(house),
        ("begin", 1001, ANNA, 9),
        *withdrawn,
    ]
    assert (house.treating.begun, house.treating.treatment) == (0, 0)


@pytest.mark.parametrize("stops", [1, 2])
def test_a_stop_before_the_row_is_durable_withdraws_it(house: House, stops: int) -> None:
    async def scenario() -> None:
        house.book_s = 0.5
        loop = asyncio.get_running_loop()
        for _ in range(stops):
            loop.call_later(0.1, house.treating.void)
        assert await refused(house) == (
            "stopped",
            "The treatment was stopped before it began.",
            "Start anew.",
        )
        house.book_s = 0.0
        house.declines[0] = BUSY
        assert (await refused(house))[0] == "busy"

    run_virtual(scenario())
    assert house.done[len(PLANNED) : len(PLANNED) + 3] == [
        MAY,
        book_of(house),
        ("withdraw", 9, "stopped before it began"),
    ]
    assert house.treating.begun == 0


def test_each_stop_voids_what_was_asked_for_before_it(house: House) -> None:
    async def scenario() -> None:
        house.book_s = 0.5
        for _ in range(3):
            asyncio.get_running_loop().call_later(0.1, house.treating.void)
            assert (await refused(house))[0] == "stopped"

    run_virtual(scenario())
    assert house.treating.begun == 0


def test_a_stop_before_somebody_asks_voids_nothing(house: House) -> None:
    house.treating.void()
    run_virtual(house.treat())
    assert house.treating.begun == 1
