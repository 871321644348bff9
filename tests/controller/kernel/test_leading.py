"""A treatment whose leading screen is gone pauses, and goes on only from a screen at the unit."""

import asyncio
import itertools
import json
import math
from typing import Any

import pytest

from controller.api.broadcast import WATCH_PERIOD_S
from controller.api.requests import Request, WhoSays
from controller.api.viewer import NUMBERS_MAX, SILENT_MAX_S, Viewer
from controller.kernel.leading import LOOK_S, UNLED_MAX_S
from controller.record.store import RecordError
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.planning import planned_request
from qa.rig import RigSpec, Service, service
from tests.controller.record.edits import bodies

ANNA = WhoSays.model_validate({"name": "anna", "role": "practitioner", "origin": "local"})
BEN = WhoSays.model_validate({"name": "ben", "role": "supervisor", "origin": "local"})
VIEWER = WhoSays.model_validate({"name": "vera", "role": "viewer", "origin": "local"})
REMOTE = WhoSays.model_validate({"name": "rita", "role": "practitioner", "origin": "remote"})
FLICKER_S = 2 * LOOK_S


# -- a connection that watches ---------------------------------------------------------------------
def test_a_screen_is_as_old_as_the_newest_line_that_it_confirmed() -> None:
    viewer = Viewer()
    viewer.sent(7, 10.0)
    viewer.sent(9, 10.1)
    assert viewer.age_s(10.2) == math.inf
    viewer.seen(9)
    viewer.seen(7)
    assert viewer.age_s(10.2) == pytest.approx(0.1)


@pytest.mark.parametrize("number", [None, "1", 2, 1e99, float("nan"), [1]])
def test_a_line_that_was_never_sent_confirms_nothing(number: object) -> None:
    viewer = Viewer()
    viewer.sent(1, 10.0)
    viewer.seen(number)
    assert viewer.age_s(10.0) == math.inf


def test_what_waits_for_a_confirmation_is_bounded_and_covers_the_silence() -> None:
    viewer = Viewer()
    for number in range(NUMBERS_MAX + 1):
        viewer.sent(number, float(number))
    viewer.seen(0)
    assert viewer.age_s(0.0) == math.inf  # forgotten: it would be too old by far
    assert NUMBERS_MAX * WATCH_PERIOD_S > SILENT_MAX_S


@pytest.mark.hazard("H57")
@pytest.mark.parametrize(
    ("who", "able"), [(ANNA, True), (BEN, True), (VIEWER, False), (REMOTE, False), (None, False)]
)
def test_only_somebody_at_the_unit_who_may_treat_may_lead(who: WhoSays | None, able: bool) -> None:  # noqa: FBT001
    viewer = Viewer()
    viewer.who = who
    viewer.sent(1, 10.0)
    viewer.seen(1)
    assert viewer.may_lead(10.0 + SILENT_MAX_S) is able
    assert not viewer.may_lead(10.1 + SILENT_MAX_S)
    viewer.closed = True
    assert not viewer.may_lead(10.0)


# -- screens of a service in virtual time ----------------------------------------------------------
class Screen:
    """A connection that watches and confirms what it is sent, as long as it is not frozen."""

    def __init__(self, made: Service, who: WhoSays) -> None:
        self.viewer = Viewer()
        self.who = who
        self.frozen = False
        self._made = made
        self._task: asyncio.Task[None] | None = None

    async def ask(self, do: str, **args: object) -> dict[str, Any]:
        """Ask over this connection."""
        kernel = self._made.kernel
        request = Request.model_validate({"do": do, "who": self.who, "args": args})
        return await kernel.handle(await planned_request(kernel, request), self.viewer)

    async def watch(self) -> None:
        """Watch from now on."""
        await self.ask("watch")
        self._made.kernel.watched(self.viewer, self.who)
        self._task = asyncio.create_task(self._confirm())

    def close(self) -> None:
        """Hang up."""
        self.viewer.closed = True
        if self._task is not None:
            self._task.cancel()

    async def _confirm(self) -> None:
        loop = asyncio.get_running_loop()
        for number in itertools.count(1):
            self.viewer.sent(number, loop.time())
            if not self.frozen:
                self.viewer.seen(number)
            await asyncio.sleep(WATCH_PERIOD_S)


