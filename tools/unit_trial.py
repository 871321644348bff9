"""One unit and one host in lock-step, for the tables of PROTOCOL.md that are made by trying.

The firmware is the simulator's own. Its sensors follow its drives at once; there is no plant and no
line between the two ends, so that what is tried is what the firmware answers and nothing else.
"""

from collections.abc import Callable
from itertools import count
from typing import Final

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.codec import encode
from firmware_protocol.link import Link, MessageReceived, RequestDone, session_number
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
    Stopped,
    Telemetry,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Mode, Outcome, StopKind, Wish
from simulator.firmware.firmware import TICK_S, Firmware
from simulator.firmware.memory import Identity, Memory
from simulator.plant.signals import Drives, Sensors

TIP: Final = 1
TREATMENT: Final = 7
CONFIG: Final = Config(TREATMENT, 30_000, 6_000, 8_000, TIP)
SETPOINT: Final = Setpoint(200, 0, 0, 25_000, 4_000, Wish.ALL, TREATMENT, 2_000)
"""Of a treatment; the trial fills in the counter, the echo and the treatment."""
SPREAD: Final = 2_654_435_761  # makes of consecutive numbers some whose bits look drawn
REACHED: Final = 0.9  # of the suction that is set, so that the pump has something to do
NOISE: Final = 0.01
STREAM_S: Final = 1.1  # until the setpoints of a whole second were accepted
ANSWER_MAX_S: Final = 1.0
UNTIL_MAX_S: Final = 20.0
SETPOINT_TICKS: Final = 10


