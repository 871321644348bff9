"""The second axis of the fault matrix: the device's own guards are out, and the host has to stop.

In `test_fault_matrix` the device stands alone against each fault. Here it is the other way round:
every guard that answers for the fault, of both channels, finds nothing, as after one mistake made
twice. What is left of the device is what it permits; the host's interlocks end the treatment.
With HOST_AXIS=full in the environment every row is run, otherwise one for each interlock.
"""

import os
from typing import NamedTuple

import pytest

from controller.safety.interlocks import Interlock
from firmware_protocol.vocabulary import Cause
from qa.matrix.rows import ROWS
from qa.matrix.witness import Due
from qa.rig import Rig
from simulator.firmware.channel_b import ChannelB
from simulator.firmware.guards import Finding, Guards, Scene
from simulator.firmware.modes import Policy
from tests.qa.test_fault_service import SHOWN, ended_by


class Stop(NamedTuple):
    """By what the host stops a fault that the device does not find, and from its onset how soon."""

    by: Interlock
    within_s: float


SHUTS_S = 0.110
"""From an interlock to a shut valve: a frame of telemetry, the line both ways, and the spring."""
VENTS_S = 0.900
"""From an interlock until nothing carries crystals past a valve that does not shut."""

HOST: dict[str, Stop] = {
    "pump-runaway": Stop(Interlock.OVER_SUCTION, 0.0 + SHUTS_S),
    "flow-disconnected": Stop(Interlock.SENSOR_MISSING, 0.060 + SHUTS_S),
    "suction-a-disconnected": Stop(Interlock.SENSOR_MISSING, 0.060 + SHUTS_S),
    "suction-b-disconnected": Stop(Interlock.SENSOR_MISSING, 0.060 + SHUTS_S),
    "valve-stuck-open": Stop(Interlock.FLOW_WITHOUT_CONTACT, 0.200 + VENTS_S),
    "flow-runaway": Stop(Interlock.OVER_FLOW, 0.300 + SHUTS_S),
    "suction-b-offset": Stop(Interlock.SENSORS_DISAGREE, 0.500 + 2 * SHUTS_S),
    "suction-a-offset": Stop(Interlock.SENSORS_DISAGREE, 0.500 + 2 * SHUTS_S),
    "suction-a-gain": Stop(Interlock.SENSORS_DISAGREE, 0.500 + 2 * SHUTS_S),
    "suction-a-frozen": Stop(Interlock.SENSORS_DISAGREE, 0.500 + 2 * SHUTS_S),
    "suction-b-frozen": Stop(Interlock.SENSORS_DISAGREE, 0.500 + 2 * SHUTS_S),
    "flow-frozen": Stop(Interlock.FLOW_FROZEN, 1.0 + SHUTS_S),
    "clog": Stop(Interlock.NO_FLOW, 1.5 + SHUTS_S),
    "hopper-empty": Stop(Interlock.NO_FLOW, 1.5 + SHUTS_S),
    "motion-stuck": Stop(Interlock.SEAL_TOO_LONG, 8.25 + SHUTS_S),
    "firmware-halt": Stop(Interlock.TELEMETRY_STALE, 0.150 + SHUTS_S),
    "reset-storm": Stop(Interlock.TELEMETRY_STALE, 0.150 + SHUTS_S),
    "memory-spoilt+power-dip": Stop(Interlock.TELEMETRY_STALE, 0.150 + SHUTS_S),
    "line:delay-400ms": Stop(Interlock.TELEMETRY_STALE, 0.150 + 0.400 + SHUTS_S),
    "host:frozen-400ms": Stop(Interlock.LOOP_STALLED, 0.400 + SHUTS_S),
    "host:frozen-1000ms": Stop(Interlock.LOOP_STALLED, 1.000 + SHUTS_S),
    "host:frozen-5000ms": Stop(Interlock.LOOP_STALLED, 5.000 + SHUTS_S),
}

ALONE: dict[str, str] = {
    "valve-stuck-shut": "what was open stays so until the next stroke, in which NO_FLOW is short",
    "valve-slow": "its pauses are shorter than the grace of the host",
    "valve-leak": "it carries in the pauses only, which are shorter than the grace of the host",
    "crystals-damp": "its bursts are shorter than the grace of the host",
    "pump-weak": "without suction the permissive is gone",
    "hose-off": "without suction the permissive is gone",
    "pump-strong": "the regulator holds it",
    "pump-sluggish": "the regulator holds it",
    "suction-a-creep": "takes 20 minutes; SENSORS_DRIFT has its own tests",
    "suction-a-sink": "takes 20 minutes; SENSORS_DRIFT has its own tests",
    "switch-contacts-disagree": "a press that one contact denies is none, and permits nothing",
    "waste-full": "the host looks at what STATUS says of it before a treatment",
    "filter-loaded": "the host looks at what STATUS says of it before a treatment",
    "overheat": "the host looks at what STATUS says of it before a treatment",
    "brown-out": "the host looks at what STATUS says of it before a treatment",
    "power-lost": "springs shut the valve and open the vent",
    "tip-swapped": "TELEMETRY does not say which tip is fitted",
    "tip-unread": "TELEMETRY does not say which tip is fitted",
    "hand:stands-still": "the ledger sees it too, and has the zone ended after some 1.2 s (ADR 18)",
    "hand:rests-on-skin": "lasts too long for a cell here; no crystal falls",
    "line:silent": "no stop gets through; without a lease the permissive is gone",
    "line:delay-150ms": "without a lease the permissive is gone",
}
"""Faults that the device, or what it permits, has to answer for without the host, and why."""

