"""Plays a cell of the fault matrix as a scenario: what the matrix ran, with its timeline."""

import hashlib
import json
from typing import Final

from qa.matrix.cells import Cell, Stage, run_bench
from qa.scenarios.expect import failures
from qa.scenarios.model import Scenario
from qa.scenarios.steps import BenchCell
from qa.scenarios.story import Breach, Failure, Played, Story
from qa.scenarios.timeline import note_device

ALONE: Final = "a bench-cell is the only step of its scenario"


def play_cell(scenario: Scenario, seed: int) -> Played:
    """Play the one cell of ``scenario``."""
    story, step = Story(), scenario.steps[0]
    if len(scenario.steps) > 1 or not isinstance(step, BenchCell):
        seen = f"{len(scenario.steps)} steps"
        return Played(scenario, seed, "error", (Failure(ALONE, seen),), story, 0.0, "", "")
    verdict, bench = run_bench(Cell(step.row, Stage(step.state), step.phase, seed, step.lasts_s))
    digest = hashlib.sha256()
    for event in bench.witness.happened:
        note_device(story.timeline, event)
        digest.update(json.dumps(event, default=str).encode())
    story.broken += [Breach(bench.now_s, sentence, "") for sentence in verdict.wrong]
    story.timeline.settle(bench.now_s)
    found = tuple(failures(scenario, story))
    outcome = "failed" if found else "passed"
    return Played(scenario, seed, outcome, found, story, bench.now_s, digest.hexdigest(), "")
