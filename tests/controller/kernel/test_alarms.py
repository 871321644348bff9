"""Alarms of the kernel: rows for each change, the pause of the sound, the reset lock, the clock."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from controller.api.snapshot import Snapshot
from controller.record.clocks import Here
from controller.safety.clocks import STEP_MIN_S
from controller.safety.refusal import RefusedError
from controller.safety.resets import PastReset
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command
from qa.loop import run_virtual
from qa.rig import service
from tests.controller.kernel.clinic import ANNA, FAR, Clinic, plan_of, scenario
from tests.controller.kernel.test_control import bring_to, shut_at_s


def signal(made: Clinic) -> Any:  # noqa: ANN401 - what is heard and seen
    said = made.view.signal
    assert said is not None
    return said


@pytest.mark.hazard("H42")
def test_the_sound_pauses_for_two_minutes_the_light_stays_and_a_new_alarm_is_heard() -> None:
    async def play(made: Clinic) -> None:
        assert (signal(made).tone, signal(made).light) == (None, None)
        await bring_to(made, "active")
        made.rig.handpiece.set_fault("waste-full")
        await made.until("tripped", within_s=5.0)
        assert made.view.alarms[0].first_out
        assert signal(made).tone.pulses == 3
        with pytest.raises(RefusedError, match="at the unit"):
            made.control.silence(FAR)
        made.control.silence(ANNA)
        quiet = signal(made)
        assert (quiet.tone, quiet.light.colour) == (None, "yellow")
        assert (quiet.inactivation, quiet.left_s) == ("audio paused", 120.0)
        assert Snapshot.from_dict(made.view.as_dict()).signal == quiet
        await asyncio.sleep(119.0)
        assert signal(made).left_s == pytest.approx(1.0, abs=0.1)
        await asyncio.sleep(1.1)
        assert signal(made).tone is not None
        made.control.silence(ANNA)
        made.control.alarms.put(
            replace(made.control.alarms.board.standing[0].alarm, code="X01"), made.now_s
        )
        assert signal(made).tone is not None
        await asyncio.sleep(0.2)
        said = [(body["state"], body["why"]) for _, body in made.rows("alarm_quiet")]
        assert said == [
            ("audio paused", "asked by anna"), ("none", "its time is over"),
            ("audio paused", "asked by anna"), ("none", "a new alarm"),
        ]  # fmt: skip

    scenario(play)


def test_each_alarm_leaves_a_row_when_it_comes_and_when_it_goes() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.until("completed")
        await asyncio.sleep(0.3)
        came = [body["code"] for _, body in made.rows("alarm")]
        gone = [body["code"] for _, body in made.rows("alarm_gone")]
        assert "H04" in came
        assert sorted(came) == sorted(gone)
        assert all("first_out" in body for _, body in made.rows("alarm"))

    scenario(play)


def test_the_sound_is_paused_over_the_api_by_somebody_at_the_unit() -> None:
    async def play() -> dict[str, Any]:
        async with service() as made:
            return dict((await made.ask("silence"))["signal"])

    assert run_virtual(play())["inactivation"] == "audio paused"


# -- the reset lock --------------------------------------------------------------------------------
async def trip_and_reset(made: Clinic, number: int) -> None:
    made.rig.handpiece.hand.auto()
    await made.control.begin(treatment_of(plan_of(budget_s=60.0)), ANNA, number)
    await made.until("active")
    made.rig.handpiece.set_fault("waste-full")
    await made.until("tripped", within_s=5.0)
    made.rig.handpiece.hand.release()
    made.rig.handpiece.clear_fault("waste-full")
    await asyncio.sleep(1.0)
    await made.ask(Command.ACK)
    await made.ask(Command.RESET)


@pytest.mark.hazard("H18", shows="works")
def test_with_nothing_to_acknowledge_that_is_said_and_no_row_is_written() -> None:
    async def refused(made: Clinic) -> str:
        with pytest.raises(RefusedError, match="nothing to acknowledge") as nothing:
            await made.ask(Command.ACK)
        return nothing.value.code

    async def play(made: Clinic) -> None:
        assert await refused(made) == "nothing_to_acknowledge"
        await bring_to(made, "armed")
        assert made.codes() == ["H04"]  # which is no alarm
        await refused(made)
        with pytest.raises(RefusedError, match="at the unit"):
            await made.control.person(Command.ACK, FAR)
        made.rig.handpiece.set_fault("waste-full")
        await made.until("tripped")
        await made.ask(Command.ACK)
        await refused(made)
        assert made.kinds().count("ack") == 1

    scenario(play)


def test_whoever_pauses_an_armed_unit_is_told_one_thing_to_do() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "armed")
        await made.ask(Command.PAUSE)
        told = {alarm.code: alarm.next_step for alarm in made.view.alarms}
        assert set(told) >= {"H04", "H07"}
        assert [code for code, step in told.items() if step] == ["H07"]
        assert "Resume" in told["H07"]
        await made.ask(Command.RESUME)
        assert "H07" not in made.codes()
        steps = {alarm.code: alarm.next_step for alarm in made.view.alarms}
        assert "Press the hand switch" in steps.get("H04", "Press the hand switch")

    scenario(play)


def test_three_resets_of_one_cause_in_ten_minutes_lock_the_unit() -> None:
    async def play(made: Clinic) -> None:
        for number in (1, 2, 3):
            assert made.control.resets.cause is None
            await trip_and_reset(made, number)
        assert made.control.resets.cause == "WASTE_FULL"
        with pytest.raises(RefusedError) as caught:
            await made.treat(number=4)
        assert caught.value.code == "locked"
        with pytest.raises(RefusedError, match="locked"):
            await made.ask(Command.RESET)
        assert "U09" in made.codes()
        await asyncio.sleep(0.2)
        assert [body["cause"] for _, body in made.rows("reset_done")] == ["WASTE_FULL"] * 3
        assert len(made.rows("locked")) == 1

    scenario(play)


def test_a_lock_is_remembered_from_earlier_processes() -> None:
    async def play(made: Clinic) -> None:
        earlier = [PastReset("DWELL", made.now_s - back_s) for back_s in (900.0, 500.0, 400.0)]
        made.control.resets.remember(*earlier[:2])
        assert made.control.resets.declined is None
        made.control.resets.remember(*earlier)
        assert made.control.resets.cause == "DWELL"
        assert not made.control.resets.add("DWELL", made.now_s, 1)
        with pytest.raises(RefusedError, match="locked"):
            await made.treat()

    scenario(play)


# -- the wall clock --------------------------------------------------------------------------------
@pytest.mark.hazard("H31", shows="works")
def test_a_step_of_the_wall_clock_is_written_down_and_decides_nothing() -> None:
    async def play(made: Clinic) -> None:
        ahead_s = 0.0

        def wall_s() -> float:
            return made.rig.wall_clock() + ahead_s

        made.control._about = replace(made.control._about, here=Here(wall_s))
        await made.treat()
        await made.until("active")
        for step_s in (3600.0, -86_400.0, -86_400.0 + STEP_MIN_S / 2):
            ahead_s = step_s
            await asyncio.sleep(1.0)
            assert made.state in ("active", "paused")
        await made.until("completed")
        steps = [body["step_s"] for _, body in made.rows("clock_step")]
        assert steps == pytest.approx([3600.0, -90_000.0], abs=0.01)
        assert not made.rows("trip")

    scenario(play)


# -- what is looked at before anything moves -------------------------------------------------------
@pytest.mark.hazard("H28", "H30", shows="works")
@pytest.mark.parametrize(("fault", "code"), [("hopper-empty", "F04"), ("waste-full", "T03")])
def test_a_unit_that_lacks_something_is_not_even_configured(fault: str, code: str) -> None:
    async def play(made: Clinic) -> None:
        made.rig.handpiece.set_fault(fault)
        await asyncio.sleep(1.0)
        before = len(made.rig.events)
        await made.treat()
        await made.until("refused", within_s=2.0)
        assert code in made.codes()
        assert not made.valve_open_at_end()
        assert not [event for event in made.rig.events[before:] if event["kind"] == "mode"]

    scenario(play)


@pytest.mark.hazard("H08", "H01", shows="works")
def test_a_flow_sensor_that_stands_still_ends_the_treatment_within_its_budget() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        await asyncio.sleep(0.3)
        frozen_s = made.now_s
        made.rig.handpiece.set_fault("flow-frozen")
        await made.until("tripped", within_s=3.0)
        await asyncio.sleep(0.5)
        assert shut_at_s(made, frozen_s) - frozen_s <= 1.25
        assert set(made.codes()) & {"V03", "F01", "U06", "F02"}

    scenario(play)


def test_silence_is_not_for_somebody_who_is_elsewhere() -> None:
    async def play() -> str:
        async with service() as made:
            with pytest.raises(RefusedError) as caught:
                made.kernel.control.silence(FAR)
            return caught.value.code

    assert run_virtual(play()) == "not_local"
