"""Adding or tightening any restriction never raises an output, over the whole chain.

Outputs are what reaches the skin or the unit: the settings of each zone, its cap and its contact
budget, the worst exposure that is planned, and every field of a setpoint. What is left of the cap
is counted in micrometres: at a lower suction more crystals fit under the same cap, and they remove
no more. A plan that was refused because a zone would not fit may become possible when a person
lowers it; its settings are then still those of the tightened chain.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.planning import chains
from controller.planning.plan import Lower, Plan
from controller.planning.planning import make_plan
from controller.safety.refusal import Refusal
from controller.safety.removal import Motion
from controller.safety.skin import PastDose, Region
from controller.treatment.conduct import Conduct
from controller.treatment.course import Course
from controller.treatment.events import Hold
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode
from tests.controller.first_presets import FIRST, SLOW_SKIN
from tests.controller.planning.test_plan import CLIENT, DAY_S, NOW_S, UNIT
from tests.controller.treatment.couch import FLOWING, couch

LITTLE = 1e-9


@dataclass(frozen=True)
class World:
    """Everything that limits a plan."""

    program: str = "refresh"
    factory_kpa: float = 50.0
    factory_g_per_min: float = 12.0
    unit_kpa: float = 50.0
    unit_g_per_min: float = 12.0
    unsure_percent: float = 0.0
    tip_kpa: float = 50.0
    site_kpa: float = 50.0
    site_um: float = 20.0
    cap_share: float = 0.35
    phototype: int = 1
    age_years: int = 30
    program_kpa: float = 50.0
    program_g_per_min: float = 12.0
    lower_kpa: float | None = None
    lower_g_per_min: float | None = None
    past_um: float = 0.0
    excluded: tuple[str, ...] = ()


TIGHTER: dict[str, st.SearchStrategy[Any]] = {
    "factory_kpa": st.floats(9.0, 50.0),
    "factory_g_per_min": st.floats(0.9, 12.0),
    "unit_kpa": st.floats(9.0, 50.0),
    "unit_g_per_min": st.floats(0.9, 12.0),
    "tip_kpa": st.floats(9.0, 50.0),
    "site_kpa": st.floats(9.0, 50.0),
    "site_um": st.floats(8.0, 20.0),
    "cap_share": st.floats(0.1, 0.35),
    "program_kpa": st.floats(10.0, 50.0),
    "program_g_per_min": st.floats(1.0, 12.0),
}
LOOSER_IS_LESS: dict[str, st.SearchStrategy[Any]] = {
    "unsure_percent": st.floats(0.0, 30.0),
    "past_um": st.floats(0.0, 8.0),
    "phototype": st.integers(1, 6),
    "age_years": st.integers(18, 79),
}
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "lower_kpa": st.floats(10.0, 50.0),
    "lower_g_per_min": st.floats(1.0, 12.0),
}
worlds = st.builds(
    World,
    program=st.sampled_from(["refresh", "hands", "first-gentle"]),
    **TIGHTER,
    **LOOSER_IS_LESS,
    **{name: st.none() | values for name, values in OPTIONAL.items()},
)


def tightened(world: World, field: str, value: Any) -> World:  # noqa: ANN401 - of the field
    """Return the world in which ``field`` is no wider than before and no wider than ``value``."""
    before = getattr(world, field)
    tightest = max if field in LOOSER_IS_LESS else min
    return replace(world, **{field: value if before is None else tightest(before, value)})


def planned(world: World) -> Plan | Refusal:
    program = FIRST[world.program]
    stages = tuple(
        replace(
            stage,
            suction_kpa=min(stage.suction_kpa, world.program_kpa),
            flow_g_per_min=min(stage.flow_g_per_min, world.program_g_per_min),
        )
        for stage in program.stages
    )
    lower_kpa, lower_flow = world.lower_kpa, world.lower_g_per_min
    if lower_kpa is not None:  # above the program is refused, which is another test
        lower_kpa = min(lower_kpa, *(stage.suction_kpa for stage in stages))
    if lower_flow is not None:
        lower_flow = min(lower_flow, *(stage.flow_g_per_min for stage in stages))
    sites = tuple(
        replace(
            site,
            suction_max_kpa=min(site.suction_max_kpa, world.site_kpa),
            sc_nom_um=min(site.sc_nom_um, world.site_um),
        )
        for site in SLOW_SKIN.sites
    )
    rules = replace(SLOW_SKIN.rules, cap_share=world.cap_share)
    skin = replace(SLOW_SKIN, sites=sites, rules=rules)
    unit = replace(
        UNIT,
        suction_max_kpa=world.unit_kpa,
        flow_max_g_per_min=world.unit_g_per_min,
        flow_uncertainty_percent=world.unsure_percent,
        tip=replace(UNIT.tip, suction_max_kpa=world.tip_kpa),
    )
    client = replace(
        CLIENT, phototype=world.phototype, age_years=world.age_years, exclusions=world.excluded
    )
    past = [PastDose(stage.zone, NOW_S - 21 * DAY_S, world.past_um) for stage in stages]
    factory = dict.fromkeys(Region, world.factory_kpa)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "SUCTION_MAX_KPA", factory)
        patch.setattr(chains, "FLOW_MAX_G_PER_MIN", world.factory_g_per_min)
        return make_plan(
            replace(program, stages=stages), client, unit, skin, past, NOW_S,
            lower=Lower(lower_kpa, lower_flow), reason="asked",
        )  # fmt: skip


def never_above(tight: Plan, loose: Plan) -> None:
    before = {stage.zone: stage for stage in loose.stages}
    for stage in tight.stages:
        wide = before[stage.zone]
        assert stage.suction_kpa <= wide.suction_kpa
        assert stage.flow_g_per_min <= wide.flow_g_per_min
        assert stage.cap_um <= wide.cap_um
        assert stage.contact_budget_s <= wide.contact_budget_s
        # An unsure unit counts more for the same crystals. A zone that its cap ends comes nearer to
        # it with softer settings: less can still fall after the stop.
        if tight.model == loose.model and wide.ends_by == "time":
            assert stage.expected_bound_um <= wide.expected_bound_um + LITTLE
    assert tight.suction_max_kpa <= loose.suction_max_kpa
    assert tight.flow_max_g_per_min <= loose.flow_max_g_per_min


FIELDS = sorted({**TIGHTER, **LOOSER_IS_LESS, **OPTIONAL})


@pytest.mark.hazard("H01", "H03", "H19", "H47")
@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
@settings(max_examples=25)
def test_tightening_any_link_of_the_chain_raises_no_output_of_a_plan(
    field: str, data: st.DataObject
) -> None:
    world = data.draw(worlds)
    value = data.draw({**TIGHTER, **LOOSER_IS_LESS, **OPTIONAL}[field])
    narrow = tightened(world, field, value)
    loose, tight = planned(world), planned(narrow)
    if isinstance(tight, Plan):
        for stage in tight.stages:
            assert stage.suction_kpa <= min(narrow.factory_kpa, narrow.unit_kpa, narrow.tip_kpa)
            assert stage.suction_kpa <= min(narrow.site_kpa, narrow.program_kpa)
            assert stage.flow_g_per_min <= min(narrow.factory_g_per_min, narrow.unit_g_per_min)
            assert stage.expected_bound_um <= stage.cap_um
        if isinstance(loose, Plan):
            never_above(tight, loose)
            never_hold_above(tight, loose)
    elif isinstance(loose, Plan):
        assert tight.sentence


@pytest.mark.hazard("H53")
@given(world=worlds, left_out=st.sets(st.sampled_from([site.zone for site in SLOW_SKIN.sites])))
@settings(max_examples=25)
def test_leaving_zones_out_raises_nothing_in_the_others(world: World, left_out: set[str]) -> None:
    loose, tight = planned(world), planned(replace(world, excluded=tuple(sorted(left_out))))
    if isinstance(loose, Plan) and isinstance(tight, Plan):
        assert not {stage.zone for stage in tight.stages} & left_out
        never_above(tight, loose)


# -- setpoints -------------------------------------------------------------------------------------
def hold_of(plan: Plan) -> Hold:
    conduct = Conduct(plan)
    conduct.state = State.ACTIVE
    conduct.hold()
    return conduct.sent


def exposure_um(plan: Plan, hold: Hold) -> float:
    """What the crystals of one setpoint could remove at most in the first zone, at its settings."""
    if not hold.flow_g_per_min > 0.0:
        return 0.0
    seconds = hold.exposure_left_mg / 1000.0 / hold.flow_g_per_min * 60.0
    rate = plan.model.spread_rate_um_per_s(
        hold.flow_g_per_min, hold.suction_kpa, plan.stages[0].area_cm2, Motion.STILL
    )
    return rate.bound_um_per_s * seconds


def never_hold_above(tight: Plan, loose: Plan) -> None:
    if tight.stages[0].zone != loose.stages[0].zone:
        return
    narrow, wide = hold_of(tight), hold_of(loose)
    assert narrow.suction_kpa <= wide.suction_kpa
    assert narrow.flow_g_per_min <= wide.flow_g_per_min
    assert narrow.wish & ~wide.wish == 0
    # A ledger rounds down to whole milligrams, and the wire carries no more than 65.5 g.
    assert exposure_um(tight, narrow) <= tight.stages[0].cap_um + LITTLE


wishes = st.tuples(st.none() | st.floats(0.0, 30.0), st.none() | st.floats(0.0, 9.0))


@pytest.mark.hazard("H01", "H03")
@given(
    lowerings=st.lists(wishes, min_size=1, max_size=5),
    treated_s=st.floats(0.0, 3.0),
    measured_kpa=st.floats(0.0, 50.0),
)
@settings(max_examples=100)
def test_no_lowering_ever_raises_any_field_of_a_setpoint(
    lowerings: list[tuple[float | None, float | None]], treated_s: float, measured_kpa: float
) -> None:
    conduct, bed = Conduct(couch().conduct.plan), couch()
    conduct.state = State.ACTIVE
    shown = FLOWING | {"suction_kpa": measured_kpa}
    conduct.course.observe(bed.reading(Mode.ACTIVE, **shown))
    bed.pass_time(treated_s)
    conduct.course.observe(bed.reading(Mode.ACTIVE, **shown))
    conduct.hold()
    before = conduct.sent
    for suction_kpa, flow_g_per_min in lowerings:
        taken = conduct.course.lower(suction_kpa, flow_g_per_min).taken
        conduct.hold()
        now = conduct.sent
        assert now.suction_kpa <= before.suction_kpa
        assert now.flow_g_per_min <= before.flow_g_per_min
        assert now.exposure_left_mg <= before.exposure_left_mg
        assert now.wish == before.wish
        assert taken or now == before
        before = now


@given(cap_um=st.floats(0.0, 3.0), used_um=st.floats(0.0, 3.0))
def test_less_cap_or_more_use_leaves_less(cap_um: float, used_um: float) -> None:
    made = couch().conduct.plan
    first = made.stages[0]
    tight = replace(first, cap_um=cap_um, used=replace(first.used, bound_um=used_um))
    less = replace(made, stages=(tight, *made.stages[1:]))
    narrow, wide = Course(less), Course(made)
    if narrow.zone == wide.zone:
        assert narrow.left_mg() <= wide.left_mg()
