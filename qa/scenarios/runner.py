"""Runs many scenarios, one after the other or in several processes, in the order of their files."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.processes import processes
from qa.scenarios.load import load_scenario, scenario_files
from qa.scenarios.mistakes import Mistake, ScenarioError
from qa.scenarios.model import Scenario
from qa.scenarios.play import play
from qa.scenarios.story import Played


@dataclass(frozen=True, slots=True)
class Task:
    """One scenario to run."""

    path: Path
    scenario: Scenario
    seed: int


@dataclass(frozen=True, slots=True)
class Ran:
    """One scenario that was run."""

    path: Path
    played: Played
    wall_s: float

    @property
    def replay(self) -> str:
        """The command that plays exactly this again."""
        return f"corneum-sim run {self.path} --seed {self.played.seed}"


def tasks_of(places: Sequence[Path], seed: int | None) -> list[Task]:
    """Return what there is to run; ScenarioError with every mistake in every file."""
    tasks: list[Task] = []
    mistakes: list[Mistake] = []
    for path in scenario_files(places):
        try:
            scenario = load_scenario(path)
        except ScenarioError as error:
            mistakes += error.mistakes
        else:
            tasks.append(Task(path, scenario, scenario.seed if seed is None else seed))
    if mistakes:
        raise ScenarioError(mistakes)
    return tasks


def run_all(tasks: Sequence[Task], workers: int = 1) -> Iterator[Ran]:
    """Run every task and return the results in their order, each as soon as it is there."""
    if workers == 1:
        yield from map(run_one, tasks)
        return
    with processes(min(workers, len(tasks))) as pool:
        yield from pool.map(run_one, tasks)


def run_one(task: Task) -> Ran:
    """Run one task here."""
    began_s = time.perf_counter()
    played = play(task.scenario, task.seed)
    return Ran(task.path, played, time.perf_counter() - began_s)
