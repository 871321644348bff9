"""What really happens to one device, looked at in every tick: the judge of the fault matrix.

It reads the plant's truth (where the valve stands, what flows, whether skin is under the tip), the
hand, and the device's own mode, lease and power; never what the device measures, except where a
fault is the measurement itself. For each condition of the promise it keeps the longest time that
the valve stood open without it; for the fault it keeps the longest time from its onset to safety.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final

from firmware_protocol.envelope import (
    CONTACT_SUCTION_MIN_PA,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_TRIP_PA,
)
from firmware_protocol.vocabulary import Cause, LogCode, Mode
from qa.matrix.hand import StubbornHand
from qa.promise import clauses
from qa.promise.clauses import NEVER_S, Entered, Flow, Judge, Observer, Reset
from qa.promise.watch import OPEN, SUCTION_SLACK_KPA
from simulator.firmware.guards import (
    FILTER_MAX_KPA,
    FLOW_EXCESS_G_PER_MIN,
    FLOW_EXCESS_RATIO,
    FLOW_NONE_G_PER_MIN,
    PUMP_MAX_DEG_C,
    SENSORS_DISAGREE_KPA,
    SENSORS_DISAGREE_RATIO,
    VALVE_AJAR_PERCENT,
    flow_missing_g_per_min,
)
from simulator.firmware.modes import POLICY
from simulator.handpiece import Handpiece, Happening
from simulator.plant.hand import Grip, Lamp, Place
from simulator.plant.steps import SAMPLE_S

AJAR: Final = VALVE_AJAR_PERCENT / 100.0
SUCTION_TRIP_KPA: Final = SUCTION_TRIP_PA / 1000.0
SUCKED_KPA: Final = CONTACT_SUCTION_MIN_PA / 1000.0
B_WATCHED_KPA: Final = 1.0  # at rest a live sensor may show its zero for long
LAMP_LATE_S: Final = 2 * SAMPLE_S  # hand and firmware look at each other one tick late


@unique
class Due(Enum):
    """In which modes of the device a fault has to lead to its safe state."""

    ALWAYS = "whenever it is powered"
    RUNNING = "while the air path is driven"
    ARMED = "while a treatment is armed"
    NEVER = "it needs none"


Onset = Callable[["Witness"], bool]


@dataclass(slots=True)
class Sworn:
    """What the witness says at the end."""

    lacked_s: dict[str, float] = field(default_factory=dict)
    """Longest time with the valve open and the condition not holding, by the name of its clause."""
    to_safe_s: float | None = None
    """Longest time from the onset of the fault to safety, or to its end; None without onset."""
    causes: tuple[str, ...] = ()
    """Trips since the fault."""
    told: tuple[str, ...] = ()
    """Causes in the device's own log since the fault: also those that latch nothing."""
    resumed: tuple[str, ...] = ()
    """What came to life by itself."""
    opened: bool = False
    """The valve was open at any time since the fault."""
    last_mode: Mode = Mode.BOOT


