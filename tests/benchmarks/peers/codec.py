"""What bellows (ASH) and pymavlink take for a message of about the size of SETPOINT. Prints JSON.

Runs in the environment of the peers. Both make an object, its bytes, and an object again.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

from bellows.ash import AshProtocol, DataFrame, parse_frame
from pymavlink.dialects.v20 import common

BATCH = 200
BATCHES = 30
PAYLOAD = bytes(range(40, 67))  # 27 bytes: header and payload of SETPOINT
LINK = common.MAVLink(None, 1, 1)


def bellows() -> None:
    """One DATA frame of Silicon Labs' ASH, stuffed and unstuffed."""
    frame = DataFrame(frm_num=1, re_tx=False, ack_num=2, ezsp_frame=PAYLOAD)
    stuffed = AshProtocol._stuff_bytes(frame.to_bytes())
    parse_frame(bytes(AshProtocol._unstuff_bytes(stuffed)))


def pymavlink() -> None:
    """One ATTITUDE: seven fields, 28 bytes."""
    message = common.MAVLink_attitude_message(1_234_567, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    LINK.decode(bytearray(message.pack(LINK)))


def batch_us(once: Callable[[], None]) -> float:
    """Return the microseconds of one call, over a batch."""
    began = time.perf_counter_ns()
    for _ in range(BATCH):
        once()
    return (time.perf_counter_ns() - began) / BATCH / 1e3


def main() -> None:
    """Take turns and print the medians."""
    pairs = [(batch_us(bellows), batch_us(pymavlink)) for _ in range(BATCHES)][BATCHES // 10 :]
    result = {
        "bellows_us": statistics.median(pair[0] for pair in pairs),
        "pymavlink_us": statistics.median(pair[1] for pair in pairs),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
