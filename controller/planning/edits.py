"""The smallest change with which a plan fits: found by planning again, one settable step lower."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from controller.planning.case import Case
from controller.planning.plan import Lower, PlannedStage
from controller.planning.program import Stage
from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA, selected
from controller.planning.stage import Shortfall, plan_stage
from controller.safety.limits import Quantity
from controller.safety.refusal import Refusal
from controller.safety.skin import Site

STEP: Final = {Quantity.FLOW_G_PER_MIN: 0.1, Quantity.SUCTION_KPA: 0.5}
"""What a person sets: suggestions are rounded down to it."""
_LEAST: Final = {
    Quantity.FLOW_G_PER_MIN: FLOW_SET_MIN_G_PER_MIN,
    Quantity.SUCTION_KPA: SUCTION_SET_MIN_KPA,
}
_WORDS: Final = {
    Quantity.FLOW_G_PER_MIN: "Lower the crystal flow to {:.1f} g/min",
    Quantity.SUCTION_KPA: "Lower the suction to {:.1f} kPa",
}


def refusal_of(case: Case, site: Site, short: Shortfall) -> Refusal:
    """Return the refusal of a stage that does not fit, with the smallest change that does."""
    zone = site.display.lower()
    edit = _smallest_edit(case, short.remedy)
    step = f"Leave out {zone}." if edit is None else f"{edit}, or leave out {zone}."
    return Refusal(short.code, short.sentence, step, short.receipt)


def plain_refusal_of(_case: Case, site: Site, short: Shortfall) -> Refusal:
    """Return the refusal of a stage that does not fit, without searching for what would."""
    step = f"Leave out {site.display.lower()}, or plan with `corneum plan`, which says what fits."
    return Refusal(short.code, short.sentence, step, short.receipt)


def fits_in_time_g_per_min(case: Case, stage: Stage, site: Site) -> float | None:
    """Return the highest settable flow at which all of a stage's time fits, or None."""

    def fits(lower: Case) -> bool:
        planned = plan_stage(lower, stage, site)
        return isinstance(planned, PlannedStage) and planned.ends_by == "time"

    return highest(case, Quantity.FLOW_G_PER_MIN, fits)


def highest(case: Case, quantity: Quantity, fits: Callable[[Case], bool]) -> float | None:
    """Return the highest settable value below the present one with which the case fits, or None.

    What fits at a value fits at every lower one, so that halving finds it.
    """
    step = STEP[quantity]
    few = math.ceil(_LEAST[quantity] / step - 1e-9)
    many = math.ceil(_present(case, quantity) / step - 1e-9) - 1
    best: float | None = None
    while few <= many:
        middle = (few + many) // 2
        value = round(middle * step, 6)
        if fits(_lowered(case, quantity, value)):
            best, few = value, middle + 1
        else:
            many = middle - 1
    return best


def _smallest_edit(case: Case, remedy: Quantity) -> str | None:
    others = [quantity for quantity in STEP if quantity is not remedy]
    for quantity in (remedy, *others):
        value = highest(case, quantity, _plan_fits)
        if value is not None:
            return _WORDS[quantity].format(value)
    return None


def _plan_fits(case: Case) -> bool:
    return not any(
        isinstance(plan_stage(case, stage, site), Refusal | Shortfall)
        for stage, site in selected(case)
    )


def _present(case: Case, quantity: Quantity) -> float:
    """The highest value that any stage of the case has now."""
    flow = quantity is Quantity.FLOW_G_PER_MIN
    asked = case.wanted.lower.flow_g_per_min if flow else case.wanted.lower.suction_kpa
    highest_set = max(
        (stage.flow_g_per_min if flow else stage.suction_kpa for stage, _ in selected(case)),
        default=0.0,
    )
    return highest_set if asked is None else min(highest_set, asked)


def _lowered(case: Case, quantity: Quantity, value: float) -> Case:
    lower = case.wanted.lower
    if quantity is Quantity.FLOW_G_PER_MIN:
        changed = Lower(lower.suction_kpa, value)
    else:
        changed = Lower(value, lower.flow_g_per_min)
    return replace(case, wanted=replace(case.wanted, lower=changed))
