"""The host's own interlocks: a table of checks over what the unit says, and how long each may fail.

The device trips by itself and faster; these rows exist because the host does not trust it. Each
check says what must *hold*, written so that a missing, stale or non-finite value does not hold. A
check that has failed for longer than its grace breaks the interlock. Graces are long enough for the
ordinary (a lift-off, a command on its way) and short against the budgets of the envelope.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final, NamedTuple

from controller.safety.reading import FLOW_NOISE_G_PER_MIN, Reading
from firmware_protocol import envelope
from firmware_protocol.messages import PA_PER_KPA
from firmware_protocol.vocabulary import Input, Mode, Permit

STALE_MAX_S: Final = 0.150  # three missed frames at the slowest the line may deliver (hazard H10)
LOOP_STALL_MAX_S: Final = 0.150  # three beats of the control loop (hazards H13, H14)
HELD_UP_MIN_S: Final = envelope.SETPOINT_PERIOD_S  # late by a whole beat; less is ordinary

SUCTION_TRIP_KPA: Final = envelope.SUCTION_TRIP_PA / PA_PER_KPA
SEALED_KPA: Final = envelope.CONTACT_SUCTION_MIN_PA / PA_PER_KPA
SUCTION_OVER_SET_KPA: Final = 8.0  # overshoot of the regulator when a tip seals [derived]
SUCTION_OVER_SET_RATIO: Final = 1.25
VENT_GRACE_S: Final = envelope.VENT_TIMEOUT_S + 0.5
DISAGREE_KPA: Final = 2.0  # hazard H07: 2 kPa or 5 %, whichever is more
DISAGREE_RATIO: Final = 0.05
STEP_MAX_KPA: Final = 45.0  # in one frame of 20 ms; sealing or lifting a tip at 40 kPa stays below
DRIFT_KPA: Final = (
    1.0  # of the averaged difference: half of what counts at once, ten times its noise
)
DRIFT_AVERAGE_S: Final = 5.0  # over more than a stroke, so that lifting and sealing average out
FLOW_OVER_SET_RATIO: Final = 1.5  # crystals pulse; a runaway valve gives three times the set flow
FLOW_EFFECT_RATIO: Final = 0.2  # less than this of the set flow is no effect
FLOW_EFFECT_MAX_RATIO: Final = 0.5  # of a small one noise is none either, up to this much
VALVE_LEAK_PERCENT: Final = 5.0  # the same mark as channel B uses for "not shut"
SET_TOLERANCE_KPA: Final = 0.01  # wire resolution is 0.001
SET_TOLERANCE_G_PER_MIN: Final = 0.01

# Plain integers: the arithmetic of enum flags costs more than all other checks of a reading.
_VALVE: Final = int(Input.VALVE_COMMANDED)
_PUMP: Final = int(Input.PUMP_COMMANDED)
_VENT: Final = int(Input.VENT_OPEN)
_MOTION: Final = int(Input.MOTION)
_PERMITS: Final = int(Permit.ALL)


@unique
class Interlock(Enum):
    """What the host trips on by itself; the value is for records."""

    LOOP_STALLED = "the control loop missed its beat"
    TELEMETRY_STALE = "no telemetry"
    LINK_LOST = "the line is gone"
    LINK_NOISY = "too many corrupt frames"
    UNIT_CHANGED = "another unit or another boot answers"
    OVER_SUCTION = "suction above the trip level"
    SENSOR_MISSING = "a sensor has no valid reading"
    FLOW_WHILE_SHUT = "flow or an open valve while commanded shut"
    FLOW_WITHOUT_CONTACT = "flow off the skin"
    OVER_FLOW = "more flow than was set"
    SUCTION_WHILE_OFF = "suction while everything is commanded off"
    SUCTION_OVER_SET = "more suction than was set"
    SUCTION_JUMP = "suction moved faster than air can"
    SENSORS_DISAGREE = "the two suction sensors disagree"
    SENSORS_DRIFT = "one suction sensor creeps away from the other"
    SENSOR_FROZEN = "a suction reading does not move"
    FLOW_FROZEN = "the flow reading does not move"
    NO_FLOW = "flow commanded, none measured"
    DWELL = "the tip stays in one place"
    SEAL_TOO_LONG = "the tip is not lifted off"
    SETPOINT_NOT_TAKEN = "the unit holds more than was set"
    MODE_DISAGREES = "the unit is not in the mode it must be in"
    STOP_WITHOUT_EFFECT = "a stop did not shut the valve"
    NO_ANSWER = "the unit did not answer a request"


class Belief(NamedTuple):
    """What the host holds to be true while it looks at a reading."""

    treating: bool
    """The device is armed, or may be."""
    stopped: bool
    """A stop was sent and has not been confirmed for long enough to expect its effect."""
    modes: frozenset[Mode]
    set_suction_kpa: float
    set_flow_g_per_min: float
    flow_wished: bool
    motion_sensor: bool
    boot_id: int


class Sight(NamedTuple):
    """One look: the newest reading, the one before it, and the belief."""

    reading: Reading
    previous: Reading
    belief: Belief
    apart_kpa: float = 0.0
    """How far sensor A reads above sensor B, averaged over ``DRIFT_AVERAGE_S``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the check, the grace in seconds, and the hazards that it answers."""

    interlock: Interlock
    hazards: tuple[str, ...]
    grace_s: float
    holds: Callable[[Sight], bool]


def at_most(value: float | None, limit: float) -> bool:
    """True only for a known number that is not above ``limit``."""
    return value is not None and value <= limit


def is_stale(newest_at_s: float | None, now_s: float) -> bool:
    """True unless telemetry arrived within ``STALE_MAX_S``."""
    return newest_at_s is None or not now_s - newest_at_s <= STALE_MAX_S


def is_stalled(last_beat_s: float | None, now_s: float) -> bool:
    """True when the control loop's last beat lies further back than it may."""
    return last_beat_s is not None and not now_s - last_beat_s <= LOOP_STALL_MAX_S


