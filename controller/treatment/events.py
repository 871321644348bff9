"""What goes into the supervisor and what comes out of it: plain values, no behaviour.

Actions are performed in the order in which they are given, and none waits for another one. Each
``Commit`` and each one-shot carries a number and ends in one ``Finished`` with that number; an
action that needs a durable row is given when the row has ended as done. Two actions that ask the
same are equal whatever their numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique

from controller.safety.alarms import Alarm
from controller.safety.interlocks import Interlock
from controller.safety.reading import Reading
from controller.safety.refusal import Refusal
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, StopKind, Wish
from firmware_protocol.vocabulary import Refusal as UnitRefusal

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Body = Mapping[str, Json]
"""What a row of the journal says beside its kind."""


@unique
class Step(Enum):
    """What an asked action is for: a row that permits something, or a one-shot."""

    BEGIN = "row of the beginning"
    CONFIGURE = "configure"
    SELF_TEST = "self-test"
    ARM_ROW = "row of the arming"
    ARM = "arm"
    RESUME = "row of the resume"
    ACK = "row of the acknowledgement"
    RESET_ROW = "row of the reset"
    RESET = "reset"
    ENDED = "row of the end"


@unique
class End(Enum):
    """How an asked action ended."""

    DONE = "done"
    """The row is durable, or the device did it and said so."""
    FAILED = "failed"
    """The row is lost, or the device refused."""
    UNKNOWN = "unknown"
    """The device did not answer."""
    VOIDED = "voided"
    """It never went out: a stop came first, or the unit answers nothing that was asked before."""


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
class Finished:
    """The asked action of this number has come to its end; told once of each."""

    number: int
    end: End
    refusal: UnitRefusal = UnitRefusal.NONE
    """Why the device refused."""
    detail: int = 0
    """What the device said beside: of the self-test the token that arms."""
    lost: str = ""
    """Why a row is not durable, as a sentence; empty for everything else."""


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
    """The link is gone or too noisy, another unit or boot answers, or this computer slept."""

    why: Interlock
    detail: str = ""
    """A sentence that the alarm says too."""


@dataclass(frozen=True, slots=True)
class RecordLost:
    """The journal cannot be written any more."""

    detail: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Time has passed: the control loop's beat."""


Event = Begin | Observed | Finished | Person | LinkLost | RecordLost | Wake


# -- actions ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Commit:
    """Write a row at once; its end says whether it is durable."""

    kind: Kind
    body: Body = field(default_factory=dict)
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Write a row with the next group."""

    kind: Kind
    body: Body = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configure:
    """Tell the device what this treatment may use."""

    suction_max_kpa: float
    flow_max_g_per_min: float
    suction_min_kpa: float
    tip: int
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RunSelfTest:
    """Let the device prove itself, outputs off."""

    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SendArm:
    """Arm the device with the token of its self-test."""

    token: int
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """The setpoint to send now, which is the lease."""

    suction_kpa: float
    flow_g_per_min: float
    wish: Wish
    exposure_left_mg: int


@dataclass(frozen=True, slots=True)
class StopNow:
    """Write STOP ahead of everything; one-shots that were asked and are not out end as voided."""

    kind: StopKind


@dataclass(frozen=True, slots=True)
class SendReset:
    """Let the device leave SAFE for DISARMED."""

    cause: Cause
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Raise:
    """An alarm condition has come."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Settle:
    """An alarm condition has gone."""

    code: str


@dataclass(frozen=True, slots=True)
class Closed:
    """What a person asked for has come to its end; ``act`` is the number of its first action."""

    act: int
    end: End
    because: Refusal | None = None
    """Why it was not done, where there is more to say than the end itself."""


Action = (
    Commit | Note | Configure | RunSelfTest | SendArm | Hold | StopNow | SendReset
    | Raise | Settle | Refusal | Closed
)  # fmt: skip
