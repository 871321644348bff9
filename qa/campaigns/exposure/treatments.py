"""Many whole treatments at a time: one program, one hand, one arm, clients of one kind."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.campaigns.exposure.dose_map import dose_map, places_of
from qa.campaigns.exposure.outcomes import Skins
from qa.campaigns.exposure.population import NO_TILT, Clients, Tilt, draw_clients
from qa.campaigns.exposure.settings import SPEED_USUAL_MM_PER_S, Arm, ZoneSetting
from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.tables import skin_tables
from qa.campaigns.exposure.zone_runs import End, FaultCourse, ZoneRuns, run_zone
from qa.skin.sites import thickness_of
from qa.skin.tails import CENTRAL, Tail
from qa.skin.truth import Account, rate_under_tip, within_cv_of
from simulator.plant.habits import Habit

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

PLACES_AT_ONCE: Final = 400_000  # doses that stay in the cache of one core, as measured
DWELL_LIMIT_S: Final = 2.25  # the interlock on a still tip, and its budget
EARLY_SHARE: Final = 0.98  # a zone that ended before this share of its plan was stopped early


@dataclass(frozen=True, slots=True)
class FaultDraw:
    """A single fault: what the full service was measured to do about it, one entry per run."""

    name: str
    true_gain: tuple[float, ...]
    seen_gain: tuple[float, ...]
    lasts_s: tuple[float, ...]
    blind: bool = False
    """It is the motion sensor that fails: a still tip counts as a moving one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one row of a campaign is about."""

    zones: tuple[ZoneSetting, ...]
    habit: Habit
    arm: Arm = Arm.INTERLOCKED
    account: Account = Account.LOWEST
    fault: FaultDraw | None = None
    tail: Tail = CENTRAL
    tilt: Tilt = NO_TILT


@dataclass(slots=True)
class Treatments:
    """What happened in many treatments, one row per client."""

    clients: Clients
    skins: Skins
    elapsed_s: Array
    contact_s: Array
    early_zones: NDArray[np.int64]
    """Zones that a limit ended before what the plan said."""
    dwelled: NDArray[np.bool_]
    """The tip stood still with crystals flowing for longer than the limit."""
    overdosed: NDArray[np.bool_]
    """Somewhere the suction dose passed its limit."""

    @property
    def handpiece_s(self) -> float:
        """Seconds of treatment, all clients together."""
        return float(self.elapsed_s.sum())


def treat(
    cell: Cell,
    n: int,
    rng: np.random.Generator,
    clients: Clients | None = None,
    charged: Array | None = None,
) -> Treatments:
    """Treat ``n`` clients, drawn if none are given.

    ``charged`` is what the ledger charges each of them, over what it charges everybody.
    """
    if clients is None:
        clients = draw_clients(n, cell.account, rng, cell.tilt)
    clients = _with_spread_of(cell.tail, clients)
    treated = Treatments(
        clients, Skins.empty(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64),
        np.zeros(n, np.bool_), np.zeros(n, np.bool_),
    )  # fmt: skip
    courses = (
        (charged_course(charged),) * len(cell.zones)
        if charged is not None
        else fault_courses(cell, n, rng)
    )
    for setting, course in zip(cell.zones, courses, strict=True):
        _treat_zone(cell, setting, treated, course, rng)
    return treated


def _with_spread_of(tail: Tail, clients: Clients) -> Clients:
    """Return the clients with the spread within a site that the tail fixes, if it does."""
    if tail.within_share is None:
        return clients
    spread = np.full(len(clients), within_cv_of(tail.within_share))
    return replace(clients, skin=replace(clients.skin, within_cv=spread))


def _treat_zone(
    cell: Cell,
    setting: ZoneSetting,
    treated: Treatments,
    course: FaultCourse | None,
    rng: np.random.Generator,
) -> None:
    n = len(treated.clients)
    blind = cell.fault is not None and cell.fault.blind
    seen = replace(setting, still_um_per_s=setting.moving_um_per_s) if blind else setting
    hands = Strokers(paced(cell.habit, setting), setting.area_cm2, n, rng)
    runs = run_zone(seen, hands, cell.arm, rng, course, trips_dwell=not blind)
    treated.elapsed_s += runs.elapsed_s
    treated.contact_s += runs.contact_s
    treated.early_zones += _early(runs, setting)
    treated.dwelled |= runs.still_max_s > DWELL_LIMIT_S
    at_once = max(4, int(PLACES_AT_ONCE / places_of(setting.area_cm2, hands.habit)))
    for first in range(0, n, at_once):
        part = slice(first, min(n, first + at_once))
        map_s = dose_map(runs, hands, part, rng, None if course is None else course.part(part))
        _skin_of_zone(cell, setting, treated, runs, part, map_s)


def _skin_of_zone(
    cell: Cell,
    setting: ZoneSetting,
    treated: Treatments,
    runs: ZoneRuns,
    part: slice,
    map_s: Floats,
) -> None:
    clients = treated.clients.part(part)
    n = len(clients)
    flow = setting.flow_g_per_min * clients.unit_flow
    rate = rate_under_tip(clients.skin, flow, np.full(n, setting.suction_kpa))
    skins = Skins.empty(n)
    skins.add_zone(
        map_s * rate.astype(np.float32)[:, None, None],
        thickness_of(setting.zone) * clients.skin.thickness_mean_um,
        clients.skin.layer_um,
        clients.skin.within_cv,
        skin_tables(cell.tail),
        cell.tail.correlation_mm**2,
    )
    treated.skins.add(part, skins)
    worst_s = map_s.reshape(n, -1).max(axis=1)
    worst_s *= runs.contact_s[part] / np.maximum(runs.dose_s[part], np.float32(1e-6))
    treated.overdosed[part] |= worst_s * setting.suction_kpa > setting.suction_dose_max_kpa_s


def paced(habit: Habit, setting: ZoneSetting) -> Habit:
    """Return the habit at the speed that the program asks for.

    A hand that is half as fast as usual is half as fast as asked: people follow the number on the
    screen as well as they can.
    """
    pace = setting.speed_mm_per_s / SPEED_USUAL_MM_PER_S
    return replace(habit, speed_mm_per_s=habit.speed_mm_per_s * pace)


def _early(runs: ZoneRuns, setting: ZoneSetting) -> NDArray[np.bool_]:
    limited = (runs.end != End.TIME) & (runs.end != End.HAND)
    early: NDArray[np.bool_] = limited & (runs.contact_s < EARLY_SHARE * setting.expected_contact_s)
    return early


def charged_course(charged: Array) -> FaultCourse:
    """Return a course in which nothing is wrong but what the ledger charges."""
    n = len(charged)
    return FaultCourse(
        np.zeros(n, np.float32),
        np.ones(n, np.float32),
        charged.astype(np.float32),
        np.full(n, np.inf, np.float32),
    )


def fault_courses(cell: Cell, n: int, rng: np.random.Generator) -> tuple[FaultCourse | None, ...]:
    """Let the fault begin once in each treatment, at any moment of any of its zones.

    It stays to the end of the treatment; where it is noticed, so do the interlocks.
    """
    fault = cell.fault
    if fault is None:
        return (None,) * len(cell.zones)
    at = rng.integers(0, len(fault.true_gain), n)
    true_gain = np.array(fault.true_gain, np.float32)[at]
    seen_gain = np.array(fault.seen_gain, np.float32)[at]
    lasts_s = np.array(fault.lasts_s, np.float32)[at]
    budgets = np.array([setting.contact_budget_s for setting in cell.zones])
    begins_s = rng.random(n) * budgets.sum()
    starts_s = np.concatenate(([0.0], np.cumsum(budgets)[:-1]))
    courses = []
    for start_s, budget_s in zip(starts_s, budgets, strict=True):
        later = begins_s >= start_s + budget_s
        after_s = np.where(later, np.inf, np.maximum(begins_s - start_s, 0.0)).astype(np.float32)
        courses.append(FaultCourse(after_s, true_gain, seen_gain, lasts_s))
    return tuple(courses)
