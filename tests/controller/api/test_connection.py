"""One connection: what is taken at once, in turn or not at all, and what is written, to the byte.

Without a socket, in virtual time; `test_server` has the same over real ones.
"""

import asyncio
import math
from typing import Any

import pytest

from controller.api.authority import Do, Origin, Role
from controller.api.requests import Request, WhoSays
from controller.api.server import BACKLOG_MAX_BYTES, BEHIND_MAX_S, QUESTIONS_MAX
from controller.safety.refusal import Refusal, RefusedError
from qa.loop import LooseEndError, run_virtual
from tests.controller.api.connected import Connected, ask, now_s, settle

ANNA = WhoSays(name="anna", role=Role.PRACTITIONER, origin=Origin.LOCAL)


# -- questions -------------------------------------------------------------------------------------
def test_a_question_is_passed_on_whole_and_answered_with_its_id() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(9, "dismiss", treatment=3))
        await settle()
        assert it.notes.asked == [
            (Request(id=9, do=Do.DISMISS, who=ANNA, args={"treatment": 3}), it.one._viewer)
        ]
        assert it.line.written == [b'{"id":9,"ok":true,"result":{"did":"dismiss"}}\n']
        assert (it.line.done, it.ended) == ([], 0)

    run_virtual(scenario())


def test_a_refusal_of_the_service_is_passed_back_with_its_receipt() -> None:
    async def scenario() -> None:
        it = Connected()
        it.notes.refuses = RefusedError(Refusal("limit", "No.", "Less.", {"allowed": 1.5}))
        it.hear(ask(9, "shutdown"))
        await settle()
        assert it.line.written == [
            b'{"id":9,"ok":false,"error":{"code":"limit","sentence":"No.","next_step":"Less.",'
            b'"receipt":{"allowed":1.5}}}\n'
        ]
        assert it.ended == 0  # it was refused

    run_virtual(scenario())


def test_a_shutdown_that_was_granted_ends_the_kernel_after_its_answer() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(9, "shutdown"))
        await settle()
        assert it.line.said == [{"id": 9, "ok": True, "result": {"did": "shutdown"}}]
        assert it.ended == 1

    run_virtual(scenario())


def test_a_line_that_is_no_request_is_answered_with_its_id_and_an_empty_one_is_not() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(b'  \n\n{"id": 4, "do": "fire"}\nwhat?\n' + ask(5, "ack"))
        await settle()
        assert [(each["id"], each["ok"]) for each in it.line.said] == [
            (4, False),
            (0, False),
            (5, True),
        ]

    run_virtual(scenario())


def test_one_question_too_many_is_refused_until_another_one_is_answered() -> None:
    async def scenario() -> None:
        it = Connected()
        it.notes.may_answer.clear()
        for number in range(1, QUESTIONS_MAX + 2):
            it.hear(ask(number, "ack"))
        await settle()
        assert len(it.notes.asked) == QUESTIONS_MAX == 8
        assert it.line.written == [
            b'{"id":9,"ok":false,"error":{"code":"busy","sentence":"8 questions of this connection '
            b'wait for an answer already.","next_step":"Wait for an answer first."}}\n'
        ]
        it.notes.may_answer.set()
        await settle()
        it.hear(ask(10, "ack"))
        await settle()
        assert [each["id"] for each in it.line.said[1:]] == [1, 2, 3, 4, 5, 6, 7, 8, 10]

    run_virtual(scenario())


def test_a_question_that_is_given_up_as_the_kernel_ends_is_answered() -> None:
    async def scenario() -> None:
        it = Connected()
        it.notes.may_answer.clear()
        it.hear(ask(9, "ack"))
        await settle()
        (task,) = it.one._tasks
        assert task.get_name() == "api-ack"
        task.cancel()
        await settle()
        assert it.line.written == [
            b'{"id":9,"ok":false,"error":{"code":"kernel_ends","sentence":"The kernel ends, and '
            b'whether this was done is not known.","next_step":"Look at `corneum status` once a '
            b'kernel runs again."}}\n'
        ]
        assert it.one._tasks == set()

    run_virtual(scenario())


# -- stop ------------------------------------------------------------------------------------------
@pytest.mark.hazard("H12")
def test_a_stop_is_passed_on_whole_and_answered_in_the_reading_itself() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(1, "ack") * 20 + ask(9, "stop", emergency=True))
        assert it.notes.stopped == [Request(id=9, do=Do.STOP, who=ANNA, args={"emergency": True})]
        assert it.line.written[0] == b'{"id":9,"ok":true,"result":{"state":"stopping"}}\n'
        await settle()

    run_virtual(scenario())


