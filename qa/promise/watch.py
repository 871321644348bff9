"""Looks at one simulated device, and at what it was sent, after every 5 ms, and asks what it must.

What the plant really does is looked at, not what the device measures. How long ago each condition
last held is remembered here, and nothing else.
"""

from collections.abc import Container
from typing import Final, NamedTuple, Protocol

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
    SUCTION_TRIP_PA,
)
from firmware_protocol.vocabulary import Mode
from qa.ledger import Ledger
from qa.promise import clauses
from qa.promise.clauses import (
    NEVER_S,
    UNSEEN,
    Clause,
    Ended,
    Entered,
    Facts,
    Flow,
    Judge,
    Moment,
    Observer,
    Settings,
    Stood,
)
from simulator.handpiece import VALVE_SHUT_PERCENT, Handpiece, Happening
from simulator.plant.signals import PlantTruth
from simulator.plant.steps import SAMPLE_S

SUCTION_SLACK_KPA: Final = 0.5  # ten times the noise of the sensor
EXPOSURE_SLACK_MG: Final = 25.0  # 12 g/min for two control steps, and the error of the flow sensor
FLOW_MIN_G_PER_MIN: Final = 0.5  # what the flow sensor can tell from nothing
STILL_MAX_MM_PER_S: Final = 5.0
OPEN: Final = VALVE_SHUT_PERCENT / 100.0


class Limits(NamedTuple):
    """What no configuration and no setpoint may exceed: those of the programs that are treated."""

    suction_max_pa: int = SUCTION_SET_MAX_PA
    flow_max_mg_per_min: int = FLOW_SET_MAX_MG_PER_MIN


class Scene(Protocol):
    """What is looked at."""

    @property
    def now_s(self) -> float:
        """Seconds since power-on."""

    @property
    def handpiece(self) -> Handpiece:
        """The device, with its plant and its hand."""

    @property
    def ledger(self) -> Ledger:
        """What the device may believe of what it was sent."""

    def forget(self) -> None:
        """Begin a new ledger: the device has restarted and knows nothing."""


