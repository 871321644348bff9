"""The trips of channel A as a table: cause, how long it must stand, when it is watched, and what.

Rows are judged from top to bottom; the first that has stood long enough is the first-out cause. A
limit is written as ``x <= limit`` and negated as a whole, so that a value that is not a number
trips.

The limits are those by which the firmware judges its own sensors; the shared ones are in the
envelope. Each is of the unit, not of the skin: what its parts need, and how fast they move. [D]
derived from the time budgets of the hazard register: the spring shuts the valve in 30 to 50 ms and
the line empties in 80 ms.
"""

from collections.abc import Callable
from enum import Enum, unique
from typing import Final, NamedTuple

from firmware_protocol.envelope import (
    DWELL_TRIP_S,
    SEAL_UNBROKEN_MAX_S,
    SUCKED_MAX_S,
    SUCTION_TRIP_PA,
)
from firmware_protocol.vocabulary import Cause
from simulator.firmware.contact import CONTACTS_DISAGREE_MAX_MS, HELD_MAX_MS, Dwell, HandSwitch
from simulator.firmware.modes import Policy
from simulator.plant.signals import Sensors

# -- limits ----------------------------------------------------------------------------------------
FLOW_NONE_G_PER_MIN: Final = 0.5  # below it is noise of the flow sensor: six times 0.08 g/min
FLOW_EXCESS_RATIO: Final = 1.3  # measured above this much of the setpoint is out of control [D]
FLOW_EXCESS_G_PER_MIN: Final = 1.0
FLOW_MISSING_RATIO: Final = 0.2  # measured below this much of the setpoint is no flow [D]
FLOW_MISSING_MAX_RATIO: Final = 0.5  # of a small one noise is no flow either, up to this much [D]
VALVE_SHUT_PERCENT: Final = 1.0  # on its seat
VALVE_AJAR_PERCENT: Final = 5.0  # certainly not on its seat
SENSORS_DISAGREE_KPA: Final = 2.0  # H07
SENSORS_DISAGREE_RATIO: Final = 0.05
SUPPLY_MIN_V: Final = 20.0  # of 24; the coils of valve and vent let go below 14
PUMP_MAX_DEG_C: Final = 75.0  # diaphragm and bearings of a 24 V diaphragm pump
WASTE_FULL_PERCENT: Final = 95.0
FILTER_MAX_KPA: Final = 6.0  # pressure drop; a clean filter shows about 1
HOPPER_EMPTY_G: Final = 0.5


SUCTION_TRIP_KPA: Final = SUCTION_TRIP_PA / 1000
DWELL_MAX_MS: Final = int(DWELL_TRIP_S * 1000)
SEAL_MAX_MS: Final = int(SEAL_UNBROKEN_MAX_S * 1000)
SUCKED_MAX_MS: Final = int(SUCKED_MAX_S * 1000)
ONSET_MAX_MS: Final = 500  # a longer time is an allowance, not a delay of recognition


# -- the table -------------------------------------------------------------------------------------
class Scene:
    """What the guards look at; channel A refreshes it every tick."""

    __slots__ = (
        "asked", "dwell", "flow_unchanged_ms", "lease", "left_mg", "opened", "pumping", "sensors",
        "set_flow_g_per_min", "suction_min_kpa", "switch", "tip", "unchanged_ms",
    )  # fmt: skip

    def __init__(self, sensors: Sensors, switch: HandSwitch, dwell: Dwell) -> None:
        self.sensors = sensors
        self.switch = switch
        self.dwell = dwell
        self.lease = False
        self.opened = False
        """The valve is commanded open."""
        self.pumping = False
        self.set_flow_g_per_min = 0.0
        self.suction_min_kpa = 0.0
        self.asked = False
        """The newest setpoint wants crystals."""
        self.left_mg = 0.0
        """What the zone may still get."""
        self.tip = 0
        """The tip that the treatment was configured for."""
        self.unchanged_ms = 0
        """How long sensor A has shown the very same count."""
        self.flow_unchanged_ms = 0
        """How long the flow sensor has."""


@unique
class Watch(Enum):
    """When a row is judged."""

    ALWAYS = "always"
    RUNNING = "while the air path is driven"
    ARMED = "while a treatment is armed"


