"""Whatever comes out of a command is one sentence, with --json an object, and an exit code."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from controller.api.fault_files import FOLDER
from controller.cli import boundary
from controller.cli.outcome import ExitCode, Failure
from controller.cli.output import LostError

Ended = Callable[[Callable[[], int | None], str], tuple[int, str, str]]


@pytest.fixture
def ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Ended:
    """Run something as the command of a program and return code, output and complaints."""
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))

    def _ended(command: Callable[[], int | None], words: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", *words.split()])
        code = boundary.ended("corneum", command, "Look at the unit.")
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


def test_a_failure_is_its_sentence_and_for_a_script_an_object(ended: Ended) -> None:
    failed = _raising(Failure("It is so.", "Do that.", ExitCode.PORT, "no_kernel"))
    assert ended(failed, "status") == (3, "", "It is so. Do that.\n")
    code, out, err = ended(failed, "status --json")
    assert (code, err) == (3, "It is so. Do that.\n")
    assert json.loads(out)["error"] == {
        "code": "no_kernel", "sentence": "It is so.", "next_step": "Do that.", "receipt": None,
    }  # fmt: skip


def test_what_the_environment_refuses_is_out_of_reach_and_leaves_no_file(
    ended: Ended, tmp_path: Path
) -> None:
    refused = _raising(OSError(36, "File name too long", "/a/b"))
    code, out, err = ended(refused, "plan --json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "environment")
    assert err == "/a/b cannot be used (File name too long). Name a shorter path.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        KeyError("anna-b"),
        RuntimeError("of anna-b"),
        asyncio.CancelledError(),
        ExceptionGroup("x", [ValueError("anna-b")]),
        TypeError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_our_own_takes_the_blame_and_names_its_file(
    ended: Ended, tmp_path: Path, error: BaseException
) -> None:
    words = "treat refresh --client anna-b --reason=anna-b --json"
    code, out, err = ended(_raising(error), words)
    (left,) = (tmp_path / FOLDER).iterdir()
    assert code == 70
    (line,) = err.splitlines()
    assert line.startswith("This is a fault of corneum itself and no mistake of yours: ")
    assert f"Give the file {left} to support." in line
    assert line.endswith("Look at the unit.")
    assert json.loads(out)["error"]["code"] == "fault"
    text = left.read_text()
    assert "treat refresh --client --reason --json" in text
    assert "anna" not in text


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])]
)
def test_ctrl_c_is_130_without_a_word(ended: Ended, error: BaseException) -> None:
    assert ended(_raising(error), "status --json") == (130, "", "")


def test_a_reader_that_has_gone_is_told_to_nobody(ended: Ended) -> None:
    assert ended(_raising(LostError(1, BrokenPipeError(32, "Broken pipe"))), "plan") == (3, "", "")


# -- the command line ------------------------------------------------------------------------------
def _app() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

    @app.command()
    def treat(client: str, seed: int = 1) -> None:
        if client == "loose":
            _fail_beside()

    @app.command()
    def other() -> None:
        raise typer.Exit(ExitCode.STOPPED)

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
        ("treat", "Missing argument 'client'. `corneum treat --help` shows what there is."),
        ("treat a --seed soon", "Invalid value for '--seed': "),
        ("treat a --sede 1", "No such option: --sede"),
        ("treat a b", "Got unexpected extra argument(s) (b). `corneum treat --help`"),
        ("treet a", "No such command 'treet'."),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence_with_the_next_step(
    ended: Ended, words: str, said: str
) -> None:
    code, out, err = ended(lambda: boundary.typed(_app(), "corneum"), f"{words} --json")
    if "--json" in err:  # which these commands do not have either
        code, out, err = ended(lambda: boundary.typed(_app(), "corneum"), words)
        assert out == ""
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith(said)
    assert line.endswith("--help` shows what there is.")


def test_a_command_leaves_with_its_own_exit_code(ended: Ended) -> None:
    assert ended(lambda: boundary.typed(_app(), "corneum"), "other") == (5, "", "")


def test_what_fails_in_a_thread_or_in_a_log_is_a_fault_too(ended: Ended, tmp_path: Path) -> None:
    hook = threading.excepthook
    code, out, err = ended(lambda: boundary.typed(_app(), "corneum"), "treat loose")
    assert (code, out) == (0, "")
    first, second = err.splitlines()
    assert "KeyError" in first
    assert "ValueError" in second
    assert len(list((tmp_path / FOLDER).iterdir())) == 2
    assert "Traceback" not in err
    assert threading.excepthook is hook
