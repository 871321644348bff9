"""One treatment in real time: a simulated unit, a kernel and the command, each its own process.

The unit's hand presses and strokes by itself, so that a treatment which does not end ordinarily was
ended by the computer: by a process that was not run in time, or by a line that was late for it.
"""

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from controller.api.ask import KernelAbsentError, ask, dial

PROGRAM: Final = "patch-test"
"""The shortest that ships: one zone of 3 s, 10 s in all."""
CLIENT: Final = "demo"
READY_MAX_S: Final = 30.0
"""Half a second is usual; beside a dozen busy processes it has been seen to take 8."""
TREAT_MAX_S: Final = 180.0
"""Ten seconds are usual, and each wait inside is bounded; whoever hangs shall be told of."""
END_MAX_S: Final = 10.0
ASK_MAX_S: Final = 5.0
JITTER_CODE: Final = "C16"
JITTER: Final = "refused: this computer does not keep time"
ORDINARY: Final = "ordinary"
NOT_RUN: Final = "not run: "
"""How an end begins that says nothing of the treatment: a process that did not even start."""
LINE_MAX: Final = 65_536

Result = dict[str, Any]


class Job(NamedTuple):
    """Which treatment; the seed moves the hand."""

    seed: int
    number: int
    tcp: bool = False
    """Over a socket of this computer in place of a pty."""


class RunError(Exception):
    """A process did not get ready or did not end; says which, and what was heard of it."""


def treat(job: Job) -> Result:
    """Run one treatment to its end and return how it ended, with the figures of its processes."""
    folder = Path(tempfile.mkdtemp(prefix="corneum-rt-"))
    began_s = time.monotonic()
    try:
        result = _treat(job, folder)
    except RunError as error:
        result = {"end": f"{NOT_RUN}{error}", "codes": []}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {**result, "number": job.number, "took_s": round(time.monotonic() - began_s, 1)}


def _treat(job: Job, folder: Path) -> Result:
    line = ["--tcp", "127.0.0.1:0"] if job.tcp else ["--pty", str(folder / "port")]
    unit = [
        _command("corneum-sim"), "serve", *line, "--events", str(folder / "events"),
        "--seed", str(job.seed * 1_000_000 + job.number), "--while-stdin", "--json",
    ]  # fmt: skip
    state = folder / "state"
    with _serving(unit) as served:
        at = ["--port", str(served["port"])]
        begin = [sys.executable, "-m", "controller.kernel", *at, "--state", str(state), "--once"]
        with _serving(begin) as ready:
            socket = Path(str(ready["socket"]))
            # It stays while this line is open, and ends by itself when a campaign is killed.
            with contextlib.closing(dial(socket, ASK_MAX_S)):
                asked = ["treat", PROGRAM, "--client", CLIENT, *at, "--json"]
                said = _told([_command("corneum"), *asked], state)
                timing = _timing(socket)
    granted = ready.get("precedence") or {}
    return {
        "end": _end(said),
        "codes": [alarm["code"] for alarm in said.get("alarms", ())],
        "scheduling": granted.get("scheduling"),
        "unit_lagged_ms": _lagged_ms(folder / "events"),
        **timing,
    }


def _end(said: dict[str, Any]) -> str:
    """Return how it ended in words: ordinary, refused for jitter, or by what else."""
    outcome = said.get("outcome")
    if outcome == "completed":
        return ORDINARY
    if JITTER_CODE in [alarm["code"] for alarm in said.get("alarms", ())]:
        return JITTER
    error = said.get("error") or {}
    why = said.get("message") or error.get("sentence") or "it did not say why"
    return f"{outcome}: {why}"


def _timing(socket: Path) -> Result:
    """Return how late the kernel's loop was at most; None where it does not answer any more."""
    try:
        kernel = ask(socket, "status", {}, timeout_s=ASK_MAX_S)["result"]["kernel"]
    except (KernelAbsentError, KeyError, TypeError):
        kernel = {}
    return {name: kernel.get(name) for name in ("late_max_ms", "beats_missed")}


def _lagged_ms(events: Path) -> float | None:
    """Return for how long the unit's process stood still and its clock with it."""
    with contextlib.suppress(OSError, ValueError):
        clocks = [
            event for event in map(json.loads, events.read_text().splitlines())
            if event["kind"] == "clock"
        ]  # fmt: skip
        return round(clocks[-1]["lagged_s"] * 1000, 1) if clocks else None
    return None


def _told(words: Sequence[str], state: Path) -> dict[str, Any]:
    """Run a command to its end and return the JSON object that it printed."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            words, env={**os.environ, "CORNEUM_STATE": str(state)}, capture_output=True, text=True,
            timeout=TREAT_MAX_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RunError(f"`corneum treat` did not end in {TREAT_MAX_S:g} s") from None
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise RunError(f"`corneum treat` ended with {done.returncode} and said: {last}") from None
    return said


@contextlib.contextmanager
def _serving(words: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Keep a process while the block runs, once it has said that it is ready."""
    process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            yield _ready(process)
        finally:
            process.terminate()
            try:
                process.wait(END_MAX_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    stream: IO[bytes] | None = process.stdout
    said: dict[str, Any] = {}
    with selectors.DefaultSelector() as selector:
        if stream is not None and selector.register(stream, selectors.EVENT_READ):
            if not selector.select(READY_MAX_S):
                raise RunError(f"a process was not ready in {READY_MAX_S:g} s: {process.args!r}")
            with contextlib.suppress(ValueError):
                said = json.loads(stream.readline(LINE_MAX))
    if said.get("ready") is not True:
        raise RunError(f"a process did not get ready: {said.get('error', process.args)}")
    return said


def _command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
