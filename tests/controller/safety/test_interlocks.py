from typing import Any

import pytest

from controller.safety.interlocks import (
    LOOP_STALL_MAX_S,
    RULES,
    STALE_MAX_S,
    STEP_MAX_KPA,
    Belief,
    Interlock,
    Watch,
    at_most,
    is_stale,
    is_stalled,
)
from controller.safety.reading import Reading
from firmware_protocol.vocabulary import Input, Mode, Permit

FRAME_S = 0.02
BELIEF = Belief(
    treating=True, stopped=False, modes=frozenset({Mode.ACTIVE, Mode.PAUSED}),
    set_suction_kpa=28.0, set_flow_g_per_min=7.0, flow_wished=True, motion_sensor=True, boot_id=5,
)  # fmt: skip
OPEN = Input.SWITCH_CLOSED | Input.CONTACT | Input.VALVE_COMMANDED | Input.PUMP_COMMANDED
HEALTHY = Reading(
    at_s=0.0, tick_ms=0, mode=Mode.ACTIVE, permits=Permit.ALL, inputs=OPEN | Input.MOTION,
    valve_percent=45.0, suction_kpa=27.5, suction_b_kpa=27.6, flow_g_per_min=7.0,
    set_suction_kpa=28.0, set_flow_g_per_min=7.0, boot_id=5,
)  # fmt: skip
LIFTED = HEALTHY._replace(
    inputs=Input.SWITCH_CLOSED | Input.PUMP_COMMANDED, permits=Permit.ARMED, valve_percent=0.0,
    flow_g_per_min=0.1, suction_kpa=4.0, suction_b_kpa=4.1,
)  # fmt: skip
OFF = LIFTED._replace(
    mode=Mode.DISARMED, inputs=Input.SWITCH_REST | Input.VENT_OPEN, permits=Permit.NONE,
    suction_kpa=0.1, suction_b_kpa=0.1, set_suction_kpa=0.0, set_flow_g_per_min=0.0,
)  # fmt: skip
IDLE = BELIEF._replace(
    treating=False, modes=frozenset({Mode.DISARMED}), set_suction_kpa=0.0, set_flow_g_per_min=0.0,
    flow_wished=False,
)  # fmt: skip
UNWISHED = BELIEF._replace(flow_wished=False)
STILL = BELIEF._replace(motion_sensor=False)
SEALED_SHUT = HEALTHY._replace(
    inputs=OPEN & ~Input.VALVE_COMMANDED, permits=Permit.ARMED, valve_percent=0.0,
    flow_g_per_min=0.1,
)  # fmt: skip

BREAKS: list[tuple[Interlock, Reading, Belief]] = [
    (Interlock.OVER_SUCTION, HEALTHY._replace(suction_kpa=55.1), BELIEF),
    (Interlock.OVER_SUCTION, HEALTHY._replace(suction_b_kpa=55.1), BELIEF),
    (Interlock.OVER_SUCTION, HEALTHY._replace(suction_kpa=float("nan")), BELIEF),
    (Interlock.OVER_SUCTION, OFF._replace(suction_kpa=56.0), IDLE),
    (Interlock.UNIT_CHANGED, HEALTHY._replace(boot_id=6), BELIEF),
    (Interlock.SENSOR_MISSING, HEALTHY._replace(suction_kpa=None), BELIEF),
    (Interlock.SENSOR_MISSING, HEALTHY._replace(suction_b_kpa=None), BELIEF),
    (Interlock.SENSOR_MISSING, HEALTHY._replace(flow_g_per_min=None), BELIEF),
    (Interlock.FLOW_WITHOUT_CONTACT, HEALTHY._replace(inputs=OPEN & ~Input.CONTACT), BELIEF),
    (Interlock.OVER_FLOW, HEALTHY._replace(flow_g_per_min=11.6), BELIEF),
    (Interlock.OVER_FLOW, HEALTHY._replace(flow_g_per_min=float("nan")), BELIEF),
    (Interlock.FLOW_WHILE_SHUT, SEALED_SHUT._replace(flow_g_per_min=1.1), BELIEF),
    (Interlock.FLOW_WHILE_SHUT, SEALED_SHUT._replace(valve_percent=5.1), BELIEF),
    (Interlock.FLOW_WHILE_SHUT, OFF._replace(flow_g_per_min=1.1), IDLE),
    (Interlock.STOP_WITHOUT_EFFECT, HEALTHY, BELIEF._replace(stopped=True)),
    (Interlock.STOP_WITHOUT_EFFECT, OFF._replace(flow_g_per_min=2.0), IDLE._replace(stopped=True)),
    (Interlock.MODE_DISAGREES, HEALTHY._replace(mode=Mode.READY), BELIEF),
    (Interlock.SETPOINT_NOT_TAKEN, HEALTHY._replace(set_suction_kpa=28.1), BELIEF),
    (Interlock.SETPOINT_NOT_TAKEN, HEALTHY._replace(set_flow_g_per_min=7.1), BELIEF),
    (Interlock.SENSORS_DISAGREE, HEALTHY._replace(suction_b_kpa=25.4), BELIEF),
    (Interlock.SENSORS_DISAGREE, HEALTHY._replace(suction_b_kpa=29.6), BELIEF),
    (Interlock.SUCTION_OVER_SET, HEALTHY._replace(suction_kpa=36.5, suction_b_kpa=36.0), BELIEF),
    (Interlock.NO_FLOW, HEALTHY._replace(flow_g_per_min=1.3), BELIEF),
    (Interlock.DWELL, HEALTHY._replace(inputs=OPEN), BELIEF),
    (Interlock.SEAL_TOO_LONG, HEALTHY, STILL),
    (Interlock.SEAL_TOO_LONG, HEALTHY, BELIEF),
    (Interlock.SUCTION_WHILE_OFF, OFF._replace(suction_kpa=6.1), IDLE),
    (Interlock.SUCTION_WHILE_OFF, OFF._replace(suction_b_kpa=6.1), IDLE),
    (Interlock.SUCTION_WHILE_OFF, OFF._replace(suction_kpa=None, suction_b_kpa=None), IDLE),
]


