"""Conditions and moments: what can be true in a scenario, and when it becomes so.

A condition names one thing and what it is: ``{ valve = "shut" }``. A moment is the instant at which
a condition becomes true: ``{ tip = "lifted", number = 3, after_s = 0.2 }``.
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from controller.config.models import FileModel, Zone
from qa.scenarios.words import (
    CauseName,
    Code,
    FaultOrAny,
    LinkName,
    ModeName,
    OutcomeName,
    StateName,
    StepName,
)

NOT_ONE: Final = "not_one"
"""Type of the pydantic error for a table that needs exactly one of some fields."""

TIME_MAX_S: Final = 3600.0  # a scenario is one treatment, or a few small ones
Seconds = Annotated[float, Field(ge=0.0, le=TIME_MAX_S)]


class ScenarioModel(FileModel):
    """A table of a scenario file."""


@unique
class Kind(Enum):
    """How a subject behaves over time."""

    LEVEL = "has one value until the next"
    SET = "has any number of values at a time"
    INSTANT = "happens and is over"


class Condition(ScenarioModel):
    """One thing, and what it is; exactly one field is given."""

    valve: Annotated[
        Literal["open", "shut"] | None, Field(description="the crystal valve, by its position")
    ] = None
    tip: Annotated[
        Literal["on-skin", "lifted"] | None, Field(description="the tip, by its contact ring")
    ] = None
    switch: Annotated[
        Literal["pressed", "released"] | None, Field(description="the hand switch, as it is read")
    ] = None
    lease: Annotated[
        Literal["granted", "lapsed"] | None, Field(description="the lease of the device")
    ] = None
    mode: Annotated[ModeName | None, Field(description="what the device says it is doing")] = None
    trip: Annotated[
        CauseName | None, Field(description="the cause that the device has latched")
    ] = None
    fault: Annotated[FaultOrAny | None, Field(description="a planted fault is active")] = None
    stop: Annotated[
        Literal["normal", "emergency", "any"] | None, Field(description="STOP reaches the device")
    ] = None
    restart: Annotated[
        Literal["watchdog", "power", "any"] | None,
        Field(description="the processor of the device starts anew"),
    ] = None
    state: Annotated[StateName | None, Field(description="the treatment, as the host sees it")] = (
        None
    )
    zone: Annotated[Zone | None, Field(description="the zone that is treated now")] = None
    outcome: Annotated[
        OutcomeName | None, Field(description="how the last treatment ended, as the host says")
    ] = None
    alarm: Annotated[Code | None, Field(description="code of an alarm that stands")] = None
    link: Annotated[LinkName | None, Field(description="how far the host is with the unit")] = None
    kernel: Annotated[
        Literal["running", "frozen", "killed", "ended"] | None,
        Field(description="the process of the controller"),
    ] = None
    line: Annotated[
        Literal["whole", "cut", "silent", "noisy"] | None, Field(description="the serial line")
    ] = None
    done: Annotated[StepName | None, Field(description="a step of this name is done")] = None
    refused: Annotated[Code | None, Field(description="code of a request that was refused")] = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        given = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                NOT_ONE, "needs exactly one", {"fields": list(SUBJECTS), "given": given}
            )
        return self

    @property
    def subject(self) -> str:
        """The name of the one field that is given."""
        return next(name for name in SUBJECTS if getattr(self, name) is not None)

    @property
    def value(self) -> str:
        """What the subject has to be."""
        return str(getattr(self, self.subject))


SUBJECTS: Final[Mapping[str, Kind]] = MappingProxyType(
    dict.fromkeys(Condition.model_fields, Kind.LEVEL)
    | dict.fromkeys(("fault", "alarm"), Kind.SET)
    | dict.fromkeys(("stop", "restart", "done", "refused"), Kind.INSTANT)
)
"""Everything that a condition may name, in the order of the documentation."""


class Moment(Condition):
    """When a condition becomes true; with a number only that time, with a delay later."""

    number: Annotated[
        int | None, Field(ge=1, le=9999, description="only the time of this number")
    ] = None
    after_s: Annotated[Seconds, Field(description="so many seconds later")] = 0.0
