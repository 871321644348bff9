"""What goes wrong between loop, line and device; the device's own events are the witness."""

import asyncio
from functools import partial

import pytest

from controller.safety.refusal import RefusedError
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command
from firmware_protocol.envelope import BUDGET_FLOW_S
from firmware_protocol.vocabulary import Mode
from qa.rig import RigSpec
from simulator.line import Weather
from tests.controller.kernel.clinic import ANNA, Clinic, plan_of, scenario
from tests.controller.kernel.test_control import bring_to, shut_at_s

LEASE_AND_MARGIN_S = 0.25
LIVE = ["armed", "active", "paused"]
BUDGETS_S = {
    "clog": 1.1,
    "hopper-empty": 1.1,
    "hose-off": 3.1,
    "filter-loaded": 1.1,
    "waste-full": 1.1,
    "overheat": 1.1,
    "suction-a-frozen": 0.6,
    "suction-a-offset": 0.4,
}
works = partial(pytest.mark.hazard, shows="works")


async def declined(made: Clinic, command: Command) -> str:
    with pytest.raises(RefusedError) as caught:
        await made.ask(command)
    return caught.value.code


async def leave_the_trip(made: Clinic) -> None:
    made.rig.handpiece.hand.release()
    await asyncio.sleep(0.3)
    assert await declined(made, Command.RESET) == "not_acknowledged"
    await made.ask(Command.ACK)
    await made.ask(Command.RESET)
    assert made.state == "cleared"
    assert made.rig.handpiece.firmware.board.mode is Mode.DISARMED
    assert made.codes() == []


# -- the line --------------------------------------------------------------------------------------
@pytest.mark.hazard("H10", shows="works")
@pytest.mark.parametrize("state", LIVE)
def test_a_line_that_goes_silent_is_safe_on_both_ends(state: str) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, state)
        silent_s = made.now_s
        made.rig.device.silent = True
        await made.until("tripped", within_s=0.3)
        await asyncio.sleep(1.0)
        assert shut_at_s(made, silent_s) - silent_s <= LEASE_AND_MARGIN_S
        assert made.rig.handpiece.firmware.board.mode is Mode.SAFE
        assert made.codes() == ["C01"]
        assert await declined(made, Command.RESET) == "not_acknowledged"
        await made.ask(Command.ACK)
        assert await declined(made, Command.RESET) == "no_link"
        view = made.view.treatment
        assert view is not None
        await made.wait_for(lambda: made.control.idle, 3.0)
        assert made.rows("ended")[-1][1]["time_to_safe_ms"] is None

    scenario(play)


@pytest.mark.hazard("H44", shows="works")
@pytest.mark.parametrize("state", LIVE)
def test_after_an_unplugged_line_comes_back_nothing_resumes_by_itself(state: str) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, state)
        out_s = made.now_s
        made.rig.wire.unplug()
        await made.until("tripped", within_s=0.1)
        await asyncio.sleep(0.5)
        assert shut_at_s(made, out_s) - out_s <= LEASE_AND_MARGIN_S
        made.rig.wire.plug()
        await made.wait_for(lambda: made.view.link.state == "identified", 10.0)
        await asyncio.sleep(5.0)
        assert made.state == "tripped"
        assert not made.valve_open_at_end()
        await leave_the_trip(made)
        made.rig.handpiece.hand.auto()
        await made.treat(number=2)
        await made.until("completed")

    scenario(play)


@pytest.mark.hazard("H12")
def test_the_time_that_nobody_watched_is_charged() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        before = made.view.treatment
        made.rig.wire.unplug()
        await made.until("tripped")
        after = made.view.treatment
        assert before is not None
        assert after is not None
        added_s = after.zones[0].contact_s - before.zones[0].contact_s
        assert LEASE_AND_MARGIN_S <= added_s <= LEASE_AND_MARGIN_S + 0.05

    scenario(play)


@pytest.mark.hazard("H11")
def test_a_noisy_line_trips_by_its_limiter_on_one_of_the_ends() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        made.rig.device.set_weather(Weather(flip_rate=0.01))
        await made.until("tripped", within_s=30.0)
        await asyncio.sleep(0.5)
        assert set(made.codes()) & {"C01", "C02"}
        assert not made.valve_open_at_end()

    scenario(play)


