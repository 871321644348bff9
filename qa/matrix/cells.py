"""One cell of the fault matrix: a device in a state, a fault at a phase, and the verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, unique
from functools import partial
from typing import Final, NamedTuple

from firmware_protocol.vocabulary import Mode
from qa.host import Ill, way_to
from qa.lockstep import STEP_S, LockStep
from qa.matrix.hand import LIFT_S, STROKE_S
from qa.matrix.rows import LINE_DELAY_S, ROWS, Row
from qa.matrix.witness import Due, Sworn, Witness
from simulator.handpiece import Handpiece
from simulator.line import Line, Weather

AFTER_S: Final = 1.6  # with the fault gone: one round of the hand that hammers, and an arming
LATCHED_S: Final = 1.1  # the hand presses, lets go and presses anew
SEED: Final = 1
_FINE: Final = Weather(delay_s=LINE_DELAY_S)


class Bench(LockStep):
    """A scripted host, two lines, a device and the witness that holds it, in lock-step."""

    def __init__(self, seed: int = SEED) -> None:
        self.witness = Witness()
        self.device = Handpiece(seed, self.witness, events=self.witness.record)
        super().__init__(self.device)
        self.eager = True
        self.witness.device = self.device
        self.witness.hand.working = False
        self.down, self.up = Line(f"{seed} down"), Line(f"{seed} up")
        self.down.weather = self.up.weather = _FINE

    @property
    def mode(self) -> Mode:
        """What the device says of itself."""
        return self.device.firmware.board.mode

    def step(self) -> None:
        """Let 5 ms pass for everybody."""
        now_s, device = self.next_tick(), self.device
        device.advance(now_s)
        arrived = self.down.deliver(now_s)
        if arrived:
            device.receive(arrived, now_s)
        said = device.outgoing()
        if said:
            self.up.send(said, now_s)
        if self.ill is not Ill.FROZEN:  # the bytes wait for it
            heard = self.up.deliver(now_s)
            if heard:
                self.hear(heard, now_s)
        said = self.write(now_s)
        if said:
            self.down.send(said, now_s)

    def run_watching(self, seconds: float) -> None:
        """Let time pass, but in a latched SAFE only as long as it takes to see it stay there."""
        end_s, latched_s = self.now_s + seconds, 0.0
        while self.now_s < end_s and latched_s < LATCHED_S:
            self.step()
            latched_s = latched_s + STEP_S if self._at_rest else 0.0

    @property
    def _at_rest(self) -> bool:
        device = self.device
        latched = device.firmware.board.policy.latched
        return latched and not device.plant.faults.effects.restart_period_s

    # -- going wrong -------------------------------------------------------------------------------
    def inject(self, row: Row) -> None:
        """Let go wrong what the row says, and let host and hand go on."""
        self.eager = True
        self.witness.hand.working = True
        self.witness.hand.still = row.still
        self.witness.begin(row.onset, row.due, jammed=row.jammed)
        for name in row.faults:
            self.device.set_fault(name)
        if row.weather is not None:
            self.down.weather = self.up.weather = row.weather
        self.down.silent = self.up.silent = row.silent
        self.ill = row.ill

    def recover(self) -> None:
        """Let everything be well again, except a host that is gone."""
        self.witness.wrong = False
        for name in sorted(self.device.plant.faults.active):
            self.device.clear_fault(name)
        self.down.weather = self.up.weather = _FINE
        self.down.silent = self.up.silent = False
        if self.ill is not Ill.KILLED:
            self.ill = Ill.NOTHING


@unique
class Stage(Enum):
    """A state of the device in which faults are injected."""

    SELFTEST = "selftest"
    READY = "ready"
    ARMED = "armed"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPING = "stopping"
    SAFE = "safe"


SPAN_S: Final = {
    Stage.SELFTEST: 0.3,
    Stage.READY: 1.0,
    Stage.ARMED: 1.0,
    Stage.ACTIVE: STROKE_S + LIFT_S,
    Stage.PAUSED: 1.0,
    Stage.STOPPING: 2.0,
    Stage.SAFE: 1.0,
}
"""Over how much time the phases of a state are spread."""


def bench_in(stage: Stage, seed: int = SEED) -> Bench:
    """Return a bench in that state."""
    bench = Bench(seed)
    goal = Mode.ACTIVE if stage is Stage.SAFE else Mode[stage.name]
    work = partial(setattr, bench.witness.hand, "working")
    press, release = partial(work, True), partial(work, False)  # noqa: FBT003 - setattr
    for holds in way_to(goal, bench, bench.device, press, release):
        bench.until(holds)
    if stage is Stage.SAFE:
        bench.ill = Ill.KILLED
        bench.until(lambda: bench.mode is Mode.SAFE)
        bench.ill = Ill.NOTHING
    if stage in (Stage.PAUSED, Stage.SAFE):
        bench.run(0.1)  # the valve and the line settle
    return bench


class Cell(NamedTuple):
    """One run of the matrix."""

    row: str
    stage: Stage
    phase: float
    """0 to 1, over the span of the state."""
    seed: int = SEED
    lasts_s: float | None = None
    """How long the fault lasts; None is as long as its row says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a cell ended."""

    cell: Cell
    sworn: Sworn
    wrong: tuple[str, ...]
    """What broke a rule; empty is well."""


def run_cell(cell: Cell) -> Verdict:
    """Run one cell and judge it."""
    return run_bench(cell)[0]


def run_bench(cell: Cell) -> tuple[Verdict, Bench]:
    """Run one cell, judge it, and return the bench as well, with all that happened on it."""
    row = ROWS[cell.row]
    bench = bench_in(cell.stage, cell.seed)
    bench.run(cell.phase * SPAN_S[cell.stage])
    bench.inject(row)
    bench.run_watching(row.lasts_s if cell.lasts_s is None else cell.lasts_s)
    bench.recover()
    bench.run_watching(AFTER_S)
    sworn = bench.witness.end()
    return Verdict(cell, sworn, tuple(wrongs(row, cell.stage, sworn))), bench


def wrongs(row: Row, stage: Stage, sworn: Sworn) -> Iterator[str]:
    """Name every rule of a row that was broken."""
    for lack, lasted_s in sworn.lacked_s.items():
        if not lasted_s <= row.allowed_s(lack):
            yield f"open for {lasted_s:.3f} s without {lack}"
    if sworn.to_safe_s is not None and not sworn.to_safe_s <= row.budget_s:
        yield f"{sworn.to_safe_s:.3f} s to safety, allowed are {row.budget_s:.3f} s"
    allowed = {cause.name for cause in row.causes}
    for cause in sworn.causes[:1]:
        if cause not in allowed:
            yield f"tripped by {cause}"
    if not row.phantom_press:
        yield from sworn.resumed
    if stage is Stage.SAFE and row.due is not Due.NEVER and sworn.opened and not _restarts(row):
        yield "the valve opened out of SAFE"


def _restarts(row: Row) -> bool:
    return any(name in row.faults for name in ("power-dip", "firmware-halt", "reset-storm"))


def cells(phases: int, *, seed: int = SEED, stages: tuple[Stage, ...] = tuple(Stage)) -> list[Cell]:
    """Return every row in every state, each at ``phases`` moments; one moment differs by row."""
    golden = 0.618034  # spreads the single phases of a sample evenly
    return [
        Cell(name, stage, ((number * golden) % 1.0 + at) / phases, seed)
        for number, name in enumerate(ROWS)
        for stage in stages
        for at in range(phases)
    ]
