"""Hostile local clients of one kernel: ``python -m qa.campaigns.stops.hostile SOCKET N``.

A fifth each: idle connections, half lines, floods of requests, watchers that never read, garbage.
Whoever is hung up on comes back at once. Ends when standard input does.
"""

import contextlib
import os
import selectors
import socket  # noqa: TC003 - a type here, and an object there
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from controller.api.ask import KernelAbsentError, dial

CHUNK_BYTES: Final = 65_536
AGAIN_S: Final = 0.1
"""How long somebody waits that was hung up on: some hundreds of new connections a second."""

STATUS: Final = b'{"id": 1, "do": "status"}\n'
WATCH: Final = b'{"id": 1, "do": "watch"}\n'
KINDS: Final = ("idle", "half line", "flood", "never reads", "garbage")


class Client:
    """One hostile client."""

    def __init__(self, path: Path, kind: str) -> None:
        self.kind = kind
        self._path = path
        self._line: socket.socket | None = None
        self._not_before_s = 0.0

    def come(self, selector: selectors.BaseSelector) -> None:
        """Connect again where it was hung up on."""
        if self._line is not None or time.monotonic() < self._not_before_s:
            return
        try:
            line = dial(self._path, AGAIN_S)
        except KernelAbsentError:
            self._not_before_s = time.monotonic() + AGAIN_S
            return
        line.setblocking(False)  # noqa: FBT003 - the name of the standard library
        self._line = line
        first = {"half line": b'{"id": 1, "do": "st', "never reads": WATCH}.get(self.kind, b"")
        with contextlib.suppress(OSError):
            line.send(first)
        floods = self.kind not in {"idle", "half line"}
        reads = selectors.EVENT_READ
        selector.register(line, reads | selectors.EVENT_WRITE if floods else reads, self)

    def act(self, selector: selectors.BaseSelector, events: int) -> None:
        """Do its worst."""
        line = self._line
        if line is None:
            return
        try:
            if events & selectors.EVENT_WRITE:
                line.send(self._words())
            reads = events & selectors.EVENT_READ and self.kind != "never reads"
            if reads and not line.recv(CHUNK_BYTES):
                raise ConnectionResetError
        except BlockingIOError:
            pass
        except OSError:
            selector.unregister(line)
            line.close()
            self._line = None
            self._not_before_s = time.monotonic() + AGAIN_S

    def _words(self) -> bytes:
        if self.kind == "garbage":
            return os.urandom(256).replace(b"\n", b" ") + b"\n"
        return STATUS * 64


def main(words: list[str]) -> None:
    """Be hostile until standard input ends."""
    path, count = Path(words[0]), int(words[1])
    clients = [Client(path, KINDS[number % len(KINDS)]) for number in range(count)]
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for _ in _until_end(selector):
            for client in clients:
                client.come(selector)


def _until_end(selector: selectors.BaseSelector) -> Iterator[None]:
    while True:
        yield
        for key, events in selector.select(AGAIN_S):
            if key.data is None:
                if not os.read(key.fd, 1):
                    return
            else:
                key.data.act(selector, events)


if __name__ == "__main__":
    main(sys.argv[1:])