class Trial:
    """A unit that does as it should, and a host that knows how to treat."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.tip = TIP
        self.lost = self.pressed = self.sealed = self.streaming = False
        self.moving = True
        self.token = self.treatment = 0
        self.wish = Wish.ALL
        self.seen: Telemetry | None = None
        self.stopped: Stopped | None = None
        self.drives = Drives()
        self.link = Link(Direction.TO_DEVICE)
        self._flow = self._suction = 0.0
        numbers = count(1)
        identity = Identity(1, 1, boot_tick_ms=0)
        self.firmware = Firmware(
            identity, lambda: next(numbers) * SPREAD, self._sample(), Memory(), 0.0
        )
        self._host_nonces = count(1)
        self._replies: dict[int, Message] = {}
        self._counter = self._ticks = 0

    @property
    def mode(self) -> Mode:
        """The mode of the unit."""
        return self.firmware.mode

    # -- time --------------------------------------------------------------------------------------
    def run(self, seconds: float) -> None:
        """Let time pass on both ends."""
        for _ in range(round(seconds / TICK_S)):
            self._step()

    def until(self, holds: Callable[[], bool], max_s: float = UNTIL_MAX_S) -> float:
        """Let time pass until something holds, and return how long that took."""
        began_s = self.now_s
        while not holds():
            if self.now_s - began_s > max_s:
                raise RuntimeError(f"the unit stays in {self.mode.name} for {max_s:g} s")
            self._step()
        return self.now_s - began_s

    def reaches(self, mode: Mode) -> float:
        """Let time pass until the unit is in a mode, and return how long that took."""
        return self.until(lambda: self.mode is mode)

    def _step(self) -> None:
        self._ticks += 1
        self.now_s = self._ticks * TICK_S
        self.drives = self.firmware.tick(self.now_s, self._sample())
        setpoints = self.firmware.board.a.setpoints
        self._flow = setpoints.flow_mg_per_min / 1000
        self._suction = setpoints.suction_pa / 1000 * REACHED
        self._hear(self.firmware.outgoing())
        self.link.poll(self.now_s)
        if self.streaming and self.link.session and self._ticks % SETPOINT_TICKS == 0:
            self.give(self.link.send(self.setpoint()))

    def _sample(self) -> Sensors:
        noise = NOISE if round(self.now_s / TICK_S) % 2 else 0.0
        suction = (self._suction if self.drives.vent_closed else 0.0) + noise
        is_open = self.drives.valve > 0.0
        return Sensors(
            suction_a_kpa=None if self.lost else suction, suction_b_kpa=suction,
            flow_g_per_min=(self._flow if is_open else 0.0) + noise,
            valve_percent=50.0 if is_open else 0.0, contact=self.sealed,
            motion=self.moving, switch_closed=self.pressed, switch_rest=not self.pressed,
            hopper_g=100.0, waste_percent=10.0, filter_kpa=1.0, pump_deg_c=25.0, supply_v=24.0,
            tip=self.tip,
        )  # fmt: skip

    # -- bytes -------------------------------------------------------------------------------------
    def give(self, data: bytes) -> None:
        """Let bytes arrive at the unit, and hear what it says at once."""
        self.firmware.receive(data, self.now_s)
        self._hear(self.firmware.outgoing())

    def _hear(self, data: bytes) -> None:
        for event in self.link.receive(data, self.now_s):
            if isinstance(event, RequestDone):
                self._replies[event.seq] = event.reply
            elif isinstance(event, MessageReceived) and isinstance(event.message, Telemetry):
                self.seen = event.message
            elif isinstance(event, MessageReceived) and isinstance(event.message, Stopped):
                self.stopped = event.message

    def setpoint(self) -> Setpoint:
        """Return the next setpoint."""
        self._counter = (self._counter + 1) % 2**16
        echo = 0 if self.seen is None else self.seen.tick_ms
        return SETPOINT._replace(
            loop_counter=self._counter, echo_tick_ms=echo, wish=self.wish, treatment=self.treatment
        )

    def ask(self, message: Message) -> Message | None:
        """Send a one-shot, and return its answer; None where none comes."""
        if self.link.session == 0 and not isinstance(message, Hello):
            said = len(self._replies)
            self.give(encode(message, 1, 1))
            self.run(ANSWER_MAX_S)
            return None if len(self._replies) == said else self._replies[1]
        seq = self.link.request(message, self.now_s)
        self.give(self.link.outgoing())
        try:
            self.until(lambda: seq in self._replies, ANSWER_MAX_S)
        except RuntimeError:
            return None
        return self._replies.pop(seq)

    def stop(self, kind: StopKind) -> Stopped | None:
        """Send STOP, and return its answer."""
        self.stopped = None
        self.give(self.link.send(Stop(kind)))
        return self.stopped

    def hello(self, *, major: int = PROTOCOL_MAJOR) -> Message | None:
        """Greet the unit; a session that it agrees to is opened."""
        nonce = next(self._host_nonces)
        reply = self.ask(Hello(major, PROTOCOL_MINOR, SCHEMA_HASH, nonce))
        if isinstance(reply, Ident) and not reply.refusal:
            session = session_number(nonce, reply.device_nonce)
            self.link.open_session(session, self.now_s, reply.minor)
            self.seen, self.treatment = None, 0
        return reply

    def configure(self) -> None:
        """Configure the treatment and stream setpoints for it."""
        _done(self.ask(CONFIG))
        self.treatment, self.streaming = TREATMENT, True

    def test(self) -> None:
        """Ask for the self-test, and keep its token."""
        self.token = _done(self.ask(SelfTest())).detail


def in_mode(mode: Mode) -> Trial:  # noqa: C901, PLR0911 - one step a line
    """Return a trial whose unit is in a mode, by the way that leads there."""
    trial = Trial()
    if mode is Mode.BOOT:
        return trial
    trial.reaches(Mode.DISARMED)
    trial.hello()
    trial.configure()
    trial.run(STREAM_S)
    if mode is Mode.DISARMED:
        return trial
    trial.test()
    if mode is Mode.SELFTEST:
        return trial
    trial.reaches(Mode.READY)
    if mode is Mode.READY:
        return trial
    _done(trial.ask(Arm(trial.token, TREATMENT)))
    if mode is Mode.ARMED:
        return trial
    if mode is Mode.SAFE:
        trial.lost = True
        trial.reaches(Mode.SAFE)
        trial.lost = False
        trial.run(0.1)
        return trial
    trial.sealed = trial.pressed = True
    trial.until(lambda: trial.drives.valve > 0.0)
    if mode is Mode.PAUSED:
        trial.pressed = False
        trial.reaches(Mode.PAUSED)
    elif mode is Mode.STOPPING:
        trial.stop(StopKind.NORMAL)
    return trial


def _done(reply: Message | None) -> Result:
    if isinstance(reply, Result) and reply.outcome == Outcome.DONE:
        return reply
    raise RuntimeError(f"the unit should have done it, and answered {reply}")
