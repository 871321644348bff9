import json
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.events import EventFile
from simulator.handpiece import Handpiece, Happening
from simulator.plant.faults import UnknownFaultError
from simulator.plant.hands import UnknownHandError
from tests.simulator.host import Host


def test_it_runs_in_ticks_of_5_ms_and_never_past_the_time_given() -> None:
    device = Handpiece(1, "absent")
    device.advance(0.0049)
    assert device.now_s == 0.0
    device.advance(0.005)
    assert device.now_s == 0.005
    device.advance(0.015 - 1e-12)  # but for rounding
    assert device.now_s == 0.015
    device.advance(0.001)
    assert device.now_s == 0.015


def test_how_time_is_cut_changes_nothing() -> None:
    coarse: list[Happening] = []
    fine: list[Happening] = []
    whole, cut = Handpiece(3, events=coarse.append), Handpiece(3, events=fine.append)
    whole.advance(2.0)
    for step in range(1, 2001):
        cut.advance(step / 1000)
    assert coarse == fine
    assert whole.plant.truth == cut.plant.truth


def test_reports_are_due_when_they_come() -> None:
    host = Host().configured()
    device = host.device
    for _ in range(10):
        due_s = device.report_due_s
        device.advance(due_s - 0.001)
        assert device.outgoing() == b""
        device.advance(due_s)
        assert device.outgoing() != b""


@pytest.mark.hazard("H05")
def test_the_record_has_every_crossing_of_one_percent_and_steps_of_ten() -> None:
    host = Host().active()
    host.device.hand.release()
    host.run(0.2)
    percents = [float(str(happening["open_percent"])) for happening in host.of("valve")]
    assert 1.0 < percents[0] < 5.0
    assert percents[-1] <= 1.0
    assert max(percents) > 25.0
    for before, after in pairwise(percents):
        assert abs(after - before) >= 9.9 or (after > 1.0) is not (before > 1.0)


def test_faults_come_at_their_time_with_their_hazards() -> None:
    events: list[Happening] = []
    device = Handpiece(1, "absent", events=events.append)
    device.schedule_fault("clog", 0.5)
    device.schedule_fault("brown-out", 0.2)
    device.advance(1.0)
    device.clear_fault("clog")
    faults = [event for event in events if event["kind"] == "fault"]
    assert [(fault["t_s"], fault["name"], fault["active"]) for fault in faults] == [
        (0.2, "brown-out", True),
        (0.5, "clog", True),
        (1.0, "clog", False),
    ]
    assert faults[0]["hazards"] == ("H17",)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownFaultError, match="choose one of valve-stuck-open"):
        Handpiece(1).schedule_fault("bad-luck", 1.0)
    with pytest.raises(UnknownHandError, match="choose one of average"):
        Handpiece(1, "bob")


def test_the_event_file_is_written_through_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    file = EventFile(path)
    device = Handpiece(1, "absent")
    device.record_to(file.write)
    device.advance(0.2)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["boot", "selftest", "mode"]
    assert lines[1] == {"t_s": 0.1, "kind": "selftest", "passed": True, "failed": ""}
    assert lines[2] == {"t_s": 0.1, "kind": "mode", "mode": "DISARMED", "from": "BOOT"}
    file.close()


@pytest.mark.hazard("H40")
def test_a_full_disk_ends_the_record_and_not_the_device() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    file = EventFile(full)
    device = Handpiece(1, "absent", events=file.write)
    device.advance(0.5)
    assert device.now_s == 0.5
    assert isinstance(file.failed, OSError)
    file.close()
