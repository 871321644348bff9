"""A folder of one's own to begin with: the shipped files, beside whatever lies there already."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs

FOLDERS: Final = ("clients", "deploy", "handpieces", "programs", "schemas", "skin")
"""What a service reads, and what editors and the system read beside it; scenarios are for QA."""


class Copied(NamedTuple):
    """What a folder has now, by names below it."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]
    """Files that were there and say the same as the shipped ones."""
    differ: tuple[Path, ...]
    """Files that were there and say something else; they stay as they are."""


def copy_shipped(folder: Path) -> Copied:
    """Copy the shipped files into ``folder``; a file that is there is never written.

    Raises:
        ConfigError: the folder cannot be made or written.
    """
    shipped = shipped_configs()
    made: list[Path] = []
    kept: list[Path] = []
    differ: list[Path] = []
    for source in _shipped_files(shipped):
        name = source.relative_to(shipped)
        content = source.read_bytes()
        try:
            fresh = _write_new(folder / name, content)
        except OSError as error:
            raise _unwritable(folder / name, error) from error
        if fresh:
            made.append(name)
        else:
            (kept if _says(folder / name, content) else differ).append(name)
    return Copied(tuple(made), tuple(kept), tuple(differ))


def _shipped_files(shipped: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted(path for path in (shipped / folder).glob("*") if path.is_file())


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there; False where one is. Half a file is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        return False
    return True


def _says(path: Path, content: bytes) -> bool:
    with contextlib.suppress(OSError):
        return path.read_bytes() == content
    return False


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{error.filename or path} cannot be written ({error.strerror}): mend its rights, make "
        "room, or name another folder.",
        file=path,
    )
