"""Sentences of PROTOCOL.md that fresh persons misread or missed: the unit does what they say."""

import pytest

from controller.device.stopping import STOP_REPEAT_S
from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode, encode
from firmware_protocol.envelope import (
    BAD_FRAMES_SHORT_MAX,
    CONTACT_SUCTION_MIN_PA,
    DWELL_TRIP_S,
    SEAL_UNBROKEN_MAX_S,
    SETPOINT_PERIOD_S,
    TELEMETRY_PERIOD_S,
    TELEMETRY_SHIFT_S,
    VALVE_CLOSED_MIN_S,
    VENTED_MAX_PA,
)
from firmware_protocol.link import session_number
from firmware_protocol.messages import (
    Arm,
    Ident,
    LogRead,
    LogRecord,
    Reset,
    Result,
    SelfTest,
    Telemetry,
)
from firmware_protocol.vocabulary import Cause, Input, Mode, Refusal, StopKind, Wish
from qa.host import greeting
from simulator.firmware.firmware import TICK_S
from simulator.firmware.outputs import PURGE_MIN_PA
from tests.simulator.host import Host
from tools.unit_page import HEALTHY_MIN_S
from tools.unit_tables import durations
from tools.unit_trial import CONFIG, SETPOINT, TREATMENT, Trial, in_mode

SOON_S = 0.1


def pressed_in(mode: Mode, wish: Wish) -> Trial:
    """A unit in a mode of a treatment whose hand switch is newly pressed under a wish."""
    trial = in_mode(mode)
    trial.wishes.wish = wish
    trial.run(SOON_S)
    trial.sealed = trial.pressed = True
    trial.run(SOON_S)
    return trial


def trips_after(trial: Trial) -> float:
    """Let an open valve go on until the unit trips with DWELL, and return how long that took."""
    took_s = trial.reaches(Mode.SAFE)
    assert trial.firmware.board.cause is Cause.DWELL
    return took_s


def refusal(trial: Trial, message: Arm | Reset | SelfTest) -> Refusal:
    reply = trial.ask(message)
    assert isinstance(reply, Result)
    return Refusal(reply.refusal)


# -- the hand and the wish -------------------------------------------------------------------------
@pytest.mark.parametrize("wish", [Wish.NONE, Wish.PUMP, Wish.ALL])
def test_a_press_in_armed_leads_to_active_whatever_the_host_wishes(wish: Wish) -> None:
    trial = pressed_in(Mode.ARMED, wish)
    assert trial.mode is Mode.ACTIVE
    trial.wishes.wish = Wish.ALL
    trial.until(lambda: trial.drives.valve > 0.0)  # without a new press


def test_a_press_off_the_skin_leads_to_active_and_the_seal_brings_the_flow() -> None:
    trial = in_mode(Mode.ARMED)
    trial.pressed = True
    trial.run(SOON_S)
    assert trial.mode is Mode.ACTIVE
    assert trial.drives.valve == 0.0
    trial.sealed = True
    trial.until(lambda: trial.drives.valve > 0.0)


def test_a_wish_that_is_taken_back_pauses_until_a_press_under_a_new_one() -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.wishes.wish = Wish.PUMP
    trial.reaches(Mode.PAUSED)
    trial.wishes.wish = Wish.ALL
    trial.run(VALVE_CLOSED_MIN_S + SOON_S)
    assert trial.mode is Mode.PAUSED  # the switch is held still
    trial.pressed = False
    trial.run(SOON_S)
    trial.pressed = True
    trial.reaches(Mode.ACTIVE)


def test_a_press_in_paused_without_a_wish_is_none_for_the_wish_that_comes_later() -> None:
    trial = pressed_in(Mode.PAUSED, Wish.PUMP)
    assert trial.mode is Mode.PAUSED
    trial.wishes.wish = Wish.ALL
    trial.run(VALVE_CLOSED_MIN_S + SOON_S)
    assert trial.mode is Mode.PAUSED


# -- how long on one spot --------------------------------------------------------------------------
def test_a_still_tip_trips_after_its_time_of_open_valve_and_a_move_begins_it_anew() -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.moving = False
    trial.run(DWELL_TRIP_S - SOON_S)
    trial.moving = True
    trial.run(TICK_S)
    trial.moving = False
    assert trips_after(trial) == pytest.approx(DWELL_TRIP_S, abs=3 * TICK_S)


def test_the_seal_counts_the_time_of_open_valve_and_a_pause_does_not_begin_it_anew() -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.run(SEAL_UNBROKEN_MAX_S / 2)
    trial.pressed = False
    trial.run(3.0)
    trial.pressed = True
    trial.until(lambda: trial.drives.valve > 0.0)
    assert trips_after(trial) == pytest.approx(SEAL_UNBROKEN_MAX_S / 2, abs=3 * TICK_S)


