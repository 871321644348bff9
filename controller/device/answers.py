"""How a unit answered, how a stop ended, and what can be wrong between host and unit."""

from enum import Enum, unique
from typing import Any, NamedTuple

from controller.safety.refusal import Refusal, RefusedError
from firmware_protocol.vocabulary import Mode, StopKind
from firmware_protocol.vocabulary import Refusal as UnitRefusal


@unique
class Told(Enum):
    """The three outcomes of a one-shot."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """No answer came; ``Answer.executed`` says what the unit's last executed sequence showed."""


class Answer(NamedTuple):
    """What came of a one-shot."""

    outcome: Told
    refusal: UnitRefusal = UnitRefusal.NONE
    detail: int = 0
    """Of SELFTEST the arm token, of CONFIG its check value."""
    executed: bool | None = None
    """After UNKNOWN: whether the unit executed it, or None where it could not be found out."""

    @property
    def done(self) -> bool:
        """True when the unit did it and said so."""
        return self.outcome is Told.DONE


class Witnessed(NamedTuple):
    """What the unit keeps of a journal."""

    row: int
    """The newest row that it was told of; 0 where it does not know the journal."""
    hash: str
    """The first 24 hexadecimal digits of the hash of that row; empty without one."""
    decided: int
    """How often a technician's decision has put it back."""
    journals: int
    """How many journals it keeps a row of."""


class StopReport(NamedTuple):
    """How a stop ended, as the host measured it."""

    kind: StopKind
    confirmed: bool
    """The unit showed a safe mode and a shut valve."""
    took_s: float
    """From the first STOP byte to that proof, or to the bound where there was none."""
    mode: Mode | None
    frames: int
    """STOP frames that were written."""

    def as_dict(self) -> dict[str, Any]:
        """Return what its row says."""
        took_ms = round(self.took_s * 1000, 1)
        return {
            "kind": self.kind.name,
            "confirmed": self.confirmed,
            "took_ms": took_ms,
            "frames": self.frames,
        }


@unique
class LinkState(Enum):
    """How far the host has got with the unit. Any doubt falls back to DISCONNECTED."""

    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    """The port is open; nobody has said who is on the other end."""
    IDENTIFIED = "identified"
    """The unit is the right one and speaks this version; a session is open."""


class LinkNews(NamedTuple):
    """A change of the link, told to whoever listens."""

    state: LinkState
    why: str


@unique
class PortTrouble(Enum):
    """Why a port could not be opened."""

    NOT_FOUND = "not found"
    HELD = "held"
    DENIED = "denied"
    NOT_A_PORT = "not a port"
    TIMED_OUT = "timed out"
    UNREACHED = "could not be reached"


class DeviceError(RefusedError):
    """Root of what can be wrong between host and unit: one sentence, and what to do next."""

    def __init__(self, sentence: str, next_step: str, code: str = "device") -> None:
        super().__init__(Refusal(code, sentence, next_step))


class PortError(DeviceError):
    """The port could not be opened."""

    def __init__(self, kind: PortTrouble, sentence: str, next_step: str) -> None:
        super().__init__(sentence, next_step, f"port_{kind.name.lower()}")
        self.kind = kind


class StreamLostError(DeviceError):
    """The open port is gone or takes no more bytes."""


class SilentError(DeviceError):
    """Nobody answered HELLO."""


class EchoError(DeviceError):
    """A unit answers, and our own frames come back beside its answer."""


class VersionMismatchError(DeviceError):
    """The unit speaks another version of the protocol."""


class WrongUnitError(DeviceError):
    """Another unit than the bound one answered."""


class UnitBusyError(DeviceError):
    """Another host has the unit armed."""