class Witness:
    """Sits in the hand, which the plant asks every 5 ms, and looks at the device it holds."""

    def __init__(self) -> None:
        self.hand = StubbornHand()
        self.device: Handpiece | None = None
        self.happened: list[Happening] = []
        self.sworn = Sworn()
        self.onset: Onset = injected
        self.due = Due.NEVER
        self.jammed = False
        """The fault is the valve itself: without power at valve and pump it counts as shut."""
        self.injected_s: float | None = None
        self.wrong = False
        """The fault is there now."""
        self.now_s = 0.0
        self._judge = Judge(Observer.MATRIX)
        self._since_s: dict[str, float] = {}
        self._stood_since_s: float | None = None
        self._pressed_s = -NEVER_S
        self._pressed = False
        self._unread = False
        """It was pressed while the processor stood still: it is read when that goes on."""
        self._latched = False
        self._logged = 0
        """The newest record of the device's log before the fault."""
        self._over = False
        """The fault ended by itself, or by the restart that it led to."""

    # -- where it sits -----------------------------------------------------------------------------
    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Look, then let the hand move: fits `simulator.plant.hand.Hand`."""
        self.now_s = now_s
        if self.device is not None and self.injected_s is not None:
            self._look(self.device)
        grip = self.hand.step(now_s, lamp)
        if grip.switch_pressed and (self._unread or not self._pressed):
            self._pressed_s = now_s
            self._unread = self._halted
        self._pressed = grip.switch_pressed
        return grip

    @property
    def _halted(self) -> bool:
        return self.device is not None and self.device.plant.faults.effects.firmware_halted

    def begin_zone(self, area_cm2: float) -> None:
        """Tell the hand."""
        self.hand.begin_zone(area_cm2)

    def where(self, now_s: float) -> Place:
        """Ask the hand."""
        return self.hand.where(now_s)

    def record(self, happening: Happening) -> None:
        """Take one event of the device's own record."""
        self.happened.append(happening)
        if self.injected_s is None:
            return
        kind = happening["kind"]
        if kind == "trip":
            self.sworn.causes = (*self.sworn.causes, str(happening["cause"]))
            self._latched = True
        elif kind == "restart":
            self._latched = False
        elif kind == "fault" and not happening["active"]:
            self._over = True
        elif kind == "mode":
            self._moved(str(happening["from"]), str(happening["mode"]))

    def begin(self, onset: Onset, due: Due, *, jammed: bool) -> None:
        """The fault comes now."""
        device = self.holding()
        self.onset, self.due, self.jammed = onset, due, jammed
        self.injected_s = self.now_s
        self.wrong = True
        self._latched = device.firmware.board.policy.latched
        self._logged = device.firmware.board.log.newest_seq

    def end(self) -> Sworn:
        """Return what was seen."""
        sworn, board = self.sworn, self.holding().firmware.board
        sworn.last_mode = board.mode
        since = range(self._logged + 1, board.log.newest_seq + 1)
        records = [record for seq in since if (record := board.log.read(seq)) is not None]
        sworn.told = tuple(Cause(each.arg).name for each in records if each.code is LogCode.TRIP)
        return sworn

    def holding(self) -> Handpiece:
        """Return the device that it looks at."""
        if self.device is None:
            raise RuntimeError("the witness holds no device")
        return self.device

    # -- the promise -------------------------------------------------------------------------------
    def _moved(self, before: str, after: str) -> None:
        broken: list[str] = []
        if before == "SAFE" or (self._latched and after not in ("SAFE", "BOOT")):
            left = Reset(asked=False, disarmed=after == "DISARMED")  # nobody resets here
            broken += [each.name for each in self._judge.broken(clauses.RESET, left)]
        if after == "ACTIVE":
            press_s = self.now_s - self._pressed_s if self._pressed else NEVER_S
            begun = Entered(Mode[before], Mode.ACTIVE, press_s)
            broken += [each.name for each in self._judge.broken(clauses.ACTIVATED, begun)]
        self.sworn.resumed += tuple(f"{before} to {after} against {name}" for name in broken)

    def _look(self, device: Handpiece) -> None:
        carrying = self.carries()
        self.sworn.opened |= carrying
        lacking = self._judge.broken(clauses.FLOW, self._flow(device)) if carrying else []
        began = self._since_s
        self._since_s = {each.name: began.get(each.name, self.now_s - SAMPLE_S) for each in lacking}
        for name, since_s in self._since_s.items():
            lasted_s = self.now_s - since_s
            self.sworn.lacked_s[name] = max(lasted_s, self.sworn.lacked_s.get(name, 0.0))
        self.wrong = self.wrong and (carrying or not self._over)
        if self._is_due(device) and self.onset(self):
            if self._stood_since_s is None:
                self._stood_since_s = self.now_s - SAMPLE_S
            stood_s = self.now_s - self._stood_since_s
            self.sworn.to_safe_s = max(stood_s, self.sworn.to_safe_s or 0.0)
        else:
            self._stood_since_s = None

    def carries(self) -> bool:
        """True while the valve is open, or crystals pass a jammed one under power."""
        device = self.holding()
        truth = device.plant.truth
        if not self.jammed:
            return truth.valve_open > OPEN
        return truth.feed_g_per_min > FLOW_NONE_G_PER_MIN and device.firmware.board.b.power

    def _flow(self, device: Handpiece) -> Flow:
        truth, board = device.plant.truth, device.firmware.board
        sucked = truth.suction_kpa >= _least_kpa(device) - SUCTION_SLACK_KPA
        return Flow(
            live=board.policy.valve,
            lease_left_ms=float(board.a.lease.live),
            switch_s=0.0 if self._pressed else NEVER_S,
            skin_s=0.0 if truth.seal else NEVER_S,
            suction_s=0.0 if sucked else NEVER_S,
        )

    def _is_due(self, device: Handpiece) -> bool:
        """True while the fault has to lead somewhere that the device is not yet."""
        policy = POLICY[device.firmware.board.mode]
        if self.due is Due.NEVER or not self.wrong:
            return False
        if self.carries():
            return True
        if self.due is Due.ARMED:
            return policy.armed
        return policy.running if self.due is Due.RUNNING else not policy.latched


