import ast
import re
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from controller.safety.interlocks import RULES
from firmware_protocol import envelope
from firmware_protocol.vocabulary import Cause
from simulator.firmware.guards import GUARDS
from simulator.plant.faults import FAULTS
from simulator.plant.spec import PlantSpec
from tools import derivation
from tools.loose_ends import loose_ends
from tools.register import (
    Hazard,
    Register,
    RegisterError,
    Standing,
    find,
    hook_of,
    load,
    milliseconds,
)
from tools.safety_document import render_safety
from tools.trace import (
    Collected,
    Evidence,
    ResultsError,
    Shows,
    evidence_of,
    orphans,
    render_trace,
    result_of,
    results_of,
    strangers,
)

ROOT: Final = Path(__file__).resolve().parent.parent
REGISTER: Final = load()
ROWS: Final = REGISTER.by_id()
SPRING_MS: Final = PlantSpec().valve_close_s * 1000
HOST_WORDS: Final = ("Interlock", "Notice", "Rule")
DEVICE_WORDS: Final = ("Cause", "Guard", "ChannelB", "Permit", "Trigger")


def named(*columns: str) -> set[str]:
    return {name for row in ROWS.values() for column in columns for name in getattr(row, column)}


# -- the rows --------------------------------------------------------------------------------------
def test_every_hazard_has_an_id_of_its_own_and_none_of_the_first_47_is_missing() -> None:
    assert len(ROWS) == len(REGISTER.hazard)
    assert {f"H{number:02d}" for number in range(1, 48)} <= set(ROWS)


def test_rows_of_one_family_stand_together() -> None:
    families = [row.family for row in REGISTER.hazard]
    assert len([name for name, _ in groupby(families)]) == len(set(families))


@pytest.mark.parametrize("row", REGISTER.hazard, ids=lambda row: row.id)
def test_every_control_of_a_hazard_exists_in_the_code(row: Hazard) -> None:
    for name in (*row.device, *row.host, *row.planned):
        assert find(name) is not None, name


@pytest.mark.parametrize("row", REGISTER.hazard, ids=lambda row: row.id)
def test_every_budget_is_the_sum_of_its_constants(row: Hazard) -> None:
    for budget in row.budgets:
        assert sum(milliseconds(name) for name in budget.of) == budget.ms, budget.of


@pytest.mark.parametrize("row", REGISTER.hazard, ids=lambda row: row.id)
def test_every_injection_exists(row: Hazard) -> None:
    for name in row.inject:
        assert hook_of(name, REGISTER), name
    assert len(set(row.inject)) == len(row.inject)


def test_a_guard_and_the_spring_of_the_valve_fit_into_the_budget() -> None:
    late = [
        f"{row.id}: {name}"
        for row in REGISTER.hazard
        for name in row.device
        if row.budgets and name.startswith("Guard.")
        for guard in GUARDS
        if guard.stands is find(name)
        and guard.after_ms + SPRING_MS > max(budget.ms for budget in row.budgets)
    ]
    # A weak pump abrades nobody: it stands in the row of the lift-off for what it leads to.
    assert late == ["H04: Guard.no_suction"]


def test_device_and_host_stand_in_their_own_columns() -> None:
    assert not [name for name in named("device") if name.split(".")[0] in HOST_WORDS]
    assert not [name for name in named("host") if name.split(".")[0] in DEVICE_WORDS]
    assert not [name for name in named("device") if name.startswith("controller.")]
    assert not [name for name in named("host") if name.startswith("simulator.")]


def test_what_is_built_names_its_control_and_an_injection_and_the_rest_says_what_is_left() -> None:
    for row in REGISTER.hazard:
        if row.standing is Standing.BUILT:
            assert row.device or row.host, row.id
        if row.standing in (Standing.BUILT, Standing.PARTLY):
            assert row.inject, row.id
        else:
            assert row.left, row.id
        assert row.standing is not Standing.PARTLY or row.left, row.id


def test_safe_states_requirements_and_hooks_are_known_and_all_are_used() -> None:
    requirements = {one.id for one in REGISTER.requirement}
    assert len(requirements) == len(REGISTER.requirement)
    assert named("requirements") == requirements
    assert {row.safe for row in REGISTER.hazard} == set(REGISTER.safe_states)
    assert named("inject") >= set(REGISTER.hooks)
    for hook in REGISTER.hooks.values():
        assert find(hook.by) is not None


# -- and back: nothing of the code is without a hazard ---------------------------------------------
def test_every_fault_of_the_catalogue_provokes_the_hazards_that_it_names() -> None:
    for fault in FAULTS.values():
        assert set(fault.hazards) <= set(ROWS), fault.name
        assert all(fault.name in ROWS[hazard].inject for hazard in fault.hazards), fault.name


