"""The asyncio client: what goes over its line, and what becomes of what comes back."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.api import client as client_module
from controller.api.ask import KernelAbsentError, KernelSilentError
from controller.api.client import LINES_MAX, PENDING_MAX, UNSENT_MAX_BYTES, KernelClient, WatchLine
from controller.safety.refusal import RefusedError
from tests.controller.api.connected import settle

pytestmark = pytest.mark.realtime

WHO = {"name": "anna", "role": "practitioner", "origin": "local"}


class Kernel:
    """The other end, in the hand of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def heard(self) -> Any:  # noqa: ANN401 - JSON
        """Return the next line of the client."""
        async with asyncio.timeout(5.0):
            return json.loads(await self.reader.readline())

    def say(self, *lines: object) -> None:
        """Write lines."""
        for line in lines:
            self.writer.write(json.dumps(line).encode() + b"\n")


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[KernelClient, Kernel]]:
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=near)
    kernel = Kernel(*await asyncio.open_unix_connection(sock=far))
    async with KernelClient(reader, writer, WHO) as client:
        yield client, kernel
    async with asyncio.timeout(5.0):
        await kernel.reader.read()  # it has hung up
    kernel.writer.close()
    await kernel.writer.wait_closed()


def shown(number: int, *, leads: bool = False) -> dict[str, Any]:
    return {"id": 1, "leads": leads, "n": number, "snapshot": {"number": number}}


def asking(client: KernelClient, do: str, **more: Any) -> "asyncio.Task[dict[str, Any]]":  # noqa: ANN401
    return asyncio.create_task(client.ask(do, **more), name=do)


def test_questions_are_sent_whole_with_rising_numbers_and_answered_in_any_order() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            first = asking(client, "lower", args={"suction_kpa": 20.0})
            second = asking(client, "ack")
            assert await kernel.heard() == {
                "id": 1,
                "do": "lower",
                "who": WHO,
                "args": {"suction_kpa": 20.0},
            }
            assert await kernel.heard() == {"id": 2, "do": "ack", "who": WHO, "args": {}}
            kernel.say({"id": 2, "ok": True, "result": {"b": 2}})
            assert await second == {"b": 2}
            assert not first.done()
            kernel.say(
                {"id": 7, "ok": True}, {"ok": True}, {"id": 1, "ok": True, "result": {"a": 1}}
            )
            assert await first == {"a": 1}
            assert client._pending == {}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"code": "limit", "sentence": "No.", "next_step": "Less.", "receipt": {"a": 1}},
            ("limit", "No.", "Less.", {"a": 1}),
        ),
        ({}, ("unknown", "The kernel refused without a word.", "", None)),
        (None, ("unknown", "The kernel refused without a word.", "", None)),
    ],
)
def test_a_refusal_is_raised_with_all_that_was_said(
    said: dict[str, Any] | None, told: tuple[object, ...]
) -> None:
    for answer in ({"ok": False, "error": said}, {"error": said}, {"ok": 1, "error": said}):
        with pytest.raises(RefusedError) as caught:
            client_module._result(answer)
        error = caught.value
        assert (error.code, error.sentence, error.next_step, error.refusal.receipt) == told
        assert str(error) == error.sentence


def test_a_yes_without_a_result_is_an_empty_one() -> None:
    assert client_module._result({"ok": True}) == {}
    assert client_module._result({"ok": True, "result": None}) == {}


def test_a_kernel_that_does_not_answer_is_silent_and_a_late_answer_is_dropped() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            with pytest.raises(KernelSilentError) as caught:
                await client.ask("ack", timeout_s=0.02)
            assert str(caught.value) == "the kernel is silent for 0.02 s"
            kernel.say({"id": 1, "ok": True})
            later = asking(client, "ack")
            assert (await kernel.heard(), await kernel.heard())[1]["id"] == 2
            kernel.say({"id": 2, "ok": True, "result": {"a": 1}})
            assert await later == {"a": 1}

    asyncio.run(scenario())


def test_a_line_that_closes_ends_every_question_and_every_watch() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            open_ones = [asking(client, "ack"), asking(client, "reset")]
            await kernel.heard()
            kernel.writer.close()
            for one in open_ones:
                with pytest.raises(KernelAbsentError) as caught:
                    await one
                assert str(caught.value) == "the kernel has closed the connection"
            with pytest.raises(KernelAbsentError, match="closed") as caught:
                await client.ask("ack")
            assert not isinstance(caught.value, KernelSilentError)

    asyncio.run(scenario())


