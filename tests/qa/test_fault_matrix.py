"""Every fault in every state of the device: safe in time, by the right cause, and it stays so.

The device stands alone here, against a host that streams, persists and never stops by itself, and a
hand that presses again after each trip. What is judged is the plant's truth and the device's own
record. `python -m qa.matrix --full` runs the same cells at 25 phases of each state.
"""

import pickle
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

from firmware_protocol.vocabulary import Cause
from qa.matrix.campaign import as_dict, run, table, worst
from qa.matrix.cells import Cell, Stage, Verdict, bench_in, cells, run_cell
from qa.matrix.rows import PROMISE, ROWS, Row
from qa.matrix.witness import Due
from simulator.plant.faults import FAULTS
from tests.made_once import made_once
from tools.register import load

NOT_HERE = {
    "suction-a-creep": "takes 20 minutes to the trip; the next self-test finds it",
    "suction-a-sink": "takes 20 minutes to the trip; the next self-test finds it",
    "pump-strong": "the regulator holds it below the trip level",
    "pump-sluggish": "the regulator holds it below the trip level",
}
"""Rows whose onset no cell of this length can reach, and why."""

LIVE = (Stage.ARMED, Stage.ACTIVE, Stage.PAUSED)

TOLD: dict[Cause, tuple[str, Stage]] = {
    Cause.LEASE_LAPSED: ("host:frozen-400ms", Stage.ARMED),
    Cause.OVER_SUCTION: ("pump-runaway", Stage.SELFTEST),
    Cause.FLOW_WITHOUT_CONTACT: ("valve-stuck-open", Stage.ARMED),
    Cause.VALVE_STUCK_OPEN: ("valve-leak", Stage.READY),
    Cause.NO_FLOW: ("valve-stuck-shut", Stage.SELFTEST),
    Cause.DWELL: ("motion-stuck", Stage.READY),
    Cause.SENSOR_INVALID: ("flow-disconnected", Stage.SELFTEST),
    Cause.SENSOR_FROZEN: ("flow-frozen", Stage.READY),
    Cause.SENSORS_DISAGREE: ("suction-b-offset", Stage.SELFTEST),
    Cause.SWITCH_FAULT: ("switch-contacts-disagree", Stage.READY),
    Cause.LINK_ERRORS: ("line:flips-0.5%", Stage.SELFTEST),
    Cause.BROWN_OUT: ("brown-out", Stage.SELFTEST),
    Cause.OVERHEAT: ("overheat", Stage.PAUSED),
    Cause.LOOP_STALL: ("firmware-halt", Stage.READY),
    Cause.WASTE_FULL: ("waste-full", Stage.PAUSED),
    Cause.FILTER_LOADED: ("filter-loaded", Stage.PAUSED),
    Cause.HOPPER_EMPTY: ("hopper-empty", Stage.READY),
    Cause.TIP_CHANGED: ("tip-unread", Stage.ARMED),
    Cause.ENVELOPE: ("flow-runaway", Stage.ARMED),
    Cause.CONTACT_TOO_LONG: ("hand:rests-on-skin", Stage.ACTIVE),
    Cause.SELF_TEST: ("flow-disconnected", Stage.SELFTEST),
    Cause.RESET_STORM: ("memory-spoilt+power-dip", Stage.SELFTEST),
    Cause.NO_SUCTION: ("pump-weak", Stage.SELFTEST),
    Cause.EXPOSURE: ("host:asks-on+valve-leak", Stage.READY),
}
"""A cell of the sample in which the device tells each cause: latched, or in its log alone."""


def _marked(rows: Iterable[Row]) -> list[object]:
    return [
        pytest.param(row.name, id=row.name, marks=pytest.mark.hazard(*row.hazards, shows="works"))
        for row in rows
    ]


