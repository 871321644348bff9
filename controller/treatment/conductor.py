"""Who conducts: the one way in which something may use a unit.

The control loop gives every conductor the same lease, the same STOP and the same record, so that
there is no second way to open the valve. A treatment is conducted by its `Supervisor`; a procedure
of the calibration will be by its own.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from controller.planning.plan import Plan
from controller.safety.reading import Identity, Reading
from controller.treatment.conduct import Actions
from controller.treatment.events import Event
from controller.treatment.states import State
from controller.treatment.supervisor import Supervisor


class Conducted(Protocol):
    """How far something has come that is conducted."""

    @property
    def state(self) -> State:
        """Where it stands; nothing is sent to the unit in one of `ENDED`."""
        ...

    @property
    def recorded(self) -> bool | None:
        """Whether the row of the end is durable; None until that is known."""
        ...

    @property
    def waits(self) -> bool:
        """True while flow is held, and after that until the hand switch was released."""
        ...

    @property
    def acknowledged(self) -> bool:
        """True when a local person has acknowledged the trip, and the row of it is durable."""
        ...

    @property
    def tripped_by(self) -> str:
        """The cause of the trip, in the words of the record; empty without one."""
        ...


class Conductor(Protocol):
    """Decides from the row of a beginning to the row of an end; pure, and does nothing itself."""

    @property
    def conduct(self) -> Conducted:
        """How far it has come; a `Conduct` is shown as a treatment."""
        ...

    def step(self, event: Event, now_s: float) -> Actions:
        """Take one event at ``now_s`` and return what is to be done, in order."""
        ...


class Assignment(NamedTuple):
    """What is to be conducted, and on which unit alone."""

    serial: int
    simulated: bool
    conductor: Callable[[Identity, Reading | None], Conductor]
    """Makes the conductor from who the unit says it is, and from its newest reading."""


def treatment_of(plan: Plan) -> Assignment:
    """Return the assignment to treat as planned."""

    def supervisor(identity: Identity, newest: Reading | None) -> Supervisor:
        made = Supervisor(plan, identity)
        made.conduct.newest = newest
        return made

    return Assignment(plan.unit_serial, plan.simulated, supervisor)