# -- onsets: from when the fault is dangerous ------------------------------------------------------
def injected(_: Witness) -> bool:
    """From the first moment on."""
    return True


def over_suction(witness: Witness) -> bool:
    """Suction is above the trip."""
    return witness.holding().plant.truth.suction_kpa > SUCTION_TRIP_KPA


def excess(witness: Witness) -> bool:
    """More crystals pass than the setpoint in force and the sensor's error allow."""
    device = witness.holding()
    set_g_per_min = device.firmware.board.a.setpoints.flow_mg_per_min / 1000.0
    limit = set_g_per_min * FLOW_EXCESS_RATIO + FLOW_EXCESS_G_PER_MIN
    return device.plant.truth.feed_g_per_min > limit


def ajar(witness: Witness) -> bool:
    """The valve is commanded shut and stands open."""
    device = witness.holding()
    return device.firmware.board.a.valve <= 0.0 and device.plant.truth.valve_open > AJAR


def leaking(witness: Witness) -> bool:
    """The valve is commanded shut and crystals pass."""
    device = witness.holding()
    feed = device.plant.truth.feed_g_per_min
    return device.firmware.board.a.valve <= 0.0 and feed > FLOW_NONE_G_PER_MIN


def starved(witness: Witness) -> bool:
    """The valve is commanded open and next to nothing passes."""
    device = witness.holding()
    channel = device.firmware.board.a
    least = flow_missing_g_per_min(channel.setpoints.flow_mg_per_min / 1000.0)
    return channel.valve > 0.0 and device.plant.truth.feed_g_per_min <= least


def slack(witness: Witness) -> bool:
    """The tip is on skin and the pump is wanted, and there is no suction."""
    device = witness.holding()
    on_skin = device.plant.sensors.contact
    return on_skin and _pumping(witness) and device.plant.truth.suction_kpa <= _least_kpa(device)


def apart(witness: Witness) -> bool:
    """The two suction sensors say different things."""
    sensors = witness.holding().plant.sensors
    a_kpa, b_kpa = sensors.suction_a_kpa, sensors.suction_b_kpa
    if a_kpa is None or b_kpa is None:
        return False
    limit_kpa = max(SENSORS_DISAGREE_KPA, SENSORS_DISAGREE_RATIO * max(a_kpa, b_kpa))
    return not abs(a_kpa - b_kpa) <= limit_kpa


def numb(witness: Witness) -> bool:
    """The pump runs on the word of a sensor that stands still."""
    return _pumping(witness)


def standing(witness: Witness) -> bool:
    """Crystals fall on one spot: the tip is on skin, the valve open, and it is not lifted."""
    truth = witness.holding().plant.truth
    return truth.seal and truth.valve_open > OPEN


def sucked(witness: Witness) -> bool:
    """Skin is sucked in under a tip that is not lifted."""
    truth = witness.holding().plant.truth
    return truth.seal and truth.suction_kpa > SUCKED_KPA


def _least_kpa(device: Handpiece) -> float:
    """The suction that the treatment needs, never less than the factory's."""
    least_pa = device.firmware.board.a.setpoints.envelope.suction_min_pa
    return max(least_pa, SUCTION_PERMIT_MIN_PA) / 1000.0


def _pumping(witness: Witness) -> bool:
    board = witness.holding().firmware.board
    return board.policy.running and board.a.pump > 0.0


def numb_b(witness: Witness) -> bool:
    """The pump runs, and what sensor B shows is not what there is."""
    sensors = witness.holding().plant.sensors
    sees = sensors.suction_b_kpa is not None and sensors.suction_b_kpa > B_WATCHED_KPA
    return _pumping(witness) and (sees or apart(witness))


def filter_shows(witness: Witness) -> bool:
    """The pressure drop over the filter is above its limit."""
    return witness.holding().plant.sensors.filter_kpa > FILTER_MAX_KPA


def hot(witness: Witness) -> bool:
    """The pump is hotter than it may be."""
    return witness.holding().plant.sensors.pump_deg_c > PUMP_MAX_DEG_C


def two_minded(witness: Witness) -> bool:
    """Both contacts of the hand switch say the same."""
    sensors = witness.holding().plant.sensors
    return sensors.switch_closed is sensors.switch_rest
