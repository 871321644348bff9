"""The plant: a handpiece without its firmware, in fixed steps of 1 ms.

The firmware gives ``Drives`` and gets ``Sensors``; ``truth`` and ``faults`` are for events, tests
and the control channel. Every 5 ms the hand is asked and the sensors are read; how ``advance``
calls are cut does not change the numbers: a seed and the same drives give the same run.
"""

from math import sqrt
from typing import Final

from simulator.plant.air import filter_drop_kpa, new_air, set_inlets, set_pump
from simulator.plant.crystals import new_crystals, set_crystals, settle, valve_target
from simulator.plant.deposit import DepositLog, DepositRow
from simulator.plant.electrics import Electrics, supply_v
from simulator.plant.faults import HEALTHY, PlantFaults
from simulator.plant.hand import AWAY, Hand, Lamp, physical
from simulator.plant.sensors import SEALED, SensorHead, SlowReadings
from simulator.plant.signals import Drives, Noise, PlantTruth, Sensors
from simulator.plant.spec import CHOKE_KPA, LAMINAR_KPA, PlantSpec
from simulator.plant.steps import SAMPLE_S, SAMPLES_PER_SLOW, STEPS_PER_SAMPLE

__all__ = ["Drives", "Noise", "Plant", "PlantTruth", "Sensors"]

PERCENT: Final = 100.0
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
        self._vent = 1.0
        self._supply_v = spec.supply_nominal_v
        self._pump_drive = 0.0
        self._valve_target = 0.0
        self._vent_travel = SAMPLE_S / spec.vent_travel_s
        self._fed_g = 0.0
        self._phase = 0
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
            count = min(steps, STEPS_PER_SAMPLE - self._phase)
            self._run(count)
            steps -= count
            self._phase += count
            if self._phase == STEPS_PER_SAMPLE:
                self._phase = 0
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
        if grip is not self._asked or vent_target != self._vent:
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
        pump = drives.pump if drives.pump >= 0.0 else 0.0
        valve = drives.valve if drives.valve >= 0.0 else 0.0
        if effects.pump_runs_away:
            pump = 1.0
        held = powered and volts >= self.spec.valve_hold_min_v
        share = volts / self.spec.supply_nominal_v if powered else 0.0
        self._pump_drive = min(pump, 1.0) * share
        self._valve_target = valve_target(
            min(valve, 1.0) if held else 0.0, self.truth.valve_open, effects
        )

    def _run(self, steps: int) -> None:  # one tight loop: everything in it runs at 1 kHz
        air, crystals, truth = self._air, self._crystals, self.truth
        drive, pump_share, bleed = self._pump_drive, air.pump_share, air.bleed
        pump_flow, dead_head, drag = air.pump_flow, air.dead_head_kpa, air.drag
        per_l, inlet, carrier = air.kpa_per_l, air.inlet, air.carrier
        relief, relief_share = air.relief_kpa, air.relief_share
        target, leak, feed, empty = self._valve_target, crystals.leak, crystals.feed, crystals.empty
        suction, speed, valve, held = (
            truth.suction_kpa, truth.pump_speed, truth.valve_open, truth.held_g,
        )  # fmt: skip
        fed = self._fed_g
        for _ in range(steps):
            speed += (drive - speed) * pump_share
            if valve != target:
                if valve > target:
                    valve = max(target, valve - crystals.close)
                else:
                    valve = min(target, valve + crystals.open)
            head = suction if suction < CHOKE_KPA else CHOKE_KPA
            root = head / sqrt(head + LAMINAR_KPA)
            drawn = speed * pump_flow * (dead_head - suction) / (1.0 + speed * drag) - bleed * root
            if drawn < 0.0:  # noqa: PLR1730  max() costs as much as the rest of the line
                drawn = 0.0
            opening = valve + leak
            suction += per_l * (drawn - (inlet + carrier * opening) * root)
            if suction > relief:
                suction -= (suction - relief) * relief_share
            passed = opening * feed * root
            fed += passed
            held += passed - held * empty
        truth.suction_kpa, truth.pump_speed = suction, speed
        truth.valve_open, truth.held_g = valve, held
        self._fed_g = fed

    def _end(self) -> None:
        """Book the sample and read the sensors."""
        self._samples += 1
        truth, grip, effects = self.truth, self._grip, self._effects
        truth.t_s = self._samples * SAMPLE_S
        settle(truth, self.spec, effects, grip, self._fed_g)
        self._fed_g = 0.0
        truth.speed_mm_per_s = grip.speed_mm_per_s
        truth.seal = grip.seal > SEALED
        truth.seal_s = truth.seal_s + SAMPLE_S if truth.seal else 0.0
        if truth.seal and truth.flow_g_per_min > CONTACT_FLOW_MIN_G_PER_MIN:
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