def test_a_seal_without_an_open_valve_is_no_time_of_it() -> None:
    trial = in_mode(Mode.ARMED)
    trial.sealed = True
    trial.run(5.0)
    trial.pressed = True
    trial.until(lambda: trial.drives.valve > 0.0)
    assert trips_after(trial) == pytest.approx(SEAL_UNBROKEN_MAX_S, abs=3 * TICK_S)


def test_one_sample_without_contact_begins_the_seal_anew() -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.run(SEAL_UNBROKEN_MAX_S - SOON_S)
    trial.sealed = False
    trial.run(TICK_S)
    trial.sealed = True
    trial.until(lambda: trial.drives.valve > 0.0)
    assert trips_after(trial) == pytest.approx(SEAL_UNBROKEN_MAX_S, abs=3 * TICK_S)


@pytest.mark.parametrize("lifted", [True, False])
def test_after_a_trip_by_dwell_arm_trips_again_unless_the_tip_was_lifted(*, lifted: bool) -> None:
    trial = in_mode(Mode.ACTIVE)
    trips_after(trial)
    trial.pressed = False
    trial.run(SOON_S)
    assert refusal(trial, Reset(Cause.DWELL)) is Refusal.NONE  # DWELL does not stand in SAFE
    trial.hello()
    trial.configure()
    trial.sealed = not lifted
    trial.run(1.1)
    trial.done(SelfTest())
    trial.reaches(Mode.READY)
    trial.sealed = True
    assert refusal(trial, Arm(trial.token, TREATMENT)) is Refusal.NONE
    trial.run(SOON_S)
    assert trial.mode is (Mode.ARMED if lifted else Mode.SAFE)


# -- setpoints around a treatment ------------------------------------------------------------------
@pytest.mark.parametrize("wish", [Wish.NONE, Wish.PUMP, Wish.FLOW, Wish.ALL])
@pytest.mark.parametrize("pressed", [True, False])
def test_the_purge_lasts_as_long_whatever_setpoints_wish_for(*, wish: Wish, pressed: bool) -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.run(2.0)  # until suction has risen
    trial.stop(StopKind.NORMAL)
    trial.wishes.wish, trial.pressed = wish, pressed
    assert trial.firmware.board.a.ending.suction_pa == SETPOINT.suction_pa
    assert trial.reaches(Mode.DISARMED) == pytest.approx(durations()["STOPPING"], abs=2 * TICK_S)


def test_a_purge_has_suction_where_none_was_set() -> None:
    trial = in_mode(Mode.ARMED)
    trial.wishes.wish = Wish.NONE
    trial.run(SOON_S)
    trial.stop(StopKind.NORMAL)
    assert trial.firmware.board.a.ending.suction_pa == PURGE_MIN_PA == CONTACT_SUCTION_MIN_PA


@pytest.mark.parametrize("mode", [Mode.DISARMED, Mode.READY])
def test_silence_before_arm_is_no_trip_and_the_unit_goes_on_telling(mode: Mode) -> None:
    trial = in_mode(mode)
    trial.streaming = False
    trial.run(5.0)
    before = trial.telemetry
    trial.run(SOON_S)
    assert trial.mode is mode
    assert trial.telemetry is not None
    assert trial.telemetry != before


def test_arm_is_refused_before_its_earliest_moment_and_done_from_then_on() -> None:
    trial = in_mode(Mode.READY)
    trial.hello()
    trial.configure()
    trial.done(SelfTest())
    trial.until(lambda: trial.firmware.board.a.lease.live)
    trial.run(HEALTHY_MIN_S - SETPOINT_PERIOD_S)
    assert refusal(trial, Arm(trial.token, TREATMENT)) is Refusal.STREAM_NOT_HEALTHY
    trial.run(SETPOINT_PERIOD_S)
    assert refusal(trial, Arm(trial.token, TREATMENT)) is Refusal.NONE


def test_a_lapsed_lease_is_reset_in_the_same_session_and_without_setpoints() -> None:
    trial = in_mode(Mode.ARMED)
    trial.streaming = False
    trial.reaches(Mode.SAFE)
    trial.run(1.0)
    assert trial.telemetry is not None
    assert (trial.telemetry.mode, trial.telemetry.cause) == (Mode.SAFE, Cause.LEASE_LAPSED)
    assert refusal(trial, Reset(Cause.LEASE_LAPSED)) is Refusal.NONE
    assert trial.mode is Mode.DISARMED


def test_the_values_of_the_example_bring_crystals_to_flow_in_the_simulated_unit() -> None:
    host = Host().configured(CONFIG)
    host.wishes.suction_pa, host.wishes.flow_mg_per_min = (
        SETPOINT.suction_pa,
        SETPOINT.flow_mg_per_min,
    )
    host.wishes.exposure_left_mg = SETPOINT.exposure_left_mg
    token = host.result(SelfTest()).detail
    host.until(lambda: host.mode is Mode.READY)
    host.run(1.0)
    assert host.result(Arm(token, CONFIG.treatment)).refusal == Refusal.NONE
    host.run(SOON_S)
    host.device.hand.place()
    host.device.hand.press()
    host.until(lambda: host.mode is Mode.ACTIVE)
    host.run(1.0)
    assert host.telemetry is not None
    assert host.telemetry.flow_mg_per_min == pytest.approx(SETPOINT.flow_mg_per_min, rel=0.2)
    host.stop(StopKind.NORMAL)
    host.until(lambda: host.mode is Mode.DISARMED)


