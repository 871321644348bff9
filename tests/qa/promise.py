"""The promise of the whole pair, held against the plant's truth after every 5 ms.

Crystals flow only while the lease lives, the treatment is armed and its switch pressed, the tip is
on skin with suction, and a person has asked for it and not stopped it since; a trip is left by a
person's reset alone; and nothing leaves the limits of the program. A single fault may blind one
sensor: then the limit is the budget of the hazard, or the sensor is excused by name.
"""

from collections import deque

from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    DWELL_TRIP_S,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_TRIP_PA,
)
from firmware_protocol.vocabulary import Mode
from simulator.handpiece import Happening
from tests.qa.pair import TICK_S, Pair

CLOSES_WITHIN_S = 0.050  # the spring takes 40 ms for a full stroke
REVOKED_WITHIN_S = 0.500  # the lease of 200 ms, and 300 ms that the worst line holds a frame back
SENSED_WITHIN_S = 0.025
SUCTION_SLACK_KPA = 0.5
FLOW_MIN_G_PER_MIN = 0.5  # what the flow sensor can tell from nothing
EXPOSURE_SLACK_MG = 25.0
RELIEF_KPA = 61.0  # the relief valve opens at 60
AFTERMATH_S = 0.6  # a fault that has just ended still has its effects
PLAN_SUCTION_MAX_PA = 28_000  # of the program refresh, which is all that is treated here
PLAN_FLOW_MAX_MG_PER_MIN = 7_000
STILL_MAX_MM_PER_S = 5.0
NEVER_S = -1e9

EXCUSED = {
    "contact-stuck": "skin",
    "switch-stuck": "switch",
    "suction-a-frozen": "suction",
    "suction-a-offset": "suction",
    "suction-a-drift": "suction",
    "suction-a-gain": "suction",
    "suction-a-creep": "suction",
    "suction-a-sink": "suction",
    "flow-frozen": "exposure",
    "motion-stuck": "motion",
    "valve-stuck-open": "valve",
    "valve-slow": "valve",
    "valve-leak": "valve",
    "firmware-halt": "valve",
    "pump-runaway": "over-suction",
}
"""What a fault blinds or breaks, so that the flow itself is all that can be promised about it."""


