"""What each step shows of the firmware, as facts for the promise: `qa.promise.clauses` asks."""

from typing import Final, NamedTuple, Protocol

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
)
from firmware_protocol.vocabulary import Cause, Mode
from qa.promise import clauses
from qa.promise.clauses import (
    LIVE,
    NEVER_S,
    Arming,
    Entered,
    Facts,
    Flow,
    Heard,
    Judge,
    Lease,
    Moment,
    Observer,
    Reset,
    Settings,
    Stood,
    Stop,
    Way,
    stopped,
    words,
)
from simulator.firmware.firmware import Firmware
from simulator.plant.signals import Drives, Sensors
from tests.proof.explore.clocks import BEAT_MS, up_for_long
from tests.proof.explore.frames import SENDS, Send
from tests.proof.explore.ghost import Before, Ghost
from tests.proof.explore.scenes import AWAY, PRESSED, RELEASED, SEALED, sample
from tests.proof.explore.search import Broken

BEAT_S: Final = BEAT_MS / 1000
LIVELY_BEATS: Final = 2_000 // BEAT_MS
SUCTION_MIN_KPA: Final = SUCTION_PERMIT_MIN_PA / 1000
STREAM_BEATS: Final = 20
_FACTORY: Final = (SUCTION_SET_MAX_PA, FLOW_SET_MAX_MG_PER_MIN)
_BY_NAME: Final = {send.name: send for send in SENDS}
_HELLO, _RESET = _BY_NAME["HELLO of a host"], _BY_NAME["RESET of the latched cause"]
_WISHED, _ARM = _BY_NAME["SETPOINT, flow wished"], _BY_NAME["ARM with the token"]

Broke = tuple[Broken, ...]


class Asker:
    """A judge whose findings are those of a search."""

    def __init__(self, observer: Observer) -> None:
        self.judge = Judge(observer)
        self._found: list[tuple[str, str]] = []

    def ask(self, moment: Moment[Facts], facts: Facts) -> None:
        """Remember what is broken."""
        for clause in self.judge.broken(moment, facts):
            self._found.append((clause.rule, f"{moment.says} {clause.says} ({words(facts)})"))

    def found(self, how: str) -> Broke:
        """Return what was broken since somebody last asked; ``how`` is what led there."""
        if not self._found:
            return ()
        found, self._found = self._found, []
        return tuple(Broken(rule, f"{how}: {said}") for rule, said in found)


class Arrival(NamedTuple):
    """A frame has arrived."""

    send: Send
    before: Before
    firmware: Firmware
    ghost: Ghost
    answered: bool
    same: bool
    """Nothing has changed."""


class Beaten(NamedTuple):
    """A beat has passed."""

    sensors: Sensors
    before: Before
    firmware: Firmware
    ghost: Ghost
    drives: Drives


class Driven(Protocol):
    """A device that can be driven on without the abstraction of time."""

    @property
    def firmware(self) -> Firmware:
        """The firmware."""

    def live(self, sensors: Sensors, *sends: Send) -> float:
        """Let things arrive, pass one beat, return the valve."""


def after_arrival(arrival: Arrival, asker: Asker) -> Broke:
    """Ask everything that a frame could break."""
    send, before, firmware = arrival.send, arrival.before, arrival.firmware
    mode, board = firmware.mode, firmware.board
    ask = asker.ask
    if send.stops:
        over = stopped(before.mode, mode)
        ask(clauses.STOP, Stop(over, arrival.answered, board.token == 0))
    busy = before.mode in LIVE or before.mode is Mode.STOPPING
    if busy or send.foreign:
        kept = firmware.link.session == before.session
        ask(clauses.HEARD, Heard(arrival.same or not send.foreign, kept or not busy))
    if mode is not before.mode:
        _moved(arrival, asker)
    ask(clauses.LIMITS, _settings(firmware))
    return asker.found(f"{send.name}, {before.mode.name} to {mode.name}")


def _moved(arrival: Arrival, asker: Asker) -> None:
    send, before, mode = arrival.send, arrival.before, arrival.firmware.mode
    if before.mode is Mode.SAFE:
        facts = Reset(send is _RESET, at_rest=before.released, disarmed=mode is Mode.DISARMED)
        asker.ask(clauses.RESET, facts)
    if mode is Mode.ARMED:
        arming = Arming(
            ready=before.mode is Mode.READY,
            asked=send is _ARM,
            proven=arrival.ghost.proven,
            streams=before.healthy and before.lease,
            released=before.released,
        )
        asker.ask(clauses.ARMING, arming)
    if mode is Mode.ACTIVE:  # a frame, not the switch
        asker.ask(clauses.ACTIVATED, Entered(before.mode, mode, NEVER_S))


