"""Kernel, line and handpiece together, and whatever hypothesis thinks of to do to them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from controller.record.chain import FIELDS, chained
from controller.record.verify import Trail
from firmware_protocol.vocabulary import Cause
from qa.promise.rig import Promise
from qa.promise.watch import Limits
from simulator.firmware.guards import Guards
from simulator.line import Weather
from simulator.plant.faults import FAULTS
from tests.qa.pair import CALM, Pair

LOCAL = {"name": "qa", "role": "practitioner", "origin": "local"}
SERVICE = {"name": "tom", "role": "technician", "origin": "local"}
REMOTE = {"name": "far", "role": "technician", "origin": "remote"}
NOBODY = {"name": "", "role": "viewer", "origin": "remote"}

WEATHERS = {
    "calm": CALM,
    "lossy": Weather(loss=0.1, delay_s=0.003),
    "noisy": Weather(flip_rate=0.0005, delay_s=0.003),
    "slow": Weather(delay_s=0.06, jitter_s=0.04),
    "late": Weather(delay_s=0.2, jitter_s=0.05),
    "twice": Weather(duplicate=0.5, delay_s=0.003),
    "overtaking": Weather(reorder=0.3, delay_s=0.005),
    "storm": Weather(
        loss=0.05, flip_rate=0.002, delay_s=0.02, jitter_s=0.03, duplicate=0.2, reorder=0.2
    ),
}  # fmt: skip
REFRESH = Limits(suction_max_pa=28_000, flow_max_mg_per_min=7_000)
"""Of the program refresh, which is all that is treated here."""
HAND = ("press", "release", "place", "lift", "hold_still", "auto")
PROFILE = settings()
DEEP = PROFILE.max_examples >= 1000
FLOWS_WITHIN_S = 12.0
FOUND_WITHIN_S = 12.0
LONG_ENOUGH_TO_FLOW_S = 5.0


class PairMachine(RuleBasedStateMachine):
    """One power-on of a unit, and all that can happen to it in one session of a clinic."""

    promise: Promise

    @initialize(seed=st.integers(0, 2**16), flowing=st.sampled_from((True, True, True, False)))
    def switch_on(self, seed: int, flowing: bool) -> None:  # noqa: FBT001 - hypothesis calls it
        self.promise = Promise(self._fail, REFRESH)
        self.pair = self.promise.scene = Pair(seed, self.promise.look, self.promise.happened)
        self.pair.start()
        self.pair.run(1.0)
        if flowing:
            self.treat()
            flows = self.pair.until(self._flows, FLOWS_WITHIN_S)
            assert flows, self.promise.say("no crystals on a calm line")

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            try:
                self._look_at_record()
            finally:
                self.pair.close()

    # -- time and people ---------------------------------------------------------------------------
    @rule(seconds=st.sampled_from((0.05, 0.2, 0.5, 1.0, 3.0)))
    def wait(self, seconds: float) -> None:
        self.pair.run(seconds)
        self._look_at_kernel()

    @rule(zones=st.sampled_from((["nose"], ["chin"], ["nose", "chin"])))
    def treat(self, zones: tuple[str, ...] = ("nose",)) -> None:
        if self._asks("treat", LOCAL, program="refresh", client="demo", zones=list(zones)):
            self.promise.permit()
        self.pair.run(0.1)

    @rule(who=st.sampled_from((REMOTE, NOBODY)), do=st.sampled_from(("treat", "resume", "reset")))
    def somebody_far_away_wants_to_start(self, who: dict[str, str], do: str) -> None:
        args: dict[str, Any] = {"program": "refresh", "client": "demo"} if do == "treat" else {}
        idle = not self.promise.allowed
        self._asks(do, who, **args)
        self.pair.run(LONG_ENOUGH_TO_FLOW_S if idle else 0.05)

    @rule(who=st.sampled_from((LOCAL, REMOTE, NOBODY)), emergency=st.booleans())
    def stop(self, who: dict[str, str], emergency: bool) -> None:  # noqa: FBT001 - as above
        if self._asks("stop", who, emergency=emergency):
            self.promise.revoke()
        self.pair.run(0.05)

    @rule(who=st.sampled_from((LOCAL, REMOTE)))
    def pause(self, who: dict[str, str]) -> None:
        snapshot = self._snapshot()
        if self._asks("pause", who) and snapshot is not None and snapshot["state"] == "active":
            self.promise.hold()
        self.pair.run(0.05)

    @rule()
    def resume(self) -> None:
        if self._asks("resume", LOCAL):
            self.promise.resume()
        self.pair.run(0.05)

    @rule(suction_kpa=st.sampled_from((12.0, 20.0, 28.0, 40.0)))
    def lower(self, suction_kpa: float) -> None:
        self._asks("lower", LOCAL, suction_kpa=suction_kpa)
        self.pair.run(0.05)

    @rule()
    def acknowledge_and_reset(self) -> None:
        self._asks("ack", LOCAL)
        self.pair.run(0.1)
        if self._asks("reset", LOCAL):
            self.promise.resets_asked += 1
        self.pair.run(0.5)

    @rule(action=st.sampled_from(HAND), seconds=st.sampled_from((0.02, 0.1, 0.6, 2.5)))
    def move_the_hand(self, action: str, seconds: float) -> None:
        getattr(self.pair.handpiece.hand, action)()
        self.pair.run(seconds)

    # -- what breaks -------------------------------------------------------------------------------
    @rule(name=st.sampled_from(sorted(FAULTS)), seconds=st.sampled_from((0.05, 0.3, 1.5)))
    def break_one_thing(self, name: str, seconds: float) -> None:
        self.promise.set_fault(name)
        self.pair.run(seconds)

    @rule()
    def mend_it(self) -> None:
        self.promise.clear_fault()
        self.pair.run(0.1)

    @rule(down=st.sampled_from(sorted(WEATHERS)), up=st.sampled_from(sorted(WEATHERS)))
    def change_the_weather(self, down: str, up: str) -> None:
        self.pair.down.weather, self.pair.up.weather = WEATHERS[down], WEATHERS[up]
        self.pair.run(0.5)

    @rule(down=st.booleans(), up=st.booleans(), seconds=st.sampled_from((0.1, 0.3, 1.2)))
    def fall_silent(self, down: bool, up: bool, seconds: float) -> None:  # noqa: FBT001 - as above
        self.pair.down.silent, self.pair.up.silent = down, up
        self.pair.run(seconds)
        self.pair.down.silent = self.pair.up.silent = False

    @rule(seconds=st.sampled_from((0.0, 0.1, 0.5, 2.0)))
    def unplug_and_plug(self, seconds: float) -> None:
        self.promise.revoke()
        self.pair.unplug()
        self.pair.run(seconds)
        self.pair.plugged = True
        self.pair.run(0.1)

    @rule(seconds=st.sampled_from((0.0, 0.1, 1.0)))
    def kill_the_kernel_and_start_another(self, seconds: float) -> None:
        self.promise.revoke()
        self.pair.kill()
        self.pair.run(seconds)
        self.pair.start()
        self.pair.run(0.5)

    @precondition(lambda self: self.pair.process is not None)
    @rule(seconds=st.sampled_from((0.05, 0.15, 0.3, 1.0, 3.0)))
    def freeze_the_kernel(self, seconds: float) -> None:
        process = self.pair.process
        assert process is not None
        process.frozen = True
        self.pair.run(seconds)
        process.frozen = False
        self.pair.run(0.1)

    @rule(newest=st.integers(1, 400), count=st.integers(1, 40))
    def play_the_past_back(self, newest: int, count: int) -> None:
        for data in list(self.pair.recorded)[-newest:][:count]:
            self.pair.arrive(data)
            self.pair.run(0.005)

    # -- and that it can be mended -----------------------------------------------------------------
    @precondition(lambda self: self.pair.now_s > 5.0)
    @rule()
    def mend_everything_and_treat_again(self) -> None:
        pair, promise = self.pair, self.promise
        promise.clear_fault()
        pair.plugged = True
        pair.down.weather = pair.up.weather = CALM
        pair.handpiece.hand.auto()
        promise.revoke()
        pair.kill()
        pair.run(2.0)
        pair.start()
        found = pair.until(lambda: self._link() == "identified", FOUND_WITHIN_S)
        assert found, promise.say(f"the unit is not found again: {self._snapshot()}")
        pair.run(0.2)
        board = pair.handpiece.firmware.board
        if board.locked or board.cause is Cause.RESET_STORM:
            return  # three resets of one cause, or restarts all the time: it asks for service
        self._call_service()
        self.acknowledge_and_reset()
        self._call_service()
        self.treat()
        flows = pair.until(self._flows, FLOWS_WITHIN_S)
        assert flows, promise.say(f"no treatment any more: {self._why_not()}")

    def _call_service(self) -> None:
        """Take the host's lock off, which outlives its kernels; refused where there is none."""
        self._asks("unlock", SERVICE, reason="mended")
        self.pair.run(0.1)

    # -- inside ------------------------------------------------------------------------------------
    def _fail(self, rule: str, how: str) -> None:
        raise AssertionError(self.promise.say(f"{rule} {how}"))

    def _asks(self, do: str, who: dict[str, str], **args: object) -> bool:
        """Ask, and return whether there is a kernel that can hear."""
        process = self.pair.process
        if process is None or process.kernel is None:
            return False
        process.ask(do, who, **args)
        return True

    def _snapshot(self) -> dict[str, Any] | None:
        return None if self.pair.process is None else self.pair.process.snapshot()

    def _link(self) -> str:
        snapshot = self._snapshot()
        return "" if snapshot is None else str(snapshot["link"]["state"])

    def _flows(self) -> bool:
        return self.pair.handpiece.plant.truth.valve_open > 0.1

    def _why_not(self) -> str:
        process = self.pair.process
        refusals = [] if process is None else [(do, str(said)) for do, said in process.refusals]
        return f"{refusals[-3:]} {self._snapshot()}"

    def _look_at_kernel(self) -> None:
        """What the kernel shows is within what it planned."""
        snapshot = self._snapshot()
        treatment = None if snapshot is None else snapshot["treatment"]
        for zone in () if treatment is None else treatment["zones"]:
            assert zone["bound_um"] <= zone["cap_um"] * 1.05, self.promise.say(
                f"over the cap {zone}"
            )
            assert zone["contact_s"] <= zone["budget_s"] + 0.5, self.promise.say(f"too long {zone}")

    def _look_at_record(self) -> None:
        """The record is one whole chain, whoever wrote it and however they died."""
        connection = self.pair.store.connection()
        trail = Trail()
        rows = connection.execute(f"SELECT {FIELDS} FROM journal ORDER BY id")  # noqa: S608
        trail.follow(chained(*row) for row in rows)
        trail.end(*connection.execute("SELECT id, hash FROM head").fetchone())
        assert not trail.breaks