def rule(interlock: Interlock) -> Any:  # noqa: ANN401 - a row of the table
    return next(row for row in RULES if row.interlock is interlock)


def broken_after_s(
    interlock: Interlock, reading: Reading, belief: Belief, *, alive: bool = True
) -> float | None:
    """Show the same reading for 15 s and return when the interlock broke."""
    watch = Watch()
    for number in range(750):
        now_s = number * FRAME_S
        wobble = 0.01 * (number % 2) if alive else 0.0
        shown = reading
        if reading.suction_kpa is not None and reading.suction_b_kpa is not None:
            shown = reading._replace(
                suction_kpa=reading.suction_kpa + wobble,
                suction_b_kpa=reading.suction_b_kpa + wobble,
            )
        if reading.flow_g_per_min is not None:
            shown = shown._replace(flow_g_per_min=reading.flow_g_per_min + wobble)
        if interlock in watch.judge(shown, belief, now_s):
            return now_s
    return None


@pytest.mark.parametrize(
    ("reading", "belief"),
    [(HEALTHY, BELIEF), (LIFTED, BELIEF), (LIFTED, STILL), (SEALED_SHUT, BELIEF), (OFF, IDLE)],
    ids=["flowing", "lifted", "lifted, no motion sensor", "sealed and shut", "off"],
)
def test_an_ordinary_reading_breaks_nothing_however_long_it_lasts(
    reading: Reading, belief: Belief
) -> None:
    lifted_in_time = set() if reading is not HEALTHY else {Interlock.SEAL_TOO_LONG}
    for interlock in set(Interlock) - lifted_in_time:
        assert broken_after_s(interlock, reading, belief) is None


@pytest.mark.hazard("H01")
@pytest.mark.hazard("H02")
@pytest.mark.hazard("H03")
@pytest.mark.hazard("H04")
@pytest.mark.hazard("H05")
@pytest.mark.hazard("H06")
@pytest.mark.hazard("H07")
@pytest.mark.hazard("H09")
@pytest.mark.hazard("H20")
@pytest.mark.hazard("H38")
@pytest.mark.hazard("H39")
@pytest.mark.parametrize(("interlock", "reading", "belief"), BREAKS)
def test_each_interlock_breaks_after_its_grace_and_not_before(
    interlock: Interlock, reading: Reading, belief: Belief
) -> None:
    grace_s = rule(interlock).grace_s
    assert broken_after_s(interlock, reading, belief) == pytest.approx(grace_s, abs=FRAME_S)


