"""The real supervisor and the real firmware with a line between them that does what lines do.

One step is a beat of 50 ms: the device ticks and tells, the line does something to what it told,
the host hears, decides and writes, the line does something to that too, and the device takes it.
The valve follows its command, or is stuck open; suction is there as soon as the pump runs. Waits of
the host and long clocks of the device run out when it is decided that they do.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from controller.treatment.events import Begin, Command, Person
from controller.treatment.states import ENDED, LIVE, State
from firmware_protocol.catalogue import Direction
from firmware_protocol.link import RequestDone, session_number
from firmware_protocol.messages import Ident
from firmware_protocol.vocabulary import Capability, Mode
from qa.host import greeting
from qa.promise import clauses
from qa.promise.clauses import LIVE as TREATING
from qa.promise.clauses import NEVER_S, Flow, Lease, Observer, Reset, Stop, Way
from simulator.firmware.firmware import Firmware
from simulator.firmware.memory import Identity
from simulator.firmware.memory import Memory as Kept
from simulator.firmware.selftest import WINDOW_MS
from simulator.plant.signals import Sensors
from tests.proof.explore import clocks, host_clocks
from tests.proof.explore.clocks import BEAT_MS
from tests.proof.explore.host import BOOT_ID, HERE
from tests.proof.explore.host_clocks import Wait
from tests.proof.explore.line import Fate, carry, named
from tests.proof.explore.memory import Memory, Rule, Saved, skip
from tests.proof.explore.pair_steps import AWAY_RELEASED, ON_PRESSED, Beat, Hand, few, many
from tests.proof.explore.plan import SERIAL
from tests.proof.explore.promises import Asker
from tests.proof.explore.scenes import AWAY, FLOWING, RELEASED, SEALED, sample
from tests.proof.explore.search import Broken
from tests.proof.explore.shell import STALE_BEATS_MAX, Disk, Shell

BEAT_S: Final = BEAT_MS / 1000
NONCE: Final = 11
WINDOW_BEATS: Final = WINDOW_MS // BEAT_MS - 1
LEASED_BEATS: Final = 6  # the lease, a setpoint that was a beat late, and the beat of the tick
CAP_BEATS: Final = LEASED_BEATS + 1
PATIENCE_BEATS: Final = 40


_APART: Final = (clocks.APART - {"Link._asker"}) | {
    "Conduct.plan", "Preparation.jitter", "Supervisor._identity",
}  # fmt: skip


class Body:
    """Everything that a state consists of."""

    __slots__ = (
        "beat",
        "down",
        "firmware",
        "first",
        "opened",
        "second",
        "shell",
        "stopped_beats",
        "up",
    )  # fmt: skip

    def __init__(self, firmware: Firmware, shell: Shell) -> None:
        self.firmware = firmware
        self.shell = shell
        self.first, self.second = host_clocks.ledgers(shell.supervisor)
        self.beat = 0
        self.up = b""
        self.down = b""
        """Frames that are held on the line."""
        self.opened = False
        """The valve was commanded open in the beat before."""
        self.stopped_beats = 0
        """Since the host decided that the treatment is over."""


class PairWorld:
    """Host, line and device."""

    title = "the supervisor and the firmware with a line between them"

    def __init__(self, *, small: bool) -> None:
        self._asker = Asker(Observer.PAIR)
        self._nonces = count(1)
        self._beats = few() if small else many()
        self._body = self._connect()
        self._memory = Memory({}, frozenset())

    # -- what the search asks for ------------------------------------------------------------------
    @property
    def told(self) -> Counter[str]:
        """How often each rule was put to the test."""
        return self._asker.judge.checks

    def start(self) -> None:
        """Connect, and let somebody begin."""
        self._body = body = self._connect()
        body.shell.decide(Begin(HERE))
        body.shell.write(Disk.WELL)
        self._settle()
        self._memory = memory = Memory({}, _APART)
        device, host = body.firmware, body.shell.supervisor
        memory.rules.update(host_clocks.host_rules(host, memory))
        memory.rules.update(clocks.device_rules(device))
        memory.rules.update(self._own_rules(body))

    def actions(self) -> Sequence[Beat]:
        """Return every beat that may be next."""
        return () if self._body.shell.supervisor.state in ENDED and self._at_rest() else self._beats

    def perform(self, action: Beat) -> tuple[Broken, ...]:
        """Let a beat pass."""
        body = self._body
        firmware, shell = body.firmware, body.shell
        before = firmware.mode
        body.beat += 1
        now_s = body.beat * BEAT_S
        sensors = self._sensors(action.hand)
        clocks.run_out(firmware, action.clock, _window(action.hand))
        drives = firmware.tick(now_s, sensors)
        body.opened = drives.valve > 0.0
        arrived, body.up = carry(body.up, firmware.outgoing(), action.up)
        self._count()
        resetting = shell.supervisor.conduct.acknowledged
        host_clocks.run_out(shell.supervisor, action.wait)
        shell.try_again(for_the_last_time=action.wait is Wait.LATE)
        shell.hear(arrived, now_s)
        if action.person is not None:
            shell.decide(action.person)
        shell.write(action.disk)
        shell.beat()
        shell.write(action.disk)
        accepted = firmware.board.a.setpoints.loop_counter
        stops = shell.stopping is not None
        arrived, body.down = carry(body.down, shell.take(), action.down)
        ticked = firmware.mode
        firmware.receive(arrived, now_s)
        self._end_to_end(action.hand)
        self._settle()
        self._stream(accepted, action.wait)
        delivered = action.down is not Fate.LOST and action.down is not Fate.LATE
        if Mode.SAFE in (before, ticked) and firmware.mode is not Mode.SAFE:
            acknowledged = resetting or before is not Mode.SAFE
            disarmed = firmware.mode is Mode.DISARMED or ticked is not Mode.SAFE
            self._asker.ask(clauses.RESET, Reset(acknowledged=acknowledged, disarmed=disarmed))
        if stops and delivered:
            self._asker.ask(clauses.STOP, Stop(over=firmware.mode not in TREATING))
        return self._asker.found(self.family())

    def probe(self) -> tuple[Broken, ...]:
        """Ask L1 where both wait for a press, and L2 where both are tripped."""
        body = self._body
        host, device = body.shell.supervisor.state, body.firmware
        quiet = not (body.up or body.down) and body.shell.beats_deaf == 0
        leased = device.board.a.lease.left_ms(device.board.tick_ms) > 2 * BEAT_MS
        if host is State.ARMED and device.mode is Mode.ARMED and quiet and leased:
            return self._reaches_active()
        if host is State.TRIPPED and device.board.policy.latched and not device.board.locked:
            return self._can_be_reset()
        return ()

    def save(self) -> Saved:
        """Return the present state."""
        return self._memory.save(self._body)

    def load(self, saved: Saved) -> None:
        """Go back to a state."""
        self._memory.load(saved)

    def name(self) -> Hashable:
        """Return the name of the present state."""
        body = self._body
        up = named(body.up, Direction.TO_HOST, body.shell.link)
        down = named(body.down, Direction.TO_DEVICE, body.firmware.link)
        return self._memory.name(body), up, down, body.shell.waiting()

    def family(self) -> str:
        """Return what both believe."""
        body = self._body
        return f"{body.shell.supervisor.state.name}/{body.firmware.mode.name}"

    # -- the beat ----------------------------------------------------------------------------------
    def _sensors(self, hand: Hand) -> Sensors:
        body = self._body
        odd = bool(body.beat % 2)
        opened = body.opened or hand.stuck
        flowing = replace(sample(FLOWING, hand.grip, odd=odd), contact=hand.on_skin)
        if opened:
            return flowing
        return sample(SEALED if hand.on_skin else AWAY, hand.grip, odd=odd)

    def _count(self) -> None:
        body = self._body
        shell = body.shell
        shell.wished_beats = min(shell.wished_beats + 1, CAP_BEATS)
        over = shell.supervisor.state not in LIVE
        body.stopped_beats = min(body.stopped_beats + 1, CAP_BEATS) if over else 0

    def _end_to_end(self, hand: Hand) -> None:
        body = self._body
        waited = body.stopped_beats >= LEASED_BEATS
        if body.opened:
            works_s = 0.0 if hand is ON_PRESSED else NEVER_S
            lease_left_ms = (LEASED_BEATS + 1 - body.shell.wished_beats) * BEAT_MS
            flow = Flow(
                lease_left_ms=lease_left_ms, switch_s=works_s, skin_s=works_s, asked=not waited
            )
            self._asker.ask(clauses.FLOW, flow)
        if waited and self._silent():
            unarmed = body.firmware.mode not in TREATING
            self._asker.ask(clauses.LEASE, Lease(-NEVER_S, unarmed=unarmed))

    def _silent(self) -> bool:
        return self._body.shell.supervisor.state in ENDED | {State.TRIPPED}

    def _settle(self) -> None:
        body = self._body
        clocks.settle(body.firmware)
        if clocks.is_idle(body.firmware):
            clocks.lapse(body.firmware)
        if body.firmware.mode not in TREATING:
            body.shell.wished_beats = CAP_BEATS
        host_clocks.settle(body.shell.supervisor)

    def _stream(self, accepted: int | None, wait: Wait) -> None:
        """Keep the stream as healthy as it was while setpoints come, and let it become so."""
        firmware = self._body.firmware
        if not clocks.may_arm(firmware):
            return
        board = firmware.board
        came = board.a.setpoints.loop_counter != accepted
        if came and (wait is Wait.ENOUGH or board.a.setpoints.healthy(board.tick_ms)):
            clocks.stream_stands(firmware)
        else:
            clocks.stream_broke(firmware)

    def _at_rest(self) -> bool:
        body = self._body
        return body.firmware.mode in (Mode.DISARMED, Mode.SAFE) and not (body.up or body.down)

    # -- what must be possible ---------------------------------------------------------------------
    def _reaches_active(self) -> tuple[Broken, ...]:
        self.perform(Beat(AWAY_RELEASED))
        for _ in range(PATIENCE_BEATS):
            self.perform(Beat(ON_PRESSED))
            if self._body.opened:
                break
        self._asker.ask(clauses.TO_WORK, Way(self._body.opened))
        return self._asker.found(self.family())

    def _can_be_reset(self) -> tuple[Broken, ...]:
        for _ in range(PATIENCE_BEATS // 2):
            self.perform(Beat(AWAY_RELEASED))
        self.perform(Beat(AWAY_RELEASED, person=Person(Command.ACK, HERE)))
        self.perform(Beat(AWAY_RELEASED, person=Person(Command.RESET, HERE)))
        for _ in range(PATIENCE_BEATS // 2):
            self.perform(Beat(AWAY_RELEASED))
        body = self._body
        cleared = body.shell.supervisor.state is State.CLEARED
        disarmed = body.firmware.mode is Mode.DISARMED
        self._asker.ask(clauses.WAY_BACK, Way(cleared and disarmed))
        return self._asker.found(self.family())

    # -- inside ------------------------------------------------------------------------------------
    def _connect(self) -> Body:
        capabilities = Capability.SIMULATED | Capability.MOTION_SENSOR
        identity = Identity(SERIAL, BOOT_ID, capabilities)
        well = [sample(AWAY, RELEASED, odd=odd) for odd in (False, True)]
        firmware = Firmware(identity, self._nonces.__next__, well[0], Kept())
        shell = Shell()
        body = Body(firmware, shell)
        while firmware.mode is Mode.BOOT:
            body.beat += 1
            firmware.tick(body.beat * BEAT_S, well[body.beat % 2])
        now_s = body.beat * BEAT_S
        shell.link.request(greeting(NONCE), now_s)
        firmware.receive(shell.link.outgoing(), now_s)
        for event in shell.link.receive(firmware.outgoing(), now_s):
            if isinstance(event, RequestDone) and isinstance(event.reply, Ident):
                session = session_number(NONCE, event.reply.device_nonce)
                shell.link.open_session(session, now_s)
        return body

    def _own_rules(self, body: Body) -> dict[str, Rule]:
        shell, board = body.shell, body.firmware.board

        def steps_of(rows: list[int]) -> Hashable:
            acts = shell.supervisor.conduct.acts
            return tuple(acts.open[number].step for number in rows)

        def deaf(beats: int) -> Hashable:
            return beats if shell.listens() else beats >= STALE_BEATS_MAX

        return {
            "Body.beat": skip,
            "Body.first": skip,
            "Body.second": skip,
            "Body.up": skip,
            "Body.down": skip,
            "Shell.asked": skip,
            "Shell.rows": steps_of,
            "Shell.counter": skip,
            "Shell.link": skip,
            "Shell.now_s": skip,
            "Shell.written": skip,
            "Shell.beats_deaf": deaf,
            "Shell.tick_ms": lambda tick_ms: (
                tick_ms is not None
                and shell.listens()
                and min((board.tick_ms - tick_ms) // BEAT_MS, 3)
            ),
            "Preparation.token": lambda token: token == board.token,
        }


def _window(hand: Hand) -> tuple[Sensors, ...]:
    scene = SEALED if hand.on_skin else AWAY
    beats = range(WINDOW_BEATS)
    return tuple(sample(scene, hand.grip, odd=bool(number % 2)) for number in beats)
