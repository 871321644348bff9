"""The firmware of the handpiece: bytes and sensor samples in, drives and bytes out, every 5 ms.

Order within a tick: sense, judge (channel A, then channel B), move between modes, drive, report.
Bytes are handled when they arrive; what they change is driven at the next tick. There is no notion
of a closed line here: whatever becomes of the port, only the absence of accepted setpoints ends
the lease.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from firmware_protocol.catalogue import Direction
from firmware_protocol.envelope import (
    ARM_WAIT_MAX_S,
    STATUS_PERIOD_S,
    TELEMETRY_PERIOD_S,
    TELEMETRY_SHIFT_S,
)
from firmware_protocol.link import (
    Event,
    FrameRejected,
    Link,
    MessageReceived,
    RequestReceived,
)
from firmware_protocol.messages import Message, Setpoint, Stop
from firmware_protocol.session import TICK_SPAN, tick_of
from firmware_protocol.vocabulary import Cause, LogCode, Mode, StopKind
from simulator.firmware import reports
from simulator.firmware.board import Board, Note
from simulator.firmware.memory import Identity, Memory
from simulator.firmware.modes import Trigger, allows
from simulator.firmware.requests import Requests
from simulator.firmware.setpoints import Verdict
from simulator.plant.hand import Lamp
from simulator.plant.signals import Drives, Sensors

TICK_MS: Final = 5
TICK_S: Final = TICK_MS / 1000
DEFERRED_MAX: Final = 4  # without a session only HELLO gets this far
BOOT_MS: Final = 100  # converters and supply settle
ARM_WAIT_MS: Final = int(ARM_WAIT_MAX_S * 1000)
TELEMETRY_MS: Final = int(TELEMETRY_PERIOD_S * 1000)
TELEMETRY_SHIFT_MS: Final = int(TELEMETRY_SHIFT_S * 1000)
_COINS: Final = 1 << 32  # a nonce has so many bits, and this one marks its end
STATUS_MS: Final = int(STATUS_PERIOD_S * 1000)
_NONE: Final = Cause.NONE  # bound once: a look-up on an enum costs as much as a whole comparison
_ON: Final = Lamp.ON
_OFF: Final = Lamp.OFF
OUTGOING_MAX_BYTES: Final = 2_048  # nearly a second of telemetry; what nobody reads is soon old


class Firmware:
    """One device from a restart to the next; drive it with ``receive`` and ``tick`` only."""

    def __init__(
        self,
        identity: Identity,
        nonces: Callable[[], int],
        sensors: Sensors,
        memory: Memory | None = None,
        now_s: float = 0.0,
    ) -> None:
        self.board = Board(identity, nonces, sensors, memory or Memory(), now_s)
        self.link = Link(Direction.TO_HOST)
        self.lamp = Lamp.OFF
        self.pulses = 0
        """One at the end of each tick, for the watchdog."""
        self._requests = Requests(self.board, self.link)
        self._drives = Drives()
        self._deferred: deque[RequestReceived] = deque(maxlen=DEFERRED_MAX)
        self._outgoing = bytearray()
        self._last_mode = Mode.BOOT
        self._in_mode_ms = 0
        self._powered_ms = 0
        self._ticked_ms = self.board.tick_ms
        self._telemetry_ms = 0
        self._shift_ms = 0
        self._coins = 1
        self._status_ms = 0
        self._wanted_flow = False
        self._verdict = Verdict.ACCEPTED
        self._leased = False
        self._contact = False
        self.board.boot()

    @property
    def mode(self) -> Mode:
        """The present mode."""
        return self.board.mode

    @property
    def report_due_ms(self) -> int:
        """How long until the next frame that nobody asked for, if nothing happens before."""
        return max(self._telemetry_ms, TICK_MS)

    def take_notes(self) -> list[Note]:
        """Return what happened since the last call."""
        notes = list(self.board.notes)
        self.board.notes.clear()
        return notes

    def outgoing(self) -> bytes:
        """Return the bytes to write."""
        self._write(self.link.outgoing())
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes, now_s: float) -> None:
        """Handle bytes that arrived at ``now_s``."""
        board = self.board
        board.now_s = now_s
        board.tick_ms = tick_of(now_s, board.identity.boot_tick_ms)
        self._handle(self.link.receive(data, now_s))

    def _handle(self, events: Iterable[Event]) -> None:
        rejected = False
        for event in events:
            if isinstance(event, MessageReceived):
                self._message(event.message)
            elif isinstance(event, RequestReceived):
                self._deferred.append(event)
                self._answer()
            else:
                rejected = rejected or isinstance(event, FrameRejected)
        if rejected and self.board.policy.armed and self.link.limit_exceeded(self.board.now_s):
            self.board.trip(Cause.LINK_ERRORS)

    def _answer(self) -> None:
        """Answer the requests that wait; while booting they do."""
        while self._deferred and not self.board.policy.booting:
            message, seq = self._deferred.popleft()
            self._write(self._requests.answer(message, seq))

    def _message(self, message: Message) -> None:
        board = self.board
        if isinstance(message, Stop):
            board.stop(StopKind(message.kind))
            self._write(self.link.send(reports.stopped(board)))
        elif isinstance(message, Setpoint):
            verdict = board.a.accept(message, board.tick_ms)
            news, self._verdict = verdict is not self._verdict, verdict
            if verdict is not Verdict.ACCEPTED:
                if news:  # and not for each of a stream of them
                    board.note("dropped", why=verdict.value)
                return
            board.b.renewed(message.lease_ms)
            if not self._leased:
                self._leased = True
                board.note("lease", state="granted")

    def tick(self, now_s: float, sensors: Sensors) -> Drives:
        """Go on to ``now_s`` with one sample of the sensors and return what to drive."""
        board = self.board
        a, b = board.a, board.b
        board.now_s = now_s
        board.tick_ms = tick_ms = tick_of(now_s, board.identity.boot_tick_ms)
        dt_ms = (tick_ms - self._ticked_ms) % TICK_SPAN
        self._ticked_ms = tick_ms
        a.observe(tick_ms, dt_ms, sensors)
        finding = a.judge(dt_ms, board.policy)
        if finding is not None:
            board.trip(finding.cause, finding.onset_ms)
        found = b.tick(
            dt_ms,
            sensors.suction_b_kpa,
            sensors.valve_percent,
            switch_rest=sensors.switch_rest,
            a_tripped=board.policy.latched,
        )
        if found is not _NONE:
            board.trip(found)
        self._move(dt_ms, sensors)
        if self._deferred:
            self._answer()  # however the boot has ended
        a.drive(dt_ms, board.policy, channel_b=b.enable)
        self._tell(sensors)
        self._report(dt_ms)
        drives = self._drives
        drives.valve = a.valve if b.enable else 0.0  # wired in series
        drives.pump = a.pump
        drives.vent_closed = a.vent_closed
        drives.power = b.power
        self.pulses += 1
        return drives

    def _move(self, dt_ms: int, sensors: Sensors) -> None:
        """Fire what the mode's policy says has come to pass."""
        board = self.board
        policy = board.policy
        if self._powered_ms < BOOT_MS:
            self._powered_ms += dt_ms
            if self._powered_ms >= BOOT_MS:
                board.prove_power_on(sensors)  # in SAFE too, which is where a defect may lead
        wanted, self._wanted_flow = self._wanted_flow, board.a.setpoints.wants_flow
        self._in_mode_ms = self._in_mode_ms + dt_ms if board.mode is self._last_mode else 0
        self._last_mode = board.mode
        if policy.armed:
            self._move_armed(withdrawn=wanted and not self._wanted_flow)
        elif policy.ending:
            if board.a.ending.step(dt_ms, sensors.suction_a_kpa, lease=board.a.lease.live):
                board.fire(Trigger.VENTED)
        elif policy.testing:
            self._move_testing(dt_ms, sensors)
        elif policy.booting and self._in_mode_ms >= BOOT_MS:
            board.fire(Trigger.BOOTED)

    def _move_armed(self, *, withdrawn: bool) -> None:
        board = self.board
        policy, switch = board.policy, board.a.switch
        if switch.newly_pressed:
            if allows(board.mode, Trigger.PRESS) and (policy.waiting or self._wanted_flow):
                board.fire(Trigger.PRESS)
        elif policy.valve and not switch.pressed:
            board.fire(Trigger.RELEASE)
        elif policy.valve and withdrawn:
            board.fire(Trigger.HOLD)
        elif policy.waiting and self._in_mode_ms > ARM_WAIT_MS:
            board.fire(Trigger.WAITED)

    def _move_testing(self, dt_ms: int, sensors: Sensors) -> None:
        board = self.board
        found = board.selftest.sample(dt_ms, sensors, released=board.a.switch.released)
        if found is None:
            return
        board.tested(found)
        if not found:
            board.fire(Trigger.PASSED)
            return
        board.token = 0
        board.selftest_failed = True
        board.log.add(board.tick_ms, LogCode.TRIP, Cause.SELF_TEST)
        board.fire(Trigger.FAILED)

    def _tell(self, sensors: Sensors) -> None:
        """Note the edges of lease, switch and contact, and show the lamp."""
        board = self.board
        switch = board.a.switch
        if self._leased and not board.a.lease.live:
            self._leased = False
            board.note("lease", state="lapsed")
        if switch.newly_pressed or switch.newly_released:
            board.log.add(board.tick_ms, LogCode.SWITCH, int(switch.pressed))
            board.note("switch", pressed=switch.pressed)
        if sensors.contact is not self._contact:
            self._contact = sensors.contact
            board.note("contact", on=sensors.contact)
        if board.awaits_safe:
            board.watch_safe(sensors)
        self.lamp = self._show()

    def _show(self) -> Lamp:
        policy = self.board.policy
        if policy.valve:
            return _ON
        if policy.latched:
            return Lamp.TRIP
        if not policy.armed:
            return _OFF
        may_press = policy.waiting or (
            self._wanted_flow and not self.board.a.switch.pressed  # held: let go first
        )
        return Lamp.READY if may_press else _OFF

    def _report(self, dt_ms: int) -> None:
        """Send TELEMETRY and STATUS when they are due, while there is a session."""
        self._telemetry_ms -= dt_ms
        self._status_ms -= dt_ms
        if self._telemetry_ms <= 0:
            self._telemetry_ms = TELEMETRY_MS + self._drawn_shift_ms()
            if self.link.session:
                said = reports.telemetry(self.board, self.link.last_request_seq)
                if self._write(self.link.send(said)):
                    self.board.a.setpoints.sent(said.tick_ms)
        if self._status_ms <= 0:
            self._status_ms = STATUS_MS
            self.board.settle()
            if self.link.session:
                self._write(self.link.send(reports.status(self.board, self.link.bad_frames)))

    def _drawn_shift_ms(self) -> int:
        """Return by how much the next TELEMETRY is off its usual distance.

        Half of them are sent a little after their beat, at random: a host that counts ticks by its
        own clock cannot know which tick was sent, and the echo of another one proves nothing.
        """
        if self._coins == 1:
            self._coins = _COINS | self.board.nonces() & (_COINS - 1)
        before_ms, self._shift_ms = self._shift_ms, (self._coins & 1) * TELEMETRY_SHIFT_MS
        self._coins >>= 1
        return self._shift_ms - before_ms

    def _write(self, data: bytes) -> bool:
        """Return whether there was room: whole frames are sent or none."""
        room = len(self._outgoing) + len(data) <= OUTGOING_MAX_BYTES
        if room:
            self._outgoing += data
        return room