def test_every_host_interlock_stands_in_the_rows_of_its_hazards() -> None:
    for rule in RULES:
        for hazard in rule.hazards:
            assert f"Interlock.{rule.interlock.name}" in ROWS[hazard].host, (hazard, rule.interlock)


def test_every_cause_answers_a_hazard_and_what_nothing_raises_yet_is_said() -> None:
    firmware = "".join(path.read_text() for path in sorted((ROOT / "simulator").rglob("*.py")))
    raised = {f"Cause.{name}" for name in re.findall(r"Cause\.([A-Z_]+)", firmware)}
    causes = {f"Cause.{cause.name}" for cause in Cause} - {"Cause.NONE"}
    assert named("planned") == causes - raised
    assert causes <= named("device", "planned")


# -- the tests -------------------------------------------------------------------------------------
def test_every_mark_of_a_test_names_a_hazard_of_the_register_and_what_it_shows() -> None:
    kinds = {kind.value for kind in Shows}
    for path in {*(ROOT / "tests").rglob("test_*.py")} - {Path(__file__).resolve()}:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.hazard":
                names = {arg.value for arg in call.args if isinstance(arg, ast.Constant)}
                shown = {ast.literal_eval(word.value) for word in call.keywords}
                assert names <= set(ROWS), (path, names)
                assert shown <= kinds, (path, shown)


def test_a_hazard_without_both_kinds_of_test_is_an_orphan() -> None:
    every = [Evidence(row, kind, "tests/x.py::test_x") for row in ROWS for kind in Shows]
    assert not orphans(REGISTER, every)
    less = [one for one in every if (one.hazard, one.shows) != ("H10", Shows.WORKS)]
    (orphan,) = orphans(REGISTER, less)
    assert (orphan.hazard.id, orphan.lacks) == ("H10", (Shows.WORKS,))
    only_hooks = [one for one in every if one.shows is Shows.HOOK]
    outside = [row for row in REGISTER.hazard if row.standing in (Standing.OUTSIDE, Standing.LATER)]
    assert len(orphans(REGISTER, only_hooks)) == len(ROWS) - len(outside)


def test_evidence_for_a_hazard_that_is_not_in_the_register_is_strange() -> None:
    known, strange = (Evidence(name, Shows.WORKS, "tests/x.py::test_x") for name in ("H01", "H99"))
    assert strangers(REGISTER, [known, strange]) == (strange,)


def test_a_mark_shows_presence_unless_it_says_otherwise_and_the_plant_shows_injections() -> None:
    plain = pytest.mark.hazard("H01", "H02").mark
    loud = pytest.mark.hazard("H01", shows="works").mark
    assert [one.shows for one in evidence_of("tests/a.py::test_b[1-2]", plain)] == [
        Shows.PRESENT,
        Shows.PRESENT,
    ]
    assert evidence_of("tests/a.py::test_b[1-2]", loud) == [
        Evidence("H01", Shows.WORKS, "tests/a.py::test_b")
    ]
    assert evidence_of("tests/simulator/plant/test_a.py::test_b", plain)[0].shows is Shows.HOOK
    with pytest.raises(ValueError, match="maybe"):
        evidence_of("tests/a.py::test_b", pytest.mark.hazard("H01", shows="maybe").mark)


