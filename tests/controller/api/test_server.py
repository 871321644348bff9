"""The socket: who gets in, what is too long or too slow, and the stop that waits for nobody."""

import asyncio
import contextlib
import json
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.api import server as server_module
from controller.api.ask import KernelAbsentError, ask, dial
from controller.api.authority import Do
from controller.api.client import KernelClient
from controller.api.peer import is_welcome, listen, peer_uid
from controller.api.requests import REQUEST_MAX_BYTES
from controller.api.server import CLIENTS_MAX, QUESTIONS_MAX, UNREAD_MAX_BYTES
from controller.safety.refusal import RefusedError
from tests.controller.api.served import ANNA, say, serving

pytestmark = [pytest.mark.realtime, pytest.mark.alone]


def test_a_question_is_answered_with_its_id(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (_, path, _):
            return await say(path, b'{"id": 9, "do": "ack"}\n{"id": 10, "do": "reset"}\n', 2)

    first, second = asyncio.run(scenario())
    assert first == {"id": 9, "ok": True, "result": {"did": "ack"}}
    assert (second["id"], second["ok"], second["error"]["code"]) == (10, False, "no_trip")


def test_bad_json_is_answered_and_the_connection_goes_on(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (_, path, _):
            return await say(path, b'what?\n\n{"id": 2, "do": "status"}\n', 2)

    answers = {answer["id"]: answer for answer in asyncio.run(scenario())}
    assert answers[0]["error"]["code"] == "bad_request"
    assert answers[2]["ok"] is True


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["without end", "with end"])
def test_a_request_above_64_kib_is_refused_and_hung_up_on(tmp_path: Path, end: bytes) -> None:
    async def scenario() -> tuple[list[dict[str, Any]], list[Do]]:
        async with serving(tmp_path) as (desk, path, _):
            data = b'{"id": 1, "do": "status", "args": {"a": "' + b"x" * REQUEST_MAX_BYTES + end
            return await say(path, data, 5), desk.asked

    said, asked = asyncio.run(scenario())
    assert [answer["error"]["code"] for answer in said] == ["too_large"]
    assert "64 KiB" in said[0]["error"]["sentence"]
    assert asked == []


@pytest.mark.hazard("H12")
def test_a_stop_does_not_wait_for_the_questions_before_it(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (_, path, _):
            lines = b"".join(b'{"id": %d, "do": "dismiss"}\n' % number for number in range(1, 20))
            return await say(path, lines + b'{"id": 99, "do": "stop"}\n', 12)

    said = asyncio.run(scenario())
    refused = [answer for answer in said if not answer["ok"]]
    assert [answer["error"]["code"] for answer in refused] == ["busy"] * (19 - QUESTIONS_MAX)
    assert [answer["id"] for answer in said if answer["ok"]] == [99]


def test_a_line_in_single_bytes_is_the_same_line(tmp_path: Path) -> None:
    async def scenario() -> dict[str, Any]:
        async with serving(tmp_path) as (_, path, _):
            reader, writer = await asyncio.open_unix_connection(path)
            for byte in b'{"id": 4, "do": "stop", "args": {"emergency": true}}\n':
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            await writer.wait_closed()
            return answer

    assert asyncio.run(scenario())["result"] == {"emergency": True}


def test_the_socket_is_for_its_user_alone(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, int]:
        async with serving(tmp_path) as (_, path, _):
            return path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777

    assert asyncio.run(scenario()) == (0o600, 0o700)


def test_a_foreign_user_is_told_so_and_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "peer_uid", lambda _line: 54_321)

    async def scenario() -> tuple[list[dict[str, Any]], int]:
        async with serving(tmp_path) as (desk, path, _):
            return await say(path, b'{"do": "stop"}\n', 2), desk.stops

    said, stops = asyncio.run(scenario())
    assert [answer["error"]["code"] for answer in said] == ["not_allowed"]
    assert stops == 0


@pytest.mark.parametrize(
    ("uid", "welcome"), [(1000, True), (0, True), (1001, False), (65534, False), (None, False)]
)
def test_only_the_own_user_and_root_are_welcome(uid: int | None, *, welcome: bool) -> None:
    assert is_welcome(uid, 1000) is welcome


def test_the_user_of_the_other_end_is_known_and_unknown_where_it_cannot_be() -> None:
    one, other = socket.socketpair()
    with closing(one), closing(other), closing(socket.socket()) as stranger:
        assert peer_uid(one) == Path("/proc/self").stat().st_uid
        assert peer_uid(stranger) in {None, 0xFFFFFFFF, -1}


def test_a_socket_that_a_killed_kernel_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run" / "kernel.sock"
    with closing(listen(path)):
        pass  # closed without being removed, as a kill -9 does
    assert path.exists()
    with pytest.raises(KernelAbsentError):
        ask(path, "status")

    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (_, fresh, _):
            return await say(fresh, b'{"do": "status"}\n')

    assert asyncio.run(scenario())[0]["ok"] is True


def test_a_file_that_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("keep me")
    with pytest.raises(FileExistsError):
        listen(path)
    assert path.read_text() == "keep me"


def test_a_socket_that_somebody_listens_on_is_left_to_him(tmp_path: Path) -> None:
    path = tmp_path / "kernel.sock"
    with closing(listen(path)), pytest.raises(OSError, match="another kernel listens"):
        listen(path)


def test_a_path_that_is_too_long_for_a_socket_address_works_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)

    async def scenario() -> dict[str, Any]:
        async with serving(folder) as (_, path, _), await KernelClient.open(path, ANNA) as kernel:
            assert len(str(path)) > 108
            return await kernel.ask("ack")

    assert asyncio.run(scenario()) == {"did": "ack"}


