"""The name of a kernel's way for STOP to the byte, and the system's table of names in pieces."""

from typing import Any

import pytest

from controller.api import stop_address
from controller.api.stop_address import StopAddress, Table, name_for, serves, table
from controller.config.paths import port_hash

ROW = b"0000: 00000002 00000000 00000000 %b 01 7 %b\n"
HEAD = b"Num       RefCount Protocol Flags    Type St Inode Path\n"


class Sockets:
    """The system's table, which comes in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.opened: list[tuple[str, int]] = []
        self.read_bytes: list[int] = []
        self.closed = False
        self._pieces = [*pieces]

    def open(self, mode: str, buffering: int) -> "Sockets":
        """Note how."""
        self.opened.append((mode, buffering))
        return self

    def __enter__(self) -> "Sockets":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def read(self, size_bytes: int) -> bytes:
        """Return the next piece."""
        self.read_bytes.append(size_bytes)
        return self._pieces.pop(0) if self._pieces else b""


def seen(monkeypatch: pytest.MonkeyPatch, *pieces: bytes) -> Table:
    monkeypatch.setattr(stop_address, "SOCKETS", Sockets(*pieces))
    return table()


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        ("/a/../dev/x", "/dev/x"),
        ("tcp://unit:5000", "tcp://unit:5000"),
        ("/d/a b%é", "/d/a%20b%25%C3%A9"),
        ("/:._-+,=[]", "/:._-+,=[]"),
        ("/" + "x" * 69, "/" + "x" * 69),
        ("/" + "x" * 70, "~" + "x" * 69),
        ("/" + "x" * 80 + "é" * 2, "~" + "x" * 57 + "%C3%A9%C3%A9"),
        ("/" + "é" * 30, "~%A9" + "%C3%A9" * 11),
    ],
)
def test_a_kernel_listens_under_its_process_the_hash_and_the_end_of_its_port(
    port: str, said: str
) -> None:
    assert name_for(port, 7) == f"\0corneum/stop/1/7/{port_hash(port)}/{said}".encode()


def test_the_table_is_read_to_its_end_whatever_pieces_it_comes_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = (
        HEAD
        + ROW % (b"0002", b"@corneum/stop/1/7/ab/%2Fdev")
        + ROW % (b"0001", b"/run/x/0011.sock")
        + ROW % (b"0002", b"@corneum/stop/1/8/cd/~x")
    )
    for cut in (10, len(HEAD) + 60, len(whole) - 5):
        sockets = Sockets(whole[:cut], whole[cut:])
        monkeypatch.setattr(stop_address, "SOCKETS", sockets)
        assert table() == Table(
            (
                StopAddress(b"\0corneum/stop/1/7/ab/%2Fdev", 7, "ab", "/dev"),
                StopAddress(b"\0corneum/stop/1/8/cd/~x", 8, "cd", "~x"),
            ),
            frozenset({"0011.sock"}),
        )
        assert (sockets.opened, sockets.closed) == ([("rb", 0)], True)
        assert sockets.read_bytes == [1_000_000] * 3


def test_a_table_without_an_end_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_address, "TABLE_MAX_BYTES", 20)
    sockets = Sockets(*[b"x" * 10] * 9)
    monkeypatch.setattr(stop_address, "SOCKETS", sockets)
    assert table() == Table((), frozenset())
    assert len(sockets.read_bytes) == 3  # the third is begun at the bound itself


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ROW % (b"0002", b"@corneum/other"), Table((), frozenset())),
        (ROW % (b"0001", b"@corneum/stop/1/7/ab/x"), Table((), frozenset())),
        (ROW % (b"0001", b"@corneum/stop/1/7/ab/x.sock"), Table((), frozenset({"x.sock"}))),
        (ROW % (b"0002", b"relative.sock"), Table((), frozenset({"relative.sock"}))),
        (ROW % (b"0001", b"/run/a b/c d.sock"), Table((), frozenset({"c d.sock"}))),
        (ROW % (b"0001", b"/run/x.socket"), Table((), frozenset())),
        (b"0000: 2 0 0 0002 01 7\n", Table((), frozenset())),
        (b"\n", Table((), frozenset())),
    ],
)
def test_each_row_of_the_table_is_an_address_a_socket_or_nothing(
    monkeypatch: pytest.MonkeyPatch, row: bytes, found: Table
) -> None:
    assert seen(monkeypatch, HEAD + row) == found
    later = ROW % (b"0002", b"@corneum/stop/1/7/ab/x")
    (address,) = set(seen(monkeypatch, HEAD + row + later).addresses)
    assert address.pid == 7  # nothing in a table hides what comes after it


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (b"1/7/ab/%2Fd/%FF", (7, "ab", "/d/\udcff")),
        (b"2/7/ab/x", (0, "", "a kernel of another version (ab/x)")),
        (b"2", (0, "", "a kernel of another version (2)")),
        (b"1/x/ab/y", (0, "", "a kernel of another version (ab/y)")),
        (b"1//ab/y", (0, "", "a kernel of another version (ab/y)")),
        (b"\xff/7", (0, "", "a kernel of another version (\ufffd)")),
        (b"1/7", (7, "", "")),
    ],
)
def test_a_name_is_read_as_process_hash_and_port_or_as_of_another_version(
    name: bytes, address: tuple[Any, ...]
) -> None:
    whole = b"\0corneum/stop/" + name
    assert stop_address._address(whole) == StopAddress(whole, *address)


@pytest.mark.parametrize(
    ("address", "port", "same"),
    [
        (StopAddress(b"", 0, "", "?"), "/dev/a", True),
        (StopAddress(b"", 7, port_hash("/dev/a"), "/else"), "/dev/a", True),
        (StopAddress(b"", 7, "x", "/dev/a"), "/dev/a", True),
        (StopAddress(b"", 7, "x", "/dev/a"), "/dev/../dev/a", True),
        (StopAddress(b"", 7, "x", "/dev/../dev/a"), "/dev/a", True),
        (StopAddress(b"", 7, "x", "~ev/a"), "/dev/a", True),
        (StopAddress(b"", 7, "x", "~ev/a"), "/dev/ab", False),
        (StopAddress(b"", 7, "x", "~ev/a"), "/dev/x/../a", True),
        (StopAddress(b"", 7, "x", "tcp://localhost:1"), "tcp://127.0.0.1:1", True),
        (StopAddress(b"", 7, "x", "/dev/b"), "/dev/a", False),
    ],
)
def test_an_address_is_of_a_port_by_its_hash_its_name_or_the_end_of_it(
    address: StopAddress, port: str, *, same: bool
) -> None:
    assert serves(address, port) is same
