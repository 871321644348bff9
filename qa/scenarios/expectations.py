"""What has to follow in a scenario: one small table for each expectation, told apart by ``check``.

All of them are judged after the run, on what the device and the service really did.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from controller.config.models import Zone
from qa.scenarios.moments import NOT_ONE, Condition, Moment, ScenarioModel, Seconds
from qa.scenarios.words import KindName, OutcomeName

Count = Annotated[int, Field(ge=0, le=99_999)]
Amount = Annotated[float, Field(ge=0.0, le=1000.0)]
Treatment = Annotated[
    int | None, Field(ge=1, le=9999, description="number of the treatment; the last one otherwise")
]
COUNTS: Final = ("exactly", "at_least", "at_most")


class Within(ScenarioModel):
    """Each time that one thing becomes so, another one is so soon after."""

    check: Literal["within"]
    within_s: Annotated[Seconds, Field(description="the budget, to the millisecond")]
    of: Annotated[Moment, Field(description="counts from here; it has to come at least once")]
    holds: Annotated[Condition, Field(description="what has to be so by then")]


class Eventually(ScenarioModel):
    """At some time it is so."""

    check: Literal["eventually"]
    holds: Annotated[Condition, Field(description="what has to be so once")]
    by_s: Annotated[Seconds | None, Field(description="since power-on")] = None


class At(ScenarioModel):
    """At one time it is so."""

    check: Literal["at"]
    at_s: Annotated[Seconds, Field(description="since power-on")]
    holds: Annotated[Condition, Field(description="what has to be so then")]


class Finally(ScenarioModel):
    """At the end it is so."""

    check: Literal["finally"]
    holds: Annotated[Condition, Field(description="what has to be so at the end")]


class Never(ScenarioModel):
    """It is never so."""

    check: Literal["never"]
    holds: Annotated[Condition, Field(description="what may not be so")]
    since: Annotated[Moment | None, Field(description="only from here on")] = None
    until: Annotated[Moment | None, Field(description="only up to here")] = None


class _Counted(ScenarioModel):
    """How often; at least one of the three is given."""

    exactly: Annotated[Count | None, Field(description="so many")] = None
    at_least: Annotated[Count | None, Field(description="not fewer")] = None
    at_most: Annotated[Count | None, Field(description="not more")] = None

    @model_validator(mode="after")
    def _a_count(self) -> Self:
        given = [name for name in COUNTS if getattr(self, name) is not None]
        if not given:
            raise PydanticCustomError(
                NOT_ONE, "needs a count", {"fields": list(COUNTS), "given": given}
            )
        return self

    def fits(self, count: int) -> bool:
        """Return True when ``count`` is what was expected."""
        return (
            (self.exactly is None or count == self.exactly)
            and (self.at_least is None or count >= self.at_least)
            and (self.at_most is None or count <= self.at_most)
        )

    @property
    def words(self) -> str:
        """How often, in words."""
        parts = ("exactly", self.exactly), ("at least", self.at_least), ("at most", self.at_most)
        return " and ".join(f"{name} {count}" for name, count in parts if count is not None)


class Happens(_Counted):
    """It becomes so this often."""

    check: Literal["happens"]
    what: Annotated[Moment, Field(description="what is counted, each time it becomes so")]


class JournalRows(_Counted):
    """The record has this many rows of a kind. That its chain is whole is always checked."""

    check: Literal["journal"]
    row: Annotated[KindName, Field(description="kind of the rows")]
    treatment: Treatment = None
    where: Annotated[
        dict[str, str | int | float | bool],
        Field(default_factory=dict, description="only rows whose fields say this"),
    ]


class Exposure(ScenarioModel):
    """What a zone has had stays within these values, and its bound within its cap."""

    check: Literal["exposure"]
    zone: Annotated[Zone, Field(description="the zone")]
    treatment: Treatment = None
    nominal_min_um: Annotated[Amount | None, Field(description="removed, nominal")] = None
    nominal_max_um: Annotated[Amount | None, Field(description="removed, nominal")] = None
    bound_min_um: Annotated[Amount | None, Field(description="removed, 95th centile")] = None
    bound_max_um: Annotated[Amount | None, Field(description="removed, 95th centile")] = None
    contact_min_s: Annotated[Seconds | None, Field(description="crystals on skin")] = None
    contact_max_s: Annotated[Seconds | None, Field(description="crystals on skin")] = None
    mass_min_g: Annotated[Amount | None, Field(description="crystals")] = None
    mass_max_g: Annotated[Amount | None, Field(description="crystals")] = None


class Ends(ScenarioModel):
    """The record says that a treatment ended so."""

    check: Literal["outcome"]
    outcome: Annotated[OutcomeName, Field(description="how")]
    treatment: Treatment = None


class PromiseKept(ScenarioModel):
    """In every tick of the device the promise holds: never flow without all that it needs."""

    check: Literal["promise"]


Expectation = Annotated[
    Within
    | Eventually
    | At
    | Finally
    | Never
    | Happens
    | JournalRows
    | Exposure
    | Ends
    | PromiseKept,
    Field(discriminator="check"),
]
EXPECTATIONS: Final[tuple[type[ScenarioModel], ...]] = (
    Within, Eventually, At, Finally, Never, Happens, Exposure, Ends, JournalRows, PromiseKept,
)  # fmt: skip
