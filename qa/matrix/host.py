"""A tiny host for the fault matrix: it renews the lease and tries to treat, and judges nothing.

It has no interlock of its own and never stops, so whatever becomes safe, the device did it. It is
eager: it greets, configures, tests and arms again as soon as the device lets it, except out of
SAFE, which only a person may leave. Between the two stand two lines with their weather.
"""

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
    Stop,
    Telemetry,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import MessageReceived, RequestDone, RequestUnknown
from firmware_protocol.vocabulary import Mode, Outcome, Refusal, StopKind, Wish

TREATMENT: Final = 77
CONFIG: Final = Config(TREATMENT, 40_000, 10_000, 10_000, 1)
SUCTION_PA: Final = 25_000
FLOW_MG_PER_MIN: Final = 6_000
EXPOSURE_LEFT_MG: Final = 60_000  # never the limit here: exposure has its own tests
ASK_AGAIN_S: Final = 0.3  # between two tries of what was refused
DEAF_S: Final = 0.5  # without telemetry for so long it greets anew
ARM_AFTER_S: Final = 1.05  # of setpoints, so that the stream can be healthy

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


class TinyHost:
    """Asks, streams and hears; `write` and `hear` are called by whoever moves the bytes."""

    def __init__(self) -> None:
        self.link = Link(Direction.TO_DEVICE)
        self.ill = Ill.NOTHING
        self.eager = True
        """False: it keeps the lease and asks for nothing."""
        self.mode = Mode.BOOT
        self.sent: int = 0
        self._echo = self._counter = self._nonce = 0
        self._treatment = 0
        self._token = 0
        self._asked: tuple[int, Message] | None = None
        self._heard_s = self._next_s = self._ask_s = self._opened_s = 0.0
        self._last = b""
        self._stops = b""

    def stop(self, kind: StopKind) -> None:
        """Say STOP with the next write."""
        self._stops += self.link.send(Stop(kind))

    def write(self, now_s: float) -> bytes:
        """Return what the host writes at ``now_s``."""
        if self.ill is Ill.KILLED or self.ill is Ill.FROZEN:
            return b""
        said, self._stops = self._stops, b""
        for event in self.link.poll(now_s):
            if isinstance(event, RequestUnknown) and self._asked and event.seq == self._asked[0]:
                self._asked = None
        self._ask(now_s)
        if self.link.session and now_s >= self._next_s - _SLACK_S:
            self._next_s = now_s + SETPOINT_PERIOD_S
            said += self._setpoint()
        return said + self.link.outgoing()

    def hear(self, data: bytes, now_s: float) -> None:
        """Take what arrived; a host that is gone hears nothing."""
        for event in self.link.receive(data, now_s):
            if isinstance(event, RequestDone):
                self._answered(event.seq, event.reply, now_s)
            elif isinstance(event, MessageReceived) and isinstance(event.message, Telemetry):
                self._heard_s = now_s
                self.mode = Mode(event.message.mode)
                if self.ill is not Ill.SAME_ECHO:
                    self._echo = event.message.tick_ms

    def _setpoint(self) -> bytes:
        if self.ill is Ill.SAME_FRAME:
            return self._last
        if self.ill is not Ill.SAME_COUNTER:
            self._counter = (self._counter + 1) % 2**16
        left_mg = 0 if self.ill is Ill.ASKS_ON else EXPOSURE_LEFT_MG
        setpoint = Setpoint(
            LEASE_DEFAULT_MS, self._counter, self._echo, SUCTION_PA, FLOW_MG_PER_MIN, Wish.ALL,
            self._treatment, left_mg,
        )  # fmt: skip
        self.sent += 1
        self._last = self.link.send(setpoint)
        return self._last

    # -- the way to a treatment --------------------------------------------------------------------
    def _ask(self, now_s: float) -> None:
        if not self.eager or now_s < self._ask_s or self._asked is not None:
            return
        self._ask_s = now_s + ASK_AGAIN_S
        deaf = now_s - self._heard_s > DEAF_S
        if not self.link.session or deaf:
            self.link.close_session()
            self._nonce = (self._nonce + 1) % 2**32
            self._put(Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, self._nonce), now_s)
        elif self.mode is Mode.DISARMED:
            self._put(SelfTest() if self._treatment else CONFIG, now_s)
        elif self.mode is Mode.READY and now_s - self._opened_s >= ARM_AFTER_S:
            self._put(Arm(self._token, self._treatment), now_s)

    def _put(self, message: Message, now_s: float) -> None:
        self._asked = self.link.request(message, now_s), message

    def _answered(self, seq: int, reply: Message, now_s: float) -> None:
        if self._asked is None or self._asked[0] != seq:
            return
        asked, self._asked = self._asked[1], None
        if isinstance(asked, Hello) and isinstance(reply, Ident):
            if reply.refusal == Refusal.NONE:
                nonce = asked.host_nonce
                self.link.open_session(session_number(nonce, reply.device_nonce), now_s)
                self._treatment, self._heard_s, self._opened_s = 0, now_s, now_s
                self._ask_s = now_s
        elif isinstance(reply, Result) and reply.outcome == Outcome.DONE:
            self._done(asked, reply)
            self._ask_s = now_s

    def _done(self, asked: Message, reply: Result) -> None:
        if isinstance(asked, Config):
            self._treatment = asked.treatment
        elif isinstance(asked, SelfTest):
            self._token = reply.detail