ELSEWHERE: dict[Interlock, str] = {
    Interlock.LINK_LOST: "a line that is cut: test_link_matrix",
    Interlock.LINK_NOISY: "noise: test_link_matrix",
    Interlock.UNIT_CHANGED: "no fault changes the boot id within a session: test_interlocks",
    Interlock.SUCTION_JUMP: "no fault of the catalogue jumps by 45 kPa: test_interlocks",
    Interlock.DWELL: "the ledger ends the zone before: test_interlocks",
    Interlock.FLOW_WHILE_SHUT: "an idle unit whose valve leaks: test_effect_while_off",
    Interlock.SUCTION_WHILE_OFF: "an idle unit whose vent sticks: test_effect_while_off",
    Interlock.STOP_WITHOUT_EFFECT: "a stop that shuts nothing: test_control_trips",
    Interlock.SUCTION_OVER_SET: "no regulator of the catalogue does that: test_interlocks",
    Interlock.SENSORS_DRIFT: "takes too long for a cell here: test_interlocks",
    Interlock.SENSOR_FROZEN: "its twin tells first: test_interlocks",
    Interlock.SETPOINT_NOT_TAKEN: "a unit that lies: test_interlocks",
    Interlock.MODE_DISAGREES: "a unit that lies: test_control_trips",
    Interlock.NO_ANSWER: "an ARM without an answer: test_preparing",
}


class DeafGuards(Guards):
    """The guards of channel A, which find none of some causes."""

    def __init__(self, deaf_to: frozenset[Cause]) -> None:
        super().__init__()
        self.deaf_to = deaf_to

    def judge(self, dt_ms: int, scene: Scene, policy: Policy) -> Finding | None:
        finding = super().judge(dt_ms, scene, policy)
        return None if finding is not None and finding.cause in self.deaf_to else finding


class DeafChannelB(ChannelB):
    """Channel B, which trips by none of some causes."""

    deaf_to: frozenset[Cause] = frozenset()

    def _judge(
        self, dt_ms: int, suction_kpa: float | None, valve_percent: float, *, healthy: bool
    ) -> Cause:
        found = super()._judge(dt_ms, suction_kpa, valve_percent, healthy=healthy)
        return Cause.NONE if found in self.deaf_to else found


def deafen(made: Rig, causes: frozenset[Cause]) -> None:
    """Take every guard of these causes out of both channels."""
    board = made.handpiece.firmware.board
    board.a._guards, channel_b = DeafGuards(causes), DeafChannelB()
    channel_b.deaf_to = causes
    board.b = channel_b


def shown() -> list[str]:
    if os.environ.get("HOST_AXIS") == "full":
        return list(HOST)
    return list({stop.by: name for name, stop in reversed(HOST.items())}.values())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.hazard(*ROWS[name].hazards, shows="works"))
        for name in shown()
    ],
)
def test_the_host_stops_what_the_guards_of_the_device_do_not_find(name: str) -> None:
    row, due = ROWS[name], HOST[name]
    ended = ended_by(row, "active", lambda made: deafen(made, row.causes), Due.ARMED)
    assert ended.tripped_by == due.by.name
    assert ended.sworn.to_safe_s is not None
    assert ended.sworn.to_safe_s <= due.within_s
    assert not ended.sworn.resumed


def test_every_fault_that_has_a_guard_is_on_this_axis_or_says_why_it_is_not() -> None:
    guarded = {row.name for row in SHOWN if row.due is not Due.NEVER and row.causes}
    assert guarded <= set(HOST) | set(ALONE)
    assert not set(HOST) & set(ALONE)
    assert set(HOST) | set(ALONE) <= set(ROWS)


def test_every_interlock_of_the_host_is_on_this_axis_or_says_where_it_is_shown() -> None:
    on_axis = {stop.by for stop in HOST.values()}
    assert on_axis | set(ELSEWHERE) == set(Interlock)
    assert not on_axis & set(ELSEWHERE)
