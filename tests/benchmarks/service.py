"""Rows of the running service: start, status, memory, renewal, reaction, virtual time."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from firmware_protocol.envelope import LEASE_DEFAULT_MS
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.processes import ROOT, MeasurementError, commands, module, running

STARTS: Final = 5
SETTLE_S: Final = 2.0  # until the kernel has connected and its heap is what it stays
STATUS_MAX_S: Final = 0.4
READY_MAX_S: Final = 2.0
MEMORY_MAX_MB: Final = 60.0
REACTION_MAX_MS: Final = 1.0
LATENESS_SHARE_MAX: Final = 0.3
VIRTUAL_SPEED_MIN: Final = 300.0
CAMPAIGN_SPEED_MIN: Final = 1_000_000.0

COMPILED: Final = ROOT / ".compiled"
"""What `make compiled` makes."""

Tell = Callable[[str], None]


def service_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Start simulator and kernel as processes, and ask for the status while they run."""
    ready_s: list[float] = []
    status_s: list[float] = []
    memory_mb: list[float] = []
    for n in range(STARTS):
        tell(f"service, start {n + 1} of {STARTS}")
        with tempfile.TemporaryDirectory(prefix="corneum-bench-") as folder:
            _one_start(Path(folder), ready_s, status_s, memory_mb)
    return [
        at_most(
            Figure("corneum status, start to answer", statistics.median(status_s), "s"),
            STATUS_MAX_S,
        ),
        at_most(
            Figure("kernel, start to ready", statistics.median(ready_s), "s"), READY_MAX_S
        ),
        at_most(
            Figure("kernel, resident memory", statistics.median(memory_mb), "MB"), MEMORY_MAX_MB
        ),
    ]  # fmt: skip


def _one_start(
    folder: Path, ready_s: list[float], status_s: list[float], memory_mb: list[float]
) -> None:
    port = folder / "unit"
    with _simulator(folder, port):
        began_s = time.perf_counter()
        kernel = [sys.executable, "-m", "controller.kernel", "--port", str(port)]
        with running(*kernel, "--state", str(folder / "state")) as line:
            ready_s.append(time.perf_counter() - began_s)
            told = json.loads(line)
            if not told.get("ready"):
                raise MeasurementError(f"the kernel does not start: {line}")
            time.sleep(SETTLE_S)
            memory_mb.append(_resident_mb(int(told["pid"])))
            status = [commands("corneum"), "status", "--json", "--port", str(port)]
            status_s.append(_status_s(status, folder / "state"))


@contextmanager
def _simulator(folder: Path, port: Path) -> Iterator[None]:
    words = [commands("corneum-sim"), "serve", "--pty", str(port), "--seed", "1"]
    with running(*words, "--events", str(folder / "events.jsonl")):
        yield


def _status_s(words: list[str], state: Path) -> float:
    """Return the best of three: the first one also reads the files of Python from the disk."""
    took = []
    for _ in range(3):
        began_s = time.perf_counter()
        done = subprocess.run(
            words, env={**os.environ, "CORNEUM_STATE": str(state)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        took.append(time.perf_counter() - began_s)
        if done.returncode != 0:
            raise MeasurementError(f"corneum status: {done.stderr.strip()}")
    return min(took)


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise MeasurementError(f"no memory figure for process {pid}")


def renewal_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Let stock asyncio and ours renew a lease in turns, and compare how late each is."""
    stock: list[dict[str, float]] = []
    ours: list[dict[str, float]] = []
    for n in range(3):
        tell(f"renewal, round {n + 1} of 3")
        stock.append(module("renewal", "stock"))
        ours.append(module("renewal", "ours"))
    tell("renewal, under two busy competitors")
    gap_ms = module("renewal", "busy")["gap_max_ms"]
    stock_ms = statistics.median(run["p50_ms"] for run in stock)
    ours_ms = statistics.median(run["p50_ms"] for run in ours)
    return [
        Figure("renewal lateness p50, stock asyncio", stock_ms, "ms", "itself", 1.0),
        at_most(
            Figure("renewal lateness p50, ours", ours_ms, "ms", "stock", ours_ms / stock_ms),
            LATENESS_SHARE_MAX, of_ratio=True,
        ),
        Figure(
            "renewal lateness p99, ours", statistics.median(run["p99_ms"] for run in ours), "ms"
        ),
        at_most(
            Figure("longest gap between renewals, 20 s, two busy competitors", gap_ms, "ms"),
            LEASE_DEFAULT_MS,
        ),
    ]  # fmt: skip


def reaction_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Send breaches over a pty and wait for the STOP of each."""
    tell("reaction")
    took = module("reaction")
    row = Figure("breach readable to STOP on the line, p99", took["p99_ms"], "ms")
    return [
        Figure("breach readable to STOP on the line, p50", took["p50_ms"], "ms"),
        at_most(row, REACTION_MAX_MS),
    ]


def virtual_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Run the whole service in virtual time, interpreted and compiled."""
    tell("virtual time")
    unit = "virtual s per s"
    plain = module("virtual")["virtual_s_per_s"]
    rows = [Figure("whole service in virtual time, interpreted", plain, unit)]
    name = "whole service in virtual time, compiled"
    if not COMPILED.is_dir():
        return [
            *rows,
            at_least(Figure(name, None, unit, "not built: make compiled"), VIRTUAL_SPEED_MIN),
        ]
    tell("virtual time, compiled")
    fast = module("virtual", top=COMPILED)["virtual_s_per_s"]
    row = Figure(name, fast, unit, "interpreted", fast / plain)
    return [*rows, at_least(row, VIRTUAL_SPEED_MIN)]


def campaign_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Treat simulated clients by the thousand."""
    tell("campaign of simulated treatments")
    speed = module("campaign")
    row = Figure(
        "simulated treatments, handpiece-seconds",
        speed["ours"],
        "s per s",
        "numpy Euler at 1 kHz",
        speed["ours"] / speed["euler"],
    )
    return [at_least(row, CAMPAIGN_SPEED_MIN)]
