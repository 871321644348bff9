"""Crystals: hopper, valve, line, and where they end. Every gram is somewhere."""

import math
from dataclasses import dataclass
from typing import Final

from simulator.plant.faults import Effects
from simulator.plant.hand import Grip
from simulator.plant.signals import PlantTruth
from simulator.plant.spec import LAMINAR_KPA, PlantSpec
from simulator.plant.steps import SAMPLE_S

S_PER_MIN: Final = 60.0
PER_SAMPLE_TO_PER_MIN: Final = S_PER_MIN / SAMPLE_S
PULSE_PERIOD_S: Final = 0.6  # damp crystals: a clump, then a burst
PULSE_SHARE: Final = 0.5
PULSE_GAIN: Final = 1.0 / PULSE_SHARE  # keeps the mean flow


@dataclass(slots=True)
class Crystals:
    """Coefficients of the crystal path."""

    feed: float
    """Grams per second at full opening per square root of a kilopascal."""
    leak: float
    """Opening of the shut valve."""
    close_per_s: float
    """Travel of the valve towards shut, of a full stroke of 1."""
    open_per_s: float
    hold_up_s: float
    """How long crystals stay in the line, in the mean."""


def new_crystals(spec: PlantSpec) -> Crystals:
    """Return the coefficients of a healthy unit."""
    return Crystals(
        feed=_feed(spec),
        leak=0.0,
        close_per_s=1.0 / spec.valve_close_s,
        open_per_s=1.0 / spec.valve_open_s,
        hold_up_s=spec.hold_up_s,
    )


def set_crystals(crystals: Crystals, spec: PlantSpec, effects: Effects, truth: PlantTruth) -> None:
    """Set the crystal path for the active faults and what is left in the hopper."""
    gain = effects.feed_gain * (1.0 - effects.clog)
    if effects.feed_pulses:
        bursting = truth.t_s % PULSE_PERIOD_S < PULSE_SHARE * PULSE_PERIOD_S
        gain *= PULSE_GAIN if bursting else 0.0
    if effects.hopper_empty or truth.hopper_g <= spec.hopper_empty_g:
        gain = 0.0
    crystals.feed = _feed(spec) * gain
    crystals.leak = effects.valve_leak
    crystals.close_per_s = effects.valve_speed / spec.valve_close_s
    crystals.open_per_s = effects.valve_speed / spec.valve_open_s


def travel(crystals: Crystals, valve: float, target: float, span_s: float) -> tuple[float, float]:
    """Return where the valve is ``span_s`` later on its way to ``target``, and its mean."""
    way = target - valve
    reach = span_s * (crystals.open_per_s if way > 0.0 else -crystals.close_per_s)
    if abs(way) > abs(reach):
        return valve + reach, valve + 0.5 * reach
    return target, target - 0.5 * way * way / reach  # there after way / reach of the span


def valve_target(command: float, valve: float, effects: Effects) -> float:
    """Return where the valve moves to for a command and a present position, with its faults."""
    target = command
    if not effects.valve_meters and command > 0.0:
        target = 1.0
    if not effects.valve_closes:
        target = max(target, valve)
    if not effects.valve_opens:
        target = min(target, valve)
    return target


def settle(truth: PlantTruth, spec: PlantSpec, effects: Effects, grip: Grip, fed_g: float) -> None:
    """Book the crystals of one sample, of which ``fed_g`` passed the valve."""
    truth.through_valve_g += fed_g
    truth.hopper_g = spec.hopper_start_g - truth.through_valve_g
    left_g = truth.through_valve_g - truth.held_g - truth.waste_g - truth.ejected_g
    left_g = left_g if left_g > 0.0 else 0.0  # but for rounding
    spilled_g = left_g * spec.spill_share * (1.0 - grip.seal) if effects.hose_on else left_g
    truth.ejected_g += spilled_g
    truth.waste_g += left_g - spilled_g
    truth.feed_g_per_min = fed_g * PER_SAMPLE_TO_PER_MIN
    truth.flow_g_per_min = left_g * PER_SAMPLE_TO_PER_MIN


def _feed(spec: PlantSpec) -> float:
    root = spec.feed_reference_kpa / math.sqrt(spec.feed_reference_kpa + LAMINAR_KPA)
    return spec.feed_full_g_per_min / S_PER_MIN / root
