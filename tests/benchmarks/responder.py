"""The far end of every exchange: answers each read with the next prepared reply, as fast as it can.

It runs in a process of its own and does the same for every peer, so that only near ends differ.
`python -m tests.benchmarks.responder KIND COUNT` prints the path of its pty and answers COUNT
times. KIND: raw (the bytes of one TELEMETRY), modbus (one RTU answer), lease (after HELLO, each
frame gets the next TELEMETRY), oneshot (after HELLO, each request gets its RESULT).
"""

import os
import pty
import select
import sys
import tty
from collections.abc import Iterable

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.codec import Frame, decode, encode
from firmware_protocol.link import session_number
from firmware_protocol.messages import Hello, Ident, Result, Telemetry
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Mode, Refusal

READ_MAX = 4096
DEVICE_NONCE = 0x5EED
SERIAL = 4711
MODBUS_REPLY = bytes.fromhex("01 03 04 00 01 00 02 2a 32")  # unit 1, two registers, CRC-16


def telemetry(tick_ms: int) -> Telemetry:
    """Return a plausible frame of a unit at rest."""
    return Telemetry(
        tick_ms=tick_ms, mode=Mode.DISARMED, cause=0, permits=0, inputs=2, valve_percent=0,
        suction_pa=120, suction_b_pa=118, flow_mg_per_min=0, lease_left_ms=200, loop_counter=1,
        last_request_seq=1, set_suction_pa=0, set_flow_mg_per_min=0,
    )  # fmt: skip


def main() -> None:
    """Serve one pty."""
    kind, count = sys.argv[1], int(sys.argv[2])
    master, slave = pty.openpty()
    tty.setraw(slave)
    sys.stdout.write(os.ttyname(slave) + "\n")
    sys.stdout.flush()
    if kind in {"lease", "oneshot"}:
        replies = _after_hello(master, kind, count)
    else:
        replies = [MODBUS_REPLY if kind == "modbus" else encode(telemetry(1), 1, 1)] * count
    for reply in replies:
        os.read(master, READ_MAX)
        os.write(master, reply)
    sys.stdin.read()


def _after_hello(master: int, kind: str, count: int) -> Iterable[bytes]:
    """Answer HELLO and prepare every further reply, while the near end waits."""
    run = b""
    while not run.endswith(b"\0"):
        run += os.read(master, READ_MAX)
    hello = decode(run.strip(b"\0"), Direction.TO_DEVICE)
    session, ident = _ident(hello)
    os.write(master, ident)
    if kind == "lease":
        replies = [encode(telemetry(n), session, n) for n in range(1, count + 1)]
    else:
        replies = [encode(Result(n, 0, 0, 0), session, n) for n in range(1, count + 1)]
    while select.select([master], [], [], 0)[0]:  # repeats of HELLO, sent meanwhile
        os.read(master, READ_MAX)
    return replies


def _ident(frame: Frame) -> tuple[int, bytes]:
    hello = frame.message
    if not isinstance(hello, Hello):
        raise TypeError(f"{hello} is not HELLO")
    ident = Ident(
        frame.seq, Refusal.NONE, PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, SERIAL, 1,
        DEVICE_NONCE, 0x0100, Capability.SIMULATED,
    )  # fmt: skip
    return session_number(hello.host_nonce, DEVICE_NONCE), encode(ident, 0, frame.seq)


if __name__ == "__main__":
    main()
