"""The promise of the whole service, held against the plant's truth after every 5 ms.

Crystals flow only while the lease lives, the treatment is armed and its switch pressed, the tip is
on skin with suction, and a person has asked for it and not stopped it since; a trip is left by a
person's reset alone; and nothing leaves the limits of the program. A single fault may blind one
sensor: then the limit is the budget of the hazard, or the sensor is excused by name.

Whoever looks says what people did (`permit`, `revoke`, `hold`, ...), hands over the events of the
device and calls `look` after every tick; what is broken is told to ``broken``, with its rule.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    DWELL_TRIP_S,
    FLOW_SET_MAX_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
    SUCTION_TRIP_PA,
)
from firmware_protocol.vocabulary import Mode
from qa.ledger import Ledger
from simulator.handpiece import Handpiece, Happening
from simulator.plant.steps import SAMPLE_S

CLOSES_WITHIN_S: Final = 0.050  # the spring takes 40 ms for a full stroke
REVOKED_WITHIN_S: Final = 0.500  # the lease of 200 ms, and 300 ms that the worst line holds back
SENSED_WITHIN_S: Final = 0.025
SUCTION_SLACK_KPA: Final = 0.5
FLOW_MIN_G_PER_MIN: Final = 0.5  # what the flow sensor can tell from nothing
EXPOSURE_SLACK_MG: Final = 25.0
RELIEF_KPA: Final = 61.0  # the relief valve opens at 60
EMPTIES_WITHIN_S: Final = 0.25  # power gone, the vent lets 33 kPa go in 0.21 s
AFTERMATH_S: Final = 0.6  # a fault that has just ended still has its effects
STILL_MAX_MM_PER_S: Final = 5.0
OPEN: Final = 0.01
TOLD_MAX: Final = 40
_NEVER_S: Final = -1e9

EXCUSED: Final = {
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


Broken = Callable[[str, str], None]
"""Hears a rule that is broken, and how."""


class Promise:
    """Looks, and remembers when each condition last held."""

    scene: Scene
    """Set before the first look; a scene may need the promise before it is whole."""

    def __init__(self, broken: Broken, limits: Limits | None = None) -> None:
        """Tell ``broken`` the rule that is broken and how."""
        self.limits = Limits() if limits is None else limits
        self.allowed = False
        self.paused = False
        self.resets_asked = 0
        self.resets_done = 0
        self.left_safe = 0
        self.flowed_s = 0.0
        self.events: deque[Happening] = deque(maxlen=TOLD_MAX)
        self.faults: set[str] = set()
        self._broken = broken
        self._excused_until_s: dict[str, float] = {}
        self._revoked_s = _NEVER_S
        self._held_s = dict.fromkeys(("switch", "skin", "suction"), _NEVER_S)
        self._all_s = self._under_s = self._dry_s = _NEVER_S
        self._still_s = 0.0
        self._accepted = 0
        self._metered_from_g = 0.0

    # -- what people do ----------------------------------------------------------------------------
    def permit(self) -> None:
        """A person asked for a treatment."""
        self.allowed, self.paused = True, False

    def revoke(self) -> None:
        """Whatever was allowed is over: a stop, a trip, the death of the kernel or of the line."""
        if self.allowed:
            self._revoked_s = self.scene.now_s
        self.allowed = False

    def hold(self) -> None:
        """A person paused."""
        if not self.paused:
            self._revoked_s = self.scene.now_s
        self.paused = True

    def resume(self) -> None:
        """A person resumed, and the record holds that."""
        self.paused = False

    def set_fault(self, name: str) -> None:
        """Break one thing; what was broken before is mended."""
        self.clear_fault()
        self.scene.handpiece.set_fault(name)

    def clear_fault(self) -> None:
        """Mend everything; what it did may be seen for a moment longer."""
        for name in sorted(self.faults):
            self.scene.handpiece.clear_fault(name)

    # -- what the device tells ---------------------------------------------------------------------
    def happened(self, event: Happening) -> None:
        """Take one event of the device."""
        self.events.append(event)
        match event["kind"]:
            case "trip":
                self.revoke()
            case "restart":
                self.revoke()
                self.scene.forget()
            case "reset":
                self.resets_done += 1
                self._insist(self.resets_done <= self.resets_asked, "reset by nobody")
            case "fault":
                self._faulted(str(event["name"]), active=bool(event["active"]))
            case "mode":
                self._moved(str(event["from"]), str(event["mode"]))
            case _:
                pass

    def _faulted(self, name: str, *, active: bool) -> None:
        if active:
            self.faults.add(name)
        elif name in self.faults:
            self.faults.discard(name)
            if name in EXCUSED:
                self._excused_until_s[EXCUSED[name]] = self.scene.now_s + AFTERMATH_S

    def _moved(self, before: str, after: str) -> None:
        self.left_safe += before == "SAFE"
        self._insist(before != "SAFE" or after == "DISARMED", "SAFE leads to DISARMED only", after)
        entered = after != "ACTIVE" or before in ("ARMED", "PAUSED")
        self._insist(entered, "ACTIVE comes from ARMED or PAUSED only", before)
        if after == "ARMED":
            self._insist(self._permitted(), "armed though nobody allows it")

    def _permitted(self) -> bool:
        recently = self.scene.now_s - self._revoked_s <= REVOKED_WITHIN_S
        return recently or (self.allowed and not self.paused)

    def _excused(self, what: str) -> bool:
        aftermath = self.scene.now_s < self._excused_until_s.get(what, _NEVER_S)
        return aftermath or any(EXCUSED.get(name) == what for name in self.faults)

    # -- what is true ------------------------------------------------------------------------------
    def look(self) -> None:
        """Look at everything; called after every tick."""
        scene = self.scene
        truth = scene.handpiece.plant.truth
        self._note()
        if truth.flow_g_per_min <= FLOW_MIN_G_PER_MIN:
            self._dry_s = scene.now_s
        flows = truth.valve_open > OPEN or truth.flow_g_per_min > FLOW_MIN_G_PER_MIN
        if flows or scene.handpiece.firmware.mode is Mode.ACTIVE:  # else ACTIVE itself is lacking
            lacking = self._lacking()
            if not lacking:
                self._all_s = scene.now_s
            self._look_at_flow(lacking, scene.now_s - self._all_s)
        self._insist(self.left_safe == self.resets_done, "SAFE was left without a reset")
        self._look_at_dwell()
        self._look_at_suction()
        self._look_at_limits()

    def _look_at_flow(self, lacking: str, since_s: float) -> None:
        truth = self.scene.handpiece.plant.truth
        if truth.valve_open > OPEN and not self._excused("valve"):
            self._insist(since_s <= CLOSES_WITHIN_S, "the valve is open", f"without {lacking}")
        if truth.flow_g_per_min > FLOW_MIN_G_PER_MIN:
            self.flowed_s += SAMPLE_S
            if self._excused("valve"):
                self._look_at_leak(lacking, since_s)
            else:
                self._insist(since_s <= BUDGET_FLOW_S, "crystals flow", f"without {lacking}")
            permitted = self._permitted() or self._excused("valve")
            self._insist(permitted, "crystals flow though nobody allows it")

    def _look_at_leak(self, lacking: str, since_s: float) -> None:
        """A broken valve has its budget from when there was anything to see, as H05 has it.

        In it valve and pump lose their power; crystals are carried until the suction is gone.
        """
        lets_s = min(since_s, self.scene.now_s - self._dry_s)
        off = not self.scene.handpiece.firmware.board.b.power
        self._insist(
            off or lets_s <= BUDGET_FLOW_S, "valve and pump have power", f"without {lacking}"
        )
        emptied = lets_s <= BUDGET_FLOW_S + EMPTIES_WITHIN_S
        self._insist(emptied, "crystals flow", f"without {lacking}")

    def _note(self) -> None:
        scene, now_s = self.scene, self.scene.now_s
        truth = scene.handpiece.plant.truth
        if scene.handpiece.hand.grip.switch_pressed:
            self._held_s["switch"] = now_s
        if truth.seal:
            self._held_s["skin"] = now_s
        least_pa = max(scene.ledger.config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
        if truth.suction_kpa >= least_pa / 1000 - SUCTION_SLACK_KPA:
            self._held_s["suction"] = now_s
        if scene.ledger.accepted != self._accepted:
            self._accepted = scene.ledger.accepted
            self._metered_from_g = truth.through_valve_g

    def _lacking(self) -> str:
        scene, now_s, ledger = self.scene, self.scene.now_s, self.scene.ledger
        metered_mg = (scene.handpiece.plant.truth.through_valve_g - self._metered_from_g) * 1000
        left_mg = ledger.exposure_left_mg
        lacking = [
            what
            for what, at_s in self._held_s.items()
            if now_s - at_s > SENSED_WITHIN_S and not self._excused(what)
        ]
        if scene.handpiece.firmware.mode is not Mode.ACTIVE:
            lacking.append("ACTIVE")
        if not now_s * 1000 < ledger.lease_ends_ms:
            lacking.append("lease")
        if not ledger.wants_flow:
            lacking.append("wish")
        within = left_mg > 0 and metered_mg <= left_mg + EXPOSURE_SLACK_MG
        if not (within or self._excused("exposure")):
            lacking.append("exposure")
        return ", ".join(lacking)

    def _look_at_dwell(self) -> None:
        truth = self.scene.handpiece.plant.truth
        still = truth.seal and truth.speed_mm_per_s < STILL_MAX_MM_PER_S
        flows = truth.flow_g_per_min > FLOW_MIN_G_PER_MIN
        self._still_s = self._still_s + SAMPLE_S if still and flows else 0.0
        moves = self._still_s <= DWELL_TRIP_S + BUDGET_FLOW_S
        self._insist(moves or self._excused("motion"), "it stands still while crystals flow")

    def _look_at_suction(self) -> None:
        suction_kpa, now_s = self.scene.handpiece.plant.truth.suction_kpa, self.scene.now_s
        self._insist(suction_kpa <= RELIEF_KPA, "more suction than the relief valve allows")
        if suction_kpa * 1000 <= SUCTION_TRIP_PA:
            self._under_s = now_s
        self._insist(now_s - self._under_s <= BUDGET_FLOW_S, "over-suction for too long")

    def _look_at_limits(self) -> None:
        config = self.scene.ledger.config
        set_to = self.scene.handpiece.firmware.board.a.setpoints
        kept = (
            config.suction_max_pa <= self.limits.suction_max_pa
            and config.flow_max_mg_per_min <= self.limits.flow_max_mg_per_min
        )
        self._insist(kept, "configured beyond the program")
        within = (
            set_to.suction_pa <= config.suction_max_pa
            and set_to.flow_mg_per_min <= config.flow_max_mg_per_min
        )
        self._insist(within, "set beyond the configuration")

    # -- what is said ------------------------------------------------------------------------------
    def _insist(self, holds: bool, rule: str, how: str = "") -> None:  # noqa: FBT001 - as assert
        if not holds:
            self._broken(rule, how)

    def say(self, what: str) -> str:
        """Return what happened in words that help."""
        board = self.scene.handpiece.firmware.board
        told = "\n".join(f"  {event}" for event in self.events)
        return (
            f"at {self.scene.now_s:.3f} s, mode {board.mode.name}, cause {board.cause.name}, "
            f"fault {', '.join(sorted(self.faults)) or 'none'}: {what}\n{told}"
        )
