"""What hangs loose between hazards, requirements and controls, in either direction.

From the register to the code: a name that is not there, a requirement that nobody wrote. And back:
a requirement or a control of the code that answers no hazard. One sentence for each.
"""

from collections.abc import Iterator
from typing import Final

from controller.planning import rules
from controller.safety.interlocks import Interlock
from firmware_protocol.vocabulary import Cause, Permit
from simulator.firmware.guards import GUARDS
from tools.register import Register, RegisterError, Standing, find

WITHOUT_HAZARD: Final = frozenset(
    {
        "Interlock.NO_ANSWER",  # a request that stays unanswered ends the treatment
        "Permit.NO_TRIP",  # every trip of the register
        "Rule.something_is_selected",  # an empty plan harms nobody
        "Cause.NONE",
    }
)
"""Controls that answer no hazard of their own, and why."""


def loose_ends(register: Register) -> tuple[str, ...]:
    """Return what is missing at either end, as sentences."""
    return (
        *_names_of_nothing(register),
        *_rows_without_control(register),
        *_requirements(register),
        *(
            f"{name} is a control of the code and stands in no row"
            for name in sorted(controls_of_the_code() - _named(register) - WITHOUT_HAZARD)
        ),
    )


def controls_of_the_code() -> frozenset[str]:
    """Return every interlock, guard, permissive, planning rule and cause, as rows name them."""
    return frozenset(
        (
            *(f"Interlock.{one.name}" for one in Interlock),
            *(f"Guard.{guard.stands.__name__}" for guard in GUARDS),
            *(f"Permit.{bit.name}" for bit in Permit),
            *(f"Rule.{rule.__name__}" for rule in rules.RULES),
            *(f"Cause.{cause.name}" for cause in Cause),
        )
    )


def _named(register: Register) -> frozenset[str]:
    return frozenset(
        name for row in register.hazard for name in (*row.device, *row.host, *row.planned)
    )


def _names_of_nothing(register: Register) -> Iterator[str]:
    for row in register.hazard:
        for name in (*row.device, *row.host, *row.planned):
            try:
                find(name)
            except RegisterError as error:
                yield f"{row.id} names a control that is not there: {error}"


def _rows_without_control(register: Register) -> Iterator[str]:
    for row in register.hazard:
        if row.standing in (Standing.BUILT, Standing.PARTLY) and not (row.device or row.host):
            yield f"{row.id} ({row.title}) is {row.standing.value} and names no control"


def _requirements(register: Register) -> Iterator[str]:
    written = {one.id for one in register.requirement}
    for row in register.hazard:
        for name in sorted(set(row.requirements) - written):
            yield f"{row.id} names requirement {name}, which nobody wrote"
    asked = {name for row in register.hazard for name in row.requirements}
    for name in sorted(written - asked):
        yield f"requirement {name} stands in no row"