@pytest.mark.parametrize("line", [b"what?\n", b'{"snapshot": {}}\n'])
def test_what_is_no_kernel_ends_the_connection(line: bytes) -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            one = asking(client, "ack")
            await kernel.heard()
            kernel.writer.write(line)
            with pytest.raises(KernelAbsentError):
                await one

    asyncio.run(scenario())


def test_a_watch_yields_each_line_as_it_came_until_the_kernel_is_gone() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):

            async def all_lines() -> list[WatchLine]:
                return [line async for line in client.watch()]

            watching = asyncio.create_task(all_lines(), name="watch")
            assert await kernel.heard() == {"id": 1, "do": "watch", "who": WHO, "args": {}}
            kernel.say({"id": 1, "ok": True}, shown(1), shown(2, leads=True))
            kernel.writer.close()
            assert await watching == [
                WatchLine(1, False, {"number": 1}),  # noqa: FBT003 - in order
                WatchLine(2, True, {"number": 2}),  # noqa: FBT003
            ]

    asyncio.run(scenario())


def test_a_slow_reader_sees_the_newest_lines() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            for number in range(1, 8):
                client._take(shown(number))
            watching = client.watch()
            first = asyncio.ensure_future(anext(watching))
            await kernel.heard()
            kernel.say({"id": 1, "ok": True})
            seen = [await first] + [await anext(watching) for _ in range(LINES_MAX - 1)]
            assert [line.number for line in seen] == [4, 5, 6, 7]

    asyncio.run(scenario())


def test_what_was_shown_is_confirmed_without_a_number_of_its_own() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            client.seen(7)
            assert await kernel.heard() == {"do": "seen", "who": WHO, "args": {"n": 7}}

    asyncio.run(scenario())


def test_a_kernel_that_reads_nothing_gets_no_more_confirmations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            waiting_bytes = UNSENT_MAX_BYTES + 1
            transport = type(client._writer.transport)
            monkeypatch.setattr(transport, "get_write_buffer_size", lambda _self: waiting_bytes)
            client.seen(1)
            waiting_bytes = UNSENT_MAX_BYTES
            client.seen(2)
            assert (await kernel.heard())["args"] == {"n": 2}
            monkeypatch.undo()

    asyncio.run(scenario())


def test_so_many_questions_may_be_open_at_a_time() -> None:
    async def scenario() -> None:
        async with connected() as (client, kernel):
            open_ones = [asking(client, "ack") for _ in range(PENDING_MAX)]
            await settle()
            with pytest.raises(KernelAbsentError) as caught:
                await client.ask("ack")
            assert str(caught.value) == "more than 16 questions wait for the kernel"
            kernel.writer.close()
            await asyncio.wait(open_ones)
            assert all(isinstance(one.exception(), KernelAbsentError) for one in open_ones)

    asyncio.run(scenario())


def test_a_kernel_is_knocked_at_until_it_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    knocked: list[Path] = []
    near, far = socket.socketpair()

    def knock(path: Path) -> socket.socket:
        knocked.append(path)
        if len(knocked) < 3:
            raise KernelSilentError("x")
        return near

    monkeypatch.setattr(client_module, "knock", knock)

    async def scenario() -> None:
        client = await KernelClient.open(Path("/r/kernel.sock"), WHO)
        client.seen(1)
        kernel = Kernel(*await asyncio.open_unix_connection(sock=far))
        assert (await kernel.heard())["who"] == WHO
        await client.close()
        kernel.writer.close()

    asyncio.run(scenario())
    assert knocked == [Path("/r/kernel.sock")] * 3


def test_a_kernel_that_takes_nobody_in_is_told_with_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knocked: list[Path] = []

    def full(path: Path) -> socket.socket:
        knocked.append(path)
        raise KernelSilentError("x")

    monkeypatch.setattr(client_module, "knock", full)
    monkeypatch.setattr(client_module, "TIMEOUT_S", 0.03)
    with pytest.raises(KernelSilentError) as caught:
        asyncio.run(KernelClient.open(Path("/r/kernel.sock"), WHO))
    assert str(caught.value) == "the kernel at /r/kernel.sock takes nobody in for 0.03 s"
    assert 2 <= len(knocked) <= 5  # one each 10 ms, and none in between
