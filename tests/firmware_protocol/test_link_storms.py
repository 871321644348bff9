"""A line that loses, delays, doubles, swaps, splits and flips: what must hold on any of them."""

import heapq
import os
import random
from dataclasses import dataclass, field

import pytest

from firmware_protocol.errors import Reject
from firmware_protocol.link import (
    Event,
    FrameRejected,
    MessageReceived,
    RequestDone,
    RequestReceived,
    RequestResolved,
    RequestUnknown,
)
from firmware_protocol.messages import Arm, Setpoint, Stop, Telemetry
from firmware_protocol.session import SEQ_SPAN, TICK_SPAN, age_ms, tick_of
from tests.firmware_protocol.examples import SETPOINT, TELEMETRY, Pair, done

SEEDS = range(int(os.environ.get("STORM_SEEDS", "12")))
STEP_MS = 5
SILENCE_MS = 3000  # after the storm: long enough for the last retry and the last late frame


@dataclass(slots=True)
class Weather:
    """One way of the line: what happens to each piece of bytes, from one seed."""

    dice: random.Random
    loss: float
    delay_max_ms: int
    double: float
    flip: float
    _late: list[tuple[int, int, bytes]] = field(default_factory=list)
    _count: int = 0

    def send(self, data: bytes, now_ms: int) -> None:
        for _ in range(1 + (self.dice.random() < self.double)):
            if data and self.dice.random() >= self.loss:
                self._count += 1
                at_ms = now_ms + self.dice.randint(0, self.delay_max_ms)
                heapq.heappush(self._late, (at_ms, self._count, self._damaged(data)))

    def deliver(self, now_ms: int) -> bytes:
        data = b""
        while self._late and self._late[0][0] <= now_ms:
            data += heapq.heappop(self._late)[2]
        return data

    def _damaged(self, data: bytes) -> bytes:
        if self.dice.random() >= self.flip:
            return data
        noisy = bytearray(data)
        noisy[self.dice.randrange(len(noisy))] ^= 1 << self.dice.randrange(8)
        return bytes(noisy)


@dataclass(slots=True)
class Storm:
    """A host and a device in one storm, stepped in virtual milliseconds."""

    seed: int
    delay_max_ms: int = 60
    pair: Pair = field(default_factory=lambda: Pair().open())
    at_host: list[Event] = field(default_factory=list)
    at_device: list[Event] = field(default_factory=list)

    def run(self, requests: int) -> None:
        """Ask for ``requests`` different things while both ends stream their state."""
        dice = random.Random(self.seed)  # noqa: S311 (a storm, not a secret)
        rates = [dice.choice((0.0, 0.02, 0.3, 0.5)) for _ in range(3)]
        down = Weather(dice, rates[0], self.delay_max_ms, rates[1], rates[2])
        up = Weather(dice, rates[0], self.delay_max_ms, rates[1], rates[2])
        asked, end_ms = 0, None
        now_ms = 0
        while end_ms is None or now_ms < end_ms:
            now_s = now_ms / 1000
            if asked < requests and self.pair.host.deadline_s() is None:
                asked += 1
                self.pair.host.request(Arm(asked, 0), now_s)
            if now_ms % 50 == 0:
                down.send(self.pair.host.send(SETPOINT._replace(echo_tick_ms=now_ms)), now_ms)
            if now_ms % 20 == 0:
                last = self.pair.device.last_request_seq
                message = TELEMETRY._replace(tick_ms=now_ms, last_request_seq=last)
                up.send(self.pair.device.send(message), now_ms)
            self.at_host += self.pair.host.poll(now_s)
            down.send(self.pair.host.outgoing(), now_ms)
            self._deliver(down.deliver(now_ms), up, now_ms)
            self.at_host += self.pair.host.receive(up.deliver(now_ms), now_s)
            if asked == requests and end_ms is None and self.pair.host.deadline_s() is None:
                end_ms = now_ms + SILENCE_MS
            now_ms += STEP_MS

    def _deliver(self, data: bytes, up: Weather, now_ms: int) -> None:
        for start in range(0, len(data), 7):  # in pieces that fit no frame
            for event in self.pair.device.receive(data[start : start + 7], now_ms / 1000):
                self.at_device.append(event)
                if not isinstance(event, MessageReceived | FrameRejected):
                    up.send(answer_to(self.pair, event), now_ms)
        up.send(self.pair.device.outgoing(), now_ms)


def answer_to(pair: Pair, event: Event) -> bytes:
    """Execute a request and return the bytes of its answer."""
    assert isinstance(event, RequestReceived)
    pair.executed.append(event.message)
    return pair.device.reply(event.seq, done(event.seq))


