"""Sensors: what the firmware's converter makes of the truth, once per sample."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from simulator.plant.faults import HEALTHY_SENSOR, Effects, SensorEffects
from simulator.plant.hand import Grip
from simulator.plant.signals import Noise, PlantTruth, Sensors
from simulator.plant.spec import PlantSpec
from simulator.plant.steps import SAMPLE_S, sample_share

GRAIN_BITS: Final = 10
GRAIN: Final = 1 << GRAIN_BITS  # normal draws, made once and picked from: six times as fast
GRAIN_MASK: Final = GRAIN - 1
GRAIN_CUBED: Final = 1 << (3 * GRAIN_BITS)  # one draw of chance picks the noise of three sensors
SEALED: Final = 0.5  # the contact ring reports skin when more than this share of the rim is tight
VALVE_STEPS: Final = 200.0  # the position sensor resolves half a percent
VALVE_STEPS_PER_PERCENT: Final = 2.0


class SlowReadings(NamedTuple):
    """What the converter reads ten times a second."""

    hopper_g: float
    waste_percent: float
    filter_kpa: float
    pump_deg_c: float


@dataclass(frozen=True, slots=True)
class Channel:
    """How one analogue sensor filters, errs and is quantised."""

    share: float
    """Share of the way to the true value that the filter makes in one sample."""
    offset: float
    noise: float
    noise_share: float
    steps_per_unit: float
    span: float


class Probe:
    """One analogue sensor with its filter, a delay of one sample, and its faults."""

    __slots__ = ("_channel", "_drift", "_filtered", "_reading")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._filtered = 0.0
        self._drift = 0.0
        self._reading = 0.0

    def sample(self, true: float, noise: float, effects: SensorEffects) -> float | None:
        """Return the reading of one sample; None while the sensor is disconnected."""
        channel = self._channel
        value = self._filtered  # of the sample before: the delay
        self._filtered = value + (true - value) * channel.share
        if effects is not HEALTHY_SENSOR:
            if not effects.connected:
                return None
            if effects.frozen:
                return self._reading
            value = self._disturbed(value, effects)
        else:
            self._drift = 0.0
        value += channel.offset + noise * (channel.noise + channel.noise_share * value)
        if value < 0.0:
            value = 0.0
        elif value > channel.span:
            value = channel.span
        steps = channel.steps_per_unit
        self._reading = reading = int(value * steps + 0.5) / steps
        return reading

    def _disturbed(self, value: float, effects: SensorEffects) -> float:
        self._drift += effects.drift_per_s * SAMPLE_S
        return value * effects.gain + effects.offset + self._drift


class SensorHead:
    """All sensors of the unit."""

    def __init__(self, spec: PlantSpec, noise: Noise) -> None:
        self._motion_sensor = spec.motion_sensor
        self._motion_min_mm_per_s = spec.motion_min_mm_per_s
        self._tip = spec.tip
        self._chance = noise.random
        self._grain = tuple([noise.gauss(0.0, 1.0) for _ in range(GRAIN)])
        self._a = Probe(_suction(spec, spec.suction_offset_a_kpa))
        self._b = Probe(_suction(spec, spec.suction_offset_b_kpa))
        self._flow = Probe(
            Channel(
                share=sample_share(spec.flow_filter_s),
                offset=0.0,
                noise=spec.flow_noise_g_per_min,
                noise_share=spec.flow_noise_share,
                steps_per_unit=round(1.0 / spec.flow_step_g_per_min),
                span=spec.flow_span_g_per_min,
            )
        )
        self._contact = False
        self._pressed = False

    def sample(
        self, truth: PlantTruth, effects: Effects, grip: Grip, slow: SlowReadings, supply_v: float
    ) -> Sensors:
        """Return one sample."""
        grain = self._grain
        pick = int(self._chance() * GRAIN_CUBED)
        motion: bool | None = None
        if self._motion_sensor:
            motion = effects.motion_stuck or grip.speed_mm_per_s >= self._motion_min_mm_per_s
        contact, self._contact = self._contact, grip.seal > SEALED
        pressed = (grip.switch_pressed or effects.switch_stuck) and not effects.switch_dead
        travelling, self._pressed = pressed is not self._pressed, pressed
        suction_kpa = truth.suction_kpa
        return Sensors(
            self._a.sample(suction_kpa, grain[pick & GRAIN_MASK], effects.suction_a),
            self._b.sample(suction_kpa, grain[pick >> GRAIN_BITS & GRAIN_MASK], effects.suction_b),
            self._flow.sample(truth.feed_g_per_min, grain[pick >> 2 * GRAIN_BITS], effects.flow),
            int(truth.valve_open * VALVE_STEPS + 0.5) / VALVE_STEPS_PER_PERCENT,
            (contact or effects.contact_stuck) and not effects.contact_dead,
            motion,
            (pressed and not travelling) or effects.switch_no_contact_stuck,
            not (pressed or travelling),  # in travel, for one sample, both contacts are open
            slow.hopper_g,
            slow.waste_percent,
            slow.filter_kpa,
            slow.pump_deg_c,
            supply_v,
            self._tip + effects.tip_offset if effects.tip_read else None,
        )


def _suction(spec: PlantSpec, offset_kpa: float) -> Channel:
    return Channel(
        share=sample_share(spec.suction_filter_s),
        offset=offset_kpa,
        noise=spec.suction_noise_kpa,
        noise_share=0.0,
        steps_per_unit=round(1.0 / spec.suction_step_kpa),
        span=spec.suction_span_kpa,
    )
