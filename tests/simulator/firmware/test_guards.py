from typing import Any

import pytest

from firmware_protocol.vocabulary import Cause, Mode
from simulator.firmware.contact import Dwell, HandSwitch
from simulator.firmware.guards import FLOW_MISSING_RATIO, GUARDS, Guards, Scene, Watch, calm, gone
from simulator.firmware.modes import POLICY
from tests.simulator.firmware.samples import at_rest

STEP_MS = 5
ARMED, STOPPING, IDLE = POLICY[Mode.ACTIVE], POLICY[Mode.STOPPING], POLICY[Mode.DISARMED]
NAN = float("nan")


def scene(**changes: Any) -> Scene:  # noqa: ANN401 - by name of a field
    """Return a healthy scene in mid-stroke, with changes to the scene or to its sensors."""
    healthy: dict[str, Any] = {
        "suction_a_kpa": 25.0, "suction_b_kpa": 25.1, "flow_g_per_min": 6.0,
        "valve_percent": 40.0, "contact": True, "motion": True,
        "switch_closed": True, "switch_rest": False,
    }  # fmt: skip
    fields: dict[str, Any] = {
        "lease": True, "opened": True, "pumping": True, "set_flow_g_per_min": 6.0,
        "suction_min_kpa": 10.0, "unchanged_ms": 0, "flow_unchanged_ms": 0, "asked": True,
        "left_mg": 1000.0, "tip": 1,
    }  # fmt: skip
    clocks = {name: changes.pop(name) for name in list(changes) if name.endswith("_clock_ms")}
    fields |= {name: changes.pop(name) for name in list(changes) if name in fields}
    made = Scene(at_rest(**(healthy | changes)), HandSwitch(), Dwell())
    for name, value in fields.items():
        setattr(made, name, value)
    for name, value in clocks.items():
        owner = made.switch if name in {"disagree_clock_ms", "held_clock_ms"} else made.dwell
        setattr(owner, name.replace("_clock_ms", "_ms"), value)
    return made


SHUT = {"opened": False, "valve_percent": 0.0, "flow_g_per_min": 0.0}

# cause, what is wrong, the last value that is right, time until it is believed, hazard
TRIPS: list[tuple[Cause, dict[str, Any], dict[str, Any], int]] = [
    (Cause.LEASE_LAPSED, {"lease": False}, {"lease": True}, 0),
    (Cause.SENSOR_INVALID, {"suction_a_kpa": None}, {}, 10),
    (Cause.SENSOR_INVALID, {"flow_g_per_min": None}, {}, 10),
    (Cause.OVER_SUCTION, {"suction_a_kpa": 55.01, "suction_b_kpa": 55.0},
     {"suction_a_kpa": 55.0, "suction_b_kpa": 55.0}, 20),
    (Cause.OVER_SUCTION, {"suction_a_kpa": NAN}, {}, 20),
    (Cause.VALVE_STUCK_OPEN, SHUT | {"valve_percent": 5.5}, SHUT | {"valve_percent": 5.0}, 100),
    (Cause.VALVE_STUCK_OPEN, SHUT | {"flow_g_per_min": 0.51}, SHUT | {"flow_g_per_min": 0.5}, 100),
    (Cause.FLOW_WITHOUT_CONTACT, {"contact": False},
     SHUT | {"contact": False, "flow_g_per_min": 0.5}, 100),
    (Cause.TIP_CHANGED, {"tip": 2}, {"tip": 1}, 50),
    (Cause.EXPOSURE, {"left_mg": 0.0}, {"left_mg": 0.1}, 100),
    (Cause.EXPOSURE, {"left_mg": NAN}, {"left_mg": 0.0, "asked": False}, 100),
    (Cause.EXPOSURE, {"left_mg": -5.0, "flow_g_per_min": 0.51},
     SHUT | {"left_mg": -5.0, "flow_g_per_min": 0.5}, 100),
    (Cause.ENVELOPE, {"flow_g_per_min": 8.81}, {"flow_g_per_min": 8.79}, 150),
    (Cause.SWITCH_FAULT, {"disagree_clock_ms": 55}, {"disagree_clock_ms": 50}, 0),
    (Cause.SWITCH_FAULT, {"held_clock_ms": 120_005}, {"held_clock_ms": 120_000}, 0),
    (Cause.BROWN_OUT, {"supply_v": 19.9}, {"supply_v": 20.0}, 10),
    (Cause.BROWN_OUT, {"supply_v": NAN}, {}, 10),
    (Cause.SENSORS_DISAGREE, {"suction_b_kpa": 27.1}, {"suction_b_kpa": 27.0}, 300),
    (Cause.SENSORS_DISAGREE, {"suction_a_kpa": 47.0, "suction_b_kpa": 50.0},
     {"suction_a_kpa": 47.5, "suction_b_kpa": 50.0}, 300),
    (Cause.SENSOR_FROZEN, {"unchanged_ms": 500}, {"unchanged_ms": 495}, 0),
    (Cause.SENSOR_FROZEN, {"flow_unchanged_ms": 500}, {"flow_unchanged_ms": 495}, 0),
    (Cause.DWELL, {"still_clock_ms": 2005}, {"still_clock_ms": 2000}, 0),
    (Cause.DWELL, {"sealed_clock_ms": 8005}, {"sealed_clock_ms": 8000}, 0),
    (Cause.CONTACT_TOO_LONG, {"sucked_clock_ms": 20_005}, {"sucked_clock_ms": 20_000}, 0),
    (Cause.HOPPER_EMPTY, {"flow_g_per_min": 0.1, "hopper_g": 0.1},
     {"flow_g_per_min": 1.3, "hopper_g": 0.1}, 1000),
    (Cause.NO_FLOW, {"flow_g_per_min": 1.2}, {"flow_g_per_min": 1.21}, 1000),
    (Cause.NO_FLOW, {"set_flow_g_per_min": 1.1, "flow_g_per_min": 0.5},
     {"set_flow_g_per_min": 1.1, "flow_g_per_min": 0.51}, 1000),
    (Cause.NO_SUCTION, {"suction_a_kpa": 9.0, "suction_b_kpa": 9.0},
     {"suction_a_kpa": 10.1, "suction_b_kpa": 10.0}, 1500),
    (Cause.OVERHEAT, {"pump_deg_c": 75.1}, {"pump_deg_c": 75.0}, 500),
    (Cause.WASTE_FULL, {"waste_percent": 95.1}, {"waste_percent": 95.0}, 500),
    (Cause.FILTER_LOADED, {"filter_kpa": 6.1}, {"filter_kpa": 6.0}, 500),
]  # fmt: skip


