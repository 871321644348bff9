"""The error limiter: too many corrupt frames in a window, and the link is no longer trusted.

The CRC alone does not bound the rate of undetected errors; this does (OPC UA Safety, part 15).
"""

from collections import deque
from itertools import islice
from typing import Final

from firmware_protocol.envelope import (
    BAD_FRAMES_LONG_MAX,
    BAD_FRAMES_LONG_S,
    BAD_FRAMES_SHORT_MAX,
    BAD_FRAMES_SHORT_S,
)

_SHORT: Final = BAD_FRAMES_SHORT_MAX + 1
_LONG: Final = BAD_FRAMES_LONG_MAX + 1


class ErrorLimiter:
    """Remembers when the newest corrupt frames came; no more of them than the rules need."""

    __slots__ = ("_newest_s",)

    def __init__(self) -> None:
        self._newest_s: deque[float] = deque(maxlen=_LONG)

    def note(self, now_s: float) -> None:
        """Count one corrupt frame."""
        self._newest_s.appendleft(now_s)

    def exceeded(self, now_s: float) -> bool:
        """True while more corrupt frames than allowed lie in one of the two windows."""
        return self._crowded(_SHORT, now_s - BAD_FRAMES_SHORT_S) or self._crowded(
            _LONG, now_s - BAD_FRAMES_LONG_S
        )

    def _crowded(self, count: int, since_s: float) -> bool:
        oldest_s = next(islice(self._newest_s, count - 1, None), None)
        return oldest_s is not None and not oldest_s < since_s
