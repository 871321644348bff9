"""An honest host and operator who keep trying to treat while the line is under fire.

Without them a fuzz never sees an armed device. They know everything about the device, so that they
find their way back into the conversation after each forged frame: a scripted host on a `Link` would
be out of step with it for ever. They steer towards a goal mode and hold it there.
"""

import random
from typing import TYPE_CHECKING, Final

from firmware_protocol.codec import encode
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.messages import Arm, Message, Reset, SelfTest, Stop
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from qa.host import CONFIG, Wishes, greeting
from simulator.plant.hand import AWAY, Grip
from tests.proof.fuzz.frames import CALM, Insight
from tests.proof.fuzz.witness import SteeredHand, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRIES_MAX: Final = 3  # armings that were refused, until a new session is opened
SLOW_SHARE: Final = 0.95
ASK_PERIOD_S: Final = 0.020  # one-shots; each is answered at once
PRESS_AFTER_S: Final = 0.050  # released for as long before it is pressed anew
STROKING: Final = Grip(switch_pressed=True, on_skin=True, seal=0.985, speed_mm_per_s=30.0)
RESTING: Final = STROKING._replace(switch_pressed=False)
LIFTED: Final = AWAY._replace(switch_pressed=True)
STILL: Final = STROKING._replace(speed_mm_per_s=0.0)
_U16: Final = 0xFFFF
_HABITS: Final = ((0.004, LIFTED, 0.3), (0.0015, RESTING, 0.2), (0.0003, STILL, 3.0))
"""Chance in each tick, what the hand does then, and for how many seconds at most."""
_HEIGHT: Final = {
    Mode.DISARMED: 1, Mode.SELFTEST: 2, Mode.READY: 3, Mode.ARMED: 4, Mode.ACTIVE: 5,
    Mode.PAUSED: 5,
}  # fmt: skip
_TOP: Final = 9
"""How far up towards flowing crystals a mode is; a goal below needs a STOP first."""
_NEVER_S: Final = -1e9


