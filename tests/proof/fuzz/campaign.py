"""A campaign: lives of a handpiece under fire, one after the other, all from one seed.

A life is one power-on. In it the honest host steers to one mode after the other, and in each the
attacker sends a burst, several frames in a tick, half of them noise and half of them forged. While
a treatment is armed the attacker is mostly gentle, or the error limiter would end it; what he
withholds there he sends where nothing is armed. A life ends when the unit is locked by its resets,
or old.
"""

import gc
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, Final

from firmware_protocol.vocabulary import Mode
from simulator.firmware.firmware import TICK_S
from tests.proof.fuzz.frames import CALM, Chunk, Forger, any_mood
from tests.proof.fuzz.honest import HonestHost
from tests.proof.fuzz.witness import PromiseBrokenError, SteeredHand, Witness

LIFE_FRAMES: Final = 12_000  # hostile frames in one life: enough to fill the device's log
LIFE_S: Final = 300.0  # virtual seconds in one life
REACH_MAX_S: Final = 5.0  # self-test, a healthy stream and a press take 2.5 s
BURST_FRAMES: Final = (50, 1500)
PER_TICK_MAX: Final = 12
PER_TICK_READY_MAX: Final = 3  # a third of what is gentle leads out of READY
RUDE_SHARES: Final = {
    Mode.ACTIVE: 0.1, Mode.PAUSED: 0.2, Mode.ARMED: 0.2, Mode.READY: 0.3, Mode.SELFTEST: 0.5,
}  # fmt: skip
"""Share of the bursts at a mode that do not mind the error limiter; elsewhere all."""
NOISE_WHILE_ARMED: Final = 0.002
CENSUS_EVERY: Final = 5000
FIDGET_SHARE: Final = 0.3
IMPATIENT_SHARE: Final = 0.2
AWAY_MAX_S: Final = 0.5  # then the mode is lost, and the next one is steered to
PAUSE_SHARE: Final = 0.8  # of the ticks away from the goal the attacker waits

GOALS: Final = {
    Mode.ACTIVE: 36, Mode.PAUSED: 8, Mode.ARMED: 8, Mode.READY: 16, Mode.SELFTEST: 4,
    Mode.STOPPING: 8, Mode.SAFE: 12, Mode.DISARMED: 12,
}  # fmt: skip

Progress = Callable[["Report"], None]


@dataclass(slots=True)
class Report:
    """What was done and seen."""

    seed: int
    frames: int = 0
    """Hostile frames, the measure of a campaign."""
    random_frames: int = 0
    forged_frames: int = 0
    honest_frames: int = 0
    answers: int = 0
    lives: int = 0
    virtual_s: float = 0.0
    valve_open_s: float = 0.0
    stops: int = 0
    in_mode: Counter[str] = field(default_factory=Counter)
    """Hostile frames by the mode that the device was in when they came."""
    entered: Counter[str] = field(default_factory=Counter)
    trips: Counter[str] = field(default_factory=Counter)
    census_max_bytes: int = 0
    blocks_early: int = 0
    """Memory blocks of the interpreter after the first lives, and at the end."""
    blocks_late: int = 0
    trace: str = ""
    """Hash over every byte of both directions."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        figures = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: dict(figure) if isinstance(figure, Counter) else figure
            for name, figure in figures.items()
        }


class FuzzFailedError(Exception):
    """The promise was broken; the text says how to see it again."""


@dataclass(slots=True)
class Campaign:
    """All lives of one seed."""

    seed: int
    frames: int
    progress: Progress | None = None
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        self.report = Report(self.seed)

    def run(self) -> Report:
        """Send every frame; FuzzFailedError at the first broken promise or unexpected error."""
        report, trace = self.report, sha256()
        while report.frames < self.frames:
            life = Life(self.seed, report, self.frames)
            try:
                life.run()
            except Exception as error:
                raise FuzzFailedError(self._account(life, error)) from error
            trace.update(life.witness.trace.digest())
            report.lives += 1
            report.trace = trace.hexdigest()
            self._weigh()
            if self.progress is not None:
                self.progress(report)
        return report

    def _weigh(self) -> None:
        """Count the interpreter's blocks while no device is alive."""
        gc.collect()
        self.report.blocks_late = sys.getallocatedblocks()
        if self.report.frames <= self.frames // 4 or self.report.blocks_early == 0:
            self.report.blocks_early = self.report.blocks_late

    def _account(self, life: "Life", error: Exception) -> str:
        recent = "\n".join(f"  {at_s:.4f} {data.hex()}" for at_s, data in life.witness.recent)
        kind = "" if isinstance(error, PromiseBrokenError) else f"{type(error).__name__}: "
        return (
            f"seed {self.seed}, life {self.report.lives}, frame {self.report.frames}: "
            f"{kind}{error}\nthe newest bytes to the device:\n{recent}"
        )