def test_the_matrix_tells_hazard_control_test_and_result(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(
        '<testsuites><testsuite><testcase classname="tests.a" name="test_b[1]"/>'
        '<testcase classname="tests.a" name="test_b[2]"><failure/></testcase>'
        "</testsuite></testsuites>"
    )
    results = results_of(junit)
    assert results == {"tests.a.test_b": "failure"}
    collected = Collected((Evidence("H10", Shows.WORKS, "tests/a.py::test_b"),), ("tests/c.py",))
    matrix = render_trace(REGISTER, collected, results)
    (row,) = [line for line in matrix.splitlines() if line.startswith("| H10")]
    assert "SR-03" in row
    assert "Permit.LEASE" in row
    assert row.endswith("| works | tests/a.py::test_b | failure |")
    (requirement,) = [line for line in matrix.splitlines() if line.startswith("| SR-03")]
    assert requirement.endswith("| 1 | failure |")
    assert "- H10 (built) lacks present: The line is lost" in matrix
    assert "- tests/c.py could not be read" in matrix


def test_a_test_of_which_no_results_tell_was_not_run(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text('<testsuite><testcase classname="tests.a" name="test_a"/></testsuite>')
    test = "tests/a.py::test_b"
    assert result_of(test, None) == result_of(test, results_of(junit)) == "not run"
    assert result_of("tests/a.py::test_a", results_of(junit)) == "passed"
    matrix = render_trace(REGISTER, Collected((Evidence("H10", Shows.WORKS, test),), ()))
    assert f"| works | {test} | not run |" in matrix


@pytest.mark.parametrize("text", [None, "", "<testsuite>", "no results"])
def test_results_that_cannot_be_read_are_told_in_one_sentence(
    tmp_path: Path, text: str | None
) -> None:
    junit = tmp_path / "junit.xml"
    if text is not None:
        junit.write_text(text)
    with pytest.raises(ResultsError, match=r"junit\.xml cannot be read .*: write them with pytest"):
        results_of(junit)


def test_nothing_hangs_loose_between_hazards_requirements_and_controls() -> None:
    assert not loose_ends(REGISTER)


def test_what_hangs_loose_is_told_from_either_end() -> None:
    def change(**changes: object) -> Register:
        rows = tuple(
            row.model_copy(update=changes) if row.id == "H10" else row for row in REGISTER.hazard
        )
        return REGISTER.model_copy(update={"hazard": rows})

    def told(**changes: object) -> str:
        return "\n".join(loose_ends(change(**changes)))

    assert "H10 names a control that is not there: Permit.GOOD_LUCK" in told(
        device=("Permit.GOOD_LUCK",)
    )
    assert "H10 (The line is lost) is built and names no control" in told(device=(), host=())
    assert "Interlock.LINK_LOST is a control of the code and stands in no row" in told(host=())
    assert "H10 names requirement SR-99, which nobody wrote" in told(requirements=("SR-99",))
    only = REGISTER.model_copy(update={"hazard": (ROWS["H10"],)})
    assert "requirement SR-01 stands in no row" in loose_ends(only)


# -- the document ----------------------------------------------------------------------------------
def test_the_document_tells_every_hazard_requirement_and_hook() -> None:
    text = render_safety()
    for row in REGISTER.hazard:
        assert f"{row.id} {row.title}\n" in text
        assert f"](#{row.id.lower()}) |" in text
    assert all(f"| {one.id} | {one.text} |" in text for one in REGISTER.requirement)
    assert all(f"| `{name}` |" in text for name in REGISTER.hooks)


def test_the_budgets_follow_from_their_derivation() -> None:
    flow_ms = envelope.BUDGET_FLOW_S * 1000
    assert sum(ms for _, ms in derivation.PARTS_MS) == flow_ms
    assert flow_ms <= derivation.tolerated_ms() == pytest.approx(280.0)
    assert derivation.overshoot(int(flow_ms)).share_percent <= 100.0 * derivation.FAULT_SHARE
    assert flow_ms >= envelope.LEASE_DEFAULT_MS + envelope.LEASE_MARGIN_S * 1000
    worst_g_per_min = envelope.FLOW_SET_MAX_MG_PER_MIN / 1000
    worst_mg = derivation.ejected_mg(worst_g_per_min, envelope.BUDGET_NO_CONTACT_S)
    assert worst_mg / derivation.ROOM_M3 <= derivation.RESPIRABLE_MG_PER_M3
    fastest = max(
        derivation.STRIPPED_UM[1] / derivation.STRIPPED_S,
        derivation.EPIDERMIS_UM[1] / derivation.EPIDERMIS_S,
    )
    assert fastest <= derivation.RATE_UM_PER_S
    two_lost_s = 3 * envelope.SETPOINT_PERIOD_S
    assert two_lost_s * 1000 < envelope.LEASE_DEFAULT_MS <= envelope.LEASE_MAX_MS


def test_the_threats_name_tests_and_hazards_that_exist() -> None:
    text = (ROOT / "docs" / "THREATS.md").read_text()
    hazards = set(re.findall(r"\bH\d\d\b", text))
    assert hazards <= set(ROWS)
    names = set(re.findall(r"`(test_\w+)`", text))
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert names
    assert names <= set(re.findall(r"^def (test_\w+)\(", sources, re.MULTILINE))


# -- a register that lies --------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    ["Cause.NO_SUCH", "Guard.not_there", "controller.safety.nowhere.X", "nowhere.at.all", "Cause"],
)
def test_a_name_that_is_not_in_the_code_is_an_error(name: str) -> None:
    with pytest.raises(RegisterError):
        find(name)


@pytest.mark.parametrize(
    "constant", ["BUDGET_OF_NOTHING_S", "SUCTION_TRIP_PA", "Guard.RESET_STORM", "SchEma"]
)
def test_a_constant_that_is_no_time_is_an_error(constant: str) -> None:
    with pytest.raises(RegisterError):
        milliseconds(constant)


@pytest.mark.parametrize("name", ["gremlins", "hand:third", "line.melts"])
def test_an_injection_that_does_not_exist_is_an_error(name: str) -> None:
    with pytest.raises(RegisterError):
        hook_of(name, REGISTER)


def test_a_row_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        Register.model_validate({**REGISTER.model_dump(), "colour": "red"})
