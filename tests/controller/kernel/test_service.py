"""The kernel as a service: what it refuses before anything moves, what it does without a record."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.api.authority import Do
from controller.api.requests import Request
from controller.device.backoff import Backoff
from controller.device.handpiece import HandpieceClient, Listeners
from controller.kernel import service as service_module
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record import treatments
from controller.record.clocks import Here
from controller.record.journal import LAG_MAX_S, Journal, Row
from controller.record.store import Store
from controller.record.writer import InlineWriter
from controller.safety.refusal import RefusedError, refusing
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.planning import planned_request
from qa.rig import PRACTITIONER, RigSpec, Service, rig, service
from tests.controller.record.books import PLENTY, CrowdedStore, SlowWriter

DAY_S = 86_400.0
WISH = {"program": "refresh", "client": "demo"}


def moved(made: Service) -> bool:
    """True when the device opened its valve or left its quiet modes."""
    quiet = {"boot", "disarmed", "selftest", "ready"}
    return any(
        event["kind"] == "valve"
        or (event["kind"] == "mode" and str(event["mode"]).lower() not in quiet)
        for event in made.rig.events
    )


async def dose(made: Service, client: str, zone: str) -> None:
    """Treat a zone for a moment and stop: a short dose is a dose."""
    await made.ask("treat", program="refresh", client=client, zones=[zone])
    await made.until(lambda: made.rig.flows, 30.0)
    await asyncio.sleep(0.5)
    await made.ask("stop")
    await made.until(lambda: made.kernel.idle)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ({"program": "polish", "client": "demo"}, "config", "polish"),
        ({"program": "../refresh", "client": "demo"}, "config", "refresh"),
        ({"program": "refresh", "client": "nobody"}, "config", "nobody"),
        ({"program": "refresh", "client": "demo", "zones": ["eyelid"]}, "zone", "eyelid"),
        (
            {"program": "refresh", "client": "demo", "lower": {"suction_kpa": 45.0}},
            "raised",
            "only lower",
        ),
        ({"program": "refresh", "client": "demo", "resume": True}, "nothing_unfinished", "demo"),
        ({"program": "refresh"}, "bad_request", "client"),
    ],
)
@pytest.mark.parametrize("do", ["treat", "plan"])
def test_a_wish_that_cannot_be_is_refused_in_one_sentence_and_moves_nothing(
    do: str, args: dict[str, Any], code: str, words: str
) -> None:
    async def scenario() -> tuple[RefusedError, bool]:
        async with service() as made:
            with pytest.raises(RefusedError) as caught:
                await (made.plan(**args) if do == "plan" else made.ask(do, **args))
            await asyncio.sleep(1.0)
            return caught.value, moved(made) or not made.kernel.idle

    error, anything = run_virtual(scenario())
    assert error.code.startswith(code)
    assert words in error.sentence
    assert "\n" not in error.sentence
    assert not anything


def test_a_plan_is_a_dry_run() -> None:
    async def scenario() -> tuple[dict[str, Any], bool, int]:
        async with service() as made:
            before = made.snapshot()["record"]["rows"]
            plan = await made.plan(program="refresh", client="demo")
            return plan, moved(made), made.snapshot()["record"]["rows"] - before

    plan, anything, rows = run_virtual(scenario())
    assert [zone["zone"] for zone in plan["zones"]] == ["nose", "chin"]
    assert (anything, rows) == (False, 0)


def test_the_second_treatment_at_a_time_is_refused() -> None:
    async def scenario() -> str:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            with pytest.raises(RefusedError) as caught:
                await made.ask("treat", program="refresh", client="demo")
            return caught.value.code

    assert run_virtual(scenario()) == "busy"


def test_two_who_ask_in_the_same_moment_get_one_treatment() -> None:
    async def scenario() -> list[str]:
        async with service() as made:
            asked = [
                asyncio.create_task(made.ask("treat", program="refresh", client="demo"), name=name)
                for name in ("one", "other")
            ]
            await asyncio.wait(asked)
            said = [task.exception() for task in asked]
            return [error.code if isinstance(error, RefusedError) else "begun" for error in said]

    assert sorted(run_virtual(scenario())) == ["begun", "busy"]


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.15, 0.25, 0.35])
def test_a_stop_voids_a_start_that_is_under_way(after_s: float) -> None:
    async def scenario() -> tuple[str, bool, bool]:
        async with rig() as made:
            journal = Journal(SlowWriter(Store(None), 0.1), made.wall_clock, folder=None)
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                treat = Request.model_validate({"do": "treat", "who": PRACTITIONER, "args": WISH})
                request = await planned_request(kernel, treat)
                asked = asyncio.create_task(kernel.handle(request), name="treat")
                await asyncio.sleep(after_s)
                kernel.stop(Request(do=Do.STOP))
                await asyncio.wait([asked])
                error = asked.exception()
                await asyncio.sleep(3.0)
                open_ones = await journal.read(treatments.open_treatments)
                return getattr(error, "code", "begun"), not open_ones, moved(desk)

    assert run_virtual(scenario()) == ("stopped", True, False)


@pytest.mark.hazard("H40")
def test_a_record_that_is_lost_ends_the_treatment_in_order_and_blocks_the_next(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[float, dict[str, Any], str, dict[str, Any]]:
        async with rig() as made:
            store = CrowdedStore(tmp_path / "journal.sqlite3")
            journal = Journal(InlineWriter(store), made.wall_clock, folder=tmp_path)
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                await desk.ask("treat", program="refresh", client="demo")
                await desk.until(lambda: made.flows, 30.0)
                journal.note(Row(Kind.LINK_GIVEN_UP, {"why": "x" * 50_000}))
                store.full = True
                took_s = await desk.until(lambda: made.handpiece.plant.truth.valve_open < 0.01, 5.0)
                await asyncio.sleep(6.0)
                lost = desk.snapshot()
                with pytest.raises(RefusedError) as caught:
                    await desk.ask("treat", program="refresh", client="demo")
                return took_s, lost, caught.value.code, desk.snapshot()

    took_s, lost, code, after = run_virtual(scenario())
    assert took_s < LAG_MAX_S
    assert any("record" in alarm["sentence"].lower() for alarm in lost["alarms"])
    assert lost["state"] in {"stopped", "stopping"}
    assert code in {"record", "busy"}
    assert after["live"]["valve_percent"] <= 1.0


@pytest.mark.hazard("H40")
def test_a_disk_without_room_refuses_the_start_and_nothing_moves(tmp_path: Path) -> None:
    async def scenario() -> tuple[RefusedError, bool]:
        free = [PLENTY]
        async with rig(RigSpec()) as made:
            journal = Journal(
                InlineWriter(CrowdedStore(tmp_path / "journal.sqlite3")),
                made.wall_clock,
                folder=tmp_path,
                free=lambda _folder: free[0],
            )
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                free[0] = 5_000_000
                with pytest.raises(RefusedError) as caught:
                    await desk.ask("treat", program="refresh", client="demo")
                await asyncio.sleep(1.0)
                return caught.value, moved(desk)

    error, anything = run_virtual(scenario())
    assert error.code == "record"
    assert all(
        word in error.sentence for word in (str(tmp_path), "5.0 MB", "100 MB", "CORNEUM_STATE")
    )
    assert not anything


def test_a_kernel_without_a_unit_says_what_is_wrong_with_the_port() -> None:
    async def scenario() -> RefusedError:
        async with rig() as made:
            made.wire.unplug()
            with pytest.raises(RefusedError) as caught:
                async with running(Place("virtual"), made.outside()):
                    pass
            return caught.value

    error = run_virtual(scenario())
    assert error.code == "port_not_found"
    assert error.next_step


def test_a_unit_that_another_kernel_has_is_left_alone() -> None:
    def claim(_identity: object) -> None:
        raise refusing("unit_held", "Unit 1001 belongs to another kernel, process 7.", "End it.")

    async def scenario() -> str:
        async with rig() as made:
            outside = made.outside()
            claimed = Outside(outside.make_client, outside.journal, outside.here, claim=claim)
            kernel = Kernel(Place("virtual"), claimed)
            with pytest.raises(RefusedError) as caught:
                await kernel.start()
            await kernel.close()
            return caught.value.code

    assert run_virtual(scenario()) == "unit_held"


@pytest.mark.hazard("H25", shows="works")
def test_the_same_zone_is_refused_again_within_a_week_by_what_the_record_says(
    configs: Path, tmp_path: Path
) -> None:
    async def scenario() -> tuple[str, str]:
        spec = RigSpec(configs=configs, record=tmp_path / "state")
        async with service(spec) as made:
            await dose(made, "c-0042", "nose")
            with pytest.raises(RefusedError) as again:
                await made.ask("treat", program="refresh", client="c-0042", zones=["nose"])
            await dose(made, "c-0042", "chin")
            return again.value.code, made.state

    assert run_virtual(scenario()) == ("interval", "stopped")


@pytest.mark.hazard("H52", shows="works")
def test_doses_of_the_practice_client_and_of_the_other_kind_of_unit_are_no_history(
    configs: Path, tmp_path: Path
) -> None:
    async def scenario() -> tuple[int, int, int]:
        spec = RigSpec(configs=configs, record=tmp_path / "state")
        async with service(spec) as made:
            await dose(made, "c-0042", "nose")
            await dose(made, "demo", "nose")
            outside = made.rig.outside()
            journal, now = outside.journal, outside.here.now()

            async def doses(client: str, *, simulated: bool, later_s: float = 0.0) -> int:
                at = now._replace(up_s=now.up_s + later_s, wall_s=now.wall_s + later_s)
                return len(
                    await journal.read(
                        lambda store: treatments.history(store, client, at, simulated=simulated)
                    )
                )

            found = (
                await doses("c-0042", simulated=True),
                await doses("c-0042", simulated=False),
                await doses("demo", simulated=True),
            )
            assert await doses("c-0042", simulated=True, later_s=200 * DAY_S) == 0
            await journal.close()
            return found

    assert run_virtual(scenario()) == (1, 0, 0)


@pytest.mark.hazard("H12")
def test_an_end_in_the_middle_of_a_treatment_is_an_orderly_stop() -> None:
    async def scenario() -> tuple[str, list[str]]:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            await made.until(lambda: made.state == "active", 30.0)
            await made.ask("shutdown")
            modes = [str(event["mode"]) for event in made.rig.events if event["kind"] == "mode"]
            return made.snapshot()["treatment"]["outcome"], modes

    outcome, modes = run_virtual(scenario())
    assert outcome == "stopped"
    assert [mode.lower() for mode in modes[-2:]] == ["stopping", "disarmed"]


def test_a_unit_that_was_away_for_longer_than_an_hour_is_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service_module, "GIVEN_UP_PERIOD_S", 2.0)

    async def scenario() -> tuple[str, str]:
        async with rig() as made:
            outside = made.outside()

            def impatient(listeners: Listeners) -> HandpieceClient:
                return HandpieceClient(
                    made.wire.open, listeners, nonces=made.nonce, backoff=Backoff(tries_max=2)
                )

            outside = replace(outside, make_client=impatient)
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                made.wire.unplug()
                await asyncio.sleep(3.0)
                with pytest.raises(RefusedError) as caught:
                    await desk.ask("treat", program="refresh", client="demo")
                made.wire.plug()
                await asyncio.sleep(4.0)
                return caught.value.code, desk.snapshot()["link"]["state"]

    assert run_virtual(scenario()) == ("unit_absent", "identified")


@pytest.mark.parametrize(
    ("do", "args"),
    [("resume", {}), ("pause", {}), ("reset", {}), ("lower", {"suction_kpa": 10.0})],
)
def test_what_means_nothing_without_a_treatment_is_declined(do: str, args: dict[str, Any]) -> None:
    async def scenario() -> RefusedError:
        async with service() as made:
            with pytest.raises(RefusedError) as caught:
                await made.ask(do, **args)
            return caught.value

    error = run_virtual(scenario())
    assert error.sentence
    assert error.next_step
