"""What must hold after every power cut: of the record as it is opened, and of the next start.

Nothing here knows how the store works: rows are compared with those of the run that went on, what
was told with what is there, and what is charged with what the simulated device really gave.
"""

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from controller.api.requests import ApiError
from controller.record.chain import BODY
from controller.record.journal import JOURNAL_NAME
from controller.record.store import RecordError, Store
from controller.record.verify import verify
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import RigSpec, rig
from tests.proof.crash.cuts import Cut, Files, How, Medium
from tests.proof.crash.scenes import Given, Recorded, Row, given_at, kernel_on, put, scratch

OPEN_MAX_S: Final = 2.0
CLOSING: Final = (Kind.ENDED, Kind.INTERRUPTED)
ROUNDING: Final = 1e-3
"""Of what a row says."""


def after_cut(found: Recorded, medium: Medium, cut: Cut, seed: int, started: set[int]) -> list[str]:
    """Return what does not hold after one power cut; ``medium`` has everything before its step.

    The next kernel is started on the same files too, unless it was ``started`` on as many rows
    after the same step and only a sector of an unsynced write is another one now.
    """
    step = found.steps[cut.step]
    files = medium.after(cut, step, seed)
    told = found.told_before(cut.step)
    with scratch() as folder:
        put(folder, files)
        rows, said = _opened(folder / JOURNAL_NAME, told)
    if rows != found.rows[: len(rows)]:
        said.append("a row is there that was never written so")
    if len(rows) not in found.borders | {told}:
        said.append(f"{len(rows)} rows are there: half of what was written at once")
    if said or (len(rows) in started and cut.how is How.SECTOR):
        return said
    started.add(len(rows))
    owed = given_at(found, step.at_s) if found.given else found.owed
    return _next_start(files, owed, seed)


def after_fault(found: Recorded, sound: Recorded, seed: int) -> list[str]:
    """Return what does not hold once the disk has failed and works again; ``sound`` never did."""
    said = ["the valve stood open at the end"] if found.open_valve else []
    if found.lost_rows and found.marked_rows != found.lost_rows:
        said.append(f"{found.lost_rows} rows were lost and {found.marked_rows} marked")
    if found.flowed_on:
        said.append("crystals flowed on for longer than a lease after the record had failed")
    before = sound.rows[: found.rows_before]
    owed = found.given[-1] if found.given else found.owed
    for what, files in (("", found.after), ("then a power cut: ", _all_lost(found))):
        with scratch() as folder:
            put(folder, files)
            rows, wrong = _opened(folder / JOURNAL_NAME, found.told_before(len(found.steps)))
        if rows[: len(before)] != before:
            wrong.append("a row of before is not as it was")
        said += [what + each for each in wrong or _next_start(files, owed, seed)]
    return said


def _all_lost(found: Recorded) -> Files:
    """Return the files after a power cut at the end, of which only what was synced is left."""
    medium = Medium(dict(found.before))
    for step in found.steps:
        medium.take(step)
    notes = {name: texts[-1] for name, texts in medium.notes.items()}
    return {**medium.durable, **notes}


def _opened(path: Path, told: int) -> tuple[tuple[Row, ...], list[str]]:
    """Open a record as a kernel does; return its rows, and what is wrong."""
    began_s = time.monotonic()
    store = Store(path)
    try:
        there = store.ask("SELECT id, text, hash FROM journal ORDER BY id")
        lacking = store.lacking_sentence
    except RecordError as error:
        return (), [f"it does not open: {error}"]
    finally:
        took_s = time.monotonic() - began_s
        store.close()
    said = []
    if not took_s <= OPEN_MAX_S:
        said.append(f"it took {took_s:.1f} s to open")
    if len(there) < told:
        said.append(f"{told} rows were told as durable and {len(there)} are there")
    if lacking is not None:
        said.append(f"a row is missed that was never durable: {lacking}")
    verdict = verify(path)
    if not verdict.ok:
        said.append(verdict.sentence)
    return tuple(Row(*each) for each in there), said


def _next_start(files: Files, owed: Given | None, seed: int) -> list[str]:
    """Start a kernel on the files, twice, and look at what it has marked and charged."""
    with scratch() as folder:
        put(folder, files)
        said = _started(folder, seed)
        if said is not None:
            return [said]
        marked = _bodies(folder, Kind.INTERRUPTED)
        wrong = [] if owed is None else [each for _, body in marked for each in _charge(body, owed)]
        begun = sorted(each[0] for each in _bodies(folder, Kind.TREATMENT))
        ended = sorted(each[0] for kind in CLOSING for each in _bodies(folder, kind))
        if begun != ended:
            wrong.append(f"treatments {begun} were begun, and {ended} ended or were marked")
        verdict = verify(folder / JOURNAL_NAME)
    return wrong if verdict.ok else [*wrong, f"after the next start: {verdict.sentence}"]


def _started(folder: Path, seed: int) -> str | None:
    async def scenario() -> None:
        async with rig(RigSpec(seed=seed, record=folder)) as made, kernel_on(made):
            pass

    for _ in range(2):
        try:
            run_virtual(scenario(), seed=seed)
        except (ApiError, RecordError) as error:
            return f"no kernel starts on it: {error}"
    return None


def _charge(body: dict[str, Any], owed: Given) -> list[str]:
    contact_s = sum(zone["contact_s"] for zone in body["zones"])
    grams = sum(zone["grams"] for zone in body["zones"])
    said = []
    if not contact_s + ROUNDING >= owed.contact_s:
        said.append(f"{contact_s:.3f} s are charged and {owed.contact_s:.3f} s were given")
    if not grams + ROUNDING >= owed.grams:
        said.append(f"{grams:.4f} g are charged and {owed.grams:.4f} g were given")
    return said


def _bodies(folder: Path, kind: Kind) -> list[tuple[int, dict[str, Any]]]:
    with closing(Store(folder / JOURNAL_NAME)) as store:
        found = store.ask(f"SELECT treatment, {BODY} FROM journal WHERE kind = ?", (kind,))  # noqa: S608
    return [(int(treatment), json.loads(body)) for treatment, body in found]
