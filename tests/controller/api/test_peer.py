"""Where the kernel's socket lies, who may reach it, and what is never taken away for it."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from controller.api import peer
from controller.api.ask import KernelAbsentError, KernelSilentError, KernelUnreachedError
from controller.api.peer import is_welcome, listen, peer_uid

pytestmark = pytest.mark.realtime


@pytest.mark.hazard("H21")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_socket_and_its_folder_are_of_the_own_account_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        path = tmp_path / "deep" / "run" / "kernel.sock"
        with closing(listen(path)) as listener:
            assert os.umask(umask) == umask  # what else is made has the rights that it had
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
            assert listener.gettimeout() == 0.0
            with closing(socket.socket(socket.AF_UNIX)) as line:
                line.connect(str(path))
        with closing(listen(path)):  # a folder that is there already is taken
            pass
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "another kernel listens there"),
        (KernelSilentError("x"), "another kernel listens there and does not answer"),
        (KernelUnreachedError("x"), "whether another kernel listens there cannot be seen"),
    ],
)
def test_a_socket_that_somebody_may_listen_at_is_left_alone_and_why_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Exception | None, words: str
) -> None:
    dialled: list[Path] = []

    def dial(path: Path) -> socket.socket:
        dialled.append(path)
        if found is not None:
            raise found
        return socket.socket(socket.AF_UNIX)

    monkeypatch.setattr(peer, "dial", dial)
    path = tmp_path / "kernel.sock"
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))
    with pytest.raises(OSError, match=words) as caught:
        listen(path)
    assert str(caught.value) == f"[Errno 98] {words}: '{path}'"
    assert dialled == [path]
    assert path.is_socket()


def test_a_socket_that_nobody_listens_at_is_removed_and_one_that_has_gone_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kernel.sock"
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))

    def dial(_path: Path) -> socket.socket:
        path.unlink()  # somebody else is as quick
        raise KernelAbsentError("x")

    monkeypatch.setattr(peer, "dial", dial)
    peer._remove_left_over(path)
    monkeypatch.undo()
    peer._remove_left_over(path)
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))
    peer._remove_left_over(path)
    assert not path.exists()


@pytest.mark.parametrize("broken", [False, True], ids=["a file", "a link that leads nowhere"])
def test_what_is_no_socket_is_left_alone_and_named(tmp_path: Path, *, broken: bool) -> None:
    path = tmp_path / "kernel.sock"
    path.symlink_to("nowhere") if broken else path.touch()
    with pytest.raises(FileExistsError) as caught:
        listen(path)
    assert str(caught.value) == f"[Errno 17] there is a file that is no socket: '{path}'"
    assert os.path.lexists(path)


def test_a_socket_that_cannot_be_made_leaves_the_rights_of_new_files_as_they_were(
    tmp_path: Path,
) -> None:
    before = os.umask(0o022)
    try:
        with pytest.raises(OSError, match="too long"):
            listen(tmp_path / ("x" * 200))
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_only_the_own_account_and_root_are_welcome() -> None:
    assert [is_welcome(uid, 1000) for uid in (1000, 0, 1001, -1, None)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_account_at_the_other_end_is_asked_of_the_system_and_unknown_where_it_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = socket.socketpair()
    with closing(one), closing(other):
        assert peer_uid(one) == os.getuid()
        monkeypatch.delattr(socket, "SO_PEERCRED")
        assert peer_uid(one) is None
        monkeypatch.undo()
    assert peer_uid(one) is None  # it is closed


class Told:
    """A line of which the system says this."""

    def __init__(self, said: bytes) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self._said = said

    def getsockopt(self, level: int, option: int, size_bytes: int) -> bytes:
        """Note what is asked."""
        self.asked.append((level, option, size_bytes))
        return self._said


@pytest.mark.parametrize(
    ("ids", "uid"), [((7, 1234, 5), 1234), ((7, 0, 5), 0), ((7, 1234), None)], ids=str
)
def test_of_what_the_system_says_the_account_is_the_second_number(
    ids: tuple[int, ...], uid: int | None
) -> None:
    line = Told(b"".join(number.to_bytes(4, "little") for number in ids))
    assert peer_uid(line) == uid  # type: ignore[arg-type] # as much of a socket as is needed
    assert line.asked == [(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)]
