"""Results of a campaign in a file, a line each, so that one that was killed goes on where it was.

The first line says which campaign it is and by which sources it was run; a file of another one is
refused, since its results would not be those of this one. A line that was cut by the kill is
dropped, and its job runs again.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import controller
import firmware_protocol
import qa
import simulator
from controller.config.locate import shipped_configs

PACKAGES: Final = (controller, firmware_protocol, simulator, qa)
SUFFIXES: Final = (".py", ".toml", ".json")
FILE_NAME: Final = "results.jsonl"


class OtherCampaignError(Exception):
    """The file has the results of another campaign, or of other sources; says which."""


@cache
def sources_sha256() -> str:
    """Return the hash of everything that a result follows from, wherever it is installed."""
    folders = {one.__name__: Path(str(one.__file__)).parent for one in PACKAGES}
    return _files_sha256({**folders, "configs": shipped_configs()})


def folder_sha256(folder: Path) -> str:
    """Return the hash of what a result may follow from in a folder of somebody's own."""
    return _files_sha256({"": folder})


def _files_sha256(folders: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                digest.update(f"{name}/{path.relative_to(folder)}".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def digest(results: Mapping[Any, object]) -> str:
    """Return one hash over all results: the same wherever and in whatever order they were run."""
    return hashlib.sha256(json.dumps(sorted(results.items()), sort_keys=True).encode()).hexdigest()


class Kept:
    """Results that are kept in ``place``: a file, or a folder with one in it."""

    def __init__(self, place: Path, campaign: str) -> None:
        """Read what is there; OtherCampaignError, OSError."""
        self.path = place / FILE_NAME if place.is_dir() or not place.suffix else place
        self.results: dict[str, Any] = {}
        head = json.dumps({"campaign": campaign, "sources": sources_sha256()})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self._lines()
        if lines and lines[0] != head:
            raise OtherCampaignError(f"{self.path}: {_difference(lines[0], campaign)}")
        for line in lines[1:]:
            one = json.loads(line)
            self.results[one["key"]] = one["result"]
        if lines:
            os.truncate(self.path, sum(len(line.encode()) + 1 for line in lines))
        self._file = self.path.open("a", encoding="utf-8")
        if not lines:
            self._file.write(head + "\n")
            self._file.flush()

    def keep(self, key: str, result: object) -> None:
        """Write one more result down."""
        self._file.write(json.dumps({"key": key, "result": result}) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        """Return it, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; what is in it stays."""
        self._file.close()

    def _lines(self) -> list[str]:
        """Return the whole lines; one without an end was cut by a kill."""
        if not self.path.exists():
            return []
        text = self.path.read_bytes().decode("utf-8", errors="replace")
        return text[: text.rfind("\n") + 1].splitlines()


def _difference(head: str, campaign: str) -> str:
    try:
        there = json.loads(head)["campaign"]
    except (ValueError, KeyError, TypeError):
        return "this is no file of results; name another one."
    if there != campaign:
        return f"it has the results of '{there}', not of '{campaign}'; name another file."
    return "its results are of other sources; begin anew in another file."
