"""A tiny host for tests: a link, a stream of setpoints, and a handpiece, in lock-step."""

from collections.abc import Callable

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.link import Link, MessageReceived, RequestDone, session_number
from firmware_protocol.messages import (
    Arm,
    Config,
    Hello,
    Ident,
    Message,
    Reset,
    Result,
    SelfTest,
    Setpoint,
    Status,
    Stop,
    Stopped,
    Telemetry,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Cause, Mode, Refusal, StopKind, Wish
from simulator.handpiece import BOOT_TICK_MS, Handpiece, Happening
from simulator.plant.hand import Hand, Lamp
from simulator.plant.spec import PlantSpec

STEP_S = 0.005
TREATMENT = 77
CONFIG = Config(TREATMENT, 40_000, 10_000, 10_000, 1)


class Host:
    """Sends a setpoint every 50 ms unless told otherwise; everything it hears is kept."""

    def __init__(
        self,
        hand: Hand | str = "absent",
        *,
        seed: int = 1,
        motion: bool = True,
        boot_tick_ms: int = BOOT_TICK_MS,
    ) -> None:
        self.happened: list[Happening] = []
        self.device = Handpiece(
            seed, hand, PlantSpec(motion_sensor=motion),
            boot_tick_ms=boot_tick_ms, events=self.happened.append,
        )  # fmt: skip
        self.link = Link(Direction.TO_DEVICE)
        self.now_s = 0.0
        self.streaming = True
        self.stalled = False
        self.lease_ms = 200
        self.suction_pa = 25_000
        self.flow_mg_per_min = 6_000
        self.wish = Wish.ALL
        self.treatment = 0
        self.exposure_left_mg = 60_000
        self.echo_tick: int | None = None
        self.loop_counter = 0
        self.telemetry: Telemetry | None = None
        self.status: Status | None = None
        self.stopped: list[Stopped] = []
        self.replies: dict[int, Message] = {}
        self.wire: list[bytes] = []
        self._next_setpoint_s = 0.0

    # -- time and bytes
    def run(self, seconds: float) -> None:
        """Let time pass for both ends."""
        end_s = self.now_s + seconds
        while self.now_s + STEP_S / 2 < end_s:
            self.step()

    def until(self, holds: Callable[[], bool], at_most_s: float = 5.0) -> float:
        """Let time pass until something holds and return how long it took."""
        began_s = self.now_s
        while not holds():
            if self.now_s - began_s > at_most_s:
                raise AssertionError(f"not within {at_most_s} s; mode {self.mode.name}")
            self.step()
        return self.now_s - began_s

    def step(self) -> None:
        """Let 5 ms pass."""
        self.now_s = round(self.now_s + STEP_S, 6)
        self.device.advance(self.now_s)
        self._hear(self.device.outgoing())
        self.link.poll(self.now_s)
        if self.streaming and self.link.session and self.now_s >= self._next_setpoint_s:
            self.send_setpoint()
            self._next_setpoint_s = self.now_s + 0.050 - 1e-9
        self.give(self.link.outgoing())

    def give(self, data: bytes) -> None:
        """Write bytes to the device and hear its immediate answer."""
        if data:
            self.wire.append(data)
            self.device.receive(data, self.now_s)
            self._hear(self.device.outgoing())

    def _hear(self, data: bytes) -> None:
        for event in self.link.receive(data, self.now_s):
            if isinstance(event, RequestDone):
                self.replies[event.seq] = event.reply
            elif isinstance(event, MessageReceived):
                self._heard(event.message)

    def _heard(self, message: Message) -> None:
        if isinstance(message, Telemetry):
            self.telemetry = message
        elif isinstance(message, Status):
            self.status = message
        elif isinstance(message, Stopped):
            self.stopped.append(message)

    # -- what a host says
    def setpoint(self) -> Setpoint:
        """Return the next setpoint."""
        if not self.stalled:
            self.loop_counter = (self.loop_counter + 1) % 65536
        heard = 0 if self.telemetry is None else self.telemetry.tick_ms
        echo = heard if self.echo_tick is None else self.echo_tick
        return Setpoint(
            self.lease_ms, self.loop_counter, echo, self.suction_pa, self.flow_mg_per_min,
            self.wish, self.treatment, self.exposure_left_mg,
        )  # fmt: skip

    def send_setpoint(self) -> None:
        """Send one setpoint now."""
        self.give(self.link.send(self.setpoint()))

    def stop(self, kind: StopKind) -> Stopped:
        """Send STOP and return the answer."""
        before = len(self.stopped)
        self.give(self.link.send(Stop(kind)))
        assert len(self.stopped) == before + 1
        return self.stopped[-1]

    def ask(self, message: Message) -> Message:
        """Send a one-shot and return the answer."""
        seq = self.link.request(message, self.now_s)
        self.give(self.link.outgoing())
        self.until(lambda: seq in self.replies)
        return self.replies[seq]

    def result(self, message: Message) -> Result:
        """Send a one-shot that is answered by RESULT."""
        reply = self.ask(message)
        assert isinstance(reply, Result)
        return reply

    def hello(self, *, major: int = PROTOCOL_MAJOR, nonce: int = 0x1234_5678) -> Ident:
        """Send HELLO and, where the device agrees, open the session."""
        reply = self.ask(Hello(major, PROTOCOL_MINOR, SCHEMA_HASH, nonce))
        assert isinstance(reply, Ident)
        if reply.refusal == Refusal.NONE:
            session = session_number(nonce, reply.device_nonce)
            self.link.open_session(session, self.now_s, reply.minor)
            self.treatment = 0
        return reply

    # -- the way to a treatment
    def configured(self, config: Config = CONFIG) -> "Host":
        """Open a session and configure it."""
        self.until(lambda: self.mode is not Mode.BOOT)
        self.hello()
        assert self.result(config).refusal == Refusal.NONE
        self.treatment = config.treatment
        return self

    def ready(self) -> int:
        """Go to READY and return the token."""
        self.configured()
        token = self.result(SelfTest()).detail
        self.until(lambda: self.mode is Mode.READY)
        self.run(1.0)
        return token

    def armed(self) -> "Host":
        """Go to ARMED."""
        token = self.ready()
        assert self.result(Arm(token, self.treatment)).refusal == Refusal.NONE
        assert self.mode is Mode.ARMED
        return self

    def active(self) -> "Host":
        """Go to ACTIVE with the tip on the skin and the valve open, by hand."""
        self.armed()
        self.run(1.5)
        self.device.hand.press()
        self.device.hand.place()
        self.until(lambda: self.mode is Mode.ACTIVE)
        self.until(lambda: self.valve_percent > 5.0)
        self.run(0.5)
        return self

    def paused(self) -> "Host":
        """Go to PAUSED by letting go."""
        self.active()
        self.device.hand.release()
        self.until(lambda: self.mode is Mode.PAUSED)
        return self

    def stopping(self) -> "Host":
        """Go to STOPPING."""
        self.active()
        self.stop(StopKind.NORMAL)
        assert self.mode is Mode.STOPPING
        return self

    def tripped(self) -> "Host":
        """Go to SAFE by silence, then talk again."""
        self.active()
        self.streaming = False
        self.until(lambda: self.mode is Mode.SAFE)
        self.device.hand.release()
        self.device.hand.lift()
        self.streaming = True
        self.run(0.5)
        return self

    def reset(self, cause: Cause) -> Result:
        """Ask to leave SAFE."""
        return self.result(Reset(cause))

    # -- what the device is
    @property
    def mode(self) -> Mode:
        return self.device.firmware.mode

    def is_in(self, mode: Mode) -> bool:
        """Return whether the device is in a mode."""
        return self.mode is mode

    def shows(self, lamp: Lamp) -> bool:
        """Return whether the operator sees this."""
        return self.device.firmware.lamp is lamp

    @property
    def cause(self) -> Cause:
        return self.device.firmware.board.cause

    @property
    def valve_percent(self) -> float:
        return self.device.plant.truth.valve_open * 100.0

    @property
    def shut(self) -> bool:
        return self.valve_percent <= 1.0

    def of(self, kind: str) -> list[Happening]:
        """Return what happened of one kind."""
        return [happening for happening in self.happened if happening["kind"] == kind]
