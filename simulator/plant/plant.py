"""The plant: a handpiece without its firmware, in samples of 5 ms.

The firmware gives ``Drives`` and gets ``Sensors``; ``truth`` and ``faults`` are for events, tests
and the control channel. Every 5 ms the hand is asked and the sensors are read. Air and crystals
move in one step up to there, or up to where the drives change within, at a whole millisecond: how
``advance`` calls are cut does not change the numbers. A seed and the same drives give the same run.
"""

from math import exp, expm1
from typing import Final

from simulator.plant.air import filter_drop_kpa, new_air, orifice, set_inlets, set_pump
from simulator.plant.crystals import new_crystals, set_crystals, settle, travel, valve_target
from simulator.plant.deposit import DepositLog, DepositRow
from simulator.plant.electrics import Electrics, supply_v
from simulator.plant.faults import HEALTHY, PlantFaults
from simulator.plant.hand import AWAY, Hand, Lamp, physical
from simulator.plant.sensors import SEALED, SensorHead, SlowReadings
from simulator.plant.signals import Drives, Noise, PlantTruth, Sensors
from simulator.plant.spec import PlantSpec
from simulator.plant.steps import SAMPLE_S, SAMPLES_PER_SLOW, STEP_S, STEPS_PER_SAMPLE

__all__ = ["Drives", "Noise", "Plant", "PlantTruth", "Sensors"]

PERCENT: Final = 100.0
NO_POWER: Final = -1e-9  # an exponential this flat is a straight line
CONTACT_FLOW_MIN_G_PER_MIN: Final = 0.1  # crystals count as flowing at the tip from here


