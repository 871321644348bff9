"""Text that comes in any pieces, taken a line at a time, and STOP ahead of all the others."""

from typing import Final

AHEAD_MAX: Final = 4
"""Lines that are read ahead of their turn because the word is in them, in one piece of input."""


class Lines:
    """What one connection has said and nobody has taken yet; at most a piece beyond the limit."""

    def __init__(self, most_bytes: int) -> None:
        self._read = bytearray()
        self._most_bytes = most_bytes

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._read += data

    @property
    def waiting(self) -> bool:
        """True while there is a whole line."""
        return b"\n" in self._read

    @property
    def too_long(self) -> bool:
        """True where the next line is longer than it may be, whether its end has come or not."""
        end = self._read.find(b"\n")
        return (len(self._read) if end < 0 else end) >= self._most_bytes

    def take(self) -> bytes:
        """Return the next whole line without its end; empty where there is none."""
        line, end, rest = self._read.partition(b"\n")
        if not end:
            return b""
        self._read = rest
        return bytes(line)

    def with_word(self, word: bytes) -> list[bytes]:
        """Return the first whole lines that hold ``word``; they stay where they are."""
        found: list[bytes] = []
        at = self._read.find(word)
        while at >= 0 and len(found) < AHEAD_MAX:
            begin = self._read.rfind(b"\n", 0, at) + 1
            end = self._read.find(b"\n", at)
            if end < 0:
                break
            found.append(bytes(self._read[begin:end]))
            at = self._read.find(word, end)
        return found

    def drop(self, line: bytes) -> None:
        """Forget one line that was taken ahead of its turn."""
        begin = (
            0 if self._read.startswith(line + b"\n") else self._read.find(b"\n" + line + b"\n") + 1
        )
        del self._read[begin : begin + len(line) + 1]

    def clear(self) -> None:
        """Forget everything."""
        self._read.clear()