class Guard(NamedTuple):
    """One row."""

    cause: Cause
    after_ms: int
    watch: Watch
    stands: Callable[[Scene], bool]


class Finding(NamedTuple):
    """A guard that tripped, and how long ago its condition began."""

    cause: Cause
    onset_ms: int


def sensor_invalid(scene: Scene) -> bool:
    """Sensor A or the flow sensor is at its rail."""
    return scene.sensors.suction_a_kpa is None or scene.sensors.flow_g_per_min is None


def over_suction(scene: Scene) -> bool:
    """Sensor A is above the trip."""
    suction_kpa = scene.sensors.suction_a_kpa
    return suction_kpa is not None and not suction_kpa <= SUCTION_TRIP_KPA


def contacts_disagree(scene: Scene) -> bool:
    """Both contacts of the hand switch say the same for longer than a press takes."""
    return scene.switch.disagree_ms > CONTACTS_DISAGREE_MAX_MS


def switch_held(scene: Scene) -> bool:
    """The hand switch was not released for longer than a hand holds it."""
    return scene.switch.held_ms > HELD_MAX_MS


def valve_ajar(scene: Scene) -> bool:
    """The valve is commanded shut and is not on its seat."""
    return not (scene.opened or scene.sensors.valve_percent <= VALVE_AJAR_PERCENT)


def flow_while_shut(scene: Scene) -> bool:
    """Crystals flow though the valve is commanded shut."""
    return not scene.opened and _flows(scene)


def flow_without_contact(scene: Scene) -> bool:
    """Crystals flow though the tip is not on skin."""
    return not scene.sensors.contact and _flows(scene)


def sensors_disagree(scene: Scene) -> bool:
    """Sensors A and B are further apart than their uncertainty."""
    a_kpa, b_kpa = scene.sensors.suction_a_kpa, scene.sensors.suction_b_kpa
    if a_kpa is None or b_kpa is None:
        return False  # a lost sensor has a row of its own
    apart_kpa = abs(a_kpa - b_kpa)
    if apart_kpa <= SENSORS_DISAGREE_KPA:
        return False
    return not apart_kpa <= SENSORS_DISAGREE_RATIO * max(a_kpa, b_kpa)


def supply_low(scene: Scene) -> bool:
    """The supply sags."""
    return not scene.sensors.supply_v >= SUPPLY_MIN_V


def pump_hot(scene: Scene) -> bool:
    """The pump is too hot."""
    return not scene.sensors.pump_deg_c <= PUMP_MAX_DEG_C


def sensor_frozen(scene: Scene) -> bool:
    """Sensor A shows the very same count while the pump runs; a live one has noise."""
    return scene.pumping and scene.unchanged_ms >= ONSET_MAX_MS


def flow_frozen(scene: Scene) -> bool:
    """The flow sensor shows the very same count; a live one has noise, with and without flow."""
    return scene.pumping and scene.flow_unchanged_ms >= ONSET_MAX_MS


def exposure_spent(scene: Scene) -> bool:
    """The zone has got all that it may, the host goes on asking, and crystals go on flowing."""
    return scene.asked and not scene.left_mg > 0.0 and _flows(scene)


def tip_changed(scene: Scene) -> bool:
    """The tip is not the one that the limits were made for, or cannot be read."""
    return scene.sensors.tip != scene.tip


def flow_excess(scene: Scene) -> bool:
    """More crystals flow than the setpoint in force and the sensor's error allow."""
    flow = scene.sensors.flow_g_per_min
    limit = scene.set_flow_g_per_min * FLOW_EXCESS_RATIO + FLOW_EXCESS_G_PER_MIN
    return flow is not None and not flow <= limit


def waste_full(scene: Scene) -> bool:
    """The waste canister is full."""
    return not scene.sensors.waste_percent <= WASTE_FULL_PERCENT


def filter_loaded(scene: Scene) -> bool:
    """The filter takes too much pressure."""
    return not scene.sensors.filter_kpa <= FILTER_MAX_KPA


def sucked_too_long(scene: Scene) -> bool:
    """One patch of skin is sucked in for too long, whatever else happens."""
    return scene.dwell.sucked_ms > SUCKED_MAX_MS


def lease_lapsed(scene: Scene) -> bool:
    """The lease is over: no setpoint was accepted in time."""
    return not scene.lease


