"""An end whose row is not durable is not told as an outcome, over any interface."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from controller.api.snapshot import Snapshot
from controller.cli import status, summary
from controller.cli.outcome import ExitCode
from controller.kernel.service import Outside, Place, running
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.store import RecordError, Store
from controller.record.writer import InlineWriter
from controller.safety.refusal import RefusedError
from controller.treatment.events import Command
from firmware_protocol.vocabulary import Mode
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig, service
from tests.controller.kernel.memory import Bench, bench
from tests.controller.record.books import rows_of
from tests.controller.treatment.couch import ANNA

JOURNAL = "journal.sqlite3"
SENTENCE = (
    "The end of this treatment is not recorded; "
    "if it stays so, the next start charges it as interrupted."
)


class FailingStore(Store):
    """A disk that takes nothing while ``full``."""

    full = False

    def append(self, rows: Any) -> int:  # noqa: ANN401 - as the store takes them
        if self.full:
            raise RecordError("The record cannot be written: the disk is full.")
        return super().append(rows)


def broken_off(folder: Path, ends: Callable[[Service], Any], until: str) -> list[Snapshot]:
    """Fill the disk in mid-treatment, let ``ends`` end it; before, after, and after an ack."""

    async def scenario() -> list[Snapshot]:
        async with rig() as made:
            store = FailingStore(folder / JOURNAL)
            journal = Journal(InlineWriter(store), made.wall_clock, folder=folder)
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                await desk.ask("treat", program="refresh", client="demo")
                await desk.until(lambda: made.flows, 30.0)
                seen = [Snapshot.from_dict(desk.snapshot())]
                store.full = True
                ends(desk)
                await desk.until(lambda: desk.state == until, 10.0)
                await desk.until(lambda: kernel.idle, 5.0)
                seen.append(Snapshot.from_dict(desk.snapshot()))
                with pytest.raises(RefusedError, match="not acknowledged, because the record"):
                    await desk.ask("ack")
                seen.append(Snapshot.from_dict(desk.snapshot()))
                store.full = False
                return seen

    return run_virtual(scenario())


def fill_only(_: Service) -> None:
    """The record alone ends the treatment."""


def trip(desk: Service) -> None:
    desk.rig.handpiece.set_fault("waste-full")


@pytest.mark.hazard("H40", shows="works")
@pytest.mark.parametrize(("ends", "state"), [(fill_only, "stopped"), (trip, "tripped")])
def test_an_end_that_was_not_written_is_told_as_such_over_every_interface(
    tmp_path: Path, ends: Callable[[Service], None], state: str
) -> None:
    before, after, seen = broken_off(tmp_path, ends, state)
    assert before.treatment is not None
    assert before.treatment.recorded is None
    assert "ended" not in [kind for _, kind, _ in rows_of(tmp_path / JOURNAL)]
    for shown in (after, seen):
        assert shown.state == state
        assert shown.treatment is not None
        assert (shown.treatment.outcome, shown.treatment.recorded) == (None, False)
        (alarm,) = [each for each in shown.alarms if each.code == "R02"]
        assert (alarm.sentence, alarm.priority) == (SENTENCE, "medium")
        assert f"{state}, not recorded" in "\n".join(status.lines(shown))
        assert SENTENCE in "\n".join(status.lines(shown))
        said = json.loads(json.dumps(summary.as_object(shown)))
        assert (said["outcome"], said["state"], said["recorded"]) == (None, state, False)
        assert SENTENCE in [each["sentence"] for each in said["alarms"]]
        console = Console(width=100)
        with console.capture() as capture:
            summary.show(console, shown)
        assert f"{state}, not recorded" in capture.get()
        code = ExitCode.TRIPPED if state == "tripped" else ExitCode.REFUSED
        assert summary.exit_code_of(shown) is code


@pytest.mark.hazard("H40", shows="works")
def test_a_backup_tool_that_holds_the_record_is_named_and_nothing_was_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.record.store.BUSY_MAX_MS", 5)

    async def scenario() -> Snapshot:
        async with rig() as made:
            store = Store(tmp_path / JOURNAL)
            journal = Journal(InlineWriter(store), made.wall_clock, folder=tmp_path)
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                await desk.ask("treat", program="refresh", client="demo")
                await desk.until(lambda: made.flows, 30.0)
                with closing(sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)) as backup:
                    backup.execute("BEGIN IMMEDIATE")
                    await desk.until(lambda: desk.state == "stopping", 5.0)
                await desk.until(lambda: kernel.idle, 10.0)
                return Snapshot.from_dict(desk.snapshot())

    shown = run_virtual(scenario())
    (alarm,) = [each for each in shown.alarms if each.code == "R01"]
    assert "is held by another program" in alarm.sentence
    assert "let that program finish or end it" in alarm.sentence
    for other in ("room", "free space", "rights"):
        assert other not in f"{alarm.sentence} {alarm.next_step}"
    assert shown.record.trouble is not None
    assert "is held by another program" in shown.record.trouble
    assert summary.exit_code_of(shown) is ExitCode.REFUSED


@pytest.mark.hazard("H40")
def test_the_next_start_does_what_was_told(tmp_path: Path) -> None:
    broken_off(tmp_path, fill_only, "stopped")

    async def again() -> dict[str, Any]:
        async with service(RigSpec(record=tmp_path)) as made:
            return made.snapshot()

    assert [each["treatment"] for each in run_virtual(again())["unfinished"]] == [1]
    bodies = [
        json.loads(body) for _, kind, body in rows_of(tmp_path / JOURNAL) if kind == "interrupted"
    ]
    assert [bool(body["charged"]) for body in bodies] == [True]


@pytest.mark.hazard("H40")
def test_the_next_treatment_is_told_by_itself(tmp_path: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with rig() as made:
            store = FailingStore(tmp_path / JOURNAL)
            journal = Journal(InlineWriter(store), made.wall_clock, folder=tmp_path)
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                desk = Service(made, kernel)
                await desk.ask("treat", program="refresh", client="demo", zones=["nose"])
                await desk.until(lambda: made.flows, 30.0)
                store.full = True
                await desk.until(lambda: kernel.idle, 10.0)
                store.full = False
                await desk.ask("ack")
                await desk.ask("treat", program="refresh", client="demo", zones=["chin"])
                begun = desk.snapshot()
                await desk.until(lambda: kernel.idle, 300.0)
                return [begun, desk.snapshot()]

    begun, ended = run_virtual(scenario())
    assert "R02" not in [alarm["code"] for alarm in begun["alarms"]]
    assert begun["treatment"]["recorded"] is None
    assert ended["treatment"]["outcome"] == "completed"
    assert ended["treatment"]["recorded"] is True
    assert [each["treatment"] for each in begun["unfinished"]] == [1]


@pytest.mark.hazard("H40")
@pytest.mark.parametrize("broken", [None, "The disk is full."])
def test_a_treatment_is_idle_when_it_is_known_whether_its_end_is_recorded(
    broken: str | None,
) -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        await one.control.person(Command.STOP, ANNA)
        one.memory.broken, one.memory.commit_after_s = broken, 0.5
        await one.see_for(0.3, Mode.DISARMED)
        assert (one.control.state, one.control.idle) == ("stopped", False)
        await asyncio.sleep(0.5)
        shown = one.control.snapshot()
        assert shown.treatment is not None
        assert one.control.idle
        assert shown.treatment.recorded is (broken is None)
        assert shown.treatment.outcome == ("stopped" if broken is None else None)
        assert ("R02" in [alarm.code for alarm in shown.alarms]) is (broken is not None)

    bench(play)
