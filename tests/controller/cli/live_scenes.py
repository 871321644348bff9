"""What befalls a screen on an acting kernel, and the sentences that belong to it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.api.snapshot import Snapshot
from controller.cli import attached
from controller.cli.output import LostError
from controller.cli.screen import Screen
from tests.controller.cli.acting_kernel import ActingKernel
from tests.controller.cli.views import on

GONE = (
    "The kernel cannot be reached any more ({}). A unit that hears no kernel shuts its valve by "
    "itself within 250 ms. Look at the unit, then `corneum status`.\n"
)
UNSEEN = (
    "Standard output cannot be written: No space left on device. The treatment is {}; `corneum "
    "watch` at the unit shows it, `corneum stop` ends it.\n"
)


def be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show every snapshot, and wait for nobody."""
    monkeypatch.setattr(attached, "SHOW_PERIOD_S", 0.0)
    monkeypatch.setattr(attached, "HANG_UP_MAX_S", 0.0)
    monkeypatch.setattr(attached, "ANSWER_MAX_S", 0.5)


def ctrl_c(_number: int = 0) -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def ctrl_c_at(wanted: int) -> Callable[[int], None]:
    """Press it when this snapshot was shown."""

    def seen(number: int) -> None:
        if number == wanted:
            ctrl_c()

    return seen


def treats(state: Path, kernel: ActingKernel, *shown: Snapshot) -> None:
    """Let a kernel treat."""
    kernel.answers["status"] = on(state).as_dict()
    kernel.answers["treat"] = {"treatment": 7}
    kernel.shows, kernel.leads = list(shown), True


def ends(kernel: ActingKernel) -> None:
    """Let a kernel end as soon as it has shown everything."""

    def gone(number: int) -> None:
        if number == len(kernel.shows):
            kernel.hangs_up_at.add("watch")
            kernel.hang_up()

    kernel.when_seen = gone


def lost_after(monkeypatch: pytest.MonkeyPatch, shown: int, error: int) -> None:
    """Let the output be lost when ``shown`` snapshots were shown."""
    count = 0
    show = Screen.show

    def breaks(screen: Screen, snapshot: Snapshot) -> None:
        nonlocal count
        count += 1
        if count > shown:
            raise LostError(1, OSError(error, os.strerror(error)))
        show(screen, snapshot)

    monkeypatch.setattr(Screen, "show", breaks)
