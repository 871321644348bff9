"""Work that is cut into short steps: a generator yields wherever somebody else may have a turn.

The control process plans and reads files in such steps and lets its loop turn between them; a
process that has nothing else to do runs them to the end at once. Both run the same code.
"""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]


def finished(steps: Steps[T]) -> T:
    """Run every step and return the result; what the work raises is raised here."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
