"""The course through the zones of a plan: what each has had, and when it is the next one's turn.

Readings are integrated on the clock of the unit. The flow is granted in a zone until its contact
time is used up or its exposure is; then it is withheld until the tip has been lifted off, so that
the next crystals fall where the tip is set down next (the unit wants a fresh press for them).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from controller.planning.plan import Plan, PlannedStage
from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.planning.zone_end import ZoneEnd, end_of
from controller.safety.exposure import ZoneUse
from controller.safety.limits import Limit, Quantity, Receipt, Source, resolve
from controller.safety.reading import FLOW_NOISE_G_PER_MIN, Reading
from controller.safety.removal import Motion
from controller.safety.totals import Totals, delivered, totals_of
from firmware_protocol.session import age_ms

LIFT_MIN_S: Final = 0.2  # a tip is lifted when contact is gone this long; a skip over a hair is not
MS_PER_S: Final = 1000.0
SURPLUS_MIN_S: Final = 0.1
"""The unit's total of contact may be ahead of the sum of readings by a frame or two; what is more
was delivered while nobody saw it."""

SET_MIN: Final = {
    Quantity.SUCTION_KPA: SUCTION_SET_MIN_KPA,
    Quantity.FLOW_G_PER_MIN: FLOW_SET_MIN_G_PER_MIN,
}
"""The least with which the handpiece works: the same as for a plan."""

Receipts = tuple[Receipt, ...]


@dataclass(slots=True)
class Tally:
    """Suction while crystals reached the skin: what the record tells beside the ledger."""

    suction_s: float = 0.0
    open_s: float = 0.0
    peak_kpa: float | None = None

    def add(self, suction_kpa: float | None, open_s: float) -> None:
        """Count ``open_s`` at a suction; an unknown one has no share in the mean."""
        if suction_kpa is None:
            return
        self.suction_s += suction_kpa * open_s
        self.open_s += open_s
        self.peak_kpa = max(self.peak_kpa or 0.0, suction_kpa)

    @property
    def mean_kpa(self) -> float | None:
        """Mean over the time that was counted; None where there was none."""
        return self.suction_s / self.open_s if self.open_s > 0.0 else None


class ZoneProgress(NamedTuple):
    """One zone as it stands."""

    stage: PlannedStage
    state: str
    use: ZoneUse
    suction_kpa_mean: float | None
    suction_kpa_peak: float | None
    set_suction_kpa: float
    set_flow_g_per_min: float
    ended_by: ZoneEnd | None = None
    """What it was done by; None for one that is not done, or was left undone."""


class Lowering(NamedTuple):
    """The answer to a wish to lower: the receipts of what was set, or of what was refused."""

    taken: bool
    receipts: Receipts
    too_low: bool = False
    """It was refused for less than the handpiece can work with."""


class Course:
    """Where the treatment is, zone by zone."""

    def __init__(self, plan: Plan) -> None:
        self._stages = plan.stages
        self._ledgers = plan.ledgers()
        self._tallies = tuple(Tally() for _ in plan.stages)
        self._lowered: dict[Quantity, float] = {}
        self._previous: Reading | None = None
        self._off_skin_since_s: float | None = None
        self._totals: Totals | None = None
        """The unit's totals when they were first seen in its present boot."""
        self._contact_then_s = 0.0
        """The contact of all zones at that time."""
        self._surplus_s = 0.0
        self._at = 0
        self._left_at: int | None = None
        self._ends: dict[int, ZoneEnd] = {}
        self.must_lift = False
        """The zone changed and the tip has not left the skin since."""
        self._skip_finished()

    @property
    def done(self) -> bool:
        """True when no zone is left."""
        return self._at >= len(self._stages)

    @property
    def zone(self) -> str:
        """The zone under treatment, or the last one."""
        return self._stages[self._here].zone

    @property
    def suction_kpa(self) -> float:
        """The setpoint of the zone under treatment, as lowered by a person."""
        return self._set(Quantity.SUCTION_KPA, self._stages[self._here].suction_kpa)

    @property
    def flow_g_per_min(self) -> float:
        """The setpoint of the zone under treatment, as lowered by a person."""
        return self._set(Quantity.FLOW_G_PER_MIN, self._stages[self._here].flow_g_per_min)

    def observe(self, reading: Reading) -> ZoneEnd | None:
        """Charge what the zone has had since the reading before; tell when this ends it."""
        before, self._previous = self._previous, reading
        under = self._under
        self._watch_lift(reading)
        if before is not None and under is not None:
            self._charge(under, before, reading)
        self._charge_surplus(reading)
        if before is None:
            return None
        return None if self.done else self._finished(self._at)

    def advance(self) -> None:
        """Go on to the next zone; the tip has to leave the skin first."""
        self._left_at = self._here
        self._pass_on()
        self._skip_finished()
        self.must_lift = True
        self._off_skin_since_s = None

    def charge(self, seconds: float) -> None:
        """Charge a time that nobody watched at the worst case, and begin to watch anew.

        The tip is where it was: on the zone that is done, as long as it was not lifted.
        """
        self._previous = None
        under = self._under
        if under is not None:
            self._ledgers[under].charge(seconds)

    def take_surplus_s(self) -> float:
        """Return the seconds that were charged on the word of the unit's totals, once."""
        surplus_s, self._surplus_s = self._surplus_s, 0.0
        return surplus_s

    def may_open(self, within_s: float) -> tuple[str, ...]:
        """Return the zones onto which crystals may fall within ``within_s``, whatever a hand does.

        The one under the tip, the one under treatment, and as many of those after it as can be
        reached when each is used up as fast as the worst reading would.
        """
        numbers = set() if self._under is None else {self._under}
        left_s = within_s
        for number in range(self._at, len(self._stages)):
            if self._finished(number) is not None:
                continue
            if not left_s > 0.0:
                break
            numbers.add(number)
            left_s -= self._least_s(number) + LIFT_MIN_S
        return tuple(self._stages[number].zone for number in sorted(numbers))

    def was_on_skin(self) -> bool:
        """True when the newest reading that was seen had crystals reaching the skin."""
        return self._previous is not None and _on_skin(self._previous)

    def left_mg(self) -> int:
        """Crystals that may still flow in this zone, at the higher of planned and measured suction.

        What a person lowers never makes room for more: the least of both settings counts.
        """
        if self.done:
            return 0
        stage, ledger = self._stages[self._at], self._ledgers[self._at]
        measured = self._previous.suction_kpa if self._previous is not None else 0.0
        worst = None if measured is None else max(stage.suction_kpa, measured)
        planned_mg = ledger.left_mg(stage.flow_g_per_min, worst)
        if self.flow_g_per_min == stage.flow_g_per_min:
            return planned_mg
        return min(planned_mg, ledger.left_mg(self.flow_g_per_min, worst))

    def lower(self, suction_kpa: float | None, flow_g_per_min: float | None) -> Lowering:
        """Lower the setpoints of this and all later zones.

        Nothing changes if one would rise, or fall below what the handpiece can work with: a zone
        would never come to its end.
        """
        asked = (
            (Quantity.SUCTION_KPA, suction_kpa, self.suction_kpa),
            (Quantity.FLOW_G_PER_MIN, flow_g_per_min, self.flow_g_per_min),
        )
        wishes = [(quantity, wish, now) for quantity, wish, now in asked if wish is not None]
        raised = [(quantity, wish) for quantity, wish, now in wishes if not 0.0 <= wish <= now]
        weak = [(quantity, wish) for quantity, wish, _ in wishes if not SET_MIN[quantity] <= wish]
        if raised or weak or not wishes:
            refused = [
                resolve(quantity, wish, self._chain(quantity)) for quantity, wish in raised or weak
            ]
            receipts = tuple(each.as_refusal() for each in refused)
            return Lowering(taken=False, receipts=receipts, too_low=not raised and bool(weak))
        self._lowered.update({quantity: wish for quantity, wish, _ in wishes})
        set_to = tuple(self._receipt(quantity) for quantity, _, _ in wishes)
        return Lowering(taken=True, receipts=set_to)

    @property
    def receipts(self) -> Receipts:
        """What a person's settings make of the zone under treatment."""
        return tuple(self._receipt(quantity) for quantity in self._lowered)

    def zones(self) -> tuple[ZoneProgress, ...]:
        """Return every zone as it stands, in order."""
        return tuple(
            ZoneProgress(
                stage,
                self._state(number),
                ledger.use,
                tally.mean_kpa,
                tally.peak_kpa,
                self._set(Quantity.SUCTION_KPA, stage.suction_kpa),
                self._set(Quantity.FLOW_G_PER_MIN, stage.flow_g_per_min),
                self._ends.get(number),
            )
            for number, (stage, ledger, tally) in enumerate(
                zip(self._stages, self._ledgers, self._tallies, strict=True)
            )
        )

    @property
    def _here(self) -> int:
        return min(self._at, len(self._stages) - 1)

    @property
    def under_tip(self) -> tuple[int, ZoneUse]:
        """Which zone lies under the tip, by its place in the plan, and what it has had."""
        under = self._here if self._under is None else self._under
        return under, self._ledgers[under].use

    @property
    def touched(self) -> frozenset[str]:
        """The zones whose use may have changed since the last reading but one."""
        under = self._here if self._under is None else self._under
        return frozenset({self.zone, self._stages[under].zone})

    @property
    def _under(self) -> int | None:
        """The zone that lies under the tip: until it is lifted, the one that is done.

        None where nothing was left to do from the beginning.
        """
        return self._left_at if self.must_lift or self.done else self._at

    def _charge(self, under: int, before: Reading, reading: Reading) -> None:
        """Charge what happened between two readings to the zone under the tip."""
        seconds = age_ms(reading.tick_ms, before.tick_ms) / MS_PER_S
        motion = _motion(before, reading)
        if _on_skin(before) or _on_skin(reading):
            flow, suction = reading.flow_g_per_min, reading.suction_kpa
            self._ledgers[under].add(flow, suction, seconds, motion)
            self._tallies[under].add(suction, seconds)
        elif before.contact or reading.contact:
            self._ledgers[under].press(reading.suction_kpa, seconds, motion)

    def _receipt(self, quantity: Quantity) -> Receipt:
        return resolve(quantity, self._planned(quantity).requested, self._chain(quantity))

    def _chain(self, quantity: Quantity) -> tuple[Limit, ...]:
        planned = self._planned(quantity).chain
        if quantity not in self._lowered:
            return planned
        return (*planned, Limit(Source.PERSON, quantity, self._lowered[quantity]))

    def _planned(self, quantity: Quantity) -> Receipt:
        """The receipt of a setting in the plan of the zone under treatment."""
        stage = self._stages[self._here]
        suction = quantity is Quantity.SUCTION_KPA
        value = stage.suction_kpa if suction else stage.flow_g_per_min
        known = next((each for each in stage.receipts if each.quantity is quantity), None)
        return known or resolve(quantity, value, (Limit(Source.PROGRAM, quantity, value),))

    def _set(self, quantity: Quantity, planned: float) -> float:
        return min(planned, self._lowered.get(quantity, planned))

    def _state(self, number: int) -> str:
        if number == self._at:
            return "current"
        if number > self._at:
            return "waiting"
        return "done" if number in self._ends else "skipped"

    def _finished(self, number: int) -> ZoneEnd | None:
        return end_of(self._stages[number], self._ledgers[number])

    def _charge_surplus(self, reading: Reading) -> None:
        """Charge what the unit says that it delivered beyond all that was seen or charged."""
        now, contact_s = totals_of(reading), sum(ledger.contact_s for ledger in self._ledgers)
        gave = delivered(self._totals, now)
        if gave is None:
            if now is not None:
                self._totals, self._contact_then_s = now, contact_s
            return
        surplus_s = gave.contact_s - (contact_s - self._contact_then_s)
        if surplus_s <= SURPLUS_MIN_S:
            return
        under = self._under
        self._ledgers[self._here if under is None else under].charge(surplus_s)
        self._surplus_s += surplus_s

    def _least_s(self, number: int) -> float:
        """The shortest time in which a zone can be used up."""
        ledger = self._ledgers[number]
        time_left_s = self._stages[number].contact_budget_s - ledger.contact_s
        return min(time_left_s, ledger.left_s(None, None))

    def _skip_finished(self) -> None:
        while not self.done and self._finished(self._at) is not None:
            self._pass_on()

    def _pass_on(self) -> None:
        """Remember why the zone ended: what falls on it still may spend another of its limits."""
        end = self._finished(self._at)
        if end is not None:
            self._ends[self._at] = end
        self._at += 1

    def _watch_lift(self, reading: Reading) -> None:
        if reading.contact:
            self._off_skin_since_s = None
            return
        if self._off_skin_since_s is None:
            self._off_skin_since_s = reading.at_s
        if reading.at_s - self._off_skin_since_s >= LIFT_MIN_S:
            self.must_lift = False


def _motion(before: Reading, reading: Reading) -> Motion:
    """A tip moves between two readings when each of them that has it on the skin says so."""
    for each in (before, reading):
        if each.contact and not each.moving:
            return Motion.STILL
    return Motion.MOVING


def _on_skin(reading: Reading) -> bool:
    """True unless crystals are known not to reach the skin.

    Behind a shut valve an unknown flow is none once the line is vented: without suction no crystals
    are carried. A tip that stays where the flow sensor broke would otherwise be charged for ever.
    """
    if not reading.contact:
        return False
    if not reading.valve_shut:
        return True
    flow = reading.flow_g_per_min
    return not (reading.is_vented if flow is None else flow <= FLOW_NOISE_G_PER_MIN)
