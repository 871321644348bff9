"""The snapshot as JSON and back: every key of it, and each one that is missing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from controller.api.snapshot import (
    AlarmView,
    KernelView,
    LeadView,
    LightView,
    LinkView,
    LiveView,
    ReceiptView,
    RecordView,
    SignalView,
    SimulatedFaultView,
    Snapshot,
    ToneView,
    TreatmentView,
    UnfinishedView,
    UnitView,
    ZoneView,
)

WHOLE: Final = Snapshot(
    kernel=KernelView(
        pid=7, port="/dev/a", uptime_s=1.5, scheduling="nice -10", memory_locked=False,
        late_max_ms=12.5, beats_missed=3, configs="/configs", corneum="0.2", boot="b-1",
        up_s=99.5, wall_s=1.9e9,
    ),
    link=LinkView("disconnected", 4, 12.5, 500.5, "It is held.", "Wait."),
    unit=UnitView(1001, "1.2", simulated=True, motion_sensor=True),
    state="stopped",
    treatment=TreatmentView(
        id=9, program="refresh", display_name="Refresh", client="demo",
        zones=(
            ZoneView(
                zone="nose", display="Nose", state="done", contact_s=4.5, budget_s=12.5,
                nominal_um=0.25, bound_um=1.25, cap_um=3.5, suction_kpa_s=8.75,
                suction_max_kpa_s=100.5, grams=0.625, suction_kpa_mean=22.5,
                suction_kpa_peak=27.5, set_suction_kpa=19.5, set_flow_g_per_min=4.5,
                ended_by="time", share_percent=2.25, layers=0.375, shedding_h=8.5,
            ),
        ),
        outcome="stopped", simulated=True, message="because", recorded=True,
        stopped_by="supervisor",
    ),
    live=LiveView(
        suction_kpa=21.5, flow_g_per_min=6.5, set_suction_kpa=24.5, set_flow_g_per_min=5.5,
        valve_percent=44.5, contact=True, switch=False, mode="active", cause="dwell",
        lease_left_ms=124, age_ms=12.5,
    ),
    alarms=(AlarmView("V01", "medium", "It sucks.", "Let go.", True, True),),  # noqa: FBT003
    receipts=(
        ReceiptView(
            quantity="suction_kpa", unit="kPa", requested=30.5, allowed=28.5, limited=True,
            refused=False, binding="skin", margin=-2.0,
            chain=[{"source": "skin", "value": 28.5}], sentence="It was lowered.",
        ),
    ),
    record=RecordView("/r", 12, 11, "The disk is full.", "Unit 1001 keeps row 11."),
    unfinished=(UnfinishedView(3, "c-0042", "texture"), UnfinishedView(4, "c-0043", "refresh")),
    time_to_safe_ms=38.5,
    signal=SignalView(
        tone=ToneView(10, 120.5, 7.5, 932.5),
        light=LightView("red", 2.5, 50.5),
        inactivation="audio paused",
        left_s=98.5,
        reminder_in_s=12.5,
    ),
    simulated_faults=(SimulatedFaultView(5, active=True), SimulatedFaultView(6, active=False)),
    clock="It is wrong.",
    lead=LeadView("anna", gone=True),
)  # fmt: skip
SAID: Final[dict[str, Any]] = {
    "kernel": {
        "pid": 7, "port": "/dev/a", "uptime_s": 1.5, "scheduling": "nice -10",
        "memory_locked": False, "late_max_ms": 12.5, "beats_missed": 3, "configs": "/configs",
        "corneum": "0.2", "boot": "b-1", "up_s": 99.5, "wall_s": 1.9e9,
    },
    "link": {
        "state": "disconnected", "bad_frames": 4, "rtt_ms": 12.5, "age_ms": 500.5,
        "trouble": "It is held.", "next_step": "Wait.",
    },
    "unit": {"serial": 1001, "firmware": "1.2", "simulated": True, "motion_sensor": True},
    "state": "stopped",
    "treatment": {
        "id": 9, "program": "refresh", "display_name": "Refresh", "client": "demo",
        "zones": [
            {
                "zone": "nose", "display": "Nose", "state": "done", "contact_s": 4.5,
                "budget_s": 12.5, "nominal_um": 0.25, "bound_um": 1.25, "cap_um": 3.5,
                "suction_kpa_s": 8.75, "suction_max_kpa_s": 100.5, "grams": 0.625,
                "suction_kpa_mean": 22.5, "suction_kpa_peak": 27.5, "set_suction_kpa": 19.5,
                "set_flow_g_per_min": 4.5, "ended_by": "time", "share_percent": 2.25,
                "layers": 0.375, "shedding_h": 8.5,
            }
        ],
        "outcome": "stopped", "simulated": True, "message": "because", "recorded": True,
        "stopped_by": "supervisor",
    },
    "live": {
        "suction_kpa": 21.5, "flow_g_per_min": 6.5, "set_suction_kpa": 24.5,
        "set_flow_g_per_min": 5.5, "valve_percent": 44.5, "contact": True, "switch": False,
        "mode": "active", "cause": "dwell", "lease_left_ms": 124, "age_ms": 12.5,
    },
    "alarms": [
        {
            "code": "V01", "priority": "medium", "sentence": "It sucks.",
            "next_step": "Let go.", "acknowledged": True, "first_out": True,
        }
    ],
    "receipts": [
        {
            "quantity": "suction_kpa", "unit": "kPa", "requested": 30.5, "allowed": 28.5,
            "limited": True, "refused": False, "binding": "skin", "margin": -2.0,
            "chain": [{"source": "skin", "value": 28.5}], "sentence": "It was lowered.",
        }
    ],
    "record": {
        "path": "/r", "rows": 12, "verified_to": 11, "trouble": "The disk is full.",
        "witness": "Unit 1001 keeps row 11.",
    },
    "unfinished": [
        {"treatment": 3, "client": "c-0042", "program": "texture"},
        {"treatment": 4, "client": "c-0043", "program": "refresh"},
    ],
    "time_to_safe_ms": 38.5,
    "signal": {
        "tone": {"pulses": 10, "pulse_ms": 120.5, "every_s": 7.5, "fundamental_hz": 932.5},
        "light": {"colour": "red", "flash_hz": 2.5, "duty_percent": 50.5},
        "inactivation": "audio paused",
        "left_s": 98.5,
        "reminder_in_s": 12.5,
    },
    "simulated_faults": [{"number": 5, "active": True}, {"number": 6, "active": False}],
    "clock": "It is wrong.",
    "lead": {"name": "anna", "gone": True},
}  # fmt: skip
LATER: Final[Mapping[str, Any]] = {
    "signal": None,
    "simulated_faults": (),
    "clock": None,
    "lead": None,
}
"""What kernels of before do not say, and what is believed then."""

NOTHING: Final[Mapping[str, Any]] = {
    "unit": None,
    "treatment": None,
    "live": None,
    "alarms": (),
    "receipts": (),
    "unfinished": (),
    "time_to_safe_ms": None,
    **LATER,
}


def test_a_snapshot_is_said_key_for_key() -> None:
    assert json.loads(json.dumps(WHOLE.as_dict())) == SAID


def test_what_was_said_is_read_as_the_same_snapshot() -> None:
    assert Snapshot.from_dict(SAID) == WHOLE
    assert Snapshot.from_dict(WHOLE.as_dict()) == WHOLE


def test_what_is_not_there_is_said_and_read_as_nothing() -> None:
    empty = replace(WHOLE, **NOTHING)
    said = json.loads(json.dumps(empty.as_dict()))
    assert {name: said[name] for name in NOTHING} == {
        name: [] if value == () else value for name, value in NOTHING.items()
    }
    assert Snapshot.from_dict(said) == empty


@pytest.mark.parametrize(
    "silent", [{"tone": None}, {"light": None}, {"tone": None, "light": None}], ids=str
)
def test_a_signal_without_tone_or_light_is_read_as_one(silent: dict[str, Any]) -> None:
    assert WHOLE.signal is not None
    one = replace(WHOLE, signal=replace(WHOLE.signal, **silent))
    assert Snapshot.from_dict(one.as_dict()) == one


@pytest.mark.parametrize("name", LATER)
def test_a_kernel_that_does_not_say_it_yet_is_read_all_the_same(name: str) -> None:
    said = {key: value for key, value in SAID.items() if key != name}
    assert Snapshot.from_dict(said) == replace(WHOLE, **{name: LATER[name]})


@pytest.mark.parametrize("name", [name for name in SAID if name not in LATER])
def test_what_every_kernel_says_is_missed_by_its_name(name: str) -> None:
    said = {key: value for key, value in SAID.items() if key != name}
    with pytest.raises(KeyError, match=f"'{name}'"):
        Snapshot.from_dict(said)


@pytest.mark.parametrize(
    ("outcome", "recorded", "over"),
    [(None, None, False), ("stopped", None, True), (None, False, True), (None, True, True)],
)
def test_a_treatment_is_over_with_its_outcome_or_once_its_row_has_an_end(
    outcome: str | None,
    recorded: bool | None,  # noqa: FBT001 - the value itself
    *,
    over: bool,
) -> None:
    assert WHOLE.treatment is not None
    assert replace(WHOLE.treatment, outcome=outcome, recorded=recorded).over is over
