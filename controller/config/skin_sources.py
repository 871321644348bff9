"""Nothing in the skin data stands without a source: every value is named by exactly one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from controller.config.errors import ConfigError
from controller.config.place import mistake
from controller.config.skin_models import RemovalFile, SiteFile, SitesFile

SOURCED_BY_SITE: Final = frozenset(
    {"zone", "display", "region", "sc_nom_um", "source", "confidence"}
)
"""Names, and the thickness, which has its source beside it."""


def check_removal_sources(file: RemovalFile, path: Path) -> None:
    """Each value of the three tables has one source; ConfigError names what is wrong."""
    values = [
        *_values("model", file.model),
        *_values("rules", file.rules),
        *_values("shedding", file.shedding),
    ]
    _check([source.about for source in file.sources], values, path)


def check_site_sources(file: SitesFile, path: Path) -> None:
    """Each value of each site has one source; ConfigError names what is wrong."""
    fields = [field for field in SiteFile.model_fields if field not in SOURCED_BY_SITE]
    zones = [site.zone for site in file.sites]
    named = [
        f"{zone}.{source.about}"
        for source in file.sources
        for zone in (zones if source.zones is None else source.zones)
    ]
    _check(named, [f"{zone}.{field}" for zone in zones for field in fields], path)


def _values(table: str, model: BaseModel) -> list[str]:
    return [f"{table}.{field}" for field in type(model).model_fields]


def _check(named: Sequence[str], values: Sequence[str], path: Path) -> None:
    for value in values:
        if value not in named:
            raise _error(path, value, "has no source; add a [[sources]] entry with confidence")
    for name in named:
        if name not in values:
            raise _error(path, name, "has a source and no value; remove the entry, or correct it")
        if named.count(name) > 1:
            raise _error(path, name, "has two sources; keep one")


def _error(path: Path, value: str, problem: str) -> ConfigError:
    return mistake(path, tuple(value.split(".")), f" {problem}.")
