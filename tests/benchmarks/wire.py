"""Rows of the wire: exchange over a pty, its CPU time, and the codec, each beside its peers."""

import statistics
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import MISSING, Figure, at_least, at_most
from tests.benchmarks.processes import figures_of, module, running

EXCHANGES: Final = 2200
ROUNDS: Final = 7
CODEC_OVER_CHECKED_MAX: Final = 1.2
"""Over a floor that makes and checks the message as well. It was 1.5 of struct, CRC and COBS alone,
which this floor itself is 1.8 times of: in one function, without a choice by type, CPython 3.11."""
PYMAVLINK_MIN: Final = 4.0
"""It was 8, which is struct, CRC and COBS alone: no message, no range and no name of a field."""
FAST_RAW_US: Final = 20.0  # the raw loop's fast mode: both ends happen to share a core

SUBJECTS: Final = {
    "raw": "raw",
    "asyncio-bare": "raw",
    "uvloop-bare": "raw",
    "uvloop-lease": "lease",
    "uvloop-oneshot": "oneshot",
}
"""Each near end with the kind of far end that answers it."""

Rounds = dict[str, list[dict[str, float]]]


def exchange_rows(peers: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Measure every near end in turn, round by round."""
    python = peers / "bin" / "python"
    rounds: Rounds = {name: [] for name in (*SUBJECTS, "pymodbus")}
    for n in range(ROUNDS):
        tell(f"exchange, round {n + 1} of {ROUNDS}")
        for subject, kind in SUBJECTS.items():
            with _far_end(kind) as path:
                rounds[subject].append(module("exchange", subject, path, str(EXCHANGES)))
        if python.exists():
            script = "tests/benchmarks/peers/modbus.py"
            with _far_end("modbus") as path:
                figures = figures_of(str(python.absolute()), script, path, str(EXCHANGES))
                rounds["pymodbus"].append(figures)
    return _latency_rows(rounds) + _cpu_rows(rounds)


def _far_end(kind: str) -> AbstractContextManager[str]:
    return running(sys.executable, "-m", "tests.benchmarks.responder", kind, str(EXCHANGES))


def _latency_rows(rounds: Rounds) -> list[Figure]:
    raw_us = _median(rounds, "raw", "p50_us")
    goal = 0.5 if raw_us <= FAST_RAW_US else 0.7
    rows = [
        Figure("exchange p50, raw read and write", raw_us, "us", "itself", 1.0),
        _beside_raw(rounds, "exchange p50, bare asyncio with codec", "asyncio-bare"),
        _beside_raw(rounds, "exchange p50, bare uvloop with codec", "uvloop-bare"),
        at_least(
            _beside_raw(rounds, "exchange p50, lease renewal to telemetry", "uvloop-lease"),
            goal, of_ratio=True,
        ),
        at_least(
            _beside_raw(rounds, "exchange p50, one-shot to answer", "uvloop-oneshot"),
            goal, of_ratio=True,
        ),
    ]  # fmt: skip
    if not rounds["pymodbus"]:
        return [*rows, Figure("exchange p50, pymodbus async", None, "us", MISSING)]
    faster = _ratio(rounds, "pymodbus", "uvloop-lease", "p50_us")
    ours_us = _median(rounds, "uvloop-lease", "p50_us")
    return [
        *rows,
        _beside_raw(rounds, "exchange p50, pymodbus async", "pymodbus"),
        at_least(
            Figure("exchange, ours faster than pymodbus", ours_us, "us", "pymodbus", faster),
            1.8, of_ratio=True,
        ),
    ]  # fmt: skip


def _cpu_rows(rounds: Rounds) -> list[Figure]:
    raw_us = _median(rounds, "raw", "cpu_us")
    ours_us = _median(rounds, "uvloop-lease", "cpu_us")
    beside_raw = _ratio(rounds, "uvloop-lease", "raw", "cpu_us")
    bare = _ratio(rounds, "asyncio-bare", "raw", "cpu_us")
    rows = [
        Figure("host CPU per exchange, raw", raw_us, "us", "itself", 1.0),
        Figure(
            "host CPU per exchange, bare asyncio",
            _median(rounds, "asyncio-bare", "cpu_us"), "us", "raw", bare,
        ),
        at_most(
            Figure("host CPU per exchange, ours", ours_us, "us", "raw", beside_raw),
            2.5, of_ratio=True,
        ),
    ]  # fmt: skip
    if not rounds["pymodbus"]:
        return [*rows, Figure("host CPU per exchange, pymodbus", None, "us", MISSING)]
    share = _ratio(rounds, "uvloop-lease", "pymodbus", "cpu_us")
    return [
        *rows,
        Figure(
            "host CPU per exchange, pymodbus",
            _median(rounds, "pymodbus", "cpu_us"), "us", "raw",
            _ratio(rounds, "pymodbus", "raw", "cpu_us"),
        ),
        at_most(
            Figure("host CPU, ours of pymodbus", ours_us, "us", "pymodbus", share),
            1 / 2.5, of_ratio=True,
        ),
    ]  # fmt: skip


def _median(rounds: Rounds, subject: str, key: str) -> float:
    return statistics.median(run[key] for run in rounds[subject])


def _ratio(rounds: Rounds, above: str, below: str, key: str) -> float:
    """The median of the ratios of each round, so that a slow moment hits both alike."""
    pairs = zip(rounds[above], rounds[below], strict=True)
    return statistics.median(a[key] / b[key] for a, b in pairs)


def _beside_raw(rounds: Rounds, name: str, subject: str) -> Figure:
    ratio = _ratio(rounds, "raw", subject, "p50_us")
    return Figure(name, _median(rounds, subject, "p50_us"), "us", "raw over it", ratio)


def codec_rows(peers: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Measure the codec beside its floor, and the peers' codecs after it, in turns."""
    python = peers / "bin" / "python"
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for n in range(3):
        tell(f"codec, round {n + 1} of 3")
        ours.append(module("codec"))
        if python.exists():
            theirs.append(figures_of(str(python.absolute()), "tests/benchmarks/peers/codec.py"))
    ours_us = statistics.median(run["ours_us"] for run in ours)
    floor_us = statistics.median(run["floor_us"] for run in ours)
    checked_us = statistics.median(run["checked_us"] for run in ours)
    bare = statistics.median(run["ratio"] for run in ours)
    checked = statistics.median(run["ratio_checked"] for run in ours)
    rows = [
        Figure("SETPOINT both ways, struct, CRC and COBS alone", floor_us, "us", "itself", 1.0),
        Figure("SETPOINT both ways, ours", ours_us, "us", "struct, CRC and COBS", bare),
        Figure("SETPOINT made and checked both ways", checked_us, "us", "itself", 1.0),
        at_most(
            Figure("SETPOINT both ways, ours", ours_us, "us", "made and checked", checked),
            CODEC_OVER_CHECKED_MAX, of_ratio=True,
        ),
    ]  # fmt: skip
    if not theirs:
        return [*rows, Figure("message both ways, pymavlink and bellows", None, "us", MISSING)]
    mavlink_us = statistics.median(run["pymavlink_us"] for run in theirs)
    bellows_us = statistics.median(run["bellows_us"] for run in theirs)
    return [
        *rows,
        Figure("message both ways, bellows ASH", bellows_us, "us", "ours", bellows_us / ours_us),
        at_least(
            Figure(
                "message both ways, pymavlink", mavlink_us, "us", "ours", mavlink_us / ours_us
            ),
            PYMAVLINK_MIN, of_ratio=True,
        ),
    ]  # fmt: skip