async def led(made: Service, who: WhoSays = ANNA) -> Screen:
    """Bring a treatment into ACTIVE that a screen leads."""
    screen = Screen(made, who)
    await screen.ask("treat", program="refresh", client="demo", zones=["nose"])
    await screen.watch()
    await made.until(lambda: made.state == "active")
    return screen


async def led_by_hand(made: Service) -> Screen:
    """Bring a treatment into ACTIVE whose hand does only what the test says."""
    screen = Screen(made, ANNA)
    await screen.ask("treat", program="refresh", client="demo", zones=["nose"])
    await screen.watch()
    await made.until(lambda: made.state == "armed")
    made.rig.handpiece.hand.place()
    made.rig.handpiece.hand.press()
    await made.until(lambda: made.state == "active")
    return screen


def lead_of(made: Service) -> tuple[str, bool]:
    """Return who leads, and whether that screen is gone."""
    said = made.snapshot()["lead"]
    return said["name"], said["gone"]


def alarms_of(made: Service) -> list[str]:
    """Return the codes of the alarms that stand."""
    return [alarm["code"] for alarm in made.snapshot()["alarms"]]


def rows_of(made: Service, kind: str) -> list[dict[str, Any]]:
    """Return the bodies of the rows of one kind."""
    connection = made.rig._store.connection()
    return [json.loads(body) for body in bodies(connection, kind)]


@pytest.mark.hazard("H57", shows="works")
@pytest.mark.parametrize("how", ["closed", "frozen"])
def test_two_seconds_after_its_screen_is_gone_a_treatment_pauses(how: str) -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            assert lead_of(made) == ("anna", False)
            if how == "closed":
                screen.close()
            screen.frozen = True
            took_s = await made.until(lambda: lead_of(made)[1])
            assert took_s <= SILENT_MAX_S + LOOK_S + FLICKER_S
            await made.until(lambda: made.snapshot()["live"]["valve_percent"] == 0.0, 0.5)
            assert alarms_of(made) == ["C17"]
            await made.until(lambda: bool(rows_of(made, "pause")), 0.5)
            (pause,) = rows_of(made, "pause")
            assert pause["who"]["role"] == "service"
            assert pause["why"] == "the leading screen is gone"
            screen.close()

    run_virtual(scenario())


def test_a_screen_that_is_read_from_keeps_the_lead_and_nothing_pauses() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            await asyncio.sleep(SILENT_MAX_S + 1.0)
            assert made.state == "active"
            assert rows_of(made, "pause") == []
            screen.close()

    run_virtual(scenario())


def test_who_asks_in_the_kernels_own_process_leads_without_a_connection() -> None:
    async def scenario() -> None:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            await asyncio.sleep(2 * SILENT_MAX_S)
            assert lead_of(made) == ("qa", False)
            assert rows_of(made, "pause") == []

    run_virtual(scenario())


def test_a_screen_that_asked_and_never_watched_does_not_lead_for_long() -> None:
    async def scenario() -> None:
        async with service() as made:
            await Screen(made, ANNA).ask("treat", program="refresh", client="demo")
            took_s = await made.until(lambda: lead_of(made)[1])
            assert took_s <= SILENT_MAX_S + LOOK_S + FLICKER_S

    run_virtual(scenario())


@pytest.mark.hazard("H57", shows="works")
def test_without_a_screen_nobody_resumes_and_the_next_step_is_named() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            with pytest.raises(RefusedError, match="No screen") as refused:
                await Screen(made, BEN).ask("resume")
            assert "corneum watch" in refused.value.next_step
            with pytest.raises(RefusedError, match="No screen"):
                await made.ask("resume")  # nor anything without a screen, wherever it runs
            for who in (VIEWER, REMOTE):
                other = Screen(made, who)
                await other.watch()
                await asyncio.sleep(FLICKER_S)
                with pytest.raises(RefusedError, match="No screen"):
                    await Screen(made, BEN).ask("resume")
                other.close()
            assert lead_of(made) == ("anna", True)

    run_virtual(scenario())


