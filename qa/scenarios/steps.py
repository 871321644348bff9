"""What is done in a scenario: one small table for each step, told apart by ``do``."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from controller.config.models import Words, Zone
from qa.scenarios.moments import NOT_ONE, Moment, ScenarioModel, Seconds
from qa.scenarios.words import FaultName, OriginName, RoleName, RowName, StageName

Share = Annotated[float, Field(ge=0.0, le=1.0)]
DelayS = Annotated[float, Field(ge=0.0, le=60.0)]
Setting = Annotated[float, Field(ge=0.0, le=1000.0)]
"""Of suction or flow; anything that a person could type, the service decides what it means."""

TIMES: Final = ("at_s", "after_s", "when")


class _Step(ScenarioModel):
    """When a step is done: right after the one before it, unless one of these is given."""

    at_s: Annotated[Seconds | None, Field(description="at this time since power-on")] = None
    after_s: Annotated[Seconds | None, Field(description="so long after the step before")] = None
    when: Annotated[
        Moment | None,
        Field(description="when this is so; with a number, the time of this number from now on"),
    ] = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        given = [name for name in TIMES if getattr(self, name) is not None]
        if len(given) > 1:
            raise PydanticCustomError(
                NOT_ONE, "may have one time", {"fields": list(TIMES), "given": given}
            )
        return self


class _Asked(_Step):
    """A request to the kernel, from a practitioner at the unit unless somebody else is named."""

    role: Annotated[RoleName, Field(description="who asks")] = "practitioner"
    origin: Annotated[OriginName, Field(description="from where")] = "local"


class Treat(_Asked):
    """Ask for a treatment."""

    do: Literal["treat"]
    program: Annotated[str | None, Field(description="instead of the scenario's")] = None
    client: Annotated[str | None, Field(description="instead of the scenario's")] = None
    zones: Annotated[
        list[Zone] | None, Field(min_length=1, max_length=32, description="instead of those above")
    ] = None
    suction_kpa: Annotated[Setting | None, Field(description="lower than the program's")] = None
    flow_g_per_min: Annotated[Setting | None, Field(description="lower than the program's")] = None
    reason: Annotated[Words | None, Field(description="why, where the kernel wants to know")] = None
    resume: Annotated[bool, Field(description="go on with what was begun today")] = False


class Ask(_Asked):
    """Ask for what needs no more words. ``shutdown`` ends a treatment in order."""

    do: Literal["pause", "resume", "ack", "reset", "silence", "shutdown"]


class Stop(_Asked):
    """Stop, as anybody may."""

    do: Literal["stop"]
    emergency: Annotated[bool, Field(description="vent at once")] = False


class LowerTo(_Asked):
    """Lower the settings while it runs."""

    do: Literal["lower"]
    suction_kpa: Annotated[Setting | None, Field(description="the new suction")] = None
    flow_g_per_min: Annotated[Setting | None, Field(description="the new flow")] = None


class Dismiss(_Asked):
    """Say that an unfinished treatment will not be continued."""

    do: Literal["dismiss"]
    treatment: Annotated[int, Field(ge=1, le=9999, description="number of the treatment")]
    reason: Annotated[Words, Field(description="why")]


class HandMove(_Step):
    """Take the handpiece out of the hand and move it; ``auto`` gives it back."""

    do: Literal["press", "release", "place", "lift", "hold-still", "auto"]


class Plant(_Step):
    """Make a fault active."""

    do: Literal["fault"]
    name: Annotated[FaultName, Field(description="name of the fault")]
    lasts_s: Annotated[Seconds | None, Field(description="end it after this time")] = None


class Clear(_Step):
    """End a fault."""

    do: Literal["clear"]
    name: Annotated[FaultName, Field(description="name of the fault")]


class Process(_Step):
    """Kill the kernel, let a frozen one go on, end it in order, or start one on the same record."""

    do: Literal["kill-kernel", "thaw-kernel", "end-kernel", "start-kernel"]


class Freeze(_Step):
    """Let the kernel stand still while the device goes on."""

    do: Literal["freeze-kernel"]
    lasts_s: Annotated[Seconds | None, Field(description="let it go on after this time")] = None


class LineMove(_Step):
    """Pull the line (the host sees it), silence it (nobody sees it), or make it whole again."""

    do: Literal["cut-line", "silence-line", "restore-line"]


class Noise(_Step):
    """Let the line misbehave in both directions; shares are 0 to 1."""

    do: Literal["noise-line"]
    loss: Annotated[Share, Field(description="share of chunks that are lost")] = 0.0
    delay_s: Annotated[DelayS, Field(description="every chunk comes later")] = 0.0
    jitter_s: Annotated[DelayS, Field(description="up to so much later still")] = 0.0
    flip_rate: Annotated[Share, Field(description="share of bytes with a flipped bit")] = 0.0
    duplicate: Annotated[Share, Field(description="share of chunks that come twice")] = 0.0
    reorder: Annotated[Share, Field(description="share of chunks that are overtaken")] = 0.0


class Garbage(_Step):
    """Put random bytes on the line to the device."""

    do: Literal["send-garbage"]
    count: Annotated[int, Field(ge=1, le=4096, description="number of bytes")]


class Clock(_Step):
    """Set the wall clock while no time passes; back with a minus."""

    do: Literal["step-clock"]
    step_days: Annotated[float, Field(ge=-3660.0, le=3660.0, description="how far")]


class Sleep(_Step):
    """Let the computer sleep: so much time passes for its clocks, while the device waits."""

    do: Literal["sleep"]
    days: Annotated[float, Field(ge=0.0, le=3660.0, description="how long")]


class Reboot(_Step):
    """Switch the computer off and on: no kernel runs on it, until one is started."""

    do: Literal["reboot"]


class Disk(_Step):
    """Let every write of the record fail, or work again."""

    do: Literal["fill-disk", "free-disk"]


class SlowDisk(_Step):
    """Let every write of the record take its time, in their order, until the disk is freed."""

    do: Literal["slow-disk"]
    takes_s: Annotated[Seconds, Field(description="each write; beyond 1 s the record fails")]


class BenchCell(_Step):
    """Alone in its file: a cell of the fault matrix, a device against a host that only streams."""

    do: Literal["bench-cell"]
    row: Annotated[RowName, Field(description="row of the matrix")]
    state: Annotated[StageName, Field(description="state of the device")]
    phase: Annotated[Share, Field(description="when in that state, as a share of its span")] = 0.0
    lasts_s: Annotated[Seconds | None, Field(description="end it after this time")] = None


class Wait(_Step):
    """Do nothing at this time."""

    do: Literal["wait"]


Step = Annotated[
    Treat
    | Ask
    | Stop
    | LowerTo
    | Dismiss
    | HandMove
    | Plant
    | Clear
    | Process
    | Freeze
    | LineMove
    | Noise
    | Garbage
    | Clock
    | Sleep
    | Reboot
    | Disk
    | SlowDisk
    | BenchCell
    | Wait,
    Field(discriminator="do"),
]
STEPS: Final[tuple[type[_Step], ...]] = (
    Treat, Ask, Stop, LowerTo, Dismiss, HandMove, Plant, Clear, Process, Freeze, LineMove, Noise,
    Garbage, Clock, Sleep, Reboot, Disk, SlowDisk, BenchCell, Wait,
)  # fmt: skip
