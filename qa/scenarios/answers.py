"""Judges what people are answered: what is said to be done is done, and nothing is asked for ever.

A reset that is answered as done has taken the unit out of SAFE, and not after a stop that came in
between. Whoever is told that something is under way already is told the truth only where somebody
has asked for it shortly before.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from controller.api.authority import Do
from controller.safety.refusal import RefusedError
from firmware_protocol.vocabulary import Mode
from qa.scenarios.story import Breach
from simulator.handpiece import Happening

Told = Callable[[RefusedError | None], None]

UNDER_WAY: Final = {"resetting": Do.RESET, "resuming": Do.RESUME, "acknowledging": Do.ACK}
"""The refusals that say that the same was asked for before and has not ended."""
ENDS_WITHIN_S: Final = 10.0
"""By then every act has its end: a row within 1 s, a one-shot within 3 s, freezes of 3 s beside."""

_NEVER_S: Final = -1.0


class Answers:
    """What was asked for, and when, beside what the unit did."""

    def __init__(self, broken: list[Breach]) -> None:
        """Put the first breach of each rule into ``broken``."""
        self._found = broken
        self._asked_s: dict[Do, float] = {}
        self._stopped_s = _NEVER_S
        self._left_safe_s = _NEVER_S
        self._safe = False

    def happened(self, event: Happening) -> None:
        """Take one event of the device."""
        if event["kind"] == "mode":
            self._safe = event["mode"] == Mode.SAFE.name
            if event["from"] == Mode.SAFE.name:
                self._left_safe_s = self._now_s()

    def asked(self, do: Do, *, hears: bool) -> Told:
        """Take a question, and return who judges its answer.

        ``hears`` is False while the kernel is frozen, and hears of it later.
        """
        before_s, now_s = self._asked_s.get(do, _NEVER_S), self._now_s()
        self._asked_s[do] = now_s
        recently = before_s >= 0.0 and now_s - before_s <= ENDS_WITHIN_S
        if do is Do.STOP and hears:
            self._stopped_s = now_s

        def told(refused: RefusedError | None) -> None:
            if refused is None and do is Do.RESET:
                self._was_reset(now_s)
            elif refused is not None and UNDER_WAY.get(refused.code) is do and not recently:
                self._broken(f"{do.value} is under way for ever", "and nobody has asked for it")

        return told

    def _was_reset(self, asked_s: float) -> None:
        left_safe = self._left_safe_s >= asked_s
        if self._safe and not left_safe:
            self._broken("a reset was answered as done", "and the unit is still tripped")
        if left_safe and asked_s < self._stopped_s < self._left_safe_s:
            self._broken("a reset was done", "after a stop that came in between")

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _broken(self, rule: str, how: str) -> None:
        if all(each.rule != rule for each in self._found):
            self._found.append(Breach(self._now_s(), rule, how))