def test_a_line_that_loses_a_frame_in_a_hundred_disturbs_nothing() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.wait_for(lambda: made.control.idle)
        assert made.state == "completed"

    scenario(play, RigSpec(seed=3, weather=Weather(delay_s=0.003, jitter_s=0.004, loss=0.01)))


@pytest.mark.hazard("H10", shows="works")
def test_an_idle_unit_whose_line_is_taken_away_is_shown_as_lost_since_when_and_why() -> None:
    async def play(made: Clinic) -> None:
        await asyncio.sleep(0.5)
        here = made.view
        assert (here.link.state, here.link.trouble) == ("identified", None)
        assert here.link.age_ms is not None
        assert here.link.age_ms <= 25.0
        made.rig.device.silent = True
        await asyncio.sleep(3.0)
        gone = made.view
        assert gone.link.state != "identified"
        assert gone.live is None
        assert gone.link.age_ms == pytest.approx(3000.0, abs=30.0)
        assert gone.link.trouble
        assert gone.link.next_step
        made.rig.device.silent = False
        await made.wait_for(lambda: made.view.link.state == "identified", 10.0)
        assert made.view.link.trouble is None

    scenario(play)


@pytest.mark.hazard("H10", shows="works")
def test_a_treatment_over_a_line_that_carries_only_noise_is_safe_and_the_unit_is_found_again() -> (
    None
):
    async def hum(made: Clinic) -> None:
        while True:
            await asyncio.sleep(0.05)
            made.rig.wire._send_up(b"\x55")

    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        made.rig.device.silent = True
        humming = asyncio.create_task(hum(made), name="hum")
        await made.until("tripped", within_s=0.3)
        await made.wait_for(lambda: made.view.link.state != "identified", 2.0)
        made.rig.device.silent = False
        await made.wait_for(lambda: made.view.link.state == "identified", 10.0)
        assert made.state == "tripped"
        humming.cancel()

    scenario(play)


# -- the control loop itself -----------------------------------------------------------------------
@pytest.mark.hazard("H13", shows="works")
def test_a_loop_that_decides_nothing_any_more_renews_no_lease() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        loop_task = next(t for t in asyncio.all_tasks() if t.get_name() == "control-loop")
        dead_s = made.now_s
        loop_task.cancel()
        await made.until("tripped", within_s=0.2)  # what is read notices it, before the lease does
        assert made.codes() == ["C06"]
        await asyncio.sleep(1.0)
        assert shut_at_s(made, dead_s) - dead_s <= LEASE_AND_MARGIN_S
        assert made.rig.handpiece.firmware.board.mode is Mode.DISARMED

    scenario(play)


@pytest.mark.hazard("H12", shows="works")
@pytest.mark.parametrize("state", LIVE)
def test_a_control_that_is_cancelled_writes_stop_on_its_way_out(state: str) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, state)
        ended_s = made.now_s
        next(t for t in asyncio.all_tasks() if t.get_name() == "control").cancel()
        await asyncio.sleep(0.3)
        assert shut_at_s(made, ended_s) - ended_s <= 0.1
        assert made.rig.handpiece.firmware.board.mode is Mode.DISARMED
        assert made.events("stop")[-1]["stop_kind"] == "EMERGENCY"

    scenario(play)


def test_beats_keep_to_their_grid() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.until("completed")
        assert made.control.timing.beats_missed == 0
        assert made.control.timing.late_max_s <= 0.001

    scenario(play)