@pytest.mark.hazard("H57", shows="works")
def test_from_another_screen_at_the_unit_it_goes_on_after_a_fresh_press() -> None:
    async def scenario() -> None:
        async with service(RigSpec(hand="absent")) as made:
            screen = await led_by_hand(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            other = Screen(made, BEN)
            await other.watch()
            await asyncio.sleep(FLICKER_S)
            await other.ask("resume")
            assert lead_of(made) == ("ben", False)
            assert other.viewer.leads
            assert alarms_of(made) == []
            (row,) = rows_of(made, "lead")
            assert (row["who"]["name"], row["from"], row["asked"]) == ("ben", "anna", "ben")
            await asyncio.sleep(1.0)
            assert made.snapshot()["live"]["valve_percent"] == 0.0  # the switch is still pressed
            made.rig.handpiece.hand.release()
            await asyncio.sleep(0.5)
            made.rig.handpiece.hand.press()
            await made.until(lambda: made.snapshot()["live"]["valve_percent"] > 0.0, 2.0)
            other.close()

    run_virtual(scenario())


def test_a_resume_as_a_command_hands_the_lead_to_the_screen_that_is_read_from() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.frozen = True
            await made.until(lambda: lead_of(made)[1])
            assert not screen.viewer.leads
            other = Screen(made, BEN)
            await other.watch()
            await asyncio.sleep(FLICKER_S)
            await made.ask("resume")
            assert lead_of(made) == ("ben", False)
            (row,) = rows_of(made, "lead")
            assert (row["who"]["name"], row["asked"]) == ("ben", "qa")
            await made.until(lambda: made.state == "active", 10.0)
            screen.close()
            other.close()

    run_virtual(scenario())


def test_a_screen_that_stood_still_leads_again_when_its_person_resumes() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.frozen = True
            await made.until(lambda: lead_of(made)[1])
            screen.frozen = False
            await asyncio.sleep(1.0)
            assert lead_of(made) == ("anna", True)  # it does not lead again by itself
            await screen.ask("resume")
            assert lead_of(made) == ("anna", False)
            screen.close()

    run_virtual(scenario())


def test_a_lead_that_cannot_be_recorded_is_not_given() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            other = Screen(made, BEN)
            await other.watch()
            await asyncio.sleep(FLICKER_S)

            async def lost(_rows: object) -> None:
                raise RecordError("The disk is full.")

            made.kernel._leading._commit = lost
            with pytest.raises(RefusedError, match="disk is full"):
                await other.ask("resume")
            assert lead_of(made)[1]
            assert not other.viewer.leads
            assert alarms_of(made) == ["C17"]
            other.close()

    run_virtual(scenario())


@pytest.mark.hazard("H57", shows="works")
def test_a_treatment_that_nobody_leads_ends_in_order_after_ten_minutes() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            made.kernel._leading._since_s -= UNLED_MAX_S - 3.0  # three seconds are left
            await made.until(lambda: made.kernel.idle, 10.0)
            assert made.snapshot()["treatment"]["outcome"] == "stopped"
            await asyncio.sleep(FLICKER_S)
            assert "C17" not in alarms_of(made)

    run_virtual(scenario())


def test_the_next_treatment_begins_without_the_lost_lead_of_the_last() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            await made.ask("treat", program="refresh", client="demo", zones=["chin"])
            await asyncio.sleep(2 * SILENT_MAX_S)
            assert lead_of(made) == ("qa", False)
            assert len(rows_of(made, "pause")) == 1

    run_virtual(scenario())


def test_a_refused_wish_takes_no_lead() -> None:
    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            other = Screen(made, BEN)
            with pytest.raises(RefusedError, match="under way"):
                await other.ask("treat", program="refresh", client="demo")
            assert lead_of(made) == ("anna", False)
            assert not other.viewer.leads
            screen.close()

    run_virtual(scenario())


@pytest.mark.parametrize("emergency", [False, True])
def test_whose_stop_it_was_is_told_for_a_person_and_not_for_the_kernel(emergency: bool) -> None:  # noqa: FBT001
    async def scenario(by_kernel: bool) -> str | None:  # noqa: FBT001
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            await asyncio.sleep(0.3)
            if by_kernel:
                made.kernel.vent()
            await made.ask("stop", emergency=emergency)
            await made.until(lambda: made.kernel.idle)
            stopped_by: str | None = made.snapshot()["treatment"]["stopped_by"]
            return stopped_by

    assert run_virtual(scenario(by_kernel=False)) == "practitioner"
    assert run_virtual(scenario(by_kernel=True)) is None  # the first reason stays


def test_before_the_first_treatment_nobody_leads() -> None:
    async def scenario() -> None:
        async with service() as made:
            assert made.snapshot()["lead"] is None

    run_virtual(scenario())
