"""The kernel's process, run here beside a simulated unit: what it says, holds, and leaves."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api import own_output
from controller.api.ask import KernelAbsentError, ask
from controller.api.fault_files import Files
from controller.api.stop_call import call
from controller.config.paths import kernel_file, port_lock, unit_lock
from controller.device.precedence import Precedence
from controller.kernel import process
from controller.kernel.process import Options
from controller.record import claims
from controller.record.locks import LockState, look
from controller.safety.refusal import ENVIRONMENT, Refusal
from tests.processes.service import SERIAL, SOMEBODY, unit

PATIENCE_S = 20.0


class Meanwhile(threading.Thread):
    """Does something with the kernel once it is there, then ends it."""

    def __init__(self, file: Path, act: Callable[[Path], None]) -> None:
        super().__init__(daemon=True)
        self.failed: BaseException | None = None
        self.over = threading.Event()
        """Set when the kernel has ended: a signal would then be for whoever runs the tests."""
        self._file = file
        self._act = act

    def run(self) -> None:
        end_s = time.monotonic() + PATIENCE_S
        try:
            while not self._file.exists():
                assert time.monotonic() < end_s
                assert not self.over.wait(0.005), "the kernel has ended before it was there"
            said = json.loads(self._file.read_text())
            assert said["pid"] == os.getpid()
            self._act(Path(said["socket"]))
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed = error
            if not self.over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def modest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take nothing from the tests beside this one."""
    monkeypatch.setattr(process, "settle_memory", lambda: None)
    granted = Precedence("ordinary", memory_locked=False)
    monkeypatch.setattr(process, "take_precedence", lambda: granted)
    monkeypatch.setattr(own_output, "hold_nothing", lambda: None)


@pytest.mark.realtime
@pytest.mark.usefixtures("modest")
@pytest.mark.parametrize("words", [(), ("--once",), ("--until-idle",)])
def test_a_kernel_serves_its_unit_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="absent") as device:
        seen: dict[str, Any] = {}

        def act(socket: Path) -> None:
            status = ask(socket, "status", who=SOMEBODY, timeout_s=PATIENCE_S)["result"]
            seen.update(status)
            seen["locks"] = [
                look(lock) for lock in (port_lock(state, device.port), unit_lock(state, SERIAL))
            ]
            seen["stopped"] = call(device.port, emergency=False).answers
            if not words:
                os.kill(os.getpid(), signal.SIGTERM)  # the others end once nobody asks any more

        meanwhile = Meanwhile(kernel_file(state, device.port), act)
        meanwhile.start()
        try:
            code = process.main(["--port", device.port, "--state", str(state), *words])
        finally:
            meanwhile.over.set()
        meanwhile.join(PATIENCE_S)
    assert (code, meanwhile.failed) == (0, None)
    assert seen["kernel"]["port"] == device.port
    assert seen["record"]["path"] == str(state / "journal.sqlite3")
    assert seen["unit"]["serial"] == SERIAL
    assert seen["locks"] == [LockState.HELD, LockState.HELD]
    (answer,) = seen["stopped"]
    assert (answer.port, answer.pid, answer.linked) == (device.port, os.getpid(), True)
    said = json.loads(capsys.readouterr().out)
    assert (said["ready"], said["pid"], said["unit"]["serial"]) == (True, os.getpid(), SERIAL)
    assert said["precedence"]["scheduling"] == "ordinary"
    left = [path.name for path in (state / "run").iterdir()]
    assert not [name for name in left if name.endswith((".sock", ".json", ".new"))]
    with pytest.raises(KernelAbsentError):
        ask(Path(said["socket"]), "status")
    assert look(port_lock(state, device.port)) is LockState.FREE
    assert look(unit_lock(state, SERIAL)) is LockState.FREE
    assert call(device.port, emergency=False).answers == ()


# -- when it ends by itself ------------------------------------------------------------------------
def server(clients: int = 0, *, had: bool = True) -> SimpleNamespace:
    return SimpleNamespace(clients=clients, had_clients=had)


def host(*, idle: bool = True, tripped: bool = False, treatments: int = 1) -> SimpleNamespace:
    return SimpleNamespace(idle=idle, tripped=tripped, treatments=treatments)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("kernel", "clients", "options", "ends"),
    [
        (host(), server(), {"once": True}, True),
        (host(), server(), {"until_idle": True}, True),
        (host(), server(1), {"once": True}, False),
        (host(), server(2), {"until_idle": True}, False),
        (host(idle=False), server(), {"until_idle": True}, False),
        (host(tripped=True), server(), {"until_idle": True}, False),
        (host(tripped=True), server(), {"once": True}, True),
        (host(treatments=0), server(had=False), {"until_idle": True}, False),
        (host(treatments=0), server(had=True), {"until_idle": True}, True),
        (host(), server(), {}, False),
    ],
)
def test_a_kernel_for_a_treatment_ends_when_nobody_needs_it(
    kernel: SimpleNamespace, clients: SimpleNamespace, options: dict[str, bool], *, ends: bool
) -> None:
    said = {"once": False, "until_idle": False, **options}
    made = Options("/dev/a", Path("state"), None, Path("sock"), **said)

    async def scenario() -> bool:
        waits = process._until(asyncio.Event(), cast("Any", kernel), cast("Any", clients), made)
        try:
            async with asyncio.timeout(0.03):
                await waits
        except TimeoutError:
            return False
        return True

    assert asyncio.run(scenario()) is ends


@pytest.mark.realtime
def test_a_kernel_that_is_told_to_end_does_so_whoever_is_there() -> None:
    async def scenario() -> None:
        ended = asyncio.Event()
        ended.set()
        made = Options("/dev/a", Path("state"), None, Path("sock"), once=True)
        busy = cast("Any", host(idle=False))
        async with asyncio.timeout(1.0):
            await process._until(ended, busy, cast("Any", server(3)), made)

    asyncio.run(scenario())


# -- why there is none -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("usage", 2), ("fault", 70), ("port_held", 3), ("unit_held", 3), ("kernel_running", 3),
        ("device", 3), ("record", 1), ("config", 1),
    ],
)  # fmt: skip
def test_why_there_is_no_kernel_is_told_to_people_and_to_whoever_started_it(
    capsys: pytest.CaptureFixture[str], code: str, exit_code: int
) -> None:
    assert process._refused(Refusal(code, "It is so.", "Do it.")) == exit_code
    said = capsys.readouterr()
    assert said.err == "It is so. Do it.\n"
    error = {"code": code, "sentence": "It is so.", "next_step": "Do it."}
    assert json.loads(said.out) == {"ready": False, "error": error}


def test_a_fault_as_it_starts_is_called_one_of_the_kernel(tmp_path: Path) -> None:
    error = process._unforeseen(ZeroDivisionError("x"), Files(process.PROGRAM, tmp_path))
    assert error.code == "fault"
    assert error.sentence.startswith("This is a fault of the kernel itself")
    assert str(tmp_path) in error.next_step
    error = process._unforeseen(OSError(28, "No space left on device"), Files("x", tmp_path))
    assert error.code == ENVIRONMENT


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/x/lock"),
         "/x/lock cannot be used for the locks of this kernel (Permission denied)."),
        (OSError("by a proxy"), "{} cannot be used for the locks of this kernel (by a proxy)."),
    ],
)  # fmt: skip
def test_locks_that_cannot_be_taken_are_named_with_why(
    tmp_path: Path, error: OSError, words: str
) -> None:
    told = claims._not_ours(error, tmp_path)
    assert (told.code, told.sentence) == ("record", words.format(tmp_path / "run"))