def flow_missing_g_per_min(set_g_per_min: float) -> float:
    """Return the reading up to which next to nothing flows.

    A fifth of a setpoint below 2.5 g/min is inside of the noise of the sensor, and a single grain
    of noise above it would start the time of the row anew.
    """
    noise = min(FLOW_NONE_G_PER_MIN, FLOW_MISSING_MAX_RATIO * set_g_per_min)
    return max(FLOW_MISSING_RATIO * set_g_per_min, noise)


def no_flow(scene: Scene) -> bool:
    """The valve is commanded open and next to nothing flows."""
    flow = scene.sensors.flow_g_per_min
    missing = flow_missing_g_per_min(scene.set_flow_g_per_min)
    return scene.opened and flow is not None and flow <= missing


def hopper_empty(scene: Scene) -> bool:
    """Nothing flows and the hopper says why."""
    return no_flow(scene) and scene.sensors.hopper_g <= HOPPER_EMPTY_G


def still(scene: Scene) -> bool:
    """The tip stood still on skin for too long with the valve open."""
    return scene.dwell.still_ms > DWELL_MAX_MS


def seal_unbroken(scene: Scene) -> bool:
    """The valve was open for too long on one unbroken seal, whatever a motion sensor says."""
    return scene.dwell.sealed_ms > SEAL_MAX_MS


def no_suction(scene: Scene) -> bool:
    """The tip is on skin and the pump runs, and suction does not come."""
    suction_kpa = scene.sensors.suction_a_kpa
    weak = suction_kpa is not None and suction_kpa <= scene.suction_min_kpa
    return scene.pumping and scene.sensors.contact and weak


def _flows(scene: Scene) -> bool:
    flow = scene.sensors.flow_g_per_min
    return flow is not None and not flow <= FLOW_NONE_G_PER_MIN


GUARDS: Final = (
    Guard(Cause.LEASE_LAPSED, 0, Watch.ARMED, lease_lapsed),
    Guard(Cause.SENSOR_INVALID, 10, Watch.ALWAYS, sensor_invalid),  # two samples
    Guard(Cause.OVER_SUCTION, 20, Watch.ALWAYS, over_suction),
    Guard(Cause.TIP_CHANGED, 50, Watch.ARMED, tip_changed),  # longer than a contact that bounces
    Guard(Cause.EXPOSURE, 100, Watch.ARMED, exposure_spent),
    Guard(Cause.VALVE_STUCK_OPEN, 100, Watch.ALWAYS, valve_ajar),  # the spring shuts in 30 to 50 ms
    Guard(Cause.FLOW_WITHOUT_CONTACT, 100, Watch.ALWAYS, flow_without_contact),
    Guard(Cause.VALVE_STUCK_OPEN, 100, Watch.ALWAYS, flow_while_shut),
    Guard(Cause.ENVELOPE, 150, Watch.RUNNING, flow_excess),  # with the spring inside of 250 ms
    Guard(Cause.SWITCH_FAULT, 0, Watch.ALWAYS, contacts_disagree),
    Guard(Cause.SWITCH_FAULT, 0, Watch.ALWAYS, switch_held),
    Guard(Cause.BROWN_OUT, 10, Watch.ALWAYS, supply_low),
    Guard(Cause.SENSORS_DISAGREE, 300, Watch.ALWAYS, sensors_disagree),
    Guard(Cause.SENSOR_FROZEN, 0, Watch.RUNNING, sensor_frozen),
    Guard(Cause.SENSOR_FROZEN, 0, Watch.RUNNING, flow_frozen),
    Guard(Cause.DWELL, 0, Watch.ARMED, still),
    Guard(Cause.DWELL, 0, Watch.ARMED, seal_unbroken),
    Guard(Cause.CONTACT_TOO_LONG, 0, Watch.RUNNING, sucked_too_long),
    Guard(Cause.HOPPER_EMPTY, 1000, Watch.ARMED, hopper_empty),
    Guard(Cause.NO_FLOW, 1000, Watch.ARMED, no_flow),
    Guard(Cause.NO_SUCTION, 1500, Watch.ARMED, no_suction),  # a seal gives suction within 0.3 s
    Guard(Cause.OVERHEAT, 500, Watch.ALWAYS, pump_hot),
    Guard(Cause.WASTE_FULL, 500, Watch.RUNNING, waste_full),
    Guard(Cause.FILTER_LOADED, 500, Watch.RUNNING, filter_loaded),
)

