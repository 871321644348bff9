"""How late the control loop beats, which is when it renews the lease. Prints JSON.

`python -m tests.benchmarks.renewal stock|ours|busy`: our control loop on the loop of the standard
library, or on the kernel's own with its settled memory; busy adds two processes that never rest.
The first beat waits for nothing; a later one is late by what it comes after a whole number of
periods since then, on the monotonic clock (a loop's own clock may show whole milliseconds only).
"""

import asyncio
import contextlib
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from controller.device import precedence
from controller.device.answers import PortError, PortTrouble
from controller.device.handpiece import HandpieceClient
from controller.device.transport import ByteStream, OnData, OnLost
from controller.kernel.control import About, Control
from controller.record.journal import Journal
from controller.record.store import Store
from controller.record.writer import InlineWriter
from firmware_protocol.envelope import SETPOINT_PERIOD_S

BEATS = 160
BUSY_BEATS = 400  # 20 s
COMPETITORS = 2


class Probed(Control):
    """The control loop, with the time of each beat written down."""

    def __init__(self, control: Control) -> None:
        self.__dict__ = control.__dict__
        self.at_s: list[float] = []

    def _beat(self) -> None:
        self.at_s.append(time.monotonic())
        super()._beat()


async def _no_port(_on_data: OnData, _on_lost: OnLost) -> ByteStream:
    await asyncio.sleep(0)
    raise PortError(PortTrouble.NOT_FOUND, "there is no port here", "none is needed")


async def _measure(beats: int) -> dict[str, float]:
    journal = Journal(InlineWriter(Store(None)), time.time, folder=None)
    control = Probed(
        Control(lambda told: HandpieceClient(_no_port, told), journal, About("none", ""))
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(beats * SETPOINT_PERIOD_S):
            await control.run()
    late_ms = sorted(_late_ms(at_s - control.at_s[0]) for at_s in control.at_s[1:])
    gaps_ms = [(b - a) * 1e3 for a, b in zip(control.at_s, control.at_s[1:], strict=False)]
    return {
        "p50_ms": statistics.median(late_ms),
        "p99_ms": late_ms[len(late_ms) * 99 // 100],
        "gap_max_ms": max(gaps_ms),
    }


def _late_ms(since_first_s: float) -> float:
    """Return how late a beat is; one that comes early is not late."""
    return max(0.0, math.remainder(since_first_s, SETPOINT_PERIOD_S)) * 1e3


@contextlib.contextmanager
def _competitors(count: int) -> Iterator[None]:
    words = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(words) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def main() -> None:
    """Measure one kind and print it."""
    kind = sys.argv[1]
    factory = asyncio.new_event_loop if kind == "stock" else precedence.loop_factory()
    if kind != "stock":
        precedence.settle_memory()
    busy = kind == "busy"
    with _competitors(COMPETITORS if busy else 0), asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(_measure(BUSY_BEATS if busy else BEATS))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
