"""Starts the processes of a measurement and reads what they print."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
RUN_MAX_S: Final = 120.0  # one run of one subject takes a few seconds on a slow machine
CLOSE_MAX_S: Final = 5.0


class MeasurementError(RuntimeError):
    """A subject failed, or printed no figures."""


def figures_of(*words: str, top: Path = ROOT) -> dict[str, float]:
    """Run a command in ``top`` to its end and return the JSON object of its last line."""
    try:
        done = subprocess.run(
            words, cwd=top, capture_output=True, text=True, timeout=RUN_MAX_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{words[-3:]} did not end in {RUN_MAX_S:g} s") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        why = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise MeasurementError(f"{' '.join(words[1:])}: {why}")
    figures: dict[str, float] = json.loads(lines[-1])
    return figures


def commands(name: str) -> str:
    """Return the path of one of our commands in this environment."""
    return str(Path(sys.executable).with_name(name))


def module(name: str, *words: str, top: Path = ROOT) -> dict[str, float]:
    """Run a module of the benchmarks of the checkout in ``top``, in this environment."""
    return figures_of(sys.executable, "-m", f"tests.benchmarks.{name}", *words, top=top)


@contextmanager
def running(*words: str) -> Iterator[str]:
    """Keep a process while the block runs; yields the first line that it printed."""
    process = subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise MeasurementError(f"{' '.join(words)} said nothing")
        yield line.strip()
    finally:
        process.terminate()
        try:
            process.communicate(timeout=CLOSE_MAX_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
