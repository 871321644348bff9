"""Strangers on a TCP port: one that talks something else, and one of another version."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Refusal
from tests.unit_end import IDENT, UnitEnd

CHUNK = 4096
SERIAL = 4711
OTHER_SCHEMA = SCHEMA_HASH ^ 1
FIRMWARE_9_0 = 9 << 8

Talk = Callable[[socket.socket], None]


def smtp(line: socket.socket) -> None:
    """Greet as a mail server does, and do not understand anything."""
    line.sendall(b"220 mail.example ESMTP\r\n")
    while line.recv(CHUNK):
        line.sendall(b"500 what?\r\n")


def another_version(line: socket.socket) -> None:
    """Answer HELLO as a device does whose catalogue of messages is another one."""
    unit = UnitEnd(
        IDENT._replace(
            refusal=Refusal.VERSION, schema=OTHER_SCHEMA, serial=SERIAL, firmware=FIRMWARE_9_0
        )
    )
    while data := line.recv(CHUNK):
        line.sendall(unit.hear(data, time.monotonic()))


@contextmanager
def stranger(talk: Talk) -> Iterator[str]:
    """Let somebody answer on a TCP port; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        listening = threading.Thread(target=_let_in, args=(door, talk), daemon=True)
        listening.start()
        yield f"tcp://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        listening.join()


def _let_in(door: socket.socket, talk: Talk) -> None:
    while True:
        try:
            line, _ = door.accept()
        except OSError:  # the door was shut
            return
        with line:
            try:
                talk(line)
            except OSError:
                continue  # hung up in the middle of a word
