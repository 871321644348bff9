"""Who may ask the kernel for what: one table, deny by default.

The rule behind it: stopping is always easier than starting. A remote party may stop, pause, lower
and look; starting, resuming and acknowledging need a local person at the unit.
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import Final


@unique
class Do(Enum):
    """Everything the kernel can be asked for."""

    TREAT = "treat"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    LOWER = "lower"
    ACK = "ack"
    SILENCE = "silence"
    RESET = "reset"
    DISMISS = "dismiss"
    STERILISED = "sterilised"
    UNLOCK = "unlock"
    ACCEPT = "accept"
    STATUS = "status"
    WATCH = "watch"
    SEEN = "seen"
    """Confirms a line of the watch: this screen has shown it. Has no answer."""
    SHUTDOWN = "shutdown"


@unique
class Role(Enum):
    """Who somebody is; the gateway and the command line vouch for it."""

    VIEWER = "viewer"
    PRACTITIONER = "practitioner"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"
    QA = "qa"


@unique
class Origin(Enum):
    """Where somebody is."""

    LOCAL = "local"
    """In the room, at this machine or at the page of this unit."""
    REMOTE = "remote"


_ANYBODY: Final = frozenset(Role)
_STAFF: Final = frozenset(Role) - {Role.VIEWER}
_SERVICE: Final = frozenset({Role.TECHNICIAN})
_NOBODY: Final[frozenset[Role]] = frozenset()

ALLOWED: Final[Mapping[Do, Mapping[Origin, frozenset[Role]]]] = MappingProxyType(
    {
        Do.STOP: {Origin.LOCAL: _ANYBODY, Origin.REMOTE: _ANYBODY},
        Do.STATUS: {Origin.LOCAL: _ANYBODY, Origin.REMOTE: _ANYBODY},
        Do.WATCH: {Origin.LOCAL: _ANYBODY, Origin.REMOTE: _ANYBODY},
        Do.SEEN: {Origin.LOCAL: _ANYBODY, Origin.REMOTE: _ANYBODY},
        Do.PAUSE: {Origin.LOCAL: _STAFF, Origin.REMOTE: _STAFF},
        Do.LOWER: {Origin.LOCAL: _STAFF, Origin.REMOTE: _STAFF},
        Do.TREAT: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.RESUME: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.ACK: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.SILENCE: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.RESET: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.DISMISS: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.STERILISED: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
        Do.UNLOCK: {Origin.LOCAL: _SERVICE, Origin.REMOTE: _NOBODY},
        Do.ACCEPT: {Origin.LOCAL: _SERVICE, Origin.REMOTE: _NOBODY},
        Do.SHUTDOWN: {Origin.LOCAL: _STAFF, Origin.REMOTE: _NOBODY},
    }
)


def may(do: Do, role: Role, origin: Origin) -> bool:
    """Return True only where the table says so."""
    return role in ALLOWED.get(do, {}).get(origin, _NOBODY)


def refusal_sentence(do: Do, role: Role, origin: Origin) -> str:
    """Say why ``do`` is refused, in one sentence."""
    if role in ALLOWED.get(do, {}).get(Origin.LOCAL, _NOBODY) and origin is Origin.REMOTE:
        return (
            f"'{do.value}' needs a person at the unit: from elsewhere one may stop, pause, lower "
            "and look, never start or raise."
        )
    return f"The role {role.value} may not ask for '{do.value}'."
