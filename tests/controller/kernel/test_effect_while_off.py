"""A unit that does what nobody commands, before the first treatment and after the end of one."""

import asyncio

import pytest

from controller.safety.interlocks import VENT_GRACE_S
from controller.safety.off_watch import CALM_S
from controller.safety.refusal import RefusedError
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command
from firmware_protocol.vocabulary import Cause, Mode
from simulator.firmware import guards
from tests.controller.kernel.clinic import ANNA, Clinic, plan_of, scenario
from tests.controller.kernel.memory import Bench, bench
from tests.controller.kernel.test_control import bring_to

SEEN_S = VENT_GRACE_S + 0.2
"""From a unit that is off to the alarm: the grace, a frame and a look."""


async def stopped_on_the_skin(made: Clinic, *faults: str, command: Command = Command.STOP) -> None:
    """Stop a treatment with the tip pressed on, and wait for its end."""
    await bring_to(made, "active")
    made.rig.handpiece.hand.place()
    made.rig.handpiece.hand.press()
    await asyncio.sleep(1.0)
    for fault in faults:
        made.rig.handpiece.set_fault(fault)
    await made.ask(command)
    await made.until("stopped", within_s=6.0)


async def refused_start(made: Clinic) -> RefusedError:
    declined = made.control.may_begin(treatment_of(plan_of(budget_s=4.0)), ANNA)
    with pytest.raises(RefusedError) as caught:
        await made.treat(number=2)
    assert declined is not None
    assert declined.code == caught.value.code
    return caught.value


def alarm_rows(made: Clinic, code: str) -> tuple[int, int]:
    """Return how often the record says that an alarm came, and that it went."""
    came = [body for _, body in made.rows("alarm") if body["code"] == code]
    gone = [body for _, body in made.rows("alarm_gone") if body["code"] == code]
    return len(came), len(gone)


# -- suction that does not go ----------------------------------------------------------------------
@pytest.mark.hazard("H48", shows="works")
@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY])
def test_a_vent_that_sticks_is_told_after_the_end_until_the_tip_lets_go(command: Command) -> None:
    async def play(made: Clinic) -> None:
        await stopped_on_the_skin(made, "vent-stuck-shut", command=command)
        await made.wait_for(lambda: "V06" in made.codes(), SEEN_S)
        newest = made.client.newest
        assert newest is not None
        assert newest.mode is Mode.DISARMED
        assert (newest.suction_kpa or 0.0) > 6.0
        (alarm,) = [each for each in made.view.alarms if each.code == "V06"]
        assert alarm.priority == "high"
        assert "Break the seal at the rim" in alarm.next_step
        assert (await refused_start(made)).code == "effect_while_off"
        await asyncio.sleep(1.0)
        assert alarm_rows(made, "V06") == (1, 0)
        await made.ask(Command.ACK)
        assert (await refused_start(made)).code == "effect_while_off"
        made.rig.handpiece.hand.lift()
        await made.wait_for(lambda: "V06" not in made.codes(), CALM_S + 1.0)
        await asyncio.sleep(0.2)
        assert alarm_rows(made, "V06") == (1, 1)
        made.rig.handpiece.clear_fault("vent-stuck-shut")
        made.rig.handpiece.hand.auto()
        await made.treat(number=2)
        await made.until("completed")

    scenario(play)


@pytest.mark.hazard("H48")
def test_what_has_gone_by_itself_blocks_the_start_until_somebody_has_acknowledged_it() -> None:
    async def play(made: Clinic) -> None:
        await stopped_on_the_skin(made, "vent-stuck-shut")
        await made.wait_for(lambda: "V06" in made.codes(), SEEN_S)
        made.rig.handpiece.hand.lift()
        await asyncio.sleep(CALM_S + 1.0)
        assert made.codes() == ["V06"]
        assert alarm_rows(made, "V06") == (1, 1)
        assert (await refused_start(made)).code == "not_acknowledged"
        await made.ask(Command.ACK)
        assert made.codes() == []
        assert made.control.may_begin(treatment_of(plan_of(budget_s=4.0)), ANNA) is None

    scenario(play)


@pytest.mark.hazard("H48")
@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY])
def test_an_ordinary_vent_with_the_tip_held_on_raises_nothing(command: Command) -> None:
    async def play(made: Clinic) -> None:
        await stopped_on_the_skin(made, command=command)
        await asyncio.sleep(20.0)
        assert made.codes() == []
        assert made.control.may_begin(treatment_of(plan_of(budget_s=4.0)), ANNA) is None

    scenario(play)


