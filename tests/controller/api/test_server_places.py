"""The places of the server: who gets one, who has to give one up, and how all are left."""

import asyncio
import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.api import server as server_module
from controller.api.ask import dial
from controller.api.faults import FaultHandler
from controller.api.peer import listen
from controller.api.server import CLIENTS_MAX, IDLE_MIN_S, Server
from qa.loop import run_virtual
from tests.controller.api.connected import OWN_UID, Connected, Notes, ask, now_s, settle

BUSY = (
    b'{"id":0,"ok":false,"error":{"code":"busy","sentence":"The kernel has 32 clients already.",'
    b'"next_step":"Close one of them; `corneum stop` and the hand switch always work."}}\n'
)
IDLE = (
    b'{"id":0,"ok":false,"error":{"code":"idle","sentence":"All 32 places of the kernel were '
    b'taken, and this connection asked for nothing.","next_step":"Connect again when there is '
    b'something to ask."}}\n'
)
FOREIGN = (
    b'{"id":0,"ok":false,"error":{"code":"not_allowed","sentence":"This kernel belongs to user '
    b'1234; user 99 may not speak to it.","next_step":"Run the command as the user who runs the '
    b'kernel."}}\n'
)


class Line:
    """Somebody at the door; who, the module is told by the fixture."""


