"""Checking a whole folder of configurations: every file, every error, nothing changed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from controller.config.errors import ConfigError
from controller.config.people import read_client, read_unit
from controller.config.programs import read_program
from controller.config.skin import load_skin


class Checked(NamedTuple):
    """One file, and what is wrong with it; an empty problem means that it can be used."""

    file: Path
    problem: str


def check_configs(configs: Path) -> tuple[Checked, ...]:
    """Check every file of a folder. Programs need the skin data: without it they are not read."""
    try:
        skin = load_skin(configs)
    except ConfigError as error:
        return (Checked(error.file or configs / "skin", error.sentence),)
    return (
        Checked(configs / "skin" / "sites.toml", ""),
        Checked(configs / "skin" / "removal.toml", ""),
        *_each(configs / "programs", lambda path: read_program(path, skin)),
        *_each(configs / "clients", read_client),
        *_each(configs / "handpieces", read_unit),
    )


def check_file(path: Path, skin_of: Path) -> Checked:
    """Check one file, whose kind is told by the folder that it lies in; programs otherwise."""
    readers: dict[str, Callable[[Path], object]] = {"clients": read_client, "handpieces": read_unit}
    reader = readers.get(path.parent.name)
    if reader is None:
        skin = load_skin(skin_of)
        return _one(path, lambda file: read_program(file, skin))
    return _one(path, reader)


def _each(folder: Path, reader: Callable[[Path], object]) -> Sequence[Checked]:
    return [_one(path, reader) for path in sorted(folder.glob("*.toml"))]


def _one(path: Path, reader: Callable[[Path], object]) -> Checked:
    try:
        reader(path)
    except ConfigError as error:
        return Checked(path, error.sentence)
    return Checked(path, "")
