"""The promise of the whole service, held against the plant's truth after every 5 ms.

Crystals flow only while the lease lives, the treatment is armed and its switch pressed, the tip is
on skin with suction, and a person has asked for it and not stopped it since; a trip is left by a
person's reset alone; and nothing leaves the limits of the program. A single fault may blind one
sensor: then the limit is the budget of the hazard, or the sensor is excused by name.

Whoever looks says what people did (`permit`, `revoke`, `hold`, ...), hands over the events of the
device and calls `look` after every tick; what is broken is told to ``broken``, with its rule.
"""

from collections import deque
from collections.abc import Callable, Container
from typing import Final

from firmware_protocol.vocabulary import Mode
from qa.promise import clauses
from qa.promise.clauses import (
    NEVER_S,
    Arming,
    Clause,
    Facts,
    Moment,
    Observer,
    Reset,
    words,
)
from qa.promise.watch import Limits, Watch
from simulator.handpiece import Happening

REVOKED_WITHIN_S: Final = 0.500  # the lease of 200 ms, and 300 ms that the worst line holds back
AFTERMATH_S: Final = 0.6  # a fault that has just ended still has its effects
TOLD_MAX: Final = 40

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
}
"""What a fault blinds or breaks, so that the flow itself is all that can be promised about it."""

Broken = Callable[[str, str], None]
"""Hears a rule that is broken, and how."""


class Promise(Watch):
    """Knows of people and faults."""

    def __init__(self, broken: Broken, limits: Limits | None = None) -> None:
        """Tell ``broken`` the rule that is broken and how."""
        super().__init__(Observer.RIG, limits)
        self.allowed = False
        self.paused = False
        self.resets_asked = 0
        self.events: deque[Happening] = deque(maxlen=TOLD_MAX)
        self.faults: set[str] = set()
        self._broken = broken
        self._excused_until_s: dict[str, float] = {}
        self._revoked_s = -NEVER_S
        self._resets_done = 0
        self._left_safe: list[Mode] = []

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
        super().happened(event)
        match event["kind"]:
            case "trip":
                self.revoke()
            case "restart":
                self.revoke()
                self.scene.forget()
            case "reset":
                self._resets_done += 1
            case "fault":
                self._faulted(str(event["name"]), active=bool(event["active"]))
            case _:
                pass

    def _faulted(self, name: str, *, active: bool) -> None:
        if active:
            self.faults.add(name)
        elif name in self.faults:
            self.faults.discard(name)
            if name in EXCUSED:
                self._excused_until_s[EXCUSED[name]] = self.scene.now_s + AFTERMATH_S

    def moved(self, before: Mode, after: Mode) -> None:
        """Hold an arming against what people want; a reset is looked at with the next tick."""
        super().moved(before, after)
        if before is Mode.SAFE:
            self._left_safe.append(after)
        if after is Mode.ARMED:
            ready = before is Mode.READY
            self.ask(clauses.ARMING, Arming(ready, permitted=self.permitted()))

    def look(self) -> None:
        """Look at everything; called after every tick."""
        super().look()
        if self._left_safe or self._resets_done:
            asked = len(self._left_safe) == self._resets_done <= self.resets_asked
            disarmed = all(mode is Mode.DISARMED for mode in self._left_safe)
            self.ask(clauses.RESET, Reset(asked, disarmed=disarmed))
            self.resets_asked = max(self.resets_asked - self._resets_done, 0)
            self._resets_done, self._left_safe = 0, []

    # -- what is known of people and faults --------------------------------------------------------
    def permitted(self) -> bool:
        """Return whether a person has asked, or it is so short ago that a line may not know yet."""
        recently = self.scene.now_s - self._revoked_s <= REVOKED_WITHIN_S
        return recently or (self.allowed and not self.paused)

    def excused(self) -> Container[str]:
        """Return what faults blind or break, or did a moment ago."""
        if not (self.faults or self._excused_until_s):
            return ()
        now_s, until_s = self.scene.now_s, self._excused_until_s
        aftermath = {what for what, ends_s in until_s.items() if now_s < ends_s}
        return aftermath | {EXCUSED[name] for name in self.faults if name in EXCUSED}

    # -- what is said ------------------------------------------------------------------------------
    def broken(self, clause: Clause[Facts], facts: Facts, moment: Moment[Facts]) -> None:
        """Tell it by its sentence."""
        self._broken(f"{moment.says} {clause.says}", words(facts))

    def say(self, what: str) -> str:
        """Return what happened in words that help."""
        board = self.scene.handpiece.firmware.board
        told = "\n".join(f"  {event}" for event in self.events)
        return (
            f"at {self.scene.now_s:.3f} s, mode {board.mode.name}, cause {board.cause.name}, "
            f"fault {', '.join(sorted(self.faults)) or 'none'}: {what}\n{told}"
        )
