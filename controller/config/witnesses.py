"""The folders on other disks that keep notes about the record: ``witnesses.toml`` of the user."""

import json
import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from controller.config.errors import ConfigError
from controller.config.explain import validate
from controller.config.models import FileModel
from controller.config.place import mistake
from controller.config.skin import first_doubled
from controller.config.toml_file import is_there, read_toml

FILE_NAME: Final = "witnesses.toml"
FOLDERS_MAX: Final = 8
_HEAD: Final = "# Folders on other disks, in which notes about the record are kept.\n"


class WitnessesFile(FileModel):
    """witnesses.toml: where notes about the record are kept beside the user's own folder."""

    folders: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=1000)]],
        Field(max_length=FOLDERS_MAX, default_factory=list),
    ]


def witness_folders(own: Path) -> tuple[Path, ...]:
    """Return the folders that the user has named; none where there is no file.

    Raises:
        ConfigError: the file is there and cannot be used.
    """
    path = own / FILE_NAME
    if not is_there(path):
        return ()
    said = validate(WitnessesFile, read_toml(path), path).folders
    doubled = first_doubled(said)
    if doubled is not None:
        words = f': "{doubled}" stands there twice; keep one.'
        raise mistake(path, ("folders",), words)
    for each in said:
        if not each.startswith("/"):
            words = f': "{each}" is no whole path; it begins with /.'
            raise mistake(path, ("folders",), words)
    return tuple(map(Path, said))


def add_witness_folder(own: Path, folder: Path) -> bool:
    """Add a folder to the file; False where it stands there already.

    Raises:
        ConfigError: the folder cannot be seen, or the file cannot be read or written.
    """
    listed = witness_folders(own)
    if folder in listed:
        return False
    if not folder.is_dir():
        raise ConfigError(
            f"{folder} is no folder that can be seen from here; mount the disk, or make the folder "
            "on it, and name it again."
        )
    path = own / FILE_NAME
    if len(listed) >= FOLDERS_MAX:
        raise ConfigError(
            f"{path} names {FOLDERS_MAX} folders, which is as many as may be; remove one.",
            file=path,
        )
    lines = "".join(f"    {json.dumps(str(each))},\n" for each in (*listed, folder))
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_text(f"{_HEAD}folders = [\n{lines}]\n", "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); mend its rights.", file=path
        ) from error
    return True
