"""All power cuts and failures of a scene as jobs of a campaign, or a sample of them by a seed."""

import random
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from tests.proof.crash import checks
from tests.proof.crash.cuts import Cut, Medium, cuts_at
from tests.proof.crash.disk import Act, Failure, Fault, Step
from tests.proof.crash.scenes import SCENES, recorded

CUT: Final = "cut"
FAULT: Final = "fault"
ASKED: Final = (Act.WRITE, Act.TRUNCATE, Act.SYNC)
"""What counts as asked of the disk, and may fail."""

FAILURES: Final[Mapping[Act, tuple[Failure, ...]]] = {
    Act.WRITE: (Failure.FULL, Failure.BROKEN),
    Act.SYNC: (Failure.UNSYNCED,),
    Act.TRUNCATE: (),
}


class Job(NamedTuple):
    """What is done at one step of one scene; ``only`` are numbers of its cases, empty is all."""

    scene: str
    seed: int
    step: int
    only: tuple[int, ...] = ()


Case = Cut | Fault


def cases_at(steps: tuple[Step, ...], number: int) -> list[Case]:
    """Return every power cut and every failure at one step."""
    step = steps[number]
    asked = sum(each.act in ASKED for each in steps[:number])
    faults = [Fault(failure, asked) for failure in FAILURES.get(step.act, ())]
    return [*cuts_at(number, step), *faults]


def jobs(seed: int, sample: int | None, scenes: Iterable[str] = SCENES) -> dict[str, Job]:
    """Return the jobs by key: all cases, or about ``sample`` that follow from the seed.

    In a sample a third of the cases are failures, as far as there are so many.
    """
    found: dict[str, Job] = {}
    cuts: list[tuple[str, int, int]] = []
    faults: list[tuple[str, int, int]] = []
    for scene in scenes:
        steps = recorded(scene, seed).steps
        for number in range(len(steps)):
            cases = cases_at(steps, number)
            if cases:
                found[f"{scene} {number}"] = Job(scene, seed, number)
            for at, case in enumerate(cases):
                (faults if isinstance(case, Fault) else cuts).append((scene, number, at))
    if sample is None:
        return found
    chance = random.Random(f"{seed} sample")  # noqa: S311 - a proof must repeat
    failing = chance.sample(faults, min(len(faults), (sample + 2) // 3))
    chosen = failing + chance.sample(cuts, min(len(cuts), max(0, sample - len(failing))))
    some: dict[str, Job] = {}
    for scene, number, at in sorted(chosen):
        key = f"{scene} {number}"
        before = some[key].only if key in some else ()
        some[key] = Job(scene, seed, number, (*before, at))
    return some


def prove(job: Job) -> dict[str, Any]:
    """Run the cases of a job; return how many there were, and each that does not hold."""
    found = recorded(job.scene, job.seed)
    medium = Medium(dict(found.before))
    for step in found.steps[: job.step]:
        medium.take(step)
    cases = cases_at(found.steps, job.step)
    counts = {CUT: 0, FAULT: 0}
    wrong: list[str] = []
    started: set[int] = set()
    for number, case in enumerate(cases):
        if job.only and number not in job.only:
            continue
        if isinstance(case, Fault):
            counts[FAULT] += 1
            failed = SCENES[job.scene](job.seed, case)
            said = checks.after_fault(failed, found, job.seed)
            name = f"{case.failure.value} at {case.at}"
        else:
            counts[CUT] += 1
            said = checks.after_cut(found, medium, case, job.seed, started)
            name = f"cut {case.name}"
        wrong += [f"{job.scene}, {name}: {each}" for each in said]
    return {**counts, "wrong": wrong}
