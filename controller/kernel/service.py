"""The kernel as a service: connects, answers questions, enforces who may ask, and ends in order.

It runs unchanged in a real process (`process.py`) and in virtual time: whatever reaches outside
comes in through `Outside`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from controller.api.authority import Do, may, refusal_sentence
from controller.api.faults import FaultHandler
from controller.api.requests import LowerArgs, Request, TreatArgs, WhoSays, read_args, unit_absent
from controller.api.software import Software, running_software
from controller.api.stop_way import Stop
from controller.api.viewer import Viewer
from controller.config.locate import shipped_configs
from controller.device.answers import DeviceError, LinkState
from controller.device.handpiece import HandpieceClient, Listeners
from controller.kernel.control import About, Control
from controller.kernel.leading import Leading
from controller.kernel.treating import Room, Treating
from controller.kernel.view import link_view
from controller.record.booking import Booking
from controller.record.clocks import Here, kernel_row
from controller.record.device_log import BUSY, DeviceLog
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.recovery import unit_now
from controller.record.resets import Whose
from controller.record.store import record_refused
from controller.record.upkeep import Upkeep
from controller.record.waveform_feed import NOT_FED, WaveformFeed
from controller.safety.reading import Identity
from controller.safety.refusal import refusing
from controller.safety.timeline import Moment
from controller.treatment.events import Command, Who
from controller.treatment.kinds import Kind

END_MAX_S: Final = 4.5
"""From a stop to the end of purge and vent: 2 s + at most 2 s, and a little for the line."""

END_LOOK_S: Final = 0.05
GIVEN_UP_PERIOD_S: Final = 60.0
"""How often a unit is looked for that has been away for an hour."""
REFUSED_NOTE_S: Final = 1.0

_COMMANDS: Final[Mapping[Do, Command]] = MappingProxyType(
    {
        Do.PAUSE: Command.PAUSE,
        Do.RESUME: Command.RESUME,
        Do.ACK: Command.ACK,
        Do.RESET: Command.RESET,
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Which port this kernel serves, and where it reads and writes."""

    port: str
    record_path: str = ""
    configs: Path | None = None
    """Folder of the configuration; None is the shipped one."""
    lock: str = ""
    """Name of the lock that this kernel holds as long as it lives; stands in its treatments."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the kernel reaches outside of itself."""

    make_client: Callable[[Listeners], HandpieceClient]
    journal: Journal
    here: Here
    alive: Callable[[str], LockState] = lambda _lock: LockState.FREE
    """Says whether another kernel holds the lock of that name."""
    claim: Callable[[Identity], None] = lambda _identity: None
    """Claims the unit for this kernel; RefusedError when another one has it."""
    pid: int = field(default_factory=os.getpid)
    """What the record and the snapshot call this process."""
    hear_stops: Callable[[Stop], None] = lambda _stop: None
    """Takes the way for STOP, which is open before the line is."""
    software: Software = field(default_factory=running_software)
    waves: WaveformFeed = NOT_FED
    faults: FaultHandler = field(default_factory=FaultHandler)
    """Turns what nobody foresaw into an answer."""


