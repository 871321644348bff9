"""The hand switch as channel A sees it: two contacts that must disagree with each other.

The normally open contact closes when pressed, the normally closed one opens. Release is believed
at once, a press only after it stood for a moment, so that a bouncing release can never look like a
new press.
"""

from typing import Final

from firmware_protocol.envelope import SWITCH_HELD_MAX_S

PRESS_DEBOUNCE_MS: Final = 20  # longer than the bounce of a small snap switch, 5 to 10 ms
CONTACTS_DISAGREE_MAX_MS: Final = 50  # both contacts change within one travel, about 20 ms
HELD_MAX_MS: Final = int(SWITCH_HELD_MAX_S * 1000)


class HandSwitch:
    """Level, edges and faults of the hand switch."""

    __slots__ = (
        "_standing_ms", "closed", "disagree_ms", "held_ms", "newly_pressed", "newly_released",
        "pressed", "rest",
    )  # fmt: skip

    def __init__(self) -> None:
        self.pressed = False
        self.newly_pressed = False
        self.newly_released = False
        self.closed = False
        self.rest = False
        self.disagree_ms = 0
        self.held_ms = 0
        self._standing_ms = 0

    @property
    def released(self) -> bool:
        """True while both contacts say released; anything else is not released."""
        return self.rest and not self.closed

    def sample(self, dt_ms: int, *, closed: bool, rest: bool) -> None:
        """Take one sample of both contacts, ``dt_ms`` after the one before."""
        self.closed = closed
        self.rest = rest
        self.newly_pressed = self.newly_released = False
        self.disagree_ms = self.disagree_ms + dt_ms if closed is rest else 0
        self.held_ms = 0 if rest and not closed else self.held_ms + dt_ms
        if closed and not rest:
            self._standing_ms += dt_ms
            if not self.pressed and self._standing_ms >= PRESS_DEBOUNCE_MS:
                self.pressed = self.newly_pressed = True
            return
        self._standing_ms = 0
        self.newly_released = self.pressed
        self.pressed = False
