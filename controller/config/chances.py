"""Loading how often a treatment goes too deep in the simulation, program by program.

``chances.toml`` lies in the folder ``skin``. An entry holds the hash of the content of a program,
so that any edit voids it. Nothing rests on the file but words, so that a folder may lack it.
"""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from controller.config.explain import validate
from controller.config.models import FileModel, Name
from controller.config.place import mistake
from controller.config.skin import first_doubled
from controller.config.toml_file import is_there, read_toml
from controller.safety.chance import Chance, TailName

FILE: Final = Path("skin") / "chances.toml"
PROGRAMS_MAX: Final = 500  # as many as a folder of programs has

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Of simulated treatments."""
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class ChanceFile(FileModel):
    """How often one content of a program goes too deep: upper 95 % bounds from campaigns."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    likely_n: Count
    likely_bound_share: Share
    worst_n: Count
    worst_bound_share: Share
    worst_tail: TailName


class ChancesFile(FileModel):
    """configs/skin/chances.toml: what campaigns of simulated treatments counted."""

    programs: Annotated[list[ChanceFile], Field(max_length=PROGRAMS_MAX, default_factory=list)]


def chance_of(configs: Path, sha256: str) -> Chance | None:
    """Return the chance of a program by the hash of its content; None where none was simulated.

    Raises:
        ConfigError: the file is there and cannot be used.
    """
    path = configs / FILE
    found = read_chances(path) if is_there(path) else ()
    return next((_chance(each) for each in found if each.sha256 == sha256), None)


def read_chances(path: Path) -> tuple[ChanceFile, ...]:
    """Return the entries in ``path``: each program once, and no worst that is the better one."""
    file = validate(ChancesFile, read_toml(path), path)
    for field in ("name", "sha256"):
        said = [getattr(each, field) for each in file.programs]
        doubled = first_doubled(said)
        if doubled is not None:
            second = said.index(doubled, said.index(doubled) + 1)
            words = f' = "{doubled}" stands there twice; keep one.'
            raise mistake(path, ("programs", second, field), words)
    for number, each in enumerate(file.programs):
        if not (each.likely_bound_share <= each.worst_bound_share):
            raise mistake(
                path,
                ("programs", number, "worst_bound_share"),
                f" = {each.worst_bound_share:g} is out of range; it must be at least "
                f"likely_bound_share, {each.likely_bound_share:g}.",
            )
    return tuple(file.programs)


def _chance(file: ChanceFile) -> Chance:
    return Chance(
        likely_bound_share=file.likely_bound_share,
        likely_n=file.likely_n,
        worst_bound_share=file.worst_bound_share,
        worst_n=file.worst_n,
        worst_tail=file.worst_tail,
    )
