"""The arithmetic of a campaign and the whole service treat the same zones: the same statistics."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from controller.config.locate import shipped_configs
from qa.campaigns.exposure.dose_map import PLACE_MM, dose_map
from qa.campaigns.exposure.rows import Group, Row, cell_of
from qa.campaigns.exposure.settings import ZoneSetting
from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.treatments import paced
from qa.campaigns.exposure.zone_runs import run_zone
from qa.loop import run_virtual
from qa.rig import RigSpec, service
from qa.skin.grid import SkinGrid
from qa.skin.truth import SkinTruth
from simulator.plant.habits import HABITS
from simulator.plant.path import side_of

PROGRAM, ZONE, AREA_CM2 = "first-gentle", "nose", 14.0
SERVICE_RUNS, CAMPAIGN_RUNS = 6, 400
DOSE_SLACK = {"hurried": 0.09}
"""The rise of the flow was measured at 4 g/min. At the flows of today it costs a stroke 0.10 s and
not 0.15, so that a campaign gives 3 % fewer crystals than the service, and 7 % in a hurried hand;
in the worst place it gives an average hand 12 % more. To be measured anew, with the campaigns."""
PLACE = SkinTruth(10.0, 1.0, 0.3, 1.0, 1.0, 0.0, 1.0)
"""Skin that wears 1 µm in a second of 10 g/min, so that depth is seconds of crystals."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of many runs."""

    contact_s: np.ndarray
    dose: np.ndarray
    bound_um: np.ndarray
    elapsed_s: np.ndarray
    peak: np.ndarray


def the_setting() -> ZoneSetting:
    row = Row(Group.PRESET, program=PROGRAM, zones=(ZONE,))
    return cell_of(row, shipped_configs()).zones[0]


def by_the_service(hand: str) -> Sample:
    runs = [run_virtual(_served(hand, seed)) for seed in range(1, SERVICE_RUNS + 1)]
    return Sample(*(np.array(values) for values in zip(*runs, strict=True)))


async def _served(hand: str, seed: int) -> tuple[float, float, float, float, float]:
    async with service(RigSpec(seed, hand=hand, deposit=True)) as made:
        await made.treat(PROGRAM, zones=[ZONE])
        zone = made.snapshot()["treatment"]["zones"][0]
        rows = [] if made.rig.deposit is None else made.rig.deposit.rows
        valve = [event for event in made.rig.events if event["kind"] == "valve"]
    moved_s = [float(str(event["t_s"])) for event in valve]
    setting = the_setting()
    flow = sum(row.flow_g_per_min * row.seconds for row in rows)
    skin = SkinGrid(side_of(AREA_CM2), PLACE, np.random.default_rng(seed))
    skin.expose(rows)
    depth = np.sort(skin.depth_um.ravel())[::-1]
    worst = depth[int(AREA_CM2 * 100.0 * 0.01 / skin.cell_mm**2)] * 10.0 / setting.flow_g_per_min
    return (
        zone["contact_s"], flow / setting.flow_g_per_min, zone["bound_um"],
        moved_s[-1] - moved_s[0], worst,
    )  # fmt: skip


def by_the_campaign(hand: str) -> Sample:
    setting, rng = the_setting(), np.random.default_rng(1)
    hands = Strokers(paced(HABITS[hand], setting), setting.area_cm2, CAMPAIGN_RUNS, rng)
    if setting.speed_mm_per_s != 30.0:  # the hand of the handpiece does not read the program
        hands = Strokers(HABITS[hand], setting.area_cm2, CAMPAIGN_RUNS, rng)
    runs = run_zone(setting, hands, Row(Group.PRESET).arm, rng, angles=False)
    seconds = dose_map(runs, hands, slice(None), rng).reshape(CAMPAIGN_RUNS, -1)
    place = int(AREA_CM2 * 100.0 * 0.01 / PLACE_MM**2)
    worst = -np.sort(-seconds, axis=1)[:, place]
    return Sample(runs.contact_s, runs.dose_s, runs.bound_um, runs.elapsed_s, worst)


@pytest.mark.parametrize("hand", ["average", "hurried", "uneven"])
def test_campaign_and_service_agree_on_a_shared_sample(hand: str) -> None:
    served, counted = by_the_service(hand), by_the_campaign(hand)
    dose = DOSE_SLACK.get(hand, 0.06)
    for name, slack in (("contact_s", 0.05), ("dose", dose), ("elapsed_s", 0.08), ("peak", 0.15)):
        ours, theirs = getattr(counted, name), getattr(served, name)
        error = math.hypot(
            theirs.std(ddof=1) / math.sqrt(len(theirs)), ours.std(ddof=1) / math.sqrt(len(ours))
        )
        assert ours.mean() == pytest.approx(
            theirs.mean(), abs=3.0 * error + slack * theirs.mean()
        ), name


def test_the_ledger_of_the_campaign_charges_no_more_than_that_of_the_service() -> None:
    """So that its valves stay open a little longer than real ones: the safe side of a simulation.

    The service also charges the moments in which a tip that lifts off looks still.
    """
    served, counted = by_the_service("average"), by_the_campaign("average")
    assert 0.75 * served.bound_um.mean() < counted.bound_um.mean() <= 1.02 * served.bound_um.mean()
