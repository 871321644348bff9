"""The check of a whole record: every row that is wrong is named, by a process of its own."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from controller.kernel.service import Outside, Place, running
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.store import Store
from controller.record.upkeep import FIRST_CHECK_S
from controller.record.verifier import check_apart
from controller.record.verify import BREAKS_MAX, Break, CheckResult, verify
from controller.record.writer import InlineWriter
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig
from tests.controller.record import damage, years
from tests.controller.record.damage import Damage
from tests.controller.record.years import Years

CLINIC = Years(treatments=40, clients=4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "journal.sqlite3"
    years.write(made, CLINIC).close()
    return made


def test_each_broken_row_is_named_and_no_whole_one(path: Path) -> None:
    for row in (3, 90, 180):
        damage.no_json(path, row)
    assert [each.row for each in verify(path).breaks] == [3, 90, 180]
    assert verify(path).rows == 2


def test_a_byte_that_is_no_text_breaks_its_row_and_not_the_check(path: Path) -> None:
    damage.no_text(path, 90)
    found = verify(path)
    assert [each.row for each in found.breaks] == [90]
    assert "row 90" in found.sentence


def test_rows_around_a_damaged_page_are_still_checked(path: Path) -> None:
    damage.no_page(path, 100)
    damage.other_json(path, 259)
    found = verify(path)
    assert found.unreadable is None
    assert [each.row for each in found.breaks][-1] == 259
    first = found.breaks[0]
    assert first.row <= 100
    assert "it is missing" in first.what


def test_a_file_with_more_breaks_than_can_be_decided_on_is_not_walked_for_ever(path: Path) -> None:
    for row in range(1, BREAKS_MAX + 20):
        damage.no_json(path, row)
    assert len(verify(path).breaks) == BREAKS_MAX


@pytest.mark.parametrize("broken", [damage.lost_entry, damage.no_index, damage.no_list])
def test_a_list_that_does_not_fit_to_the_rows_is_told_though_these_are_whole(
    path: Path, broken: Damage
) -> None:
    broken(path, 1)
    found = verify(path)
    assert not found.ok
    assert found.breaks == []
    assert "whole" in found.sentence or "damaged" in found.sentence


def test_a_check_tells_how_far_it_is(path: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(path, lambda row, rows: told.append((row, rows)))
    assert told[-1][0] == told[-1][1]


@pytest.mark.realtime
def test_a_process_of_its_own_checks_at_the_lowest_priority(path: Path) -> None:
    damage.no_json(path, 3)
    found = asyncio.run(check_apart(path))
    assert found.breaks == [Break(3, "its content is not what was written")]
    script = "import os, controller.record.verifier as v, sys; v.main([sys.argv[1]]);"
    script += "print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "19 True"


@pytest.mark.realtime
def test_a_check_whose_process_dies_says_so(tmp_path: Path) -> None:
    found = asyncio.run(check_apart(tmp_path))  # a folder is no record
    assert not found.ok
    assert found.unreadable is not None


def shown(path: Path, *, busy: bool = False) -> tuple[list[float], dict[str, object], list[str]]:
    """Run a kernel beside a check; return when it was asked, and what the snapshot says."""
    asked: list[float] = []

    async def check(_path: Path) -> CheckResult:
        asked.append(asyncio.get_running_loop().time())
        return verify(path)

    async def scenario() -> tuple[list[float], dict[str, object], list[str]]:
        async with rig(RigSpec(record=path.parent)) as made:
            journal = Journal(
                InlineWriter(Store(path)), made.wall_clock, folder=path.parent, check=check
            )
            outside = Outside(made.client, journal, Here(made.wall_clock))
            async with running(Place("virtual"), outside) as kernel:
                if busy:
                    await Service(made, kernel).ask("treat", program="refresh", client="demo")
                await asyncio.sleep(FIRST_CHECK_S + 1.0)
                snapshot = kernel.snapshot()
                return asked, snapshot["record"], [each["code"] for each in snapshot["alarms"]]

    return run_virtual(scenario())


def test_a_whole_record_is_shown_with_the_row_up_to_which_it_was_checked(path: Path) -> None:
    asked, record, alarms = shown(path)
    assert asked == [pytest.approx(FIRST_CHECK_S, abs=1.0)]
    assert record["trouble"] is None
    assert isinstance(record["verified_to"], int)
    assert alarms == []


@pytest.mark.hazard("H56", shows="works")
def test_a_break_is_an_alarm_that_names_the_row_and_whom_it_concerns(path: Path) -> None:
    damage.other_json(path, 12)
    _, record, alarms = shown(path)
    assert "is broken at row 12" in str(record["trouble"])
    assert alarms == ["R03"]


def test_no_check_begins_beside_a_treatment(path: Path) -> None:
    asked, _, _ = shown(path, busy=True)
    assert asked == []


@pytest.mark.realtime
@pytest.mark.parametrize(("broken", "code"), [(None, 0), (damage.other_json, 1)])
def test_the_command_says_whole_or_which_row(path: Path, broken: Damage | None, code: int) -> None:
    if broken is not None:
        broken(path, 12)
    done = subprocess.run(
        [sys.executable, "-m", "controller.cli.main", "records", "verify", "--json"],
        capture_output=True, text=True, timeout=60, check=False,
        env={"CORNEUM_STATE": str(path.parent), "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert done.returncode == code
    assert said["ok"] is (code == 0)
    assert [each["row"] for each in said["breaks"]] == ([12] if code else [])
