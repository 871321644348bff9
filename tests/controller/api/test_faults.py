"""Whoever asks the kernel gets an answer, whatever its handler raises; no stop waits for it."""

import asyncio
import json
import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.api.fault_files import FAULT, FOLDER, Files
from controller.api.faults import FaultHandler
from controller.api.requests import Request
from controller.api.stop_address import name_for
from controller.api.stop_call import Called, call
from controller.api.stop_way import StopWay
from controller.api.viewer import Viewer
from controller.cli.stop import Words, tell
from controller.cli.stop_older import Older
from controller.safety.refusal import RefusedError
from qa.loop import LooseEndError, run_virtual
from qa.rig import service
from tests.controller.api.served import Desk, say, serving

CLIENT = "c-0042"
FAULTS = [
    KeyError(CLIENT),
    RuntimeError(f"nobody foresaw client {CLIENT}"),
    RecursionError(),
    asyncio.CancelledError(),
    ExceptionGroup("several", [ValueError(CLIENT)]),
]


def _desk(state: Path) -> FaultHandler:
    state.mkdir(exist_ok=True)
    return FaultHandler(Files("kernel", state).leave)


def _left(state: Path) -> list[Path]:
    return sorted((state / FOLDER).glob("*"))


@pytest.mark.realtime
@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_handler_that_raises_answers_with_the_number_and_leaves_a_file(
    tmp_path: Path, error: BaseException
) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path, faults=_desk(tmp_path)) as (desk, path, _):
            desk.raises = error
            ask = f'{{"id": 7, "do": "ack", "args": {{"who": "{CLIENT}"}}}}\n'
            return await say(path, ask.encode())

    (said,) = asyncio.run(scenario())
    (left,) = _left(tmp_path)
    assert (said["id"], said["ok"], said["error"]["code"]) == (7, False, FAULT)
    assert "a fault of the kernel itself and no mistake of yours" in said["error"]["sentence"]
    assert str(left) in said["error"]["next_step"]
    text = left.read_text()
    assert "the request ack" in text
    assert "served.py" in text
    assert CLIENT not in text
    assert left.stat().st_mode & 0o777 == 0o600


@pytest.mark.realtime
@pytest.mark.parametrize("do", ["status", "watch", "stop", "ack", "treat"])
def test_every_kind_of_question_is_answered_and_the_connection_goes_on(
    tmp_path: Path, do: str
) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path, faults=_desk(tmp_path)) as (desk, path, _):
            desk.raises = KeyError("x")
            one = f'{{"id": 7, "do": "{do}"}}\n{{"id": 8, "do": "{do}"}}\n'
            return await say(path, one.encode(), 2)

    said = asyncio.run(scenario())
    assert [(one["id"], one["error"]["code"]) for one in said] == [(7, FAULT), (8, FAULT)]
    assert len(_left(tmp_path)) == 1  # one for each place of the sources


@pytest.mark.realtime
def test_what_the_system_refuses_is_no_fault_of_ours(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path, faults=_desk(tmp_path)) as (desk, path, _):
            desk.raises = PermissionError(13, "Permission denied", "/configs/programs")
            return await say(path, b'{"id": 7, "do": "ack"}\n')

    (said,) = asyncio.run(scenario())
    assert said["error"]["code"] == "environment"
    assert said["error"]["sentence"] == "/configs/programs cannot be used (Permission denied)."
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.realtime
def test_an_answer_that_cannot_be_written_as_text_is_answered_as_a_fault(tmp_path: Path) -> None:
    class Circle(Desk):
        async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
            said: dict[str, Any] = {}
            said["itself"] = said
            return said

    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path, faults=_desk(tmp_path)) as (_, path, server):
            server._service = Circle()
            return await say(path, b'{"id": 7, "do": "ack"}\n')

    (said,) = asyncio.run(scenario())
    assert (said["id"], said["error"]["code"]) == (7, FAULT)


@pytest.mark.realtime
@pytest.mark.hazard("H12")
def test_no_stop_waits_for_a_file_that_a_hanging_disk_does_not_take(tmp_path: Path) -> None:
    disk = threading.Event()

    def hang(_error: BaseException, _doing: str, _private: tuple[str, ...] = ()) -> Path | None:
        disk.wait(30.0)
        return None

    async def scenario() -> tuple[float, list[dict[str, Any]]]:
        async with serving(tmp_path, faults=FaultHandler(hang)) as (desk, path, _):
            desk.raises = KeyError("x")
            waiting = asyncio.create_task(say(path, b'{"id": 7, "do": "ack"}\n'), name="asker")
            while not desk.asked:
                await asyncio.sleep(0.01)
            desk.raises = None
            began_s = time.monotonic()
            (stopped,) = await say(path, b'{"id": 8, "do": "stop"}\n')
            took_s = time.monotonic() - began_s
            disk.set()
            return took_s, [stopped, *await waiting]

    took_s, (stopped, failed) = asyncio.run(scenario())
    assert stopped["ok"] is True
    assert took_s < 0.5  # a file is waited for 1 s
    assert (failed["id"], failed["error"]["code"]) == (7, FAULT)
    assert "no file about it could be written" in failed["error"]["next_step"]


@pytest.mark.realtime
@pytest.mark.hazard("H12")
def test_a_stop_that_meets_a_fault_is_answered_and_the_next_one_is_taken(tmp_path: Path) -> None:
    port = str(tmp_path / "port")
    heard: list[BaseException] = []
    stops = 0

    def stop(_who: object, _emergency: object) -> dict[str, object]:
        nonlocal stops
        stops += 1
        if stops == 1:
            raise KeyError("x")
        return {"state": "stopping", "link": "identified"}

    async def scenario() -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: heard.append(context["exception"]))
        way = StopWay(port, 1)
        way.open()
        way.serve(stop)
        try:
            with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as line:
                line.bind(b"\0corneum/test/" + str(tmp_path).encode()[-60:])
                line.settimeout(0.0)
                said = []
                for _ in range(2):
                    line.sendto(b"stop", name_for(port, 1))
                    said.append(json.loads(await loop.sock_recv(line, 4096)))
                return said
        finally:
            way.close()

    first, second = asyncio.run(scenario())
    assert first["fault"] is True
    assert "state" not in first
    assert second["state"] == "stopping"
    assert [type(one) for one in heard] == [KeyError]


@pytest.mark.realtime
def test_a_kernel_that_met_a_fault_as_it_stopped_is_not_told_as_stopped(tmp_path: Path) -> None:
    port = str(tmp_path / "port")

    def stop(_who: object, _emergency: object) -> dict[str, object]:
        raise KeyError("x")

    async def scenario() -> Called:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        way = StopWay(port, 1)
        way.open()
        way.serve(stop)
        try:
            return await asyncio.to_thread(call, port, emergency=False)
        finally:
            way.close()

    words = Words(port, emergency=False, as_json=True, wrong=False)
    told = tell(words, asyncio.run(scenario()), Older(()))
    assert (told.code, told.stopped) == (3, ())
    assert "met a fault of its own, and whether STOP was written is not known" in told.missed[0]
    assert "Let go of the hand switch" in told.missed[0]


def test_in_virtual_time_a_fault_is_an_answer_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes: list[str] = []

    async def scenario() -> None:
        async with service() as made:

            def broken(*_: object) -> None:
                raise KeyError("x")

            monkeypatch.setattr(made.kernel.control, "silence", broken)
            with pytest.raises(RefusedError) as refused:
                await made.ask("silence")
            codes.append(refused.value.code)

    with pytest.raises(LooseEndError):
        run_virtual(scenario())
    assert codes == [FAULT]
