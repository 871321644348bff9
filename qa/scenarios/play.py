"""Plays one scenario in virtual time and judges it."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.config.locate import shipped_configs
from controller.record.chain import FIELDS, GENESIS, chained
from controller.record.journal import canonical
from qa.loop import VirtualTimeError, run_virtual
from qa.rig import Rig, RigSpec, rig
from qa.scenarios.actions import perform
from qa.scenarios.bench import play_cell
from qa.scenarios.expect import failures
from qa.scenarios.model import Scenario
from qa.scenarios.moments import TIME_MAX_S, Moment
from qa.scenarios.places import configs_of
from qa.scenarios.sentences import moment_words
from qa.scenarios.stage import Stage
from qa.scenarios.steps import BenchCell, Step
from qa.scenarios.story import Failure, Played, RecordRow, Story
from qa.scenarios.watch import Watch
from simulator.plant.spec import PlantSpec

END_WAIT_MAX_S: Final = 1200.0  # for everything to be over
AFTER_S: Final = 1.0  # what would come right after the end is part of the run
LOOK_S: Final = 0.05
LIMIT_S: Final = 2.0 * TIME_MAX_S


class NeverCameError(Exception):
    """The moment of a step did not come."""


@dataclass(slots=True)
class _Run:
    """What is there even of a run that breaks off."""

    story: Story
    rig: Rig | None = None
    journal_sha256: str = ""


def play(scenario: Scenario, seed: int | None = None) -> Played:
    """Play ``scenario`` with its own seed or another one; what goes wrong is in the result."""
    seed = scenario.seed if seed is None else seed
    if any(isinstance(step, BenchCell) for step in scenario.steps):
        return play_cell(scenario, seed)
    run = _Run(Story())
    broken = _play(scenario, seed, run)
    if broken is None:
        found = failures(scenario, run.story)
        outcome = "failed" if found else "passed"
    else:
        found, outcome = [broken], "error"
    return Played(
        scenario,
        seed,
        outcome,
        tuple(found),
        run.story,
        run.story.timeline.end_s,
        "" if run.rig is None else run.rig.trace_sha256(),
        run.journal_sha256,
    )


def _play(scenario: Scenario, seed: int, run: _Run) -> Failure | None:
    expected = "the run comes to its end"
    try:
        with configs_of(scenario) as configs:
            run_virtual(_run(scenario, seed, configs, run), limit_s=LIMIT_S)
    except NeverCameError as error:
        return Failure("every step has its time", str(error), run.story.timeline.end_s)
    except VirtualTimeError as error:
        return Failure(expected, f"{type(error).__name__}: {error}", run.story.timeline.end_s)
    except Exception as error:  # noqa: BLE001 - a run that breaks is a result, told with its name
        first = _innermost(error)
        seen = f"{type(first).__name__} in the service: {first}"
        return Failure(expected, seen, run.story.timeline.end_s)
    finally:
        run.story.timeline.listener = None
        run.story.timeline.settle(run.story.timeline.end_s)
    return None


def _innermost(error: BaseException) -> BaseException:
    """Return the first error of nested groups: the others mostly follow from it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _run(scenario: Scenario, seed: int, configs: Path | None, run: _Run) -> None:
    spec = RigSpec(
        seed, scenario.hand, PlantSpec(motion_sensor=scenario.unit.motion_sensor), configs=configs
    )
    async with rig(spec) as made:
        run.rig = made
        stage = Stage(scenario, made, configs, run.story)
        watch = Watch(stage)
        watching = asyncio.create_task(watch.run(), name="watch")
        try:
            stage.start_kernel()
            await _steps(stage)
            await _until_over(stage)
            stage.catch_up()
            watch.last_look()
        finally:
            run.story.timeline.end_s = stage.now_s
            watching.cancel()
            await _close(stage, run, configs)


