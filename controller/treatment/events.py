"""What goes into the supervisor and what comes out of it: plain values, no behaviour.

Actions are performed in the order in which they are given. ``Commit`` must be durable before the
actions after it are performed, except that ``StopNow``, ``Hold`` and ``Raise`` never wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique

from controller.safety.alarms import Alarm
from controller.safety.interlocks import Interlock
from controller.safety.limits import Receipt
from controller.safety.reading import Reading
from firmware_protocol.vocabulary import Cause, Refusal, StopKind, Wish

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Body = Mapping[str, Json]
"""What a row of the journal says beside its kind."""


@unique
class Step(Enum):
    """A one-shot that the supervisor asks of the device."""

    CONFIGURE = "configure"
    SELF_TEST = "self-test"
    ARM = "arm"
    RESET = "reset"


@unique
class Command(Enum):
    """What a person may ask of a treatment that is under way."""

    STOP = "stop"
    EMERGENCY = "emergency"
    PAUSE = "pause"
    RESUME = "resume"
    LOWER = "lower"
    ACK = "ack"
    RESET = "reset"


@unique
class Outcome(Enum):
    """How a treatment ended, in the words of records and commands."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    TRIPPED = "tripped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Who:
    """A person, or a program that acts for one, and from where."""

    name: str
    role: str
    origin: str = "local"

    @property
    def is_local(self) -> bool:
        """True for somebody at the unit; anything else counts as remote."""
        return self.origin == "local"


# -- events ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Begin:
    """A local person starts the planned treatment."""

    who: Who


@dataclass(frozen=True, slots=True)
class Observed:
    """The device said how it is."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Answered:
    """A one-shot has come to its outcome; ``known`` is False where no answer came."""

    step: Step
    ok: bool
    refusal: Refusal = Refusal.NONE
    detail: int = 0
    known: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody asks for something."""

    command: Command
    who: Who
    suction_kpa: float | None = None
    flow_g_per_min: float | None = None
    why: str = ""
    """Why the kernel asks by itself; empty for a person."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link is gone, its error limiter tripped, or another unit or boot answers on it."""

    why: Interlock
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RecordLost:
    """The journal cannot be written any more."""

    detail: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Time has passed: the control loop's beat."""


Event = Begin | Observed | Answered | Person | LinkLost | RecordLost | Wake


# -- actions ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Commit:
    """Write a row that must be durable before what follows."""

    kind: str
    body: Body = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """Write a row with the next group."""

    kind: str
    body: Body = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configure:
    """Tell the device what this treatment may use."""

    suction_max_kpa: float
    flow_max_g_per_min: float
    suction_min_kpa: float
    tip: int


@dataclass(frozen=True, slots=True)
class RunSelfTest:
    """Let the device prove itself, outputs off."""


@dataclass(frozen=True, slots=True)
class SendArm:
    """Arm the device with the token of its self-test."""

    token: int


@dataclass(frozen=True, slots=True)
class Hold:
    """The setpoint to send now, which is the lease."""

    suction_kpa: float
    flow_g_per_min: float
    wish: Wish
    exposure_left_mg: int


@dataclass(frozen=True, slots=True)
class StopNow:
    """Write STOP ahead of everything, and void whatever was asked before."""

    kind: StopKind


@dataclass(frozen=True, slots=True)
class SendReset:
    """Let the device leave SAFE for DISARMED."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm condition has come."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Settle:
    """An alarm condition has gone."""

    code: str


@dataclass(frozen=True, slots=True)
class Declined:
    """A person's wish cannot be met; nothing has changed."""

    code: str
    sentence: str
    next_step: str
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The treatment is over and the record of it is closed."""

    outcome: Outcome


Action = (
    Commit | Note | Configure | RunSelfTest | SendArm | Hold | StopNow | SendReset
    | Raise | Settle | Declined | Ended
)  # fmt: skip
