"""The handpiece as the kernel sees it: identity, one-shots, the lease, readings, and the stop."""

import asyncio
import math
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from controller.device import translation
from controller.device.answers import (
    Answer,
    DeviceError,
    EchoError,
    LinkNews,
    LinkState,
    SilentError,
    StopReport,
    StreamLostError,
    Told,
    UnitBusyError,
    Witnessed,
)
from controller.device.backoff import Backoff
from controller.device.driver import LinkDriver, Reply
from controller.device.greeting import check_greeting, hello, identity_of
from controller.device.stopping import StopPath
from controller.device.timers import armed_s
from controller.device.transport import OpenStream, Rank
from controller.safety.interlocks import LOOP_STALL_MAX_S
from controller.safety.reading import Identity, Reading, Supplies
from firmware_protocol.envelope import LEASE_DEFAULT_MS
from firmware_protocol.link import Event, FrameRejected, MessageReceived, session_number
from firmware_protocol.messages import (
    Arm,
    Config,
    Ident,
    LogRead,
    LogRecord,
    Message,
    Reset,
    Result,
    SelfTest,
    Setpoint,
    Status,
    Stop,
    Stopped,
    Telemetry,
    WitnessHead,
    WitnessKeep,
    check_value,
    g_per_min_to_mg_per_min,
    kpa_to_pa,
)
from firmware_protocol.schema import SINCE
from firmware_protocol.vocabulary import Cause, Mode, Outcome, Refusal, StopKind, Wish

if TYPE_CHECKING:
    from firmware_protocol.errors import Reject

SILENCE_MAX_S: Final = 1.0  # 50 telemetry frames: the unit is off, was reset, or the line is cut
READ_FIRST_S: Final = 0.1
"""After a time in which this process did not run: what the unit sent meanwhile is read first."""
READ_FIRST_MAX: Final = 3
"""So often in a row; then a silence counts, however badly this computer keeps time."""
HELLOS_MAX: Final = 2  # each is tried 5 times in 0.775 s, and a unit that boots hears none of them
BUSY_WAIT_MAX_S: Final = 1.0  # an armed session without a host lapses within 0.25 s
BUSY_PAUSE_S: Final = 0.1

NonceSource = Callable[[], int]
fresh_nonce: NonceSource = partial(secrets.randbits, 32)


class Holding(Protocol):
    """What the outputs shall do from now; the supervisor's Hold action is one."""

    @property
    def suction_kpa(self) -> float:
        """Suction to hold."""

    @property
    def flow_g_per_min(self) -> float:
        """Crystal flow to hold."""

    @property
    def wish(self) -> Wish:
        """Which outputs are wanted at all."""

    @property
    def exposure_left_mg(self) -> int:
        """Crystals that may still flow in this zone."""


def _ignore_reading(_reading: Reading) -> None:
    """Take no notice."""


