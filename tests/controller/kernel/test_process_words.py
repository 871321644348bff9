"""The command line of the kernel's process, and every word in which it refuses or ends."""

import asyncio
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api import own_output
from controller.api.faults import FaultHandler
from controller.config import paths
from controller.kernel import process
from controller.kernel.process import Options
from controller.safety.refusal import Refusal, RefusedError, refusing

HELP = """\
usage: controller.kernel [-h] --port PORT [--state STATE] [--configs CONFIGS] [--socket SOCKET] \
[--until-idle | --once]

The control process.

options:
  -h, --help         show this help message and exit
  --port PORT        device, pty or tcp://host:port
  --state STATE      state folder; default as for the command line
  --configs CONFIGS  configuration folder; default: as shipped
  --socket SOCKET    where to listen; default: under the state
  --until-idle       end when nothing runs and no trip stands
  --once             end with the client
"""


# -- what it takes ---------------------------------------------------------------------------------
@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder, and another one as the state of this account."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(paths.STATE_VARIABLE, str(tmp_path / "account"))
    return tmp_path


def test_what_the_command_line_does_not_say_follows_from_the_account(folder: Path) -> None:
    state, port = folder / "account", "tcp://localhost:5001"
    options = process._options(["--port", port])
    assert options == Options(
        port=port,
        state=state,
        configs=None,
        socket=paths.socket_path(state, port),
        once=False,
        until_idle=False,
    )
    assert not options.for_treatment


@pytest.mark.parametrize(
    ("ending", "once", "until_idle"), [("--once", True, False), ("--until-idle", False, True)]
)
def test_what_the_command_line_says_is_taken_by_its_whole_path(
    folder: Path, ending: str, *, once: bool, until_idle: bool
) -> None:
    (folder / "line").touch()
    words = ["--port", "line", "--state", "s", "--configs", "c", "--socket", "x.sock", ending]
    options = process._options(words)
    assert options == Options(
        port=str(folder / "line"),
        state=folder / "s",
        configs=folder / "c",
        socket=folder / "x.sock",
        once=once,
        until_idle=until_idle,
    )
    assert options.for_treatment