class Life:
    """One power-on under fire."""

    def __init__(self, seed: int, report: Report, frames_max: int) -> None:
        life_seed = f"{seed} life {report.lives}"
        self._chance = random.Random(life_seed)  # noqa: S311 - a campaign must repeat
        hand = SteeredHand()
        self.witness = Witness(self._chance.getrandbits(32), hand)
        self._host = HonestHost(self.witness, hand, self._chance)
        self._forger = Forger(self._chance)
        self._report = report
        self._ends_at = min(report.frames + LIFE_FRAMES, frames_max)
        self._census_at = report.frames + CENSUS_EVERY

    def run(self) -> None:
        """Live until the frames are used up, the unit is locked, or it is old."""
        witness, report = self.witness, self._report
        self._burst(Mode.BOOT)
        while report.frames < self._ends_at and witness.device.now_s < LIFE_S:
            goal = self._chance.choices(tuple(GOALS), tuple(GOALS.values()))[0]
            self._reach(goal)
            self._burst(goal)
            if witness.mode is Mode.SAFE and witness.device.firmware.board.locked:
                break
        self._weigh()
        ledger = witness.ledger
        report.virtual_s += witness.device.now_s
        report.valve_open_s += witness.valve_open_s
        report.honest_frames += self._host.frames
        report.answers += ledger.frames_said
        report.stops += ledger.stops_heard
        report.entered += witness.modes_entered
        report.trips += witness.trips

    def _reach(self, goal: Mode) -> None:
        """Steer to a mode in peace, as far as that is possible."""
        self._host.goal = goal
        self._host.streaming = True
        self._host.fidgets = False
        self._host.mood = CALM
        self._host.impatient = self._chance.random() < IMPATIENT_SHARE
        until_s = self.witness.device.now_s + REACH_MAX_S
        while not self._there(goal) and self.witness.device.now_s < until_s:
            self._tick([])

    def _there(self, goal: Mode) -> bool:
        """Return whether the device is in that mode; ACTIVE counts once crystals flow."""
        flows = self.witness.device.plant.truth.valve_open > 0.0
        return self.witness.mode is goal and (flows or goal is not Mode.ACTIVE)

    def _burst(self, goal: Mode) -> None:
        """Attack around one mode, while the host tries to hold it."""
        chance, report = self._chance, self._report
        self._host.goal = goal
        rude = chance.random() < RUDE_SHARES.get(goal, 1.0)
        self._host.fidgets = chance.random() < FIDGET_SHARE
        self._host.mood = self._forger.mood = any_mood(chance)
        per_tick = chance.randrange(
            1, PER_TICK_MAX if goal is not Mode.READY else PER_TICK_READY_MAX
        )
        until = min(report.frames + chance.randrange(*BURST_FRAMES), self._ends_at)
        away_s = 0.0
        while report.frames < until and away_s < AWAY_MAX_S:
            away = self.witness.mode is not goal
            away_s = away_s + TICK_S if away else 0.0
            waits = away and chance.random() < PAUSE_SHARE
            self._tick([] if waits else self._volley(per_tick, rude=rude))

    def _volley(self, count: int, *, rude: bool) -> list[Chunk]:
        report, chance, mode = self._report, self._chance, self.witness.mode
        live = mode in RUDE_SHARES
        volley = []
        insight = self._host.insight()
        for _ in range(chance.randrange(1, count + 1)):
            owed = report.random_frames <= report.forged_frames
            noisy = owed and (not live or rude or chance.random() < NOISE_WHILE_ARMED)
            if noisy:
                volley.append(self._forger.noise(insight))
            else:
                volley.append(self._forger.forged(insight, gentle=live and not rude))
            report.random_frames += noisy
            report.forged_frames += not noisy
        report.frames += len(volley)
        report.in_mode[mode.name] += len(volley)
        return volley

    def _tick(self, volley: list[Chunk]) -> None:
        """Let the host and the attacker speak in any order, then 5 ms pass."""
        witness, chance = self.witness, self._chance
        for said in self._host.act():
            if chance.random() < 0.05:
                self._forger.remember(said)
            volley.insert(chance.randrange(len(volley) + 1), Chunk(said, asks=True))
        late_s = 0.0
        for piece in _pieces(volley, chance):
            late_s = min(late_s + 0.0005, 0.0049)
            witness.give(piece, late_s)
        witness.tick()
        if self._report.frames >= self._census_at:
            self._census_at += CENSUS_EVERY
            self._weigh()

    def _weigh(self) -> None:
        self._report.census_max_bytes = max(self._report.census_max_bytes, self.witness.census())


def _pieces(volley: list[Chunk], chance: random.Random) -> list[bytes]:
    """Join and cut what is sent into what arrives: any split, but one request at a time."""
    pieces: list[bytes] = []
    joined = b""
    for chunk in volley:
        if not chunk.asks:
            joined += chunk.data
            continue
        runs = chunk.data.split(b"\0")
        tail = runs.pop()
        for run in runs:
            pieces.append(joined + run + b"\0")
            joined = b""
        joined = tail
    if joined:
        pieces.append(joined)
    if pieces and chance.random() < 0.2:
        at = chance.randrange(len(pieces))
        whole = pieces[at]
        cut = chance.randrange(len(whole))
        pieces[at : at + 1] = [whole[:cut], whole[cut:]]
    return pieces
