"""What recording costs the control process in a treatment, and how fast waveforms are read.

A kernel that records and one that does not treat in turns; the beats of its loop are written down
as in `renewal.py`, in a treatment whose crystals flow. `python -m tests.benchmarks.recording read`
prints the speed of reading; with `--port` it is one of those kernels.
"""

import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from mcap.reader import make_reader

from controller.archive import export, waveforms
from controller.archive.recording import Recording
from controller.kernel import process
from controller.kernel.control import Control
from controller.record.waveform_feed import NOT_FED
from controller.record.waveform_samples import Records, Sample, sample_of
from controller.safety.exposure import ZoneUse
from controller.safety.reading import Reading
from controller.treatment.conduct import NOTHING
from controller.treatment.states import State
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.vocabulary import Input, Mode
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.processes import MeasurementError, module
from tests.benchmarks.service import Tell, _resident_mb
from tests.processes.service import kernel, unit

ROUNDS: Final = 3
MEASURED_S: Final = 8.0
ACTIVE_MAX_S: Final = 30.0
MEMORY_MAX_MB: Final = 2.0
LATENESS_SHARE_MAX: Final = 1.05
SPEED_MIN: Final = 200.0
READ_S: Final = 600
"""So many seconds of treatment are read; the cost of each is the same."""

VARIABLE: Final = "CORNEUM_BENCH_RECORDING"
"""Whether a kernel records, and the file for its beats: `on:FILE` or `off:FILE`."""


def recording_rows(_peers: Path, tell: Tell) -> list[Figure]:
    """Return what recording costs the kernel, side by side, and the speed of reading."""
    runs: dict[str, list[dict[str, float]]] = {"off": [], "on": []}
    for n in range(ROUNDS):
        for kind, found in runs.items():
            tell(f"recording {kind}, round {n + 1} of {ROUNDS}")
            found.append(_treated(kind))
    late = {kind: statistics.median(run["p50_ms"] for run in runs[kind]) for kind in runs}
    memory = {kind: statistics.median(run["memory_mb"] for run in runs[kind]) for kind in runs}
    tell("reading waveforms")
    speed = module("recording", "read")
    return [
        Figure("renewal lateness p50 in a treatment, not recorded", late["off"], "ms", "itself", 1),
        at_most(
            Figure("renewal lateness p50 in a treatment, recorded", late["on"], "ms",
                   "not recorded", late["on"] / late["off"]),
            LATENESS_SHARE_MAX, of_ratio=True,
        ),
        Figure("kernel memory in a treatment, not recorded", memory["off"], "MB"),
        at_most(
            Figure("kernel memory, more while recording", memory["on"] - memory["off"], "MB",
                   "not recorded", memory["on"] / memory["off"]),
            MEMORY_MAX_MB,
        ),
        at_least(
            Figure("waveforms, read into columns", speed["ours"], "times real time",
                   "messages of the mcap library alone", speed["ours"] / speed["library"]),
            SPEED_MIN,
        ),
        at_least(
            Figure("waveforms, read and exported as CSV", speed["csv"], "times real time",
                   "read into columns", speed["csv"] / speed["ours"]),
            SPEED_MIN,
        ),
    ]  # fmt: skip


def _treated(kind: str) -> dict[str, float]:
    """Treat for a while, and return lateness and memory of the kernel."""
    with tempfile.TemporaryDirectory(prefix="corneum-bench-") as name:
        folder = Path(name)
        beats = folder / "beats.json"
        os.environ[VARIABLE] = f"{kind}:{beats}"
        with (
            unit(folder, hand="average") as device,
            kernel(device, folder / "state", module="tests.benchmarks.recording") as host,
        ):
            host.ask("treat", program="refresh", client="demo")
            end_s = time.monotonic() + ACTIVE_MAX_S
            while host.state() != "active" and time.monotonic() < end_s:
                time.sleep(0.2)
            from_s = time.monotonic()
            time.sleep(MEASURED_S)
            to_s = time.monotonic()
            memory_mb = _resident_mb(host.pid)
            host.ask("stop")
        at_s = [each for each in json.loads(beats.read_text()) if from_s <= each <= to_s]
    if len(at_s) < MEASURED_S / SETPOINT_PERIOD_S / 2:
        raise MeasurementError("the treatment was not under way")
    since_ms = [math.remainder(each - at_s[0], SETPOINT_PERIOD_S) * 1e3 for each in at_s]
    earliest_ms = min(since_ms)  # when it was due, or a little later
    late_ms = [each - earliest_ms for each in since_ms]
    return {"p50_ms": statistics.median(late_ms), "memory_mb": memory_mb}


def _kernel() -> int:
    """Be a kernel that writes its beats down."""
    kind, _, path = os.environ[VARIABLE].partition(":")
    at_s: list[float] = []
    beat = Control._beat

    def probed(control: Control) -> None:
        at_s.append(time.monotonic())
        beat(control)

    setattr(Control, "_beat", probed)  # noqa: B010 - a method, which an assignment may not be
    if kind == "off":
        setattr(process, "WaveformFeed", lambda *_: NOT_FED)  # noqa: B010 - its own import of it
    try:
        return process.main(sys.argv[1:])
    finally:
        Path(path).write_text(json.dumps(at_s))


def _read() -> dict[str, float]:
    """Return how many times faster than real time a file is read."""
    with tempfile.TemporaryDirectory(prefix="corneum-bench-") as name:
        path = Path(name) / "treatment-000001.mcap"
        one = Recording(path, {"treatment": 1, "wall_s": 1.9e9, "mono_s": 0.0, "plan": {}})
        one.open()
        records = Records()
        for number in range(READ_S * 50):
            (sample,) = records.take(_record(number))
            one.take(cast("Sample", sample))
            if number % 12 == 0:
                one.flush()
        one.finish("ended")
        began_s = time.perf_counter()
        found = waveforms.read(path)
        ours_s = time.perf_counter() - began_s
        with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as table:
            export.write_csv(found, None, table, lambda _done, _of: None)
        csv_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        with path.open("rb") as stream:
            for _ in make_reader(stream).iter_messages(log_time_order=False):
                pass
        library_s = time.perf_counter() - began_s
    return {"ours": READ_S / ours_s, "csv": READ_S / csv_s, "library": READ_S / library_s}


def _record(number: int) -> bytes:
    at_s = number / 50
    inputs = Input.CONTACT | Input.MOTION | Input.SWITCH_CLOSED
    use = ZoneUse(at_s / 1e3, at_s / 1e2, at_s, at_s / 50, at_s * 20)
    conduct: Any = SimpleNamespace(
        state=State.ACTIVE, course=SimpleNamespace(under_tip=(0, use)), sent=NOTHING
    )
    reading = Reading(
        at_s, number, Mode.ACTIVE, inputs=inputs, valve_percent=30.0 + math.sin(at_s),
        suction_kpa=20.0 + math.sin(at_s * 3), suction_b_kpa=20.1 + math.sin(at_s * 2),
        flow_g_per_min=1.5 + 0.1 * math.sin(at_s * 5),
    )  # fmt: skip
    return sample_of(number, 1, reading, conduct)


if __name__ == "__main__":
    if sys.argv[1:] == ["read"]:
        sys.stdout.write(json.dumps(_read()) + "\n")
    else:
        sys.exit(_kernel())
