"""Reads a file of waveforms whatever was done to it: cut anywhere, or damaged in the middle.

The file is walked record by record; each chunk has a checksum of its own. What fails it is left
out. Where a length is damaged, the next chunk that holds is looked for by its shape.
"""

import io
import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Footer, Message, Metadata
from mcap.stream_reader import CRCValidationError, breakup_chunk
from mcap.writer import MCAP0_MAGIC

from controller.archive.channels import IDS

FILE_MAX_BYTES: Final = 1_000_000_000
"""A file is read into memory; ten hours of waveforms are below 100 MB."""

CHUNK_MAX_BYTES: Final = 2**24
"""What a chunk may have, where one is looked for behind damage; ours have 16 kB."""

DAMAGE: Final = (
    McapError, CRCValidationError, struct.error, zlib.error, zstandard.ZstdError, RuntimeError,
    ValueError, MemoryError,
)  # fmt: skip
"""What the library raises on bytes that are not what was written (lz4 raises RuntimeError)."""

_HEAD: Final = struct.Struct("<BQ")
_CHUNK: Final = re.compile(rb"\x06...\x00\x00\x00\x00\x00", re.DOTALL)
_KNOWN: Final = {number: topic for topic, number in IDS.items()}


class Kept(NamedTuple):
    """One message."""

    channel: int
    """Id of the channel in this file."""
    log_time_ns: int
    sequence: int
    data: bytes


class Hole(NamedTuple):
    """A damaged part that was left out."""

    begin: int
    """Where in the file it begins, in bytes."""
    end: int
    after_ns: int
    """Time of the last message before it; 0 where there is none."""


@dataclass(slots=True)
class Salvaged:
    """What could be read of a file."""

    path: Path
    messages: list[Kept] = field(default_factory=list)
    """In the order of the file."""
    topics: dict[int, str] = field(default_factory=lambda: dict(_KNOWN))
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    holes: list[Hole] = field(default_factory=list)
    finished: bool = False
    """Its end is there, so that nobody has cut it."""

    @property
    def whole(self) -> bool:
        """True where it is finished and nothing of it is damaged."""
        return self.finished and not self.holes


def plain(said: Mapping[str, str]) -> dict[str, Any]:
    """Return what a file says of itself: each text as the JSON that it is, or as it stands."""
    return {name: value_of(text) for name, text in said.items()}


def value_of(text: str) -> Any:  # noqa: ANN401 - any JSON, or a plain text
    """Return the JSON that a text is, or itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class NotWaveformsError(Exception):
    """The file is none of waveforms, or cannot be read; the text is a sentence with a next step."""


def salvage(path: Path) -> Salvaged:
    """Read whatever holds of the file at ``path``.

    Raises:
        NotWaveformsError: there is no such file, or it is of another kind.
    """
    data = _bytes_of(path)
    found, at = Salvaged(path), len(MCAP0_MAGIC)
    while at < len(data) and not found.finished:
        end = _record(found, data, at)
        if end is None:
            end = _after_damage(data, at)
            if end < len(data) or not _is_cut(data, at):
                found.holes.append(Hole(at, end, _newest(found)))
        at = end
    return found


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            raise NotWaveformsError(
                f"{path} has more than {FILE_MAX_BYTES // 10**6} MB, and no treatment has as many: "
                "name a file of waveforms."
            )
        data = path.read_bytes()
    except OSError as error:
        raise NotWaveformsError(
            f"{path} cannot be read ({error.strerror}): name a file that is there."
        ) from error
    if not data.startswith(MCAP0_MAGIC):
        raise NotWaveformsError(
            f"{path} does not begin as a file of waveforms (MCAP) does: name another, or take the "
            "treatment's file from a backup."
        )
    return data


def _record(found: Salvaged, data: bytes, at: int) -> int | None:
    """Take the record at ``at`` and return where it ends; None where it does not hold."""
    end = _end_of(data, at)
    if end > len(data):
        return None
    opcode, begin = data[at], at + _HEAD.size
    stream = ReadDataStream(io.BytesIO(data[begin:end]))
    try:
        if opcode == Opcode.CHUNK:
            _take_chunk(found, Chunk.read(stream))
        elif opcode == Opcode.METADATA:
            said = Metadata.read(stream)
            found.metadata[said.name] = said.metadata
        elif opcode == Opcode.FOOTER:
            Footer.read(stream)
            found.finished = data[end:] == MCAP0_MAGIC
    except DAMAGE:
        return None
    return end


def _take_chunk(found: Salvaged, chunk: Chunk) -> None:
    for record in breakup_chunk(chunk, validate_crc=True):
        if isinstance(record, Message):
            found.messages.append(
                Kept(record.channel_id, record.log_time, record.sequence, record.data)
            )
        elif isinstance(record, Channel):
            found.topics[record.id] = record.topic


def _after_damage(data: bytes, at: int) -> int:
    """Return where to read on: behind the damaged record, if its length seems to be right.

    Else at the next chunk that holds; at the end of the data where there is none.
    """
    end = _end_of(data, at)
    if end < len(data) and _end_of(data, end) <= len(data):
        return end
    for match in _CHUNK.finditer(data, at + 1):
        _, length = _HEAD.unpack_from(data, match.start())
        begin, end = match.start() + _HEAD.size, match.start() + _HEAD.size + length
        if length <= CHUNK_MAX_BYTES and end <= len(data) and _holds(data[begin:end]):
            return match.start()
    return len(data)


def _end_of(data: bytes, at: int) -> int:
    """Return where a record ends by its own length; beyond the data where it cannot be one."""
    if at + _HEAD.size <= len(data):
        opcode, length = _HEAD.unpack_from(data, at)
        if Opcode.HEADER <= opcode <= Opcode.DATA_END:
            return int(at + _HEAD.size + length)
    return len(data) + 1


def _holds(body: bytes) -> bool:
    try:
        breakup_chunk(Chunk.read(ReadDataStream(io.BytesIO(body))), validate_crc=True)
    except DAMAGE:
        return False
    return True


def _is_cut(data: bytes, at: int) -> bool:
    """Return True where the last record only lacks its end: a cut file, and no damage."""
    if at + _HEAD.size > len(data):
        return True
    opcode, length = _HEAD.unpack_from(data, at)
    known = Opcode.HEADER <= opcode <= Opcode.DATA_END
    return bool(known and length <= CHUNK_MAX_BYTES and at + _HEAD.size + length > len(data))


def _newest(found: Salvaged) -> int:
    return found.messages[-1].log_time_ns if found.messages else 0