def test_every_row_of_the_table_is_seen_to_break() -> None:
    shown = {interlock for interlock, _, _ in BREAKS}
    elsewhere = {
        Interlock.SUCTION_JUMP, Interlock.SENSOR_FROZEN, Interlock.FLOW_FROZEN,
        Interlock.SENSORS_DRIFT,
    }  # fmt: skip
    assert {row.interlock for row in RULES} == shown | elsewhere


@pytest.mark.parametrize(
    ("interlock", "reading", "belief"),
    [
        (Interlock.SENSOR_MISSING, OFF._replace(flow_g_per_min=None), IDLE),
        (Interlock.OVER_FLOW, HEALTHY._replace(flow_g_per_min=11.6), IDLE),
        (Interlock.SUCTION_OVER_SET, HEALTHY, IDLE),
        (Interlock.SETPOINT_NOT_TAKEN, HEALTHY, IDLE),
        (Interlock.NO_FLOW, HEALTHY._replace(flow_g_per_min=0.0), UNWISHED),
        (Interlock.DWELL, HEALTHY._replace(inputs=OPEN), STILL),
        (Interlock.SEAL_TOO_LONG, LIFTED, BELIEF),
        (Interlock.SENSORS_DISAGREE, HEALTHY._replace(suction_b_kpa=None), BELIEF),
        (Interlock.SUCTION_WHILE_OFF, OFF._replace(suction_kpa=None), IDLE),
    ],
)  # fmt: skip
def test_an_interlock_keeps_to_its_own_business(
    interlock: Interlock, reading: Reading, belief: Belief
) -> None:
    assert broken_after_s(interlock, reading, belief) is None


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("frozen", ["suction_kpa", "suction_b_kpa"])
def test_a_sensor_that_stands_still_under_suction_breaks_after_a_second(frozen: str) -> None:
    watch, moving = Watch(), "suction_b_kpa" if frozen == "suction_kpa" else "suction_kpa"
    for number in range(60):
        change: dict[str, Any] = {moving: 27.5 + 0.01 * (number % 2)}
        shown = HEALTHY._replace(**change)
        broken = watch.judge(shown, BELIEF, number * FRAME_S)
        assert (Interlock.SENSOR_FROZEN in broken) is (number * FRAME_S >= 1.0)


@pytest.mark.parametrize(
    ("reading", "belief"), [(OFF, IDLE), (LIFTED, BELIEF), (HEALTHY._replace(inputs=OPEN), IDLE)]
)
def test_a_sensor_at_rest_may_stand_still(reading: Reading, belief: Belief) -> None:
    assert broken_after_s(Interlock.SENSOR_FROZEN, reading, belief, alive=False) is None


@pytest.mark.hazard("H08")
@pytest.mark.hazard("H01")
def test_a_flow_that_stands_still_at_a_plausible_value_breaks_after_a_second() -> None:
    assert broken_after_s(Interlock.FLOW_FROZEN, HEALTHY, BELIEF, alive=False) == pytest.approx(
        1.0, abs=FRAME_S
    )
    quiet = HEALTHY._replace(flow_g_per_min=0.5)
    for still, belief in ((quiet, BELIEF), (SEALED_SHUT, BELIEF), (HEALTHY, IDLE)):
        assert broken_after_s(Interlock.FLOW_FROZEN, still, belief, alive=False) is None
    gentle = HEALTHY._replace(flow_g_per_min=1.0)  # the weakest program
    assert broken_after_s(Interlock.FLOW_FROZEN, gentle, BELIEF, alive=False) is not None
    missing = HEALTHY._replace(flow_g_per_min=None)
    assert broken_after_s(Interlock.FLOW_FROZEN, missing, BELIEF, alive=False) is None


def drifted_after_s(a_kpa_per_s: float, until_s: float = 60.0) -> float | None:
    watch = Watch()
    for number in range(round(until_s / FRAME_S)):
        now_s = number * FRAME_S
        shown = HEALTHY._replace(
            at_s=now_s, suction_kpa=27.5 + a_kpa_per_s * now_s + 0.01 * (number % 2),
            suction_b_kpa=27.5 + 0.02 * (number % 3), flow_g_per_min=7.0 + 0.01 * (number % 2),
        )  # fmt: skip
        if Interlock.SENSORS_DRIFT in watch.judge(shown, BELIEF, now_s):
            return now_s
    return None


@pytest.mark.hazard("H07")
@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_a_sensor_that_creeps_away_is_told_before_the_two_disagree(direction: float) -> None:
    # 0.1 kPa a second: at 2 kPa, after 20 s, they would disagree
    found_s = drifted_after_s(0.1 * direction)
    assert found_s is not None
    assert found_s < 18.0
    assert drifted_after_s(0.0) is None


