"""The anchors and the priors as they stand in configs/skin/anchors.toml."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from controller.config.explain import validate
from controller.config.models import FileModel, Words
from controller.config.place import mistake
from controller.config.skin_models import Confidence
from controller.config.toml_file import read_toml

FILE: Final = Path("skin") / "anchors.toml"

Parameter = Literal[
    "rate_um_per_s", "suction_exponent", "flow_exponent", "open_over_masked", "flow_g_per_min",
    "gradient", "epidermis_over_corneum", "specimen_ln_sd", "corneum_um", "epidermis_um",
]  # fmt: skip
"""What has a prior; all of them, and nothing else, are parameters of `qa.anchors.experiment`."""

PARAMETERS: Final[tuple[str, ...]] = Parameter.__args__  # type: ignore[attr-defined]  # of Literal
RATE: Final = "rate_um_per_s"
Depth = Literal["stratum corneum", "epidermis"]
Positive = Annotated[float, Field(gt=0.0, le=1000.0)]


class Shape(FileModel):
    """What is believed of one number before anything was seen."""

    shape: Literal["lognormal", "above one", "half-normal", "even", "even in the logarithm"]
    median: Positive | None = None
    sd: Annotated[float, Field(gt=0.0, le=5.0)] | None = None
    low: Positive | None = None
    high: Positive | None = None
    cite: Words

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {
            "lognormal": ("median", "sd"), "above one": ("sd",), "half-normal": ("sd",),
            "even": ("low", "high"), "even in the logarithm": ("low", "high"),
        }[self.shape]  # fmt: skip
        said = tuple(
            name for name in ("median", "sd", "low", "high") if getattr(self, name) is not None
        )
        if said != wanted:
            raise ValueError(f'"{self.shape}" has {" and ".join(wanted)}, and no other number')
        if self.low is not None and self.high is not None and not (self.low < self.high):
            raise ValueError("low is not below high")
        return self


class Prior(Shape):
    """The prior of one parameter."""

    name: Parameter
    about: Words
    confidence: Confidence


class OtherRate(Shape):
    """Another belief about the rate."""

    name: Words


class Anchor(FileModel):
    """One thing that was seen."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$")]
    seen: Words
    likelihood: Literal["removed", "depth", "order", "none"]
    removed: Depth | None = None
    kept: Literal["epidermis"] | None = None
    depth_um: Positive | None = None
    depth_sd_um: Positive | None = None
    steeper: Literal["flow_exponent", "suction_exponent"] | None = None
    flatter: Literal["flow_exponent", "suction_exponent"] | None = None
    why_not: Words | None = None
    suction_kpa: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    flow_g_per_min: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    time_s: Annotated[float, Field(gt=0.0, le=3600.0)] | None = None
    passes: Annotated[int, Field(ge=1, le=1000)] | None = None
    speed_mm_per_s: Annotated[float, Field(gt=0.0, le=500.0)] | None = None
    masked: bool = False
    cite: Words
    read: Words

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {
            "removed": ("removed",), "depth": ("depth_um", "depth_sd_um"),
            "order": ("steeper", "flatter"), "none": ("why_not",),
        }[self.likelihood]  # fmt: skip
        missing = [name for name in wanted if getattr(self, name) is None]
        if missing:
            raise ValueError(f'"{self.likelihood}" needs {" and ".join(missing)}')
        if self.likelihood in {"removed", "depth"}:
            self._check_dose()
        if self.likelihood == "order" and self.steeper == self.flatter:
            raise ValueError("steeper and flatter are the same")
        if self.kept is not None and self.removed != "stratum corneum":
            raise ValueError('kept = "epidermis" goes with removed = "stratum corneum" only')
        return self

    def _check_dose(self) -> None:
        if self.suction_kpa is None:
            raise ValueError("the dose has no suction_kpa")
        moving = self.passes is not None or self.speed_mm_per_s is not None
        if (self.time_s is None) != moving:
            raise ValueError("the dose has time_s, or passes and speed_mm_per_s, and not both")
        if moving and (self.passes is None or self.speed_mm_per_s is None):
            raise ValueError("a moving tip has both passes and speed_mm_per_s")


class Treatment(FileModel):
    """Published faces without an injury, at one dose that the paper allows."""

    name: Words
    dose: Literal["lowest", "usual"]
    faces: Annotated[int, Field(ge=1, le=100_000)]
    sessions: Annotated[int, Field(ge=1, le=100)]
    passes: Annotated[int, Field(ge=1, le=1000)]
    speed_mm_per_s: Annotated[float, Field(gt=0.0, le=500.0)]
    suction_kpa: Annotated[float, Field(gt=0.0, le=100.0)]
    flow_g_per_min: Annotated[float, Field(gt=0.0, le=100.0)]
    seen: Words
    cite: Words


class AnchorsFile(FileModel):
    """The whole file."""

    version: Words
    anchors: Annotated[list[Anchor], Field(min_length=1, max_length=200)]
    priors: list[Prior]
    other_rates: Annotated[list[OtherRate], Field(default_factory=list, max_length=10)]
    treatments: Annotated[list[Treatment], Field(default_factory=list, max_length=50)]

    def prior(self, name: str) -> Prior:
        """Return the prior of that name; `load_anchors` has seen that there is one."""
        return next(prior for prior in self.priors if prior.name == name)


def load_anchors(configs: Path) -> AnchorsFile:
    """Return the anchors of a folder of configurations; ConfigError where they cannot be used."""
    path = configs / FILE
    file = validate(AnchorsFile, read_toml(path), path)
    names: list[str] = [prior.name for prior in file.priors]
    for name in PARAMETERS:
        if names.count(name) != 1:
            words = f': "{name}" has {names.count(name)} entries in [[priors]]; give it one.'
            raise mistake(path, ("priors",), words)
    seen = [anchor.name for anchor in file.anchors]
    for number, name in enumerate(seen):
        if name in seen[:number]:
            words = f' = "{name}" stands there twice; keep one.'
            raise mistake(path, ("anchors", number, "name"), words)
    return file
