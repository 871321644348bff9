"""What one connection may ask, leave unread and take with it when it goes: each bound, and its end.

Without a socket, in virtual time; `test_server_floods` has the same over real ones.
"""

import asyncio

import pytest

from controller.api.requests import REQUEST_MAX_BYTES
from controller.api.server import (
    BEHIND_MAX_S,
    CLOSE_MAX_S,
    LEADING_LINES_MAX,
    PARTING_MAX,
    UNREAD_MAX_BYTES,
)
from controller.api.turns import BURST_UNITS
from controller.safety.refusal import Refusal
from qa.loop import run_virtual
from tests.controller.api.connected import Connected, ask, settle

TOO_LARGE = (
    b'{"id":0,"ok":false,"error":{"code":"too_large","sentence":"A request is longer than 64 KiB.",'
    b'"next_step":"Send one JSON object a line; large things belong into files."}}\n'
)


def test_a_line_that_is_too_long_is_told_and_the_connection_closed_soon() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(b"x" * REQUEST_MAX_BYTES)
        assert it.line.written == [TOO_LARGE]
        assert it.line.done == ["pause", "eof"]
        it.hear(ask(1, "stop"))
        assert it.notes.stopped == []  # it is not heard any more
        await asyncio.sleep(CLOSE_MAX_S - 0.001)
        assert "abort" not in it.line.done
        await asyncio.sleep(0.002)
        assert it.line.done[-1] == "abort"

    run_virtual(scenario())


def test_reading_pauses_while_a_whole_lot_waits_and_goes_on_after_it() -> None:
    async def scenario() -> None:
        it = Connected()
        it.one._is_choked = True
        long = ask(1, "status", pad="x" * 4000)
        assert len(long) * 15 < REQUEST_MAX_BYTES <= len(long) * 16
        it.hear(long * 15)
        assert it.line.done == []
        it.hear(long)
        assert it.line.done == ["pause"]
        it.hear(ask(3, "status"))
        assert it.line.done == ["pause"]  # once
        it.one._is_choked = False
        assert it.one.take() == (len(long) - 1, True)
        assert it.line.done == ["pause", "resume"]
        assert it.one.take() == (len(long) - 1, True)
        assert it.line.done == ["pause", "resume"]

    run_virtual(scenario())


def test_reading_does_not_go_on_at_a_line_that_closes() -> None:
    async def scenario() -> None:
        it = Connected()
        it.one._is_choked = True
        it.hear(ask(1, "status", pad="x" * 30_000) * 3)
        it.line.closing = True
        it.one.take()
        it.one.take()
        assert it.line.done == ["pause"]

    run_virtual(scenario())


def test_who_does_not_read_is_taken_nothing_of_but_a_stop_and_then_hung_up_on() -> None:
    async def scenario() -> None:
        it = Connected()
        it.one.pause_writing()
        it.hear(ask(1, "status") + ask(2, "stop"))
        assert [each["id"] for each in it.line.said] == [2]
        assert it.one.take()[1] is False
        await asyncio.sleep(BEHIND_MAX_S - 0.001)
        assert it.line.done == []
        await asyncio.sleep(0.002)
        assert it.line.done == ["abort"]

    run_virtual(scenario())


def test_who_reads_again_in_time_is_gone_on_with() -> None:
    async def scenario() -> None:
        it = Connected()
        it.one.resume_writing()
        it.one.pause_writing()
        it.hear(ask(1, "status"))
        assert it.line.written == []
        it.one.resume_writing()
        assert [each["id"] for each in it.line.said] == [1]
        await asyncio.sleep(2 * BEHIND_MAX_S)
        assert it.line.done == []
        assert it.one._stuck is None

    run_virtual(scenario())


def test_what_waits_for_a_reader_has_a_bound() -> None:
    async def scenario() -> None:
        it = Connected()
        it.line.waiting_bytes = UNREAD_MAX_BYTES
        it.hear(ask(1, "stop"))
        assert (len(it.line.written), it.line.done) == (1, [])
        it.line.waiting_bytes += 1
        it.hear(ask(2, "stop"))
        assert (len(it.line.written), it.line.done) == (1, ["abort"])
        assert len(it.notes.stopped) == 2
        it.line.waiting_bytes, it.line.closing = 0, True
        it.hear(ask(3, "stop"))
        assert (len(it.line.written), it.line.done) == (1, ["abort"])

    run_virtual(scenario())


