"""The chains of limits of one zone, from what every device may do to what the zone has left."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from controller.planning.case import Case
from controller.planning.program import Stage
from controller.safety.limits import Limit, Quantity, Receipt, Source, resolve
from controller.safety.patch_reading import with_readings
from controller.safety.removal import RemovalModel
from controller.safety.skin import (
    Region,
    Site,
    before_the_day,
    derate,
    derate_phototype,
    not_grown_back_um,
    risk_cap_um,
)
from firmware_protocol import envelope
from firmware_protocol.messages import MG_PER_G, PA_PER_KPA

SUCTION_MAX_KPA: Final = {
    Region.FACE: envelope.SUCTION_FACE_MAX_PA / PA_PER_KPA,
    Region.BODY: envelope.SUCTION_SET_MAX_PA / PA_PER_KPA,
}
FLOW_MAX_G_PER_MIN: Final = envelope.FLOW_SET_MAX_MG_PER_MIN / MG_PER_G


def model_for(case: Case) -> RemovalModel:
    """Return the removal model for these crystals, this skin, and what the readings may be off."""
    return replace(
        with_readings(case.skin.model, case.client.patch_readings),
        crystal_um=case.unit.crystal_um,
        moisture=case.client.skin,
        suction_uncertainty_kpa=case.unit.suction_uncertainty_kpa,
        flow_uncertainty_percent=case.unit.flow_uncertainty_percent,
    )


def suction_receipt(case: Case, stage: Stage, site: Site) -> Receipt:
    """Hold the program's suction against the whole chain."""
    limits = [
        (Source.FACTORY, SUCTION_MAX_KPA[site.region]),
        (Source.UNIT, case.unit.suction_max_kpa),
        (Source.TIP, case.unit.tip.suction_max_kpa),
        (Source.SITE, site.suction_max_kpa),
        (Source.PROGRAM, stage.suction_kpa),
    ]
    if case.wanted.lower.suction_kpa is not None:
        limits.append((Source.PERSON, case.wanted.lower.suction_kpa))
    return held(Quantity.SUCTION_KPA, stage.suction_kpa, limits)


def flow_receipt(case: Case, stage: Stage) -> Receipt:
    """Hold the program's crystal flow against the whole chain."""
    limits = [
        (Source.FACTORY, FLOW_MAX_G_PER_MIN),
        (Source.UNIT, case.unit.flow_max_g_per_min),
        (Source.PROGRAM, stage.flow_g_per_min),
    ]
    if case.wanted.lower.flow_g_per_min is not None:
        limits.append((Source.PERSON, case.wanted.lower.flow_g_per_min))
    return held(Quantity.FLOW_G_PER_MIN, stage.flow_g_per_min, limits)


def cap_receipt(case: Case, site: Site) -> Receipt:
    """Return the cap of this client's zone for a day that begins with nothing.

    Published thickness, the risk of a point, skin, and what has not grown back of earlier days.
    """
    rules, client = case.skin.rules, case.client
    published_um = rules.cap_share * site.sc_nom_um
    risk_um = risk_cap_um(case.skin, site, model_for(case))
    skin_um = published_um * derate(rules, client.phototype, client.age_years)
    earlier = before_the_day(case.history, case.now_wall_s)
    missing_um = not_grown_back_um(rules, earlier, site.zone, case.now_wall_s)
    limits = [
        (Source.SITE, published_um),
        (Source.RISK, risk_um),
        (Source.SKIN, skin_um),
        (Source.ZONE, max(0.0, min(skin_um, risk_um) - missing_um)),
    ]
    return held(Quantity.DEPTH_UM, published_um, limits)


def dose_receipt(case: Case) -> Receipt:
    """Return the suction dose that one place may have in a day."""
    rules = case.skin.rules
    most_kpa_s = rules.suction_max_kpa_s
    skin_kpa_s = most_kpa_s * derate_phototype(rules, case.client.phototype)
    limits = [(Source.SUCTION, most_kpa_s), (Source.SKIN, skin_kpa_s)]
    return held(Quantity.SUCTION_KPA_S, most_kpa_s, limits)


def held(quantity: Quantity, requested: float, limits: Sequence[tuple[Source, float]]) -> Receipt:
    """Hold a request against its limits."""
    return resolve(
        quantity, requested, [Limit(source, quantity, value) for source, value in limits]
    )
