"""A byte stream to the unit (signatures first; the body follows)."""

from collections.abc import Awaitable, Callable
from enum import Enum, unique
from typing import Protocol


@unique
class Rank(Enum):
    """What happens to bytes that the port cannot take at once."""

    ORDERLY = "kept in order, bounded"
    NEWEST = "replaces what was not yet written of this rank: a setpoint"
    AHEAD = "everything else that is waiting is dropped, this goes first: a STOP"


class ByteStream(Protocol):
    """An open port. Each write is one or more whole frames."""

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Write without ever blocking; StreamLostError when the port is gone or full."""

    def close(self) -> None:
        """Close the port; ``on_lost`` is not called."""


OnData = Callable[[bytes], None]
OnLost = Callable[[str], None]
OpenStream = Callable[[OnData, OnLost], Awaitable[ByteStream]]
"""Opens one port: ``functools.partial(open_stream, url)``, or an in-memory line in tests."""


async def open_stream(url: str, on_data: OnData, on_lost: OnLost) -> ByteStream:
    """Open ``url``. Raises PortError."""
    raise NotImplementedError