def held_up_s(last_beat_s: float | None, now_s: float) -> float:
    """Return by how much a beat at ``now_s`` is late; 0 for one in time and before the first."""
    late_s = 0.0 if last_beat_s is None else now_s - last_beat_s - envelope.SETPOINT_PERIOD_S
    return late_s if late_s >= HELD_UP_MIN_S else 0.0


def held_up_words(last_beat_s: float | None, now_s: float) -> str:
    """Return for how long this process did not run, for the alarm that says what came of it."""
    return f"It did not run for {held_up_s(last_beat_s, now_s):.2f} s."


def why_unheard(
    newest_at_s: float | None, last_beat_s: float | None, now_s: float, max_s: float = STALE_MAX_S
) -> Interlock | None:
    """Return why the unit was not heard for ``max_s``; None where it was.

    What it sent while this process did not run waits to be read: a silence that is not too long
    without that time is none of the line.
    """
    if newest_at_s is None:
        return Interlock.TELEMETRY_STALE
    silent_s, late_s = now_s - newest_at_s, held_up_s(last_beat_s, now_s)
    if silent_s <= max_s:
        return None
    own = late_s > 0.0 and silent_s - late_s <= max_s
    return Interlock.LOOP_STALLED if own else Interlock.TELEMETRY_STALE


# -- the checks ------------------------------------------------------------------------------------
def _commanded_open(reading: Reading) -> bool:
    valve = int(reading.inputs) & _VALVE
    return bool(valve) and int(reading.permits) & _PERMITS == _PERMITS


def _same_boot(sight: Sight) -> bool:
    return sight.reading.boot_id == sight.belief.boot_id


def _under_trip_level(sight: Sight) -> bool:
    a_kpa, b_kpa = sight.reading.suction_kpa, sight.reading.suction_b_kpa
    known = [value for value in (a_kpa, b_kpa) if value is not None]
    return all(value <= SUCTION_TRIP_KPA for value in known)


def _sensors_known(sight: Sight) -> bool:
    reading = sight.reading
    known = (reading.suction_kpa, reading.suction_b_kpa, reading.flow_g_per_min)
    return not sight.belief.treating or None not in known


def _shut_means_shut(sight: Sight) -> bool:
    reading = sight.reading
    if _commanded_open(reading):
        return True
    quiet = reading.flow_g_per_min is None or reading.flow_g_per_min <= FLOW_NOISE_G_PER_MIN
    return quiet and reading.valve_percent <= VALVE_LEAK_PERCENT


def _flow_only_on_skin(sight: Sight) -> bool:
    reading = sight.reading
    return reading.contact or reading.valve_percent <= VALVE_LEAK_PERCENT


def _flow_as_set(sight: Sight) -> bool:
    reading, belief = sight.reading, sight.belief
    limit = belief.set_flow_g_per_min * FLOW_OVER_SET_RATIO + FLOW_NOISE_G_PER_MIN
    return not belief.treating or reading.flow_g_per_min is None or reading.flow_g_per_min <= limit


