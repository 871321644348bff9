"""A campaign of simulated treatments: rows in blocks over many processes, and their figures.

Each row is drawn twice: plainly, so that counts have an exact bound, which alone decides; and
tilted towards thin skin and high rates, so that chances far below one in the number of treatments
have an estimate. The plain sample checks the tilted one wherever it can reach.

Whether a treatment breached is drawn: its chance follows from the doses of its places (`tables`),
and a hit is a number from 0 to 1 below that chance. No skin is drawn for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np

from qa.campaigns.exposure.block import Array, Block
from qa.campaigns.exposure.population import NO_TILT, TOWARDS_BREACH
from qa.campaigns.exposure.rows import Row, cell_of
from qa.campaigns.exposure.statistics import (
    Estimate,
    Share,
    deepest_centiles,
    drawn_hits,
    usefulness,
    weighted_mean,
)
from qa.campaigns.exposure.treatments import treat
from qa.campaigns.kept import Kept
from qa.campaigns.workers import Where, spread

BLOCK: Final = 500  # treatments in one job
TILTED_SHARE: Final = 0.5  # tilted treatments for each plain one


@dataclass(frozen=True, slots=True)
class Job:
    """One block of one row; which worker runs it makes no difference."""

    row: Row
    configs: Path
    n: int
    seed: int
    block: int
    tilted: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one row."""

    row: Row
    n: int
    breached: Share
    """Counted in the plain sample."""
    breach_chance: Estimate
    """By importance sampling."""
    lost_share: float
    """Of the treated area."""
    deepest: tuple[float, ...]
    """Centiles 50, 95 and 99.9 of depth over thickness where it is largest."""
    dwelled: Share
    overdosed: Share
    stopped_early: Share
    """Treatments in which a limit ended a zone before the plan said so."""
    early_zones: Share
    usefulness: float
    depth_um: float
    handpiece_s: float


def run_job(job: Job) -> dict[str, Any]:
    """Treat one block of clients and return the `Block`, as JSON has it."""
    return treat_block(job).as_json()


def treat_block(job: Job) -> Block:
    """Treat one block of clients."""
    seed = np.random.SeedSequence((job.seed, crc32(job.row.key.encode()), job.block, job.tilted))
    rng = np.random.default_rng(seed)
    cell = cell_of(job.row, job.configs, TOWARDS_BREACH[job.row.account] if job.tilted else NO_TILT)
    done = treat(cell, job.n, rng)
    skins, weights = done.skins, done.clients.weight
    return Block(
        weights=weights,
        chances=skins.breach_chance,
        breaches=skins.breaches.astype(np.float32),
        deeper=skins.deeper.astype(np.float32),
        removed_um_mm2=skins.removed_um_mm2,
        treated_mm2=float((skins.treated_mm2 * weights).sum()),
        lost_mm2=float((skins.lost_mm2 * weights).sum()),
        hits=drawn_hits(skins.breach_chance, rng).hits,
        early_zones=int(done.early_zones.sum()),
        zones=job.n * len(cell.zones),
        early=int((done.early_zones > 0).sum()),
        dwelled=int(done.dwelled.sum()),
        overdosed=int(done.overdosed.sum()),
        handpiece_s=done.handpiece_s,
    )


def jobs_of(
    rows: Sequence[Row], n: int, seed: int, configs: Path, block: int = BLOCK
) -> Mapping[str, Job]:
    """Return the jobs of a campaign of ``n`` plain treatments a row."""
    jobs = {}
    for row in rows:
        for tilted, count in ((False, n), (True, max(2, round(n * TILTED_SHARE)))):
            kind = "tilted" if tilted else "plain"
            for number, first in enumerate(range(0, count, block)):
                job = Job(row, configs, min(block, count - first), seed, number, tilted)
                jobs[f"{row.key} {kind} {number}"] = job
    return jobs


def run(
    rows: Sequence[Row],
    n: int,
    seed: int,
    configs: Path,
    where: Where,
    kept: Kept | None = None,
) -> Iterator[Figures]:
    """Yield the figures of each row as soon as its last block is there."""
    jobs = jobs_of(rows, n, seed, configs)
    left = dict.fromkeys(rows, 0)
    for job in jobs.values():
        left[job.row] += 1
    blocks: dict[Row, dict[tuple[bool, int], Block]] = {row: {} for row in rows}
    for key, result in spread(run_job, jobs, where, "treatments", kept):
        job = jobs[key]
        blocks[job.row][job.tilted, job.block] = Block.from_json(result)
        left[job.row] -= 1
        if left[job.row] == 0:
            yield figures_of(job.row, blocks.pop(job.row))


def figures_of(row: Row, blocks: Mapping[tuple[bool, int], Block]) -> Figures:
    """Put the blocks of a row together, in their order."""
    ordered = sorted(blocks.items())
    plain = [block for (tilted, _), block in ordered if not tilted]
    tilted_ones = [block for (tilted, _), block in ordered if tilted]
    n = sum(len(block.weights) for block in plain)
    ones = np.ones(n)
    removed = _joined(plain, "removed_um_mm2")
    treated_mm2 = max(_sum(plain, "treated_mm2"), 1e-12)
    return Figures(
        row=row,
        n=n,
        breached=Share(_count(plain, "hits"), n),
        breach_chance=weighted_mean(
            _joined(tilted_ones, "chances"), _joined(tilted_ones, "weights")
        ),
        lost_share=_sum(plain, "lost_mm2") / treated_mm2,
        deepest=deepest_centiles(_joined(plain, "deeper"), ones),
        dwelled=Share(_count(plain, "dwelled"), n),
        overdosed=Share(_count(plain, "overdosed"), n),
        stopped_early=Share(_count(plain, "early"), n),
        early_zones=Share(_count(plain, "early_zones"), _count(plain, "zones")),
        usefulness=usefulness(removed, _joined(plain, "breaches"), ones),
        depth_um=float(removed.sum() / treated_mm2),
        handpiece_s=_sum(plain, "handpiece_s") + _sum(tilted_ones, "handpiece_s"),
    )


def _joined(blocks: Sequence[Block], name: str) -> Array:
    return np.concatenate([np.asarray(getattr(block, name), np.float64) for block in blocks])


def _sum(blocks: Sequence[Block], name: str) -> float:
    return float(sum(getattr(block, name) for block in blocks))


def _count(blocks: Sequence[Block], name: str) -> int:
    return int(sum(getattr(block, name) for block in blocks))
