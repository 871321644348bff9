"""One treatment of one zone by the whole service, as the skin sees it: a map of depth."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from qa.loop import run_virtual
from qa.rig import RigSpec, service
from qa.skin.grid import Outcome, SkinGrid, stroke_angles
from qa.skin.truth import draw_angles, draw_truth
from simulator.plant.deposit import DepositLog
from simulator.plant.path import side_of

PROGRAM: Final = "refresh"
ZONE: Final = "chin"
AREA_CM2: Final = 20.0
CELL_MM: Final = 0.25


@dataclass(frozen=True, slots=True)
class Example:
    """A treated zone."""

    outcome: Outcome
    cell_mm: float
    margin_mm: float
    title: str


def example(seed: int, hand: str = "average") -> Example:
    """Treat a zone with kernel, line and device in virtual time, and wear simulated skin by it."""
    log = run_virtual(_treated(seed, hand))
    rows, rng = log.of_zone(ZONE), np.random.default_rng(seed)
    skin = SkinGrid(side_of(AREA_CM2), draw_truth(ZONE, rng), rng, cell_mm=CELL_MM)
    skin.expose(rows, stroke_angles(rows, draw_angles(log.stroke + 1, rng)))
    title = (
        f"One simulated treatment: {PROGRAM}, {ZONE}, {hand} hand, seed {seed}; "
        "the dashed square is the zone"
    )
    return Example(skin.settle(rng), CELL_MM, skin.margin_mm, title)


async def _treated(seed: int, hand: str) -> DepositLog:
    async with service(RigSpec(seed, hand=hand, deposit=True)) as made:
        await made.treat(PROGRAM, zones=[ZONE])
        return made.rig.deposit or DepositLog()
