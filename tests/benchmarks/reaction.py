"""From a breach that is readable to the STOP that answers it, over a pty, many times.

The far end is the simulated unit in real time, with somebody on the line: at times he sends one
frame that shows suction above the trip level, takes the time until a STOP frame comes back, and
keeps that STOP from the unit. The near end is the kernel as it runs in its process (uvloop, journal
on a disk, control loop, handpiece client). Before each breach its supervisor is copied, and the
copy judges the breach, so that the treatment goes on.

`python -m tests.benchmarks.reaction` prints p50 and p99 as JSON; with `near PATH FOLDER` it is the
near end.
"""

import asyncio
import copy
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from controller.api.requests import Request
from controller.device.handpiece import HandpieceClient, Listeners
from controller.device.precedence import settle_memory
from controller.device.transport import open_stream
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.store import Store
from controller.record.writer import ThreadWriter
from controller.safety.interlocks import SUCTION_TRIP_KPA
from controller.safety.reading import Reading
from controller.treatment.supervisor import Supervisor
from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.messages import Stop
from firmware_protocol.vocabulary import Mode
from qa.planning import planned_request
from simulator.firmware import reports
from simulator.handpiece import Handpiece
from simulator.host import DeviceHost
from simulator.ports import PtyPort

BREACH_PA = 58_000
SAMPLES = 1000
PERIOD_S = 0.050  # between breaches: two frames of telemetry, and a copy of the supervisor
ANSWER_MAX_S = 0.2
TREATMENT_MAX_S = 110.0
READ_MAX = 4096
WHO = {"name": "bench", "role": "practitioner", "origin": "local"}


# -- the near end ----------------------------------------------------------------------------------
class NearEnd:
    """Wraps the kernel's listener: a copy of the supervisor judges each breach."""

    def __init__(self) -> None:
        self.kernel: Kernel | None = None
        self._client: HandpieceClient | None = None
        self._spare: Any = None

    def make_client(self, path: str, listeners: Listeners) -> HandpieceClient:
        """Return the kernel's client, with its listener wrapped."""

        def on_reading(reading: Reading) -> None:
            if reading.suction_kpa is not None and reading.suction_kpa > SUCTION_TRIP_KPA:
                self._judge(reading, listeners)
            else:
                listeners.on_reading(reading)
                if self._spare is None:
                    asyncio.get_running_loop().call_soon(self._copy)

        wrapped = Listeners(on_reading=on_reading, on_link=listeners.on_link)
        self._client = HandpieceClient(partial(open_stream, path), wrapped)
        return self._client

    def _judge(self, reading: Reading, listeners: Listeners) -> None:
        if self.kernel is None or self._client is None or self._spare is None:
            return
        control = self.kernel.control
        control._conductor, lived_on = self._spare, control._conductor
        listeners.on_reading(reading)  # the STOP is written in here
        control._conductor = lived_on
        self._spare = None
        self._client._stops.close()

    def _copy(self) -> None:
        live = self.kernel.control._conductor if self.kernel is not None else None
        if isinstance(live, Supervisor):
            plan = live.conduct.plan
            self._spare = copy.deepcopy(live, {id(plan): plan})


async def _near(path: str, folder: Path) -> None:
    near = NearEnd()
    journal = Journal(ThreadWriter(Store(folder / "journal.sqlite3")), time.time, folder=folder)
    outside = Outside(partial(near.make_client, path), journal, Here(time.time))
    async with running(Place(path), outside) as kernel:
        near.kernel = kernel
        settle_memory()  # as its process does: else the journal's thread holds it up for 5 ms
        args = {"program": "refresh", "client": "demo"}
        treat = Request.model_validate({"do": "treat", "who": WHO, "args": args})
        await kernel.handle(await planned_request(kernel, treat))
        while not kernel.idle:
            await asyncio.sleep(0.2)


# -- the far end -----------------------------------------------------------------------------------
class FarEnd:
    """The unit, and somebody on its line."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.port = PtyPort(None)
        self.handpiece = Handpiece(1)
        self.device = DeviceHost(self.handpiece, loop, self.port.write)
        self.took_ms: list[float] = []
        self._fd = self.port._master
        self._pending = b""
        self.port.start(loop, self._received)

    def _received(self, data: bytes) -> None:
        if self._pending:
            data, self._pending = self._pending + data, b""
        self.device.receive(data)

    def _filtered(self, data: bytes) -> tuple[bytes, bool]:
        """Return the frames that are no STOP, and whether there was one."""
        *runs, self._pending = (self._pending + data).split(b"\0")
        stopped = [
            isinstance(decode(run, Direction.TO_DEVICE).message, Stop) for run in runs if run
        ]
        passed = [
            run + b"\0" for run, stop in zip(filter(None, runs), stopped, strict=True) if not stop
        ]
        return b"".join(passed), any(stopped)

    def breach(self) -> None:
        """Send one breach and wait for its STOP."""
        firmware = self.handpiece.firmware
        message = reports.telemetry(firmware.board, firmware.link.last_request_seq)
        frame = firmware.link.send(message._replace(suction_pa=BREACH_PA, suction_b_pa=BREACH_PA))
        os.write(self._fd, frame)
        began = time.monotonic_ns()
        while select.select([self._fd], [], [], ANSWER_MAX_S)[0]:
            data = os.read(self._fd, READ_MAX)
            took_ms = (time.monotonic_ns() - began) / 1e6
            passed, stopped = self._filtered(data)
            if passed:
                self.device.receive(passed)
            if stopped:
                self.took_ms.append(took_ms)
                return
        raise RuntimeError("no STOP came")


async def _far() -> list[float]:
    loop = asyncio.get_running_loop()
    far = FarEnd(loop)
    far.device.start()
    with tempfile.TemporaryDirectory(prefix="corneum-bench-") as folder:
        words = [sys.executable, "-m", "tests.benchmarks.reaction", "near", far.port.name, folder]
        near = subprocess.Popen(words)  # noqa: ASYNC220 - once, before anything is measured
        try:
            await _breaches(far, loop.time() + TREATMENT_MAX_S, near)
        finally:
            near.terminate()
            near.wait()
    far.device.stop()
    far.port.close()
    return far.took_ms


async def _breaches(far: FarEnd, until_s: float, near: "subprocess.Popen[bytes]") -> None:
    loop = asyncio.get_running_loop()
    while len(far.took_ms) < SAMPLES and loop.time() < until_s and near.poll() is None:
        await asyncio.sleep(PERIOD_S)
        if far.handpiece.firmware.mode in (Mode.ACTIVE, Mode.PAUSED):
            far.breach()


def main() -> None:
    """Run one end, or both and print the figures."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if sys.argv[1:2] == ["near"]:
            runner.run(_near(sys.argv[2], Path(sys.argv[3])))
            return
        took_ms = sorted(runner.run(_far()))
    figures = {
        "samples": len(took_ms),
        "p50_ms": statistics.median(took_ms),
        "p99_ms": took_ms[len(took_ms) * 99 // 100],
        "max_ms": took_ms[-1],
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
