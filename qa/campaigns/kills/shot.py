"""One kill -9 of a real kernel that drives a simulated handpiece, and what is left of its record.

A client notes what it was told as done while it connects, writes decisions down, arms and treats;
the kernel dies after a time that the seed says, counted from the beginning of one of these phases.
Then the device is looked at, the journal is checked by another process' rules, and the next kernel
is started on the same unit.
"""

import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.api.ask import dial
from controller.config.paths import journal_path
from controller.record.asker import plan_beside
from controller.record.chain import BODY
from controller.record.planner import Purpose, request_of
from controller.record.verify import verify
from controller.treatment.kinds import Kind
from firmware_protocol.envelope import LEASE_DEFAULT_MS, LEASE_MARGIN_S
from qa.campaigns.stops.lane import WISH, Lane, LaneError, kernel
from qa.plugin.served import Served, served
from qa.plugin.story import Setting

PHASES: Final = {"connect": 0.8, "log": 0.3, "arm": 4.0, "treat": 2.5, "end": 2.5}
"""Where a kill may fall, and within how many seconds of the beginning of that phase."""

DECISIONS: Final = 8
DECISION: Final = {"subject": "clock", "reason": "looked at"}
TECHNICIAN: Final = {"name": "campaign", "role": "technician", "origin": "local"}
LEASE_S: Final = LEASE_DEFAULT_MS / 1000 + LEASE_MARGIN_S
SHUT_PERCENT: Final = 1.0
KILL_MAX_S: Final = 30.0
SEEN_AFTER_S: Final = 1.0
"""For so long the device is watched after a kill: four leases."""
ROUNDING_S: Final = 0.01
ROUNDING_G: Final = 0.001
LOOK_S: Final = 0.02
LINE_MAX: Final = 65_536

Result = dict[str, Any]


class Job(NamedTuple):
    """Which kill; everything of it but the computer follows from both numbers."""

    seed: int
    number: int

    @property
    def phase(self) -> str:
        """The phase in which it falls: all in turn."""
        return list(PHASES)[self.number % len(PHASES)]

    @property
    def after_s(self) -> float:
        """When, after the beginning of its phase."""
        chance = random.Random(f"{self.seed} {self.number}")  # noqa: S311 - a campaign must repeat
        return chance.uniform(0.0, PHASES[self.phase])


@dataclass
class Told:
    """What a client was told as done."""

    decisions: int = 0
    treatment: int = 0
    rows: int = 0
    phase: str = "connect"
    why: str = "the kernel was not ready"
    """Why the client went no further."""
    begun: dict[str, threading.Event] = field(
        default_factory=lambda: {phase: threading.Event() for phase in PHASES}
    )

    def begin(self, phase: str) -> None:
        """Let a phase begin."""
        self.phase = phase
        self.begun[phase].set()


def kill(job: Job) -> Result:
    """Kill one kernel, and return what does not hold afterwards, if anything."""
    folder = Path(tempfile.mkdtemp(prefix="corneum-kill-"))
    began_s = time.monotonic()
    try:
        with served(folder / "events.jsonl", Setting(job.seed * 1_000_000 + job.number)) as unit:
            found = _kill(job, unit, folder / "state")
    except (LaneError, OSError, RuntimeError) as error:
        found = {"wrong": [], "not_run": f"{type(error).__name__}: {error}"}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {**found, "phase": job.phase, "took_s": round(time.monotonic() - began_s, 1)}


def _kill(job: Job, unit: Served, state: Path) -> Result:
    told, over = Told(), threading.Event()
    words = [sys.executable, "-m", "controller.kernel", "--port", unit.port, "--state", str(state)]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        client = threading.Thread(
            target=_work, args=(told, process, unit, state, over), name="client", daemon=True
        )
        told.begin("connect")
        client.start()
        reached = told.begun[job.phase].wait(KILL_MAX_S)
        if reached:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(job.after_s)
        process.kill()
        process.wait()
        killed_s = time.monotonic()
        over.set()
        client.join(KILL_MAX_S)
    if not reached:
        return {"wrong": [], "not_run": f"{job.phase} was not reached: {told.why}"}
    with contextlib.suppress(subprocess.TimeoutExpired):
        unit.process.wait(SEEN_AFTER_S)
    wrong = _device(unit, killed_s) + missing(journal_path(state), told)
    wrong = wrong or _next_start(unit, state)
    return {
        "wrong": wrong, "flowed_s": round(_open_s(unit), 3), "in": told.phase,
        "decisions": told.decisions, "treatment": told.treatment,
    }  # fmt: skip


# -- what a client does, until the kernel is gone --------------------------------------------------
def _work(
    told: Told,
    process: "subprocess.Popen[bytes]",
    unit: Served,
    state: Path,
    over: threading.Event,
) -> None:
    try:
        stream = process.stdout
        said = json.loads((stream.readline(LINE_MAX) if stream is not None else b"") or b"{}")
        if said.get("ready"):
            with contextlib.closing(dial(Path(said["socket"]), KILL_MAX_S)) as line:
                _treat(told, Lane(unit, line, state, process.pid, over), unit, over)
    except (LaneError, OSError, ValueError) as error:
        told.why = f"{type(error).__name__}: {error}"