def test_the_help_names_each_option_with_its_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        process._options(["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == HELP


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "the following arguments are required: --port"),
        (["--port", "a", "--fast"], "unrecognized arguments: --fast"),
        (
            ["--port", "a", "--until-idle", "--once"],
            "argument --once: not allowed with argument --until-idle",
        ),
    ],
)
def test_a_command_line_that_is_wrong_is_refused_with_the_way_to_its_options(
    words: Sequence[str], why: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        process._options(words)
    assert said(caught.value) == (
        "usage",
        f"The command line of the kernel is wrong: {why}.",
        "`python -m controller.kernel --help` lists the options.",
    )


def said(error: RefusedError | Refusal) -> tuple[str, str, str]:
    return error.code, error.sentence, error.next_step


# -- how it ends -----------------------------------------------------------------------------------
class Left:
    """The files that faults leave: here only what would be written."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.left: list[tuple[BaseException, str]] = []

    def leave(self, error: BaseException, doing: str) -> Path | None:
        self.left.append((error, doing))
        return self.path


@pytest.mark.parametrize(
    ("path", "step"),
    [
        (Path("/f/one.txt"), "Give the file /f/one.txt to support."),
        (None, "Give this sentence to support: no file about it could be written."),
    ],
)
def test_a_fault_of_start_or_run_is_left_as_such_and_told_with_its_file(
    path: Path | None, step: str
) -> None:
    files, error = Left(path), ZeroDivisionError("x")
    refused = process._unforeseen(error, cast("Any", files))
    assert files.left == [(error, "its start or run")]
    sentence = "This is a fault of the kernel itself and no mistake of yours: ZeroDivisionError."
    assert said(refused) == ("fault", sentence, step)


def test_what_the_computer_refuses_is_no_fault_and_leaves_no_file() -> None:
    files = Left()
    refused = process._unforeseen(OSError(28, "No space left on device"), cast("Any", files))
    assert said(refused) == ("environment", "The disk is full.", "Free space on it.")
    assert files.left == []


def test_a_thread_that_fails_is_told_on_standard_error_with_its_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files, error = Left(Path("/f/one.txt")), ZeroDivisionError("x")
    failed = threading.ExceptHookArgs((ZeroDivisionError, error, None, None))
    process._thread_failed(cast("Any", files), failed)
    assert files.left == [(error, "a thread")]
    assert capsys.readouterr().err == (
        "This is a fault of the kernel itself and no mistake of yours: ZeroDivisionError. "
        "Give the file /f/one.txt to support.\n"
    )
    nothing = threading.ExceptHookArgs((SystemExit, None, None, None))
    process._thread_failed(cast("Any", files), nothing)
    assert len(files.left) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("port_not_found", 3), ("unit_held", 3), ("device", 3), ("kernel_socket", 3),
        ("kernel_stop", 3), ("link", 3), ("environment", 3), ("record_port", 1), ("usage", 2),
        ("fault", 70), ("zone", 1),
    ],
)  # fmt: skip
def test_the_first_word_of_a_code_says_how_the_process_ends(
    capsys: pytest.CaptureFixture[str], code: str, exit_code: int
) -> None:
    assert process._refused(Refusal(code, "It is so.", "")) == exit_code
    told = capsys.readouterr()
    assert told.err == "It is so.\n"
    error = {"code": code, "sentence": "It is so.", "next_step": ""}
    assert told.out == json.dumps({"ready": False, "error": error}) + "\n"


# -- the frame around the service ------------------------------------------------------------------
class Frame:
    """What `main` does around the service, in its order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, raises: BaseException | None) -> None:
        self.done: list[Any] = []
        self.faults: FaultHandler | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.raises = raises
        monkeypatch.setattr(threading, "excepthook", threading.excepthook)
        for place, name in (
            (own_output, "keep_low_descriptors"),
            (process, "unwind"),
            (process, "end_at_once"),
        ):
            monkeypatch.setattr(place, name, self._noted(name))
        monkeypatch.setattr(process, "claimed_port", self._claimed)
        monkeypatch.setattr(process, "loop_factory", lambda: self._made)
        monkeypatch.setattr(process, "_serve", self._serve)

    def _noted(self, name: str) -> Callable[[], None]:
        return lambda: self.done.append(name)

    def _made(self) -> asyncio.AbstractEventLoop:
        self.loop = asyncio.new_event_loop()
        return self.loop

    @contextmanager
    def _claimed(self, state: Path, port: str) -> Iterator[None]:
        self.done.append(("claimed", state, port))
        try:
            yield
        finally:
            self.done.append("released")

    async def _serve(self, options: Options, faults: FaultHandler) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.done.append(options)
        self.faults = faults
        if self.raises is not None:
            raise self.raises


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("raises", "exit_code"),
    [
        (None, 0),
        (KeyboardInterrupt(), 130),
        (refusing("port_held", "It is held.", "Wait."), 3),
        (ZeroDivisionError("x"), 70),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_port_is_claimed_before_the_service_and_released_after_it_however_that_ends(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    raises: BaseException | None,
    exit_code: int,
) -> None:
    frame = Frame(monkeypatch, raises)
    state = folder / "s"
    state.mkdir()
    assert process.main(["--port", "tcp://a:1", "--state", str(state)]) == exit_code
    assert frame.done == [
        "keep_low_descriptors",
        "unwind",
        ("claimed", state, "tcp://a:1"),
        process._options(["--port", "tcp://a:1", "--state", str(state)]),
        "released",
        "end_at_once",
    ]
    left = list((state / "faults").glob("*.txt")) if exit_code == process.EXIT_FAULT else []
    assert len(left) == (1 if exit_code == process.EXIT_FAULT else 0)
    told = capsys.readouterr()
    assert bool(told.out) == bool(told.err) == (exit_code in (3, 70))
    assert all(str(file) in told.err for file in left)


@pytest.mark.realtime
def test_what_threads_and_handlers_raise_is_left_in_the_folder_of_the_state(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    frame = Frame(monkeypatch, None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    state = folder / "s"
    state.mkdir()
    process.main(["--port", "tcp://a:1", "--state", str(state)])
    assert frame.faults is not None
    assert frame.faults._leave is not None
    first = frame.faults._leave(ZeroDivisionError("x"), "the request ack", ())
    failed = threading.ExceptHookArgs((ValueError, ValueError("y"), None, None))
    threading.excepthook(failed)
    files = sorted((state / "faults").iterdir())
    assert len(files) == 2
    assert first in files
    words = "".join(file.read_text() for file in files)
    assert words.count("controller.kernel") == 2
    assert words.count("the request ack") == words.count("a thread") == 1


@pytest.mark.realtime
def test_a_fault_before_the_state_is_named_is_left_in_that_of_the_account(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def fails(_arguments: object) -> Options:
        raise ZeroDivisionError("x")

    Frame(monkeypatch, None)
    monkeypatch.setattr(process, "_options", fails)
    (folder / "account").mkdir()
    assert process.main([]) == process.EXIT_FAULT
    (file,) = (folder / "account" / "faults").iterdir()
    assert "controller.kernel" in file.read_text()


@pytest.mark.realtime
def test_a_wrong_command_line_claims_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = Frame(monkeypatch, None)
    assert process.main(["--state", "s"]) == process.EXIT_USAGE
    assert frame.done == ["keep_low_descriptors", "unwind", "end_at_once"]
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
