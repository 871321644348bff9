"""SETPOINT encoded and decoded: ours beside two floors. Prints JSON.

All make the frame from eight numbers and read it back; they take turns, and the median of the
batches counts. The bare floor is struct, CRC and COBS alone: it has the same layout and checks the
CRC, but knows nothing else. No codec comes near to it: to make a message alone takes a third of its
time. The checked floor does in addition what a codec that names its fields and refuses what is out
of range cannot leave out: it makes the message, takes it apart, compares ranges and head on both
ways, and makes message and frame of what came. It does so for one message in one function, without
choosing by type and without an error that says why: what ours takes over it is that seam.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from struct import Struct

from cobs import cobs
from fastcrc.crc32 import autosar

from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.codec import decode, encode
from firmware_protocol.frame import RESIDUE, SEEDS, Frame
from firmware_protocol.messages import Setpoint

BATCH = 500
BATCHES = 60
FRAME = Struct("<BBIHHHIHHBIH")
CRC = Struct("<I")
BODY = Struct("<HIHHHIHHBIH")
WHOLE = Struct("<HIHHHIHHBIH4x")
SEED = SEEDS[Direction.TO_DEVICE, Seed.SCHEMA]  # the same bytes on the line
HEAD, SUCTION_MAX, FLOW_MAX, WISH_MAX = 0x0430, 50_000, 12_000, 3
NEW = tuple.__new__  # as in the generated codecs
TO_DEVICE = Direction.TO_DEVICE  # a look-up on the enum costs 0.1 us in Python 3.11


def ours() -> None:
    """Build, encode and decode one lease renewal."""
    message = Setpoint(200, 4711, 1_234_567, 30_000, 6_000, 3, 99, 1200)
    decode(encode(message, 0xC0FFEE, 512)[:-1], TO_DEVICE)


def floor() -> None:
    """Do the same bytes with nothing around them."""
    raw = FRAME.pack(0x30, 4, 0xC0FFEE, 512, 200, 4711, 1_234_567, 30_000, 6_000, 3, 99, 1200)
    wire = cobs.encode(raw + CRC.pack(autosar(raw, SEED))) + b"\0"
    back = cobs.decode(wire[:-1])
    body = back[:-4]
    if CRC.unpack(back[-4:])[0] == autosar(body, SEED):
        FRAME.unpack(body)


def checked_floor() -> None:
    """Do the same bytes for a message that is made, checked and made again."""
    message = Setpoint(200, 4711, 1_234_567, 30_000, 6_000, 3, 99, 1200)
    lease, counter, echo, suction, flow, wish, treatment, left = message
    if not (suction <= SUCTION_MAX and flow <= FLOW_MAX and wish <= WISH_MAX):
        raise ValueError
    raw = BODY.pack(
        0x0430, 0xC0FFEE, 512, lease, counter, echo, suction, flow, wish, treatment, left
    )
    wire = cobs.encode(raw + CRC.pack(autosar(raw, SEED))) + b"\0"
    back = cobs.decode(wire[:-1])
    if autosar(back, SEED) != RESIDUE:
        raise ValueError
    head, session, seq, lease, counter, echo, suction, flow, wish, treatment, left = WHOLE.unpack(
        back
    )
    if head != HEAD or not (suction <= SUCTION_MAX and flow <= FLOW_MAX and wish <= WISH_MAX):
        raise ValueError
    message = NEW(Setpoint, (lease, counter, echo, suction, flow, wish, treatment, left))
    NEW(Frame, (message, session, seq, 4))


def batch_us(once: Callable[[], None]) -> float:
    """Return the microseconds of one call, over a batch."""
    began = time.perf_counter_ns()
    for _ in range(BATCH):
        once()
    return (time.perf_counter_ns() - began) / BATCH / 1e3


def main() -> None:
    """Take turns and print the medians."""
    turns = [(batch_us(ours), batch_us(floor), batch_us(checked_floor)) for _ in range(BATCHES)][
        BATCHES // 10 :
    ]
    result = {
        "ours_us": statistics.median(turn[0] for turn in turns),
        "floor_us": statistics.median(turn[1] for turn in turns),
        "ratio": statistics.median(turn[0] / turn[1] for turn in turns),
        "checked_us": statistics.median(turn[2] for turn in turns),
        "ratio_checked": statistics.median(turn[0] / turn[2] for turn in turns),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
