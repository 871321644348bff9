"""What the skin data looks like in TOML: sites, exclusions, removal model, cap rules.

Every value is versioned and has a source and a confidence: beside it, or in a ``[[sources]]`` entry
that names it. The ranges allow a file to be stricter than what is shipped, never laxer.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from controller.config.models import CRYSTAL_MAX_UM, FileModel, SuctionKpa, Words, Zone

Confidence = Literal["published", "recalled", "derived", "assumed"]
"""Read in the publication, remembered of one, computed from such, or a guess to be replaced."""


class SiteFile(FileModel):
    """One site; ``source`` and ``confidence`` are those of its thickness.

    The thickness is the lowest that a published method gives.
    """

    zone: Zone
    display: Words
    region: Literal["face", "body"]
    sc_nom_um: Annotated[float, Field(ge=5.0, le=18.0)]
    layers: Annotated[float, Field(ge=5.0, le=30.0)]
    between_cv: Annotated[float, Field(ge=0.2, le=0.6)]
    within_share: Annotated[float, Field(ge=0.62, le=0.9)]
    area_cm2: Annotated[float, Field(ge=1.0, le=400.0)]
    suction_max_kpa: SuctionKpa
    source: Words
    confidence: Confidence


class ExclusionFile(FileModel):
    """One zone that can never be selected."""

    zone: Zone
    display: Words
    why: Words
    confidence: Confidence


class ValueSourceFile(FileModel):
    """Where one value comes from, and how far it can be trusted."""

    about: Words
    confidence: Confidence
    cite: Words


class SiteSourceFile(FileModel):
    """Where a value of sites comes from: of the zones that are named, or of all."""

    about: Literal["layers", "between_cv", "within_share", "area_cm2", "suction_max_kpa"]
    zones: Annotated[list[Zone], Field(min_length=1, max_length=128)] | None = None
    confidence: Confidence
    cite: Words


class SitesFile(FileModel):
    """configs/skin/sites.toml."""

    version: Words
    sites: Annotated[list[SiteFile], Field(min_length=1, max_length=128)]
    exclusions: Annotated[list[ExclusionFile], Field(max_length=64)]
    sources: Annotated[list[SiteSourceFile], Field(min_length=1, max_length=128)]


COVERAGE_FACTOR_MIN: Final = 2.5  # as shipped in configs/skin/removal.toml
COVERAGE_FACTOR_BLIND_MIN: Final = 3.5


class ModelFile(FileModel):
    """The removal model; see controller/safety/removal.py."""

    rate_ref_um_per_s: Annotated[float, Field(ge=2.54, le=20.0)]
    suction_ref_kpa: Annotated[float, Field(ge=10.0, le=30.0)]
    flow_ref_g_per_min: Annotated[float, Field(ge=1.0, le=10.0)]
    suction_exponent: Annotated[float, Field(ge=0.2, le=1.2)]
    flow_exponent: Annotated[float, Field(ge=0.7, le=0.86)]
    choke_kpa: Annotated[float, Field(ge=45.0, le=55.0)]
    crystal_ref_um: Annotated[float, Field(ge=75.0, le=100.0)]
    crystal_max_um: Annotated[float, Field(ge=CRYSTAL_MAX_UM, le=300.0)]
    size_exponent: Annotated[float, Field(ge=0.5, le=1.0)]
    moist_factor: Annotated[float, Field(ge=2.0, le=4.0)]
    error_ln_sd: Annotated[float, Field(ge=0.9, le=1.8)]
    rate_ln_sd: Annotated[float, Field(ge=0.0, le=0.75)]
    coverage_factor: Annotated[float, Field(ge=COVERAGE_FACTOR_MIN, le=10.0)]
    coverage_factor_blind: Annotated[float, Field(ge=COVERAGE_FACTOR_BLIND_MIN, le=30.0)]
    window_ref_mm: Annotated[float, Field(ge=6.0, le=8.0)]


class RulesFile(FileModel):
    """How thickness becomes a cap, the suction dose, and intervals."""

    cap_share: Annotated[float, Field(gt=0.0, le=0.35)]
    breach_max_share: Annotated[float, Field(gt=0.0, le=0.01)]
    suction_max_kpa_s: Annotated[float, Field(gt=0.0, le=100.0)]
    phototype_derate_from: Annotated[int, Field(ge=1, le=4)]
    phototype_derate: Annotated[float, Field(gt=0.0, le=0.5)]
    age_derate_from_years: Annotated[int, Field(ge=18, le=65)]
    age_derate: Annotated[float, Field(gt=0.0, le=0.8)]
    age_refuse_from_years: Annotated[int, Field(ge=18, le=80)]
    interval_refuse_days: Annotated[float, Field(ge=7.0, le=365.0)]
    interval_reason_days: Annotated[float, Field(ge=10.0, le=365.0)]
    interval_age_factor: Annotated[float, Field(ge=1.5, le=5.0)]
    regrowth_h_per_layer: Annotated[float, Field(ge=47.0, le=1000.0)]
    # Thinner grows back later, and counts as more layers to strike away: no side of it is stricter.
    layer_um: Annotated[float, Field(ge=1.0, le=1.0)]


class SheddingFile(FileModel):
    """How long skin that is left alone takes to shed one layer: what an effect is compared with."""

    body_h_per_layer: Annotated[float, Field(ge=5.0, le=100.0)]
    face_h_per_layer: Annotated[float, Field(ge=5.0, le=100.0)]


class RemovalFile(FileModel):
    """configs/skin/removal.toml."""

    version: Words
    model: ModelFile
    rules: RulesFile
    shedding: SheddingFile
    sources: Annotated[list[ValueSourceFile], Field(min_length=1, max_length=64)]
