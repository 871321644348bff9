"""A kernel that is not there, one that does not answer, and one that nobody could look at."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from controller.api import client
from controller.api.ask import (
    KernelAbsentError,
    KernelSilentError,
    KernelUnreachedError,
    dial,
    knock,
    short_name,
)
from controller.api.client import KernelClient
from controller.api.finding import Running, running_kernels
from controller.api.peer import listen
from controller.api.requests import NAME_MAX
from controller.cli import session
from controller.cli.outcome import ExitCode, Failure
from controller.config import paths

pytestmark = pytest.mark.realtime


@contextmanager
def full_queue(path: Path) -> Iterator[None]:
    """Listen as a kernel that stands still with a full queue does."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        with short_name(path) as name:
            listener.bind(name)
        listener.listen(0)
        for _ in range(3):
            line = stack.enter_context(socket.socket(socket.AF_UNIX))
            line.setblocking(False)  # noqa: FBT003 - the name of the standard library
            with suppress(BlockingIOError), short_name(path) as name:
                line.connect(name)
        yield


WAYS: tuple[Callable[[Path], socket.socket], ...] = (lambda path: dial(path, 0.05), knock)


def loop_to(path: Path) -> Path:
    """Return a place under a link that leads to itself: the system says neither yes nor no."""
    link = path / "link"
    link.symlink_to(link)
    return link / "kernel.sock"


def test_a_kernel_with_a_full_queue_is_there(tmp_path: Path) -> None:
    path = tmp_path / "kernel.sock"
    with full_queue(path):
        for way in WAYS:
            with pytest.raises(KernelSilentError, match="takes nobody in"):
                way(path)
        with pytest.raises(OSError, match="does not answer"):
            listen(path)
        assert path.is_socket()  # it was not taken for one that a killed kernel left
    for way in WAYS:
        with pytest.raises(KernelAbsentError, match="no kernel listens") as absent:
            way(path)
        assert not isinstance(absent.value, KernelUnreachedError)


def test_the_loop_goes_on_while_a_client_waits_to_be_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 0.2)

    async def scenario() -> int:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.005)
                beats += 1

        beating = asyncio.create_task(beat(), name="beat")
        path, words = tmp_path / "kernel.sock", r"takes nobody in for 0\.2 s"
        with full_queue(path), pytest.raises(KernelSilentError, match=words):
            await KernelClient.open(path, {})
        beating.cancel()
        return beats

    assert asyncio.run(scenario()) >= 3


def test_what_could_not_be_looked_at_is_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = loop_to(tmp_path)
    for way in WAYS:
        with pytest.raises(KernelUnreachedError, match="could not be reached") as unreached:
            way(path)
        assert not isinstance(unreached.value, KernelSilentError)
    with pytest.raises(Failure, match="Whether a kernel runs could not be seen") as failure:
        session.asked(path, "status")
    assert failure.value.code is ExitCode.PORT
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    monkeypatch.setattr(session, "running_kernels", lambda _: Running((), (), "x: Permission"))
    with pytest.raises(Failure, match=r"for /dev/a could not be seen \(x: Permission\)") as failure:
        session.running("/dev/a")
    assert failure.value.name == "kernel_unseen"


def test_a_file_of_a_kernel_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = paths.kernel_file(tmp_path, "/dev/alive")
    file.parent.mkdir(parents=True)
    file.symlink_to("/proc/self/mem")  # a file that opens and cannot be read
    monkeypatch.setattr("controller.api.finding._names", lambda _state, _seen: [file.name])
    found = running_kernels(tmp_path)
    assert found.here == ()
    assert found.blind == f"{file}: Input/output error"


def test_a_name_of_an_account_is_no_longer_than_the_kernel_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "x" * 200)
    assert len(session.who()["name"]) == session.NAME_MAX == NAME_MAX
