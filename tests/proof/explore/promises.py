"""P1 to P10, L1 and L2 as questions to the device after each step, answered from outside of it.

The letters are those of the safety case: what is open is permitted (P1), silence shuts (P2), a trip
needs its reset (P3), each hazard is answered within its budget (P4), exposure is bounded (P5), STOP
always acts (P6), power-on is disarmed (P7), no frame raises a limit (P8), nothing old counts (P9),
one host at a time (P10), and, of the host alone, every asked act has an end (P11); from a proven
device one gets to work within 2 s (L1), and from every latched state there is a way back (L2).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
)
from firmware_protocol.vocabulary import Cause, Mode
from simulator.firmware.firmware import Firmware
from simulator.plant.signals import Drives, Sensors
from tests.proof.explore.clocks import BEAT_MS, up_for_long
from tests.proof.explore.frames import CONFIG, FULL, SENDS, Send, arm, setpoint
from tests.proof.explore.ghost import Before, Ghost
from tests.proof.explore.scenes import AWAY, PRESSED, RELEASED, SEALED, sample
from tests.proof.explore.search import Broken

LIVE: Final = frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})
AFTER_STOP: Final = {
    Mode.BOOT: Mode.DISARMED,
    Mode.DISARMED: Mode.DISARMED,
    Mode.SELFTEST: Mode.DISARMED,
    Mode.READY: Mode.DISARMED,
    Mode.SAFE: Mode.SAFE,
}
"""What a STOP must lead to; from where treatment lives it is the orderly end or DISARMED."""
BUDGET_BEATS: Final = 250 // BEAT_MS
LIVELY_BEATS: Final = 2_000 // BEAT_MS
SUCTION_MIN_KPA: Final = SUCTION_PERMIT_MIN_PA / 1000
STREAM_BEATS: Final = 20

Broke = tuple[Broken, ...]
Asked = Iterable[tuple[str, bool, str]]


class Arrival(NamedTuple):
    """A frame has arrived."""

    send: Send
    before: Before
    firmware: Firmware
    ghost: Ghost
    answered: bool
    same: bool
    """Nothing has changed."""


class Moment(NamedTuple):
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


def after_arrival(arrival: Arrival, told: Counter[str]) -> Broke:
    """Ask everything that a frame could break."""
    send, before, firmware = arrival.send, arrival.before, arrival.firmware
    mode, board = firmware.mode, firmware.board
    asked: list[tuple[str, bool, str]] = [*_limits(firmware)]
    if send.stops:
        ends = AFTER_STOP.get(before.mode)
        stopped = mode is ends if ends else mode in (Mode.STOPPING, Mode.DISARMED)
        asked.append(("P6", stopped, f"STOP in {before.mode.name} led to {mode.name}"))
        asked.append(("P6", arrival.answered, "STOP was not answered"))
        asked.append(("P6", board.token == 0, "STOP left a token that ARM would accept"))
    if send.foreign:
        asked.append(("P9", arrival.same, f"{send.name} changed something in {before.mode.name}"))
    if before.mode is Mode.SAFE and mode is not Mode.SAFE:
        asked += _left_safe(arrival)
    if before.mode in LIVE | {Mode.STOPPING}:
        kept = firmware.link.session == before.session
        asked.append(("P10", kept, f"another host took the session in {before.mode.name}"))
    if mode is Mode.ARMED and before.mode is not Mode.ARMED:
        asked += _armed(arrival)
    if mode is Mode.ACTIVE:
        asked.append(("P1", before.mode is Mode.ACTIVE, "a frame, not the switch, began to treat"))
    return _judge(asked, told)


def _left_safe(arrival: Arrival) -> Asked:
    before, mode = arrival.before, arrival.firmware.mode
    by_reset = arrival.send.name == "RESET of the latched cause" and mode is Mode.DISARMED
    yield "P3", by_reset, f"{arrival.send.name} led from SAFE to {mode.name}"
    yield "P3", before.released, "a reset was accepted with the hand switch not released"


def _armed(arrival: Arrival) -> Asked:
    before, ghost = arrival.before, arrival.ghost
    yield "P7", before.mode is Mode.READY, f"armed from {before.mode.name}"
    yield "P7", ghost.proven, "armed without a self-test since the last stop, trip or session"
    yield "P9", arrival.send.name == "ARM with the token", f"armed by {arrival.send.name}"
    yield "P1", before.healthy and before.lease, "armed without a healthy stream"
    yield "P1", before.released, "armed with the hand switch not released"


def _limits(firmware: Firmware) -> Asked:
    setpoints = firmware.board.a.setpoints
    suction, flow = setpoints.suction_pa, setpoints.flow_mg_per_min
    told = setpoints.envelope
    held = suction <= told.suction_max_pa and flow <= told.flow_max_mg_per_min
    yield "P8", held, f"{suction:g} Pa and {flow:g} mg/min are above the configuration"
    factory = told.suction_max_pa <= SUCTION_SET_MAX_PA and (
        told.flow_max_mg_per_min <= FLOW_SET_MAX_MG_PER_MIN
    )
    yield "P8", factory, "the configuration is above the factory's envelope"


def after_beat(moment: Moment, told: Counter[str]) -> Broke:
    """Ask everything that a beat could break."""
    before, mode = moment.before, moment.firmware.mode
    asked = [*_lease(moment), *_budgets(moment), *_limits(moment.firmware)]
    if moment.drives.valve > 0.0:
        asked += _open(moment)
    if before.mode is Mode.SAFE:
        asked.append(("P3", mode is Mode.SAFE, f"time led from SAFE to {mode.name}"))
    if before.mode is Mode.BOOT:
        booted = mode in (Mode.BOOT, Mode.DISARMED, Mode.SAFE)
        asked.append(("P7", booted, f"power-on led to {mode.name}"))
    if mode is Mode.ACTIVE and before.mode is not Mode.ACTIVE:
        asked += _pressed(moment)
    if mode is Mode.ARMED:
        asked.append(
            ("P9", before.mode is Mode.ARMED, f"time led from {before.mode.name} to ARMED")
        )
    return _judge(asked, told)


def _open(moment: Moment) -> Asked:
    sensors, ghost, board = moment.sensors, moment.ghost, moment.firmware.board
    a_kpa = sensors.suction_a_kpa
    pressed = sensors.switch_closed and not sensors.switch_rest
    yield "P1", ghost.lease_ms > 0, "the valve is open without a lease"
    yield "P1", board.mode is Mode.ACTIVE, f"the valve is open in {board.mode.name}"
    yield "P1", pressed, "the valve is open without the hand switch"
    yield "P1", sensors.contact, "the valve is open off the skin"
    yield "P1", a_kpa is not None and a_kpa >= SUCTION_MIN_KPA, "the valve is open without suction"
    tripped = board.policy.latched or board.b.cause is not Cause.NONE
    yield "P1", not tripped and moment.drives.power, "the valve is open with a trip latched"
    yield "P1", ghost.wished, "the valve is open though the host does not wish for flow"
    yield "P1", board.b.enable, "the valve is open against channel B"
    yield "P5", ghost.left_mg > 0.0, "the valve is open with the exposure used up"


def _lease(moment: Moment) -> Asked:
    ghost, firmware = moment.ghost, moment.firmware
    late = ghost.lease_ms <= -BEAT_MS
    told = f"the lease ended {-ghost.lease_ms} ms ago and"
    yield "P2", not (late and firmware.mode in LIVE), f"{told} the device is {firmware.mode.name}"
    yield "P2", not (late and moment.drives.valve > 0.0), f"{told} the valve is open"
    enabled = firmware.board.b.enable and ghost.lease_ms <= 0
    yield "P2", not enabled, f"{told} channel B still permits"


def _budgets(moment: Moment) -> Asked:
    ghost, board, drives = moment.ghost, moment.firmware.board, moment.drives
    safe = board.policy.latched and drives.valve <= 0.0 and not drives.power
    if board.policy.latched:
        yield "P4", safe and not drives.vent_closed, "SAFE is latched and an output is driven"
    if ghost.over > BUDGET_BEATS:
        yield "P4", safe, "suction above the trip for more than 250 ms"
    if ghost.ajar > BUDGET_BEATS:
        yield "P4", safe, "the valve is ajar, against its command, for more than 250 ms"
    if ghost.excess > BUDGET_BEATS:
        yield "P4", drives.valve <= 0.0, "flow in excess for more than 250 ms"


def _pressed(moment: Moment) -> Asked:
    sensors, ghost = moment.sensors, moment.ghost
    yield "P3", moment.before.mode in LIVE, f"{moment.before.mode.name} led to ACTIVE"
    pressed = sensors.switch_closed and not sensors.switch_rest
    yield "P1", pressed, "ACTIVE without the hand switch"
    yield "P1", ghost.grip != (True, False), "ACTIVE by a switch that was pressed before"


def reaches_active(device: Driven, told: Counter[str]) -> Broke:
    """L1: with nothing in the way, ARM and a press open the valve within 2 s."""
    by_name = {send.name: send for send in SENDS}
    wished, armed = by_name["SETPOINT, flow wished"], by_name["ARM with the token"]
    for beat in range(STREAM_BEATS):
        device.live(sample(AWAY, RELEASED, odd=bool(beat % 2)), wished)
    device.live(sample(AWAY, RELEASED, odd=False), wished, armed)
    for beat in range(LIVELY_BEATS):
        if device.live(sample(SEALED, PRESSED, odd=bool(beat % 2)), wished) > 0.0:
            return _judge([("L1", True, "")], told)
    how = f"2 s after ARM and a press the device is {device.firmware.mode.name}, the valve shut"
    return _judge([("L1", False, how)], told)


def can_be_reset(device: Driven, told: Counter[str]) -> Broke:
    """L2: with the cause gone and the switch released, RESET leads to DISARMED."""
    by_name = {send.name: send for send in SENDS}
    well = [sample(AWAY, RELEASED, odd=odd) for odd in (False, True)]
    device.live(well[0])
    up_for_long(device.firmware)
    if device.firmware.link.session == 0:
        device.live(well[1], by_name["HELLO of a host"])
    device.live(well[0])
    device.live(well[1], by_name["RESET of the latched cause"])
    mode = device.firmware.mode
    return _judge(
        [("L2", mode is Mode.DISARMED, f"after a rightful RESET it is {mode.name}")], told
    )


def _judge(asked: Asked, told: Counter[str]) -> Broke:
    broken: list[Broken] = []
    for rule, holds, how in asked:
        told[rule] += 1
        if not holds:
            broken.append(Broken(rule, how))
    return tuple(broken)


__all__ = ["CONFIG", "FULL", "arm", "setpoint"]