# -- trips of the device ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        pytest.param("valve-leak", "U06", marks=works("H05")),
        pytest.param("flow-runaway", "U06", marks=works("H01")),
        pytest.param("pump-runaway", "V01", marks=works("H03")),
        pytest.param("hose-off", "V02", marks=works("H04")),
        pytest.param("clog", "F01", marks=works("H06")),
        pytest.param("hopper-empty", "F03", marks=works("H30")),
        pytest.param("waste-full", "T01", marks=works("H28")),
        pytest.param("filter-loaded", "T02", marks=works("H29")),
        pytest.param("suction-a-frozen", "V03 V04", marks=works("H08")),
        pytest.param("suction-a-offset", "V04", marks=works("H07")),
        pytest.param("suction-a-disconnected", "V05", marks=works("H09")),
        pytest.param("brown-out", "U01", marks=works("H17")),
        pytest.param("overheat", "U02", marks=works("H45")),
    ],
)
def test_a_fault_of_the_unit_ends_as_a_trip_in_words(fault: str, codes: str) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        made.rig.handpiece.set_fault(fault)
        await made.until("tripped", within_s=10.0)
        await made.wait_for(lambda: made.control.idle, 3.0)
        assert set(codes.split()) & set(made.codes())
        # The device's own record: from the cause to a valve that is shut, or carries nothing.
        safe = made.events("safe")[-1]
        assert safe["took_s"] <= BUDGETS_S.get(fault, BUDGET_FLOW_S)
        assert not [alarm for alarm in made.view.alarms if alarm.code == "U07"]
        view = made.view.treatment
        assert view is not None
        assert view.outcome == "tripped"
        assert made.kinds().count("trip") == 1

    scenario(play)


@pytest.mark.hazard("H05", shows="works")
def test_a_leak_that_is_no_excess_is_told_when_the_valve_shuts() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active", plan_of(budget_s=60.0, flow_g_per_min=7.0))
        made.rig.handpiece.set_fault("valve-leak")
        await made.until("tripped", within_s=10.0)
        await made.wait_for(lambda: made.control.idle, 3.0)
        assert {"F05", "F06"} & set(made.codes())

    scenario(play)


@pytest.mark.hazard("H05")
def test_a_valve_that_cannot_shut_is_shouted_about() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        made.rig.handpiece.set_fault("valve-stuck-open")
        await made.until("tripped", within_s=10.0)
        await asyncio.sleep(2.5)
        assert made.view.alarms[0].priority == "high"
        assert made.control.idle

    scenario(play)


@pytest.mark.hazard("H18")
def test_a_trip_is_left_by_cause_gone_acknowledge_and_reset() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        made.rig.handpiece.set_fault("waste-full")
        await made.until("tripped", within_s=5.0)
        made.rig.handpiece.hand.release()
        await asyncio.sleep(0.3)
        assert await declined(made, Command.PAUSE) == "trip_stands"
        with pytest.raises(RefusedError, match="A safety trip is latched"):
            await made.treat(number=2)
        await made.ask(Command.ACK)
        with pytest.raises(RefusedError, match="still there"):
            await made.ask(Command.RESET)
        assert made.state == "tripped"
        made.rig.handpiece.clear_fault("waste-full")
        await asyncio.sleep(0.3)
        await made.ask(Command.RESET)
        assert made.state == "cleared"
        assert made.rig.handpiece.firmware.board.mode is Mode.DISARMED
        assert made.kinds().count("ended") == 1
        rows = [kind for kind in made.kinds() if kind in ("trip", "ack", "reset")]
        assert rows == ["trip", "ack", "reset", "reset"]

    scenario(play)


# -- trips without a treatment ---------------------------------------------------------------------
def test_a_trip_of_an_idle_unit_is_shown_and_can_be_reset() -> None:
    async def play(made: Clinic) -> None:
        await asyncio.sleep(0.2)
        assert await declined(made, Command.RESET) == "no_trip"
        made.rig.handpiece.set_fault("brown-out")
        await made.wait_for(lambda: made.codes() == ["U01"], 2.0)
        await made.control.begin(treatment_of(plan_of(budget_s=4.0)), ANNA, 1)
        await made.until("refused", within_s=1.0)
        assert await declined(made, Command.RESET) == "not_acknowledged"
        await made.ask(Command.ACK)
        assert await declined(made, Command.RESET) == "not_reset"
        made.rig.handpiece.clear_fault("brown-out")
        await asyncio.sleep(0.3)
        await made.ask(Command.RESET)
        await made.wait_for(lambda: made.codes() == [], 1.0)
        await made.treat(number=2)
        await made.until("completed")

    scenario(play)


def test_a_unit_that_is_not_heard_cannot_be_reset() -> None:
    async def play(made: Clinic) -> None:
        made.rig.wire.unplug()
        await asyncio.sleep(0.1)
        assert await declined(made, Command.RESET) == "no_link"

    scenario(play)
