"""A screen whose kernel sends nothing marks what it shows as old, long before it gives it up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from controller.api.ask import KernelAbsentError
from controller.api.client import KernelClient, WatchLine
from controller.cli import footer
from controller.cli.attached import OLD_MIN_S, QUIET_MAX_S, STOOD_MIN_S, TICK_S, Attached
from controller.cli.screen import Screen
from qa.loop import run_virtual
from tests.controller.cli.views import ACTIVE
from tests.controller.device.clients import stand_still

OLD = "OLD: the kernel has sent nothing for 1 s"


class Kernel:
    """Sends a snapshot every tenth of a second until it falls quiet."""

    def __init__(self) -> None:
        self.quiet = asyncio.Event()

    async def watch(self) -> AsyncIterator[WatchLine]:
        while True:
            yield WatchLine(1, leads=False, snapshot=ACTIVE.as_dict())
            await asyncio.sleep(0.1)
            if self.quiet.is_set():
                await asyncio.sleep(QUIET_MAX_S)

    async def ask(self, do: str, args: object, timeout_s: float) -> dict[str, object]:
        """Answer nothing beside the watch."""
        raise KernelAbsentError(f"{do} is not answered within {timeout_s:g} s")

    def seen(self, number: int) -> None:
        """Take a confirmation."""


async def followed(seconds: float, *, quiet: bool, stood_s: float = 0.0) -> None:
    """Follow a kernel for a second, and then for ``seconds`` of which it may be quiet."""
    kernel = Kernel()
    screen = Screen(as_json=False, footer=footer.of_treatment)
    attached = Attached(Path("none"), cast("KernelClient", kernel), screen)
    tasks = [
        asyncio.create_task(attached.follow(lambda _shown: False), name="follow"),
        asyncio.create_task(attached._tick(), name="tick"),
    ]
    await asyncio.sleep(1.0)
    if quiet:
        kernel.quiet.set()
    stand_still(stood_s)
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def test_what_is_shown_is_called_old_once_the_kernel_has_sent_nothing_for_a_second(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_virtual(followed(OLD_MIN_S - 0.1, quiet=True))
    assert OLD not in capsys.readouterr().out
    run_virtual(followed(OLD_MIN_S + 2 * TICK_S, quiet=True))
    assert capsys.readouterr().out.count(OLD) == 1


def test_a_kernel_that_goes_on_sending_is_never_called_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_virtual(followed(QUIET_MAX_S, quiet=False))
    assert "OLD" not in capsys.readouterr().out


def test_a_screen_that_stood_still_itself_blames_no_kernel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_virtual(followed(2 * TICK_S, quiet=False, stood_s=STOOD_MIN_S + 0.5))
    assert "OLD" not in capsys.readouterr().out