def _leaks_before_the_tip_comes_back() -> PairMachine:
    machine = PairMachine()
    machine.switch_on(seed=104, flowing=True)
    machine.wait(0.15)
    machine.break_one_thing("pump-strong", 1.5)
    machine.wait(1.0)  # off the skin for 255 ms, and just about to come back
    machine.promise.set_fault("valve-leak")
    return machine


def _leaks_unseen_until_the_tip_comes_back() -> PairMachine:
    machine = PairMachine()
    machine.switch_on(seed=6, flowing=True)
    machine.move_the_hand("lift", 0.02)
    machine.break_one_thing("valve-leak", 0.65)  # without suction next to nothing comes
    machine.pair.handpiece.hand.place()
    return machine


def _leaks_into_the_purge_of_an_orderly_end() -> PairMachine:
    machine = PairMachine()
    machine.switch_on(seed=0, flowing=True)
    machine.wait(0.2)
    machine.break_one_thing("valve-leak", 0.05)
    machine.stop(LOCAL, emergency=False)
    return machine


@pytest.mark.hazard("H05")
@pytest.mark.parametrize(
    "leaks",
    [
        _leaks_before_the_tip_comes_back,
        _leaks_unseen_until_the_tip_comes_back,
        _leaks_into_the_purge_of_an_orderly_end,
    ],
)
def test_a_valve_that_leaks_has_its_budget_from_when_crystals_come_and_then_trips(
    leaks: Callable[[], PairMachine],
) -> None:
    machine = leaks()
    machine.wait(0.5)
    assert machine.pair.handpiece.firmware.board.cause is Cause.VALVE_STUCK_OPEN
    machine.teardown()


@pytest.mark.hazard("H05")
def test_a_leak_that_outlives_its_budget_breaks_the_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guards, "judge", lambda *_: None)
    machine = _leaks_unseen_until_the_tip_comes_back()
    machine.wait(0.2)
    machine.pair.handpiece.hand.release()
    with pytest.raises(AssertionError, match="and the pump, lose their power"):
        machine.wait(0.5)
    machine.teardown()


TestPair = PairMachine.TestCase
TestPair.settings = settings(
    max_examples=PROFILE.max_examples if DEEP else 60,
    stateful_step_count=50 if DEEP else 30,
)
TestPair = pytest.mark.hazard("H10", "H12", "H14", "H22", "H44")(TestPair)