def after_beat(beaten: Beaten, asker: Asker) -> Broke:
    """Ask everything that a beat could break."""
    sensors, before, firmware, ghost, drives = beaten
    mode, board, ask = firmware.mode, firmware.board, asker.ask
    shut, b_bars = drives.valve <= 0.0, not board.b.enable
    ask(clauses.LEASE, Lease(ghost.lease_ms, 0, mode not in LIVE, shut, b_bars))
    if ghost.over or ghost.ajar or ghost.excess or board.policy.latched:
        ask(clauses.STOOD, _stood(beaten))
    ask(clauses.LIMITS, _settings(firmware))
    pressed = sensors.switch_closed and not sensors.switch_rest
    if not shut:
        ask(clauses.FLOW, _flow(beaten, pressed=pressed))
    if mode is not before.mode:
        if before.mode is Mode.SAFE:
            ask(clauses.RESET, Reset(asked=False, at_rest=False, disarmed=mode is Mode.DISARMED))
        if before.mode is Mode.BOOT:
            ask(clauses.BOOTED, Entered(before.mode, mode))
        if mode is Mode.ACTIVE:
            newly = pressed and ghost.grip != (True, False)
            ask(clauses.ACTIVATED, Entered(before.mode, mode, 0.0 if newly else NEVER_S))
        if mode is Mode.ARMED:
            ask(clauses.ARMING, Arming(*[False] * 6))
    return asker.found(f"{before.mode.name} to {mode.name}")


def _flow(beaten: Beaten, *, pressed: bool) -> Flow:
    sensors, ghost, board = beaten.sensors, beaten.ghost, beaten.firmware.board
    a_kpa = sensors.suction_a_kpa
    sucked = a_kpa is not None and a_kpa >= SUCTION_MIN_KPA
    untripped = not (board.policy.latched or board.b.cause is not Cause.NONE)
    return Flow(
        live=board.mode is Mode.ACTIVE,
        lease_left_ms=ghost.lease_ms,
        switch_s=0.0 if pressed else NEVER_S,
        skin_s=0.0 if sensors.contact else NEVER_S,
        suction_s=0.0 if sucked else NEVER_S,
        wished=ghost.wished,
        left_mg=ghost.left_mg,
        untripped=untripped and beaten.drives.power,
        b_consents=board.b.enable,
    )


def _stood(beaten: Beaten) -> Stood:
    ghost, drives = beaten.ghost, beaten.drives
    latched, shut = beaten.firmware.board.policy.latched, drives.valve <= 0.0
    off = shut and not drives.power
    return Stood(
        over_s=ghost.over * BEAT_S,
        ajar_s=ghost.ajar * BEAT_S,
        excess_s=ghost.excess * BEAT_S,
        safe=latched and off,
        shut=shut,
        latched_off=not latched or (off and not drives.vent_closed),
    )


def _settings(firmware: Firmware) -> Settings:
    setpoints = firmware.board.a.setpoints
    told = setpoints.envelope
    most = (told.suction_max_pa, told.flow_max_mg_per_min)
    return Settings(setpoints.suction_pa, setpoints.flow_mg_per_min, *most, *_FACTORY)


def reaches_active(device: Driven, asker: Asker) -> Broke:
    """L1: with nothing in the way, ARM and a press open the valve within 2 s."""
    for beat in range(STREAM_BEATS):
        device.live(sample(AWAY, RELEASED, odd=bool(beat % 2)), _WISHED)
    device.live(sample(AWAY, RELEASED, odd=False), _WISHED, _ARM)
    seals = (sample(SEALED, PRESSED, odd=bool(beat % 2)) for beat in range(LIVELY_BEATS))
    asker.ask(clauses.TO_WORK, Way(any(device.live(seal, _WISHED) > 0.0 for seal in seals)))
    return asker.found(device.firmware.mode.name)


def can_be_reset(device: Driven, asker: Asker) -> Broke:
    """L2: with the cause gone and the switch released, RESET leads to DISARMED."""
    well = [sample(AWAY, RELEASED, odd=odd) for odd in (False, True)]
    device.live(well[0])
    up_for_long(device.firmware)
    if device.firmware.link.session == 0:
        device.live(well[1], _HELLO)
    device.live(well[0])
    device.live(well[1], _RESET)
    asker.ask(clauses.WAY_BACK, Way(device.firmware.mode is Mode.DISARMED))
    return asker.found(device.firmware.mode.name)