def test_a_stop_that_meets_a_fault_is_answered_with_its_id_and_told_to_the_loop() -> None:
    written: list[Any] = []

    async def scenario() -> None:
        it = Connected()
        it.notes.raises = KeyError("x")
        it.server.broadcast.answer(1)
        it.hear(ask(9, "stop"))
        await settle()
        it.server.broadcast.answer(1)
        written.append((it.line.said, it.notes.looks))

    with pytest.raises(LooseEndError):
        run_virtual(scenario())
    (((said,), looks),) = written
    assert (said["id"], said["error"]["code"]) == (9, "fault")
    assert looks == 2  # what it has done shows in the next look


@pytest.mark.parametrize("do", ["stop", "ack"])
def test_what_was_granted_shows_in_the_next_look(do: str) -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(1, "status") + ask(2, "status"))
        assert it.notes.looks == 1
        it.hear(ask(3, do))
        await settle()
        it.hear(ask(4, "status"))
        assert it.notes.looks == 2
        assert it.line.written[-1] == b'{"id":4,"ok":true,"result":{"looks":2}}\n'

    run_virtual(scenario())


# -- watching --------------------------------------------------------------------------------------
def test_who_watches_is_answered_shown_the_newest_and_named_to_the_service() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(7, "watch"))
        assert it.notes.watching == [(it.one._viewer, ANNA)]
        assert it.line.written == [
            b'{"id":7,"ok":true,"result":{"looks":1}}\n',
            b'{"id":7,"leads":false,"n":1,"snapshot":{"looks":1}}\n',
        ]
        it.hear(ask(8, "watch"))  # once more: its lines keep their id
        it.one._viewer.leads = True
        await asyncio.sleep(0.1)
        assert it.line.written[2:] == [
            b'{"id":8,"ok":true,"result":{"looks":1}}\n',
            b'{"id":7,"leads":true,"n":2,"snapshot":{"looks":2}}\n',
        ]
        assert len(it.notes.watching) == 1
        it.one.connection_lost(None)

    run_virtual(scenario())


def test_a_line_that_was_shown_is_confirmed_by_its_number_and_has_no_answer() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(7, "watch"))
        began_s, viewer = now_s(), it.one._viewer
        await asyncio.sleep(0.05)
        assert viewer.age_s(now_s()) == math.inf
        it.hear(ask(0, "seen", n=2) + ask(0, "seen"))
        assert viewer.age_s(now_s()) == math.inf
        it.hear(ask(0, "seen", n=1))
        assert viewer.age_s(now_s()) == pytest.approx(now_s() - began_s)
        assert len(it.line.written) == 2
        assert it.notes.asked == []
        it.one.connection_lost(None)

    run_virtual(scenario())


def test_a_reader_that_is_behind_is_shown_nothing_and_then_hung_up_on() -> None:
    async def scenario() -> None:
        it = Connected()
        it.hear(ask(7, "watch"))
        it.server.broadcast.remove(it.one)
        it.line.written.clear()
        it.line.waiting_bytes = BACKLOG_MAX_BYTES
        assert it.one.show(2, b"rest")
        assert it.line.written == [b'{"id":7,"leads":false,rest']
        it.line.waiting_bytes += 1
        began_s = now_s()
        assert it.one.show(3, b"rest")
        await asyncio.sleep(BEHIND_MAX_S - 1.0)
        assert it.one.show(4, b"rest")
        it.line.waiting_bytes -= 1
        assert it.one.show(5, b"rest")  # it has caught up, and its time begins anew
        it.line.waiting_bytes += 1
        assert it.one.show(6, b"rest")
        await asyncio.sleep(BEHIND_MAX_S)
        assert it.one.show(7, b"rest")
        assert it.line.done == []
        await asyncio.sleep(0.001)
        assert not it.one.show(8, b"rest")
        assert it.line.done == ["abort"]
        assert len(it.line.written) == 2
        it.one._viewer.seen(4)  # what was not sent confirms nothing but what came before it
        assert it.one._viewer.age_s(began_s) == 0.0

    run_virtual(scenario())


def test_who_does_not_watch_or_is_gone_is_shown_nothing() -> None:
    async def scenario() -> None:
        it = Connected()
        assert not it.one.show(1, b"rest")
        it.hear(ask(7, "watch"))
        it.one.connection_lost(None)
        it.line.written.clear()
        assert not it.one.show(2, b"rest")
        assert it.line.written == []

    run_virtual(scenario())