GUARDED = (
    "H01", "H02", "H03", "H04", "H05", "H06", "H07", "H08", "H09", "H10", "H16", "H17", "H27",
    "H28", "H29", "H30", "H36", "H38", "H45",
)  # fmt: skip


def _name(value: object) -> str | None:
    return value.name if isinstance(value, Cause) else None


@pytest.mark.hazard(*GUARDED)
@pytest.mark.parametrize(("cause", "wrong", "right", "after_ms"), TRIPS, ids=_name)
def test_each_trip_comes_after_its_time_and_not_a_sample_before(
    cause: Cause, wrong: dict[str, Any], right: dict[str, Any], after_ms: int
) -> None:
    guards, standing = Guards(), scene(**wrong)
    for stood_ms in range(STEP_MS, after_ms, STEP_MS):
        assert guards.judge(STEP_MS, standing, ARMED) is None, stood_ms
    found = guards.judge(STEP_MS, standing, ARMED)
    assert found is not None
    assert found.cause is cause
    assert found.onset_ms == (after_ms if 0 < after_ms <= 500 else 0)
    fine = scene(**right)
    guards = Guards()
    assert all(guards.judge(STEP_MS, fine, ARMED) is None for _ in range(400))


@pytest.mark.parametrize(("cause", "wrong", "right", "after_ms"), TRIPS, ids=_name)
def test_a_condition_that_goes_away_in_between_starts_its_clock_anew(
    cause: Cause, wrong: dict[str, Any], right: dict[str, Any], after_ms: int
) -> None:
    if after_ms <= STEP_MS:
        return
    guards, standing, fine = Guards(), scene(**wrong), scene(**right)
    for _ in range(3):
        for _ in range(STEP_MS, after_ms, STEP_MS):
            assert guards.judge(STEP_MS, standing, ARMED) is None, cause
        assert guards.judge(STEP_MS, fine, ARMED) is None


def test_every_row_of_the_table_is_tested_here() -> None:
    tripped = set()
    for _, wrong, _, after_ms in TRIPS:
        made = scene(**wrong)
        rows = [guard for guard in GUARDS if guard.stands(made) and guard.after_ms == after_ms]
        tripped.add(GUARDS.index(rows[0]))
    assert tripped == set(range(len(GUARDS)))


def test_rows_are_watched_only_when_they_mean_something() -> None:
    for guard in GUARDS:
        wrong = next(wrong for cause, wrong, _, _ in TRIPS if cause is guard.cause)
        for policy, watched in [
            (IDLE, {Watch.ALWAYS}),
            (STOPPING, {Watch.ALWAYS, Watch.RUNNING}),
            (ARMED, set(Watch)),
        ]:
            guards, standing = Guards(), scene(**wrong)
            found = [guards.judge(STEP_MS, standing, policy) for _ in range(400)]
            causes = {finding.cause for finding in found if finding is not None}
            assert (guard.cause in causes) is (guard.watch in watched), (guard, policy)


