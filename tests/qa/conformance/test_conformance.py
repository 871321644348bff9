"""The conformance kit in virtual time: the simulator conforms, and each case can fail."""

import asyncio
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qa.conformance.bench import Bench
from qa.conformance.case import Case, Needs
from qa.conformance.places import virtual_place
from qa.conformance.reports import json_of, line_of, write_junit
from qa.conformance.suite import CASES, Outcome, Verdict, chosen, run_case
from qa.conformance.verdicts import NonconformityError, UnitLostError
from qa.loop import run_virtual
from simulator.handpiece import Handpiece
from tests.corneum_sim import app
from tests.qa.conformance.broken_line import broken as broken_lines
from tests.qa.conformance.broken_unit import broken as broken_units

BROKEN = broken_lines.by_case | broken_units.by_case
BY_NUMBER = {case.number: case for case in CASES}


def _alone(case: Case, *, control: bool = True) -> Outcome:
    """Run one case on a device of its own."""

    async def scenario() -> Outcome:
        async with virtual_place() as bench:
            if not control:
                bench.control = None
            return await run_case(case, bench)

    return run_virtual(scenario())


def _marked() -> list[object]:
    return [
        pytest.param(case, id=case.number, marks=pytest.mark.hazard(*case.hazards))
        for case in CASES
    ]


@pytest.mark.parametrize("case", _marked())
def test_the_simulator_conforms(case: Case) -> None:
    outcome = _alone(case)
    assert outcome.verdict is Verdict.PASSED, outcome.why


@pytest.mark.parametrize("number", sorted(BROKEN))
def test_a_broken_device_fails_its_case(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    what, change = BROKEN[number]
    change(monkeypatch)
    outcome = _alone(BY_NUMBER[number])
    assert outcome.verdict is Verdict.FAILED, f"nobody noticed that {what}"
    assert outcome.why


def test_there_is_a_device_that_fails_each_case() -> None:
    assert set(BROKEN) == set(BY_NUMBER)


def test_one_unit_passes_all_cases_one_after_the_other_and_is_left_disarmed() -> None:
    async def scenario() -> tuple[list[Outcome], str]:
        unit = Handpiece(2, "absent")
        async with virtual_place(unit) as bench:
            outcomes = [await run_case(case, bench) for case in reversed(CASES)]
            await bench.fresh()
            return outcomes, unit.firmware.mode.name

    outcomes, mode = run_virtual(scenario())
    assert [one.why for one in outcomes if one.verdict is not Verdict.PASSED] == []
    assert mode == "DISARMED"
    assert sum(one.took_s for one in outcomes) < 90.0  # about a minute on a port


def test_without_a_control_channel_what_needs_a_person_is_not_run_and_says_so() -> None:
    for case in CASES:
        if case.needs is not Needs.NOTHING:
            outcome = _alone(case, control=False)
            assert outcome.verdict is Verdict.NOT_RUN
            assert "needs a person" in outcome.why


def test_numbers_are_unique_and_rules_are_sentences() -> None:
    assert len(BY_NUMBER) == len(CASES) >= 60
    assert [case.number for case in CASES] == sorted(BY_NUMBER)
    for case in CASES:
        assert case.rule.endswith(".")
        assert case.hazards


def test_a_failure_is_tried_again_only_while_this_process_is_late() -> None:
    tried: list[float] = []

    async def act(bench: Bench) -> None:
        tried.append(bench.peer.now_s)
        if len(tried) == 1:
            bench.late_s = 1.0
        await bench.stop(0)  # type: ignore[arg-type]  # NORMAL
        raise NonconformityError("as always")

    case = Case("C00", "A rule.", ("H11",), Needs.NOTHING, act)
    outcome = _alone(case)
    assert (outcome.tries, outcome.verdict) == (2, Verdict.FAILED)
    assert len(tried) == 2


def test_a_case_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="no case C99"):
        chosen(["C01", "C99"])


def test_the_reports_say_the_same(tmp_path: Path) -> None:
    case = BY_NUMBER["C70"]
    outcomes = [
        Outcome(BY_NUMBER["C01"], Verdict.PASSED, "", 0.1, 1),
        Outcome(BY_NUMBER["C48"], Verdict.FAILED, "took <400> ms", 1.5, 1),
        Outcome(case, Verdict.NOT_RUN, "needs a person", 0.0, 0),
    ]
    write_junit(tmp_path / "junit.xml", "sim:", outcomes)
    suite = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314  written by the line above
    assert [suite.get(key) for key in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "took <400> ms"
    said = json.loads(json.dumps(json_of("sim:", outcomes)))
    assert (said["passed"], said["failed"], said["not_run"]) == (1, 1, 1)
    assert "C48 FAILED" in line_of(outcomes[1])
    assert "not run" in line_of(outcomes[2])


def test_a_unit_that_cannot_leave_safe_ends_the_run_with_its_cause() -> None:
    async def scenario() -> None:
        unit = Handpiece(1, "absent")
        unit.set_fault("suction-a-disconnected")
        async with virtual_place(unit) as bench:
            await asyncio.sleep(0.5)
            bench.control = None
            await run_case(BY_NUMBER["C46"], bench)

    with pytest.raises(UnitLostError, match="stays in SAFE with SENSOR_INVALID"):
        run_virtual(scenario())


def test_a_case_that_cannot_begin_fails_with_the_sentence_of_its_step() -> None:
    async def scenario() -> Outcome:
        async with virtual_place() as bench:
            bench.tip = 9
            return await run_case(BY_NUMBER["C56"], bench)

    assert run_virtual(scenario()).why == "ARM was refused with OUT_OF_ENVELOPE"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--handpiece", "/dev/no-such-port"), 3, "/dev/no-such-port"),
        (("--handpiece", "gopher://unit"), 3, "gopher"),
        (("--handpiece", "sim:", "--case", "C99"), 2, "there is no case C99"),
        ((), 2, "--handpiece"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = CliRunner().invoke(app, ["conformance", *arguments])
    assert done.exit_code == code
    assert sentence in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)
