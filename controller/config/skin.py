"""Loading the skin data of a folder of configurations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from controller.config.explain import validate
from controller.config.lines import Location
from controller.config.place import mistake
from controller.config.skin_models import ExclusionFile, RemovalFile, SiteFile, SitesFile
from controller.config.skin_sources import check_removal_sources, check_site_sources
from controller.config.toml_file import read_toml
from controller.planning.steps import Steps, finished
from controller.safety.removal import RemovalModel
from controller.safety.skin import CapRules, Region, Shedding, Site, Skin, risk_cap_um
from firmware_protocol import envelope

FACE_MAX_KPA: Final = envelope.SUCTION_FACE_MAX_PA / 1000


def load_skin(configs: Path) -> Skin:
    """Return the skin data of ``configs/skin``; ConfigError where any of it cannot be used.

    The caps of all sites are computed once here, which takes some milliseconds and is kept.
    """
    return finished(skin_steps(configs))


def skin_steps(configs: Path) -> Steps[Skin]:
    """Load the skin data one file, then one site a step; each takes some milliseconds at most."""
    sites_path, removal_path = configs / "skin" / "sites.toml", configs / "skin" / "removal.toml"
    sites_said = read_toml(sites_path)
    yield
    sites = _sites(sites_said, sites_path)
    yield
    removal = read_removal(removal_path)
    yield
    skin = Skin(
        version=f"{sites.version}+{removal.version}",
        model=RemovalModel(**removal.model.model_dump()),
        rules=CapRules(**removal.rules.model_dump()),
        shedding=Shedding(**removal.shedding.model_dump()),
        sites=(
            *(_site(site) for site in sites.sites),
            *(_exclusion(zone) for zone in sites.exclusions),
        ),
    )
    for site in skin.sites:
        yield
        if site.selectable and not (risk_cap_um(skin, site) > 0.0):
            raise mistake(
                sites_path,
                (site.zone,),
                ": no depth keeps a point of this skin within rules.breach_max_share; check its "
                "thickness and layers.",
            )
    return skin


def read_removal(path: Path) -> RemovalFile:
    """Return the removal model and the cap rules in ``path``."""
    file = validate(RemovalFile, read_toml(path), path)
    check_removal_sources(file, path)
    return file


def read_sites(path: Path) -> SitesFile:
    """Return the sites in ``path``: each zone once, and face suction within the face's limit."""
    return _sites(read_toml(path), path)


def _sites(said: Mapping[str, object], path: Path) -> SitesFile:
    file = validate(SitesFile, said, path)
    _check_sites(file, path)
    check_site_sources(file, path)
    return file


def _check_sites(file: SitesFile, path: Path) -> None:
    doubled = first_doubled(
        [site.zone for site in file.sites] + [zone.zone for zone in file.exclusions]
    )
    if doubled is not None:
        raise mistake(path, _second(file, doubled), f' = "{doubled}" stands there twice; keep one.')
    for number, site in enumerate(file.sites):
        if site.region == "face" and not (site.suction_max_kpa <= FACE_MAX_KPA):
            raise mistake(
                path,
                ("sites", number, "suction_max_kpa"),
                f" = {site.suction_max_kpa:g} kPa is out of range; on the face it must be at most "
                f"{FACE_MAX_KPA:g} kPa.",
            )


def _second(file: SitesFile, zone: str) -> Location:
    """Return where a zone is named for the second time."""
    sites = [("sites", number, each.zone) for number, each in enumerate(file.sites)]
    others = [("exclusions", number, each.zone) for number, each in enumerate(file.exclusions)]
    table, number, _ = [each for each in (*sites, *others) if each[2] == zone][1]
    return (table, number, "zone")


def first_doubled(names: Sequence[str]) -> str | None:
    """Return the first name that stands twice in ``names``, or None."""
    return next((name for at, name in enumerate(names) if name in names[:at]), None)


def _site(file: SiteFile) -> Site:
    return Site(
        zone=file.zone,
        display=file.display,
        region=Region(file.region),
        sc_nom_um=file.sc_nom_um,
        layers=file.layers,
        between_cv=file.between_cv,
        within_share=file.within_share,
        area_cm2=file.area_cm2,
        suction_max_kpa=file.suction_max_kpa,
        selectable=True,
        source=file.source,
        confidence=file.confidence,
    )


def _exclusion(file: ExclusionFile) -> Site:
    return Site(
        zone=file.zone,
        display=file.display,
        region=Region.FACE,
        sc_nom_um=0.0,
        layers=0.0,
        between_cv=0.0,
        within_share=0.0,
        area_cm2=0.0,
        suction_max_kpa=0.0,
        selectable=False,
        source=file.why,
        confidence=file.confidence,
    )