@pytest.mark.hazard("H11", "H23")
@pytest.mark.parametrize("seed", SEEDS)
def test_in_any_storm_every_request_is_executed_at_most_once_and_its_outcome_is_true(
    seed: int,
) -> None:
    storm = Storm(seed)
    storm.run(requests=15)
    executed = [message.token for message in storm.pair.executed if isinstance(message, Arm)]
    assert executed == sorted(set(executed)), seed
    outcomes: dict[int, Event] = {}
    for event in storm.at_host:
        if isinstance(event, RequestDone | RequestUnknown | RequestResolved):
            previous = outcomes.get(event.seq)
            assert previous is None or isinstance(previous, RequestUnknown), seed
            outcomes[event.seq] = event
    assert sorted(outcomes) == list(range(1, 16)), seed
    for seq, event in outcomes.items():
        if isinstance(event, RequestDone):
            assert seq in executed, seed
        if isinstance(event, RequestResolved):
            assert event.executed == (seq in executed), seed


@pytest.mark.hazard("H11")
@pytest.mark.parametrize("seed", SEEDS)
def test_in_any_storm_periodic_messages_only_go_forward(seed: int) -> None:
    storm = Storm(seed, delay_max_ms=300)
    storm.run(requests=3)
    heard = [event.message for event in storm.at_device if isinstance(event, MessageReceived)]
    echoes = [message.echo_tick_ms for message in heard if isinstance(message, Setpoint)]
    states = [event.message for event in storm.at_host if isinstance(event, MessageReceived)]
    ticks = [message.tick_ms for message in states if isinstance(message, Telemetry)]
    assert echoes
    assert ticks
    assert echoes == sorted(set(echoes)), seed
    assert ticks == sorted(set(ticks)), seed


def test_the_same_seed_gives_the_same_storm() -> None:
    first, second = Storm(5), Storm(5)
    first.run(requests=5)
    second.run(requests=5)
    assert (first.at_host, first.at_device) == (second.at_host, second.at_device)


@pytest.mark.hazard("H11")
def test_a_setpoint_that_was_delayed_shows_its_age_by_the_tick_it_echoes() -> None:
    pair = Pair().open()
    wire = pair.host.send(SETPOINT._replace(echo_tick_ms=tick_of(1.000)))
    (event,) = pair.to_device(wire, 3.0)
    assert isinstance(event, MessageReceived)
    assert isinstance(event.message, Setpoint)
    assert age_ms(tick_of(3.0), event.message.echo_tick_ms) == 2000


@pytest.mark.hazard("H32")
def test_the_age_of_an_echo_is_right_while_the_tick_wraps() -> None:
    boot_offset_ms = TICK_SPAN - 5000
    pair = Pair().open()
    for at_ms in range(4000, 6000, 50):
        echo = tick_of((at_ms - 30) / 1000, boot_offset_ms)
        (event,) = pair.to_device(pair.host.send(SETPOINT._replace(echo_tick_ms=echo)))
        assert isinstance(event, MessageReceived)
        assert isinstance(event.message, Setpoint)
        assert age_ms(tick_of(at_ms / 1000, boot_offset_ms), event.message.echo_tick_ms) == 30


@pytest.mark.hazard("H11")
@pytest.mark.parametrize("seed", SEEDS)
def test_repeated_stops_get_through_a_line_that_loses_a_third(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 (a storm, not a secret)
    down = Weather(dice, loss=0.3, delay_max_ms=60, double=0.1, flip=0.1)
    pair = Pair().open()
    heard: list[Event] = []
    for now_ms in range(0, 500, 20):
        down.send(pair.host.send(Stop(1)), now_ms)
        heard += pair.to_device(down.deliver(now_ms), now_ms / 1000)
    assert MessageReceived(Stop(1)) in heard


@pytest.mark.hazard("H11")
def test_one_bit_error_in_two_thousand_frames_is_tolerated_and_five_percent_are_not() -> None:
    for gap, exceeded in ((5000, False), (20, True)):
        pair = Pair().open()
        for count in range(20 * 30):  # setpoints of 30 s
            wire = pair.host.send(SETPOINT)
            noisy = bytes([wire[0] ^ 1]) + wire[1:] if count % gap == gap - 1 else wire
            pair.to_device(noisy, count * 0.05)
        assert pair.device.limit_exceeded(30.0) == exceeded


def test_half_of_all_sequences_may_be_lost_but_not_more() -> None:
    pair = Pair().open()
    pair.host._sent_seq = SEQ_SPAN // 2 - 2  # as many were sent and lost
    assert pair.to_device(pair.host.send(SETPOINT)) == [MessageReceived(SETPOINT)]
    pair.host._sent_seq += SEQ_SPAN // 2 - 1
    assert pair.to_device(pair.host.send(SETPOINT)) == [FrameRejected(Reject.STALE)]
