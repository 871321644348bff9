"""The asyncio client of a kernel's API, for the command line, the gateway and tests."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from controller.api.ask import (
    ANSWER_MAX_BYTES,
    TIMEOUT_S,
    KernelAbsentError,
    KernelSilentError,
    knock,
)
from controller.safety.refusal import Refusal, RefusedError

LINES_MAX: Final = 4
"""Lines of a watch that wait for a slow reader; older ones are dropped, the newest wins."""

PENDING_MAX: Final = 16
"""Questions under way at a time; the kernel takes 8 for each connection."""


KNOCK_PERIOD_S: Final = 0.01
"""How often a kernel is tried that has no room in its queue; it lets 400 in a second."""

UNSENT_MAX_BYTES: Final = 4096
"""Confirmations that wait to be sent; a kernel that reads nothing gets no more of them."""


class WatchLine(NamedTuple):
    """One line of a watch."""

    number: int
    """What `KernelClient.seen` confirms once it was shown."""
    leads: bool
    """True while this connection leads the treatment."""
    snapshot: dict[str, Any]


class KernelClient:
    """One connection; use it as ``async with await KernelClient.open(path, who) as kernel``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: Mapping[str, str]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._who = dict(who)
        self._next_id = 0
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._lines: asyncio.Queue[WatchLine | None] = asyncio.Queue(LINES_MAX)
        self._task = asyncio.create_task(self._receive(), name="kernel-client")

    @classmethod
    async def open(cls, path: Path, who: Mapping[str, str]) -> Self:
        """Connect to the kernel at ``path`` as ``who`` (name, role, origin).

        Raises:
            KernelAbsentError: nobody listens there.
            KernelSilentError: somebody does, and takes nobody in for ``TIMEOUT_S``.
        """
        line = await _let_in(path)
        reader, writer = await asyncio.open_unix_connection(sock=line, limit=ANSWER_MAX_BYTES)
        return cls(reader, writer, who)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def ask(
        self, do: str, args: Mapping[str, object] | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Ask for ``do`` and return the result.

        Raises:
            RefusedError: the kernel refused.
            KernelAbsentError: it is gone, or silent for ``timeout_s``.
        """
        if len(self._pending) >= PENDING_MAX:
            raise KernelAbsentError(f"more than {PENDING_MAX} questions wait for the kernel")
        if self._task.done():
            raise KernelAbsentError("the kernel has closed the connection")
        self._next_id += 1
        number = self._next_id
        request = {"id": number, "do": do, "who": self._who, "args": dict(args or {})}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(timeout_s):
                return _result(await future)
        except TimeoutError as error:
            raise KernelSilentError(f"the kernel is silent for {timeout_s:g} s") from error
        finally:
            del self._pending[number]

    async def watch(self) -> AsyncIterator[WatchLine]:
        """Yield snapshots as they come, at most ten a second, until the kernel is gone."""
        await self.ask("watch")
        while (line := await self._lines.get()) is not None:
            yield line

    def seen(self, number: int) -> None:
        """Confirm that line ``number`` of the watch was shown; there is no answer."""
        if self._writer.transport.get_write_buffer_size() <= UNSENT_MAX_BYTES:
            said = {"do": "seen", "who": self._who, "args": {"n": number}}
            self._writer.write(json.dumps(said).encode() + b"\n")

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line))
        except (OSError, ValueError, KeyError):
            pass  # hung up, or no kernel at all: both end the connection
        finally:
            for future in self._pending.values():
                if not future.done():
                    future.set_exception(KernelAbsentError("the kernel has closed the connection"))
            self._offer(None)

    def _take(self, said: dict[str, Any]) -> None:
        if "snapshot" in said:
            self._offer(WatchLine(said["n"], said["leads"], said["snapshot"]))
            return
        future = self._pending.get(said.get("id", 0))
        if future is not None and not future.done():
            future.set_result(said)

    def _offer(self, line: WatchLine | None) -> None:
        if self._lines.full():
            self._lines.get_nowait()
        self._lines.put_nowait(line)


async def _let_in(path: Path) -> socket.socket:
    """Knock until there is room, and let the loop go on meanwhile."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + TIMEOUT_S
    while True:
        try:
            return knock(path)
        except KernelSilentError as error:
            if loop.time() >= end_s:
                said = f"the kernel at {path} takes nobody in for {TIMEOUT_S:g} s"
                raise KernelSilentError(said) from error
        await asyncio.sleep(KNOCK_PERIOD_S)


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is True:
        result: dict[str, Any] = answer.get("result") or {}
        return result
    error = answer.get("error") or {}
    refusal = Refusal(
        str(error.get("code", "unknown")),
        str(error.get("sentence", "The kernel refused without a word.")),
        str(error.get("next_step", "")),
        error.get("receipt"),
    )
    raise RefusedError(refusal)
