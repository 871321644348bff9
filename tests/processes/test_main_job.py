"""The main job: one command, a whole treatment on a simulated handpiece, and its record."""

from pathlib import Path

import pytest

from controller.archive.proof import prove
from controller.config.paths import journal_path, own_dir, run_dir
from controller.record.verify import verify
from tests.processes.service import corneum

pytestmark = pytest.mark.realtime


def test_one_command_runs_a_whole_treatment_and_leaves_a_record_that_verifies(
    tmp_path: Path,
) -> None:
    words = ("treat", "patch-test", "--client", "demo", "--simulator", "--json")
    done = corneum(tmp_path, *words)
    assert done.code == 0, done.err
    said = done.said
    (zone,) = said["zones"]
    assert said["outcome"] == "completed"
    assert said["simulated"] is True
    assert zone["zone"] == "forearm_inner"
    assert zone["state"] == "done"
    assert 0.0 < zone["nominal_um"] <= zone["bound_um"] <= zone["cap_um"]
    assert said["alarms"] == []

    record = Path(said["record"]["path"])
    assert record == journal_path(tmp_path)
    verdict = verify(record)
    assert verdict.ok, verdict.sentence
    assert verdict.rows >= said["record"]["rows"] > 0
    end = prove(tmp_path, own_dir())
    assert end.ok
    assert end.newest is not None, "the kernel has its record noted before it is gone"
    kept = {".lock", ".log"}
    leftovers = [path for path in run_dir(tmp_path).iterdir() if path.suffix not in kept]
    assert leftovers == []