@pytest.fixture
def uid_at_the_door(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The account of everybody at the door: the last of the list."""
    uids: list[int | None] = [OWN_UID]
    monkeypatch.setattr(server_module, "peer_uid", lambda line: uids[-1] if line else None)
    return uids


def at_the_door(server: Server) -> bytes | None:
    line: Any = Line()
    return server._refusal(line)


@pytest.mark.hazard("H12")
def test_a_foreign_account_is_refused_by_name_and_the_own_and_root_are_not(
    uid_at_the_door: list[int | None],
) -> None:
    async def scenario() -> None:
        it = Connected()
        for uid, refusal in ((OWN_UID, None), (0, None), (99, FOREIGN)):
            uid_at_the_door.append(uid)
            assert at_the_door(it.server) == refusal
        uid_at_the_door.append(None)
        refused = at_the_door(it.server)
        assert refused == FOREIGN.replace(b"user 99", b"user None")

    run_virtual(scenario())


def test_a_server_belongs_to_the_account_of_its_process_where_no_other_is_named() -> None:
    async def scenario() -> None:
        notes, desk = Notes(), FaultHandler()
        assert Server(notes)._own_uid == os.getuid()
        assert Server(notes, 0)._own_uid == 0
        assert Server(notes, faults=desk).faults is desk
        assert isinstance(Server(notes).faults, FaultHandler)
        assert (Server(notes).had_clients, Server(notes).clients) == (False, 0)
        Server(notes)._on_shutdown()

    run_virtual(scenario())


def test_the_last_place_is_given_and_one_more_is_refused(
    uid_at_the_door: list[int | None],
) -> None:
    async def scenario() -> None:
        it = Connected()
        assert (it.server.clients, it.server.had_clients) == (1, True)
        for _ in range(CLIENTS_MAX - 2):
            it.come()
        assert at_the_door(it.server) is None
        it.come()
        assert at_the_door(it.server) == BUSY
        assert it.server.clients == CLIENTS_MAX

    assert uid_at_the_door == [OWN_UID]
    run_virtual(scenario())


def test_who_is_on_the_way_in_has_a_place(uid_at_the_door: list[int | None]) -> None:
    async def scenario() -> None:
        it = Connected()
        for _ in range(CLIENTS_MAX - 2):
            it.come()
        entering: Any = object()
        it.server._entering.add(entering)
        assert at_the_door(it.server) == BUSY

    assert uid_at_the_door == [OWN_UID]
    run_virtual(scenario())


def test_who_has_been_idle_for_the_longest_time_makes_room_and_is_told_why(
    uid_at_the_door: list[int | None],
) -> None:
    async def scenario() -> None:
        it = Connected()
        await asyncio.sleep(0.5)
        oldest, line = it.come()
        await asyncio.sleep(0.5)
        rest = [it.come() for _ in range(CLIENTS_MAX - 2)]
        it.hear(ask(1, "status"))  # the first one is not idle any more
        await asyncio.sleep(IDLE_MIN_S - 0.501)
        assert at_the_door(it.server) == BUSY
        await asyncio.sleep(0.001)
        assert oldest.idle_s(now_s()) == pytest.approx(IDLE_MIN_S)
        await asyncio.sleep(0.001)
        assert at_the_door(it.server) is None
        assert (line.written, line.done) == ([IDLE], ["eof"])
        assert {tuple(other.done) for _, other in [(it.one, it.line), *rest]} == {()}
        assert it.server.clients == CLIENTS_MAX - 1

    assert uid_at_the_door == [OWN_UID]
    run_virtual(scenario())


def test_who_is_idle_for_just_so_long_makes_room(
    uid_at_the_door: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "IDLE_MIN_S", 0.0)

    async def scenario() -> None:
        it = Connected()
        for _ in range(CLIENTS_MAX - 1):
            it.come()
        assert at_the_door(it.server) is None

    assert uid_at_the_door == [OWN_UID]
    run_virtual(scenario())


def test_who_watches_leads_or_waits_for_an_answer_is_never_idle() -> None:
    async def scenario() -> None:
        it = Connected()
        (watching, _), (leading, _), (waiting, _), (asking, _) = (it.come() for _ in range(4))
        watching.data_received(ask(0, "watch"))
        leading._viewer.leads = True
        it.notes.may_answer.clear()
        asking.data_received(ask(1, "ack"))
        waiting._is_choked = True
        waiting.data_received(ask(1, "status"))
        await asyncio.sleep(5.0)
        for one in (watching, leading, asking, waiting):
            assert one.idle_s(now_s()) == 0.0
        assert it.one.idle_s(now_s()) == pytest.approx(5.0)
        it.notes.may_answer.set()
        await settle()
        await asyncio.sleep(1.0)
        assert asking.idle_s(now_s()) == pytest.approx(1.0)  # since its answer
        it.hear(b"\n  \n" + b'{"do": "sta')
        assert it.one.idle_s(now_s()) == pytest.approx(6.0)  # half a line is nothing
        it.hear(b'tus"}\n')
        assert it.one.idle_s(now_s()) == 0.0
        await asyncio.sleep(0.25)
        assert it.one.idle_s(now_s()) == pytest.approx(0.25)
        watching.connection_lost(None)

    run_virtual(scenario())


# -- the end of the server -------------------------------------------------------------------------
@pytest.mark.realtime
def test_a_server_that_is_closed_takes_nobody_and_hangs_up_after_what_it_has_said(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        notes, path = Notes(), tmp_path / "kernel.sock"
        server = Server(notes)
        await server.close()  # it was never opened
        listener = listen(path)
        await server.open(listener)
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(ask(1, "ack"))
        assert await reader.readline() == b'{"id":1,"ok":true,"result":{"did":"ack"}}\n'
        assert (server.clients, server.had_clients) == (1, True)
        await server.close()
        assert await reader.read() == b""
        assert (server.clients, listener.fileno(), server._entering) == (0, -1, set())
        with pytest.raises(OSError, match="refused"):
            await asyncio.open_unix_connection(str(path))
        await server.close()  # twice is once
        writer.close()
        await writer.wait_closed()

    asyncio.run(scenario())


@pytest.mark.realtime
def test_who_is_on_the_way_in_as_the_server_closes_is_let_in_and_hung_up_on(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        path = tmp_path / "kernel.sock"
        server = Server(Notes())
        listener = listen(path)
        await server.open(listener)
        with closing(dial(path)) as line:
            here, _ = listener.accept()
            server._let_in(here)
            (entering,) = server._entering
            assert isinstance(entering, asyncio.Task)
            assert entering.get_name() == "api-client"
            await server.close()
            assert entering.done()
            assert line.recv(1) == b""
        assert server.had_clients
        assert isinstance(here, socket.socket)

    asyncio.run(scenario())


def test_closing_waits_so_long_for_a_client_that_does_not_go_and_no_longer() -> None:
    async def scenario() -> None:
        it = Connected()
        began_s = now_s()
        await it.server.close()
        assert it.line.done == ["close"]
        assert now_s() - began_s == server_module.CLOSE_MAX_S
        it.one.connection_lost(None)
        await it.server.close()
        assert now_s() - began_s == server_module.CLOSE_MAX_S
        forever = asyncio.create_task(asyncio.sleep(60.0))
        entering: Any = forever
        it.server._entering.add(entering)
        await it.server.close()
        assert now_s() - began_s == 2 * server_module.CLOSE_MAX_S
        forever.cancel()

    run_virtual(scenario())
