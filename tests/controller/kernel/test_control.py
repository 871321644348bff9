"""The control loop against the simulated handpiece, in virtual time and over real bytes."""

import asyncio
import json
from dataclasses import replace

import pytest

from controller.planning.plan import Plan
from controller.safety.refusal import RefusedError
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command
from firmware_protocol.vocabulary import Mode
from qa.rig import RigSpec
from simulator.firmware.channel_b import ChannelB
from tests.controller.kernel.clinic import ANNA, FAR, Clinic, plan_of, scenario


def shut_at_s(made: Clinic, after_s: float) -> float:
    """Return when the valve was last seen to shut after ``after_s``; it must be shut now."""
    valve = [event for event in made.events("valve") if event["t_s"] >= after_s]
    assert not made.valve_open_at_end()
    return max((event["t_s"] for event in valve if event["open_percent"] <= 1.0), default=after_s)


async def bring_to(made: Clinic, state: str, plan: Plan | None = None) -> None:
    """Bring a treatment into ``state`` with the hand that the rig has."""
    await made.treat(plan or plan_of(budget_s=60.0))
    if state == "preparing":
        await asyncio.sleep(0.3)
    elif state == "paused":
        await made.until("active")
        await asyncio.sleep(1.0)
        made.rig.handpiece.hand.release()
        await made.until("paused")
    else:
        await made.until(state)
        if state == "active":
            await made.wait_for(lambda: made.rig.flows)
    assert made.state == state


# -- the way of a treatment ------------------------------------------------------------------------
def test_a_treatment_runs_zone_by_zone_to_its_end_without_arming_twice() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.until("completed")
        await made.wait_for(lambda: made.control.idle)
        view = made.view.treatment
        assert view is not None
        assert view.outcome == "completed"
        assert [zone.state for zone in view.zones] == ["done", "done"]
        for zone in view.zones:
            assert zone.contact_s == pytest.approx(4.0, abs=0.1)
            assert zone.grams == pytest.approx(1.0 / 60.0 * 4.0, rel=0.15)
            assert 0.0 < zone.nominal_um < zone.bound_um < zone.cap_um
        assert made.kinds().count("arm") == 1
        modes = [event["mode"] for event in made.events("mode")]
        assert modes[-1] == "DISARMED"
        assert not made.events("trip")
        assert made.view.alarms == ()
        assert made.view.time_to_safe_ms is not None
        assert made.view.time_to_safe_ms <= 100.0

    scenario(play)


def test_between_zones_the_tip_is_lifted_and_the_switch_pressed_anew() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.until("completed")
        shut, opened = 0.0, 0.0
        for event in made.rig.events:
            if event["kind"] == "mode" and event["mode"] == "PAUSED":
                shut = float(event["t_s"])  # type: ignore[arg-type]  # a number
            if event["kind"] == "mode" and event["mode"] == "ACTIVE" and shut:
                opened = float(event["t_s"])  # type: ignore[arg-type]  # a number
                break
        contacts = [e for e in made.events("contact") if shut <= e["t_s"] <= opened]
        presses = [e for e in made.events("switch") if shut <= e["t_s"] <= opened]
        assert {"on": False}.items() <= contacts[0].items()
        assert [event["pressed"] for event in presses][-2:] == [False, True]

    scenario(play)


def test_what_permits_is_durable_before_the_unit_hears_of_it() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        seen: list[tuple[str, int]] = []
        for _ in range(300):
            await asyncio.sleep(0.01)
            kinds = made.kinds()
            mode = made.rig.handpiece.firmware.board.mode
            seen.append((mode.name, kinds.count("arm")))
        assert all(rows for mode, rows in seen if mode in ("ARMED", "ACTIVE"))
        order = [kind for kind in made.kinds() if kind in ("begin", "arm")]
        assert order == ["begin", "arm"]
        await made.ask(Command.STOP)
        await made.wait_for(lambda: made.control.idle)

    scenario(play)


def test_the_second_treatment_on_the_same_kernel_runs_as_the_first() -> None:
    async def play(made: Clinic) -> None:
        for number in (1, 2):
            await made.treat(number=number)
            await made.until("completed")
            await made.wait_for(lambda: made.control.idle)
        assert made.kinds().count("ended") == 2

    scenario(play)


