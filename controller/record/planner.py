"""From a wish to a proved plan and its fingerprint: one way for whoever asks and for the kernel.

The asker plans in its own process, from the files and the record that the kernel says it reads,
and shows the plan to a person. At TREAT the kernel plans once more, in short steps. Both end in the
same fingerprint, or the treatment does not start. RefusedError says why there is no plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.api.requests import TreatArgs
from controller.config.errors import ConfigError
from controller.config.people import load_client, load_unit
from controller.config.programs import load_program
from controller.config.skin import skin_steps
from controller.planning.fingerprint import Fingerprint, fingerprint
from controller.planning.plan import Lower, Plan
from controller.planning.planning import Given, case_of, plan_steps, wanted_of
from controller.planning.steps import Steps, finished
from controller.planning.tips import TipPast, tip_refusal
from controller.record.past import Asked, Past, Resumed, past_of
from controller.record.plan_json import plan_as_dict
from controller.record.store import Store
from controller.record.tips import FittedTip
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError, refusing
from controller.safety.timeline import Moment
from controller.treatment.events import Json


class Purpose(Enum):
    """What a plan is made for."""

    LOOK = "look"
    """To be read, at a desk, where the tip of the treatment need not be fitted yet: what speaks
    against the one that is becomes a note."""
    START = "start"
    """To be started by a person who asks the kernel next."""
    CHECK = "check"
    """To be compared by the kernel, which searches for no change that would fit."""


class Handset(NamedTuple):
    """What planning needs to know of the unit, as it identified itself."""

    serial: int
    simulated: bool
    motion_sensor: bool

    @staticmethod
    def of(identity: Identity) -> "Handset":
        """Return it for a unit that has identified itself."""
        return Handset(identity.serial, identity.simulated, identity.motion_sensor)


ANY_SIMULATED: Final = Handset(0, simulated=True, motion_sensor=True)
"""Stands for every simulated handpiece; a real unit has to be asked who it is."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A plan that holds, with its fingerprint and what has to be booked about it."""

    plan: Plan
    mark: Fingerprint
    at: Moment
    practice: bool
    resumes: int | None
    tip: FittedTip | None
    """The tip that it will be begun with; None where tips are not told apart."""

    def as_dict(self) -> dict[str, Json]:
        """Return the plan as rows, answers and ``--json`` show it."""
        at = datetime.fromtimestamp(self.mark.planned_at_wall_s, UTC)
        return {
            **plan_as_dict(self.plan),
            "sha256": self.mark.sha256,
            "planned_at_s": self.mark.planned_at_wall_s,
            "planned_up_s": self.at.up_s,
            "planned_at": at.isoformat(timespec="seconds"),
            "parts": dict(self.mark.parts),
        }


def planned(
    store: Store, configs: Path, asked: Asked, handset: Handset, purpose: Purpose
) -> Proved:
    """Plan at once, in a process that has nothing else to do."""
    given = finished(reading(configs, asked.wish, handset))
    past = past_of(store, asked, given)
    return finished(proving(given, past, asked, purpose))


def request_of(wish: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of TREAT for a plan that was seen."""
    seen = {
        "plan_sha256": plan["sha256"],
        "planned_at_s": plan["planned_at_s"],
        "planned_up_s": plan["planned_up_s"],
        "plan_parts": plan["parts"],
    }
    return {**wish, **seen}


def reading(configs: Path, wish: TreatArgs, handset: Handset) -> Steps[Given]:
    """Read the files of a wish, one a step."""
    try:
        skin = yield from skin_steps(configs)
        yield
        program = load_program(configs, wish.program, skin)
        yield
        client = load_client(configs, wish.client, skin)
        yield
        unit = load_unit(configs, handset.serial, simulated=handset.simulated)
    except ConfigError as error:
        raise refusing("config", error.sentence, "Then ask again; nothing has moved.") from error
    return Given(program, client, replace(unit, motion_sensor=handset.motion_sensor), skin)


def proving(given: Given, past: Past, asked: Asked, purpose: Purpose) -> Steps[Proved]:
    """Plan and prove, one zone a step, then take the fingerprint, one part a step."""
    wish, resumed = asked.wish, past.resumed
    if wish.resume and resumed is None:
        raise _nothing_to_resume(wish)
    lower = wish.lower
    wanted = wanted_of(
        None if lower is None else Lower(lower.suction_kpa, lower.flow_g_per_min),
        _zones(wish, resumed),
        wish.reason,
        None if resumed is None else resumed.uses,
    )
    case = case_of(given, past.doses, asked.at.wall_s, wanted)
    plan = yield from plan_steps(case, advise=purpose is not Purpose.CHECK)
    if isinstance(plan, Refusal):
        raise _refused(plan, wish, past)
    plan = _with_tip(plan, given, past, asked.at.wall_s, purpose)
    yield
    mark = yield from fingerprint(case, plan, past.tip)
    resumes = None if resumed is None else resumed.beginning.treatment
    return Proved(plan, mark, asked.at, given.client.practice, resumes, _fitted(given, past.tip))


def _with_tip(plan: Plan, given: Given, past: Past, at_wall_s: float, purpose: Purpose) -> Plan:
    spent = tip_refusal(given.unit, given.client, past.tip, at_wall_s)
    if spent is None:
        return plan
    if purpose is not Purpose.LOOK:
        raise RefusedError(spent)
    note = f"Before treating: {spent.sentence} {spent.next_step}"
    return replace(plan, notes=(*plan.notes, note))


OF_THE_PAST: Final = frozenset({"interval", "reason_needed", "exposure", "suction", "proof"})
"""Codes of refusals in which what a client has had may stand in the way."""


def _refused(refused: Refusal, wish: TreatArgs, past: Past) -> RefusedError:
    """What was begun today may stand in the way of a new one: then say how to go on with it."""
    step = refused.next_step
    if past.resumable is not None and not wish.resume and refused.code in OF_THE_PAST:
        step = f"{step} To go on with the one that was begun, resume it (--resume)."
    return RefusedError(refused._replace(next_step=step))


def _nothing_to_resume(wish: TreatArgs) -> RefusedError:
    return refusing(
        "nothing_unfinished",
        f"Client {wish.client} has no treatment {wish.program} to go on with: within 12 "
        "hours one that was stopped, tripped or interrupted can be resumed.",
        "Start a new one without resume.",
    )


def _fitted(given: Given, past: TipPast | None) -> FittedTip | None:
    reuse = given.unit.tip.reuse
    return None if past is None or reuse is None else FittedTip(past.label, reuse)


def _zones(wish: TreatArgs, resumed: Resumed | None) -> list[str] | None:
    """A resumed treatment keeps to its own zones unless fewer are named."""
    if wish.zones is None and resumed is not None:
        return list(resumed.beginning.zones)
    return wish.zones