def _ignore_news(_news: LinkNews) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom the client tells, synchronously, in the callback that read the bytes."""

    on_reading: Callable[[Reading], None] = _ignore_reading
    on_link: Callable[[LinkNews], None] = _ignore_news


class HandpieceClient:
    """One unit behind one port; the port may come and go, the unit stays the same."""

    def __init__(
        self,
        open_stream: OpenStream,
        listeners: Listeners,
        *,
        serial: int | None = None,
        backoff: Backoff | None = None,
        nonces: NonceSource = fresh_nonce,
    ) -> None:
        """Make a client for the unit ``serial``, or for the first one that answers."""
        self.state = LinkState.DISCONNECTED
        self.identity: Identity | None = None
        self.newest: Reading | None = None
        """The newest reading of this session; None before the first."""
        self.rejects: Counter[Reject] = Counter()
        """Frames that were not used, by reason, since the client was made."""
        self.round_trip_s: float | None = None
        """Of the newest one-shot of this session that was answered."""
        self.trouble: DeviceError | None = None
        """What keeps this client from its unit; None while it is identified."""
        self._serial = serial
        self._listeners = listeners
        self._backoff = backoff or Backoff()
        self._nonces = nonces
        self._driver = LinkDriver(open_stream, self._heard, self._lost)
        self._stops = StopPath(self._write_stop)
        self._supplies: Supplies | None = None
        self._fallen = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None
        self._look_s = math.inf
        """When the next look for a silence is due."""
        self._late_looks = 0
        self._told: LinkNews | None = None

    # -- connecting --------------------------------------------------------------------------------
    async def connect(self) -> Identity:
        """Open the port, say HELLO, check version and serial number. Raises DeviceError."""
        try:
            await self._driver.open()
            self._change(LinkState.CONNECTED, "the port is open")
            self._stops.repeat()  # one that still waits for its proof goes before HELLO
            ident = await self._greet()
        except BaseException as error:
            self._hang_up()
            if isinstance(error, DeviceError):
                self.trouble = error
            self._change(LinkState.DISCONNECTED, str(error) or "given up")
            raise
        self.identity = identity_of(ident)
        self._serial = ident.serial
        self.trouble = None
        self._fallen.clear()
        self._watch_silence()
        self._change(LinkState.IDENTIFIED, f"unit {ident.serial} answered")
        return self.identity

    async def stay_connected(self) -> None:
        """After every loss find the same unit again; run as a task. Raises when given up."""
        while True:
            await self._fallen.wait()
            await self._reconnect()

    async def close(self) -> None:
        """Close the port; no STOP is sent."""
        self._stops.close()
        self._hang_up()
        self._change(LinkState.DISCONNECTED, "closed")

    # -- one-shots ---------------------------------------------------------------------------------
    async def configure(self, config: Config) -> Answer:
        """Tell the unit what this treatment may use; FAILED when it says back something else."""
        answer = await self._ask(config)
        if answer.done and answer.detail != check_value(config):
            return Answer(Told.FAILED, Refusal.NOT_CONFIGURED, answer.detail)
        return answer

    async def self_test(self) -> Answer:
        """Let the unit prove itself; the detail is the arm token."""
        return await self._ask(SelfTest())

    async def arm(self, token: int, treatment: int) -> Answer:
        """Arm the treatment."""
        return await self._ask(Arm(token, treatment))

    async def reset(self, cause: Cause) -> Answer:
        """Let the unit leave SAFE, for the cause that a local person has acknowledged."""
        return await self._ask(Reset(cause))

    async def log_record(self, record_seq: int) -> LogRecord | None:
        """Return a record of the unit's event log; None where it did not answer with one."""
        message = (await self._request(LogRead(record_seq))).message
        return message if isinstance(message, LogRecord) else None

    @property
    def witnesses(self) -> bool:
        """True while a session is open whose minor version has the messages of a witness."""
        is_open = self.state is LinkState.IDENTIFIED
        return is_open and self._driver.link.minor >= SINCE[WitnessKeep]

    async def witness_keep(self, journal: str, row: int, row_hash: str, *, decided: bool) -> Answer:
        """Let the unit keep the newest row of a journal; only where it ``witnesses``."""
        return await self._ask(translation.witness_keep_of(journal, row, row_hash, decided=decided))

    async def witness_ask(self, journal: str) -> Witnessed | None:
        """Return what the unit keeps of a journal; None where it did not answer."""
        message = (await self._request(translation.witness_ask_of(journal))).message
        return translation.witnessed_of(message) if isinstance(message, WitnessHead) else None

    # -- the lease and the stop --------------------------------------------------------------------
    def setpoint(
        self, hold: Holding, treatment: int, loop_counter: int, lease_ms: int = LEASE_DEFAULT_MS
    ) -> bool:
        """Write one SETPOINT now; False without a session, or without a tick of it to echo.

        LocalProtocolError for a value outside of the envelope: no such frame is written.
        """
        newest = self.newest
        if newest is None or self.state is not LinkState.IDENTIFIED:
            return False
        message = Setpoint(
            lease_ms=lease_ms,
            loop_counter=loop_counter,
            echo_tick_ms=newest.tick_ms,
            suction_pa=kpa_to_pa(hold.suction_kpa),
            flow_mg_per_min=g_per_min_to_mg_per_min(hold.flow_g_per_min),
            wish=int(hold.wish),
            treatment=treatment,
            exposure_left_mg=hold.exposure_left_mg,
        )
        return self._driver.send(message, Rank.NEWEST)

    def stop(self, kind: StopKind) -> asyncio.Future[StopReport]:
        """Write STOP before returning; the future tells how it ended. Need not be awaited."""
        return self._stops.stop(kind)

    @property
    def heard_at_s(self) -> float:
        """When the newest frame of a session with the unit was used; before one for ever ago."""
        return self._driver.heard_at_s

    @property
    def stopping(self) -> bool:
        """True while a stop waits for the unit to show that it is safe."""
        return self._stops.pending

    @property
    def bad_frames(self) -> int:
        """Corrupt frames of this session, as the host counted them."""
        return self._driver.link.bad_frames

    def limit_exceeded(self) -> bool:
        """True when the error limiter says that the line is too noisy to treat over."""
        return self._driver.link.limit_exceeded(asyncio.get_running_loop().time())

    # -- inside ------------------------------------------------------------------------------------
    async def _greet(self) -> Ident:
        loop = asyncio.get_running_loop()
        patience_s = loop.time() + BUSY_WAIT_MAX_S
        while True:
            nonce = self._nonces()
            ident = await self._say_hello(nonce)
            try:
                check_greeting(ident, self._serial)
            except UnitBusyError:
                if loop.time() >= patience_s:
                    raise
                await asyncio.sleep(BUSY_PAUSE_S)
            else:
                if self._driver.echoes:
                    raise EchoError(
                        f"unit {ident.serial} answers, and our own frames come back beside its own",
                        "switch off the echo of the adapter, or take the loop out of the cable",
                    )
                session = session_number(nonce, ident.device_nonce)
                self._driver.begin(session, ident.minor)
                return ident

    async def _say_hello(self, nonce: int) -> Ident:
        for _ in range(HELLOS_MAX):
            reply = (await self._driver.request(hello(nonce), resolve=False)).message
            if isinstance(reply, Ident):
                return reply
        raise SilentError("nobody answered HELLO", "see what `corneum doctor` finds there")

    async def _reconnect(self) -> None:
        problem: DeviceError = SilentError("the unit is not looked for", "connect it by hand")
        for pause_s in self._backoff.pauses_s():
            await asyncio.sleep(pause_s)
            try:
                await self.connect()
            except DeviceError as error:
                problem = error
            else:
                return
        raise problem

    async def _ask(self, message: Message) -> Answer:
        answer, executed = await self._request(message)
        if isinstance(answer, Result):
            told = Told.DONE if answer.outcome == Outcome.DONE else Told.FAILED
            return Answer(told, Refusal(answer.refusal), answer.detail, told is Told.DONE)
        return Answer(Told.UNKNOWN, executed=executed)

    async def _request(self, message: Message) -> Reply:
        if self.state is not LinkState.IDENTIFIED:
            return Reply(None, executed=False)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        reply = await self._driver.request(message)
        if reply.message is not None:
            self.round_trip_s = loop.time() - began_s
        return reply

    def _write_stop(self, kind: StopKind) -> bool:
        return self._driver.send(Stop(kind), Rank.AHEAD)

    def _heard(self, event: Event) -> None:
        if isinstance(event, MessageReceived):
            message = event.message
            if isinstance(message, Telemetry):
                self._take_telemetry(message)
            elif isinstance(message, Status):
                self._supplies = translation.supplies_of(message, self._driver.heard_at_s)
            elif isinstance(message, Stopped):
                self._stops.seen(Mode(message.mode), message.valve_percent)
        elif isinstance(event, FrameRejected):
            self.rejects[event.reason] += 1

    def _take_telemetry(self, message: Telemetry) -> None:
        boot_id = self.identity.boot_id if self.identity is not None else 0
        reading = translation.reading_of(message, self._driver.heard_at_s, self._supplies, boot_id)
        self.newest = reading
        self._stops.seen(reading.mode, reading.valve_percent)
        self._listeners.on_reading(reading)

    def _watch_silence(self) -> None:
        """Fall back when nothing has come for too long; looks again when it could be true.

        A look that is late itself says nothing of the unit: a loop may run its timers before it
        reads what came while the process stood still.
        """
        loop = asyncio.get_running_loop()
        now_s, due_s = loop.time(), self._driver.heard_at_s + SILENCE_MAX_S
        if now_s < due_s:
            self._late_looks = 0
        elif now_s - self._look_s > LOOP_STALL_MAX_S and self._late_looks < READ_FIRST_MAX:
            self._late_looks += 1
            due_s = now_s + READ_FIRST_S
        else:
            self._hang_up()
            self._fall(f"the unit has been silent for {SILENCE_MAX_S:g} s")
            return
        self._look_s = armed_s(due_s, now_s)
        self._silence = loop.call_at(self._look_s, self._watch_silence)

    def _lost(self, why: str) -> None:
        self._hang_up()
        self._fall(why)

    def _fall(self, why: str) -> None:
        self.trouble = StreamLostError(why, "check its cable and its power")
        if self.state is LinkState.IDENTIFIED:
            self._fallen.set()
        self._change(LinkState.DISCONNECTED, why)

    def _hang_up(self) -> None:
        self._driver.close()
        self.newest = self.round_trip_s = None
        self._supplies = None
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._look_s, self._late_looks = math.inf, 0

    def _change(self, state: LinkState, why: str) -> None:
        news = LinkNews(state, why)
        self.state = state
        again = state is LinkState.CONNECTED and self._fallen.is_set()
        if news != self._told and not again:  # a lost unit is told once, not at every try
            self._told = news
            self._listeners.on_link(news)
