"""What a program, a client and a handpiece look like in TOML. Frozen, strict, no extra fields."""

import datetime as dt
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.safety.instruments import INSTRUMENTS
from controller.safety.patch_reading import READING_LN_SD_MAX, READING_LN_SD_MIN, READINGS_MAX
from firmware_protocol import envelope

SUCTION_MAX_KPA: Final = envelope.SUCTION_SET_MAX_PA / 1000
FLOW_MAX_G_PER_MIN: Final = envelope.FLOW_SET_MAX_MG_PER_MIN / 1000
CRYSTAL_MIN_UM: Final = 75.0  # grit F150 to F100; below it grains float in the air of the room
CRYSTAL_MAX_UM: Final = 150.0

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Zone = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, Field(min_length=1, max_length=400)]
SuctionKpa = Annotated[float, Field(ge=SUCTION_SET_MIN_KPA, le=SUCTION_MAX_KPA)]
FlowGPerMin = Annotated[float, Field(ge=FLOW_SET_MIN_G_PER_MIN, le=FLOW_MAX_G_PER_MIN)]


class FileModel(BaseModel):
    """Strict and frozen; a field that is not known, or a number that is not finite, is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SourceFile(FileModel):
    """Where a value comes from: a publication, or a proposal of this project."""

    about: Words
    kind: Literal["published", "proposal"]
    cite: Words


class StageFile(FileModel):
    """One group of zones that are treated alike; the contact budget is that of the whole group."""

    zones: Annotated[list[Zone], Field(min_length=1, max_length=32)]
    suction_kpa: SuctionKpa
    flow_g_per_min: FlowGPerMin
    passes: Annotated[int, Field(ge=1, le=3)]
    speed_mm_per_s: Annotated[float, Field(ge=20.0, le=80.0)]
    contact_budget_s: Annotated[float, Field(ge=1.0, le=1800.0)]


class ProgramFile(FileModel):
    """configs/programs/NAME.toml: a preset."""

    name: Name
    display_name: Words
    version: Annotated[int, Field(ge=1, le=9999)]
    idea: Words
    course: Words
    interval_days: Annotated[float, Field(ge=1.0, le=365.0)]
    role: Literal["practitioner", "trained"] = "practitioner"
    note: Annotated[str, Field(max_length=400)] = ""
    stages: Annotated[list[StageFile], Field(min_length=1, max_length=16)]
    sources: Annotated[list[SourceFile], Field(min_length=1, max_length=32)]


class PatchReadingFile(FileModel):
    """A patch that was treated and then measured; see controller/safety/patch_reading.py.

    ``expected_um`` is the nominal depth that the record said.
    """

    date: dt.date
    zone: Zone
    instrument: Annotated[str, Field(json_schema_extra={"enum": list(INSTRUMENTS)})]
    expected_um: Annotated[float, Field(gt=0.0, le=20.0)]
    removed_um: Annotated[float, Field(gt=0.0, le=20.0)]
    ln_sd: Annotated[float, Field(ge=READING_LN_SD_MIN, le=READING_LN_SD_MAX)]


class ClientFile(FileModel):
    """configs/clients/REF.toml: a pseudonymous client with the answers of the checklist."""

    ref: Name
    phototype: Annotated[int, Field(ge=1, le=6)]
    age_years: Annotated[int, Field(ge=18, le=120)]
    practice: bool = False
    skin: Literal["dry", "moist", "unknown"] = "unknown"
    zones: Annotated[list[Zone], Field(min_length=1, max_length=64)] | None = None
    exclusions: Annotated[list[Zone], Field(max_length=64)] = []
    checklist: dict[str, bool]
    patch_readings: Annotated[list[PatchReadingFile], Field(max_length=READINGS_MAX)] = []


class TipFile(FileModel):
    """The tip that is fitted. ``use`` left out: single on a real unit, none on a simulated one."""

    number: Annotated[int, Field(ge=1, le=255)]
    name: Words
    window_mm: Annotated[float, Field(ge=3.0, le=12.0)]
    suction_max_kpa: SuctionKpa
    use: Literal["single", "sterilise"] | None = None


class HandpieceFile(FileModel):
    """configs/handpieces/: ``unit-SERIAL.toml`` of a real unit, ``simulated.toml`` of any other."""

    label: Words
    simulated: bool
    serial: Annotated[int, Field(ge=1, le=0xFFFF_FFFF)] | None = None
    calibration_due: dt.date | None = None
    suction_max_kpa: SuctionKpa
    flow_max_g_per_min: FlowGPerMin
    suction_uncertainty_kpa: Annotated[float, Field(gt=0.0, le=5.0)]
    flow_uncertainty_percent: Annotated[float, Field(gt=0.0, le=50.0)]
    crystal_um: Annotated[float, Field(ge=CRYSTAL_MIN_UM, le=CRYSTAL_MAX_UM)] | None = None
    tip: TipFile