class Kernel:
    """Control, handpiece client, journal and configuration of one port, wired."""

    def __init__(self, place: Place, outside: Outside) -> None:
        """Wire everything; called inside of the loop. Nothing is opened yet."""
        self._place = place
        self._outside = outside
        self._client: HandpieceClient | None = None
        self.control = Control(
            self._make_client,
            outside.journal,
            About(place.port, place.record_path, outside.here, outside.pid),
        )
        configs = shipped_configs() if place.configs is None else place.configs
        self._configs = str(configs.absolute())
        self._booking = Booking(
            outside.journal,
            outside.here,
            configs,
            outside.software.corneum,
            place.lock,
            outside.alive,
        )
        self._upkeep = Upkeep(
            outside.journal, outside.here, self._booking, self.control.alarms, self.control.resets
        )
        room = Room(outside.journal, outside.here, configs, outside.waves)
        self._treating = Treating(room, self._booking, self.control, lambda: self._client)
        self._device_log = DeviceLog(self._handpiece.log_record, outside.journal.note)
        self._leading = Leading(self.control, outside.journal.commit)
        self._refused = 0
        self._refused_noted_s = -REFUSED_NOTE_S

    # -- life --------------------------------------------------------------------------------------
    async def start(self) -> Identity:
        """Make sure of the record, find the unit, claim it. RefusedError says why not."""
        self._outside.hear_stops(self.stop_as)
        with record_refused():
            await self._booking.check_tables()
            await self._booking.check_record()
            identity = await self._handpiece.connect()
            self._outside.claim(identity)
            await self._booking.ready(lambda: unit_now(self._handpiece))
            here = self._outside.here
            row = kernel_row(self._outside.pid, self._place.port, identity, here)
            said = {**row.body, **self._outside.software._asdict()}
            await self._outside.journal.commit([row._replace(body=said)])
            await self._upkeep.begin(Whose(identity.serial, identity.simulated, here.boot))
            await self._device_log.begin(self._outside.journal, identity.serial)
        return identity

    async def run(self) -> None:
        """Control until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.control.run(), name="control")
            tasks.create_task(self._keep_connected(), name="keep-connected")
            tasks.create_task(self._upkeep.keep_checked(lambda: self.control.idle), name="checks")
            tasks.create_task(self._upkeep.keep_noted(self._treating.ended), name="witnesses")
            tasks.create_task(self._leading.watch(), name="leading")
            tasks.create_task(self._treating.witness.run(), name="witness")
            tasks.create_task(self._device_log.follow(self._log_of), name="device-log")
            tasks.create_task(self._outside.waves.run(), name="waveforms")

    async def end(self) -> None:
        """Stop in order what runs, within `END_MAX_S`, and have its waveforms finished."""
        if not self.control.idle:
            self.stop_as(Who("kernel", "service", "local"), emergency=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_MAX_S):
                while not self.control.idle:
                    await asyncio.sleep(END_LOOK_S)
        await self._outside.waves.close()

    def vent(self) -> None:
        """Stop at once: valve shut and vent together, for whoever cannot wait for the purge."""
        self.stop_as(Who("kernel", "service", "local"), emergency=True)

    async def close(self) -> None:
        """Hang up and close the record."""
        if (now := self._log_of()) is not None:
            await self._device_log.last_look(*now)
        await self._treating.witness.last()
        await self._upkeep.note(self._treating.begun)
        if self._client is not None:
            await self._client.close()
        await self._outside.journal.close()

    @property
    def idle(self) -> bool:
        """True while no treatment runs or is about to."""
        return self._treating.ended() is not None

    @property
    def state(self) -> str:
        """Return the state of the treatment under way, or of the last one."""
        return self.control.state

    @property
    def treatments(self) -> int:
        """How many treatments this kernel has begun."""
        return self._treating.begun

    @property
    def journal(self) -> Journal:
        """The record that this kernel writes, for whoever plans beside it in the same process."""
        return self._outside.journal

    def now(self) -> Moment:
        """Return this moment on the clocks by which this kernel writes and plans."""
        return self._outside.here.now()

    @property
    def tripped(self) -> bool:
        """True while the unit, or the last treatment, holds a trip that nobody has reset."""
        return self.control.tripped

    # -- questions ---------------------------------------------------------------------------------
    def snapshot(self) -> dict[str, Any]:
        """Return everything there is to see."""
        shown, software = self.control.snapshot(), self._outside.software
        now = self.now()._asdict()
        about = replace(shown.kernel, configs=self._configs, corneum=software.corneum, **now)
        faults, lead, kept = self._device_log.faults, self._leading.view, self._upkeep
        record = replace(shown.record, witness=self._treating.witness.sentence)
        shown = replace(shown, kernel=about, record=record, simulated_faults=faults, lead=lead)
        return replace(shown, unfinished=kept.unfinished, clock=kept.clock).as_dict()

    def watched(self, viewer: Viewer, who: WhoSays) -> None:
        """Take a connection that watches from now on for a screen."""
        self._leading.watched(viewer, who)

    def stop(self, request: Request) -> dict[str, Any]:
        """Stop now, for anybody: the bytes are written when this returns."""
        return self.stop_as(_who(request.who), request.args.get("emergency") is True)

    def stop_as(self, who: Who, emergency: bool) -> dict[str, Any]:  # noqa: FBT001 - a callback
        """Stop now: the bytes are written when this returns, if there is a line; say so."""
        self._treating.void()
        self.control.stop_now(who, emergency=emergency)
        return {"state": self.control.state, "link": self.control.link}

    async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
        """Answer one question, if this person may ask it; ``viewer`` is the asking connection.

        Whatever goes wrong is an RefusedError, also a fault of our own.
        """
        return await self._outside.faults.guarded(self._answered(request, viewer), request)

    async def _answered(self, request: Request, viewer: Viewer | None) -> dict[str, Any]:
        do, who = request.do, request.who
        if not may(do, who.role, who.origin):
            self._note_refused(request)
            raise refusing(
                "not_allowed",
                refusal_sentence(do, who.role, who.origin),
                "Ask somebody at the unit who may.",
            )
        answers: dict[Do, Callable[[Request], Awaitable[dict[str, Any]]]] = {
            Do.STATUS: self._look,
            Do.WATCH: self._look,
            Do.SHUTDOWN: self._shutdown,
            Do.TREAT: self._treat,
            Do.LOWER: self._lower,
            Do.SILENCE: self._silence,
        }
        if do is Do.STOP:
            return self.stop(request)
        with record_refused():
            if do in self._upkeep.answers:
                return await self._upkeep.answers[do](request.args, _who(who))
            return await self._leading.answer(request, viewer, answers.get(do, self._command))

    async def _look(self, _request: Request) -> dict[str, Any]:
        return self.snapshot()

    async def _shutdown(self, _request: Request) -> dict[str, Any]:
        await self.end()
        return {}

    async def _treat(self, request: Request) -> dict[str, Any]:
        wish = read_args(TreatArgs, request.args)
        begun = await self._treating.treat(
            wish, _who(request.who), self._identity, lambda: unit_now(self._handpiece)
        )
        await self._upkeep.look_unfinished()
        return begun

    async def _lower(self, request: Request) -> dict[str, Any]:
        args = read_args(LowerArgs, request.args)
        await self.control.person(
            Command.LOWER, _who(request.who), args.suction_kpa, args.flow_g_per_min
        )
        return {"state": self.control.snapshot().state}

    async def _silence(self, request: Request) -> dict[str, Any]:
        self.control.silence(_who(request.who))
        return {"signal": self.snapshot()["signal"]}

    async def _command(self, request: Request) -> dict[str, Any]:
        await self.control.person(_COMMANDS[request.do], _who(request.who))
        return {"state": self.control.snapshot().state}

    # -- inside ------------------------------------------------------------------------------------
    def _note_refused(self, request: Request) -> None:
        """Write down who was refused, at most once a second: knocking must not fill the record."""
        now_s = asyncio.get_running_loop().time()
        self._refused += 1
        if now_s - self._refused_noted_s < REFUSED_NOTE_S:
            return
        body = {
            "do": request.do.value,
            "who": request.who.model_dump(mode="json"),
            "times": self._refused,
        }
        self._outside.journal.note(Row(Kind.NOT_ALLOWED, body))
        self._refused, self._refused_noted_s = 0, now_s

    def _make_client(self, listeners: Listeners) -> HandpieceClient:
        heard = self._outside.waves.after(listeners.on_reading)
        self._client = self._outside.make_client(replace(listeners, on_reading=heard))
        return self._client

    @property
    def _handpiece(self) -> HandpieceClient:
        if self._client is None:
            raise refusing("kernel", "The kernel has no line yet.", "Start it first.")
        return self._client

    def _identity(self) -> Identity:
        handpiece = self._handpiece
        if handpiece.identity is None or handpiece.state is not LinkState.IDENTIFIED:
            link = link_view(handpiece, asyncio.get_running_loop().time())
            raise unit_absent(link.trouble, link.next_step)
        return handpiece.identity

    def _log_of(self) -> tuple[Identity, int] | None:
        """Return whose log may be read now, and for which treatment: one look after its end too."""
        client = self._client
        if client is None or client.identity is None or client.state is not LinkState.IDENTIFIED:
            return None
        if self._treating.starting or (not self.control.idle and self.control.state in BUSY):
            return None
        treatment = self._treating.treatment
        if self.control.idle:
            self._treating.treatment = 0
        return client.identity, treatment

    async def _keep_connected(self) -> None:
        """Look for a lost unit for ever; the client itself gives up after an hour."""
        while True:
            try:
                await self._handpiece.stay_connected()
            except DeviceError as error:
                self._outside.journal.note(Row(Kind.LINK_GIVEN_UP, {"why": str(error)}))
            while self._handpiece.state is not LinkState.IDENTIFIED:
                await asyncio.sleep(GIVEN_UP_PERIOD_S)
                with contextlib.suppress(DeviceError):
                    await self._handpiece.connect()


@asynccontextmanager
async def running(place: Place, outside: Outside) -> AsyncIterator[Kernel]:
    """Start a kernel, run it around a body, end it in order. RefusedError when it cannot start."""
    kernel = Kernel(place, outside)
    failure: Exception | None = None
    try:
        await kernel.start()
        async with asyncio.TaskGroup() as tasks:
            control = tasks.create_task(kernel.run(), name="kernel")
            try:
                yield kernel
                await kernel.end()
            except Exception as error:  # noqa: BLE001 - raised below, not wrapped by the group
                failure = error
            finally:
                control.cancel()
    finally:
        await kernel.close()
    if failure is not None:
        raise failure


def _who(says: WhoSays) -> Who:
    return Who(says.name, says.role.value, says.origin.value)
