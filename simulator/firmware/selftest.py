"""The self-test: with outputs off, everything that must be at rest is at rest, and says so.

First the line vents, then a window of samples is averaged, so that the zero check is not fooled by
noise. A sensor that shows one and the same count all the time is frozen, or has drifted below its
zero, where its converter shows nothing but zero.

At power-on, where the line may still be under suction and nobody waits for a window of samples,
what one sample can show is tested. Arming needs the whole test in any case.
"""

from typing import Final

from firmware_protocol.envelope import VENTED_MAX_PA
from firmware_protocol.vocabulary import Defect
from simulator.firmware.guards import (
    FILTER_MAX_KPA,
    FLOW_NONE_G_PER_MIN,
    HOPPER_EMPTY_G,
    PUMP_MAX_DEG_C,
    SUPPLY_MIN_V,
    WASTE_FULL_PERCENT,
)
from simulator.plant.signals import Sensors

VENT_WAIT_MAX_MS: Final = 2000  # a healthy vent empties the line in 0.2 s
WINDOW_MS: Final = 400  # 80 samples bring noise of 0.05 kPa below 0.01
SAME_MAX_MS: Final = 350  # a zero shows as many equal counts once in a million self-tests
ZERO_MAX_KPA: Final = 0.3  # vented zero of either sensor
AGREE_MAX_KPA: Final = 0.3
SHUT_MAX_PERCENT: Final = 1.0
VENTED_MAX_KPA: Final = VENTED_MAX_PA / 1000


class SelfTest:
    """Watches samples until it can say."""

    __slots__ = (
        "_count", "_last", "_same_ms", "_sum_a", "_sum_b", "_sum_flow", "_valve", "_waited_ms",
        "_window_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start anew."""
        self._waited_ms = self._window_ms = self._count = 0
        self._sum_a = self._sum_b = self._sum_flow = self._valve = 0.0
        self._last: tuple[float | None, ...] = (None, None, None)
        self._same_ms = [0, 0, 0]

    def sample(self, dt_ms: int, sensors: Sensors, *, released: bool) -> Defect | None:
        """Take one sample; None while it is not over, else what was found."""
        a_kpa, b_kpa, flow = sensors.suction_a_kpa, sensors.suction_b_kpa, sensors.flow_g_per_min
        if a_kpa is None or b_kpa is None or flow is None:
            return Defect.SENSOR_LOST
        if not released:
            return Defect.SWITCH_PRESSED
        if self._count == 0 and not max(a_kpa, b_kpa) <= VENTED_MAX_KPA:
            self._waited_ms += dt_ms
            return Defect.NOT_VENTED if self._waited_ms > VENT_WAIT_MAX_MS else None
        self._count += 1
        self._window_ms += dt_ms
        self._sum_a += a_kpa
        self._sum_b += b_kpa
        self._sum_flow += flow
        self._valve = max(self._valve, sensors.valve_percent)
        pairs = zip((a_kpa, b_kpa, flow), self._last, self._same_ms, strict=True)
        self._same_ms = [ms + dt_ms if now == last else 0 for now, last, ms in pairs]
        self._last = (a_kpa, b_kpa, flow)
        return self._conclude(sensors) if self._window_ms >= WINDOW_MS else None

    def _conclude(self, sensors: Sensors) -> Defect:
        a_kpa, b_kpa = self._sum_a / self._count, self._sum_b / self._count
        return _failed(
            (Defect.ZERO_A, abs(a_kpa) <= ZERO_MAX_KPA),
            (Defect.ZERO_B, abs(b_kpa) <= ZERO_MAX_KPA),
            (Defect.SENSORS_DISAGREE, abs(a_kpa - b_kpa) <= AGREE_MAX_KPA),
            (Defect.SENSOR_FROZEN, max(self._same_ms) <= SAME_MAX_MS),
            (Defect.VALVE_OPEN, self._valve <= SHUT_MAX_PERCENT),
            (Defect.FLOW, self._sum_flow / self._count <= FLOW_NONE_G_PER_MIN),
            *_supplies(sensors),
        )


def at_power_on(sensors: Sensors, *, released: bool) -> Defect:
    """Return what one sample shows to be wrong."""
    a_kpa, b_kpa, flow = sensors.suction_a_kpa, sensors.suction_b_kpa, sensors.flow_g_per_min
    return _failed(
        (Defect.SENSOR_LOST, not (a_kpa is None or b_kpa is None or flow is None)),
        (Defect.SWITCH_PRESSED, released),
        (Defect.VALVE_OPEN, sensors.valve_percent <= SHUT_MAX_PERCENT),
        (Defect.FLOW, flow is None or flow <= FLOW_NONE_G_PER_MIN),
        *_supplies(sensors),
    )


def _supplies(sensors: Sensors) -> tuple[tuple[Defect, bool], ...]:
    return (
        (Defect.HOPPER_EMPTY, sensors.hopper_g > HOPPER_EMPTY_G),
        (Defect.WASTE_FULL, sensors.waste_percent <= WASTE_FULL_PERCENT),
        (Defect.FILTER_LOADED, sensors.filter_kpa <= FILTER_MAX_KPA),
        (Defect.PUMP_HOT, sensors.pump_deg_c <= PUMP_MAX_DEG_C),
        (Defect.SUPPLY_LOW, sensors.supply_v >= SUPPLY_MIN_V),
    )


def _failed(*checks: tuple[Defect, bool]) -> Defect:
    found = Defect.NONE
    for defect, passed in checks:
        if not passed:
            found |= defect
    return found
