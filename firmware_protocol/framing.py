"""Cuts a stream of bytes into runs between delimiters, in any split, in bounded memory."""

from typing import Final

from firmware_protocol.frame import DELIMITER, RUN_MAX_BYTES

RUN_KEPT_BYTES: Final = RUN_MAX_BYTES + 1
"""A longer run is cut to this length, which no codec accepts: it is still reported once."""


class FrameDecoder:
    """Remembers the bytes since the last delimiter; empty runs are idle fill and are dropped."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    @property
    def held_bytes(self) -> int:
        """How many bytes wait for their delimiter; never more than RUN_KEPT_BYTES."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the runs that ``data`` completes."""
        runs = data.split(DELIMITER)
        if self._tail:
            runs[0] = self._tail + runs[0]
        self._tail = runs.pop()[:RUN_KEPT_BYTES]
        return [run[:RUN_KEPT_BYTES] for run in runs if run]
