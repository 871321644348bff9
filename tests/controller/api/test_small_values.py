"""Small parts of the contract to the letter: authority, versions, held ports, standard streams."""

import io
import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from controller.api import held_ports, own_output
from controller.api.authority import Do, Origin, Role, refusal_sentence
from controller.api.held_ports import HeldPort
from controller.api.own_output import BoundedLog
from controller.api.software import Software, running_software

pytestmark = pytest.mark.realtime


# -- authority -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("do", "role", "origin", "sentence"),
    [
        (
            Do.TREAT,
            Role.SUPERVISOR,
            Origin.REMOTE,
            "'treat' needs a person at the unit: from elsewhere one may stop, pause, lower and "
            "look, never start or raise.",
        ),
        (
            Do.TREAT,
            Role.VIEWER,
            Origin.REMOTE,
            "The role viewer may not ask for 'treat'.",
        ),
        (
            Do.UNLOCK,
            Role.PRACTITIONER,
            Origin.LOCAL,
            "The role practitioner may not ask for 'unlock'.",
        ),
        (Do.TREAT, Role.QA, Origin.LOCAL, "The role qa may not ask for 'treat'."),
    ],
)
def test_why_somebody_may_not_ask_is_one_sentence(
    do: Do, role: Role, origin: Origin, sentence: str
) -> None:
    assert refusal_sentence(do, role, origin) == sentence


# -- versions --------------------------------------------------------------------------------------
def test_the_software_that_runs_is_told_and_one_that_was_never_installed_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def version(name: str) -> str:
        asked.append(name)
        return "9.8"

    def missing(_name: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", version)
    assert running_software() == Software("9.8", platform.python_version())
    assert asked == ["corneum"]
    monkeypatch.setattr(metadata, "version", missing)
    assert running_software() == Software("unknown", platform.python_version())


# -- held ports ------------------------------------------------------------------------------------
@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's table of locks, which a test writes."""
    path = tmp_path / "locks"
    path.touch()
    monkeypatch.setattr(held_ports, "LOCKS", path)
    return path


@pytest.fixture
def inodes(tmp_path: Path) -> dict[str, int]:
    """The inodes of files in the folder of locks."""
    folder = tmp_path / "run"
    folder.mkdir()
    names = ("port-a.lock", "port-b.lock", "unit-1.lock", "port-c.json")
    for name in names:
        (folder / name).touch()
    return {name: (folder / name).stat().st_ino for name in names}


def test_each_row_of_the_table_of_locks_is_a_held_port_or_none(
    tmp_path: Path, table: Path, inodes: dict[str, int]
) -> None:
    a, b, unit, other = inodes.values()
    table.write_text(
        f"1: FLOCK  ADVISORY  WRITE 71 fe:01:{unit} 0 EOF\n"
        f"2: POSIX  ADVISORY  WRITE 72 fe:01:{a} 0 EOF\n"
        f"3: FLOCK  ADVISORY  WRITE 73 fe:01:{other} 0 EOF\n"
        f"4: -> FLOCK  ADVISORY  WRITE 74 fe:01:{a} 0 EOF\n"
        "5: FLOCK\n"
        "\n"
        "6: FLOCK  ADVISORY  WRITE 75 <none>:x 0 EOF\n"
        f"7: FLOCK  ADVISORY  WRITE 76 fe:01:{a} 0 EOF\n"
        f"8: FLOCK  ADVISORY  WRITE -1 00:2a:{b} 0 EOF\n"
    )
    assert held_ports.held_ports(tmp_path / "run") == [
        HeldPort("port-a.lock", 76),
        HeldPort("port-b.lock", -1),
    ]


def test_the_table_of_locks_is_read_up_to_a_bound_and_only_where_there_are_locks(
    tmp_path: Path, table: Path, inodes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"7: FLOCK  ADVISORY  WRITE 76 fe:01:{inodes['port-a.lock']} 0 EOF\n"
    table.write_text(line * 2)
    monkeypatch.setattr(held_ports, "LOCKS_MAX_BYTES", len(line))
    assert held_ports.held_ports(tmp_path / "run") == [HeldPort("port-a.lock", 76)]
    table.unlink()
    (tmp_path / "empty").mkdir()
    assert held_ports.held_ports(tmp_path / "empty") == []
    assert held_ports.held_ports(tmp_path / "none") == []
    with pytest.raises(FileNotFoundError):
        held_ports.held_ports(tmp_path / "run")


# -- standard streams ------------------------------------------------------------------------------
@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def test_a_bounded_log_writes_text_as_bytes_and_what_is_no_text_as_a_mark(
    pipe: tuple[int, int],
) -> None:
    log = BoundedLog(pipe[1], max_bytes=8)
    assert log.writable() is True
    assert log.fileno() == pipe[1]
    assert (log.write("é"), log.write("\ud800x"), log.write("12345"), log.write("")) == (1, 2, 5, 0)
    assert os.read(pipe[0], 100) == "é?x1234".encode()


def test_a_bounded_log_writes_nothing_at_all_once_it_is_full_or_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    def write(_descriptor: int, data: bytes) -> int:
        asked.append(data)
        if len(asked) == 3:
            raise OSError
        return len(data) - 1

    monkeypatch.setattr(os, "write", write)
    log = BoundedLog(9, max_bytes=6)
    for _ in range(4):
        assert log.write("abc") == 3
    assert asked == [b"abc", b"abc", b"ab"]  # what was not written leaves room


def test_a_line_is_written_in_the_words_of_its_stream_and_flushed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1", newline="")
    own_output.write_line(stream, "é€")
    assert raw.getvalue() == b"\xe9\\u20ac\n"
    flushed: list[str] = []
    plain = io.StringIO()  # it says of no encoding
    monkeypatch.setattr(plain, "flush", lambda: flushed.append("yes"))
    own_output.write_line(plain, "é")
    assert (plain.getvalue(), flushed) == ("\\xe9\n", ["yes"])


def test_low_descriptors_that_were_closed_are_opened_and_no_other_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[tuple[str, int]] = []
    closed: list[int] = []
    free = [1, 2, 7, 8]

    def open_(path: str, flags: int) -> int:
        opened.append((path, flags))
        return free.pop(0)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "close", closed.append)
    own_output.keep_low_descriptors()
    monkeypatch.undo()
    assert opened == [("/dev/null", os.O_RDWR)] * 3
    assert closed == [7]


def test_to_hold_nothing_folder_and_output_are_let_go_of_and_complaints_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[tuple[object, ...]] = []

    def open_(path: str, flags: int) -> int:
        done.append(("open", path, flags))
        return 9

    monkeypatch.setattr(os, "chdir", lambda path: done.append(("chdir", path)))
    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "dup2", lambda *asked: done.append(("dup2", *asked)))
    monkeypatch.setattr(os, "close", lambda number: done.append(("close", number)))
    monkeypatch.setattr(sys, "stderr", None)
    own_output.hold_nothing()
    log = sys.stderr
    monkeypatch.undo()
    assert done == [
        ("chdir", "/"),
        ("open", "/dev/null", os.O_RDWR),
        ("dup2", 9, 1),
        ("close", 9),
    ]
    assert isinstance(log, BoundedLog)
    assert log.fileno() == 2
