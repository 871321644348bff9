"""One connection, as far as it watches: what it was sent, and what it has confirmed."""

import math
from collections import deque
from typing import TYPE_CHECKING, Final

from controller.api.authority import Do, may

if TYPE_CHECKING:
    from controller.api.requests import WhoSays

SILENT_MAX_S: Final = 2.0
"""A screen that shows nothing for so long leaves its person blind. A screen confirms four times a
second or more, so seven confirmations have to be late before a treatment pauses needlessly."""

NUMBERS_MAX: Final = 32
"""Lines that wait for their confirmation: at ten a second more than `SILENT_MAX_S` of them."""


class Viewer:
    """A screen that may lead a treatment: it proves by its confirmations that it is read from."""

    def __init__(self) -> None:
        self.who: WhoSays | None = None
        """Who watches; None until the connection asked to watch."""
        self.leads = False
        self.closed = False
        self._number = 0
        self._sent: deque[tuple[int, float]] = deque(maxlen=NUMBERS_MAX)
        self._seen_s = -math.inf

    def sent(self, number: int, now_s: float) -> None:
        """Note that the snapshot ``number`` is sent at ``now_s``; numbers rise."""
        self._number = number
        self._sent.append((number, now_s))

    def seen(self, number: object) -> None:
        """Take the confirmation of line ``number``; one that was never sent confirms nothing."""
        if not isinstance(number, int) or not number <= self._number:
            return
        while self._sent and self._sent[0][0] <= number:
            self._seen_s = self._sent.popleft()[1]

    def age_s(self, now_s: float) -> float:
        """Return how old the newest confirmed line is, infinite before the first."""
        return now_s - self._seen_s

    def may_lead(self, now_s: float) -> bool:
        """True for a screen at the unit that lives and whose person may treat."""
        who = self.who
        allowed = who is not None and may(Do.TREAT, who.role, who.origin)
        return allowed and not self.closed and self.age_s(now_s) <= SILENT_MAX_S