def _treat(told: Told, lane: Lane, unit: Served, over: threading.Event) -> None:
    lane.ask("watch")
    told.begin("log")
    for _ in range(DECISIONS):
        lane.ask("accept", DECISION, TECHNICIAN)
        told.decisions += 1
    told.begin("arm")
    plan = plan_beside(lane.ask("status"), WISH, Purpose.START)
    told.treatment = int(lane.ask("treat", request_of(WISH, plan))["treatment"])
    while not over.wait(LOOK_S):
        status = lane.ask("status")
        told.rows = max(told.rows, int(status["record"]["rows"]))
        if told.phase == "arm" and _open_s(unit) > 0.0:
            told.begin("treat")
        if told.phase == "treat" and not _is_open(unit) and status["state"] != "active":
            told.begin("end")
        if not status["treatment"] or status["treatment"]["outcome"]:
            told.begin("end")


# -- what is left ----------------------------------------------------------------------------------
def _device(unit: Served, killed_s: float) -> list[str]:
    """Say where the valve was open for longer than a lease after the kill."""
    clocks = [each for each in unit.events() if each["kind"] == "clock"]
    zero_s = min(float(str(each["zero_on_loop_s"])) for each in clocks)
    shut_by_s = killed_s - zero_s + LEASE_S + ROUNDING_S
    late_s = [until_s - shut_by_s for _, until_s in _openings(unit) if until_s > shut_by_s]
    return [f"the valve was shut {late:.3f} s too late" for late in late_s]


def missing(path: Path, told: Told) -> list[str]:
    """Say what was told as done and is not there."""
    if not path.exists():
        return ["there is no journal"] if told.phase != "connect" else []
    verdict = verify(path)
    if told.phase == "connect" and path.stat().st_size == 0:  # killed before it made a table
        return []
    if not verdict.ok:
        return [verdict.sentence]
    wrong = []
    rows = _rows(path)
    kinds = [kind for _, kind, _ in rows]
    if verdict.rows < told.rows:
        wrong.append(f"{told.rows} rows were told and {verdict.rows} are there")
    if kinds.count(Kind.DECISION) < told.decisions:
        wrong.append(
            f"{told.decisions} decisions were told, {kinds.count(Kind.DECISION)} are there"
        )
    begun = {treatment for treatment, kind, _ in rows if kind == Kind.TREATMENT}
    if told.treatment and told.treatment not in begun:
        wrong.append(f"treatment {told.treatment} was told and is not there")
    return wrong


def _next_start(unit: Served, state: Path) -> list[str]:
    """Start the next kernel and say what it has not marked, not charged or not asked the unit."""
    path = journal_path(state)
    left = _open_treatments(path) if path.exists() and path.stat().st_size else set()
    flowed_s, flowed_g = _open_s(unit), float(unit.ask({"do": "state"})["through_valve_g"])
    try:
        with kernel(unit.port, state, threading.Event()) as said:
            pid = int(said["pid"])
    except LaneError as error:
        return [f"no kernel starts on it: {error}"]
    wrong = [] if pid else ["the kernel did not say its process"]
    marked = [
        (treatment, json.loads(body))
        for treatment, kind, body in _rows(path) if kind == Kind.INTERRUPTED
    ]  # fmt: skip
    if {treatment for treatment, _ in marked} != left or len(marked) != len(left):
        wrong.append(f"treatments {sorted(left)} were open, marked: {[one for one, _ in marked]}")
    for _, body in marked:
        charged_s = sum(zone["contact_s"] for zone in body["zones"])
        if not charged_s + ROUNDING_S >= flowed_s:
            wrong.append(f"{charged_s:.3f} s are charged, the valve was open for {flowed_s:.3f} s")
        charged_g = sum(zone["grams"] for zone in body["zones"])
        if not charged_g + ROUNDING_G >= flowed_g:
            wrong.append(f"{charged_g:.4f} g are charged, {flowed_g:.4f} g passed the valve")
        if body["charged"] and body["told"] is None:
            wrong.append("the unit was not asked for its totals")
    verdict = verify(path)
    return wrong if verdict.ok else [*wrong, f"after the next start: {verdict.sentence}"]


def _open_treatments(path: Path) -> set[int]:
    rows = _rows(path)
    begun = {treatment for treatment, kind, _ in rows if kind == Kind.TREATMENT}
    return begun - {one for one, kind, _ in rows if kind in {Kind.ENDED, Kind.INTERRUPTED}}


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """Return treatment, kind and body of every row."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        asked = f"SELECT treatment, kind, {BODY} FROM journal ORDER BY id"  # noqa: S608
        return connection.execute(asked).fetchall()


def _openings(unit: Served) -> Iterator[tuple[float, float]]:
    """Yield from when until when the valve was open, in the device's time; the last until now."""
    since_s: float | None = None
    for event in list(unit.events()):
        if event["kind"] != "valve":
            continue
        is_open = float(str(event["open_percent"])) > SHUT_PERCENT
        if is_open and since_s is None:
            since_s = float(str(event["t_s"]))
        elif not is_open and since_s is not None:
            yield since_s, float(str(event["t_s"]))
            since_s = None
    if since_s is not None:
        yield since_s, float(unit.ask({"do": "state"})["t_s"])


def _open_s(unit: Served) -> float:
    """Return for how long crystals could flow in all."""
    return sum(until_s - since_s for since_s, until_s in _openings(unit))


def _is_open(unit: Served) -> bool:
    valves = [each for each in unit.events() if each["kind"] == "valve"]
    return bool(valves) and float(str(valves[-1]["open_percent"])) > SHUT_PERCENT
