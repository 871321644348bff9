"""Strangers on a TCP port: one that talks something else, and one of another version."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.link import Link, RequestReceived
from firmware_protocol.messages import Hello, Ident
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Refusal

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
    link = Link(Direction.TO_HOST)
    while data := line.recv(CHUNK):
        for event in link.receive(data, time.monotonic()):
            if isinstance(event, RequestReceived) and isinstance(event.message, Hello):
                line.sendall(link.reply(event.seq, _ident(event.seq)))


def _ident(seq: int) -> Ident:
    return Ident(
        request_seq=seq,
        refusal=Refusal.VERSION,
        major=PROTOCOL_MAJOR,
        minor=PROTOCOL_MINOR,
        schema=OTHER_SCHEMA,
        serial=SERIAL,
        boot_id=1,
        device_nonce=1,
        firmware=FIRMWARE_9_0,
        capabilities=0,
    )


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
