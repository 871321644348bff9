"""A scenario file as a value."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from controller.config.models import FlowGPerMin, Name, SuctionKpa, Words, Zone
from qa.scenarios.expectations import Expectation
from qa.scenarios.moments import ScenarioModel, Seconds
from qa.scenarios.steps import Step
from qa.scenarios.words import HandName, QuestionName

SEED_MAX: Final = 2**63 - 1  # the largest whole number of TOML

HAZARD_ID: Final = r"^H\d\d$"
HazardId = Annotated[str, Field(pattern=HAZARD_ID)]
Seed = Annotated[int, Field(ge=0, le=SEED_MAX)]


class ScenarioUnit(ScenarioModel):
    """What differs from the shipped simulated handpiece."""

    motion_sensor: Annotated[bool, Field(description="whether one is fitted")] = True
    calibration_due: Annotated[date | None, Field(description="a run begins on 2030-03-17")] = None
    suction_max_kpa: Annotated[SuctionKpa | None, Field(description="of its calibration")] = None
    flow_max_g_per_min: Annotated[FlowGPerMin | None, Field(description="of its calibration")] = (
        None
    )


class ScenarioClient(ScenarioModel):
    """A client of this scenario, beside ``demo``; answers that are not named are no."""

    ref: Annotated[Name, Field(description="pseudonym")]
    phototype: Annotated[int, Field(ge=1, le=6, description="Fitzpatrick")] = 2
    age_years: Annotated[int, Field(ge=18, le=120, description="age")] = 34
    practice: Annotated[bool, Field(description="a client without a history")] = False
    skin: Annotated[
        Literal["dry", "moist", "unknown"], Field(description="unknown counts as moist")
    ] = "unknown"
    exclusions: Annotated[
        list[Zone],
        Field(default_factory=list, max_length=64, description="zones that may not be treated"),
    ]
    contraindications: Annotated[
        list[QuestionName],
        Field(default_factory=list, max_length=32, description="questions answered with yes"),
    ]


class Scenario(ScenarioModel):
    """configs/scenarios/NAME.toml: what is done, what befalls it, and what has to follow."""

    name: Annotated[Name, Field(description="the name of the file")]
    title: Annotated[Words, Field(description="one sentence: what is shown")]
    hazards: Annotated[
        list[HazardId],
        Field(default_factory=list, max_length=32, description="ids of the hazard register"),
    ]
    seed: Annotated[Seed, Field(description="of everything by chance")] = 1
    program: Annotated[Words, Field(description="what is treated by")] = "patch-test"
    client: Annotated[Words, Field(description="who is treated")] = "demo"
    zones: Annotated[
        list[Zone] | None,
        Field(min_length=1, max_length=32, description="only these zones of the program"),
    ] = None
    hand: Annotated[HandName, Field(description="who holds the handpiece")] = "average"
    ends_at_s: Annotated[
        Seconds | None,
        Field(description="when it ends; otherwise 1 s after nothing runs any more"),
    ] = None
    wait_max_s: Annotated[Seconds, Field(description="how long a step waits for its moment")] = 60.0
    unit: ScenarioUnit = ScenarioUnit()
    clients: Annotated[list[ScenarioClient], Field(default_factory=list, max_length=16)]
    steps: Annotated[list[Step], Field(min_length=1, max_length=2000)]
    expect: Annotated[list[Expectation], Field(min_length=1, max_length=200)]
