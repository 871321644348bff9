"""One treatment by the whole service, seen from the skin."""

import asyncio
import math
from functools import cache

import numpy as np
import pytest

from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from qa.skin.grid import WINDOW_RADIUS_MM, SkinGrid, stroke_angles
from qa.skin.truth import draw_angles, draw_truth, rate_under_tip
from simulator.plant.deposit import DepositLog
from simulator.plant.path import side_of

A_BIT_S = 5.0
NOSE_CM2, CHIN_CM2 = 14.0, 20.0
WINDOW_MM2 = math.pi * WINDOW_RADIUS_MM**2


async def _treat(made: Service, zones: list[str]) -> None:
    """Treat the first zone, and a bit of a second one."""
    await made.ask("treat", program="refresh", client="demo", zones=zones)
    if len(zones) > 1:
        await made.until(lambda: made.rig.deposit is None or zones[-1] in made.rig.deposit.zones)
        await asyncio.sleep(A_BIT_S)
        await made.ask("stop")
    await made.until(lambda: made.kernel.idle)


@cache
def treated(*zones: str, hand: str = "average", deposit: bool = True) -> tuple[DepositLog, str]:
    """Return where the crystals went, and the trace of every byte."""

    async def scenario() -> tuple[DepositLog, str]:
        async with service(RigSpec(hand=hand, deposit=deposit)) as made:
            await _treat(made, list(zones))
            return made.rig.deposit or DepositLog(), made.rig.trace_sha256()

    return run_virtual(scenario())


def test_a_treatment_of_the_nose_leaves_a_sane_map_of_depth_on_its_skin() -> None:
    log, _ = treated("nose", "chin")
    rows = log.of_zone("nose")
    side_mm, rng = side_of(NOSE_CM2), np.random.default_rng(1)
    assert all(-3.0 < place < side_mm + 3.0 for row in rows for place in row[:2])

    truth = draw_truth("nose", rng)
    skin = SkinGrid(side_mm, truth, rng)
    skin.expose(rows, stroke_angles(rows, draw_angles(log.stroke + 1, rng)))
    outcome = skin.settle(rng)

    contact_s = sum(row.seconds for row in rows)
    flow = sum(row.flow_g_per_min for row in rows) / len(rows)
    suction = sum(row.suction_kpa for row in rows) / len(rows)
    even_um = rate_under_tip(truth, flow, suction) * contact_s * WINDOW_MM2 / side_mm**2
    first = round((skin.margin_mm + 4.0) / skin.cell_mm)
    inner = outcome.depth_um[first:-first, first:-first]
    assert inner.mean() == pytest.approx(
        even_um, rel=0.5
    )  # one pass: few strokes, each at an angle; and less at the rim
    assert 0.0 <= inner.min() < inner.max() < 4.0 * inner.mean()  # one pass may miss a corner
    assert skin.missed_um_mm2 == 0.0
    assert not outcome.breached
    assert 0.0 < outcome.deepest_fraction < 1.0


def test_each_zone_that_the_screen_shows_gets_its_own_rows_from_its_corner_on() -> None:
    log, _ = treated("nose", "chin")
    assert log.zones == ("nose", "chin")
    for zone, area_cm2 in (("nose", NOSE_CM2), ("chin", CHIN_CM2)):
        rows = log.of_zone(zone)
        assert math.hypot(rows[0].x_mm, rows[0].y_mm) < 8.0
        assert side_of(area_cm2) - 2.0 < max(row.x_mm for row in rows) < side_of(area_cm2) + 3.0


def test_to_record_the_deposit_changes_no_byte() -> None:
    assert treated("nose", hand="still")[1] == treated("nose", hand="still", deposit=False)[1]


def test_a_still_hand_puts_all_its_crystals_on_one_place() -> None:
    log, _ = treated("nose", hand="still")
    assert len({row[:2] for row in log.rows}) == 1
