"""The kit for who lives in pytest; ``corneum-sim conformance`` runs the same without it.

pytest -p qa.conformance.plugin --pyargs qa.conformance --handpiece URL
"""

import asyncio

import pytest

from qa.conformance.bench import Bench
from qa.conformance.case import Case
from qa.conformance.suite import CASES, Verdict, run_case
from qa.conformance.verdicts import UnitLostError


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_the_unit_conforms(case: Case, bench: Bench, runner: asyncio.Runner) -> None:
    """Run one case."""
    try:
        outcome = runner.run(run_case(case, bench))
    except UnitLostError as lost:
        pytest.exit(str(lost), returncode=3)
    if outcome.verdict is Verdict.NOT_RUN:
        pytest.skip(outcome.why)
    if outcome.verdict is Verdict.FAILED:
        pytest.fail(f"{case.number} {case.rule}\n{outcome.why}", pytrace=False)
