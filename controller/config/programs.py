"""Loading programs: from a file to a frozen value, within skin data and approved presets."""

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Final

from controller.config.approvals import Approval
from controller.config.approved import approval_of
from controller.config.errors import ConfigError
from controller.config.explain import validate
from controller.config.lines import Location
from controller.config.models import ProgramFile, StageFile
from controller.config.place import mistake
from controller.config.skin import first_doubled
from controller.config.suggest import near
from controller.config.toml_file import check_folder, is_there, read_toml
from controller.config.units import with_unit
from controller.planning.chains import SUCTION_MAX_KPA
from controller.planning.program import Program, Role, Stage
from controller.safety.skin import Skin

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PROGRAMS_MAX: Final = 500  # files in one folder: more is not a library of presets
WINDOW_MM: Final = 6.0  # openings are 4 to 6 mm: The Dermatologist 2003, "Microdermabrasion"
OVERLAP: Final = 0.5  # strokes overlap by half: businessmama.co.uk/lessons/procedure-11
BUDGET_SPARE: Final = 1.02  # printed budgets are rounded
MM2_PER_CM2: Final = 100.0


def budget_s(area_cm2: float, passes: int, speed_mm_per_s: float) -> float:
    """Return the contact time: area * passes / (window * (1 - overlap) * speed)."""
    return area_cm2 * MM2_PER_CM2 * passes / (WINDOW_MM * (1.0 - OVERLAP) * speed_mm_per_s)


def program_names(configs: Path) -> tuple[str, ...]:
    """Return the names of the programs of a folder, in order."""
    found = sorted(path.stem for path in (configs / "programs").glob("*.toml"))
    return tuple(found[:PROGRAMS_MAX])


def load_program(configs: Path, name: str, skin: Skin) -> Program:
    """Return the program of that name; ConfigError, in one sentence, where it cannot be used."""
    path = configs / "programs" / f"{name}.toml"
    if not (NAME.fullmatch(name) and is_there(path)):
        raise _unknown(configs, name)
    return read_program(path, skin)


def read_program(path: Path, skin: Skin) -> Program:
    """Return the program in ``path``."""
    file = read_within_limits(path, skin)
    sha256 = content_sha256(file)
    approval_of(file, sha256, path)
    check_name(file, path)
    return Program(
        name=file.name,
        display_name=file.display_name,
        version=file.version,
        sha256=sha256,
        stages=tuple(stage for group in file.stages for stage in _stages(group, skin)),
        interval_days=file.interval_days,
        course=file.course,
        role=Role(file.role),
        note=file.note,
    )


def read_within_limits(path: Path, skin: Skin) -> ProgramFile:
    """Return the file of a program that no approval could allow more; approved or not."""
    file = validate(ProgramFile, read_toml(path), path)
    _check_zones(file, skin, path)
    for number, group in enumerate(file.stages):
        _check_stage(path, number, group, skin)
    for number, source in enumerate(file.sources):
        _check_about(path, ("sources", number, "about"), source.about)
    return file


def check_name(file: ProgramFile, path: Path) -> None:
    """Refuse a program that is called otherwise than its file."""
    if file.name != path.stem:
        raise mistake(
            path,
            ("name",),
            f' = "{file.name}" differs from the name of the file; '
            f'rename the file, or write name = "{path.stem}".',
        )


def approval_in(path: Path) -> Approval | None:
    """Return the approval that the program in ``path`` rests on; None for one within a preset."""
    file = validate(ProgramFile, read_toml(path), path)
    return approval_of(file, content_sha256(file), path)


def program_hashes(configs: Path) -> dict[str, str]:
    """Return the name in each program of a folder that can be read, by the hash of its content."""
    found = {}
    for name in program_names(configs):
        path = configs / "programs" / f"{name}.toml"
        with contextlib.suppress(ConfigError):
            file = validate(ProgramFile, read_toml(path), path)
            found[content_sha256(file)] = file.name
    return found


