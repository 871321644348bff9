"""One kill at a random moment: of the worker, of the whole recorder, of the kernel, or of all."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.archive import waveforms
from controller.archive.recovery import NotRecoveredError, recover
from controller.archive.salvage import salvage
from controller.archive.waveforms import NotWaveformsError, Waveforms
from controller.record.waveform_process import file_name
from qa.campaigns.waveforms.pour import PERIOD_S, TREATMENT

WORKER: Final = "worker"
RECORDER: Final = "recorder"
KERNEL: Final = "kernel"
ALL: Final = "all"
VICTIMS: Final = (WORKER, RECORDER, KERNEL, ALL)
"""Who is killed, one after the other over the shots."""

POUR_S: Final = 2.5
KILL_FROM_S: Final = 0.2
KILL_TO_S: Final = 2.3
LOSS_MAX_S: Final = 1.0
END_MAX_S: Final = 40.0
LOOK_S: Final = 0.05
TRIES_MAX: Final = 40

Result = dict[str, Any]


class Shot(NamedTuple):
    """Which kill; everything about it follows from the two numbers."""

    seed: int
    number: int

    @property
    def victim(self) -> str:
        """Who is killed."""
        return VICTIMS[self.number % len(VICTIMS)]

    @property
    def after_s(self) -> float:
        """When, after the first sample."""
        draw = random.Random(f"{self.seed} {self.number}")  # noqa: S311 - a campaign must repeat
        return draw.uniform(KILL_FROM_S, KILL_TO_S)


def fire(shot: Shot) -> Result:
    """Kill, and return what it cost: seconds that are lost, and what is wrong, if anything is."""
    folder = Path(tempfile.mkdtemp(prefix="corneum-wave-"))
    try:
        lost_s, wrong = _fire(shot, folder)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        lost_s, wrong = None, f"not run: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"victim": shot.victim, "lost_s": lost_s, "wrong": wrong}


def _fire(shot: Shot, folder: Path) -> tuple[float | None, str]:
    call = [sys.executable, "-m", "qa.campaigns.waveforms.pour", str(folder), str(POUR_S)]
    path = folder / file_name(TREATMENT)
    with subprocess.Popen(call, stdout=subprocess.PIPE, start_new_session=True) as pouring:  # noqa: S603
        try:
            if pouring.stdout is None:
                raise OSError("it has no output")
            begun = json.loads(pouring.stdout.readline())
            with contextlib.suppress(subprocess.TimeoutExpired):
                pouring.wait(shot.after_s)
            killed_wall_s = _kill(shot.victim, pouring.pid, int(begun["recorder"]))
            said = pouring.stdout.readline()
            pouring.wait(END_MAX_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pouring.pid, signal.SIGKILL)
    if shot.victim in {WORKER, RECORDER}:
        return _of_samples(waveforms.read(path), json.loads(said))
    if shot.victim == ALL:
        if not salvage(path).messages:  # its first turn had not come
            return _judged(shot.after_s)
        return _of_time(_recovered(path), killed_wall_s)
    return _of_time(_finished(path), killed_wall_s)


def _kill(victim: str, kernel: int, recorder: int) -> float:
    """Kill, and return when, on the wall clock."""
    if victim == WORKER:
        children = Path(f"/proc/{recorder}/task/{recorder}/children").read_text()
        for pid in map(int, children.split()):
            os.kill(pid, signal.SIGKILL)
    if victim in {KERNEL, ALL}:
        os.kill(kernel, signal.SIGKILL)
    if victim in {RECORDER, ALL}:
        os.killpg(recorder, signal.SIGKILL)
    return time.time()


def _recovered(path: Path) -> Waveforms:
    """Return what was recovered; ValueError where nothing could be."""
    rest, why = threading.Event(), ""
    for _ in range(TRIES_MAX):  # a killed process holds its lock until the system has ended it
        try:
            recover(path)
            return waveforms.read(path)
        except (NotRecoveredError, NotWaveformsError) as error:
            why = str(error)
        rest.wait(LOOK_S)
    raise ValueError(why)


def _finished(path: Path) -> Waveforms:
    """Return the file that the recorder finishes by itself."""
    rest = threading.Event()
    for _ in range(int(END_MAX_S / LOOK_S)):
        with contextlib.suppress(NotWaveformsError):
            found = waveforms.read(path)
            if found.finished:
                return found
        rest.wait(LOOK_S)
    raise ValueError("the recorder did not finish its file after its kernel was killed")


def _of_samples(found: Waveforms, said: dict[str, Any]) -> tuple[float, str]:
    """Return what is lost by the numbers: each that is missing must be told by a gap."""
    there = len(found.columns["/suction"].log_time_ns)
    missing = int(said["samples"]) - there
    told = sum(gap.lost_samples for gap in found.gaps)
    lost_s = round(missing * PERIOD_S, 3)
    if not found.whole:
        return lost_s, "the file is not whole"
    if told != missing:
        return lost_s, f"{missing} samples are missing, and gaps tell of {told}"
    return _judged(lost_s)


def _of_time(found: Waveforms, killed_wall_s: float) -> tuple[float, str]:
    """Return what is lost by the clock: from the last reading to the kill."""
    times = found.columns["/suction"].log_time_ns
    if not found.whole or not times:
        return POUR_S, "the file is not whole"
    return _judged(max(0.0, killed_wall_s - times[-1] / 1e9))


def _judged(lost_s: float) -> tuple[float, str]:
    """Return a loss, and that it is too large where it is."""
    said_s = round(lost_s, 3)
    return said_s, "" if lost_s <= LOSS_MAX_S else f"{said_s} s are lost"
