"""Sensors: what the firmware's converter makes of the truth, once per sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.plant.faults import Effects, SensorEffects
from simulator.plant.hand import Grip
from simulator.plant.signals import Noise, PlantTruth, Sensors
from simulator.plant.spec import PlantSpec
from simulator.plant.steps import SAMPLE_S, sample_share

NOISE_BLOCK: Final = 256  # draws at a time; only speed depends on it
SEALED: Final = 0.5  # the contact ring reports skin when more than this share of the rim is tight
PERCENT: Final = 100.0
VALVE_PERCENT_STEPS: Final = 2.0  # the position sensor resolves half a percent


class Grain:
    """Standard normal draws, made in blocks because one at a time is slow."""

    def __init__(self, noise: Noise) -> None:
        self._noise = noise
        self._block: Iterator[float] = iter(())

    def draw(self) -> float:
        """Return the next draw."""
        for value in self._block:
            return value
        gauss = self._noise.gauss
        self._block = iter([gauss(0.0, 1.0) for _ in range(NOISE_BLOCK)])
        return next(self._block)


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


@dataclass(slots=True)
class Probe:
    """One analogue sensor with its filter, a delay of one sample, and its faults."""

    channel: Channel
    filtered: float = 0.0
    drift: float = 0.0
    reading: float = 0.0

    def sample(self, true: float, noise: float, effects: SensorEffects) -> float | None:
        """Return the reading of one sample; None while the sensor is disconnected."""
        channel = self.channel
        value = self.filtered  # of the sample before: the delay
        self.filtered = value + (true - value) * channel.share
        if effects is not _HEALTHY:
            return self._faulty(value, noise, effects)
        self.drift = 0.0
        value += channel.offset + noise * (channel.noise + channel.noise_share * value)
        return self._quantised(value)

    def _faulty(self, value: float, noise: float, effects: SensorEffects) -> float | None:
        if not effects.connected:
            return None
        if effects.frozen:
            return self.reading
        self.drift += effects.drift_per_s * SAMPLE_S
        channel = self.channel
        value = value * effects.gain + effects.offset + self.drift + channel.offset
        return self._quantised(value + noise * channel.noise)

    def _quantised(self, value: float) -> float:
        channel = self.channel
        if not value > 0.0:
            self.reading = 0.0
        elif value < channel.span:
            self.reading = int(value * channel.steps_per_unit + 0.5) / channel.steps_per_unit
        else:
            self.reading = channel.span
        return self.reading


_HEALTHY: Final = SensorEffects()


class SensorHead:
    """All sensors of the unit."""

    def __init__(self, spec: PlantSpec, noise: Noise) -> None:
        self._spec = spec
        self._draw = Grain(noise).draw
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
        self, truth: PlantTruth, grip: Grip, effects: Effects, feed_g_per_min: float
    ) -> Sensors:
        """Return one sample of the fast sensors; the slow ones are filled in by the plant."""
        draw = self._draw
        closed, rest = self._switch(grip, effects)
        contact, self._contact = self._contact, grip.seal > SEALED
        return Sensors(
            self._a.sample(truth.suction_kpa, draw(), effects.suction_a),
            self._b.sample(truth.suction_kpa, draw(), effects.suction_b),
            self._flow.sample(feed_g_per_min, draw(), effects.flow),
            int(truth.valve_open * (PERCENT * VALVE_PERCENT_STEPS) + 0.5) / VALVE_PERCENT_STEPS,
            (contact or effects.contact_stuck) and not effects.contact_dead,
            self._motion(grip, effects),
            closed,
            rest,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        )

    def _motion(self, grip: Grip, effects: Effects) -> bool | None:
        if not self._spec.motion_sensor:
            return None
        return effects.motion_stuck or grip.speed_mm_per_s >= self._spec.motion_min_mm_per_s

    def _switch(self, grip: Grip, effects: Effects) -> tuple[bool, bool]:
        """Return the closed and the rest contact; in travel, for one sample, both are open."""
        pressed = (grip.switch_pressed or effects.switch_stuck) and not effects.switch_dead
        travelling, self._pressed = pressed is not self._pressed, pressed
        closed = pressed and not travelling
        rest = not pressed and not travelling
        return closed or effects.switch_no_contact_stuck, rest


def _suction(spec: PlantSpec, offset_kpa: float) -> Channel:
    return Channel(
        share=sample_share(spec.suction_filter_s),
        offset=offset_kpa,
        noise=spec.suction_noise_kpa,
        noise_share=0.0,
        steps_per_unit=round(1.0 / spec.suction_step_kpa),
        span=spec.suction_span_kpa,
    )
