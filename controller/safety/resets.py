"""Three resets of one cause in ten minutes lock the unit: what comes back is not mended by a reset.

Pure: whoever keeps the resets says when they were. Times are of one clock; across restarts of the
process that is the wall clock of the record, and one that was set back makes a lock, never a way
out of it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

RESETS_MAX: Final = 3  # the same as the device's own rule, written twice on purpose
RESETS_SPAN_S: Final = 600.0


class PastReset(NamedTuple):
    """A trip that was reset: its cause in the words of the record, and when."""

    cause: str
    at_s: float


def locked_by(resets: Sequence[PastReset]) -> str | None:
    """Return the cause that was reset ``RESETS_MAX`` times within ``RESETS_SPAN_S``, or None.

    ``resets`` are in the order in which they were made. A lock stays for as long as its resets are
    remembered: service takes it off.
    """
    for cause in dict.fromkeys(reset.cause for reset in resets):
        times_s = [reset.at_s for reset in resets if reset.cause == cause]
        for first_s, last_s in zip(times_s, times_s[RESETS_MAX - 1 :], strict=False):
            if not last_s - first_s > RESETS_SPAN_S:
                return cause
    return None
