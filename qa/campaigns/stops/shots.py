"""Shots: a treatment is brought to where crystals flow, and `corneum stop` is run, again and again.

Some lanes prepare side by side; at any moment at most one command runs, which is what is measured.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final, TypedDict

from qa.campaigns.stops.lane import Lane, LaneError, Scale, kernel, lane
from qa.plugin.served import NotServedError, served
from qa.plugin.story import Setting
from simulator.plant.steps import SAMPLE_S

_ROOT_UID: Final = 0
NOBODY_UID: Final = 65_534
COMMAND_MAX_S: Final = 30.0
SEEN_MAX_S: Final = 5.0
LANES: Final = 4
ANEW_MAX: Final = 200
"""How often lanes may be made anew in one campaign; a busy computer trips now and then."""

TROUBLES: Final = (LaneError, NotServedError, OSError, ValueError)


class Shot(TypedDict):
    """One stop and what it took."""

    code: int
    account: str
    """``other``: of another account, without home and state folder; ``own``."""
    kind: str
    flowing: bool
    from_send_ms: float | None
    from_start_ms: float | None
    """To the device's own event, plus one of its ticks: it cannot have had the STOP later."""


@dataclass(slots=True)
class Gallery:
    """What the lanes of one campaign share."""

    folder: Path
    seed: int
    scale: Scale
    numbers: "SimpleQueue[int]"
    other_account: bool
    over: threading.Event = field(default_factory=threading.Event)
    """Set when somebody has ended the campaign: each lane ends where it is."""
    firing: threading.Lock = field(default_factory=threading.Lock)
    anew: int = 0
    """Lanes that were made anew because a treatment did not come to flow."""


def shoot(
    numbers: Iterable[int], seed: int, scale: Scale, take: Callable[[int, Shot], None], lanes: int
) -> tuple[int, bool]:
    """Take the shots of these numbers.

    Returns how many lanes were made anew, and whether another account could be tried.
    """
    queue: SimpleQueue[int] = SimpleQueue()
    for number in numbers:
        queue.put(number)
    other = os.getuid() == _ROOT_UID
    with TemporaryDirectory(prefix="corneum-stop-") as folder:
        gallery = Gallery(Path(folder), seed, scale, queue, other)
        with frozen(gallery), ThreadPoolExecutor(lanes) as pool:
            try:
                for done in [pool.submit(_lane, gallery, at, take) for at in range(lanes)]:
                    done.result()
            except BaseException:
                gallery.over.set()
                raise
    return gallery.anew, other


@contextmanager
def frozen(gallery: Gallery) -> Iterator[None]:
    """Keep a second kernel, on a port of its own, that stands still."""
    with ExitStack() as stack:
        events = gallery.folder / "frozen.jsonl"
        unit = stack.enter_context(served(events, Setting(gallery.seed, hand="absent")))
        said = stack.enter_context(kernel(unit.port, gallery.folder / "frozen", gallery.over))
        os.kill(int(said["pid"]), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(int(said["pid"]), signal.SIGCONT)


def as_another(*words: str) -> list[str]:
    """Return the command line of `corneum` that gives up its account before it runs.

    What it needs is read first, for an interpreter may lie where the other account may not read.
    """
    script = (
        "import os, signal, sys, controller.cli.main, controller.cli.boundary\n"
        "import controller.cli.stop, controller.cli.stop_older\n"
        f"os.setgroups([]); os.setgid({NOBODY_UID}); os.setuid({NOBODY_UID})\n"
        "controller.cli.main.main()"
    )
    return [sys.executable, "-c", script, *words]


def _lane(gallery: Gallery, at: int, take: Callable[[int, Shot], None]) -> None:
    folder = gallery.folder / f"lane-{at}"
    while not (gallery.over.is_set() or gallery.numbers.empty()):
        number = None
        try:
            with lane(folder, gallery.seed + at, gallery.scale, gallery.over) as made:
                while (number := _next(gallery.numbers)) is not None:
                    made.treat()
                    shot = _fire(gallery, made, number)
                    take(number, shot)
                    number = None
                    made.settle()
        except TROUBLES as error:
            if gallery.over.is_set():
                return
            if number is not None:  # it was not fired, or not measured: it is fired anew
                gallery.numbers.put(number)
            gallery.anew += 1
            sys.stderr.write(f"a lane is made anew: {error}\n")
            if gallery.anew > ANEW_MAX:
                raise


def _next(numbers: "SimpleQueue[int]") -> int | None:
    try:
        return numbers.get_nowait()
    except Empty:
        return None


def _fire(gallery: Gallery, made: Lane, number: int) -> Shot:
    other = gallery.other_account and number % 2 == 0
    emergency = number % 4 < 2  # noqa: PLR2004 - both kinds from both accounts
    words = ["stop", "--port", made.unit.port, "--json"]
    words += ["--emergency"] if emergency else []
    call = as_another(*words) if other else [_command(), *words]
    environment = bare() if other else os.environ | {"CORNEUM_STATE": str(made.state)}
    since_s = made.device_s
    with gallery.firing:
        began_s = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own command; Ctrl-C is not meant for it
            call,
            capture_output=True,
            timeout=COMMAND_MAX_S,
            check=False,
            env=environment,
            start_new_session=True,
        )
    end_s = time.monotonic() + SEEN_MAX_S
    while (seen := made.stopped_s(since_s)) is None and time.monotonic() < end_s:
        made.hand("lift")  # looks again after a round trip to the device
    sent_s = json.loads(done.stdout)["sent_s"] if done.stdout else None
    kind = "emergency" if emergency else "normal"
    return Shot(
        code=done.returncode,
        account="other" if other else "own",
        kind=kind,
        flowing=seen is not None and seen[1],
        from_send_ms=_ms(sent_s, seen),
        from_start_ms=_ms(began_s, seen),
    )


def _ms(since_s: float | None, seen: tuple[float, bool] | None) -> float | None:
    if since_s is None or seen is None:
        return None
    return round((seen[0] + SAMPLE_S - since_s) * 1000, 2)


def _command() -> str:
    return str(Path(sys.executable).with_name("corneum"))


def bare() -> dict[str, str]:
    """Return an environment that names no home and no state folder."""
    kept = ("PATH", "PYTHONPATH", "LANG")
    return {name: os.environ[name] for name in kept if name in os.environ}
