"""A kernel that was started for a treatment writes a bounded log."""

import os
from pathlib import Path

import pytest

from controller.api.own_output import BoundedLog


def test_a_log_takes_so_much_and_drops_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        log = BoundedLog(file.fileno(), max_bytes=10)
        assert log.write("12345\n") == 6
        assert log.write("789 and more than there is room for") > 10
        assert log.write("nothing") == 7
        print("what libraries complain of", file=log)
    assert path.read_bytes() == b"12345\n789 "


@pytest.mark.parametrize("path", ["/dev/full"])
def test_a_log_that_cannot_be_written_never_raises(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        log = BoundedLog(descriptor)
        assert log.write("\ud800 lost") == 6
        assert log.write("again") == 5
        assert log.fileno() == descriptor
    finally:
        os.close(descriptor)
