"""Control takes any conductor: the same lease, the same STOP and the same record for each."""

import asyncio

import pytest

from controller.safety.reading import Identity, Reading
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment import rows
from controller.treatment.conduct import Actions
from controller.treatment.conductor import Assignment
from controller.treatment.events import (
    Begin,
    Closed,
    Command,
    Commit,
    Configure,
    End,
    Event,
    Finished,
    Hold,
    Observed,
    Person,
    RunSelfTest,
    SendArm,
    StopNow,
    Wake,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from simulator.handpiece import SERIAL_NUMBER
from tests.controller.kernel.clinic import ANNA, Clinic, scenario

CONFIGURE, TEST, ARM, BEGUN, ENDED_ROW = range(1, 6)
STREAM_S = 1.5
NUMBER = 3
NO_STEP = (Refusal("no_such_step", "A weighing has no such step.", "Stop it."),)


class Weighing:
    """One opening of the valve into a jar, as a calibration would have it: no zones, no client."""

    def __init__(self, renews: bool = True) -> None:  # noqa: FBT001, FBT002 - a double
        self.state = State.PREPARING
        self.recorded: bool | None = None
        self.waits = False
        self.acknowledged = False
        self.tripped_by = ""
        self._renews = renews
        self._token = 0
        self._ready_s: float | None = None
        self._newest: Reading | None = None

    @property
    def conduct(self) -> "Weighing":
        return self

    def step(self, event: Event, now_s: float) -> Actions:
        match event:
            case Begin(who):
                return (Commit(Kind.BEGIN, {"who": rows.who_body(who)}, BEGUN),)
            case Finished(number, end):
                return self._finished(number, end, event.detail)
            case Observed(reading):
                return self._observed(reading, now_s)
            case Person(command):
                return self._stop("stopped") if command is Command.STOP else NO_STEP
            case _:
                return self._held() if isinstance(event, Wake) else ()

    def _finished(self, number: int, end: End, detail: int) -> Actions:
        closed = (Closed(number, end),) if number in {BEGUN, ENDED_ROW} else ()
        if number == ENDED_ROW:
            self.recorded = end is End.DONE
        if end is End.DONE and number == BEGUN:
            return (*closed, Configure(30.0, 8.0, 10.0, 1, CONFIGURE))
        if end is End.DONE and number == CONFIGURE:
            return (RunSelfTest(TEST),)
        if end is End.DONE and number == TEST:
            self._token = detail
        return closed

    def _observed(self, reading: Reading, now_s: float) -> Actions:
        self._newest = reading
        if reading.mode is Mode.SAFE and self.state is not State.TRIPPED:
            self.state, self.tripped_by = State.TRIPPED, reading.cause.name
        if self.state is State.PREPARING and reading.mode is Mode.READY:
            self._ready_s = now_s if self._ready_s is None else self._ready_s
            if now_s - self._ready_s > STREAM_S:
                self.state = State.ARMING
                return (SendArm(self._token, ARM),)
        if self.state is State.ARMING and reading.mode is Mode.ACTIVE:
            self.state = State.ACTIVE
        if self.state is State.STOPPING and reading.mode is Mode.DISARMED:
            self.state = State.STOPPED
        return ()

    def _held(self) -> Actions:
        if self.state is State.ACTIVE and not self._renews:
            return ()
        armed = self.state in {State.ARMING, State.ACTIVE}
        wish = Wish.ALL if armed else Wish.NONE
        return (Hold(20.0, 6.0, wish, 500) if armed else Hold(0.0, 0.0, wish, 0),)

    def _stop(self, why: str) -> Actions:
        self.state = State.STOPPING
        return (
            StopNow(StopKind.NORMAL),
            Commit(Kind.ENDED, {"outcome": why, "why": "", "zones": []}, ENDED_ROW),
        )


def assigned(made: Weighing, serial: int = SERIAL_NUMBER) -> Assignment:
    def conductor(_identity: Identity, _newest: Reading | None) -> Weighing:
        return made

    return Assignment(serial, simulated=True, conductor=conductor)


async def weigh(made: Clinic, weighing: Weighing) -> None:
    await made.control.begin(assigned(weighing), ANNA, NUMBER)
    await made.until("active")
    await made.wait_for(made.valve_open_at_end)


def test_what_is_no_treatment_opens_the_valve_under_the_same_lease_and_stops_the_same_way() -> None:
    async def play(made: Clinic) -> None:
        weighing = Weighing()
        await weigh(made, weighing)
        assert made.view.treatment is None
        began_s = made.now_s
        await made.ask(Command.STOP)
        assert made.now_s - began_s < 0.5
        await made.until("stopped")
        assert not made.valve_open_at_end()
        await made.wait_for(lambda: made.control.idle)
        assert not made.events("trip")
        written = [kind for kind in made.kinds() if kind in {Kind.BEGIN, Kind.ENDED}]
        assert written == [Kind.BEGIN, Kind.ENDED]

    scenario(play)


def test_a_conductor_that_renews_nothing_loses_the_valve_with_its_lease() -> None:
    async def play(made: Clinic) -> None:
        weighing = Weighing(renews=False)
        await made.control.begin(assigned(weighing), ANNA, NUMBER)
        await made.until("tripped")
        await asyncio.sleep(0.3)
        assert not made.valve_open_at_end()
        assert weighing.tripped_by == "LEASE_LAPSED"

    scenario(play)


def test_only_one_conducts_and_only_on_the_unit_that_it_was_made_for() -> None:
    async def play(made: Clinic) -> None:
        with pytest.raises(RefusedError, match="another unit"):
            await made.control.begin(assigned(Weighing(), serial=7), ANNA, NUMBER)
        await weigh(made, Weighing())
        with pytest.raises(RefusedError, match="under way"):
            await made.control.begin(assigned(Weighing()), ANNA, NUMBER + 1)
        await made.ask(Command.STOP)
        await made.until("stopped")

    scenario(play)


def test_what_a_conductor_does_not_know_is_declined_in_its_words() -> None:
    async def play(made: Clinic) -> None:
        await weigh(made, Weighing())
        with pytest.raises(RefusedError, match="no such step"):
            await made.ask(Command.PAUSE)
        await made.ask(Command.STOP)
        await made.until("stopped")

    scenario(play)
