"""Which kernels run: living ones are found among any number of leftovers, and nobody is asked."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from controller.api.ask import KernelAbsentError, KernelSilentError, ask, short_name
from controller.api.finding import _read, kernels
from controller.cli import session
from controller.cli.outcome import Failure
from controller.config import paths
from controller.record import sweep as sweep_module
from controller.record.sweep import AGE_MIN_S, sweep

GONE_PID = 4_194_304  # above the highest pid of a Linux computer

pytestmark = pytest.mark.realtime


@contextmanager
def silent_kernel(state: Path, port: str) -> Iterator[None]:
    """Listen as a frozen kernel does: the system takes connections, and nobody answers."""
    with socket.socket(socket.AF_UNIX) as line, short_name(_file(state, port)) as at:
        line.bind(at.replace(".json", ".sock"))
        line.listen(1)
        yield


def _file(state: Path, port: str, pid: int | None = None) -> Path:
    paths.run_dir(state).mkdir(parents=True, exist_ok=True)
    path = paths.kernel_file(state, port)
    path.write_text(json.dumps({"pid": os.getpid() if pid is None else pid, "port": port}))
    return path


def test_a_living_one_is_found_among_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    for number in range(300):
        _file(tmp_path, f"/nowhere/{number}", GONE_PID)
    with silent_kernel(tmp_path, "/dev/alive"):
        assert [kernel.port for kernel in kernels(tmp_path)] == ["/dev/alive"]
        assert session.running(None).port == "/dev/alive"
    assert kernels(tmp_path) == []


def test_absent_and_silent_are_two_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    monkeypatch.setattr(session, "FOUND_MAX_S", 0.05)
    with silent_kernel(tmp_path, "/dev/alive"):
        socket_at = paths.socket_path(tmp_path, "/dev/alive")
        with pytest.raises(KernelSilentError):
            ask(socket_at, "status", timeout_s=0.05)
        with pytest.raises(Failure, match="runs and could not be reached") as caught:
            session.serving("/dev/alive")
        assert (caught.value.code, caught.value.name) == (3, "kernel_silent")
        with pytest.raises(Failure, match=r"No kernel runs for /dev/other .* /dev/alive"):
            session.running("/dev/other")
    with pytest.raises(KernelAbsentError) as absent:
        ask(socket_at, "status")
    assert not isinstance(absent.value, KernelSilentError)


def test_of_several_one_has_to_be_named_and_a_silent_one_delays_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    with ExitStack() as stack:
        for name in ("a", "b", "c"):
            stack.enter_context(silent_kernel(tmp_path, f"/dev/{name}"))
        with pytest.raises(Failure, match="3 kernels run"):
            session.running(None)
        assert session.running("/dev/b").port == "/dev/b"


@pytest.mark.parametrize("content", [None, "[]", '"text"', "{", "\x00"])
def test_a_pipe_or_nonsense_in_the_place_of_a_file_holds_up_nobody(
    tmp_path: Path, content: str | None
) -> None:
    path = _file(tmp_path, "/dev/left")
    path.unlink()
    os.mkfifo(path) if content is None else path.write_text(content)
    past_s = path.stat().st_mtime - 2 * AGE_MIN_S
    os.utime(path, (past_s, past_s))
    with silent_kernel(tmp_path, "/dev/alive"):
        assert _read(path.parent, [path.name]) == ([], "")
        assert [kernel.port for kernel in kernels(tmp_path)] == ["/dev/alive"]
    assert sweep(tmp_path) == 0


def test_a_sweep_removes_what_is_old_and_surely_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, young = _file(tmp_path, "/dev/dead", GONE_PID), _file(tmp_path, "/dev/young", GONE_PID)
    own = _file(tmp_path, "/dev/own")
    for path in (dead, own):
        path.with_suffix(".sock").touch()
        past_s = path.stat().st_mtime - 2 * AGE_MIN_S
        os.utime(path, (past_s, past_s))
    assert sweep(tmp_path) == 1
    assert [path.exists() for path in (dead, young, own)] == [False, True, True]
    assert [path.with_suffix(".sock").exists() for path in (dead, own)] == [False, True]


def test_a_sweep_looks_at_a_bounded_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "SWEPT_MAX", 3)
    for number in range(8):
        path = _file(tmp_path, f"/dev/{number}", GONE_PID)
        past_s = path.stat().st_mtime - 2 * AGE_MIN_S
        os.utime(path, (past_s, past_s))
    assert sweep(tmp_path) == 3
    assert sweep(tmp_path) == 3
    assert sweep(tmp_path) == 2


def test_a_sweep_of_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none") == 0
