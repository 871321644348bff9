"""A unit on the bench: how a case brings it from wherever it is to where the rule can be seen.

Every step that a unit must allow is checked on the way, so that a case that cannot begin fails with
the sentence of the step and not with a silence later.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from firmware_protocol.codec import encode
from firmware_protocol.frame import DELIMITER
from firmware_protocol.messages import (
    Arm,
    Config,
    Ident,
    Message,
    Reset,
    Result,
    SelfTest,
    Status,
    Stop,
    Stopped,
    Telemetry,
)
from firmware_protocol.vocabulary import Cause, Mode, Outcome, Refusal, StopKind, Wish
from qa.conformance.peer import MS_PER_S, Peer
from qa.conformance.verdicts import NonconformityError, UnitLostError, expect

TREATMENT: Final = 0x0C0FFEE0
SUCTION_PA: Final = 20_000
FLOW_MG_PER_MIN: Final = 4_000
SUCTION_MIN_PA: Final = 8_000
TIP_DEFAULT: Final = 1
MARGIN_DEFAULT_S: Final = 0.040
"""What a report of 20 ms, the line and the reading process may add to a time that is measured."""
SELF_TEST_MAX_S: Final = 5.0  # up to 2 s of venting and a window of samples
STREAM_S: Final = 1.05  # after so long 18 setpoints of the last second can have been accepted
ENDING_MAX_S: Final = 6.0  # purge of 2 s, vent of at most 2 s
LATE_LOOK_S: Final = 0.010
CALM_MAX_S: Final = 3.0  # from a stop to a mode that allows a session
VALVE_OPEN_PERCENT: Final = 10
WHY_PRESSED: Final = (
    "the hand switch was pressed where the case needs it released; keep hands off, or serve the "
    "simulator with --hand absent"
)


def is_open(seen: Telemetry) -> bool:
    """True where the valve is certainly off its seat."""
    return seen.valve_percent > VALVE_OPEN_PERCENT


class Control(Protocol):
    """A hand and faults that a case can ask for; the simulator's control channel is one."""

    async def do(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do one request and return its answer; UnitLostError where nobody answers."""


class Bench:
    """One unit, its line, and where there is one its control channel."""

    def __init__(
        self,
        peer: Peer,
        control: Control | None = None,
        *,
        tip: int = TIP_DEFAULT,
        margin_s: float = MARGIN_DEFAULT_S,
    ) -> None:
        self.peer = peer
        self.control = control
        self.tip = tip
        self.margin_s = margin_s
        self.token = 0
        self.late_s = 0.0
        """How late this process was at most, since `watch_lateness`."""
        self._watch: asyncio.TimerHandle | None = None

    # -- this process ------------------------------------------------------------------------------
    def watch_lateness(self) -> None:
        """Begin to measure how late this process is: its own delay is no fault of the unit."""
        self.end_watch()
        self.late_s = 0.0
        self._look(asyncio.get_running_loop().time())

    def end_watch(self) -> None:
        """Stop measuring."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self, due_s: float) -> None:
        loop = asyncio.get_running_loop()
        self.late_s = max(self.late_s, loop.time() - due_s)
        due_s = loop.time() + LATE_LOOK_S
        self._watch = loop.call_at(due_s, self._look, due_s)

    # -- the hand and the faults -------------------------------------------------------------------
    async def hand(self, *actions: str) -> float:
        """Let the hand do these, and return when the last one was asked for."""
        asked_s = self.peer.now_s
        for action in actions:
            asked_s = self.peer.now_s
            await self._do({"do": "hand", "action": action})
        return asked_s

    async def fault(self, name: str, *, clear: bool = False) -> float:
        """Break or mend something, and return when it was asked for."""
        asked_s = self.peer.now_s
        await self._do({"do": "fault", "name": name, "clear": clear})
        return asked_s

    async def _do(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.control is None:
            raise UnitLostError("this case needs a control channel")
        reply = await self.control.do(request)
        if not reply.get("ok"):
            raise UnitLostError(f"the control channel refused {request}: {reply.get('error')}")
        return reply

    # -- from anywhere to a fresh session ----------------------------------------------------------
    async def fresh(self) -> Ident:
        """Bring the unit to DISARMED in a new session, whatever it was doing."""
        peer = self.peer
        peer.stop_stream()
        peer.wishes = type(peer.wishes)(treatment=TREATMENT)
        await self._let_go()
        await self.stop(StopKind.EMERGENCY)
        ident = await peer.hello()
        _, seen = await peer.telemetry("no telemetry after HELLO", lambda _: True)
        if seen.mode == Mode.SAFE:
            await self.reset(Cause(seen.cause))
        await self.mode(Mode.DISARMED, CALM_MAX_S)
        peer.strange.clear()
        peer.heard.clear()
        return ident

    async def _let_go(self) -> None:
        if self.control is None:
            return
        state = await self._do({"do": "state"})
        for name in state.get("faults", ()):
            await self.fault(str(name), clear=True)
        await self.hand("release", "lift")

    async def reset(self, cause: Cause) -> None:
        """Leave SAFE; UnitLostError where the unit is locked or the cause does not go away."""
        end_s = self.peer.now_s + CALM_MAX_S
        while True:
            refusal = await self.outcome(Reset(cause))
            if refusal is Refusal.NONE:
                return
            if refusal is Refusal.LOCKED or self.peer.now_s > end_s:
                raise UnitLostError(
                    f"the unit stays in SAFE with {cause.name}, RESET is refused with "
                    f"{refusal.name}; switch it off and on and start anew"
                )
            await asyncio.sleep(0.1)

    # -- one-shots ---------------------------------------------------------------------------------
    async def outcome(self, message: Message, seq: int | None = None) -> Refusal:
        """Send a one-shot and return why it was refused; NONE where it was done."""
        return (await self.result(message, seq))[0]

    async def result(self, message: Message, seq: int | None = None) -> tuple[Refusal, int]:
        """Send a one-shot and return refusal and detail."""
        answer = await self.peer.ask(message, seq)
        if not isinstance(answer, Result):
            raise NonconformityError(f"{type(message).__name__} was answered with {answer}")
        done = answer.outcome == Outcome.DONE
        expect(done is (answer.refusal == Refusal.NONE), f"outcome and refusal differ in {answer}")
        return Refusal(answer.refusal), answer.detail

    async def done(self, message: Message) -> int:
        """Send a one-shot that must be done, and return its detail."""
        refusal, detail = await self.result(message)
        name = type(message).__name__.upper()
        expect(refusal is Refusal.NONE, f"{name} was refused with {refusal.name}")
        return detail

    def config(self, **changes: int) -> Config:
        """Return a configuration of this kit's treatment, with changes."""
        usual = Config(TREATMENT, SUCTION_PA, FLOW_MG_PER_MIN, SUCTION_MIN_PA, self.tip)
        return usual._replace(**changes)

    # -- on the way to flow ------------------------------------------------------------------------
    async def configured(self) -> None:
        """A fresh session with a configuration."""
        await self.fresh()
        await self.done(self.config())

    async def ready(self) -> None:
        """Configured, streaming and through the self-test."""
        await self.configured()
        self.peer.start_stream()
        self.token = await self.done(SelfTest())
        await self.mode(Mode.READY, SELF_TEST_MAX_S)

    async def armed(self, *, wish: int = Wish.PUMP) -> None:
        """Armed, with the switch released."""
        began_s = self.peer.now_s
        await self.ready()
        self.peer.wishes.suction_pa = SUCTION_PA
        self.peer.wishes.flow_mg_per_min = FLOW_MG_PER_MIN
        self.peer.wishes.wish = wish
        end_s = began_s + SELF_TEST_MAX_S + 2 * STREAM_S
        while True:
            refusal = await self.outcome(Arm(self.token, TREATMENT))
            if refusal is Refusal.NONE:
                break
            expect(refusal is not Refusal.SWITCH_PRESSED, WHY_PRESSED)
            waiting = refusal is Refusal.STREAM_NOT_HEALTHY and self.peer.now_s < end_s
            expect(waiting, f"ARM was refused with {refusal.name}")
            await asyncio.sleep(0.1)
        _, seen = await self.peer.telemetry("no telemetry after ARM", lambda _: True)
        expect(seen.mode != Mode.ACTIVE, WHY_PRESSED)
        expect(seen.mode == Mode.ARMED, f"the unit says {Mode(seen.mode).name} after ARM")

    async def active(self) -> None:
        """Armed, pressed, on skin, and crystals flow."""
        await self.armed(wish=Wish.ALL)
        await self.hand("place", "press")
        await self.peer.telemetry("the valve does not open", is_open, 3.0)

    # -- looking -----------------------------------------------------------------------------------
    async def mode(self, mode: Mode, max_s: float = 1.0) -> tuple[float, Telemetry]:
        """Wait for a mode."""
        return await self.peer.telemetry(
            f"the unit does not come to {mode.name}", lambda seen: seen.mode == mode, max_s
        )

    async def shut_after(self, since_s: float) -> float:
        """Return how long after ``since_s`` the unit showed its valve shut."""
        at_s, _ = await self.peer.telemetry("the valve stays open", lambda t: t.valve_percent <= 1)
        return at_s - since_s

    async def status(self) -> Status:
        """Wait for the next STATUS of this session."""
        mark, peer = self.peer.mark, self.peer
        return await peer.until(
            "no STATUS came",
            lambda: next(
                (m for _, f, m in peer.since(mark, Status) if f.session == peer.session), None
            ),
        )

    # -- stopping ----------------------------------------------------------------------------------
    async def stop(self, kind: StopKind, *, session: int | None = None) -> Stopped:
        """Send STOP until it is answered."""
        peer = self.peer
        wire = DELIMITER + encode(Stop(kind), peer.session if session is None else session, 0)
        mark = peer.mark
        for _ in range(25):
            peer.write(wire)
            try:
                return await peer.until(
                    "", lambda: next((m for _, _, m in peer.since(mark, Stopped)), None), 0.040
                )
            except NonconformityError:
                continue
        raise NonconformityError("STOP was not answered with STOPPED in 25 tries")

    def within(self, took_s: float, budget_s: float, what: str) -> None:
        """Check a time that was measured from the wire."""
        limit_s = budget_s + self.margin_s
        expect(
            took_s <= limit_s,
            f"{what} took {took_s * MS_PER_S:.0f} ms from the wire, and may take "
            f"{limit_s * MS_PER_S:.0f}",
        )
