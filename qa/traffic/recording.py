"""The file of a recording: one JSON object a line, first what it is, then every piece of bytes.

{"corneum": "line traffic", "version": 1, "protocol": "2.0", "schema": "0xc75ad0be", "port": "..."}
{"t_s": 0.012345, "way": "to_device", "hex": "0009..."}
{"end": "stopped"}

A tap that was killed leaves no end and perhaps half a line; both are told and cost nothing else.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.schema import SCHEMA_HASH

KIND: Final = "line traffic"
VERSION: Final = 1
SIZE_MAX_BYTES: Final = 64 * 2**20  # half a day: a line of telemetry and setpoints is 10 kB/s
LINE_MAX_BYTES: Final = 16_384  # a piece is at most 4096 bytes
WAYS: Final = {way.name.lower(): way for way in Direction}
T_MAX_S: Final = 86_400.0


class RecordingError(Exception):
    """The file cannot be used; the text is one sentence with the file and the line."""


class Chunk(NamedTuple):
    """One piece of bytes, when it was seen and which way it went."""

    t_s: float
    way: Direction
    data: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file holds."""

    port: str
    protocol: str
    schema: str
    chunks: tuple[Chunk, ...]
    end: str
    """Why the recording ended; what is missing is told here too."""


class Recorder:
    """Writes a recording; a disk or a bound that is full ends the record, never the line."""

    def __init__(self, path: Path, port: str, size_max_bytes: int = SIZE_MAX_BYTES) -> None:
        """Create the file; RecordingError where there is one or it cannot be made."""
        self.ended = ""
        self.chunks = 0
        self._left_bytes = size_max_bytes
        try:
            self._file: TextIO = path.open("x", encoding="ascii")
        except FileExistsError as error:
            raise RecordingError(f"{path} exists; name another file, or remove it") from error
        except OSError as error:
            raise RecordingError(f"cannot write {path}: {error.strerror or error}") from error
        protocol = f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}"
        self._put({
            "corneum": KIND, "version": VERSION, "protocol": protocol,
            "schema": f"{SCHEMA_HASH:#010x}", "port": port,
        })  # fmt: skip

    def note(self, t_s: float, way: Direction, data: bytes) -> None:
        """Write one piece."""
        if not self.ended:
            self.chunks += 1
            self._put({"t_s": round(t_s, 6), "way": way.name.lower(), "hex": data.hex()})

    def close(self, why: str) -> None:
        """Write why the recording ended, and close the file."""
        if not self.ended:
            self._left_bytes = LINE_MAX_BYTES
            self._put({"end": why})
            self.ended = why
        try:
            self._file.close()
        except OSError as error:
            self.ended = str(error)

    def _put(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        try:
            if len(text) > self._left_bytes:
                self.ended = "the file reached its bound"
                text = json.dumps({"end": self.ended}) + "\n"
            self._left_bytes -= len(text)
            self._file.write(text)
        except OSError as error:
            self.ended = f"the file cannot be written: {error.strerror or error}"


def read_recording(path: Path) -> Recording:
    """Return what a file holds; RecordingError names the line that cannot be used."""
    try:
        size = path.stat().st_size
        if size > SIZE_MAX_BYTES + 2 * LINE_MAX_BYTES:
            raise RecordingError(f"{path} has {size} bytes, and may have {SIZE_MAX_BYTES}")
        lines = path.read_text(encoding="ascii").split("\n")
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path} is no recording: it is not text") from error
    torn = lines.pop()  # empty, where the last line is whole
    head = _head(path, lines)
    end = "cut off in the middle of a line" if torn else "without an end: the tap was killed"
    chunks: list[Chunk] = []
    for number, row in _rows(path, lines):
        if "end" in row:
            end = str(row["end"])
            break
        chunks.append(_chunk(path, number, row, chunks[-1].t_s if chunks else 0.0))
    protocol, schema = str(head.get("protocol")), str(head.get("schema"))
    return Recording(str(head.get("port")), protocol, schema, tuple(chunks), end)


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines[1:], 2):
        yield number, _row(path, number, line)


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise RecordingError(f"{path}, line {number}: that is not JSON") from error
    if not isinstance(row, dict):
        raise RecordingError(f"{path}, line {number}: a line is one JSON object")
    return row


def _head(path: Path, lines: list[str]) -> dict[str, Any]:
    if not lines:
        raise RecordingError(f"{path} is empty, and no recording")
    head = _row(path, 1, lines[0])
    if (head.get("corneum"), head.get("version")) != (KIND, VERSION):
        raise RecordingError(
            f"{path} is no recording of version {VERSION}: its first line must say so, "
            f'{{"corneum": "{KIND}", "version": {VERSION}, ...}}'
        )
    return head


def _chunk(path: Path, number: int, row: dict[str, Any], before_s: float) -> Chunk:
    where = f"{path}, line {number}"
    t_s, way, text = row.get("t_s"), row.get("way"), row.get("hex")
    timed = isinstance(t_s, int | float) and not isinstance(t_s, bool) and math.isfinite(t_s)
    if not timed or not before_s <= float(t_s or 0.0) <= T_MAX_S:
        raise RecordingError(f"{where}: t_s is {t_s!r}, and must be seconds that never go back")
    if way not in WAYS:
        raise RecordingError(f"{where}: way is {way!r}, and must be one of {', '.join(WAYS)}")
    try:
        data = bytes.fromhex(str(text))
    except ValueError as error:
        raise RecordingError(f"{where}: hex is {text!r}, and must be bytes in hex") from error
    return Chunk(float(t_s or 0.0), WAYS[str(way)], data)
