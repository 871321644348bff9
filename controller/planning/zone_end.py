"""When a zone has nothing left: the one rule for the course of a treatment, and for its resume."""

from enum import Enum, unique

from controller.planning.plan import PlannedStage
from controller.safety.exposure import ZoneLedger


@unique
class ZoneEnd(Enum):
    """Why a zone is done."""

    TIME = "time"
    EXPOSURE = "exposure"
    SUCTION = "suction"


def end_of(stage: PlannedStage, ledger: ZoneLedger) -> ZoneEnd | None:
    """Return why no crystals may flow in a zone any more; None while some may.

    Whether a zone is passed over when a treatment is resumed, and onto which one the first crystals
    then fall, must be the same question: a recovery that asked another one charged the wrong zone.
    """
    if not ledger.contact_s < stage.contact_budget_s:
        return ZoneEnd.TIME
    if ledger.reached or not ledger.opens(stage.flow_g_per_min, stage.suction_kpa):
        by_suction = ledger.ends_by_suction(stage.flow_g_per_min, stage.suction_kpa)
        return ZoneEnd.SUCTION if by_suction else ZoneEnd.EXPOSURE
    return None