_WATCHED: Final = {
    (False, False): frozenset({Watch.ALWAYS}),
    (False, True): frozenset({Watch.ALWAYS, Watch.RUNNING}),
    (True, False): frozenset({Watch.ALWAYS, Watch.RUNNING, Watch.ARMED}),
}


def _rows(watched: frozenset[Watch]) -> tuple[tuple[int, Callable[[Scene], bool]], ...]:
    return tuple(
        (number, guard.stands) for number, guard in enumerate(GUARDS) if guard.watch in watched
    )


_ROWS: Final = {key: _rows(watched) for key, watched in _WATCHED.items()}


def calm(scene: Scene) -> bool:
    """True where no row of the table stands: the whole table in one look, for nearly every sample.

    It says what the rows say, neither more nor less, which the tests show row by row and at every
    border. A call costs more than a comparison, and there are two dozen rows two hundred times a
    second.
    """
    sensors, dwell = scene.sensors, scene.dwell
    suction_kpa, flow = sensors.suction_a_kpa, sensors.flow_g_per_min
    if suction_kpa is None or flow is None:
        return False
    none = flow <= FLOW_NONE_G_PER_MIN
    weak = sensors.contact and suction_kpa <= scene.suction_min_kpa
    little = none or flow <= FLOW_MISSING_RATIO * scene.set_flow_g_per_min
    return (
        scene.lease
        and suction_kpa <= SUCTION_TRIP_KPA
        and sensors.tip == scene.tip
        and (none or not scene.asked or scene.left_mg > 0.0)
        and (scene.opened or sensors.valve_percent <= VALVE_AJAR_PERCENT)
        and (none or (scene.opened and sensors.contact))
        and flow <= scene.set_flow_g_per_min * FLOW_EXCESS_RATIO + FLOW_EXCESS_G_PER_MIN
        and scene.switch.disagree_ms <= CONTACTS_DISAGREE_MAX_MS
        and scene.switch.held_ms <= HELD_MAX_MS
        and sensors.supply_v >= SUPPLY_MIN_V
        and not sensors_disagree(scene)
        and not (scene.pumping and scene.unchanged_ms >= ONSET_MAX_MS)
        and not (scene.pumping and scene.flow_unchanged_ms >= ONSET_MAX_MS)
        and not (scene.pumping and weak)
        and not (scene.opened and little and no_flow(scene))
        and dwell.still_ms <= DWELL_MAX_MS
        and dwell.sealed_ms <= SEAL_MAX_MS
        and dwell.sucked_ms <= SUCKED_MAX_MS
        and sensors.pump_deg_c <= PUMP_MAX_DEG_C
        and sensors.waste_percent <= WASTE_FULL_PERCENT
        and sensors.filter_kpa <= FILTER_MAX_KPA
    )


class Guards:
    """The table, with a clock for each row that stands."""

    __slots__ = ("_stood_ms",)

    def __init__(self) -> None:
        self._stood_ms: dict[int, int] = {}

    def judge(self, dt_ms: int, scene: Scene, policy: Policy) -> Finding | None:
        """Judge one sample; the first row that stood long enough, or None."""
        if calm(scene):
            self._stood_ms.clear()
            return None
        rows = _ROWS[policy.armed, policy.ending]
        standing = [number for number, stands in rows if stands(scene)]
        if not standing:
            self._stood_ms = {}
            return None
        before_ms = self._stood_ms
        self._stood_ms = {number: before_ms.get(number, 0) + dt_ms for number in standing}
        for number, stood_ms in self._stood_ms.items():
            guard = GUARDS[number]
            if stood_ms >= guard.after_ms:
                delayed = 0 < guard.after_ms <= ONSET_MAX_MS
                return Finding(guard.cause, stood_ms if delayed else 0)
        return None


def gone(cause: Cause, scene: Scene) -> bool:
    """Return whether nothing of a cause stands any more, with outputs off."""
    off = (Watch.ARMED,)
    return not any(
        guard.stands(scene) for guard in GUARDS if guard.cause is cause and guard.watch not in off
    )