class Plant:
    """One handpiece, its operator and the air and crystals inside."""

    def __init__(self, spec: PlantSpec, hand: Hand, noise: Noise) -> None:
        self.spec = spec
        self.faults = PlantFaults()
        self.truth = PlantTruth(hopper_g=spec.hopper_start_g)
        self.lamp = Lamp.OFF
        """What the operator sees; whoever runs the firmware sets it."""
        self.deposit: DepositLog | None = None
        """Where the crystals go on the skin; None keeps no record of it."""
        self._hand = hand
        self._asked = AWAY
        self._grip = AWAY
        self._effects = HEALTHY
        self._air = new_air(spec)
        self._crystals = new_crystals(spec)
        self._head = SensorHead(spec, noise)
        self._electrics = Electrics(spec.ambient_deg_c)
        self._orifice = orifice(0.0)
        self._orifice_kpa = 0.0
        self._vent = 1.0
        self._supply_v = spec.supply_nominal_v
        self._pump_drive = 0.0
        self._valve_target = 0.0
        self._vent_travel = SAMPLE_S / spec.vent_travel_s
        self._fed_g = 0.0
        self._phase = 0
        """Milliseconds of the present sample that have passed."""
        self._ran = 0
        """Milliseconds of it for which air and crystals have moved."""
        self._samples = 0
        self._renew()
        self.sensors = self._head.sample(
            self.truth, HEALTHY, AWAY, self._slow, spec.supply_nominal_v
        )
        """The newest sample; it is never changed afterwards."""

    def advance(self, drives: Drives, steps: int) -> Sensors:
        """Let ``steps`` milliseconds pass under constant drives and return the newest sample."""
        while steps > 0:
            if self._phase == 0:
                self._begin(drives)
            self._command(drives)
            left = STEPS_PER_SAMPLE - self._phase
            if steps < left:
                self._phase += steps
                break
            steps -= left
            self._run(STEPS_PER_SAMPLE - self._ran)
            self._phase = self._ran = 0
            self._end()
        return self.sensors

    def _begin(self, drives: Drives) -> None:
        """Ask the hand, move the vent, and renew what depends on them or on the faults."""
        grip = self._hand.step(self._samples * SAMPLE_S, self.lamp)
        effects = self.faults.effects
        if effects is not self._effects or self._samples % SAMPLES_PER_SLOW == 0:
            self._effects = effects
            self._renew()
        self._supply_v = supply_v(self.spec, effects, self.truth.pump_speed)
        driven = drives.vent_closed and drives.power and self._supply_v > 0.0
        vent_target = 0.0 if driven or not effects.vent_opens else 1.0
        if grip is self._asked and vent_target == self._vent:
            return
        self._asked = grip
        self._grip = physical(grip)
        change = vent_target - self._vent
        self._vent += min(max(change, -self._vent_travel), self._vent_travel)
        set_inlets(self._air, self.spec, effects, self._grip, self._vent)

    def _renew(self) -> None:
        """Take up the faults and what changes slowly: filter, hopper, temperature."""
        spec, effects, truth, air = self.spec, self._effects, self.truth, self._air
        set_inlets(air, spec, effects, self._grip, self._vent)
        set_pump(air, spec, effects, truth.waste_g)
        set_crystals(self._crystals, spec, effects, truth)
        if self._samples % SAMPLES_PER_SLOW == 0:
            self._electrics.warm(spec, effects, truth.pump_speed)
        waste_percent = PERCENT * (spec.waste_start_g + truth.waste_g) / spec.waste_capacity_g
        self._slow = SlowReadings(
            hopper_g=0.0 if effects.hopper_empty else truth.hopper_g,
            waste_percent=PERCENT if effects.waste_full else min(PERCENT, waste_percent),
            filter_kpa=filter_drop_kpa(air, truth.pump_speed, truth.suction_kpa),
            pump_deg_c=self._electrics.pump_deg_c + self._electrics.fault_deg_c,
        )

    def _command(self, drives: Drives) -> None:
        """Turn the drives into targets; a drive that is not a number is off."""
        effects = self._effects
        volts = self._supply_v
        powered = drives.power
        pump = 1.0 if effects.pump_runs_away else _share(drives.pump)
        valve = _share(drives.valve)
        pump *= volts / self.spec.supply_nominal_v if powered else 0.0
        if not (powered and volts >= self.spec.valve_hold_min_v):
            valve = 0.0
        if effects is not HEALTHY:
            valve = valve_target(valve, self.truth.valve_open, effects)
        if self._phase > self._ran and (pump, valve) != (self._pump_drive, self._valve_target):
            self._run(self._phase - self._ran)
            self._ran = self._phase
        self._pump_drive, self._valve_target = pump, valve

    def _run(self, steps: int) -> None:
        """Let ``steps`` milliseconds pass under targets that stand, in closed form.

        Pump and line are first-order lags and the valve is a ramp: exact. The suction falls on an
        exponential towards where its present slopes lead (Rosenbrock-Euler), which is closer to the
        truth over 5 ms than plain Euler steps are over 1 ms.
        """
        air, crystals, truth = self._air, self._crystals, self.truth
        span_s = steps * STEP_S
        drive, before_speed = self._pump_drive, truth.pump_speed
        keeps = exp(-span_s / air.pump_lag_s)
        truth.pump_speed = drive + (before_speed - drive) * keeps
        speed = drive + (before_speed - truth.pump_speed) * air.pump_lag_s / span_s  # the mean
        opening = truth.valve_open
        if opening != self._valve_target:
            truth.valve_open, opening = travel(crystals, opening, self._valve_target, span_s)
        opening += crystals.leak
        inlet = air.inlet + air.carrier * opening

        suction = truth.suction_kpa
        if suction != self._orifice_kpa:
            self._orifice = orifice(suction)
        root, slope = self._orifice
        pump = speed * air.pump_flow / (1.0 + speed * air.drag)
        drawn = pump * (air.dead_head_kpa - suction) - air.bleed * root
        if drawn > 0.0:
            net, falls = drawn - inlet * root, pump + (air.bleed + inlet) * slope
        else:  # the check valve is shut
            net, falls = -inlet * root, inlet * slope
        power = -falls * air.kpa_per_l * span_s
        change = net * air.kpa_per_l * span_s
        suction += change * expm1(power) / power if power < NO_POWER else change
        if suction > air.relief_kpa:
            suction = air.relief_kpa + (suction - air.relief_kpa) * air.relief_keeps**steps
        truth.suction_kpa = self._orifice_kpa = suction
        self._orifice = orifice(suction)

        fed = opening * crystals.feed * 0.5 * (root + self._orifice[0]) * span_s
        self._fed_g += fed
        keeps = exp(-span_s / crystals.hold_up_s)
        truth.held_g = truth.held_g * keeps + fed * (1.0 - keeps) * crystals.hold_up_s / span_s

    def _end(self) -> None:
        """Book the sample and read the sensors."""
        self._samples += 1
        truth, grip, effects = self.truth, self._grip, self._effects
        truth.t_s = self._samples * SAMPLE_S
        settle(truth, self.spec, effects, grip, self._fed_g)
        self._fed_g = 0.0
        truth.speed_mm_per_s = grip.speed_mm_per_s
        truth.seal = sealed = grip.seal > SEALED
        truth.seal_s = truth.seal_s + SAMPLE_S if sealed else 0.0
        if sealed and truth.flow_g_per_min > CONTACT_FLOW_MIN_G_PER_MIN:
            truth.contact_s += SAMPLE_S
            if self.deposit is not None:
                self._book_deposit(self.deposit)
        elif self.deposit is not None and not truth.seal:
            self.deposit.lift()
        self.sensors = self._head.sample(truth, effects, grip, self._slow, self._supply_v)

    def _book_deposit(self, deposit: DepositLog) -> None:
        truth = self.truth
        x_mm, y_mm = self._hand.where(truth.t_s - SAMPLE_S)
        flow_g_per_min, suction_kpa = truth.flow_g_per_min, truth.suction_kpa
        deposit.add(DepositRow(x_mm, y_mm, flow_g_per_min, suction_kpa, SAMPLE_S, deposit.stroke))


def _share(drive: float) -> float:
    """Return the drive within 0 to 1; what is no number is off."""
    if drive >= 0.0:
        return drive if drive <= 1.0 else 1.0
    return 0.0
