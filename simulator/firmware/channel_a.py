"""Channel A: senses, judges, and may open. Nothing else in the device can want crystals to flow."""

from firmware_protocol.messages import MG_PER_G, PA_PER_KPA, Setpoint
from firmware_protocol.vocabulary import Cause
from simulator.firmware import permissives
from simulator.firmware.contact import Dwell, HandSwitch
from simulator.firmware.guards import (
    FLOW_NONE_G_PER_MIN,
    VALVE_SHUT_PERCENT,
    Finding,
    Guards,
    Scene,
    gone,
)
from simulator.firmware.modes import Policy
from simulator.firmware.outputs import Ending, FeedRegulator, PumpRegulator, Totals
from simulator.firmware.setpoints import Lease, Setpoints, Verdict
from simulator.plant.signals import Sensors


class ChannelA:
    """The parts of channel A and the order in which they work."""

    __slots__ = (
        "_feed", "_guards", "_pump", "dwell", "ending", "lease", "lease_left_ms", "permits", "pump",
        "scene", "sensors", "setpoints", "switch", "totals", "valve", "vent_closed",
    )  # fmt: skip

    def __init__(self, sensors: Sensors) -> None:
        self.sensors = sensors
        self.lease = Lease()
        self.setpoints = Setpoints()
        self.switch = HandSwitch()
        self.dwell = Dwell()
        self.totals = Totals()
        self.ending = Ending()
        self.scene = Scene(sensors, self.switch, self.dwell)
        self._guards = Guards()
        self._pump = PumpRegulator()
        self._feed = FeedRegulator()
        self.lease_left_ms = 0
        self.permits = 0
        self.valve = 0.0
        """Commanded opening, 0 to 1."""
        self.pump = 0.0
        self.vent_closed = False

    def accept(self, setpoint: Setpoint, tick_ms: int) -> Verdict:
        """Offer a setpoint; an accepted one renews the lease."""
        verdict = self.setpoints.offer(setpoint, tick_ms)
        if verdict is Verdict.ACCEPTED:
            self.lease.grant(setpoint.lease_ms, tick_ms)
            self.totals.allow(setpoint.exposure_left_mg)
        return verdict

    def open_session(self) -> None:
        """Start from nothing: no lease, no configuration, no wishes."""
        self.lease.revoke()
        self.setpoints.open_session()
        self.totals.allow(0)

    def observe(self, tick_ms: int, dt_ms: int, sensors: Sensors) -> None:
        """Take one sample of everything."""
        self.switch.sample(dt_ms, closed=sensors.switch_closed, rest=sensors.switch_rest)
        self.lease_left_ms = self.lease.left_ms(tick_ms)
        opened = self.valve > 0.0
        self.dwell.sample(dt_ms, sensors, valve_open=opened)
        scene = self.scene
        before = self.sensors
        same = sensors.suction_a_kpa == before.suction_a_kpa
        scene.unchanged_ms = scene.unchanged_ms + dt_ms if same else 0
        same = sensors.flow_g_per_min == before.flow_g_per_min
        scene.flow_unchanged_ms = scene.flow_unchanged_ms + dt_ms if same else 0
        scene.sensors = self.sensors = sensors
        scene.lease = self.lease.live
        self._meter(dt_ms, sensors, opened=opened)

    def _meter(self, dt_ms: int, sensors: Sensors, *, opened: bool) -> None:
        flow = sensors.flow_g_per_min
        shut = sensors.valve_percent <= VALVE_SHUT_PERCENT
        if shut and flow is not None and flow <= FLOW_NONE_G_PER_MIN:
            return  # on its seat, and the sensor shows its own noise
        self.totals.meter(dt_ms, None if flow is None else flow * MG_PER_G)
        if opened and sensors.contact:
            self.totals.touch(dt_ms)

    def judge(self, dt_ms: int, policy: Policy) -> Finding | None:
        """Return the first-out finding of the guards, or None."""
        scene, setpoints = self.scene, self.setpoints
        envelope = setpoints.envelope
        scene.set_flow_g_per_min = setpoints.flow_mg_per_min / MG_PER_G
        scene.suction_min_kpa = envelope.suction_min_pa / PA_PER_KPA
        scene.tip = envelope.tip
        scene.asked = setpoints.wants_flow
        scene.left_mg = self.totals.left_mg
        return self._guards.judge(dt_ms, scene, policy)

    def gone(self, cause: Cause) -> bool:
        """Return whether nothing of a cause stands any more."""
        return gone(cause, self.scene)

    def drive(self, dt_ms: int, policy: Policy, *, channel_b: bool) -> None:
        """Decide the three outputs from the permissives and the mode's policy."""
        sensors, setpoints = self.sensors, self.setpoints
        suction_kpa = sensors.suction_a_kpa
        enough = suction_kpa is not None and (
            suction_kpa * PA_PER_KPA >= setpoints.envelope.suction_min_pa
        )
        self.permits = permissives.bits(
            lease=self.lease.live,
            armed=policy.armed,
            switch=self.switch.pressed,
            contact=sensors.contact,
            suction=enough,
            no_trip=not policy.latched,
            exposure=self.totals.left_mg > 0.0,
            requested=setpoints.wants_flow,
            channel_b=channel_b,
        )
        permitted = policy.valve and self.permits == permissives.ALL
        flowing = permitted and self._feed.may_open
        pumping = (policy.armed and setpoints.wants_pump) or (policy.ending and self.ending.purging)
        setpoints.follow(dt_ms, pumping=pumping, flowing=flowing, starved=self._feed.starved)
        self._drive_pump(dt_ms, policy, pumping=pumping)
        if flowing and suction_kpa is not None:
            set_g_per_min = setpoints.flow_mg_per_min / MG_PER_G
            self.valve = self._feed.open(dt_ms, set_g_per_min, sensors.flow_g_per_min, suction_kpa)
        else:
            self.valve = self._feed.shut(dt_ms)
        scene = self.scene
        scene.opened = self.valve > 0.0
        scene.pumping = self.vent_closed = pumping

    def _drive_pump(self, dt_ms: int, policy: Policy, *, pumping: bool) -> None:
        suction_kpa = self.sensors.suction_a_kpa
        if not pumping or suction_kpa is None:
            self.pump = self._pump.stop()
            return
        set_pa = self.ending.suction_pa if policy.ending else self.setpoints.suction_pa
        sealed = self.sensors.contact
        self.pump = self._pump.drive(dt_ms, set_pa / PA_PER_KPA, suction_kpa, sealed=sealed)