def test_one_client_too_many_is_told_to_wait_and_a_place_becomes_free_again(tmp_path: Path) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        async with serving(tmp_path) as (_, path, server):
            lines = [dial(path) for _ in range(CLIENTS_MAX)]
            async with asyncio.timeout(5.0):
                while server.clients < CLIENTS_MAX:
                    await asyncio.sleep(0.01)
            (refused,) = await say(path, b"")
            lines.pop().close()
            async with asyncio.timeout(5.0):
                while server.clients >= CLIENTS_MAX:
                    await asyncio.sleep(0.01)
            (answered,) = await say(path, b'{"do": "status"}\n')
            for line in lines:
                line.close()
            return refused, answered

    refused, answered = asyncio.run(scenario())
    assert refused["error"]["code"] == "busy"
    assert answered["ok"] is True


def test_a_client_that_leaves_in_the_middle_of_its_question_harms_nobody(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (desk, path, server):
            with closing(dial(path)) as line:
                line.sendall(b'{"id": 1, "do": "dismiss"}\n{"id": 2, "do": "sta')
                async with asyncio.timeout(5.0):
                    while not desk.asked:
                        await asyncio.sleep(0.01)
            async with asyncio.timeout(5.0):
                while server.clients:
                    await asyncio.sleep(0.01)
            desk.may_dismiss.set()
            return await say(path, b'{"do": "status"}\n')

    assert asyncio.run(scenario())[0]["ok"] is True


def test_the_client_raises_what_the_kernel_refused_and_notices_that_it_is_gone(
    tmp_path: Path,
) -> None:
    async def scenario() -> str:
        async with (
            serving(tmp_path) as (_, path, server),
            await KernelClient.open(path, ANNA) as kernel,
        ):
            with pytest.raises(RefusedError, match="No trip is latched"):
                await kernel.ask("reset")
            with pytest.raises(KernelAbsentError, match="silent"):
                await kernel.ask("dismiss", timeout_s=0.05)
            watching = kernel.watch()
            await anext(watching)
            await server.close()
            async for _ in watching:
                pass
            with pytest.raises(KernelAbsentError):
                await kernel.ask("status")
        return "done"

    assert asyncio.run(scenario()) == "done"


# -- more than a person asks -----------------------------------------------------------------------
def test_a_stop_behind_a_burst_of_the_same_client_is_taken_when_it_is_read(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, int]:
        async with serving(tmp_path) as (desk, path, _):
            with closing(dial(path)) as line:
                line.sendall(b'{"do": "ack"}\n' * 1000 + b'{"do": "stop"}\n')
                async with asyncio.timeout(5.0):
                    while not desk.stops:
                        await asyncio.sleep(0)
                return desk.stops, len(desk.asked)

    stops, asked_before = asyncio.run(scenario())
    assert stops == 1
    assert asked_before < 500  # the burst is worked off in turns, and the stop waits for none


def test_a_burst_is_worked_off_in_turns_and_all_of_it_is_answered(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, float]:
        async with serving(tmp_path) as (_, path, _):
            longest_s = 0.0

            async def beat() -> None:
                nonlocal longest_s
                while True:
                    began_s = time.thread_time()  # of the processor: others may have it as well
                    await asyncio.sleep(0)
                    longest_s = max(longest_s, time.thread_time() - began_s)

            beating = asyncio.create_task(beat(), name="beat")
            answers = await say(path, b"{}\n" * 2000, 2000)
            beating.cancel()
            return len(answers), longest_s

    answers, longest_s = asyncio.run(scenario())
    assert answers == 2000
    assert longest_s < 0.05  # a beat; without turns all of it is one callback of 100 ms or more


def test_who_asks_and_never_reads_costs_a_bounded_buffer_and_may_still_stop(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[int, int]:
        async with serving(tmp_path) as (desk, path, server):
            desk.padding = "x" * 3000
            with closing(dial(path)) as line:
                line.settimeout(0.0)
                async with asyncio.timeout(5.0):
                    while not server.clients:
                        await asyncio.sleep(0.01)
                (connection,) = server._connections
                for _ in range(200):
                    with contextlib.suppress(BlockingIOError):
                        line.send(b'{"do": "status"}\n' * 100)
                    await asyncio.sleep(0.005)
                assert connection._transport is not None
                waiting = connection._transport.get_write_buffer_size()
                connection.data_received(b'\n{"do": "stop"}\n')
                return waiting, desk.stops

    waiting_bytes, stops = asyncio.run(scenario())
    assert waiting_bytes <= UNREAD_MAX_BYTES
    assert stops == 1
