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
import time
import tty
from collections.abc import Iterable

from firmware_protocol.codec import encode
from firmware_protocol.messages import Result, Telemetry
from firmware_protocol.vocabulary import Mode
from tests.unit_end import UnitEnd

READ_MAX = 4096
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
    unit = UnitEnd()
    while not unit.link.session:
        os.write(master, unit.hear(os.read(master, READ_MAX), time.monotonic()))
    session = unit.link.session
    if kind == "lease":
        replies = [encode(telemetry(n), session, n) for n in range(1, count + 1)]
    else:
        replies = [encode(Result(n, 0, 0, 0), session, n) for n in range(1, count + 1)]
    while select.select([master], [], [], 0)[0]:  # repeats of HELLO, sent meanwhile
        os.read(master, READ_MAX)
    return replies


if __name__ == "__main__":
    main()
