"""`corneum watch`: the live view of whatever runs, with p to pause and to go on."""

import asyncio
from pathlib import Path
from typing import Final

from controller.api.ask import KernelAbsentError
from controller.api.interrupts import unwind
from controller.api.snapshot import Snapshot
from controller.api.viewer import SILENT_MAX_S
from controller.cli import footer
from controller.cli.attached import Attached, GoneError, UnseenError
from controller.cli.outcome import ExitCode
from controller.cli.output import complain
from controller.cli.screen import Screen
from controller.cli.session import running
from controller.cli.treat import kernel_gone, unseen_words

LEFT: Final = (
    f"This screen led the treatment: without one it pauses within {SILENT_MAX_S:.0f} s. `corneum "
    "watch` at the unit goes on with it, `corneum stop` ends it."
)


def run(port: str | None, *, as_json: bool) -> ExitCode:
    """Show what runs until Ctrl-C, or until its kernel has ended."""
    address = running(port)
    unwind()
    screen = Screen(as_json=as_json, footer=footer.of_view, stream_data=as_json)
    return asyncio.run(_watch(address.socket, screen))


async def _watch(socket: Path, screen: Screen) -> ExitCode:
    try:
        async with Attached.open(socket, screen) as attached:
            return await _show(attached)
    except UnseenError as unseen:
        if unseen.led:
            complain(unseen_words(unseen))
        elif not unseen.lost.reader_gone:
            complain(unseen.lost.sentence)
        return unseen.lost.code
    except KernelAbsentError as error:
        raise kernel_gone(error) from error


async def _show(attached: Attached) -> ExitCode:
    following = asyncio.create_task(attached.follow(lambda _shown: False), name="follow")

    def leave(_times: int) -> None:
        following.cancel()

    with attached.ended_by(leave):
        await asyncio.wait({following})
    if following.cancelled():
        if attached.leads and _runs(attached.newest):
            complain(LEFT)
        return ExitCode.DONE
    try:
        await following
    except GoneError as error:
        if _runs(attached.newest):
            raise kernel_gone(error) from error
        complain("The kernel has ended; no treatment was under way.")
    return ExitCode.DONE


def _runs(snapshot: Snapshot | None) -> bool:
    """True while a treatment is under way, or its end is not known."""
    if snapshot is None or snapshot.treatment is None:
        return False
    return not snapshot.treatment.over