class Watch:
    """Looks, and remembers when each condition last held."""

    scene: Scene
    """Set before the first look; a scene may need the watch before it is whole."""

    def __init__(self, observer: Observer, limits: Limits | None = None) -> None:
        self.limits = Limits() if limits is None else limits
        self.judge = Judge(observer)
        self._switch_s = self._skin_s = self._suction_s = self._pressed_s = -NEVER_S
        self._all_s = self._under_s = self._dry_s = -NEVER_S
        self._pressed = False
        self._still_s = 0.0
        self._accepted = 0
        self._metered_from_g = 0.0
        self._set: tuple[float, float, object] | None = None

    # -- for whoever knows more --------------------------------------------------------------------
    def broken(self, clause: Clause[Facts], facts: Facts, moment: Moment[Facts]) -> None:
        """Hear of a clause that does not hold."""
        raise NotImplementedError

    def permitted(self) -> bool:
        """Return whether a person has asked for flow; unseen where there are no people."""
        return UNSEEN  # type: ignore[no-any-return]

    def excused(self) -> Container[str]:
        """Return what faults blind or break, so that it cannot be promised."""
        return ()

    def over_s(self, since_s: float) -> float:
        """Return for how long over-suction counts that has really lasted ``since_s``."""
        return since_s

    # -- what the device tells ---------------------------------------------------------------------
    def moved(self, before: Mode, after: Mode) -> None:
        """Take a change of the mode."""
        if after is Mode.ACTIVE:
            press_s = self.scene.now_s - self._pressed_s if self._pressed else NEVER_S
            self.ask(clauses.ACTIVATED, Entered(before, after, press_s))
        elif before is Mode.BOOT:
            self.ask(clauses.BOOTED, Entered(before, after))

    def happened(self, event: Happening) -> None:
        """Take one event of the device."""
        if event["kind"] == "mode":
            self.moved(Mode[str(event["from"])], Mode[str(event["mode"])])

    # -- what is true ------------------------------------------------------------------------------
    def ask(self, moment: Moment[Facts], facts: Facts) -> bool:
        """Tell whatever is broken; true where nothing is."""
        broken = self.judge.broken(moment, facts)
        for clause in broken:
            self.broken(clause, facts, moment)
        return not broken

    def look(self) -> None:
        """Look at everything; called after every tick."""
        scene = self.scene
        truth, a = scene.handpiece.plant.truth, scene.handpiece.firmware.board.a
        self._note(truth)
        flows = truth.flow_g_per_min > FLOW_MIN_G_PER_MIN
        if not flows:
            self._dry_s = scene.now_s
        if flows or truth.valve_open > OPEN or a.valve > 0.0:
            self._look_at_flow(truth, self.excused(), flows=flows)
        self._look_at_hazards(truth, flows=flows)
        setpoints, config = a.setpoints, scene.ledger.config
        seen = (setpoints.suction_pa, setpoints.flow_mg_per_min, config)
        if seen != self._set:
            self._set = seen
            most = (config.suction_max_pa, config.flow_max_mg_per_min)
            self.ask(clauses.LIMITS, Settings(*seen[:2], *most, *self.limits))

    def _note(self, truth: PlantTruth) -> None:
        scene = self.scene
        now_s, ledger = scene.now_s, scene.ledger
        if scene.handpiece.hand.grip.switch_pressed:
            self._switch_s = now_s
            if not self._pressed:
                self._pressed, self._pressed_s = True, now_s - SAMPLE_S
        else:
            self._pressed = False
        if truth.seal:
            self._skin_s = now_s
        least_pa = max(ledger.config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
        if truth.suction_kpa >= least_pa / 1000 - SUCTION_SLACK_KPA:
            self._suction_s = now_s
        if ledger.accepted != self._accepted:
            self._accepted = ledger.accepted
            self._metered_from_g = truth.through_valve_g

    def _look_at_flow(self, truth: PlantTruth, excused: Container[str], *, flows: bool) -> None:
        board, now_s = self.scene.handpiece.firmware.board, self.scene.now_s
        jammed = "valve" in excused
        facts = self._flow(truth, excused)
        if board.a.valve > 0.0 and not jammed:
            holds = self.ask(clauses.FLOW, facts)
        else:  # nobody opens it: whether it may be open, and is late or leaks
            holds = jammed and not self.judge.broken(clauses.FLOW, facts)
        if holds:
            self._all_s = now_s
        since_s = now_s - (max(self._all_s, self._dry_s) if jammed else self._all_s)
        shut, unpowered = truth.valve_open <= OPEN, not board.b.power
        self.ask(clauses.ENDED, Ended(since_s, shut, not flows, unpowered, jammed))

    def _flow(self, truth: PlantTruth, excused: Container[str]) -> Flow:
        now_s, ledger = self.scene.now_s, self.scene.ledger
        left_mg = float(ledger.exposure_left_mg)
        if left_mg > 0:
            metered_mg = (truth.through_valve_g - self._metered_from_g) * 1000
            left_mg = NEVER_S if "exposure" in excused else left_mg + EXPOSURE_SLACK_MG - metered_mg
        return Flow(
            self.scene.handpiece.firmware.mode is Mode.ACTIVE,
            ledger.lease_ends_ms - now_s * 1000,
            0.0 if "switch" in excused else now_s - self._switch_s,
            0.0 if "skin" in excused else now_s - self._skin_s,
            0.0 if "suction" in excused else now_s - self._suction_s,
            ledger.wants_flow,
            left_mg,
            self.permitted(),
        )

    def _look_at_hazards(self, truth: PlantTruth, *, flows: bool) -> None:
        now_s = self.scene.now_s
        over = truth.suction_kpa * 1000 > SUCTION_TRIP_PA
        if not over:
            self._under_s = now_s
        still = flows and truth.seal and truth.speed_mm_per_s < STILL_MAX_MM_PER_S
        self._still_s = self._still_s + SAMPLE_S if still else 0.0
        if over or still:
            over_s = self.over_s(now_s - self._under_s) if over else 0.0
            still_s = 0.0 if "motion" in self.excused() else self._still_s
            self.ask(clauses.STOOD, Stood(truth.suction_kpa, over_s, still_s, safe=False))
