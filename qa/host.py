"""A scripted host: the host's end of the line for whoever tries a device without the controller.

Bytes and time in, bytes out; it moves no byte itself and judges nothing. It greets, keeps the lease
with a stream of setpoints and asks one-shots, on the `Link` of both ends. It has no interlock of
its own and stops only when told, so whatever becomes safe, the device did it. It is honest unless
an `Ill` says otherwise.

`qa.lockstep` puts it beside a device without a line; `qa.matrix.cells` behind two lines with their
weather; `qa.plugin.alone` on a virtual wire; `tests.simulator.test_serve` on a real port. Three
hosts are not this one, for a reason that stands in each of them: `qa.conformance.peer`,
`tests.proof.fuzz.honest` and `tests.proof.explore.shell`. They share its words (`Wishes`,
`greeting`) and nothing that decides.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.envelope import LEASE_DEFAULT_MS, SETPOINT_PERIOD_S
from firmware_protocol.link import Link, session_number
from firmware_protocol.messages import (
    Arm,
    Config,
    Hello,
    Ident,
    Message,
    Result,
    SelfTest,
    Setpoint,
    Status,
    Stop,
    Stopped,
    Telemetry,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import SEQ_SPAN, MessageReceived, RequestDone, RequestUnknown
from firmware_protocol.vocabulary import Mode, Outcome, Refusal, StopKind, Wish
from simulator.handpiece import Handpiece

TREATMENT: Final = 77
CONFIG: Final = Config(TREATMENT, 40_000, 10_000, 10_000, 1)
ASK_AGAIN_S: Final = 0.3  # between two tries of what was refused
DEAF_S: Final = 0.5  # without telemetry for so long it greets anew
ARM_AFTER_S: Final = 1.05  # of setpoints, so that the stream can be healthy
WELL_OPEN: Final = 0.2

_SLACK_S: Final = 1e-9


@unique
class Ill(Enum):
    """What is wrong with the host."""

    NOTHING = "nothing"
    KILLED = "it is gone"
    FROZEN = "it stands still, and goes on later"
    SAME_FRAME = "its sender repeats the very same last setpoint"
    SAME_COUNTER = "its sender goes on, its deciding loop does not"
    SAME_ECHO = "it decides, and hears nothing any more"
    ASKS_ON = "it asks for crystals though it says itself that the zone has had all"


@dataclass(slots=True)
class Wishes:
    """What the stream of setpoints says; nothing is wished for unless told."""

    suction_pa: int = 0
    flow_mg_per_min: int = 0
    wish: int = Wish.NONE
    treatment: int = 0
    exposure_left_mg: int = 1000
    lease_ms: int = LEASE_DEFAULT_MS

    def setpoint(self, loop_counter: int, echo_tick_ms: int) -> Setpoint:
        """Return them as a setpoint."""
        return Setpoint(
            self.lease_ms, loop_counter, echo_tick_ms, self.suction_pa, self.flow_mg_per_min,
            self.wish, self.treatment, self.exposure_left_mg,
        )  # fmt: skip


def greeting(nonce: int, *, major: int = PROTOCOL_MAJOR) -> Hello:
    """Return the HELLO of a host with this schema."""
    return Hello(major, PROTOCOL_MINOR, SCHEMA_HASH, nonce)


class ScriptedHost:
    """Asks, streams and hears; `write` and `hear` are called by whoever moves the bytes."""

    def __init__(self) -> None:
        self.link = Link(Direction.TO_DEVICE)
        self.ill = Ill.NOTHING
        self.eager = False
        """It greets, configures, tests and arms by itself, again and again as soon as the device
        lets it, except out of SAFE, which only a person may leave. False: asks what it is told."""
        self.streaming = True
        """It sends a setpoint every 50 ms while there is a session."""
        self.wishes = Wishes(25_000, 6_000, Wish.ALL, exposure_left_mg=60_000)
        """Of a treatment whose exposure is never the limit."""
        self.loop_counter = 0
        self.echo = 0
        """The tick that the next setpoint echoes: the newest heard."""
        self.token = 0
        """Of the newest self-test that was accepted."""
        self.telemetry: Telemetry | None = None
        self.status: Status | None = None
        self.stopped: Stopped | None = None
        self.stops_answered = 0
        self.replies: dict[int, Message] = {}
        """The answers of this session by their sequence."""
        self._asked: dict[int, Message] = {}
        self._nonce = 0
        self._heard_s = self._next_s = self._ask_s = self._opened_s = 0.0
        self._last = self._stops = b""

    @property
    def told(self) -> Mode:
        """What the device said of its mode; BOOT before it said anything."""
        return Mode.BOOT if self.telemetry is None else Mode(self.telemetry.mode)

    # -- bytes -------------------------------------------------------------------------------------
    def write(self, now_s: float) -> bytes:
        """Return what the host writes at ``now_s``: stops first, then the stream, then requests."""
        if self.ill is Ill.KILLED or self.ill is Ill.FROZEN:
            return b""
        said, self._stops = self._stops, b""
        for event in self.link.poll(now_s):
            if isinstance(event, RequestUnknown):
                self._asked.pop(event.seq, None)
        if self.eager and now_s >= self._ask_s and not self._asked:
            self._go_on(now_s)
        if self.streaming and self.link.session and now_s >= self._next_s - _SLACK_S:
            self._next_s = now_s + SETPOINT_PERIOD_S
            said += self.renewal()
        return said + self.link.outgoing()

    def hear(self, data: bytes, now_s: float) -> None:
        """Take what arrived."""
        for event in self.link.receive(data, now_s):
            if isinstance(event, RequestDone):
                self._answered(event.seq, event.reply, now_s)
            elif isinstance(event, MessageReceived):
                self._heard(event.message, now_s)

    # -- what it says ------------------------------------------------------------------------------
    def say_stop(self, kind: StopKind) -> None:
        """Say STOP with the next write."""
        self._stops += self.link.send(Stop(kind))

    def request(self, message: Message, now_s: float) -> int:
        """Ask with the next write, and return the sequence under which `replies` gets it."""
        seq = self.link.request(message, now_s)
        self._asked[seq] = message
        self.replies.pop(seq, None)
        return seq

    def setpoint(self) -> Setpoint:
        """Return the next setpoint."""
        if self.ill is not Ill.SAME_COUNTER:
            self.loop_counter = (self.loop_counter + 1) % SEQ_SPAN
        setpoint = self.wishes.setpoint(self.loop_counter, self.echo)
        return setpoint._replace(exposure_left_mg=0) if self.ill is Ill.ASKS_ON else setpoint

    def renewal(self) -> bytes:
        """Return the wire bytes of the next setpoint of this session."""
        if self.ill is not Ill.SAME_FRAME:
            self._last = self.link.send(self.setpoint())
        return self._last

    def nonce(self) -> int:
        """Return a nonce that was not used before."""
        self._nonce = (self._nonce + 1) % 2**32
        return self._nonce

    # -- what it hears -----------------------------------------------------------------------------
    def _heard(self, message: Message, now_s: float) -> None:
        if isinstance(message, Telemetry):
            self._heard_s = now_s
            self.telemetry = message
            if self.ill is not Ill.SAME_ECHO:
                self.echo = message.tick_ms
        elif isinstance(message, Status):
            self.status = message
        elif isinstance(message, Stopped):
            self.stopped = message
            self.stops_answered += 1

    def _answered(self, seq: int, reply: Message, now_s: float) -> None:
        asked = self._asked.pop(seq, None)
        if isinstance(asked, Hello) and isinstance(reply, Ident):
            if reply.refusal == Refusal.NONE:
                session = session_number(asked.host_nonce, reply.device_nonce)
                self._begin(session, now_s, reply.minor)
        elif isinstance(reply, Result) and reply.outcome == Outcome.DONE:
            self._ask_s = now_s
            if isinstance(asked, Config):
                self.wishes.treatment = asked.treatment
            elif isinstance(asked, SelfTest):
                self.token = reply.detail
        self.replies[seq] = reply

    def _begin(self, session: int, now_s: float, minor: int) -> None:
        self.link.open_session(session, now_s, minor)
        self.replies.clear()
        self.wishes.treatment = 0
        self._heard_s = self._opened_s = self._ask_s = now_s

    def _go_on(self, now_s: float) -> None:
        """Ask for the next thing on the way to a treatment."""
        self._ask_s = now_s + ASK_AGAIN_S
        if not self.link.session or now_s - self._heard_s > DEAF_S:
            self.link.close_session()
            self.request(greeting(self.nonce()), now_s)
        elif self.told is Mode.DISARMED:
            self.request(SelfTest() if self.wishes.treatment else CONFIG, now_s)
        elif self.told is Mode.READY and now_s - self._opened_s >= ARM_AFTER_S:
            self.request(Arm(self.token, self.wishes.treatment), now_s)


Done = Callable[[], None]

WAYS: Final = (
    Mode.DISARMED, Mode.SELFTEST, Mode.READY, Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING,
)  # fmt: skip
"""The modes that `way_to` leads to, in this order."""


def way_to(
    goal: Mode, host: ScriptedHost, device: Handpiece, press: Done, release: Done
) -> Iterator[Callable[[], bool]]:
    """Lead a device upwards into one of `WAYS`; yield each thing that is waited for.

    ``press`` lets the hand press on the skin, ``release`` let go. In ACTIVE the valve is well open.
    The host asks for nothing by itself once the mode is reached.
    """
    last = WAYS.index(goal)
    host.eager = True
    yield lambda: host.told in WAYS[min(last, 1) :]
    host.eager = False
    if goal in WAYS[2:]:
        yield lambda: host.told in WAYS[2:]
    if goal in WAYS[3:]:
        host.eager = True
        yield lambda: device.firmware.mode is Mode.ARMED
        host.eager = False
    if goal in WAYS[4:]:
        press()
        yield lambda: device.plant.truth.valve_open > WELL_OPEN
    if goal is Mode.PAUSED:
        release()
    elif goal is Mode.STOPPING:
        host.say_stop(StopKind.NORMAL)
    if goal in WAYS[5:]:
        yield lambda: device.firmware.mode is goal
