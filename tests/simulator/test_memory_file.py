"""The file of a unit's memory: what it keeps, whose it is, and each way to be unusable."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from firmware_protocol.vocabulary import LogCode
from simulator.firmware.memory import CAPACITY
from simulator.firmware.witness import Kept
from simulator.handpiece import Handpiece
from simulator.memory_file import FILE_MAX_BYTES, MemoryFile, MemoryFileError
from tests.corneum_sim import app

KEPT = Kept((1, 2), 57, (3, 4, 5), 6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "unit.json"


def _written(path: Path) -> dict[str, Any]:
    """Let a unit leave a memory, and return what the file says."""
    file = MemoryFile(path, 1001)
    device = Handpiece(1, "absent", memory=file.memory)
    device.advance(0.5)
    file.memory.witness.kept = (KEPT,)
    file.close()
    said: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return said


def test_a_unit_that_was_off_has_its_log_its_restarts_and_its_witness(path: Path) -> None:
    said = _written(path)
    file = MemoryFile(path, 1001)
    memory = file.memory
    assert memory.witness.kept == (KEPT,)
    newest, boots = memory.log.newest_seq, memory.boots
    assert newest == len(said["log"]) > 0
    device = Handpiece(2, "absent", memory=memory)
    device.advance(0.2)
    booted = memory.log.read(newest + 1)
    assert booted is not None
    assert booted.code is LogCode.BOOT  # a start of the simulator is a start of the unit
    assert memory.boots == boots + 1
    file.close()


def test_a_file_that_is_not_there_is_a_unit_as_delivered(path: Path) -> None:
    file = MemoryFile(path, 1001)
    assert (file.memory.witness.kept, file.memory.log.newest_seq, file.memory.boots) == ((), 0, 0)
    file.close()
    assert json.loads(path.read_text("utf-8"))["version"] == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


Change = Callable[[dict[str, Any]], object]
DAMAGED: list[tuple[str, Change]] = [
    ("no memory of a simulated unit", lambda said: said.update(format="x")),
    ("its log is not one", lambda said: said.update(log=7)),
    ("its log is not one", lambda said: said["log"].pop(0) and said["log"].insert(1, [9, 0, 1, 0])),
    ("its log is not one", lambda said: said["log"][0].append(1)),
    ("its log is not one", lambda said: said["log"][0].__setitem__(1, -1)),
    ("LogCode", lambda said: said["log"][0].__setitem__(2, 99)),
    ("its log is not one", lambda said: said.update(
        log=[[seq, 0, 1, 0] for seq in range(1, CAPACITY + 2)])),
    ("its witness is not one", lambda said: said["witness"].append(said["witness"][0])),
    ("its witness is not one", lambda said: said["witness"][0].__setitem__(2, 0)),
    ("its witness is not one", lambda said: said["witness"][0].__setitem__(6, 256)),
    ("its witness is not one", lambda said: said["witness"][0].__setitem__(slice(3, 4), [True])),
    ("its witness is not one", lambda said: said.update(
        witness=[[1, number, 1, 1, 1, 1, 0] for number in range(5)])),
    ("its count of restarts is none", lambda said: said.update(boots=256)),
]  # fmt: skip


@pytest.mark.hazard("H58")
@pytest.mark.parametrize(("why", "change"), DAMAGED)
def test_a_damaged_memory_is_one_sentence_and_stays_as_it_is(
    path: Path, why: str, change: Change
) -> None:
    said = _written(path)
    change(said)
    path.write_text(json.dumps(said), "utf-8")
    with pytest.raises(MemoryFileError, match="is damaged") as caught:
        MemoryFile(path, 1001)
    assert why in str(caught.value)
    assert str(path) in str(caught.value)
    assert json.loads(path.read_text("utf-8")) == said


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b" " * (FILE_MAX_BYTES + 1)]
)
def test_what_is_no_memory_at_all_is_one_sentence(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(MemoryFileError, match="is damaged") as caught:
        MemoryFile(path, 1001)
    assert "\n" not in str(caught.value)


def test_the_memory_of_another_unit_or_version_is_named(path: Path) -> None:
    said = _written(path)
    with pytest.raises(MemoryFileError, match="is of unit 1001, and this is unit 7") as caught:
        MemoryFile(path, 7)
    assert "--serial-number 1001" in str(caught.value)
    path.write_text(json.dumps(said | {"version": 2}), "utf-8")
    with pytest.raises(MemoryFileError, match="is of version 2, and this simulator reads 1"):
        MemoryFile(path, 1001)


def test_one_memory_is_of_one_simulator_at_a_time(path: Path) -> None:
    file = MemoryFile(path, 1001)
    with pytest.raises(MemoryFileError, match=f"another simulator \\(pid {os.getpid()}\\) uses"):
        MemoryFile(path, 1001)
    file.close()
    MemoryFile(path, 1001).close()


def test_what_is_no_file_is_not_opened(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(MemoryFileError, match="is no file"):
        MemoryFile(path, 1001)


def test_a_disk_that_refuses_leaves_the_older_file_and_is_told(path: Path) -> None:
    before = _written(path)
    file = MemoryFile(path, 1001)
    file.memory.witness.keep((9, 9), 1, (1, 1, 1), decided=False)
    path.with_name(f".{path.name}.new").mkdir()
    file.save()
    assert isinstance(file.failed, OSError)
    assert json.loads(path.read_text("utf-8")) == before
    path.with_name(f".{path.name}.new").rmdir()
    file.close()
    assert file.failed is None
    assert len(json.loads(path.read_text("utf-8"))["witness"]) == 2


def test_the_command_says_so_in_one_sentence(path: Path) -> None:
    path.write_text("{", "utf-8")
    done = CliRunner().invoke(app, ["serve", "--memory", str(path)])
    assert done.exit_code == 2
    assert "is damaged" in done.output
