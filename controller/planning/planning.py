"""Planning: a program becomes a plan that provably stays inside every limit, or is refused."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from controller.planning.case import Case, Wanted
from controller.planning.chains import model_for
from controller.planning.client import Client
from controller.planning.edits import fits_in_time_g_per_min, plain_refusal_of, refusal_of
from controller.planning.plan import Lower, Plan, PlannedStage
from controller.planning.program import Program, Role
from controller.planning.readings import reading_notes
from controller.planning.rules import RULES, days_since, selected
from controller.planning.spans import ago
from controller.planning.stage import LeftOut, Shortfall, note_of, plan_stage
from controller.planning.steps import Steps, finished
from controller.planning.unit import Unit
from controller.safety.exposure import ZoneUse
from controller.safety.refusal import Refusal
from controller.safety.removal import Moisture
from controller.safety.skin import PastDose, Skin

SETTINGS: Final = 2  # the receipts of suction and flow come first; a cut one is worth a note


def make_plan(  # noqa: PLR0913  each is a thing that nobody may forget to think about
    program: Program,
    client: Client,
    unit: Unit,
    skin: Skin,
    history: Sequence[PastDose],
    now_wall_s: float,
    *,
    lower: Lower | None = None,
    zones: Sequence[str] | None = None,
    reason: str | None = None,
    resumed: Mapping[str, ZoneUse] | None = None,
) -> Plan | Refusal:
    """Return the plan, or the first reason why there is none, with the smallest change that fits.

    ``history`` are the earlier treatments of this client in records of the same kind (simulated or
    not), without the one that is ``resumed``; a practice client has none. ``now_wall_s`` is wall
    time: intervals span restarts.
    """
    wanted = wanted_of(lower, zones, reason, resumed)
    case = case_of(Given(program, client, unit, skin), history, now_wall_s, wanted)
    return finished(plan_steps(case, advise=True))


class Given(NamedTuple):
    """What the configuration says about one wish."""

    program: Program
    client: Client
    unit: Unit
    skin: Skin


def wanted_of(
    lower: Lower | None,
    zones: Sequence[str] | None,
    reason: str | None,
    resumed: Mapping[str, ZoneUse] | None,
) -> Wanted:
    """Return what a person asks for, with nothing said as nothing wanted."""
    return Wanted(
        lower or Lower(),
        None if zones is None else tuple(zones),
        (reason or "").strip(),
        tuple((resumed or {}).items()),
    )


def case_of(given: Given, history: Sequence[PastDose], now_wall_s: float, wanted: Wanted) -> Case:
    """Gather what planning looks at; the practice client has no history."""
    past = () if given.client.practice else tuple(history)
    return Case(given.program, given.client, given.unit, given.skin, past, now_wall_s, wanted)


def plan_steps(case: Case, *, advise: bool) -> Steps[Plan | Refusal]:
    """Plan one zone a step; with ``advise`` search for the smallest change wherever one would help.

    The search plans many times over. Only the process that asks does it, never the one that treats.
    """
    refusal = next((found for rule in RULES if (found := rule(case))), None)
    if refusal is not None:
        return refusal
    stages: list[PlannedStage] = []
    notes = list(_program_notes(case))
    left_out: list[str] = []
    for stage, site in selected(case):
        yield
        planned = plan_stage(case, stage, site)
        if isinstance(planned, Shortfall):
            return (refusal_of if advise else plain_refusal_of)(case, site, planned)
        if isinstance(planned, Refusal):
            return planned
        if isinstance(planned, LeftOut):
            left_out.append(planned.note)
            continue
        stages.append(planned)
        early = advise and planned.ends_by == "exposure"
        fits_g_per_min = fits_in_time_g_per_min(case, stage, site) if early else None
        notes.extend(_stage_notes(case, planned, fits_g_per_min))
    return _plan(case, stages, notes, left_out)


def _plan(
    case: Case, stages: Sequence[PlannedStage], notes: Sequence[str], left_out: Sequence[str]
) -> Plan | Refusal:
    if not stages:
        return Refusal(
            "nothing_left",
            f"Nothing is left of this treatment. {' '.join(left_out)}",
            "Plan a new treatment when the interval has passed.",
        )
    return Plan(
        program=case.program,
        client_ref=case.client.ref,
        unit_serial=case.unit.serial,
        simulated=case.unit.simulated,
        tip=case.unit.tip.number,
        stages=tuple(stages),
        notes=(*notes, *left_out),
        model=model_for(case),
        motion_sensor=case.unit.motion_sensor,
    )


def _program_notes(case: Case) -> Sequence[str]:
    notes = []
    if case.program.role is Role.TRAINED:
        notes.append(f"{case.program.display_name} is for practitioners trained in it.")
    notes.extend(_unknown_notes(case))
    if case.wanted.reason:
        notes.append(f"Reason given: {case.wanted.reason}.")
    left_out = [
        case.display(stage.zone)
        for stage in case.program.stages
        if stage.zone in case.client.exclusions
    ]
    if left_out:
        notes.append(f"Left out for this client: {', '.join(left_out)}.")
    notes.extend(dict.fromkeys(dose.doubt for dose in case.history if dose.doubt))
    return notes


def _unknown_notes(case: Case) -> Sequence[str]:
    """What counts at its worst because nobody has said it, or the handpiece cannot see it."""
    notes = []
    if case.client.skin is Moisture.UNKNOWN:
        notes.append(
            f"Nobody has said whether the skin of client {case.client.ref} is dry, so that it "
            "counts as moist; write skin in the client file."
        )
    notes.extend(reading_notes(case))
    if case.unit.crystal_um is None:
        notes.append(
            f"The size of the crystals is not known and counts as "
            f"{case.skin.model.crystal_max_um:.0f} µm; write crystal_um in the handpiece file."
        )
    if not case.unit.motion_sensor:
        notes.append(
            "The handpiece has no motion sensor: uneven strokes count "
            f"{case.skin.model.coverage_factor_blind:g} times, and a tip that stands still is "
            "noticed only when it is not lifted."
        )
    return notes


def _stage_notes(case: Case, planned: PlannedStage, fits_g_per_min: float | None) -> Sequence[str]:
    notes = [
        f"{planned.display}: {receipt.sentence()}"
        for receipt in planned.receipts[:SETTINGS]
        if receipt.limited
    ]
    since_days = days_since(case, planned.zone)
    if since_days is not None and not (case.program.interval_days <= since_days):
        notes.append(
            f"{planned.display} was treated {ago(since_days)}; "
            f"this program advises {case.program.interval_days:g} days."
        )
    exposure = note_of(planned, fits_g_per_min)
    return [*notes, exposure] if exposure is not None else notes
