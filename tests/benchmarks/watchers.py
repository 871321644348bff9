"""What 32 screens cost the control process while somebody is treated: one snapshot for all of them.

The kernel and a simulated unit run in processes of their own; the watchers read in a third one.
`python -m tests.benchmarks.watchers` prints the figure as JSON; with a socket it is the watchers.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.service import Tell
from tests.processes.service import Kernel, kernel, unit

WATCHERS = 32
MEASURED_S = 4.0
SETTLE_S = 1.0
ACTIVE_MAX_S = 30.0
SHARE_MAX_PERCENT = 5.0
BUILD_PERCENT = 29.0
"""The build of 26 November, one snapshot and one encoding for each of them."""


def watchers_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Return the share of one core that the watchers cost."""
    tell(f"{WATCHERS} watchers")
    cost = cost_percent()
    figure = Figure(
        f"{WATCHERS} watchers, in the control process", round(cost, 2), "% of a core",
        reference="build of 26 November", ratio=round(cost / BUILD_PERCENT, 3),
    )  # fmt: skip
    return [at_most(figure, SHARE_MAX_PERCENT)]


def cost_percent() -> float:
    """Measure without and with watchers, in the same treatment."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with unit(folder, hand="average") as device, kernel(device, folder / "state") as host:
            host.ask("treat", program="refresh", client="demo")
            end_s = time.monotonic() + ACTIVE_MAX_S
            while host.state() != "active" and time.monotonic() < end_s:
                time.sleep(0.2)
            alone = _share(host)
            words = [sys.executable, "-m", "tests.benchmarks.watchers", str(host.socket)]
            watching = subprocess.Popen(words)
            try:
                time.sleep(SETTLE_S)
                watched = _share(host)
            finally:
                watching.kill()
                watching.wait()
            host.ask("stop")
    return max(0.0, watched - alone)


def _share(host: Kernel) -> float:
    began_s, used_s = time.monotonic(), _used_s(host.pid)
    time.sleep(MEASURED_S)
    return 100.0 * (_used_s(host.pid) - used_s) / (time.monotonic() - began_s)


def _used_s(pid: int) -> float:
    """Return the processor time of a process so far, in user and system mode (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _watch(path: str) -> None:
    async def one() -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"id":1,"do":"watch"}\n')
        while await reader.readline():
            pass

    await asyncio.gather(*(one() for _ in range(WATCHERS)))


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(_watch(sys.argv[1]))
    else:
        sys.stdout.write(json.dumps({"watchers_percent": cost_percent()}) + "\n")
