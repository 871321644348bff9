"""Loading clients and handpieces."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from controller.config.errors import ConfigError
from controller.config.explain import validate
from controller.config.foresee import check_serial
from controller.config.models import ClientFile, HandpieceFile
from controller.config.place import mistake
from controller.config.programs import NAME
from controller.config.readings import Zones, readings_of, refuse_the_old_table
from controller.config.skin import first_doubled, read_sites
from controller.config.suggest import near
from controller.config.toml_file import is_there, read_toml
from controller.planning.client import Checklist, Client, Contraindication
from controller.planning.unit import Reuse, Tip, Unit
from controller.safety.removal import Moisture
from controller.safety.skin import Skin


def load_client(configs: Path, ref: str, skin: Skin | None = None) -> Client:
    """Return the client of that reference; ``skin`` is that of ``configs``, read where left out."""
    path = configs / "clients" / f"{ref}.toml"
    if not (NAME.fullmatch(ref) and is_there(path)):
        raise ConfigError(
            f"There is no client {ref[:40]!r} in {configs / 'clients'}; check the reference, "
            "or use demo to practise on a simulated handpiece."
        )
    return read_client(path, zone_names(configs) if skin is None else names_of(skin))


def names_of(skin: Skin) -> Zones:
    """Return each zone of the skin data, and whether it can be selected."""
    return {site.zone: site.selectable for site in skin.sites}


def zone_names(configs: Path) -> Zones:
    """Return each zone of a folder, and whether it can be selected."""
    file = read_sites(configs / "skin" / "sites.toml")
    return {
        **{site.zone: True for site in file.sites},
        **{zone.zone: False for zone in file.exclusions},
    }


def read_client(path: Path, zones: Zones) -> Client:
    """Return the client in ``path``, whose zones must be among ``zones``."""
    said = read_toml(path)
    refuse_the_old_table(said, path)
    file = validate(ClientFile, said, path)
    if file.ref != path.stem:
        raise mistake(
            path,
            ("ref",),
            f' = "{file.ref}" differs from the name of the file; '
            f'rename the file, or write ref = "{path.stem}".',
        )
    keys = [item.key for item in Contraindication]
    for key in file.checklist:
        if key not in keys:
            meant = near(key, keys)
            hint = f"did you mean {meant}?" if meant else f"the questions are {', '.join(keys)}."
            raise mistake(path, ("checklist", key), f": there is no such question; {hint}")
    _check_zones(path, "zones", file.zones or (), zones)
    _check_zones(path, "exclusions", file.exclusions, zones)
    return Client(
        ref=file.ref,
        phototype=file.phototype,
        age_years=file.age_years,
        checklist=Checklist.of(file.checklist),
        zones=None if file.zones is None else tuple(file.zones),
        exclusions=tuple(file.exclusions),
        practice=file.practice,
        skin=Moisture(file.skin),
        patch_readings=readings_of(file, path, zones),
    )


def _check_zones(path: Path, field: str, said: Sequence[str], zones: Zones) -> None:
    """Refuse a zone that does not exist: an exclusion that names none would exclude nothing."""
    doubled = first_doubled(said)
    if doubled is not None:
        raise mistake(path, (field,), f': "{doubled}" stands there twice; keep it once.')
    for number, zone in enumerate(said):
        if zone not in zones:
            meant = near(zone, zones)
            hint = f"did you mean {meant}?" if meant else f"use one of {', '.join(sorted(zones))}."
            raise mistake(path, (field, number), f': there is no zone "{zone}"; {hint}')
        if field == "zones" and not zones[zone]:
            words = f': "{zone}" is an exclusion zone that nobody can agree to; remove it.'
            raise mistake(path, (field, number), words)


def load_unit(configs: Path, serial: int, *, simulated: bool) -> Unit:
    """Return what is known about the unit that answered with ``serial``."""
    folder = configs / "handpieces"
    path = folder / f"unit-{serial}.toml"
    if simulated and not is_there(path):
        path = folder / "simulated.toml"
    if not is_there(path):
        raise ConfigError(
            f"Handpiece {serial} is not known: there is no {path}; have it calibrated first."
        )
    unit = read_unit(path, serial)
    if unit.simulated is not simulated:
        kinds = ("a real", "a simulated") if simulated else ("a simulated", "a real")
        raise mistake(
            path,
            ("simulated",),
            f" = {str(unit.simulated).lower()} describes {kinds[0]} handpiece, and {kinds[1]} one "
            f"answered as {serial}; check which one is connected.",
        )
    return unit


def read_unit(path: Path, serial: int | None = None) -> Unit:
    """Return the unit in ``path``; ``serial`` is the one that answered, where one did."""
    file = validate(HandpieceFile, read_toml(path), path)
    check_serial(path, simulated=file.simulated, said=file.serial, answered=serial)
    return Unit(
        serial=serial or file.serial or 0,
        simulated=file.simulated,
        suction_max_kpa=file.suction_max_kpa,
        flow_max_g_per_min=file.flow_max_g_per_min,
        suction_uncertainty_kpa=file.suction_uncertainty_kpa,
        flow_uncertainty_percent=file.flow_uncertainty_percent,
        tip=_tip(file),
        calibration_due_wall_s=_end_of_day_wall_s(file),
        crystal_um=file.crystal_um,
    )


def _tip(file: HandpieceFile) -> Tip:
    """Return the tip; where a real unit's file does not say, the stricter rule holds."""
    said, unsaid = file.tip.use, None if file.simulated else Reuse.SINGLE
    return Tip(
        number=file.tip.number,
        name=file.tip.name,
        window_mm=file.tip.window_mm,
        suction_max_kpa=file.tip.suction_max_kpa,
        reuse=unsaid if said is None else Reuse(said),
    )


def _end_of_day_wall_s(file: HandpieceFile) -> float | None:
    if file.calibration_due is None:
        return None
    return datetime.combine(file.calibration_due, time(23, 59, 59), UTC).timestamp()
