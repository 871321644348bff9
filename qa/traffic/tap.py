"""A tap in the line: it serves a pty for the host, forwards to the port of the unit, and records.

It looks at nothing and changes nothing: bytes go on in the callback that read them, before they are
written down. When the tap ends, the line is silent, and the unit's lease does the rest.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from controller.device.answers import StreamLostError
from controller.device.transport import ByteStream, open_stream
from firmware_protocol.catalogue import Direction
from qa.traffic.recording import Recorder
from simulator.ports import PtyPort

STOPPED: Final = "stopped"


class Tap:
    """Both ends of a line and the record of what passes."""

    def __init__(self, recorder: Recorder, host: PtyPort) -> None:
        self.unit: ByteStream | None = None
        self.over = asyncio.Event()
        self.why = STOPPED
        self._recorder = recorder
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def from_host(self, data: bytes) -> None:
        """Forward to the unit."""
        if self.unit is not None:
            with contextlib.suppress(StreamLostError):  # the stream tells the loss by itself
                self.unit.write(data)
        self._note(Direction.TO_DEVICE, data)

    def from_unit(self, data: bytes) -> None:
        """Forward to the host."""
        self._host.write(data)
        self._note(Direction.TO_HOST, data)

    def lost(self, why: str) -> None:
        """End: the unit's port is gone."""
        self.end(f"lost: {why}")

    def end(self, why: str = STOPPED) -> None:
        """End the tap."""
        self.why = why
        self.over.set()

    def _note(self, way: Direction, data: bytes) -> None:
        self._recorder.note(self._loop.time() - self._began_s, way, data)


async def run_tap(
    url: str, link: Path | None, recorder: Recorder, on_ready: Callable[[str], None]
) -> str:
    """Tap until SIGINT, SIGTERM or the loss of the port, and return why it ended.

    Raises:
        PortError: the unit's port cannot be opened.
        PortUnusableError: the pty for the host cannot be made.
    """
    loop = asyncio.get_running_loop()
    with contextlib.closing(PtyPort(link)) as host:
        tap = Tap(recorder, host)
        tap.unit = await open_stream(url, tap.from_unit, tap.lost)
        try:
            host.start(loop, tap.from_host)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, tap.end)
            on_ready(host.name)
            await tap.over.wait()
        finally:
            tap.unit.close()
    return tap.why
