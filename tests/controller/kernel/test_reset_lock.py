"""The lock of too many resets outlives the kernel that counted them, until service takes it off."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.api.requests import Request
from controller.kernel.service import Place, running
from controller.record import resets
from controller.record.chain import Stamped
from controller.record.resets import STEPS_MAX, History, Whose
from controller.record.store import Store
from controller.safety.refusal import RefusedError
from controller.safety.resets import locked_by
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig, service
from tests.controller.record.books import rows_of
from tests.controller.record.edits import bodies

UNIT = 1001
WALL_S = 1.9e9
HOUR_S = 3600.0
TECHNICIAN = {"name": "tom", "role": "technician", "origin": "local"}


# -- what the record says ------------------------------------------------------------------------
def reset(mono_s: float, wall_s: float, boot: str = "one", **more: object) -> Stamped:
    body = {"cause": "DWELL", "unit": UNIT, "simulated": True, "boot": boot, **more}
    return Stamped(mono_s, WALL_S + wall_s, 1, Kind.RESET_DONE, json.dumps(body))


def row(kind: str, **body: object) -> Stamped:
    return Stamped(0.0, WALL_S, 0, kind, json.dumps(body))


def history(
    rows: Sequence[Stamped], now_s: float = 1000.0, wall_s: float = 1000.0, boot: str = "one"
) -> History:
    store = Store(None)
    store.append(rows)
    found = resets.read(store, Whose(UNIT, simulated=True, boot=boot), now_s, WALL_S + wall_s)
    store.close()
    return found


def locks(*rows: Stamped, **now: Any) -> bool:  # noqa: ANN401 - by name
    found = history(rows, **now)
    return found.locked is not None or locked_by(found.resets) is not None


@pytest.mark.hazard("H18", "H46")
def test_resets_of_earlier_kernels_count_by_the_monotonic_time_of_one_boot() -> None:
    close = [reset(at_s, at_s) for at_s in (100.0, 400.0, 700.0)]
    wide = [reset(at_s, at_s) for at_s in (100.0, 400.0, 701.0)]
    assert [each.at_s for each in history(close).resets] == [100.0, 400.0, 700.0]
    assert locks(*close)
    assert not locks(*wide)


@pytest.mark.hazard("H18", "H31")
@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0, float("inf")])
def test_within_one_boot_no_wall_clock_makes_resets_older_or_younger(jump_s: float) -> None:
    wall_s = 0.0 if jump_s == float("inf") else jump_s
    assert locks(reset(100.0, 100.0), reset(400.0, 400.0), reset(700.0, wall_s + 700.0))
    assert not locks(reset(100.0, 100.0), reset(400.0, 400.0), reset(701.0, wall_s + 100.0))


@pytest.mark.hazard("H18", "H31")
def test_across_boots_the_wall_clock_tells_and_one_that_was_set_back_counts_as_recent() -> None:
    before = [reset(5000.0, 0.0), reset(5300.0, 300.0)]
    assert locks(*before, reset(30.0, 600.0, "two"))
    assert not locks(*before, reset(30.0, 900.0, "two"))
    assert locks(*before, reset(30.0, -HOUR_S, "two"))
    assert locks(*before, reset(30.0, 900.0 - 86_400.0, "two"))


@pytest.mark.hazard("H18", "H31")
def test_a_clock_that_was_set_forward_between_resets_makes_none_of_them_older() -> None:
    first, second = reset(5000.0, 0.0), reset(5300.0, 300.0)
    later = reset(30.0, 400.0 + HOUR_S, "two")
    assert not locks(first, second, later)
    assert locks(first, second, row(Kind.CLOCK_STEP, step_s=HOUR_S), later)
    moved = reset(5300.0, 300.0 + HOUR_S)
    assert locks(first, row(Kind.CLOCK_STEP, step_s=HOUR_S), moved, later)
    back = row(Kind.CLOCK_STEP, step_s=-HOUR_S)
    assert not locks(first, second, back, later)


@pytest.mark.hazard("H31")
def test_a_clock_that_was_set_thousands_of_times_tells_no_time_at_all() -> None:
    steps = [row(Kind.CLOCK_STEP, step_s=1.5)] * STEPS_MAX
    old = [reset(5000.0, 0.0), reset(30.0, 86_400.0, "two"), reset(30.0, 2 * 86_400.0, "three")]
    assert not locks(*old)
    assert locks(old[0], *steps, *old[1:])


@pytest.mark.parametrize("wall_s", [2_000.0, 700.0, -9_000.0])
def test_no_reset_is_placed_after_now_or_out_of_order(wall_s: float) -> None:
    rows = [reset(5000.0, 0.0), reset(10.0, 700.0, "two"), reset(20.0, 50.0, "three")]
    times_s = [each.at_s for each in history(rows, 40.0, wall_s, "four").resets]
    assert times_s == sorted(times_s)
    assert times_s[-1] <= 40.0


def test_without_the_name_of_a_boot_only_the_wall_clock_tells() -> None:
    nameless = [reset(10.0, at_s, "") for at_s in (0.0, 300.0, 600.0)]
    assert locks(*nameless)
    assert not locks(*nameless[:2], reset(10.0, 601.0, ""))


@pytest.mark.hazard("H18", "H52")
@pytest.mark.parametrize("other", [{"unit": 7}, {"simulated": False}, {"cause": "NO_FLOW"}])
def test_resets_of_another_unit_kind_or_cause_do_not_count(other: dict[str, Any]) -> None:
    near = [reset(100.0, 100.0), reset(110.0, 110.0)]
    assert locks(*near, reset(120.0, 120.0))
    assert not locks(*near, reset(120.0, 120.0, **other))


def test_a_row_that_does_not_say_whose_it_is_counts_for_every_unit() -> None:
    bare = [
        Stamped(at_s, WALL_S, 1, Kind.RESET_DONE, '{"cause":"DWELL"}') for at_s in (1.0, 2.0, 3.0)
    ]
    assert locks(*bare)


def test_what_lies_before_the_release_counts_no_more() -> None:
    three = [reset(at_s, at_s) for at_s in (1.0, 2.0, 3.0)]
    whose = {"unit": UNIT, "simulated": True}
    locked, released = row("locked", cause="DWELL", **whose), row("unlocked", **whose)
    assert locks(locked)
    assert not locks(*three, locked, released)
    assert not locks(*three, locked, released, reset(4.0, 4.0))
    assert locks(*three, locked, row("unlocked", unit=7, simulated=True))


# -- with kernels ----------------------------------------------------------------------------------
async def trip_and_reset(made: Service) -> None:
    """One trip by a full canister, emptied, acknowledged and reset."""
    made.rig.handpiece.hand.auto()
    await made.ask("treat", program="refresh", client="demo")
    await made.until(lambda: made.state == "active", 30.0)
    made.rig.handpiece.set_fault("waste-full")
    await made.until(lambda: made.state == "tripped", 5.0)
    made.rig.handpiece.hand.release()
    made.rig.handpiece.clear_fault("waste-full")
    await asyncio.sleep(1.0)
    await made.ask("ack")
    await made.ask("reset")


async def refused(made: Service, do: str = "treat", **args: object) -> str:
    wish = {"program": "refresh", "client": "demo"} if do == "treat" else {}
    with pytest.raises(RefusedError) as caught:
        await made.ask(do, **wish, **args)
    return caught.value.code


async def unlock(made: Service, **args: str) -> dict[str, Any]:
    return await made.kernel.handle(
        Request.model_validate({"do": "unlock", "who": TECHNICIAN, "args": args})
    )


def codes(made: Service) -> list[str]:
    return [alarm["code"] for alarm in made.snapshot()["alarms"]]


@pytest.mark.hazard("H18", "H46", shows="works")
def test_a_kernel_that_is_started_anew_for_each_treatment_counts_the_resets_of_all(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[list[bool], str, str, list[str]]:
        spec, locked = RigSpec(record=tmp_path), []
        for _ in range(3):
            async with service(spec) as made:
                locked.append(made.kernel.control.resets.cause is not None)
                await trip_and_reset(made)
        async with service(spec) as made:
            return locked, await refused(made), await refused(made, "reset"), codes(made)

    assert run_virtual(scenario()) == ([False, False, False], "locked", "locked", ["U09"])


@pytest.mark.hazard("H18", "H12", shows="works")
def test_a_reset_that_was_told_is_not_forgotten_by_a_kill(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with service(RigSpec(record=tmp_path)) as made:
            await trip_and_reset(made)
            return [kind for _, kind, _ in rows_of(tmp_path / "journal.sqlite3")]

    assert run_virtual(scenario()).count("reset_done") == 1


def test_service_takes_the_lock_off_for_good_and_nobody_else_does(tmp_path: Path) -> None:
    async def scenario() -> tuple[list[str], list[str], list[str]]:
        spec = RigSpec(record=tmp_path)
        async with service(spec) as made:
            for _ in range(3):
                await trip_and_reset(made)
        async with service(spec) as made:
            said = [await refused(made, "unlock", reason="please")]
            for args in ({}, {"reason": ""}):
                with pytest.raises(RefusedError) as caught:
                    await unlock(made, **args)
                said.append(caught.value.code)
            await unlock(made, reason="waste valve changed")
            shown = codes(made)
            with pytest.raises(RefusedError) as again:
                await unlock(made, reason="once more")
            said.append(again.value.code)
        async with service(spec) as made:
            await trip_and_reset(made)
            return said, shown, codes(made)

    said, shown, after = run_virtual(scenario())
    assert said == ["not_allowed", "bad_request", "bad_request", "not_locked"]
    assert shown == []
    assert "U09" not in after


def test_each_reset_says_of_which_unit_and_in_which_boot_it_was(tmp_path: Path) -> None:
    async def scenario() -> dict[str, Any]:
        async with rig(RigSpec(record=tmp_path)) as made:
            outside = made.outside()
            outside = replace(outside, here=replace(outside.here, boot="b-17"))
            async with running(Place("virtual"), outside) as kernel:
                await trip_and_reset(Service(made, kernel))
                (text,) = await outside.journal.read(
                    lambda store: bodies(store.connection(), "reset_done")
                )
                body: dict[str, Any] = json.loads(text)
                return body

    body = run_virtual(scenario())
    assert body == {"cause": "WASTE_FULL", "unit": UNIT, "simulated": True, "boot": "b-17"}