def test_a_self_test_passes_with_the_tip_on_the_skin() -> None:
    trial = in_mode(Mode.DISARMED)
    trial.sealed = True
    trial.done(SelfTest())
    trial.reaches(Mode.READY)


def test_contact_is_told_without_suction_and_with_the_pump_off() -> None:
    host = Host().configured(CONFIG)
    host.run(SOON_S)
    assert host.telemetry is not None
    assert not host.telemetry.inputs & Input.CONTACT
    host.device.hand.place()
    host.run(1.0)
    assert host.mode is Mode.DISARMED
    assert host.telemetry.inputs & Input.CONTACT
    assert not host.telemetry.inputs & Input.PUMP_COMMANDED
    assert host.telemetry.suction_pa <= VENTED_MAX_PA


# -- stopping --------------------------------------------------------------------------------------
def test_setpoints_for_the_pump_alone_shut_the_valve_where_no_stop_arrives() -> None:
    trial = in_mode(Mode.ACTIVE)
    trial.wishes.wish = Wish.PUMP
    trial.run(SOON_S)
    assert trial.drives.valve == 0.0


def test_repeats_of_a_stop_do_not_begin_the_purge_anew() -> None:
    trial = in_mode(Mode.STOPPING)
    began_s = trial.now_s
    while trial.mode is Mode.STOPPING:
        assert trial.now_s - began_s < 2 * durations()["STOPPING"]
        trial.stop(StopKind.NORMAL)
        trial.run(STOP_REPEAT_S)
    assert trial.now_s - began_s == pytest.approx(durations()["STOPPING"], abs=2 * STOP_REPEAT_S)


# -- sessions --------------------------------------------------------------------------------------
def test_telemetry_of_the_new_session_may_come_in_one_read_with_ident() -> None:
    host = Host()
    host.until(lambda: host.mode is Mode.DISARMED)
    hello = greeting(5)
    host.device.receive(encode(hello, 0, 1), host.now_s)
    host.device.advance(host.now_s + TELEMETRY_PERIOD_S + TELEMETRY_SHIFT_S)
    runs = [run for run in host.device.outgoing().split(b"\0") if run]
    ident, *later = [decode(run, Direction.TO_HOST) for run in runs]
    assert isinstance(ident.message, Ident)
    assert any(isinstance(frame.message, Telemetry) for frame in later)
    session = session_number(5, ident.message.device_nonce)
    assert {frame.session for frame in later} == {session}


@pytest.mark.parametrize(("anew", "mode"), [(False, Mode.SAFE), (True, Mode.ARMED)])
def test_bad_frames_count_from_the_session_on_and_not_from_arm(*, anew: bool, mode: Mode) -> None:
    noise = b"\x05\x05\0"
    trial = in_mode(Mode.READY)
    trial.give(noise * BAD_FRAMES_SHORT_MAX)
    if anew:
        trial.hello()
        trial.configure()
        trial.run(1.1)
        trial.done(SelfTest())
        trial.reaches(Mode.READY)
    assert refusal(trial, Arm(trial.token, TREATMENT)) is Refusal.NONE
    trial.give(noise)
    assert trial.mode is mode


def test_a_simulator_of_one_seed_begins_with_the_same_numbers_and_boots_with_new_ones() -> None:
    def told(host: Host) -> tuple[int, int]:
        host.until(lambda: host.mode is Mode.DISARMED)
        ident = host.hello()
        return ident.boot_id, ident.device_nonce

    host = Host(seed=1)
    first = told(host)
    assert told(Host(seed=1)) == first
    assert not set(told(Host(seed=2))) & set(first)
    host.device.restart()
    assert not set(told(host)) & set(first)


# -- answers ---------------------------------------------------------------------------------------
def test_a_missing_record_is_told_by_a_record_of_number_0_and_code_0() -> None:
    trial = in_mode(Mode.DISARMED)
    newest = trial.firmware.board.log.newest_seq
    for number in (0, newest + 1):
        answer = trial.ask(LogRead(number))
        assert isinstance(answer, LogRecord)
        assert answer[1:] == (0, 0, 0, 0, newest)


def test_selftest_is_refused_in_selftest_and_gives_a_new_token_after_its_end() -> None:
    trial = in_mode(Mode.SELFTEST)
    before = trial.token
    assert refusal(trial, SelfTest()) is Refusal.WRONG_MODE
    trial.reaches(Mode.READY)
    trial.done(SelfTest())
    assert trial.token not in (0, before)
