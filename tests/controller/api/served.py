"""A server on a real socket, with a service behind it that answers everything."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.api.authority import Do
from controller.api.faults import FaultHandler
from controller.api.peer import listen
from controller.api.requests import Request, WhoSays
from controller.api.server import Server
from controller.api.viewer import Viewer
from controller.safety.refusal import refusing

ANNA = {"name": "anna", "role": "practitioner", "origin": "local"}


class Desk:
    """A service that answers everything, except that dismissing takes as long as a test wants."""

    def __init__(self) -> None:
        self.raises: BaseException | None = None
        """What every question and every stop meets from now on."""
        self.stops = 0
        self.asked: list[Do] = []
        self.may_dismiss = asyncio.Event()
        self.padding = ""
        self.state = "idle"
        self.watchers = 0
        self.viewer: Viewer | None = None
        """The connection that asked last."""

    async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
        """Answer."""
        self.viewer = viewer
        self.asked.append(request.do)
        if self.raises is not None:
            raise self.raises
        if request.do is Do.DISMISS:
            await self.may_dismiss.wait()
        if request.do is Do.RESET:
            raise refusing("no_trip", "No trip is latched.", "Go on.")
        return {"did": request.do.value}

    def watched(self, viewer: Viewer, who: WhoSays) -> None:
        """Note who watches."""
        self.viewer = viewer
        self.watchers += 1

    def stop(self, request: Request) -> dict[str, Any]:
        """Count the stops."""
        self.stops += 1
        if self.raises is not None:
            raise self.raises
        return {"emergency": request.args.get("emergency") is True}

    def snapshot(self) -> dict[str, Any]:
        """Show how often it was stopped."""
        if self.raises is not None:
            raise self.raises
        return {"stops": self.stops, "padding": self.padding}


@asynccontextmanager
async def serving(
    folder: Path, own_uid: int | None = None, faults: FaultHandler | None = None
) -> AsyncIterator[tuple[Desk, Path, Server]]:
    """Serve a desk on a socket in ``folder``."""
    desk, path = Desk(), folder / "run" / "kernel.sock"
    server = Server(desk, own_uid, faults=faults)
    await server.open(listen(path))
    try:
        yield desk, path, server
    finally:
        desk.may_dismiss.set()
        await server.close()


async def say(path: Path, data: bytes, lines: int = 1) -> list[dict[str, Any]]:
    """Write ``data`` as it is and return the lines that come back, fewer if it hangs up."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    said: list[dict[str, Any]] = []
    async with asyncio.timeout(5.0):
        while len(said) < lines and (line := await reader.readline()):
            said.append(json.loads(line))
    writer.close()
    await writer.wait_closed()
    return said
