"""No, and why: one value for everything that is not done, and the one exception that carries it.

A room that decides without raising returns a `Refusal`; whoever cannot go on raises `RefusedError`.
Both reach people in the same words, through the API, a row or the command line. A stop loads this
before it sends, so that nothing heavy is imported here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from controller.safety.limits import Receipt

ENVIRONMENT: Final = "environment"
"""The code of what the system refused."""


class Refusal(NamedTuple):
    """Why something is not done: a code for programs, a sentence and a next step for people."""

    code: str
    sentence: str
    next_step: str
    receipt: "Receipt | Mapping[str, Any] | None" = None
    """The chain of limits, where one of them was the reason; a mapping as a kernel sent it."""

    @property
    def receipt_body(self) -> Mapping[str, Any] | None:
        """The receipt as JSON."""
        receipt = self.receipt
        return receipt if receipt is None or isinstance(receipt, Mapping) else receipt.as_dict()


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
