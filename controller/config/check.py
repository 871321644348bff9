"""Checking a whole folder of configurations: every file, every error, nothing changed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from controller.config.errors import ConfigError
from controller.config.people import read_client, read_unit
from controller.config.programs import read_program
from controller.config.skin import load_skin, read_removal, read_sites
from controller.config.toml_file import read_toml


class Checked(NamedTuple):
    """One file, and what is wrong with it; an empty problem means that it can be used."""

    file: Path
    problem: str


def check_configs(configs: Path) -> tuple[Checked, ...]:
    """Check every file of a folder. Programs need the skin data: without it they are not read."""
    skin_files = (
        _one(configs / "skin" / "sites.toml", read_sites),
        _one(configs / "skin" / "removal.toml", read_removal),
    )
    people = (
        *_each(configs / "clients", read_client),
        *_each(configs / "handpieces", read_unit),
    )
    if any(found.problem for found in skin_files):
        return (*skin_files, *people)
    skin = load_skin(configs)
    programs = _each(configs / "programs", lambda path: read_program(path, skin))
    return (*skin_files, *programs, *people)


def check_file(path: Path, skin_of: Path) -> Checked:
    """Check one file, wherever it lies; a program is checked against the skin data of a folder."""
    try:
        reader = _reader_of(path, skin_of)
    except ConfigError as error:
        return Checked(path, error.sentence)
    return _one(path, reader)


def _reader_of(path: Path, skin_of: Path) -> Callable[[Path], object]:
    """Tell the kind of a file by a field that only this kind has; a program otherwise."""
    table = read_toml(path)
    found = next((reader for field, reader in _READERS if field in table), None)
    if found is not None:
        return found
    skin = load_skin(skin_of)
    return lambda file: read_program(file, skin)


def _scenario(path: Path) -> None:
    raise ConfigError(
        f"{path} is a scenario for the simulator, not a configuration; check it with "
        f"corneum-sim run {path}.",
        file=path,
    )


_READERS: Final[tuple[tuple[str, Callable[[Path], object]], ...]] = (
    ("phototype", read_client),
    ("checklist", read_client),
    ("tip", read_unit),
    ("sites", read_sites),
    ("rules", read_removal),
    ("expect", _scenario),
)


def _each(folder: Path, reader: Callable[[Path], object]) -> Sequence[Checked]:
    return [_one(path, reader) for path in sorted(folder.glob("*.toml"))]


def _one(path: Path, reader: Callable[[Path], object]) -> Checked:
    try:
        reader(path)
    except ConfigError as error:
        return Checked(path, error.sentence)
    return Checked(path, "")
