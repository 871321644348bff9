"""What the skin data looks like in TOML: sites, exclusions, removal model, cap rules."""

from typing import Annotated, Literal

from pydantic import Field

from controller.config.models import FileModel, SourceFile, SuctionKpa, Words, Zone


class SiteFile(FileModel):
    """One site: the thickness is the lowest that a published method gives."""

    zone: Zone
    display: Words
    region: Literal["face", "body"]
    sc_nom_um: Annotated[float, Field(ge=5.0, le=18.0)]
    layers: Annotated[float, Field(ge=5.0, le=30.0)]
    area_cm2: Annotated[float, Field(ge=1.0, le=400.0)]
    suction_max_kpa: SuctionKpa
    source: Words
    confidence: Literal["published", "recalled", "assumed"]


class ExclusionFile(FileModel):
    """One zone that can never be selected."""

    zone: Zone
    display: Words
    why: Words


class SitesFile(FileModel):
    """configs/skin/sites.toml."""

    version: Words
    sites: Annotated[list[SiteFile], Field(min_length=1, max_length=128)]
    exclusions: Annotated[list[ExclusionFile], Field(max_length=64)]


class ModelFile(FileModel):
    """The removal model; see controller/safety/removal.py. It may only be made stricter."""

    rate_ref_um_per_s: Annotated[float, Field(ge=0.75, le=4.0)]
    suction_ref_kpa: Annotated[float, Field(ge=10.0, le=30.0)]
    flow_ref_g_per_min: Annotated[float, Field(ge=1.0, le=10.0)]
    suction_exponent: Annotated[float, Field(ge=0.2, le=1.2)]
    flow_exponent: Annotated[float, Field(ge=0.7, le=1.0)]
    choke_kpa: Annotated[float, Field(ge=45.0, le=55.0)]
    p95_factor: Annotated[float, Field(ge=4.4, le=20.0)]
    coverage_factor: Annotated[float, Field(ge=1.5, le=5.0)]
    window_ref_mm: Annotated[float, Field(ge=6.0, le=8.0)]


class RulesFile(FileModel):
    """How thickness becomes a cap, and intervals. Each may only be made stricter than shipped."""

    cap_share: Annotated[float, Field(gt=0.0, le=0.35)]
    phototype_derate_from: Annotated[int, Field(ge=1, le=4)]
    phototype_derate: Annotated[float, Field(gt=0.0, le=0.5)]
    age_derate_from_years: Annotated[int, Field(ge=18, le=65)]
    age_derate: Annotated[float, Field(gt=0.0, le=0.8)]
    age_refuse_from_years: Annotated[int, Field(ge=18, le=80)]
    interval_refuse_days: Annotated[float, Field(ge=7.0, le=365.0)]
    interval_reason_days: Annotated[float, Field(ge=10.0, le=365.0)]
    interval_age_factor: Annotated[float, Field(ge=1.5, le=5.0)]
    regrowth_h_per_layer: Annotated[float, Field(ge=47.0, le=1000.0)]
    layer_um: Annotated[float, Field(gt=0.0, le=1.0)]


class RemovalFile(FileModel):
    """configs/skin/removal.toml."""

    version: Words
    model: ModelFile
    rules: RulesFile
    sources: Annotated[list[SourceFile], Field(min_length=1, max_length=64)]
