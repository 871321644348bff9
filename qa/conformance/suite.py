"""All cases in their order, and what running one of them gives."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from qa.conformance.bench import Bench
from qa.conformance.case import PERSON, Case, Needs
from qa.conformance.cases import (
    arming,
    framing,
    hands_on,
    identity,
    leases,
    oneshots,
    sequences,
    stops,
    witness,
)
from qa.conformance.verdicts import NonconformityError

GROUPS: Final = (identity, framing, sequences, oneshots, leases, arming, stops, hands_on, witness)
CASES: Final[tuple[Case, ...]] = tuple(case for module in GROUPS for case in module.GROUP.cases)
CASE_MAX_S: Final = 30.0
LATE_MAX_S: Final = 0.020
"""How late this process may be before a failure is tried again: our delay is not the unit's."""
TRIES: Final = 3


@unique
class Verdict(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case and how it ended."""

    case: Case
    verdict: Verdict
    why: str
    took_s: float
    tries: int


def chosen(numbers: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases with these numbers, or all; ValueError names one that does not exist."""
    known = {case.number: case for case in CASES}
    for number in numbers:
        if number not in known:
            raise ValueError(f"there is no case {number}; they are {CASES[0].number} to "
                             f"{CASES[-1].number}, see docs/CONFORMANCE.md")  # fmt: skip
    return tuple(case for case in CASES if not numbers or case.number in numbers)


async def run_case(case: Case, bench: Bench) -> Outcome:
    """Run one case; again where it failed while this process itself was late.

    Raises:
        UnitLostError: the unit cannot be tried any further.
    """
    if case.needs is not Needs.NOTHING and bench.control is None:
        return Outcome(case, Verdict.NOT_RUN, PERSON[case.needs], 0.0, 0)
    loop = asyncio.get_running_loop()
    began_s, tries = loop.time(), 0
    while True:
        tries += 1
        bench.watch_lateness()
        why = await _tried(case, bench)
        bench.end_watch()
        late = bench.late_s > LATE_MAX_S
        if not why or not late or tries == TRIES:
            break
    if why and late:
        why += f" (this process was up to {bench.late_s * 1000:.0f} ms late itself)"
    verdict = Verdict.FAILED if why else Verdict.PASSED
    return Outcome(case, verdict, why, loop.time() - began_s, tries)


async def _tried(case: Case, bench: Bench) -> str:
    """Return why the case failed, or nothing."""
    try:
        async with asyncio.timeout(CASE_MAX_S):
            await case.act(bench)
    except NonconformityError as error:
        return str(error)
    except TimeoutError:
        return f"the case did not end within {CASE_MAX_S:g} s"
    finally:
        bench.peer.stop_stream()
    strange = bench.peer.strange
    return f"the unit sent what is no frame: {strange[0]}" if strange else ""