Sample = Callable[[str], tuple[Verdict, ...]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The verdicts of a row in every state, run once for all tests and processes that ask."""

    @cache
    def of_row(name: str) -> tuple[Verdict, ...]:
        def make(folder: Path) -> None:
            verdicts = tuple(run([cell for cell in cells(1) if cell.row == name]))
            (folder / "verdicts").write_bytes(pickle.dumps(verdicts))

        folder = made_once(tmp_path_factory, f"fault-matrix-{list(ROWS).index(name)}", make)
        found: tuple[Verdict, ...] = pickle.loads((folder / "verdicts").read_bytes())  # noqa: S301
        return found

    return of_row


def _faults_of(rows: Iterable[Row]) -> set[str]:
    return {name for row in rows for name in row.faults}


@pytest.mark.parametrize("name", _marked(ROWS.values()))
def test_in_every_state_it_ends_safely_in_time_and_does_not_resume(
    name: str, sample: Sample
) -> None:
    verdicts = sample(name)
    assert {verdict.cell.stage for verdict in verdicts} == set(Stage)
    assert not [(verdict.cell, verdict.wrong) for verdict in verdicts if verdict.wrong]


@pytest.mark.parametrize(
    "name",
    _marked(row for row in ROWS.values() if row.due is not Due.NEVER and row.name not in NOT_HERE),
)
def test_what_is_due_comes_due_in_some_state_and_is_not_vacuous(name: str, sample: Sample) -> None:
    assert any(verdict.sworn.to_safe_s is not None for verdict in sample(name))


def test_no_cause_of_a_trip_is_missing_in_the_sample() -> None:
    assert set(TOLD) == set(Cause) - {Cause.NONE}


@pytest.mark.parametrize("cause", TOLD)
def test_the_device_tells_every_cause_in_the_sample(cause: Cause, sample: Sample) -> None:
    row, stage = TOLD[cause]
    (verdict,) = (verdict for verdict in sample(row) if verdict.cell.stage is stage)
    assert cause.name in verdict.sworn.told


@pytest.mark.hazard("H10", "H12", "H13", "H14", shows="works")
@pytest.mark.parametrize("stage", LIVE)
def test_whatever_silences_the_host_takes_the_lease_away(stage: Stage) -> None:
    for name in ("line:silent", "host:killed", "host:frozen-5000ms", "host:same-counter"):
        sworn = run_cell(Cell(name, stage, 0.5)).sworn
        assert sworn.causes == ("LEASE_LAPSED",)
        assert sworn.last_mode.name == "SAFE"


def test_every_fault_of_the_catalogue_has_a_row_and_each_row_a_fault_that_exists() -> None:
    assert _faults_of(ROWS.values()) == set(FAULTS)


def test_the_rows_name_the_hazards_of_the_catalogue() -> None:
    for row in ROWS.values():
        if len(row.faults) == 1:
            assert set(FAULTS[row.faults[0]].hazards) <= set(row.hazards), row.name


def test_no_budget_is_longer_than_the_longest_of_its_hazards_in_the_register() -> None:
    register = load().by_id()
    for row in ROWS.values():
        budgets = [
            budget.ms / 1000 for hazard in row.hazards for budget in register[hazard].budgets
        ]
        if budgets and row.name not in LONGER:
            assert row.budget_s <= max(budgets) + 1e-9, row.name


LONGER = {
    "hand:rests-on-skin": "of H02's times it has the one of 20 s, which no crystal shortens",
    "reset-storm": "the first restart comes up to 2 s after the fault was planted",
    "host:same-echo": "an echo counts for 100 ms before the lease can lapse (H11)",
    "pump-weak": "the trip for a missing seal; the permissive acts within H04's 100 ms",
    "hose-off": "the trip for a missing seal; the permissive acts within H04's 100 ms",
}


def test_every_row_says_why_and_a_row_without_a_budget_is_due_nowhere() -> None:
    for row in ROWS.values():
        assert row.why
        assert (row.budget_s > 0.0) is (row.due is not Due.NEVER)


def test_a_copy_of_a_state_goes_on_as_the_original_did() -> None:
    first, second = (run_cell(Cell("valve-slow", Stage.ACTIVE, 0.3)).sworn for _ in range(2))
    assert first == second


@pytest.mark.parametrize("stage", list(Stage))
def test_each_state_is_what_its_name_says(stage: Stage) -> None:
    assert bench_in(stage).mode.name == stage.name


# -- the witness itself: a matrix that cannot fail shows nothing -----------------------------------


def test_the_witness_sees_a_valve_that_stays_open_after_the_trip_that_never_came() -> None:
    bench = bench_in(Stage.ACTIVE)
    bench.inject(ROWS["line:silent"])
    for _ in range(200):  # a lease that renews itself
        bench.device.firmware.board.a.lease.grant(500, bench.device.firmware.board.tick_ms)
        bench.device.firmware.board.b.renewed(500)
        bench.step()
    sworn = bench.witness.end()
    assert sworn.to_safe_s is not None
    assert sworn.to_safe_s > ROWS["line:silent"].budget_s


def test_the_witness_sees_a_valve_driven_off_the_skin() -> None:
    bench = bench_in(Stage.ACTIVE)
    bench.inject(ROWS["contact-stuck"])
    for _ in range(60):
        bench.device.plant.truth.valve_open = 1.0  # whatever is commanded
        bench.witness.hand.on_skin = bench.witness.hand.working = False
        bench.step()
    assert bench.witness.end().lacked_s["skin"] > PROMISE["skin"]


def test_the_table_shows_worst_times_and_marks_what_broke(sample: Sample) -> None:
    verdicts = sample("line:silent")
    text = table(verdicts)
    assert re.search(r"line:silent +250 ", text)
    assert "!" not in text.splitlines()[1]
    assert max(worst(verdicts).values()) <= 0.250
    assert as_dict(verdicts, 1.0)["violations"] == 0
