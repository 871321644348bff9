"""After a crash: found, charged with the worst case, shown, never resumed by itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from controller.kernel.service import Kernel, Outside, Place
from controller.record import treatments
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.recovery import UNSEEN_S
from controller.record.store import Store
from controller.record.verify import verify
from controller.record.writer import InlineWriter, Writer
from controller.safety.refusal import RefusedError
from controller.treatment.conduct import AHEAD_S
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import Rig, RigSpec, Service, rig
from tests.controller.record.books import rows_of

JOURNAL = "journal.sqlite3"
T = TypeVar("T")


class KilledError(Exception):
    """The process is gone."""


@asynccontextmanager
async def kernel_on(folder: Path, port: str = "virtual") -> AsyncIterator[Service]:
    """Run a unit and a kernel with its record in ``folder``; KilledError ends it by kill -9."""
    async with rig(RigSpec(record=folder)) as made, kernel_of(made, port=port) as service:
        yield service


@asynccontextmanager
async def kernel_of(
    made: Rig, writer: Writer | None = None, port: str = "virtual"
) -> AsyncIterator[Service]:
    """Run a kernel on a unit; KilledError ends it like a kill -9, and loses what is not written."""
    outside = made.outside()
    if writer is not None:
        journal = Journal(writer, made.wall_clock, folder=made.spec.record)
        outside = replace(outside, journal=journal)
    kernel = Kernel(Place(port, lock=f"{port}.lock"), outside)
    await kernel.start()
    running = asyncio.create_task(kernel.run(), name="kernel")
    try:
        yield Service(made, kernel)
        await kernel.end()
    except KilledError:
        outside.journal._notes.clear()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await kernel.close()


class LateWriter:
    """A disk that takes 0.6 s for each write; what is not written when it dies never is."""

    TAKES_S = 0.6

    def __init__(self, store: Store) -> None:
        self._inline = InlineWriter(store)
        self.dead = False

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Do the job later, if the disk is there then."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[T] = loop.create_future()

        def do() -> None:
            if not (self.dead or told.cancelled()):
                told.set_result(self._inline.submit(job).result())

        loop.call_later(self.TAKES_S, do)
        return told

    def close(self) -> None:
        """Close the store."""
        self._inline.close()


def interruption(folder: Path) -> dict[str, Any]:
    """Return the body of the one row of an interruption."""
    (text,) = [body for _, kind, body in rows_of(folder / JOURNAL) if kind == "interrupted"]
    body: dict[str, Any] = json.loads(text)
    return body


async def killed_in_zone(folder: Path, seconds: float = 3.0, **args: object) -> dict[str, Any]:
    """Treat for some seconds of contact, die, and return the zone as it really stood."""
    zone: dict[str, Any] = {}
    async with kernel_on(folder) as made:
        await made.ask("treat", program="refresh", client="demo", **args)
        await made.until(lambda: made.state == "active", 30.0)
        await asyncio.sleep(seconds)
        zone = next(
            zone for zone in made.snapshot()["treatment"]["zones"] if zone["state"] == "current"
        )
        raise KilledError
    return zone


@pytest.mark.hazard("H12")
def test_a_treatment_that_nobody_ended_is_found_charged_and_shown(tmp_path: Path) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before = await killed_in_zone(tmp_path)
        async with kernel_on(tmp_path) as made:
            await asyncio.sleep(30.0)
            return before, made.snapshot(), made.snapshot()["unfinished"][0]

    before, after, unfinished = run_virtual(scenario())
    assert after["state"] == "idle"
    assert unfinished == {"treatment": 1, "client": "demo", "program": "refresh"}
    (text,) = [body for _, kind, body in rows_of(tmp_path / JOURNAL) if kind == "interrupted"]
    body = json.loads(text)
    charged = next(zone for zone in body["zones"] if zone["zone"] == before["zone"])
    assert body["unseen_s"] == UNSEEN_S
    assert charged["bound_um"] > before["bound_um"]
    assert charged["grams"] > before["grams"]
    assert charged["contact_s"] >= before["contact_s"] + 1.0
    assert verify(tmp_path / JOURNAL).ok


@pytest.mark.hazard("H12")
def test_nothing_moves_by_itself_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        await killed_in_zone(tmp_path)
        async with kernel_on(tmp_path) as made:
            await asyncio.sleep(60.0)
            return [str(event["kind"]) for event in made.rig.events]

    assert not {"valve", "trip"} & set(run_virtual(scenario()))


def test_it_is_charged_once_however_often_the_kernel_starts(tmp_path: Path) -> None:
    async def scenario() -> None:
        await killed_in_zone(tmp_path)
        for _ in range(3):
            async with kernel_on(tmp_path):
                pass

    run_virtual(scenario())
    assert [kind for _, kind, _ in rows_of(tmp_path / JOURNAL)].count("interrupted") == 1


def test_a_treatment_that_was_never_armed_is_not_charged(tmp_path: Path) -> None:
    async def scenario() -> dict[str, Any]:
        async with kernel_on(tmp_path) as made:
            await made.ask("treat", program="refresh", client="demo")
            raise KilledError
        async with kernel_on(tmp_path):
            pass
        (text,) = [body for _, kind, body in rows_of(tmp_path / JOURNAL) if kind == "interrupted"]
        body: dict[str, Any] = json.loads(text)
        return body

    body = run_virtual(scenario())
    assert body["charged"] == []
    assert [zone["bound_um"] for zone in body["zones"]] == [0.0, 0.0]


@pytest.mark.hazard("H12")
def test_a_resumed_treatment_goes_on_from_what_was_charged(tmp_path: Path) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before = await killed_in_zone(tmp_path, zones=["nose"])
        async with kernel_on(tmp_path) as made:
            begun = await made.ask("treat", program="refresh", client="demo", resume=True)
            first = made.snapshot()
            await made.until(lambda: made.kernel.idle)
            return before, {**first, "begun": begun}, made.snapshot()

    before, first, last = run_virtual(scenario())
    assert first["begun"]["treatment"] == 2
    assert not first["unfinished"]
    begun, ended = first["treatment"]["zones"][0], last["treatment"]["zones"][0]
    assert [zone["zone"] for zone in last["treatment"]["zones"]] == ["nose"]
    assert begun["bound_um"] > before["bound_um"]
    assert last["treatment"]["outcome"] == "completed"
    assert ended["bound_um"] <= ended["cap_um"]
    assert ended["suction_kpa_s"] > begun["suction_kpa_s"] > before["suction_kpa_s"]
    # What was charged for nothing comes out of the cap: the zone ends a little before its time.
    assert 0.7 * ended["budget_s"] <= ended["contact_s"] <= ended["budget_s"] + 0.1


def test_a_treatment_interrupted_twice_keeps_everything_of_both(tmp_path: Path) -> None:
    async def scenario() -> tuple[float, float, list[dict[str, Any]]]:
        first = await killed_in_zone(tmp_path, zones=["nose"])
        second = await killed_in_zone(tmp_path, zones=["nose"], resume=True)
        async with kernel_on(tmp_path) as made:
            unfinished = made.snapshot()["unfinished"]
            await made.ask("treat", program="refresh", client="demo", resume=True)
            return first["bound_um"], second["bound_um"], unfinished

    first, second, unfinished = run_virtual(scenario())
    assert second > first
    assert [each["treatment"] for each in unfinished] == [2]


def test_a_dismissed_treatment_is_shown_no_more_and_cannot_be_resumed(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, str, str]:
        await killed_in_zone(tmp_path)
        async with kernel_on(tmp_path) as made:
            await made.ask("dismiss", treatment=1, reason="client went home")
            left = len(made.snapshot()["unfinished"])
            with pytest.raises(RefusedError) as twice:
                await made.ask("dismiss", treatment=1)
            with pytest.raises(RefusedError) as resumed:
                await made.ask("treat", program="refresh", client="demo", resume=True)
        return left, twice.value.code, resumed.value.code

    assert run_virtual(scenario()) == (0, "unknown_treatment", "nothing_unfinished")


def test_a_resume_that_was_refused_has_resumed_nothing(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        await killed_in_zone(tmp_path)
        async with kernel_on(tmp_path) as made:
            booking = made.kernel._booking
            journal = made.kernel._outside.journal
            begun = await journal.read(treatments.unfinished)
            body = {"client": "demo", "resumes": begun[0].treatment}
            await journal.commit([_beginning(2, body)])
            await booking.withdraw(2, "the unit went away")
            await made.kernel._upkeep.look_unfinished()
            unfinished: list[dict[str, Any]] = made.snapshot()["unfinished"]
            return unfinished

    assert [each["treatment"] for each in run_virtual(scenario())] == [1]


def test_a_kernel_on_another_port_leaves_a_living_ones_treatment_alone(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, str]:
        async with kernel_on(tmp_path) as made:
            await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            async with rig(RigSpec(seed=2, record=tmp_path)) as second:
                outside = second.outside()
                living = Outside(
                    outside.make_client,
                    outside.journal,
                    outside.here,
                    alive=lambda lock: LockState.HELD if lock == "virtual.lock" else LockState.FREE,
                )
                other = Kernel(Place("other", lock="other.lock"), living)
                await other.start()
                unfinished = len(other.snapshot()["unfinished"])
                await other.close()
            await made.until(lambda: made.kernel.idle)
            return unfinished, made.snapshot()["treatment"]["outcome"]

    assert run_virtual(scenario()) == (0, "completed")


@pytest.mark.hazard("H51", shows="works")
def test_a_kill_right_after_a_resume_charges_the_zone_on_which_the_crystals_fell(
    tmp_path: Path,
) -> None:
    async def first() -> None:
        async with kernel_on(tmp_path) as made:
            await made.ask("treat", program="even-bright", client="demo")
            await made.until(
                lambda: made.snapshot()["treatment"]["zones"][0]["state"] == "done", 400.0
            )
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle, 20.0)

    async def second() -> str:
        writer, zone = LateWriter(Store(tmp_path / JOURNAL)), ""
        async with rig(RigSpec(record=tmp_path)) as made, kernel_of(made, writer) as service:
            await service.ask("treat", program="even-bright", client="demo", resume=True)
            while not made.handpiece.plant.truth.valve_open > 0.01:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.08)
            zones = service.snapshot()["treatment"]["zones"]
            (zone,) = (each["zone"] for each in zones if each["state"] == "current")
            writer.dead = True
            raise KilledError
        return zone

    async def third() -> None:
        async with kernel_on(tmp_path):
            pass

    run_virtual(first())
    zone = run_virtual(second())
    run_virtual(third())
    assert zone == "chin"
    assert interruption(tmp_path)["charged"] == ["chin"]


@pytest.mark.hazard("H51")
def test_the_next_kernel_asks_the_unit_what_it_delivered_meanwhile(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with rig(RigSpec(record=tmp_path)) as made:
            async with kernel_of(made) as service:
                await service.ask("treat", program="refresh", client="demo")
                await service.until(lambda: service.state == "active", 30.0)
                await asyncio.sleep(3.0)
                raise KilledError
            await asyncio.sleep(2.0)
            async with kernel_of(made):
                pass

    run_virtual(scenario())
    body = interruption(tmp_path)
    assert 0.0 <= body["told"]["contact_s"] < UNSEEN_S == body["unseen_s"]


def test_rows_name_zones_for_at_least_as_long_as_the_record_can_miss() -> None:
    assert UNSEEN_S <= AHEAD_S


def _beginning(treatment: int, more: dict[str, Any]) -> Row:
    body = {
        "client": "demo",
        "program": "refresh",
        "simulated": True,
        "practice": True,
        "kernel_lock": "virtual.lock",
        "resumes": None,
        "zones": [],
        "worst_per_s": [],
    }
    return Row(Kind.TREATMENT, {**body, **more}, treatment)
