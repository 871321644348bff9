"""What the command prints arrives in any encoding, and a lost output is one sentence."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from controller.cli import live, output, plan_bars, words
from controller.cli.outcome import ExitCode

PLAN = ("plan", "refresh", "--client", "demo", "--zones", "nose")


def corneum(
    *words: str, stdout: int, state: Path, more: Mapping[str, str] = MappingProxyType({})
) -> subprocess.Popen[bytes]:
    """Start the command as a shell would."""
    command = [sys.executable, "-m", "controller.cli.main", *words]
    environment = {**os.environ, "CORNEUM_STATE": str(state), **more}
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=environment)


@pytest.mark.realtime
@pytest.mark.parametrize(
    "terminal",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
@pytest.mark.parametrize("words", [PLAN, ("config", "check"), ("treat", "--help")])
def test_a_terminal_that_cannot_show_a_character_gets_one_that_looks_like_it(
    words: tuple[str, ...], terminal: dict[str, str], tmp_path: Path
) -> None:
    with corneum(*words, stdout=subprocess.PIPE, state=tmp_path, more=terminal) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    if words is PLAN:
        micro = b"\xb5m" if terminal.get("PYTHONIOENCODING") == "latin-1" else b"um"
        assert b"of 3.09 " + micro in out


@pytest.mark.realtime
def test_a_full_disk_under_the_output_is_one_sentence_and_no_refusal(tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        corneum(*PLAN, stdout=full.fileno(), state=tmp_path) as process,
    ):
        _, err = process.communicate()
    assert process.returncode == ExitCode.PORT
    (line,) = err.decode().splitlines()
    assert line.startswith("Standard output cannot be written: No space left")


@pytest.mark.realtime
def test_a_reader_that_has_gone_is_no_error_of_the_command(tmp_path: Path) -> None:
    with corneum(*PLAN, stdout=subprocess.PIPE, state=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert process.returncode == ExitCode.PORT
    assert err == b""


@pytest.mark.realtime
def test_an_output_that_was_closed_begins_no_treatment(tmp_path: Path) -> None:
    words = f"exec {sys.executable} -m controller.cli.main treat refresh --client demo --simulator"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{words} >&-"],
        stderr=subprocess.PIPE,
        env={**os.environ, "CORNEUM_STATE": str(tmp_path)},
        check=False,
    )
    assert done.returncode == ExitCode.PORT
    assert b"it was closed before the command began" in done.stderr
    assert not (tmp_path / "journal.sqlite3").exists()


def test_a_pipe_that_is_full_takes_nothing_and_one_without_a_reader_is_lost() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with os.fdopen(write_end, "w") as stream:
        assert output.takes_more(stream)
        while True:
            try:
                os.write(write_end, bytes(4096))
            except BlockingIOError:
                break
        assert not output.takes_more(stream)
        os.close(read_end)
        with pytest.raises(output.LostError) as lost:
            output.takes_more(stream)
        assert lost.value.reader_gone


def test_every_mark_of_the_views_has_a_look_alike() -> None:
    marks = {*live.ZONE_MARK.values(), *plan_bars.LEGEND, words.UNKNOWN, *words.bar(1, 2), "µ"}
    for mark in marks:
        assert mark.isascii() or mark in output.LOOK_ALIKES, mark
