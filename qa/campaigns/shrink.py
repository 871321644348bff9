"""Shrinks a schedule that breaks something to one from which nothing more can be left out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

ItemT = TypeVar("ItemT")

TRIES_MAX: Final = 300  # a schedule of hundreds of steps needs about a hundred


class Tries:
    """Counts how often something was tried, and says when it was often enough."""

    def __init__(self, most: int = TRIES_MAX) -> None:
        """Allow ``most`` tries."""
        self.left = most

    def take(self) -> bool:
        """Take one try; False when there is none left."""
        self.left -= 1
        return self.left >= 0


def fewest(
    items: Sequence[ItemT], breaks: Callable[[Sequence[ItemT]], bool], tries: Tries
) -> list[ItemT]:
    """Return a part of ``items`` that still breaks, and without any one of which it does not.

    Ever smaller pieces are left out, first halves, at last single ones; with ``tries`` used up, the
    smallest part that was found.
    """
    kept = list(items)
    size = max(1, len(kept) // 2)
    while kept:
        at, before = 0, len(kept)
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if not tries.take():
                return kept
            if breaks(fewer):
                kept = fewer
            else:
                at += size
        if len(kept) == before and size == 1:
            return kept
        size = max(1, min(size // 2, len(kept) // 2)) if len(kept) == before else max(1, size // 2)
    return kept


def first(values: Iterable[ItemT], breaks: Callable[[ItemT], bool], tries: Tries) -> ItemT | None:
    """Return the first of ``values`` that breaks, or None."""
    return next((value for value in values if tries.take() and breaks(value)), None)