@pytest.mark.hazard("H48")
def test_a_tip_that_is_pressed_on_with_the_pump_off_raises_nothing() -> None:
    async def play(made: Clinic) -> None:
        made.rig.handpiece.hand.place()
        made.rig.handpiece.hand.press()
        await asyncio.sleep(20.0)
        assert made.client.newest is not None
        assert made.client.newest.contact
        assert made.codes() == []
        assert made.rows("alarm") == []

    scenario(play)


@pytest.mark.hazard("H48", shows="works")
def test_a_pump_that_runs_on_while_nothing_was_ever_asked_for_is_told() -> None:
    async def play(made: Clinic) -> None:
        made.rig.handpiece.hand.place()
        made.rig.handpiece.set_fault("vent-stuck-shut")
        made.rig.handpiece.set_fault("pump-runaway")
        await made.wait_for(lambda: bool(made.codes()), 5.0)
        assert set(made.codes()) & {"V01", "V06"}
        assert not made.valve_open_at_end()

    scenario(play)


# -- crystals that flow ----------------------------------------------------------------------------
@pytest.mark.hazard("H05", shows="works")
@pytest.mark.parametrize("blind", [False, True], ids=["the unit trips", "the unit sees nothing"])
def test_a_valve_that_leaks_after_the_end_is_told_by_the_host_too(
    *, blind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(made: Clinic) -> None:
        await stopped_on_the_skin(made, "vent-stuck-shut")
        if blind:
            monkeypatch.setattr(guards, "_ROWS", dict.fromkeys(guards._ROWS, ()))
        made.rig.handpiece.set_fault("valve-leak")
        await made.wait_for(lambda: "F06" in made.codes(), 0.6)
        newest = made.client.newest
        assert newest is not None
        assert newest.mode is (Mode.DISARMED if blind else Mode.SAFE)
        assert made.view.alarms[0].priority == "high"
        assert (await refused_start(made)).code == "effect_while_off"
        await asyncio.sleep(0.5)
        assert alarm_rows(made, "F06") == (1, 0)

    scenario(play)


@pytest.mark.hazard("H05")
def test_a_valve_that_stands_open_before_the_first_treatment_is_told_once() -> None:
    async def play(one: Bench) -> None:
        await one.see_for(1.0, Mode.DISARMED)
        assert one.control.snapshot().alarms == ()
        await one.see_for(0.5, Mode.DISARMED, valve_percent=40.0, flow_g_per_min=3.0)
        await one.see_for(30.0, Mode.DISARMED, valve_percent=40.0, flow_g_per_min=3.0)
        (alarm,) = one.control.snapshot().alarms
        assert (alarm.code, alarm.priority) == ("F06", "high")
        assert one.memory.done.count(("note", "alarm")) == 1

    bench(play)


@pytest.mark.hazard("H05")
def test_a_trip_of_the_unit_keeps_its_alarm_until_the_reset_and_the_effect_until_it_is_calm() -> (
    None
):
    async def play(one: Bench) -> None:
        ajar = {"valve_percent": 40.0}
        await one.see_for(0.2, Mode.DISARMED)
        await one.see_for(1.0, Mode.SAFE, cause=Cause.VALVE_STUCK_OPEN, **ajar)
        await one.control.person(Command.ACK, ANNA)
        await one.see_for(CALM_S + 1.0, Mode.SAFE, cause=Cause.VALVE_STUCK_OPEN)
        assert [each.code for each in one.control.snapshot().alarms] == ["F06"]
        await one.see_for(0.1, Mode.DISARMED)
        assert one.control.snapshot().alarms == ()
        await one.see_for(1.0, Mode.SAFE, cause=Cause.VALVE_STUCK_OPEN, **ajar)
        await one.control.person(Command.ACK, ANNA)
        await one.see_for(1.0, Mode.DISARMED)
        assert [each.acknowledged for each in one.control.snapshot().alarms] == [True]
        await one.see_for(CALM_S, Mode.DISARMED)
        assert one.control.snapshot().alarms == ()
        assert one.memory.done.count(("note", "alarm")) == 2

    bench(play)


@pytest.mark.hazard("H48")
def test_a_start_is_not_held_up_by_what_the_last_treatment_left_within_the_grace() -> None:
    async def play(made: Clinic) -> None:
        await stopped_on_the_skin(made, command=Command.EMERGENCY)
        made.rig.handpiece.hand.auto()
        await made.treat(number=2)
        await made.until("completed")
        assert made.codes() == []

    scenario(play)
