"""The folder of waveforms beside the record: which files it should have, and which it has.

A row of the record names each finished file with its hash. Files are read here and never written.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, Final

from mcap.writer import MCAP0_MAGIC

from controller.config.paths import journal_path
from controller.record.chain import Chained
from controller.record.read_only import ask_record
from controller.record.store import Store, record_refused
from controller.record.waveform_process import FOLDER, file_name
from controller.safety.refusal import refusing
from controller.treatment.kinds import Kind

_NAME: Final = re.compile(r"treatment-(\d+)\.mcap")


@unique
class Found(StrEnum):
    """What became of the waveforms of one treatment."""

    WHOLE = "whole"
    """The file has the hash that the record names."""
    CHANGED = "changed"
    """It has another one."""
    MISSING = "missing"
    """The record names a file that is not there."""
    UNREADABLE = "unreadable"
    """It is there and cannot be read."""
    NOT_RECORDED = "not recorded"
    """The record says why there is no file, or no whole one."""
    UNFINISHED = "unfinished"
    """A file without an end, that no row names: kernel or recorder were killed, or still record."""
    NOT_NAMED = "not named"
    """A finished file that no row names: its kernel ended first, or it was recovered."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One treatment."""

    treatment: int
    found: Found
    path: Path
    why: str = ""
    """Why there is none, as the record says."""


def folder_of(state: Path) -> Path:
    """Return where waveforms lie."""
    return state / FOLDER


def path_of(state: Path, treatment: int) -> Path:
    """Return the file of a treatment."""
    return folder_of(state) / file_name(treatment)


def files(state: Path) -> list[tuple[int, Path]]:
    """Return the files of treatments that lie there, by number; those put aside are none."""
    try:
        names = sorted(path for path in folder_of(state).iterdir() if path.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise refusing(
            "waveforms",
            f"The folder {folder_of(state)} cannot be read ({error.strerror}).",
            "Mend its rights, then try again.",
        ) from error
    found = ((_NAME.fullmatch(path.name), path) for path in names)
    return sorted((int(match[1]), path) for match, path in found if match is not None)


def check(state: Path, told: Callable[[int, int], None]) -> list[Checked]:
    """Compare every file with the hash in the record; ``told`` hears how far that is.

    Raises:
        RefusedError: the record or the folder cannot be read.
    """
    with record_refused("Nothing was changed."):
        rows = ask_record(journal_path(state), _rows)
    newest = {row.treatment: row.body for row in rows}
    there = dict(files(state))
    treatments = sorted({*newest, *there})
    found: list[Checked] = []
    for number, treatment in enumerate(treatments, 1):
        found.append(_checked(state, treatment, newest.get(treatment), there=treatment in there))
        told(number, len(treatments))
    return found


def check_one(state: Path, treatment: int) -> Checked:
    """Compare the file of one treatment with the hash in the record.

    Raises:
        RefusedError: the record or the folder cannot be read.
    """
    with record_refused("Nothing was changed."):
        rows = ask_record(journal_path(state), lambda store: _rows(store, treatment))
    there = treatment in dict(files(state))
    if not (rows or there):
        return Checked(treatment, Found.MISSING, path_of(state, treatment))
    return _checked(state, treatment, rows[-1].body if rows else None, there=there)


def _unnamed(path: Path) -> Found:
    """Return what a file is that no row names, by its last bytes."""
    try:
        with path.open("rb") as file:
            file.seek(-len(MCAP0_MAGIC), os.SEEK_END)
            return Found.NOT_NAMED if file.read() == MCAP0_MAGIC else Found.UNFINISHED
    except OSError:  # also where it has fewer bytes
        return Found.UNFINISHED


def _rows(store: Store, treatment: int | None = None) -> list[Chained]:
    if treatment is None:
        return store.rows("kind = ?", (Kind.WAVEFORM,), skip_broken=True)
    of_one = "kind = ? AND treatment = ?"
    return store.rows(of_one, (Kind.WAVEFORM, treatment), skip_broken=True)


def _checked(state: Path, treatment: int, said: dict[str, Any] | None, *, there: bool) -> Checked:
    path = path_of(state, treatment)
    if said is None:
        return Checked(treatment, _unnamed(path), path)
    if "sha256" not in said:
        return Checked(treatment, Found.NOT_RECORDED, path, str(said.get("why", "")))
    if not there:
        return Checked(treatment, Found.MISSING, path)
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == said["sha256"]
    except OSError as error:
        return Checked(treatment, Found.UNREADABLE, path, error.strerror or str(error))
    return Checked(treatment, Found.WHOLE if same else Found.CHANGED, path)
