"""The states of one treatment, as the host believes it, in one table.

The device has a table of its own and is not told this one; where the two disagree, an interlock
says so. A signal without a row is a bug of the caller: it raises and changes nothing. Every state
has a row for STOP and a row for TRIP, and only CLEAR leaves TRIPPED.
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import Final


class IllegalSignalError(Exception):
    """A signal came in a state that has no row for it: our own mistake."""


@unique
class State(Enum):
    """Where a treatment stands."""

    PREPARING = "preparing"
    """Configuring and self-testing the unit, then proving the setpoint stream; outputs off."""
    ARMING = "arming"
    """ARM is on its way; the device has not confirmed it yet."""
    ARMED = "armed"
    """The device waits for the hand switch."""
    ACTIVE = "active"
    """The hand switch is pressed; crystals may flow while every permissive holds."""
    PAUSED = "paused"
    """The hand switch is released, or the host holds the flow; the valve is shut."""
    STOPPING = "stopping"
    """Orderly end: the valve is shut, the device purges and vents."""
    TRIPPED = "tripped"
    """A safety trip is latched until a local person acknowledges and resets it."""
    CLEARED = "cleared"
    """The trip was acknowledged and reset; the treatment is over, the device is disarmed."""
    COMPLETED = "completed"
    """Every zone had its time or its exposure."""
    STOPPED = "stopped"
    """Ended in order before every zone was done."""
    REFUSED = "refused"
    """Never armed: the unit or the record said no."""


@unique
class Signal(Enum):
    """What moves a treatment from one state to another."""

    OFFER = "arm is sent"
    WITHDRAW = "the device is not armed any more, or not yet"
    ARM = "the device is armed"
    PRESS = "the device says: switch pressed, flow permitted"
    RELEASE = "the device says: valve held shut"
    STOP = "a person stops, or the treatment has come to its end"
    TRIP = "a trip of the device or of a host interlock"
    REFUSE = "the unit or the record refuses"
    COMPLETE = "disarmed after the last zone"
    HALT = "disarmed before the last zone was done"
    CLEAR = "acknowledged and reset"


def _row(**moves: State) -> Mapping[Signal, State]:
    return MappingProxyType({Signal[name]: state for name, state in moves.items()})


def _ended(state: State) -> Mapping[Signal, State]:
    return _row(STOP=state, TRIP=state)


TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = MappingProxyType(
    {
        State.PREPARING: _row(
            OFFER=State.ARMING, REFUSE=State.REFUSED, STOP=State.STOPPING, TRIP=State.TRIPPED
        ),
        State.ARMING: _row(
            ARM=State.ARMED,
            PRESS=State.ACTIVE,
            RELEASE=State.PAUSED,
            WITHDRAW=State.PREPARING,
            REFUSE=State.REFUSED,
            STOP=State.STOPPING,
            TRIP=State.TRIPPED,
        ),
        State.ARMED: _row(
            PRESS=State.ACTIVE,
            RELEASE=State.PAUSED,
            WITHDRAW=State.PREPARING,
            STOP=State.STOPPING,
            TRIP=State.TRIPPED,
        ),
        State.ACTIVE: _row(RELEASE=State.PAUSED, STOP=State.STOPPING, TRIP=State.TRIPPED),
        State.PAUSED: _row(PRESS=State.ACTIVE, STOP=State.STOPPING, TRIP=State.TRIPPED),
        State.STOPPING: _row(
            COMPLETE=State.COMPLETED, HALT=State.STOPPED, STOP=State.STOPPING, TRIP=State.TRIPPED
        ),
        State.TRIPPED: _row(CLEAR=State.CLEARED, STOP=State.TRIPPED, TRIP=State.TRIPPED),
        State.CLEARED: _ended(State.CLEARED),
        State.COMPLETED: _ended(State.COMPLETED),
        State.STOPPED: _ended(State.STOPPED),
        State.REFUSED: _ended(State.REFUSED),
    }
)

ENDED: Final = frozenset({State.CLEARED, State.COMPLETED, State.STOPPED, State.REFUSED})
"""States that nothing leaves."""

LIVE: Final = frozenset({State.ARMING, State.ARMED, State.ACTIVE, State.PAUSED})
"""States in which the device is armed, or may be."""


def after(state: State, signal: Signal) -> State:
    """Return the state that ``signal`` leads to.

    Raises:
        IllegalSignalError: the table has no row for it.
    """
    try:
        return TRANSITIONS[state][signal]
    except KeyError:
        raise IllegalSignalError(f"{signal.name} has no meaning in {state.name}") from None


def mermaid() -> str:
    """Return the table as a Mermaid state diagram, for the documents."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PREPARING.name}"]
    for state, row in TRANSITIONS.items():
        lines += [
            f"    {state.name} --> {target.name}: {signal.name}"
            for signal, target in row.items()
            if target is not state
        ]
    lines += [f"    {state.name} --> [*]" for state in State if state in ENDED]
    return "\n".join(lines) + "\n"
