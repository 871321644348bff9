"""Starting the other processes: a simulated handpiece and the kernel, each by its own command.

Both run in a session of their own and hold nothing of the terminal and the pipes of this process:
Ctrl-C and a hang-up reach only this process, which then asks for an orderly stop, and a pipe that
this process writes into ends with it. What they complain of goes to a log in the state's run
folder. The simulator lives as long as anybody holds the write end of a pipe: this process and
the kernel that it started. When both are gone, so is the simulator.
"""

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from controller.cli.outcome import ExitCode, Failure, exit_code_of
from controller.config.paths import run_dir, state_dir

READY_MAX_S: Final = 15.0
"""How long a process may take until it says that it is ready; about 1 s is usual."""
READY_LINE_MAX: Final = 65_536
END_MAX_S: Final = 15.0
"""For a process that was told to end. A kernel takes 4.5 s for purge and vent, 2 s to hang up on
its clients, 0.5 s for a last look at the unit and 3 s for its record; one that is killed before
that loses rows."""
LEAVE_MAX_S: Final = 1.0
"""A kernel for one treatment ends within 0.2 s after its last client; one that stays is left."""

OLD: Final = ".old"
"""Ending of the log of the start before: two of them, each bounded by its process, are kept."""


@dataclass(slots=True)
class Started:
    """A process that said it is ready, with what it said."""

    process: subprocess.Popen[bytes]
    said: dict[str, Any]

    def leave(self) -> None:
        """Let it end by itself, which it does when nobody needs it; it stays for a latched trip."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVE_MAX_S)

    def end(self) -> None:
        """Ask it to end, and insist after ``END_MAX_S``."""
        self.process.terminate()
        try:
            self.process.wait(END_MAX_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def simulator(*, hand: str | None, seed: int | None, keep_fd: list[int]) -> Iterator[str]:
    """Start a simulated handpiece on a pty and give its port; None is the average hand, and seed 1.

    ``keep_fd`` receives the descriptor that the kernel has to inherit for the simulator to live on.
    """
    command = _simulator_command()
    folder = Path(tempfile.mkdtemp(prefix="corneum-"))
    read_end, write_end = os.pipe()
    keep_fd.append(write_end)
    link = folder / "handpiece"
    arguments = [
        *command, "serve", "--pty", str(link), "--hand", hand or "average",
        "--seed", str(1 if seed is None else seed), "--while-stdin", "--json",
    ]  # fmt: skip
    try:
        started = _start(arguments, "the simulator", stdin=read_end)
    finally:
        os.close(read_end)
    try:
        yield str(started.said.get("port", link))
    finally:
        started.end()
        os.close(write_end)
        keep_fd.remove(write_end)
        shutil.rmtree(folder, ignore_errors=True)


def kernel(arguments: Sequence[str], keep_fds: Sequence[int] = ()) -> Started:
    """Start a kernel and wait until it is ready; Failure with its own sentence otherwise."""
    command = [sys.executable, "-m", "controller.kernel", *arguments]
    return _start(command, "the kernel", pass_fds=keep_fds)


def socket_of(kernel: Started) -> Path:
    """Return the socket of a kernel that is ready."""
    return Path(str(kernel.said["socket"]))


def _simulator_command() -> list[str]:
    beside = Path(sys.executable).with_name("corneum-sim")
    found = str(beside) if beside.exists() else shutil.which("corneum-sim")
    if found is None:
        raise Failure(
            "The command corneum-sim was not found, so there is no handpiece to simulate.",
            "Install the project with `make venv`, or name a real port with --port.",
        )
    return [found]


def _start(
    command: Sequence[str],
    name: str,
    *,
    stdin: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> Started:
    log = run_dir(state_dir()) / f"{name.rpartition(' ')[2]}.log"
    with _opened(log) as complaints:
        process = subprocess.Popen(  # noqa: S603  our own commands, no shell
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    started = Started(process, {})
    try:
        said = _first_line(process, name)
        if said.get("ready") is not True:
            raise failure_of(said.get("error"), name, log)
    except BaseException:
        started.end()
        if process.stdout is not None:
            process.stdout.close()
        raise
    started.said = said
    return started


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[IO[bytes] | int]:
    """Give a fresh log; without a place for one, what is complained of is lost."""
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(OLD))
        opened = log.open("wb")
    except OSError:  # the process itself says what is wrong with the folder
        yield subprocess.DEVNULL
        return
    with opened:
        yield opened


def failure_of(error: object, name: str, log: Path | None = None) -> Failure:
    """Return the failure that another process reported, with its exit code."""
    if not isinstance(error, dict):
        words = f"{name} ended before it was ready.".capitalize()
        return Failure(words, f"What it complained of is in {log}." if log else "", ExitCode.PORT)
    code = str(error.get("code", ""))
    exit_code = exit_code_of(code)
    return Failure(
        str(error.get("sentence", f"{name} refused")),
        str(error.get("next_step", "")),
        exit_code,
        code,
    )


def _first_line(process: subprocess.Popen[bytes], name: str) -> dict[str, Any]:
    stream = process.stdout
    if stream is None:
        return {}
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(READY_MAX_S):
            raise Failure(f"{name} was not ready after {READY_MAX_S:.0f} s.", code=ExitCode.PORT)
    line = stream.readline(READY_LINE_MAX)
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
