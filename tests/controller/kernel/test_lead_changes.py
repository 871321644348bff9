"""The lead goes to another screen: who gets it, the row, the refusals."""

import asyncio

import pytest

from controller.api.snapshot import LeadView
from controller.api.viewer import SILENT_MAX_S, Viewer
from controller.kernel.leading import UNLED_MAX_S
from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.guide_texts import NO_SCREEN
from controller.safety.refusal import RefusedError
from controller.treatment.kinds import Kind
from tests.controller.kernel.screens import ANNA, BEN, KERNEL, Screens, now, play


async def lost(one: Screens) -> None:
    await one.led(Viewer())
    await one.leading.look(now() + 100.0)
    one.control.done.clear()


def test_a_resume_gives_the_lead_to_the_screen_that_asks_with_a_row_before_it_goes_on() -> None:
    async def scene(one: Screens) -> None:
        await lost(one)
        asking, other = Viewer(), Viewer()
        one.leading.watched(asking, BEN)
        one.leading.watched(other, ANNA)
        one.reads(asking)
        await asyncio.sleep(0.5)
        one.reads(other)
        assert await one.ask("resume", asking, BEN) == {"answer": "resume"}
        body = {
            "who": {"name": "ben", "role": "supervisor", "origin": "local"},
            "from": "anna",
            "asked": "ben",
        }
        assert one.control.done == [
            ("commit", Row(Kind.LEAD, body, 8)),
            ("settle", "C17"),
            "resume",
        ]
        assert (asking.leads, other.leads) == (True, False)
        assert one.leading.view == LeadView("ben", gone=False)
        await one.leading.look(now() + SILENT_MAX_S)
        assert one.leading.view == LeadView("ben", gone=False)
        await one.leading.look(now() + SILENT_MAX_S + 0.01)
        assert one.leading.view == LeadView("ben", gone=True)

    play(scene)


def test_a_resume_from_elsewhere_gives_the_lead_to_the_screen_that_was_read_last() -> None:
    async def scene(one: Screens) -> None:
        await lost(one)
        older, newer, closed = Viewer(), Viewer(), Viewer()
        for viewer, who in ((older, ANNA), (newer, BEN), (closed, ANNA)):
            one.leading.watched(viewer, who)
            one.reads(viewer)
            await asyncio.sleep(0.1)
        closed.closed = True
        await one.ask("resume", None, ANNA)
        assert (older.leads, newer.leads, closed.leads) == (False, True, False)
        (_, row), *_ = one.control.done
        assert (row.body["who"]["name"], row.body["asked"]) == ("ben", "anna")

    play(scene)


def test_a_resume_while_somebody_leads_or_after_the_end_changes_no_lead() -> None:
    async def scene(one: Screens) -> None:
        await one.led(Viewer())
        await one.ask("resume", None, BEN)
        assert one.control.done == ["resume"]
        await one.leading.look(now() + 100.0)
        one.control.done.clear()
        one.control.state = "tripped"
        await one.ask("resume", None, BEN)
        assert one.control.done == ["resume"]

    play(scene)


def test_without_a_screen_a_resume_is_refused_with_the_way_to_one() -> None:
    async def scene(one: Screens) -> None:
        await lost(one)
        unread = Viewer()
        one.leading.watched(unread, ANNA)
        with pytest.raises(RefusedError) as caught:
            await one.ask("resume", unread, BEN)
        error = caught.value
        assert (error.code, error.sentence, error.next_step) == (
            "no_screen",
            "No screen at the unit shows this treatment, so it stays paused.",
            "Open one with `corneum watch` beside the client, then press p there.",
        )
        assert one.control.done == []

    play(scene)


def test_a_change_whose_row_is_lost_is_none_and_the_wait_begins_anew() -> None:
    async def scene(one: Screens) -> None:
        await lost(one)
        viewer = Viewer()
        one.leading.watched(viewer, BEN)
        await asyncio.sleep(3.0)
        one.reads(viewer)
        one.control.lost = "The disk is full."
        with pytest.raises(RecordError, match="The disk is full"):
            await one.ask("resume", viewer, BEN)
        assert [what[0] for what in one.control.done] == ["commit", "put"]
        assert one.control.done[1] == ("put", NO_SCREEN, 3.0)
        assert (viewer.leads, one.leading.view) == (False, LeadView("ben", gone=True))
        await one.leading.look(3.0 + UNLED_MAX_S)
        assert ("stop", KERNEL) not in one.control.done
        await one.leading.look(3.001 + UNLED_MAX_S)
        assert one.control.done[-1] == ("stop", KERNEL)

    play(scene)