def content_sha256(file: ProgramFile) -> str:
    """Return the hash of the values: comments, order and layout of the file do not change it."""
    text = json.dumps(file.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _unknown(configs: Path, name: str) -> ConfigError:
    names = program_names(configs)
    if not names:
        folder = configs / "programs"
        check_folder(folder)
        return ConfigError(f"There are no programs in {folder}; name another --configs folder.")
    meant = near(name, names)
    hint = f"did you mean {meant}?" if meant else "choose one of the programs."
    return ConfigError(f"There is no program {name[:40]!r} among {', '.join(names)}; {hint}")


def _check_about(path: Path, place: Location, about: str) -> None:
    known = (*ProgramFile.model_fields, *StageFile.model_fields)
    if about in known:
        return
    meant = near(about, known)
    hint = f"did you mean {meant}?" if meant else f"use one of {', '.join(sorted(known))}."
    raise mistake(path, place, f': there is no value "{about}" of a program; {hint}')


def _check_zones(file: ProgramFile, skin: Skin, path: Path) -> None:
    doubled = first_doubled([zone for group in file.stages for zone in group.zones])
    if doubled is not None:
        raise mistake(
            path, _second(file, doubled), f': "{doubled}" stands there twice; keep it in one stage.'
        )
    for number, group in enumerate(file.stages):
        for at, zone in enumerate(group.zones):
            _check_zone(path, ("stages", number, "zones", at), zone, skin)


def _second(file: ProgramFile, zone: str) -> Location:
    """Return where a zone stands for the second time."""
    places: list[Location] = [
        ("stages", number, "zones", at)
        for number, group in enumerate(file.stages)
        for at, each in enumerate(group.zones)
        if each == zone
    ]
    return places[1]


def _check_zone(path: Path, place: Location, zone: str, skin: Skin) -> None:
    site = skin.site(zone)
    if site is None:
        known = [each.zone for each in skin.sites if each.selectable]
        meant = near(zone, known)
        hint = f"did you mean {meant}?" if meant else f"use one of {', '.join(known)}."
        raise mistake(path, place, f': there is no zone "{zone}"; {hint}')
    if not site.selectable:
        words = f': "{zone}" is an exclusion zone that no program may name; remove it.'
        raise mistake(path, place, words)


def _check_stage(path: Path, number: int, group: StageFile, skin: Skin) -> None:
    for zone in group.zones:
        site = skin.site(zone)
        top_kpa = 0.0 if site is None else min(site.suction_max_kpa, SUCTION_MAX_KPA[site.region])
        if not (group.suction_kpa <= top_kpa):
            where = f"on the {site.region.value}, " if site is not None else ""
            raise _too_much(
                path, number, "suction_kpa", group.suction_kpa, top_kpa, f"{where}{zone}"
            )
    most_s = budget_s(_area_cm2(group, skin), group.passes, group.speed_mm_per_s) * BUDGET_SPARE
    if not (group.contact_budget_s <= most_s + 1.0):
        raise _too_much(
            path, number, "contact_budget_s", group.contact_budget_s, round(most_s),
            f"{group.passes} {'pass' if group.passes == 1 else 'passes'} at "
            f"{group.speed_mm_per_s:g} mm/s",
        )  # fmt: skip


def _too_much(
    path: Path, number: int, field: str, value: float, top: float, reason: str
) -> ConfigError:
    return mistake(
        path,
        ("stages", number, field),
        f" = {with_unit(field, value)} is out of range ({reason}); "
        f"it must be at most {with_unit(field, top)}.",
    )


def _stages(group: StageFile, skin: Skin) -> tuple[Stage, ...]:
    total_cm2 = _area_cm2(group, skin)
    return tuple(
        Stage(
            zone=zone,
            suction_kpa=group.suction_kpa,
            flow_g_per_min=group.flow_g_per_min,
            passes=group.passes,
            speed_mm_per_s=group.speed_mm_per_s,
            contact_budget_s=group.contact_budget_s * _site_area_cm2(zone, skin) / total_cm2,
        )
        for zone in group.zones
    )


def _area_cm2(group: StageFile, skin: Skin) -> float:
    return sum(_site_area_cm2(zone, skin) for zone in group.zones)


def _site_area_cm2(zone: str, skin: Skin) -> float:
    site = skin.site(zone)
    return 0.0 if site is None else site.area_cm2
