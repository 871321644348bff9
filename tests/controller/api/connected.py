"""A connection of the server without a socket: what is written to its line, and what is asked."""

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from controller.api.requests import Request, WhoSays
from controller.api.server import Server, _Connection
from controller.api.viewer import Viewer

if TYPE_CHECKING:
    from controller.safety.refusal import RefusedError

OWN_UID: Final = 1234


class Line(asyncio.Transport):
    """Keeps what is written, and everything else that is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.done: list[str] = []
        self.waiting_bytes = 0
        """What the other end has not read yet."""
        self.closing = False

    @property
    def said(self) -> list[Any]:
        """The lines so far, read."""
        return [json.loads(line) for line in b"".join(self.written).splitlines()]

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Keep it."""
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        """Say what a test wants."""
        return self.waiting_bytes

    def is_closing(self) -> bool:
        """Say what a test wants."""
        return self.closing

    def write_eof(self) -> None:
        """Note it."""
        self.done.append("eof")

    def abort(self) -> None:
        """Note it."""
        self.done.append("abort")

    def close(self) -> None:
        """Note it."""
        self.done.append("close")

    def pause_reading(self) -> None:
        """Note it."""
        self.done.append("pause")

    def resume_reading(self) -> None:
        """Note it."""
        self.done.append("resume")


class Notes:
    """A service that notes every argument that it is given, and answers as a test wants."""

    def __init__(self) -> None:
        self.state = "idle"
        self.asked: list[tuple[Request, Viewer | None]] = []
        self.stopped: list[Request] = []
        self.watching: list[tuple[Viewer, WhoSays]] = []
        self.looks = 0
        self.refuses: RefusedError | None = None
        self.raises: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
        """Answer once that is allowed."""
        self.asked.append((request, viewer))
        await self.may_answer.wait()
        if self.refuses is not None:
            raise self.refuses
        return {"did": request.do.value}

    def watched(self, viewer: Viewer, who: WhoSays) -> None:
        """Note who watches."""
        self.watching.append((viewer, who))

    def stop(self, request: Request) -> dict[str, Any]:
        """Note the stop."""
        self.stopped.append(request)
        if self.raises is not None:
            raise self.raises
        return {"state": "stopping"}

    def snapshot(self) -> dict[str, Any]:
        """Count the looks."""
        self.looks += 1
        return {"looks": self.looks}


class Connected:
    """One server, its service, and a connection or several."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.ended = 0
        self.server = Server(self.notes, OWN_UID, self._end)
        self.one, self.line = self.come()

    def come(self) -> tuple[_Connection, Line]:
        """Let one more in."""
        one, line = _Connection(self.notes, self.server), Line()
        one.connection_made(line)
        return one, line

    def hear(self, data: bytes) -> None:
        """Hear something from the first connection."""
        self.one.data_received(data)

    def _end(self) -> None:
        self.ended += 1


def ask(number: int, do: str, **args: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return the line with which a practitioner at the unit asks."""
    who = {"name": "anna", "role": "practitioner", "origin": "local"}
    return json.dumps({"id": number, "do": do, "who": who, "args": args}).encode() + b"\n"


def now_s() -> float:
    """Return the time of the loop."""
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(8):
        await asyncio.sleep(0)
