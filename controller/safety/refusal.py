"""No, and why: one value for everything that is not done, and the one exception that carries it.

A room that decides without raising returns a `Refusal`; whoever cannot go on raises `RefusedError`.
Both reach people in the same words, through the API, a row or the command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from controller.safety.limits import Receipt

ENVIRONMENT: Final = "environment"
"""The code of what the system refused."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done: a code for programs, a sentence and a next step for people."""

    code: str
    sentence: str
    next_step: str
    receipt: Receipt | Mapping[str, Any] | None = None
    """The chain of limits, where one of them was the reason; a mapping as a kernel sent it."""

    @property
    def receipt_body(self) -> Mapping[str, Any] | None:
        """The receipt as JSON."""
        return self.receipt.as_dict() if isinstance(self.receipt, Receipt) else self.receipt


class RefusedError(Exception):
    """Something is not done; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal
        self.code = refusal.code
        self.sentence = refusal.sentence
        self.next_step = refusal.next_step


def refusing(code: str, sentence: str, next_step: str) -> RefusedError:
    """Return the error that refuses in these words."""
    return RefusedError(Refusal(code, sentence, next_step))
