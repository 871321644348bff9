"""Who asks a kernel: over a client, and with a STOP, at one that acts over real sockets."""

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from controller.api import stop_address, stop_call
from controller.api.ask import KernelAbsentError, dial
from controller.api.client import KernelClient
from controller.api.finding import running_kernels
from controller.api.stop_call import Answer, call
from controller.safety.refusal import RefusedError
from tests.controller.cli.acting_kernel import acting, own_table
from tests.controller.cli.views import ACTIVE, IDLE

pytestmark = pytest.mark.realtime

ANNA = {"name": "anna", "role": "viewer", "origin": "local"}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    own_table(monkeypatch, tmp_path / "table")
    monkeypatch.setattr(stop_call, "ANSWER_MAX_S", 0.05)
    return tmp_path / "state"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5.0):
            await scenario()

    asyncio.run(bounded())


def test_an_answer_is_its_result_and_a_refusal_is_an_error_with_all_its_words(state: Path) -> None:
    with acting(state) as kernel:
        kernel.answers["status"] = {"state": "idle"}
        kernel.errors["ack"] = {"code": "no", "sentence": "No.", "next_step": "Go.", "receipt": {}}
        kernel.errors["reset"] = {}

        async def scenario() -> None:
            async with await KernelClient.open(kernel.socket, ANNA) as client:
                assert await client.ask("status", {"a": 1}) == {"state": "idle"}
                assert await client.ask("pause") == {}
                with pytest.raises(RefusedError) as caught:
                    await client.ask("ack")
                error = caught.value
                assert (error.code, error.sentence, error.next_step) == ("no", "No.", "Go.")
                assert error.refusal.receipt == {}
                with pytest.raises(RefusedError) as caught:
                    await client.ask("reset")
                error = caught.value
                assert (error.code, error.next_step, error.refusal.receipt) == ("unknown", "", None)
                assert error.sentence == "The kernel refused without a word."

        run(scenario)
    assert kernel.asked[0] == ("status", {"a": 1}, ANNA)


def test_a_watch_is_asked_for_and_its_lines_come_with_number_and_lead(state: Path) -> None:
    with acting(state) as kernel:
        kernel.shows, kernel.leads = [IDLE, ACTIVE], True

        async def scenario() -> None:
            async with await KernelClient.open(kernel.socket, ANNA) as client:
                lines = client.watch()
                first, second = await anext(lines), await anext(lines)
                assert [first.number, second.number] == [1, 2]
                assert first.leads
                assert second.snapshot["state"] == "active"
                client.seen(second.number)
                kernel.hang_up()
                with pytest.raises(StopAsyncIteration):
                    await anext(lines)
                with pytest.raises(KernelAbsentError):
                    await client.ask("status")

        run(scenario)
    assert kernel.did == ["watch"]


def test_a_line_to_a_kernel_is_a_stream_that_ends_with_it(state: Path) -> None:
    with acting(state) as kernel, dial(kernel.socket, 1.0) as line:
        assert line.gettimeout() == 1.0
        assert line.getpeername().endswith(kernel.socket.name)


@pytest.mark.parametrize(("emergency", "word"), [(True, b"emergency"), (False, b"stop")])
@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            b'{"port": "/dev/x", "state": "active", "link": "identified"}',
            Answer("/dev/x", 0, answered=True, state="active", linked=True),
        ),
        (
            b'{"state": "active", "link": "disconnected"}',
            Answer("", 0, answered=True, state="active"),
        ),
        (b'{"fault": "x"}', Answer("", 0, answered=True, faulty=True)),
        (b"what?", Answer("", 0, answered=True, linked=True)),
        (b"[]", Answer("", 0, answered=True, linked=True)),
        (None, Answer("", 0, answered=False)),
    ],
)
def test_what_a_kernel_says_to_a_stop_is_told_apart(
    state: Path, said: bytes | None, answer: Answer, word: bytes, *, emergency: bool
) -> None:
    port = f"/dev/tty{os.getpid()}K"
    with acting(state, port, stop=True) as kernel:
        kernel.stop_answer = said
        called = call(port, emergency=emergency)
    expected = answer._replace(port=answer.port or port, pid=os.getpid())
    assert called.answers == (expected,)
    assert set(kernel.stops) == {word}
    assert (called.blind, called.others) == ("", ())
    assert called.sent_s is not None


def test_where_nobody_may_look_the_call_says_why(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("/dev/none", emergency=False).sent_s is None
    stop_address.SOCKETS.unlink()
    assert call(None, emergency=False).blind == "No such file or directory"

    def denied() -> None:
        raise OSError("by a proxy")

    monkeypatch.setattr(stop_call, "table", denied)
    assert call(None, emergency=False).blind == "by a proxy"
    assert not state.exists()


def test_where_the_table_of_sockets_cannot_be_read_the_files_say_which_kernels_there_are(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acting(state, "/dev/ttyA") as kernel:
        (kernel.file.parent / "notes.txt").write_text("{}")

        def denied() -> None:
            raise OSError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("controller.api.finding.table", denied)
        found = running_kernels(state)
        assert [(one.port, one.pid, one.socket) for one in found.here] == [
            ("/dev/ttyA", kernel.pid, kernel.socket)
        ]
        assert (found.elsewhere, found.blind) == ((), "/proc/net/unix: Permission denied")