@pytest.mark.hazard("H07")
def test_strokes_in_which_one_sensor_lags_are_no_drift_and_unknown_changes_nothing() -> None:
    watch = Watch()
    for number in range(3000):
        lag_kpa = 4.0 if number % 125 < 10 else 0.0  # 200 ms of every stroke of 2.5 s
        shown = HEALTHY._replace(
            at_s=number * FRAME_S, suction_kpa=27.0 + lag_kpa, suction_b_kpa=27.0,
        )  # fmt: skip
        assert Interlock.SENSORS_DRIFT not in watch.judge(shown, BELIEF, number * FRAME_S)
    before_kpa = watch.apart_kpa
    watch.judge(HEALTHY._replace(at_s=70.0, suction_kpa=None), BELIEF, 70.0)
    watch.judge(HEALTHY._replace(at_s=71.0, suction_b_kpa=None), BELIEF, 71.0)
    assert watch.apart_kpa == before_kpa


@pytest.mark.hazard("H07")
def test_a_jump_that_air_cannot_make_breaks_at_once() -> None:
    watch = Watch()
    assert watch.judge(LIFTED, BELIEF, 0.0) == ()
    far = LIFTED._replace(suction_kpa=4.0 + STEP_MAX_KPA + 0.1)
    assert Interlock.SUCTION_JUMP in watch.judge(far, BELIEF, FRAME_S)
    watch = Watch()
    watch.judge(LIFTED, BELIEF, 0.0)
    sealed = LIFTED._replace(suction_kpa=4.0 + STEP_MAX_KPA - 5.0)
    assert Interlock.SUCTION_JUMP not in watch.judge(sealed, BELIEF, FRAME_S)
    unknown = LIFTED._replace(suction_kpa=None)
    assert Interlock.SUCTION_JUMP not in watch.judge(unknown, BELIEF, 2 * FRAME_S)


def test_what_holds_again_starts_its_grace_anew() -> None:
    watch, bad = Watch(), HEALTHY._replace(mode=Mode.READY)
    for number in range(100):
        ugly = number % 10 != 9
        broken = watch.judge(bad if ugly else HEALTHY, BELIEF, number * FRAME_S)
        assert Interlock.MODE_DISAGREES not in broken
    assert watch.failing_for_s(Interlock.MODE_DISAGREES, 2.0) == 0.0


def test_all_that_is_broken_is_told_the_most_urgent_first() -> None:
    watch = Watch()
    both = HEALTHY._replace(suction_kpa=56.0, suction_b_kpa=56.0, boot_id=6)
    assert watch.judge(both, BELIEF, 0.0) == (Interlock.OVER_SUCTION, Interlock.UNIT_CHANGED)
    still = HEALTHY._replace(inputs=OPEN)
    watch.judge(still, BELIEF, 1.0)
    watch.judge(still, BELIEF, 2.5)
    assert watch.failing_for_s(Interlock.DWELL, 2.5) == pytest.approx(1.5)


def test_graces_stay_below_the_times_that_the_device_needs_no_host_for() -> None:
    assert rule(Interlock.OVER_SUCTION).grace_s == 0.0
    assert rule(Interlock.FLOW_WITHOUT_CONTACT).grace_s <= 0.25
    assert all(row.hazards for row in RULES)


@pytest.mark.hazard("H10")
def test_telemetry_is_stale_after_three_missed_frames_and_when_there_never_was_any() -> None:
    assert not is_stale(10.0, 10.0 + STALE_MAX_S - 0.001)
    assert is_stale(10.0, 10.0 + STALE_MAX_S + 0.001)
    assert is_stale(None, 10.0)
    assert is_stale(float("nan"), 10.0)


@pytest.mark.hazard("H14")
def test_the_loop_is_stalled_after_three_missed_beats() -> None:
    assert not is_stalled(None, 10.0)
    assert not is_stalled(10.0, 10.0 + LOOP_STALL_MAX_S - 0.001)
    assert is_stalled(10.0, 10.0 + LOOP_STALL_MAX_S + 0.001)


@pytest.mark.hazard("H39")
def test_unknown_is_never_at_most_anything() -> None:
    assert at_most(1.0, 1.0)
    assert not at_most(1.1, 1.0)
    assert not at_most(None, 1.0)
    assert not at_most(float("nan"), 1.0)