@pytest.mark.hazard("H57")
@pytest.mark.parametrize("leads", [False, True])
def test_a_leading_screen_waits_for_no_turn_up_to_a_bound(*, leads: bool) -> None:
    async def scenario() -> None:
        it = Connected()
        other, line = it.come()
        other.data_received(ask(1, "status") * (BURST_UNITS + 9))  # what may be taken at once
        assert len(line.written) == BURST_UNITS
        it.one._viewer.leads = leads
        it.hear(ask(1, "status") * (LEADING_LINES_MAX + 2))
        assert len(it.line.written) == (LEADING_LINES_MAX if leads else 0)
        await asyncio.sleep(1.0)
        assert len(it.line.written) == LEADING_LINES_MAX + 2

    run_virtual(scenario())


# -- the end ---------------------------------------------------------------------------------------
def test_who_is_told_why_it_has_to_go_is_told_nothing_more() -> None:
    async def scenario() -> None:
        it = Connected()
        it.one.refuse_and_part(Refusal("idle", "Go.", "Come."))
        first = (
            b'{"id":0,"ok":false,"error":{"code":"idle","sentence":"Go.","next_step":"Come."}}\n'
        )
        assert (it.line.written, it.line.done) == ([first], ["eof"])
        it.one._write(b"more")
        assert it.line.written == [first]
        it.one.refuse_and_part(Refusal("idle", "Go.", "Come."))
        assert (it.line.written, it.line.done) == ([first], ["eof", "abort"])
        it.one.connection_lost(None)
        await asyncio.sleep(2 * CLOSE_MAX_S)
        assert it.line.done == ["eof", "abort"]  # its timer has gone with it
        it.one.refuse_and_part(Refusal("idle", "Go.", "Come."))
        assert it.line.done == ["eof", "abort"]

    run_virtual(scenario())


def test_so_many_are_told_why_at_a_time_and_the_others_hung_up_on() -> None:
    async def scenario() -> None:
        it = Connected()
        many = [it.come() for _ in range(PARTING_MAX)]
        why = Refusal("idle", "Go.", "Come.")
        for one, _ in many:
            one.refuse_and_part(why)
        assert {tuple(line.done) for _, line in many} == {("eof",)}
        it.one.refuse_and_part(why)
        assert (it.line.written, it.line.done) == ([], ["abort"])
        it.one.connection_lost(None)  # it was told nothing, and leaves no place
        last, line = it.come()
        last.refuse_and_part(why)
        assert line.done == ["abort"]
        many[0][0].connection_lost(None)
        last, line = it.come()
        last.refuse_and_part(why)
        assert line.done == ["eof"]
        last, line = it.come()
        last.refuse_and_part(why)
        assert line.done == ["abort"]

    run_virtual(scenario())


def test_a_client_that_is_gone_is_forgotten_everywhere() -> None:
    async def scenario() -> None:
        it = Connected()
        closed = it.one.hang_up()
        assert it.line.done == ["close"]
        assert not closed.done()
        it.hear(ask(1, "watch") + ask(2, "status") * 30)
        assert it.server.clients == 1
        it.one.pause_writing()
        it.one.connection_lost(None)
        assert it.one._viewer.closed is True
        assert closed.result() is None
        assert it.server.clients == 0
        written = len(it.line.written)
        await asyncio.sleep(2 * BEHIND_MAX_S)
        assert (len(it.line.written), it.line.done) == (written, ["close"])
        it.one.connection_lost(None)  # twice is once
        await it.one.hang_up()
        assert it.line.done == ["close"]

    run_virtual(scenario())


def test_nothing_more_is_taken_of_or_made_for_a_client_that_is_gone() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(1, "watch") + ask(2, "ack") * 30)
        await settle()
        asked, looks = len(it.notes.asked), it.notes.looks
        it.one.connection_lost(None)
        await asyncio.sleep(0.3)
        assert (len(it.notes.asked), it.notes.looks) == (asked, looks)

    run_virtual(scenario())


def test_a_client_that_is_being_hung_up_on_is_shown_nothing_more() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(1, "watch"))
        closed, written = it.one.hang_up(), len(it.line.written)
        await asyncio.sleep(0.3)
        assert (len(it.line.written), closed.done()) == (written, False)
        it.one.connection_lost(None)

    run_virtual(scenario())
