"""The second part of PROTOCOL.md: what is tried there is what the tables of the firmware say."""

import pytest

from firmware_protocol import envelope
from firmware_protocol.vocabulary import Capability, Defect, Input, LogCode, Mode, Permit, Refusal
from simulator.firmware import firmware, guards, memory
from simulator.firmware.modes import POLICY, Trigger, allows, step
from tools.constants import constants_of, meanings_of
from tools.unit_page import SMALL_PART_BYTES, kept_bytes, unit_chapters
from tools.unit_tables import REQUESTS, Wrong, distances, durations, refusals, tried, voids

DRIVEN = {Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING}


@pytest.mark.hazard("H49")
@pytest.mark.parametrize("mode", Mode)
def test_a_stop_was_tried_in_each_mode_and_leads_where_the_table_says(mode: Mode) -> None:
    assert tried()["STOP normal"][mode] == step(mode, Trigger.STOP_NORMAL).name
    assert tried()["STOP emergency"][mode] == step(mode, Trigger.STOP_EMERGENCY).name


@pytest.mark.hazard("H18", "H22")
@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.BOOT])
def test_each_request_was_tried_in_each_mode_and_is_done_where_the_table_has_a_row(
    mode: Mode,
) -> None:
    triggers = {"CONFIG": Trigger.CONFIGURE, "SELFTEST": Trigger.TEST, "ARM": Trigger.ARM,
                "RESET": Trigger.RESET}  # fmt: skip
    for request, trigger in triggers.items():
        cell = tried()[request][mode]
        assert cell.startswith("done") is allows(mode, trigger), (request, cell)
        if not allows(mode, trigger):
            assert cell == Refusal.WRONG_MODE.name
    cell = tried()["HELLO"][mode]
    assert (cell == "BUSY") is not allows(mode, Trigger.SESSION)
    assert tried()["LOG_READ"][mode] == "the record"
    assert tried()["WITNESS_ASK"][mode] == "the row"
    assert tried()["WITNESS_KEEP"][mode] == ("WRONG_MODE" if mode in DRIVEN else "done")


@pytest.mark.hazard("H18", "H22")
@pytest.mark.parametrize("mode", Mode)
def test_a_setpoint_drives_the_valve_in_active_alone_and_nothing_before_arm(mode: Mode) -> None:
    cell = tried()["SETPOINT"][mode]
    assert ("valve" in cell) is POLICY[mode].valve
    assert ("pump" in cell) is (mode in DRIVEN)
    assert tried()["SETPOINT"][Mode.BOOT] == "no session"


def test_in_boot_only_hello_and_stop_are_answered() -> None:
    said = {name: cells[Mode.BOOT] for name, cells in tried().items()}
    assert said["HELLO"] == "new session, DISARMED"
    assert {name for name, cell in said.items() if cell not in ("no answer", "no session")} == {
        "HELLO", "STOP normal", "STOP emergency",
    }  # fmt: skip


@pytest.mark.hazard("H22")
def test_the_refusals_of_arm_and_reset_come_in_their_order() -> None:
    assert [refusal.name for refusal, _ in refusals("ARM")] == [
        "SELF_TEST_FAILED", "WRONG_MODE", "NOT_CONFIGURED", "OUT_OF_ENVELOPE", "BAD_TOKEN",
        "STREAM_NOT_HEALTHY", "SWITCH_PRESSED",
    ]  # fmt: skip
    assert [refusal.name for refusal, _ in refusals("RESET")] == [
        "WRONG_MODE", "LOCKED", "SWITCH_PRESSED", "CAUSE_STANDS",
    ]  # fmt: skip
    assert refusals("HELLO")[0] == (Refusal.VERSION, (Wrong.VERSION,))


@pytest.mark.hazard("H22", "H23")
def test_a_token_is_void_after_whatever_may_have_changed_the_unit() -> None:
    kept = {name for name, (token, _, _) in voids().items() if token == "kept"}  # noqa: S105
    assert kept == {"a request that is refused"}
    assert voids()["SELFTEST"][0] == "a new one"
    assert voids()["HELLO, a new session"] == ("void", "void", "void")


def test_modes_that_end_by_themselves_last_as_long_as_is_said() -> None:
    lasts = durations()
    assert lasts["SELFTEST"] == pytest.approx(0.4, abs=0.01)
    assert lasts["ARMED"] == pytest.approx(10.0, abs=0.02)
    assert 2.0 <= lasts["STOPPING"] <= 4.0


@pytest.mark.hazard("H11", "H13")
def test_telemetry_is_sent_at_moments_that_cannot_be_counted() -> None:
    apart = distances(10.0)
    assert set(apart) == {15, 20, 25}
    assert sum(apart) / len(apart) == pytest.approx(20.0, abs=0.1)
    assert 0.3 < apart.count(20) / len(apart) < 0.7


def test_what_a_unit_keeps_fits_a_small_part_with_the_log_and_output_of_the_simulator() -> None:
    assert kept_bytes() <= SMALL_PART_BYTES * 2 // 3  # the rest is stack and drivers
    kept = memory.CAPACITY * 16 + firmware.OUTGOING_MAX_BYTES
    assert kept <= kept_bytes()


def test_every_limit_constant_word_and_request_stands_on_the_page() -> None:
    page = unit_chapters()
    for module in (envelope, guards, firmware):
        for one in constants_of(module):
            assert f"| `{one.name}` | {one.value:g} |" in page
    for words in (Permit, Input, Capability, LogCode):
        for name, meaning in meanings_of(words).items():
            assert f"| {words.__name__} | {name} | {meaning} |" in page
    assert set(meanings_of(LogCode)) == {code.name for code in LogCode}
    assert "| Defect | WATCHDOG |" in page
    assert Defect.WATCHDOG.name in meanings_of(Defect)
    for request in REQUESTS:
        assert f"\n| {request} |" in page
    assert "{" not in page
