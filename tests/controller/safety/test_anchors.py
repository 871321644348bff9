"""The published anchors: the model as it is shipped is no slower than what was seen.

A1, A2: Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5: on human skin through a mask, 20 s at
30 kPa removed the stratum corneum and 60 s at 50 kPa the whole epidermis. A mask only starves the
skin, and what was gone may have been gone long before: lower bounds, both. A4: Andrews et al., Int
J Pharm 2011;407:95-104: removal depends strongly on crystal flow and time, weakly on pressure. The
crystal flow of the experiments is not known; it is the reference flow of the model.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.exposure import ZoneLedger
from controller.safety.removal import Moisture

MODEL = replace(load_skin(shipped_configs()).model, crystal_um=100.0, moisture=Moisture.DRY)
FLOW_REF = MODEL.flow_ref_g_per_min
SC_MAX_UM = 18.3
SC_AND_EPIDERMIS_MAX_UM = SC_MAX_UM + 81.5
"""The thickest skin of trunk and thigh: Sandby-Møller et al. 2003, Acta Derm Venereol 83:410."""


def under_the_tip(flow_g_per_min: float, suction_kpa: float, seconds: float) -> ZoneLedger:
    """What a tip that stands still removes, as the ledger counts it."""
    one = ZoneLedger("sample", math.inf, math.inf, 0.1, MODEL, motion_sensor=True)
    one.add(flow_g_per_min, suction_kpa, seconds)
    return one


def exponent(depth_um: Callable[[float], float], at: float) -> float:
    """The slope in logarithms, over a tenth in both directions."""
    return math.log(depth_um(at * 1.1) / depth_um(at / 1.1)) / math.log(1.1 * 1.1)


def test_a1_20_s_at_30_kpa_remove_the_stratum_corneum_at_least() -> None:
    taken = under_the_tip(FLOW_REF, 30.0, 20.0)
    assert SC_MAX_UM <= taken.nominal_um <= taken.bound_um


def test_a2_60_s_at_50_kpa_remove_the_whole_epidermis_at_least() -> None:
    taken = under_the_tip(FLOW_REF, 50.0, 60.0)
    assert SC_AND_EPIDERMIS_MAX_UM <= taken.nominal_um <= taken.bound_um


@pytest.mark.parametrize("suction_kpa", [12.0, 30.0, 45.0])
@pytest.mark.parametrize("flow_g_per_min", [3.0, 7.0, 10.0])
def test_a4_time_and_flow_count_strongly_and_suction_less(
    flow_g_per_min: float, suction_kpa: float
) -> None:
    def by_time(seconds: float) -> float:
        return under_the_tip(flow_g_per_min, suction_kpa, seconds).nominal_um

    def by_flow(flow: float) -> float:
        return under_the_tip(flow, suction_kpa, 20.0).nominal_um

    def by_suction(kpa: float) -> float:
        return under_the_tip(flow_g_per_min, kpa, 20.0).nominal_um

    assert 0.8 <= exponent(by_time, 20.0) <= 1.1
    assert 0.8 <= exponent(by_flow, flow_g_per_min) <= 1.1
    assert exponent(by_suction, suction_kpa) < exponent(by_flow, flow_g_per_min)