class HonestHost:
    """Steers one device."""

    def __init__(self, witness: Witness, hand: SteeredHand, chance: random.Random) -> None:
        self.goal = Mode.ACTIVE
        self.frames = 0
        self.streaming = True
        self.mood = CALM
        self.fidgets = False
        """The operator presses when nothing is armed, and is late to let go."""
        self.impatient = False
        """Asks to arm before the stream is healthy, and with the switch pressed."""
        self._witness = witness
        self._hand = hand
        self._chance = chance
        self._next_setpoint_s = 0.0
        self._next_ask_s = 0.0
        self._busy_until_s = _NEVER_S
        self._released_s = 0.0
        self._tries = 0
        self._step: Mapping[Mode, Callable[[float], None]] = {
            Mode.DISARMED: self._from_disarmed,
            Mode.READY: self._from_ready,
            Mode.ARMED: self._from_armed,
            Mode.ACTIVE: self._from_active,
            Mode.PAUSED: self._press_anew,
            Mode.SAFE: self._from_safe,
        }

    def insight(self) -> Insight:
        """Return all that there is to know."""
        ledger, board = self._witness.ledger, self._witness.device.firmware.board
        return Insight(
            ledger.session,
            ledger.seen_seq,
            ledger.seen_request,
            ledger.loop_counter or 0,
            ledger.newest_tick,
            ledger.config.treatment,
            ledger.token,
            board.cause,
            board.policy.armed,
            tuple(ledger.told_ticks),
        )

    def act(self) -> list[bytes]:
        """Move the hand, and return what to send in this tick towards the goal."""
        self._said: list[bytes] = []
        now_s = self._witness.device.now_s
        if not self._hand.grip.switch_pressed:
            self._released_s += 0.005
        else:
            self._released_s = 0.0
        self._stream(now_s)
        mode = self._witness.mode
        step = self._step.get(mode)
        if _HEIGHT.get(self.goal, _TOP) < _HEIGHT.get(mode, 0):
            step = self._go_down
        if mode not in (Mode.ACTIVE, Mode.PAUSED, Mode.ARMED):
            self._rest(now_s)
        if step is not None:
            step(now_s)
        self.frames += len(self._said)
        return self._said

    # -- one step from each mode -------------------------------------------------------------------
    def _from_disarmed(self, now_s: float) -> None:
        if self.goal is Mode.DISARMED or now_s < self._next_ask_s:
            return
        ledger = self._witness.ledger
        if ledger.session == 0:
            self._greet(now_s)
        elif ledger.config != CONFIG:
            self._ask(CONFIG, now_s)
        else:
            self._ask(SelfTest(), now_s)

    def _go_down(self, now_s: float) -> None:
        if now_s >= self._next_ask_s:
            kind = self._chance.choice(tuple(StopKind))
            self._send(encode(Stop(kind), 0, 0), now_s)

    def _greet(self, now_s: float) -> None:
        hello = greeting(self._chance.getrandbits(32))
        self._send(encode(hello, 0, self._chance.randrange(1, _U16)), now_s)

    def _from_ready(self, now_s: float) -> None:
        ledger = self._witness.ledger
        if self.goal is Mode.READY or now_s < self._next_ask_s:
            return
        if self._tries >= TRIES_MAX:
            self._tries = 0
            self._greet(now_s)  # the line was too noisy in this session
        elif ledger.token == 0:
            self._ask(SelfTest(), now_s)
        elif self.impatient or ledger.healthy(now_s * 1000):
            self._tries += ledger.healthy(now_s * 1000)
            self._ask(Arm(ledger.token, ledger.config.treatment), now_s)

    def _from_armed(self, now_s: float) -> None:
        if self.goal is not Mode.ARMED:
            self._press_anew(now_s)

    def _press_anew(self, now_s: float) -> None:
        if self.goal is Mode.PAUSED and self._witness.mode is Mode.PAUSED:
            self._hold(RESTING, now_s)
            return
        if now_s < self._busy_until_s:
            return
        if self.fidgets and self._hand.grip.switch_pressed and self._chance.random() < SLOW_SHARE:
            return  # not let go yet
        self._hold(STROKING if self._released_s > PRESS_AFTER_S else RESTING, now_s)
        if self._hand.grip.switch_pressed:
            self._busy_until_s = now_s + 2 * PRESS_AFTER_S

    def _from_active(self, now_s: float) -> None:
        if self.goal is Mode.PAUSED:
            self._hold(RESTING, now_s)
        elif self.goal is Mode.STOPPING:
            self._send(encode(Stop(StopKind.NORMAL), 0, 0), now_s)
        elif self.goal is Mode.SAFE:
            self.streaming = False
        elif now_s >= self._busy_until_s:
            self._stroke(now_s)

    def _from_safe(self, now_s: float) -> None:
        self.streaming = True
        if (
            self.goal is not Mode.SAFE
            and now_s >= self._next_ask_s
            and self._witness.ledger.session
        ):
            self._ask(Reset(self._witness.device.firmware.board.cause), now_s)
        elif self._witness.ledger.session == 0:
            self._from_disarmed(now_s)

    def _rest(self, now_s: float) -> None:
        """Put it down, or fumble with it."""
        if self.impatient and self._witness.mode is Mode.READY:
            self._hold(self._chance.choice((AWAY, LIFTED)), now_s)
        elif not self.fidgets or self._witness.mode is Mode.SELFTEST:
            self._hold(AWAY, now_s)  # a pressed switch fails every self-test
        elif now_s >= self._busy_until_s:
            self._hold(self._chance.choice((AWAY, AWAY, AWAY, LIFTED, STROKING)), now_s)
            self._busy_until_s = now_s + self._chance.uniform(0.02, 0.5)

    def _stroke(self, now_s: float) -> None:
        for share, grip, longest_s in _HABITS:
            if self._chance.random() < share:
                self._hold(grip, now_s)
                self._busy_until_s = now_s + self._chance.uniform(0.02, longest_s)
                return
        self._hold(STROKING, now_s)

    # -- hand and line -----------------------------------------------------------------------------
    def _hold(self, grip: Grip, now_s: float) -> None:
        if grip is not self._hand.grip:
            self._hand.take(grip, now_s)

    def _stream(self, now_s: float) -> None:
        ledger = self._witness.ledger
        if now_s < self._next_setpoint_s or not (ledger.session and self.streaming):
            return
        self._next_setpoint_s = now_s + SETPOINT_PERIOD_S - 1e-6
        wishes = Wishes(
            self.mood.suction_pa, self.mood.flow_mg_per_min, Wish.ALL, ledger.config.treatment,
            self.mood.left_mg, lease_ms=self._chance.choice((150, 200, 200, 200, 500)),
        )  # fmt: skip
        counter = ((ledger.loop_counter or 0) + 1) & _U16
        message = wishes.setpoint(counter, ledger.newest_tick)
        self._said.append(encode(message, ledger.session, ledger.seen_seq % _U16 + 1))

    def _ask(self, message: Message, now_s: float) -> None:
        ledger = self._witness.ledger
        self._send(encode(message, ledger.session, ledger.seen_request % _U16 + 1), now_s)

    def _send(self, data: bytes, now_s: float) -> None:
        self._next_ask_s = now_s + ASK_PERIOD_S
        self._said.append(data)
