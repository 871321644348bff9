"""Planning beside a kernel: from the files and the record that it names, for the unit it has."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from controller.config.locate import shipped_configs
from controller.record.asker import plan_alone, plan_beside
from controller.record.planner import Purpose, request_of
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import RigSpec, service

WISH: dict[str, Any] = {"program": "refresh", "client": "demo"}


@functools.cache
def _shown() -> str:
    async def scenario() -> dict[str, Any]:
        async with service() as made:
            return made.snapshot()

    return json.dumps(run_virtual(scenario()))


def shown(**changes: object) -> dict[str, Any]:
    """What a kernel shows of itself, with one of its views changed."""
    made: dict[str, Any] = json.loads(_shown())
    return made | changes


def refused(snapshot: dict[str, Any], configs: Path | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        plan_beside(snapshot, WISH, Purpose.LOOK, configs)
    return caught.value


def test_the_plan_is_for_the_unit_on_the_line_and_reads_what_the_kernel_names(
    tmp_path: Path,
) -> None:
    snapshot = shown(record={"path": str(tmp_path / "journal.sqlite3"), "rows": 0})
    plan = plan_beside(snapshot, WISH, Purpose.START, shipped_configs())
    assert plan["unit_serial"] == snapshot["unit"]["serial"]
    assert plan["motion_sensor"] is True
    assert snapshot["kernel"]["configs"] == str(shipped_configs())
    assert request_of(WISH, plan) == {
        **WISH,
        "plan_sha256": plan["sha256"],
        "planned_at_s": plan["planned_at_s"],
        "planned_up_s": plan["planned_up_s"],
        "plan_parts": plan["parts"],
    }


def test_a_unit_that_does_not_answer_has_no_plan() -> None:
    assert refused(shown(unit=None)).code == "unit_absent"
    lost = refused(shown(link={"state": "disconnected", "bad_frames": 0}))
    assert lost.code == "unit_absent"


def test_another_folder_than_the_kernels_is_refused_and_both_are_named(tmp_path: Path) -> None:
    error = refused(shown(), tmp_path)
    assert str(tmp_path) in error.sentence
    assert str(shipped_configs()) in error.sentence


def test_the_program_file_that_is_missing_is_told_like_everywhere(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="There is no program"):
        plan_alone({"program": "refrsh", "client": "demo"}, tmp_path / "none")


def test_a_record_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_text("this is no journal" * 100)
    with pytest.raises(RefusedError) as caught:
        plan_alone(WISH, tmp_path / "journal.sqlite3")
    assert caught.value.code == "record"


def test_two_askers_and_the_kernel_come_to_the_same_plan_from_a_record_on_disk(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        async with service(RigSpec(record=tmp_path)) as made:
            inside = await made.plan(**WISH)
            snapshot = made.snapshot()
            snapshot["record"]["path"] = str(tmp_path / "journal.sqlite3")
            return inside, plan_beside(snapshot, WISH, Purpose.LOOK)

    inside, beside = run_virtual(scenario())
    assert beside["parts"] == inside["parts"]
