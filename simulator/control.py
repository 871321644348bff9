"""The control channel: a unix socket, apart from the line, that moves hand, faults and line.

One JSON object a line in, one out: ``{"ok": true, "t_s": when, ...}``, with the device seconds at
which it was done, or ``{"ok": false, "error": sentence}``. What can be asked is in `control_verbs`.
It is of the simulator, not of the device: nothing on the serial line can reach it.
"""

import asyncio
import json
import logging
import os
import socket
from pathlib import Path
from typing import Final

from simulator.control_verbs import Answer, RefusedError, Request, Verbs
from simulator.host import DeviceHost

_log: Final = logging.getLogger(__name__)
LINE_MAX_BYTES: Final = 4096
CLIENTS_MAX: Final = 8
OTHERS: Final = 0o177  # what the umask takes away: everything but reading and writing by the owner


class Control:
    """Answers the requests of the control channel for one device."""

    def __init__(self, host: DeviceHost) -> None:
        self._verbs = Verbs(host)
        self._clients = 0
        self._server: asyncio.Server | None = None

    def answer(self, text: bytes) -> Answer:
        """Do what one line asks; never raises, also where the fault is our own."""
        try:
            return {"ok": True, **self._verbs.act(_parsed(text))}
        except RefusedError as error:
            return _refusal(str(error))
        except Exception as error:  # noqa: BLE001 - whoever asks is answered
            _log.exception("the control channel")
            return _refusal(f"this is a fault of the simulator itself ({type(error).__name__})")

    async def start(self, path: Path) -> None:
        """Listen on a unix socket that only this user may open; OSError where that fails."""
        self._server = await asyncio.start_unix_server(
            self._serve, sock=_private_socket(path), limit=LINE_MAX_BYTES
        )

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients > CLIENTS_MAX:
                await _say(writer, _refusal(f"{CLIENTS_MAX} clients are here already; hang up one"))
            else:
                await self._talk(reader, writer)
        except ConnectionError:
            pass  # hung up: there is nobody to answer
        finally:
            self._clients -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # beyond the bound: where the next one begins is not known
                await _say(writer, _refusal(f"a request has at most {LINE_MAX_BYTES} bytes"))
                return
            if not line:
                return
            await _say(writer, self.answer(line))


async def _say(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _refusal(sentence: str) -> Answer:
    return {"ok": False, "error": sentence}


def _private_socket(path: Path) -> socket.socket:
    """Return a socket bound to ``path`` that never was open to others."""
    bound = socket.socket(socket.AF_UNIX)
    umask_before = os.umask(OTHERS)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        why = error.strerror or str(error)  # a path that is too long has no number
        raise OSError(error.errno, why, str(path)) from error
    finally:
        os.umask(umask_before)
    return bound


def _parsed(text: bytes) -> Request:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"that is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise RefusedError("a request is one JSON object")
    return request