def test_the_same_seed_gives_the_same_bytes() -> None:
    async def play(made: Clinic) -> str:
        await made.treat()
        await made.until("completed")
        return made.rig.trace_sha256()

    assert scenario(play) == scenario(play)
    assert scenario(play) != scenario(play, RigSpec(seed=2))


@pytest.mark.parametrize("hand", ["average", "careful", "slow", "hurried"])
def test_no_ordinary_hand_is_stopped(hand: str) -> None:
    async def play(made: Clinic) -> None:
        await made.treat(plan_of(budget_s=10.0))
        await made.wait_for(lambda: made.control.idle)
        assert made.state == "completed"
        assert not [row for row in made.kinds() if row == "trip"]

    for seed in (1, 2):
        scenario(play, RigSpec(seed=seed, hand=hand))


@pytest.mark.hazard("H22")
def test_nobody_there_means_no_crystals_and_an_orderly_end() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.wait_for(lambda: made.control.idle)
        assert made.state == "stopped"
        assert made.codes() == ["H06"]
        assert made.events("valve") == []
        assert made.kinds().count("arm") == 6

    scenario(play, RigSpec(hand="absent"))


@pytest.mark.parametrize("program", ["patch-test", "body-smooth"])
def test_other_programs_run_too(program: str) -> None:
    async def play(made: Clinic) -> None:
        await made.treat(plan_of(program, budget_s=3.0))
        await made.wait_for(lambda: made.control.idle)
        assert made.state == "completed"

    scenario(play)


@pytest.mark.hazard("H10")
def test_the_lease_of_the_unit_is_measured_before_every_arming() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.wait_for(lambda: made.control.idle)
        proofs = [body["took_ms"] for _, body in made.rows("lease_proof")]
        assert len(proofs) == made.kinds().count("arm") == 6
        assert all(200.0 <= took_ms <= 250.0 for took_ms in proofs)
        assert made.events("valve") == []

    scenario(play, RigSpec(hand="absent"))


@pytest.mark.hazard("H10", shows="works")
@pytest.mark.parametrize("worn", [False, True])
def test_channel_b_is_seen_to_drop_its_own_lease_where_the_switch_is_pressed_in_the_proof(
    monkeypatch: pytest.MonkeyPatch, *, worn: bool
) -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        device = made.rig.handpiece
        await made.wait_for(lambda: device.firmware.mode is Mode.READY)
        device.hand.press()
        await made.wait_for(lambda: bool(made.rows("lease_proof")) or made.control.idle, 5.0)
        proofs = [body["channel_b"] for _, body in made.rows("lease_proof")]
        assert proofs == ([] if worn else [True])
        assert made.codes() == (["U12"] if worn else [])
        device.hand.release()
        await made.ask(Command.STOP)
        await made.wait_for(lambda: made.control.idle)

    if worn:
        monkeypatch.setattr(ChannelB, "renewed", _for_ever)
    scenario(play)


def _for_ever(channel: ChannelB, _lease_ms: int) -> None:
    """Take notice of a setpoint as a channel whose lease timer does not run."""
    channel._lease_left_ms = 10**9


# -- people ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H10")
@pytest.mark.parametrize("who", [ANNA, FAR], ids=["here", "from afar"])
@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY])
@pytest.mark.parametrize("state", ["preparing", "armed", "active", "paused"])
def test_stop_shuts_the_valve_and_disarms_from_every_state(
    state: str, command: Command, who: object
) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, state)
        asked_s = made.now_s
        await made.control.person(command, ANNA if who is ANNA else FAR)
        await made.wait_for(lambda: made.control.idle, 6.0)
        assert made.state == "stopped"
        assert shut_at_s(made, asked_s) - asked_s <= 0.1
        assert made.rig.handpiece.firmware.board.mode is Mode.DISARMED
        if command is Command.EMERGENCY:
            assert made.now_s - asked_s <= 0.5
        report = made.rows("stop_report")[-1][1]
        assert report["confirmed"]

    scenario(play)


def test_stop_without_a_treatment_is_written_too() -> None:
    async def play(made: Clinic) -> None:
        made.control.stop_now(FAR, emergency=True)
        await asyncio.sleep(0.2)
        await made.ask(Command.STOP)
        await asyncio.sleep(0.2)
        assert [event["stop_kind"] for event in made.events("stop")][:1] == ["EMERGENCY"]
        assert made.kinds().count("stop") == 2

    scenario(play)