def test_what_is_not_watched_starts_no_clock_and_what_is_watched_after_it_does() -> None:
    guards, standing = Guards(), scene(waste_percent=99.0)
    for _ in range(400):
        assert guards.judge(STEP_MS, standing, IDLE) is None
    assert guards.judge(STEP_MS, scene(), IDLE) is None
    assert guards.judge(STEP_MS, standing, IDLE) is None
    for _ in range(STEP_MS, 500, STEP_MS):
        assert guards.judge(STEP_MS, standing, ARMED) is None
    found = guards.judge(STEP_MS, standing, ARMED)
    assert found is not None
    assert found.cause is Cause.WASTE_FULL


def test_the_first_row_that_stood_long_enough_is_the_first_out_cause() -> None:
    guards = Guards()
    both = scene(suction_a_kpa=60.0, suction_b_kpa=25.0)
    judged = (guards.judge(STEP_MS, both, ARMED) for _ in range(400))
    found = next(finding for finding in judged if finding is not None)
    assert found.cause is Cause.OVER_SUCTION


def test_a_lost_sensor_is_no_disagreement() -> None:
    guards = Guards()
    lost = scene(suction_b_kpa=None)
    assert all(guards.judge(STEP_MS, lost, ARMED) is None for _ in range(400))


@pytest.mark.parametrize(
    ("cause", "stands"),
    [
        (Cause.OVER_SUCTION, True),
        (Cause.DWELL, False),  # a row of an armed treatment: off is cure enough
        (Cause.LEASE_LAPSED, False),
        (Cause.LINK_ERRORS, False),  # no row of this table
    ],
)
def test_a_cause_is_gone_when_no_row_of_it_stands_with_outputs_off(
    cause: Cause, *, stands: bool
) -> None:
    off = scene(lease=False, suction_a_kpa=60.0, still_clock_ms=9999)
    assert gone(cause, off) is not stands


# field of the scene or of a sample, or a clock: values at and beyond every limit of the table
BORDERS: dict[str, tuple[Any, ...]] = {
    "lease": (False,),
    "suction_a_kpa": (None, NAN, 0.0, 10.0, 10.01, 22.0, 27.5, 55.0, 55.01),
    "suction_b_kpa": (None, NAN, 23.0, 22.99, 27.0, 27.01),
    "flow_g_per_min": (None, NAN, 0.3, 0.31, 0.5, 0.51, FLOW_MISSING_RATIO * 6.0, 1.21, 8.8, 8.81),
    "valve_percent": (NAN, 0.0, 5.0, 5.01),
    "contact": (False,),
    "opened": (False,),
    "pumping": (False,),
    "set_flow_g_per_min": (NAN, 0.0, 0.6, 1.0, 2.5),
    "suction_min_kpa": (25.0, 30.0),
    "asked": (False,),
    "left_mg": (NAN, 0.0, 0.1, -1.0),
    "tip": (2, None),
    "unchanged_ms": (495, 500),
    "flow_unchanged_ms": (495, 500),
    "disagree_clock_ms": (50, 55),
    "held_clock_ms": (120_000, 120_005),
    "still_clock_ms": (2000, 2005),
    "sealed_clock_ms": (8000, 8005),
    "sucked_clock_ms": (20_000, 20_005),
    "supply_v": (NAN, 20.0, 19.99),
    "pump_deg_c": (NAN, 75.0, 75.01),
    "waste_percent": (NAN, 95.0, 95.01),
    "filter_kpa": (NAN, 6.0, 6.01),
    "hopper_g": (0.0,),
}


def _stands(made: Scene) -> bool:
    return any(guard.stands(made) for guard in GUARDS)


def test_a_healthy_scene_is_calm() -> None:
    assert calm(scene())
    assert calm(scene(**SHUT))


@pytest.mark.hazard(*GUARDED)
@pytest.mark.parametrize("name", BORDERS)
def test_a_scene_is_calm_exactly_where_no_row_of_the_table_stands(name: str) -> None:
    others = [(other, value) for other in BORDERS for value in BORDERS[other] if other != name]
    for value in BORDERS[name]:
        for base in ({}, SHUT, {"pumping": False, "contact": False}):
            alone = scene(**(base | {name: value}))
            assert calm(alone) is not _stands(alone), (base, name, value)
            for other, second in others:
                both = scene(**(base | {name: value, other: second}))
                assert calm(both) is not _stands(both), (base, name, value, other, second)
