"""What killed kernels left is removed where they are surely gone, and nothing else is touched."""

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from controller.config import paths
from controller.record import sweep as module
from controller.record.locks import Lock
from controller.record.sweep import AGE_MIN_S, SWEPT_MAX, sweep

GONE: Final = 2**22 + 7  # above the highest number that a process gets
PORT: Final = "/dev/gone"


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder whose sockets have names that are short enough."""
    made = Path(tempfile.mkdtemp(prefix="swept-"))
    paths.run_dir(made).mkdir()
    yield made
    shutil.rmtree(made)


def leave(state: Path, port: str = PORT, age_s: float = 2 * AGE_MIN_S, **changes: Any) -> Path:  # noqa: ANN401
    """Leave the file of a kernel with its socket, as a kill does."""
    file = paths.kernel_file(state, port)
    said = {"pid": GONE, "port": port, "socket": str(paths.socket_path(state, port))} | changes
    file.write_text(json.dumps({name: each for name, each in said.items() if each is not None}))
    then_s = time.time() - age_s
    os.utime(file, (then_s, then_s))
    paths.socket_path(state, port).touch()
    return file


def left(state: Path) -> set[str]:
    return {path.suffix for path in paths.run_dir(state).iterdir()}


def test_file_and_socket_of_a_kernel_that_is_gone_are_removed_and_counted(state: Path) -> None:
    leave(state)
    leave(state, "/dev/another")
    assert sweep(state) == 2
    assert left(state) == set()
    assert sweep(state) == 0


def test_a_file_that_names_no_socket_had_the_one_of_its_own_name(state: Path) -> None:
    leave(state, socket=None)
    assert sweep(state) == 1
    assert left(state) == set()


def test_a_socket_in_another_place_is_left_and_a_missing_one_is_no_harm(state: Path) -> None:
    leave(state, socket="/elsewhere/x.sock")
    assert sweep(state) == 1
    assert left(state) == {".sock"}
    leave(state)
    paths.socket_path(state, PORT).unlink()
    assert sweep(state) == 1
    assert left(state) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"age_s": AGE_MIN_S / 2},
        {"age_s": -3600.0},
        {"pid": os.getpid()},
        {"pid": 1},
        {"pid": None},
        {"port": None},
        {"pid": "many"},
    ],
)
def test_what_may_be_of_a_kernel_that_lives_stays(state: Path, change: dict[str, Any]) -> None:
    age_s = change.pop("age_s", 2 * AGE_MIN_S)
    file = leave(state, age_s=age_s)
    said = json.loads(file.read_text()) | change
    file.write_text(json.dumps({name: each for name, each in said.items() if each is not None}))
    os.utime(file, (time.time() - age_s,) * 2)
    assert sweep(state) == 0
    assert left(state) == {".json", ".sock"}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null"])
def test_a_file_that_says_nothing_stays_and_stops_nobody(state: Path, text: str) -> None:
    file = leave(state)
    file.write_text(text)
    os.utime(file, (0.0, 0.0))
    leave(state, "/dev/another")
    assert sweep(state) == 1
    assert file.exists()


@pytest.mark.parametrize(("age_s", "removed"), [(AGE_MIN_S - 0.5, 0), (AGE_MIN_S, 1)])
def test_a_file_is_old_after_a_minute_by_the_wall_clock(
    state: Path, monkeypatch: pytest.MonkeyPatch, age_s: float, removed: int
) -> None:
    file = leave(state)
    os.utime(file, (1.9e9, 1.9e9))
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: 1.9e9 + age_s))
    assert sweep(state) == removed


def test_a_process_of_another_account_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_pid: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert not module._is_gone(1)


def test_a_lock_of_the_port_that_is_held_keeps_the_file(state: Path) -> None:
    leave(state)
    lock = Lock(paths.port_lock(state, PORT))
    lock.take()
    assert sweep(state) == 0
    lock.release()
    assert sweep(state) == 1


def test_a_socket_that_somebody_listens_at_keeps_its_file(state: Path) -> None:
    file = leave(state)
    path = paths.socket_path(state, PORT)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert sweep(state) == 0
        assert file.exists()
    assert sweep(state) == 1


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [pipe, Path.mkdir, lambda path: path.symlink_to("none")])
def test_what_is_no_file_stays_and_nobody_waits_for_it(
    state: Path, make: Callable[[Path], object]
) -> None:
    path = paths.kernel_file(state, PORT)
    make(path)
    os.utime(path, (0.0, 0.0), follow_symlinks=False)
    assert sweep(state) == 0
    assert path.is_symlink() or path.exists()


def test_only_so_many_are_looked_at_in_one_start(state: Path) -> None:
    for number in range(SWEPT_MAX + 3):
        leave(state, f"/dev/gone{number}")
    (paths.run_dir(state) / "note.txt").touch()
    assert [sweep(state), sweep(state)] == [SWEPT_MAX, 3]
    assert left(state) == {".txt"}


def test_a_folder_that_cannot_be_looked_at_is_left_alone(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none") == 0
