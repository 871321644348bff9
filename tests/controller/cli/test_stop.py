"""What `corneum stop` says and how it ends: 0 stopped, 1 there is surely none, 3 not reached."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from controller.api.stop_address import StopAddress
from controller.api.stop_call import Answer, Called
from controller.cli import stop, stop_older
from controller.cli.stop import Words, read
from controller.config.paths import HASH_DIGITS, port_lock, run_dir
from controller.record.locks import Lock

NO_OLDER = stop_older.Older(())
FLOWS = Answer("/dev/a", 1, answered=True, state="stopping", linked=True)
SILENT = Answer("/dev/b", 2, answered=False)
NO_LINE = Answer("/dev/c", 3, answered=True, state="active", linked=False)
OTHER = StopAddress(b"\0x", 9, "", "/dev/z")


def told(
    *answers: Answer, port: str | None = None, older: stop_older.Older = NO_OLDER, blind: str = ""
) -> stop.Told:
    others = () if port is None else (OTHER,)
    called = Called(answers, others, 1.0, blind)
    return stop.tell(Words(port, emergency=False, as_json=False, wrong=False), called, older)


def test_every_kernel_that_has_answered_makes_exit_0() -> None:
    said = told(FLOWS, FLOWS._replace(port="/dev/d"))
    assert (said.code, said.missed) == (0, ())
    assert [line.partition(":")[0] for line in said.stopped] == ["/dev/a", "/dev/d"]
    assert said.as_object["done"] == "stop"


@pytest.mark.parametrize("missed", [SILENT, NO_LINE])
def test_one_that_was_not_reached_makes_exit_3_whatever_the_others_did(missed: Answer) -> None:
    said = told(FLOWS, missed)
    assert said.code == 3
    assert len(said.stopped) == 1
    assert "could not be" in said.missed[0]
    assert "hand switch" in said.missed[0]
    assert said.as_object["error"]["code"] == "could_not_be_reached"
    assert [one["stopped"] for one in said.as_object["kernels"]] == [True, False]


def test_none_at_all_makes_exit_1_and_names_those_of_other_ports() -> None:
    assert told().code == 1
    said = told(port="/dev/a")
    assert said.code == 1
    assert said.missed[0].startswith("No kernel runs for /dev/a; 1 for other ports: /dev/z.")


@pytest.mark.parametrize(
    "older", [stop_older.Older((), "no rights"), stop_older.Older((SILENT,))], ids=str
)
def test_what_cannot_be_looked_at_is_not_told_as_none(older: stop_older.Older) -> None:
    said = told(older=older)
    assert said.code == 3
    assert "No kernel" not in said.missed[0]


def test_a_folder_that_cannot_be_looked_at_changes_nothing_about_a_stop_that_was_done() -> None:
    said = told(FLOWS, older=stop_older.Older((), "no rights"))
    assert (said.code, said.missed) == (0, ())
    assert said.as_object["done"] == "stop"
    assert "older version" in said.stopped[-1]
    assert "(no rights)" in said.stopped[-1]


def test_a_table_that_nobody_may_read_is_not_told_as_none() -> None:
    said = told(blind="Permission denied")
    assert said.code == 3
    assert "could not be looked at (Permission denied)" in said.missed[0]


def test_an_older_kernel_that_was_stopped_over_its_api_counts() -> None:
    assert told(older=stop_older.Older((FLOWS,))).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), Words(None, emergency=False, as_json=False, wrong=False)),
        (("--port", "x", "--json"), Words("x", emergency=False, as_json=True, wrong=False)),
        (("--emergency", "--port=y"), Words("y", emergency=True, as_json=False, wrong=False)),
        (("--port", "x", "now"), Words(None, emergency=False, as_json=False, wrong=True)),
        (("--port",), Words(None, emergency=False, as_json=False, wrong=True)),
    ],
)
def test_options_are_read_and_a_mistake_means_every_port(
    arguments: tuple[str, ...], words: Words
) -> None:
    assert read(arguments) == words


@pytest.mark.realtime
def test_nothing_heavy_is_loaded_before_the_stop_is_sent() -> None:
    script = (
        "import sys, json, controller.cli.main, controller.cli.stop;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    heavy = {"typer", "click", "rich", "pydantic", "asyncio", "dataclasses", "subprocess", "serial"}
    assert heavy.isdisjoint(json.loads(out))


@pytest.mark.realtime
def test_a_held_port_without_an_address_is_not_told_as_none(tmp_path: Path) -> None:
    lock = Lock(port_lock(tmp_path, "/dev/older"))
    lock.take()
    try:
        held = stop_older._held(tmp_path, None, frozenset())
        assert [one.lock for one in held] == [lock.path.name]
        assert stop_older._held(tmp_path, "/dev/older", frozenset()) == held
        assert stop_older._held(tmp_path, "/dev/another", frozenset()) == []
        assert stop_older._held(tmp_path, None, frozenset({held[0].pid})) == []
    finally:
        lock.release()
    assert stop_older._held(tmp_path, None, frozenset()) == []


@pytest.mark.realtime
def test_a_lock_that_an_older_version_named_after_an_address_as_written_is_found(
    tmp_path: Path,
) -> None:
    url = "tcp://127.0.0.1:5000"
    name = hashlib.sha256(url.encode()).hexdigest()[:HASH_DIGITS]
    lock = Lock(run_dir(tmp_path) / f"port-{name}.lock")
    lock.take()
    try:
        assert [one.lock for one in stop_older._held(tmp_path, url, frozenset())] == [
            lock.path.name
        ]
        assert stop_older._held(tmp_path, "tcp://127.0.0.1:5001", frozenset()) == []
    finally:
        lock.release()
