"""The file in which a simulated unit keeps its memory while it is switched off.

One JSON object with a version: the event log, the count of restarts, and the ends of records. It is
replaced whole, so that a simulator that is killed leaves the file of a second ago: what it then
lacks makes nothing wrong, since a witness of an older row is a witness of that row.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from firmware_protocol.messages import WITNESSED_MAX
from firmware_protocol.vocabulary import LogCode
from simulator.claims import Claim, TakenError
from simulator.firmware.memory import BOOTS_UNKNOWN, CAPACITY, EventLog, Memory, Record
from simulator.firmware.witness import DECIDED_MAX, Kept, Witness

FORMAT: Final = "corneum-sim memory"
VERSION: Final = 1
SAVE_PERIOD_S: Final = 1.0
"""How often a change is looked for; while a treatment is armed nothing is written."""
FILE_MAX_BYTES: Final = 262_144
"""Five times a full one."""
_U32: Final = 2**32 - 1


class MemoryFileError(Exception):
    """The file cannot be used; the text is one sentence with the next step."""


class MemoryFile:
    """The memory of the unit ``serial`` in a file that is its own as long as it runs."""

    def __init__(self, path: Path, serial: int) -> None:
        """Claim the file and read it; one that is not there is a memory as delivered.

        Raises:
            MemoryFileError: it is damaged, of another unit or version, in use, or unreadable.
        """
        self.failed: OSError | None = None
        """Why the newest change could not be written."""
        self._path, self._serial = path, serial
        try:
            self._claim = Claim(path)
        except TakenError as error:
            raise MemoryFileError(
                f"another simulator ({error}) uses the memory file {path}; end it, or name another"
            ) from error
        except OSError as error:
            raise MemoryFileError(_unusable(path, error)) from error
        try:
            self.memory = _read(path, serial)
        except BaseException:
            self._claim.release()
            raise
        self._written = ""

    def save(self) -> None:
        """Write what has changed since it was written last."""
        text = _text(self.memory, self._serial)
        if text == self._written:
            return
        fresh = self._path.with_name(f".{self._path.name}.new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            self.failed = error
            with contextlib.suppress(OSError):
                fresh.unlink()
        else:
            self._written, self.failed = text, None

    def close(self) -> None:
        """Write what has changed, and give the file back."""
        self.save()
        self._claim.release()


def _text(memory: Memory, serial: int) -> str:
    said = {
        "format": FORMAT,
        "version": VERSION,
        "serial": serial,
        "boots": memory.boots,
        "log": memory.log.records,
        "witness": [
            [*each.journal, each.row, *each.hash, each.decided] for each in memory.witness.kept
        ],
    }
    return json.dumps(said, separators=(",", ":")) + "\n"


def _read(path: Path, serial: int) -> Memory:
    try:
        if not os.path.lexists(path):
            return Memory()
        if not path.is_file():  # to open a pipe that lies there would wait for its other end
            raise MemoryFileError(f"the memory file {path} is no file; name another")
        if path.stat().st_size > FILE_MAX_BYTES:
            raise ValueError(f"it is longer than {FILE_MAX_BYTES} bytes")
        said = json.loads(path.read_text(encoding="utf-8"))
        return _memory(path, said, serial)
    except OSError as error:
        raise MemoryFileError(_unusable(path, error)) from error
    except (ValueError, RecursionError) as error:
        raise MemoryFileError(
            f"the memory file {path} is damaged ({error}); put a whole one back, or name another: "
            "a new file is a unit that remembers nothing"
        ) from error


def _unusable(path: Path, error: OSError) -> str:
    return f"the memory file {path} cannot be used: {error.strerror or error}; name another"


def _memory(path: Path, said: object, serial: int) -> Memory:
    if not isinstance(said, Mapping) or said.get("format") != FORMAT:
        raise ValueError("it is no memory of a simulated unit")
    version, owner = said.get("version"), said.get("serial")
    if version != VERSION:
        raise MemoryFileError(
            f"the memory file {path} is of version {version}, and this simulator reads {VERSION}; "
            "use the simulator that wrote it, or name another file"
        )
    if owner != serial:
        raise MemoryFileError(
            f"the memory file {path} is of unit {owner}, and this is unit {serial}; name another "
            f"file, or --serial-number {owner}"
        )
    log = [Record(seq, tick, LogCode(code), arg) for seq, tick, code, arg in _rows(said, "log", 4)]
    first = log[0].seq if log else 1
    if [each.seq for each in log] != [*range(first, first + len(log))] or len(log) > CAPACITY:
        raise ValueError("its log is not one")
    kept = [
        Kept((high, low), row, (one, two, three), decided)
        for high, low, row, one, two, three, decided in _rows(said, "witness", 7)
    ]
    journals = {each.journal for each in kept}
    bounded = all(each.row > 0 and each.decided <= DECIDED_MAX for each in kept)
    if len(journals) != len(kept) or len(kept) > WITNESSED_MAX or not bounded:
        raise ValueError("its witness is not one")
    boots = said.get("boots")
    if not _is_count(boots, BOOTS_UNKNOWN):
        raise ValueError("its count of restarts is none")
    return Memory(EventLog(log), Witness(tuple(kept)), cast("int", boots))


def _rows(said: Mapping[str, Any], name: str, width: int) -> Sequence[Sequence[int]]:
    """Return a list of rows of so many 32-bit counts each."""
    rows = said.get(name)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == width and all(_is_count(each, _U32) for each in row)
        for row in rows
    ):
        raise ValueError(f"its {name} is not one")
    return rows


def _is_count(value: object, top: int) -> bool:
    return type(value) is int and 0 <= value <= top