def _nothing_drives(reading: Reading) -> bool:
    """Every output is off, or the orderly end has come to its vent: the grace counts from there."""
    vents = reading.mode is Mode.STOPPING and int(reading.inputs) & (_PUMP | _VENT) == _VENT
    return reading.outputs_off or (vents and reading.valve_shut)


def _off_means_vented(sight: Sight) -> bool:
    return not _nothing_drives(sight.reading) or sight.reading.is_vented


def _suction_as_set(sight: Sight) -> bool:
    set_kpa = sight.belief.set_suction_kpa
    limit = max(set_kpa + SUCTION_OVER_SET_KPA, set_kpa * SUCTION_OVER_SET_RATIO)
    return not sight.belief.treating or at_most(sight.reading.suction_kpa, limit)


def _moves_like_air(sight: Sight) -> bool:
    now_kpa, before_kpa = sight.reading.suction_kpa, sight.previous.suction_kpa
    if now_kpa is None or before_kpa is None:
        return True  # the business of SENSOR_MISSING
    return abs(now_kpa - before_kpa) <= STEP_MAX_KPA


def _sensors_agree(sight: Sight) -> bool:
    a_kpa, b_kpa = sight.reading.suction_kpa, sight.reading.suction_b_kpa
    if a_kpa is None or b_kpa is None:
        return True  # the business of SENSOR_MISSING
    return abs(a_kpa - b_kpa) <= max(DISAGREE_KPA, DISAGREE_RATIO * max(a_kpa, b_kpa))


def _readings_move(sight: Sight) -> bool:
    reading, previous = sight.reading, sight.previous
    if not (sight.belief.treating and int(reading.inputs) & _PUMP):
        return True
    if not (reading.suction_kpa or 0.0) > SEALED_KPA:
        return True  # at rest a reading may well stand still
    a_moves = reading.suction_kpa != previous.suction_kpa
    b_moves = reading.suction_b_kpa != previous.suction_b_kpa
    return a_moves and b_moves


def _sensors_stay_together(sight: Sight) -> bool:
    return abs(sight.apart_kpa) <= DRIFT_KPA


def _flow_moves(sight: Sight) -> bool:
    """Flowing crystals are never still: the same number again and again is no measurement."""
    reading, flow = sight.reading, sight.reading.flow_g_per_min
    if flow is None or not (sight.belief.treating and not reading.valve_shut):
        return True  # unknown is the business of SENSOR_MISSING; at rest it may stand still
    return flow <= FLOW_NOISE_G_PER_MIN or flow != sight.previous.flow_g_per_min


def _flow_follows(sight: Sight) -> bool:
    reading, belief = sight.reading, sight.belief
    if not (belief.flow_wished and _commanded_open(reading)):
        return True
    set_flow = reading.set_flow_g_per_min
    noise = min(FLOW_NOISE_G_PER_MIN, FLOW_EFFECT_MAX_RATIO * set_flow)
    least = max(FLOW_EFFECT_RATIO * set_flow, noise)
    return reading.flow_g_per_min is not None and reading.flow_g_per_min >= least


def _tip_moves(sight: Sight) -> bool:
    reading = sight.reading
    on_one_spot = reading.contact and not reading.valve_shut
    return not (on_one_spot and sight.belief.motion_sensor) or bool(int(reading.inputs) & _MOTION)


def _seal_breaks(sight: Sight) -> bool:
    """A motion sensor does not lift this limit: one that is stuck would be worse than none."""
    reading = sight.reading
    return not reading.contact or reading.valve_shut


def _setpoint_taken(sight: Sight) -> bool:
    reading, belief = sight.reading, sight.belief
    suction_ok = reading.set_suction_kpa <= belief.set_suction_kpa + SET_TOLERANCE_KPA
    flow_ok = reading.set_flow_g_per_min <= belief.set_flow_g_per_min + SET_TOLERANCE_G_PER_MIN
    return not belief.treating or (suction_ok and flow_ok)


def _mode_as_believed(sight: Sight) -> bool:
    return sight.reading.mode in sight.belief.modes


def _stop_shuts(sight: Sight) -> bool:
    reading = sight.reading
    quiet = reading.flow_g_per_min is None or reading.flow_g_per_min <= FLOW_NOISE_G_PER_MIN
    return not sight.belief.stopped or (quiet and reading.valve_percent <= VALVE_LEAK_PERCENT)


