"""Who has a port open: named by its whole command line, and the unit's own end left out."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.device.holders import Holder, _command, held_here, holders_of

pytestmark = pytest.mark.realtime

TERMINAL = """
import os, pty, sys
mine = pty.openpty()
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(*command: str, stdin: int = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def slave() -> Iterator[int]:
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def test_a_holder_is_named_with_all_of_its_words(slave: int) -> None:
    with running("sleep", "60", "60", stdin=slave) as rival:
        (holder,) = holders_of(os.ttyname(slave))
    assert holder == Holder(rival.pid, "sleep 60 60")
    assert str(holder) == f"process {rival.pid} (sleep 60 60)"


def test_a_long_command_line_is_cut(slave: int) -> None:
    with running("sleep", *["60"] * 40, stdin=slave):
        (holder,) = holders_of(os.ttyname(slave))
    assert holder.command == ("sleep" + " 60" * 40)[:80]


def test_a_terminal_with_a_pty_of_its_own_is_still_a_rival_on_another(slave: int) -> None:
    """It owns the far end of its own window, which makes it no unit on this port."""
    path = os.ttyname(slave)
    with running(sys.executable, "-c", TERMINAL, path) as rival:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
        assert [holder.pid for holder in holders_of(path)] == [rival.pid]


def test_this_process_is_not_among_the_others_and_is_known_to_itself(slave: int) -> None:
    path = os.ttyname(slave)
    assert holders_of(path) == ()
    assert held_here(path)
    assert not held_here("/dev/ttyNONE9")


def test_a_link_to_a_port_has_the_holders_of_the_port(slave: int, tmp_path: Path) -> None:
    (tmp_path / "handpiece").symlink_to(os.ttyname(slave))
    assert held_here(str(tmp_path / "handpiece"))
    with running("sleep", "60", stdin=slave) as rival:
        assert [one.pid for one in holders_of(str(tmp_path / "handpiece"))] == [rival.pid]


def test_a_process_without_a_command_line_is_told_as_such() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, nobody took note
        assert _command(process.pid) == "unnamed"
    assert _command(process.pid) == "ended meanwhile"