def test_stop_is_valid_after_the_end() -> None:
    async def play(made: Clinic) -> None:
        await made.treat()
        await made.until("completed")
        await made.wait_for(lambda: made.control.idle)
        stops = len(made.events("stop"))
        await made.ask(Command.STOP)
        await asyncio.sleep(0.1)
        assert len(made.events("stop")) > stops
        assert made.state == "completed"

    scenario(play)


def test_pause_shuts_and_resume_needs_a_fresh_press() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        hand = made.rig.handpiece.hand
        hand.place()
        hand.press()
        await made.control.person(Command.PAUSE, FAR)
        asked_s = made.now_s
        await made.until("paused")
        await asyncio.sleep(0.3)
        assert shut_at_s(made, asked_s) - asked_s <= 0.1
        with pytest.raises(RefusedError, match="at the unit"):
            await made.control.person(Command.RESUME, FAR)
        await made.ask(Command.RESUME)
        await asyncio.sleep(1.0)
        assert made.state == "paused"
        hand.release()
        await asyncio.sleep(0.2)
        hand.press()
        await made.until("active", within_s=1.0)
        hand.auto()
        await made.ask(Command.STOP)
        await made.wait_for(lambda: made.control.idle)

    scenario(play)


def test_lowered_settings_reach_the_unit_and_are_told() -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active", plan_of(budget_s=60.0, flow_g_per_min=7.0))
        await made.control.person(Command.LOWER, FAR, suction_kpa=18.0, flow_g_per_min=4.0)
        await asyncio.sleep(0.3)
        newest = made.client.newest
        assert newest is not None
        assert newest.set_suction_kpa <= 18.0
        assert newest.set_flow_g_per_min <= 4.0
        assert {receipt.quantity for receipt in made.view.receipts} >= {
            "suction_kpa", "flow_g_per_min",
        }  # fmt: skip
        with pytest.raises(RefusedError, match="only go down"):
            await made.ask(Command.LOWER, suction_kpa=19.0)
        await asyncio.sleep(6.0)
        assert made.state in ("active", "paused")
        await made.ask(Command.STOP)
        await made.wait_for(lambda: made.control.idle)

    scenario(play)


# -- who may begin ---------------------------------------------------------------------------------
def test_a_treatment_is_not_begun_where_it_must_not_be() -> None:
    async def play(made: Clinic) -> None:
        plan = plan_of(budget_s=4.0)

        async def code(asked: object = plan, who: object = ANNA) -> str:
            with pytest.raises(RefusedError) as caught:
                await made.control.begin(treatment_of(asked), who, 9)  # type: ignore[arg-type]  # a plan
            return caught.value.code

        assert await code(who=FAR) == "not_local"
        assert await code(replace(plan, unit_serial=7)) == "wrong_unit"
        assert await code(replace(plan, simulated=False)) == "wrong_unit"
        await made.treat(plan)
        assert await code() == "busy"
        made.rig.wire.unplug()
        await made.until("refused")
        await made.wait_for(lambda: made.control.idle)
        assert await code() == "no_unit"
        assert made.control.may_begin(treatment_of(plan), ANNA) is not None
        with pytest.raises(RefusedError, match="over"):
            await made.ask(Command.PAUSE)

    scenario(play)


# -- what is shown ---------------------------------------------------------------------------------
def test_the_snapshot_is_plain_json_in_every_state() -> None:
    async def play(made: Clinic) -> None:
        idle = made.view.as_dict()
        assert (idle["state"], idle["treatment"]) == ("idle", None)
        assert idle["unit"] == {
            "serial": 1001, "firmware": "1.0", "simulated": True, "motion_sensor": True
        }  # fmt: skip
        await made.treat()
        shown = set()
        while not made.control.idle:
            await asyncio.sleep(0.1)
            said = made.view.as_dict()
            json.dumps(said, allow_nan=False)
            shown.add(said["state"])
            assert said["treatment"]["simulated"] is True
        assert {"preparing", "active", "stopping", "completed"} <= shown
        assert made.view.record.rows > 10
        live = made.view.live
        assert live is not None
        assert live.age_ms <= 30.0

    scenario(play)