async def _close(stage: Stage, run: _Run, configs: Path | None) -> None:
    stage.timeline.listener = None
    entries, values = len(stage.timeline.entries), dict(stage.timeline.values)
    counts = {subject: len(pairs) for subject, pairs in values.items()}
    end_s = stage.timeline.end_s
    _read_record(stage, run, configs)
    try:
        await stage.close()
    finally:
        # How the kernel is sent home is no part of the story.
        del stage.timeline.entries[entries:]
        for subject, pairs in stage.timeline.values.items():
            del pairs[counts[subject] :]
        stage.timeline.end_s = end_s
        stage.store.discard()


# -- steps -----------------------------------------------------------------------------------------
async def _steps(stage: Stage) -> None:
    for number, step in enumerate(stage.scenario.steps):
        await _until_due(number, step, stage)
        perform(step, stage)
        await asyncio.sleep(0.0)  # what is asked is heard before the next step


async def _until_due(number: int, step: Step, stage: Stage) -> None:
    if step.when is not None:
        await _until(step.when, number, stage)
    elif step.at_s is not None:
        await _sleep_until(step.at_s, stage)
    elif step.after_s is not None:
        await asyncio.sleep(step.after_s)


async def _sleep_until(at_s: float, stage: Stage) -> None:
    await asyncio.sleep(max(0.0, at_s - stage.now_s))


async def _until(moment: Moment, number: int, stage: Stage) -> None:
    """Wait for a moment: at once where it is so already, unless a number of times is asked for."""
    timeline, wait_max_s = stage.timeline, stage.scenario.wait_max_s
    since = len(timeline.values[moment.subject]) - 1
    came = asyncio.Event()

    def reached() -> float | None:
        if moment.number is None and timeline.is_so(_condition_of(moment), stage.now_s):
            return stage.now_s + moment.after_s
        times = timeline.moments(moment, since)
        return times[0] if times else None

    def listen(subject: str) -> None:
        if subject == moment.subject:
            came.set()

    timeline.listener = listen
    try:
        async with asyncio.timeout(wait_max_s):
            while (due_s := reached()) is None:
                came.clear()
                await came.wait()
    except TimeoutError:
        words = f"step {number + 1} ({stage.scenario.steps[number].do}) waited {wait_max_s:g} s"
        raise NeverCameError(f"{words} for '{moment_words(moment)}', which never came") from None
    finally:
        timeline.listener = None
    await _sleep_until(due_s, stage)


def _condition_of(moment: Moment) -> Moment:
    return moment.model_copy(update={"number": None, "after_s": 0.0})


async def _until_over(stage: Stage) -> None:
    ends_at_s = stage.scenario.ends_at_s
    if ends_at_s is not None:
        await _sleep_until(ends_at_s, stage)
        return
    await asyncio.sleep(AFTER_S)
    try:
        async with asyncio.timeout(END_WAIT_MAX_S):
            while not stage.idle:
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise NeverCameError(
            f"after the last step the treatment did not end within {END_WAIT_MAX_S:g} s"
        ) from None
    await asyncio.sleep(AFTER_S)


# -- the record ------------------------------------------------------------------------------------
def _read_record(stage: Stage, run: _Run, configs: Path | None) -> None:
    story, digest, previous = run.story, hashlib.sha256(), GENESIS
    rows = stage.store.connection().execute(
        f"SELECT {FIELDS} FROM journal ORDER BY id"  # noqa: S608
    )
    for row in (chained(*each) for each in rows):
        if (row.prev_hash, row.holds) != (previous, True) and not story.record_broken:
            story.record_broken = f"row {row.id} does not follow the row before it"
        previous = row.hash
        story.rows.append(RecordRow(row.id, row.mono_s, row.treatment, row.kind, row.body))
        steady = [*row[:5], _steady(row.body, configs)]
        digest.update(json.dumps(steady).encode())
    run.journal_sha256 = digest.hexdigest()


def _steady(body: dict[str, object], configs: Path | None) -> str:
    """Return a row without what differs from machine to machine: process ids and folders."""
    text = canonical({name: value for name, value in body.items() if name != "pid"})
    return text.replace(str(shipped_configs() if configs is None else configs), "configs")