class Promise:
    """Looks, and remembers when each condition last held."""

    def __init__(self, seed: int) -> None:
        self.allowed = False
        self.paused = False
        self.resets_asked = 0
        self.resets_done = 0
        self.left_safe = 0
        self.flowed_s = 0.0
        self.events: deque[Happening] = deque(maxlen=40)
        self.fault = ""
        self._fault_s = NEVER_S
        self._excused_then = ""
        self._revoked_s = NEVER_S
        self._held_s = dict.fromkeys(("switch", "skin", "suction"), NEVER_S)
        self._all_s = self._under_s = NEVER_S
        self._still_s = 0.0
        self._accepted = 0
        self._metered_from_g = 0.0
        self.pair = Pair(seed, self.look, self.happened)

    # -- what people do ----------------------------------------------------------------------------
    def permit(self) -> None:
        """A person asked for a treatment."""
        self.allowed, self.paused = True, False

    def revoke(self) -> None:
        """Whatever was allowed is over: a stop, a trip, the death of the kernel or of the line."""
        if self.allowed:
            self._revoked_s = self.pair.now_s
        self.allowed = False

    def hold(self) -> None:
        """A person paused."""
        if not self.paused:
            self._revoked_s = self.pair.now_s
        self.paused = True

    def set_fault(self, name: str) -> None:
        """Break one thing; what was broken before is mended."""
        self.clear_fault()
        self.fault = name
        self.pair.handpiece.set_fault(name)

    def clear_fault(self) -> None:
        """Mend it; what it did may be seen for a moment longer."""
        fault, self.fault = self.fault, ""
        if fault:
            self._fault_s = self.pair.now_s + AFTERMATH_S
            self._excused_then = EXCUSED.get(fault, "")
            self.pair.handpiece.clear_fault(fault)

    def _excused(self, what: str) -> bool:
        aftermath = self.pair.now_s < self._fault_s and self._excused_then == what
        return aftermath or EXCUSED.get(self.fault) == what

    # -- what the device tells ---------------------------------------------------------------------
    def happened(self, event: Happening) -> None:
        self.events.append(event)
        kind = event["kind"]
        if kind == "trip":
            self.revoke()
        elif kind == "restart":
            self.revoke()
            self.pair.forget()
            if self.fault == "firmware-halt":
                self.clear_fault()
        elif kind == "reset":
            self.resets_done += 1
            assert self.resets_done <= self.resets_asked, self.say("reset by nobody")
        elif kind == "mode":
            before, after = event["from"], event["mode"]
            self.left_safe += before == "SAFE"
            assert before != "SAFE" or after == "DISARMED", self.say(f"SAFE to {after}")
            assert after != "ACTIVE" or before in ("ARMED", "PAUSED"), self.say(f"from {before}")
            if after == "ARMED":
                assert self._permitted(), self.say("armed though nobody allows it")

    def _permitted(self) -> bool:
        recently = self.pair.now_s - self._revoked_s <= REVOKED_WITHIN_S
        return recently or (self.allowed and not self.paused) or (self.allowed and recently)

    # -- what is true ------------------------------------------------------------------------------
    def look(self) -> None:
        """Look at everything; called after every tick."""
        pair, ledger = self.pair, self.pair.ledger
        truth, board = pair.handpiece.plant.truth, pair.handpiece.firmware.board
        self._note()
        lacking = self._lacking()
        if not lacking:
            self._all_s = pair.now_s
        since_s = pair.now_s - self._all_s
        if truth.valve_open > 0.01 and not self._excused("valve"):
            assert since_s <= CLOSES_WITHIN_S, self.say(f"valve open without {lacking}")
        if truth.flow_g_per_min > FLOW_MIN_G_PER_MIN:
            self.flowed_s += TICK_S
            assert since_s <= BUDGET_FLOW_S, self.say(f"crystals flow without {lacking}")
            permitted = self._permitted() or self._excused("valve")
            assert permitted, self.say("crystals flow though nobody allows it")
        assert self.left_safe == self.resets_done, self.say("SAFE was left without a reset")
        self._look_at_dwell()
        self._look_at_suction()
        assert ledger.config.suction_max_pa <= PLAN_SUCTION_MAX_PA, self.say("configured too high")
        assert ledger.config.flow_max_mg_per_min <= PLAN_FLOW_MAX_MG_PER_MIN
        assert board.a.setpoints.suction_pa <= ledger.config.suction_max_pa, self.say("suction set")
        assert board.a.setpoints.flow_mg_per_min <= ledger.config.flow_max_mg_per_min

    def _note(self) -> None:
        pair, now_s = self.pair, self.pair.now_s
        truth = pair.handpiece.plant.truth
        if pair.handpiece.hand._grip.switch_pressed:
            self._held_s["switch"] = now_s
        if truth.seal:
            self._held_s["skin"] = now_s
        least_pa = max(pair.ledger.config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
        if truth.suction_kpa >= least_pa / 1000 - SUCTION_SLACK_KPA:
            self._held_s["suction"] = now_s
        if pair.ledger.accepted != self._accepted:
            self._accepted = pair.ledger.accepted
            self._metered_from_g = truth.through_valve_g

    def _lacking(self) -> str:
        now_s, ledger = self.pair.now_s, self.pair.ledger
        truth = self.pair.handpiece.plant.truth
        metered_mg = (truth.through_valve_g - self._metered_from_g) * 1000
        left_mg = ledger.exposure_left_mg
        lacking = [
            what
            for what, at_s in self._held_s.items()
            if now_s - at_s > SENSED_WITHIN_S and not self._excused(what)
        ]
        if self.pair.handpiece.firmware.mode is not Mode.ACTIVE:
            lacking.append("ACTIVE")
        if not now_s * 1000 < ledger.lease_ends_ms:
            lacking.append("lease")
        if not ledger.wants_flow:
            lacking.append("wish")
        if not (
            (left_mg > 0 and metered_mg <= left_mg + EXPOSURE_SLACK_MG) or self._excused("exposure")
        ):
            lacking.append("exposure")
        return ", ".join(lacking)

    def _look_at_dwell(self) -> None:
        truth = self.pair.handpiece.plant.truth
        still = truth.seal and truth.speed_mm_per_s < STILL_MAX_MM_PER_S
        flows = truth.flow_g_per_min > FLOW_MIN_G_PER_MIN
        self._still_s = self._still_s + TICK_S if still and flows else 0.0
        limit_s = DWELL_TRIP_S + BUDGET_FLOW_S
        assert self._still_s <= limit_s or self._excused("motion"), self.say("it stands still")

    def _look_at_suction(self) -> None:
        suction_kpa, now_s = self.pair.handpiece.plant.truth.suction_kpa, self.pair.now_s
        assert suction_kpa <= RELIEF_KPA, self.say("more suction than the relief valve allows")
        if suction_kpa * 1000 <= SUCTION_TRIP_PA:
            self._under_s = now_s
        assert now_s - self._under_s <= BUDGET_FLOW_S, self.say("over-suction for too long")

    def say(self, what: str) -> str:
        """Return what happened in words that help."""
        board = self.pair.handpiece.firmware.board
        told = "\n".join(f"  {event}" for event in self.events)
        return (
            f"at {self.pair.now_s:.3f} s, mode {board.mode.name}, cause {board.cause.name}, "
            f"fault {self.fault or 'none'}: {what}\n{told}"
        )
