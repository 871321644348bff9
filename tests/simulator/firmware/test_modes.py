import pytest

from firmware_protocol.vocabulary import Mode
from simulator.firmware.modes import (
    POLICY,
    TRANSITIONS,
    NoRowError,
    Trigger,
    allows,
    mermaid,
    step,
)

LIVE = {Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING}

EXPECTED = {
    # a stop of either kind, by mode
    (Mode.BOOT, Trigger.STOP_NORMAL): Mode.DISARMED,
    (Mode.DISARMED, Trigger.STOP_NORMAL): Mode.DISARMED,
    (Mode.SELFTEST, Trigger.STOP_NORMAL): Mode.DISARMED,
    (Mode.READY, Trigger.STOP_NORMAL): Mode.DISARMED,
    (Mode.ARMED, Trigger.STOP_NORMAL): Mode.STOPPING,
    (Mode.ACTIVE, Trigger.STOP_NORMAL): Mode.STOPPING,
    (Mode.PAUSED, Trigger.STOP_NORMAL): Mode.STOPPING,
    (Mode.STOPPING, Trigger.STOP_NORMAL): Mode.STOPPING,
    (Mode.SAFE, Trigger.STOP_NORMAL): Mode.SAFE,
    # the way in and back
    (Mode.BOOT, Trigger.BOOTED): Mode.DISARMED,
    (Mode.DISARMED, Trigger.TEST): Mode.SELFTEST,
    (Mode.READY, Trigger.TEST): Mode.SELFTEST,
    (Mode.SELFTEST, Trigger.PASSED): Mode.READY,
    (Mode.SELFTEST, Trigger.FAILED): Mode.DISARMED,
    (Mode.DISARMED, Trigger.CONFIGURE): Mode.DISARMED,
    (Mode.READY, Trigger.CONFIGURE): Mode.DISARMED,
    (Mode.READY, Trigger.ARM): Mode.ARMED,
    (Mode.ARMED, Trigger.PRESS): Mode.ACTIVE,
    (Mode.ARMED, Trigger.WAITED): Mode.DISARMED,
    (Mode.ACTIVE, Trigger.RELEASE): Mode.PAUSED,
    (Mode.ACTIVE, Trigger.HOLD): Mode.PAUSED,
    (Mode.PAUSED, Trigger.PRESS): Mode.ACTIVE,
    (Mode.STOPPING, Trigger.VENTED): Mode.DISARMED,
    (Mode.SAFE, Trigger.RESET): Mode.DISARMED,
}
EXPECTED |= {
    (mode, Trigger.STOP_EMERGENCY): Mode.SAFE if mode is Mode.SAFE else Mode.DISARMED
    for mode in Mode
}
EXPECTED |= {(mode, Trigger.TRIP): Mode.SAFE for mode in Mode}
EXPECTED |= {
    (mode, Trigger.SESSION): mode if mode in {Mode.BOOT, Mode.SAFE} else Mode.DISARMED
    for mode in Mode
    if mode not in LIVE
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_event_in_every_mode_does_what_this_table_says_or_is_refused(
    mode: Mode, trigger: Trigger
) -> None:
    expected = EXPECTED.get((mode, trigger))
    assert allows(mode, trigger) is (expected is not None)
    if expected is None:
        with pytest.raises(NoRowError, match=f"{mode.name} has no row for {trigger.name}"):
            step(mode, trigger)
    else:
        assert step(mode, trigger) is expected


@pytest.mark.hazard("H49", "H54")
@pytest.mark.parametrize("mode", Mode)
def test_every_mode_answers_a_trip_and_both_stops(mode: Mode) -> None:
    assert {Trigger.TRIP, Trigger.STOP_NORMAL, Trigger.STOP_EMERGENCY} <= set(TRANSITIONS[mode])


def test_only_reset_leaves_safe() -> None:
    leaving = [trigger for trigger, after in TRANSITIONS[Mode.SAFE].items() if after != Mode.SAFE]
    assert leaving == [Trigger.RESET]


@pytest.mark.hazard("H18", "H22")
def test_no_row_leads_into_active_but_a_press_of_the_hand_switch() -> None:
    ways = {
        (mode, trigger)
        for mode, row in TRANSITIONS.items()
        for trigger, after in row.items()
        if after is Mode.ACTIVE
    }
    assert ways == {(Mode.ARMED, Trigger.PRESS), (Mode.PAUSED, Trigger.PRESS)}


@pytest.mark.parametrize("mode", Mode)
def test_only_active_may_open_the_valve_and_only_driven_modes_run(mode: Mode) -> None:
    policy = POLICY[mode]
    assert policy.valve is (mode is Mode.ACTIVE)
    assert policy.armed is (mode in {Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})
    assert policy.running is (mode in LIVE)
    assert policy.latched is (mode is Mode.SAFE)


def test_the_diagram_shows_every_change_of_mode() -> None:
    drawn = mermaid()
    assert "SAFE --> DISARMED: RESET" in drawn
    changes = [
        (mode, after)
        for mode, row in TRANSITIONS.items()
        for after in row.values()
        if after != mode
    ]
    assert drawn.count("-->") == len(changes) + 1
