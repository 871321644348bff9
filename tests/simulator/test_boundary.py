"""Whatever comes out of corneum-sim is one sentence, with --json an object, and an exit code."""

import asyncio
import errno
import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from simulator import boundary, fault_file
from simulator.output import LostError

Ended = Callable[[Callable[[], int | None], str], tuple[int, str, str]]


@pytest.fixture
def ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Ended:
    """Run something as the command and return code, output and complaints."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(fault_file, "_left", {})

    def _ended(command: Callable[[], int | None], words: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum-sim", *words.split()])
        code = boundary.ended(command)
        said = capsys.readouterr()
        return code, said.out, said.err

    return _ended


def _raising(error: BaseException) -> Callable[[], int | None]:
    def command() -> int | None:
        raise error

    return command


def test_what_goes_well_says_nothing_more(ended: Ended) -> None:
    assert ended(lambda: None, "") == (0, "", "")
    assert ended(lambda: 4, "") == (4, "", "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(36, "File name too long", "/a/b"), "/a/b cannot be used (File name too long). "),
        (OSError(errno.EMFILE, "x"), "This process may open no more files. Raise its limit: "),
        (MemoryError(), "This computer has no memory left. Close other programs."),
    ],
)
def test_what_the_system_refuses_leaves_no_file(
    ended: Ended, tmp_path: Path, error: BaseException, words: str
) -> None:
    code, out, err = ended(_raising(error), "serve --json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "environment")
    (line,) = err.splitlines()
    assert line.startswith(words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [KeyError("anna-b"), OSError(5000, "anna-b"), asyncio.CancelledError(),
     ExceptionGroup("x", [ValueError("anna-b")])],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_fault_of_our_own_takes_the_blame_and_names_its_file(
    ended: Ended, tmp_path: Path, error: BaseException
) -> None:
    code, out, err = ended(_raising(error), "serve --json")
    (left,) = tmp_path.glob("corneum-faults-*/fault-*.txt")
    assert code == 70
    (line,) = err.splitlines()
    assert line.startswith("This is a fault of corneum-sim itself and no mistake of yours: ")
    assert line.endswith(f"Give the file {left} to support.")
    assert json.loads(out)["error"]["code"] == "fault"
    text = left.read_text()
    assert "simulator/boundary.py:" in text or "Group" in type(error).__name__
    assert "anna" not in text


def test_a_fault_that_comes_back_leaves_one_file_and_the_oldest_goes(
    ended: Ended, tmp_path: Path
) -> None:
    for _ in range(3):
        ended(_raising(KeyError("x")), "")
    (left,) = tmp_path.glob("corneum-faults-*/*")
    for number in range(30):
        left.with_name(f"fault-2020-{number:02}.txt").touch()
    ended(_raising(ValueError("x")), "")
    assert len(list(left.parent.iterdir())) == fault_file.FILES_MAX


def test_a_folder_that_cannot_be_written_takes_no_sentence_away(
    ended: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    code, _, err = ended(_raising(KeyError("x")), "")
    assert code == 70
    assert err.endswith("Give this sentence to support: no file about it could be written.\n")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()]), typer.Abort()]
)
def test_ctrl_c_is_130_without_a_word(ended: Ended, error: BaseException) -> None:
    assert ended(_raising(error), "serve --json") == (130, "", "")


def test_a_reader_that_has_gone_is_told_to_nobody_and_a_full_disk_is(ended: Ended) -> None:
    gone = LostError(1, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert ended(_raising(gone), "serve") == (3, "", "")
    full = LostError(1, OSError(errno.ENOSPC, "No space left on device"))
    said = "Standard output cannot be written: No space left on device. Send it to "
    assert ended(_raising(full), "serve")[2].startswith(said)


# -- the command line ------------------------------------------------------------------------------
def _app() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

    @app.command()
    def serve(hand: str, seed: int = 1) -> None:
        if hand == "loose":
            _fail_beside()

    @app.command()
    def other() -> None:
        raise typer.Exit(5)

    return app


def _fail_beside() -> None:
    thread = threading.Thread(target=_raising(KeyError("anna-b")))
    thread.start()
    thread.join()
    try:
        _raising(ValueError("anna-b"))()
    except ValueError:
        logging.getLogger("x.y").exception("beside")
    # A task that is cancelled as its loop ends is no fault, and Python logs some of them.
    logging.getLogger("x.y").error("ended", exc_info=asyncio.CancelledError())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("serve", "Missing argument 'hand'. `corneum-sim serve --help` shows what there is."),
        ("serve a --seed soon", "Invalid value for '--seed': "),
        ("serve a --sede 1", "No such option: --sede"),
        ("sevre a", "No such command 'sevre'."),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence_with_the_next_step(
    ended: Ended, words: str, said: str
) -> None:
    code, out, err = ended(lambda: boundary.typed(_app()), words)
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith(said)
    assert line.endswith("--help` shows what there is.")


def test_a_command_leaves_with_its_own_exit_code(ended: Ended) -> None:
    assert ended(lambda: boundary.typed(_app()), "other") == (5, "", "")


def test_what_fails_in_a_thread_or_in_a_log_is_a_fault_too(ended: Ended, tmp_path: Path) -> None:
    hook = threading.excepthook
    code, out, err = ended(lambda: boundary.typed(_app()), "serve loose")
    assert (code, out) == (0, "")
    first, second = err.splitlines()
    assert "KeyError" in first
    assert "ValueError" in second
    assert len(list(tmp_path.glob("corneum-faults-*/*"))) == 2
    assert threading.excepthook is hook


# -- the process -----------------------------------------------------------------------------------
@pytest.mark.realtime
@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("serve --help > /dev/full", 3, "Standard output cannot be written: No space left on"),
        ("serve --seed x", 2, "Invalid value for '--seed'"),
        ("ask state --control /none >&- 2>&-", 3, ""),
        ("--version >&-", 0, ""),
    ],
)
def test_the_command_itself_ends_so(shell: str, code: int, said: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m simulator.cli {shell}', sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == (1 if said else 0)


@pytest.mark.realtime
def test_a_terminal_without_such_characters_gets_others() -> None:
    code = "from simulator import output; output.prepare(); print('5 µm ± 1 ≤ 7 ☃')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"5 um +- 1 <= 7 ?\n"