RULES: Final = (
    # Graces of nought and two frames first: what cannot wait.
    Rule(Interlock.OVER_SUCTION, ("H03",), 0.0, _under_trip_level),
    Rule(Interlock.UNIT_CHANGED, ("H18", "H24", "H43"), 0.0, _same_boot),
    Rule(Interlock.SUCTION_JUMP, ("H07", "H09"), 0.0, _moves_like_air),
    Rule(Interlock.SENSOR_MISSING, ("H09", "H39"), 0.060, _sensors_known),
    # The valve shuts in 50 ms and the line empties in 80 (hazard H05): beyond both, and a frame.
    Rule(Interlock.FLOW_WITHOUT_CONTACT, ("H04",), 0.200, _flow_only_on_skin),
    Rule(Interlock.OVER_FLOW, ("H01", "H05"), 0.300, _flow_as_set),
    Rule(Interlock.FLOW_WHILE_SHUT, ("H05",), 0.300, _shut_means_shut),
    Rule(Interlock.STOP_WITHOUT_EFFECT, ("H05",), 0.400, _stop_shuts),
    # A command may be on its way: a beat of 50 ms, the line, a frame of telemetry, and margin.
    Rule(Interlock.MODE_DISAGREES, ("H13", "H18"), 0.300, _mode_as_believed),
    Rule(Interlock.SETPOINT_NOT_TAKEN, ("H20", "H38"), 0.300, _setpoint_taken),
    Rule(Interlock.SENSORS_DISAGREE, ("H07",), 0.500, _sensors_agree),
    # It takes minutes to come and the average is slow: what lasts is no accident.
    Rule(Interlock.SENSORS_DRIFT, ("H07",), 2.0, _sensors_stay_together),
    # After a lowering a sealed tip holds its suction until it is lifted, every 2 to 3 s.
    Rule(Interlock.SUCTION_OVER_SET, ("H03", "H38"), 4.0, _suction_as_set),
    Rule(Interlock.SENSOR_FROZEN, ("H08",), 1.0, _readings_move),
    # The device says so after 0.5 s. Of 50 readings a living sensor repeats a few, never all.
    Rule(Interlock.FLOW_FROZEN, ("H08", "H01"), 1.0, _flow_moves),
    # The device trips after 1 s; the host waits for the device to say so itself.
    Rule(Interlock.NO_FLOW, ("H06", "H30"), 1.5, _flow_follows),
    Rule(Interlock.DWELL, ("H02",), envelope.DWELL_TRIP_S + 0.25, _tip_moves),
    Rule(Interlock.SEAL_TOO_LONG, ("H02",), envelope.SEAL_UNBROKEN_MAX_S + 0.25, _seal_breaks),
    Rule(Interlock.SUCTION_WHILE_OFF, ("H03", "H07"), VENT_GRACE_S, _off_means_vented),
)  # fmt: skip


@dataclass(slots=True)
class Watch:
    """Applies the table to one reading after the other and remembers since when a check fails."""

    rules: tuple[Rule, ...] = RULES
    previous: Reading | None = None
    apart_kpa: float = 0.0
    failing_since_s: dict[int, float] = field(default_factory=dict)

    def judge(self, reading: Reading, belief: Belief, now_s: float) -> tuple[Interlock, ...]:
        """Return every interlock that is broken at ``now_s``, in the order of the table."""
        previous = self.previous or reading
        self.apart_kpa = _averaged(self.apart_kpa, previous, reading)
        sight = Sight(reading, previous, belief, self.apart_kpa)
        self.previous = reading
        before_s = self.failing_since_s
        failing = [number for number, rule in enumerate(self.rules) if not rule.holds(sight)]
        self.failing_since_s = {number: before_s.get(number, now_s) for number in failing}
        return tuple(
            self.rules[number].interlock
            for number, since_s in self.failing_since_s.items()
            if not now_s - since_s < self.rules[number].grace_s
        )

    def failing_for_s(self, interlock: Interlock, now_s: float) -> float:
        """Return for how long the check of ``interlock`` has failed; 0 while it holds."""
        if not self.failing_since_s:
            return 0.0
        return max(
            (
                now_s - since_s
                for number, since_s in self.failing_since_s.items()
                if self.rules[number].interlock is interlock
            ),
            default=0.0,
        )


def _averaged(apart_kpa: float, previous: Reading, reading: Reading) -> float:
    """Follow the difference of the sensors slowly; a reading that is not known changes nothing."""
    a_kpa, b_kpa = reading.suction_kpa, reading.suction_b_kpa
    if a_kpa is None or b_kpa is None:
        return apart_kpa
    passed_s = min(max(reading.at_s - previous.at_s, 0.0), DRIFT_AVERAGE_S)
    return apart_kpa + (a_kpa - b_kpa - apart_kpa) * passed_s / DRIFT_AVERAGE_S
