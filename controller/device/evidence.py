"""What bytes from a port look like: our frames, our frames damaged, text, or something foreign.

Pure: bytes in, a verdict out. Every check here is a heuristic that ends in a sentence for a person,
never in a decision about outputs.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.errors import BadFrameError, Reject

KEPT_MAX: Final = 8192  # three seconds of telemetry
TEXT_SHARE_MIN: Final = 0.95  # line noise is printable for 4 of 10 bytes
JUDGED_MIN: Final = 8  # bytes; fewer prove nothing
QUOTED_MAX: Final = 40  # characters of foreign text in a sentence
MARKS_MIN: Final = 3  # of a foreign delimiter or start byte, before it is named
MODBUS_MIN: Final = 4
MODBUS_MAX: Final = 256
_BITS: Final = 8
_TEXT: Final = bytes(range(ord(" "), ord("~") + 1)) + b"\t\r\n"
_DAMAGE: Final = frozenset({Reject.COBS, Reject.LENGTH, Reject.CRC})


@unique
class Look(Enum):
    """What the bytes are, at a guess."""

    SILENT = "nothing was received"
    FRAMES = "frames of our protocol"
    DAMAGED = "frames of our protocol, some of them damaged"
    ECHO = "our own frames come back"
    ECHOED = "our own frames come back beside those of a unit"
    TEXT = "readable text"
    FOREIGN = "the framing of another protocol"
    NOISE = "bytes without any order"


@dataclass(slots=True)
class Evidence:
    """The bytes that came from a port, within a bound, in the chunks in which they came."""

    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    lost: str = ""
    """Why the line went away while it was looked at; nothing where it did not."""

    def add(self, data: bytes) -> None:
        """Keep what still fits."""
        if self.size < KEPT_MAX:
            self.chunks.append(data[: KEPT_MAX - self.size])
            self.size += len(self.chunks[-1])

    @property
    def data(self) -> bytes:
        """Everything that was kept."""
        return b"".join(self.chunks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence shows."""

    look: Look
    detail: str = ""
    good_frames: int = 0
    bad_frames: int = 0
    bit_error_ratio: float | None = None
    """Estimated from the share of damaged frames; None where no frame was whole."""


def judge(evidence: Evidence) -> Verdict:
    """Say what the bytes are."""
    data = evidence.data
    if not data:
        return Verdict(Look.SILENT)
    # The first and last runs may have been cut by listening late and ending early.
    runs = [run for run in data.split(b"\0")[:-1] if run]
    tally = Counter(_grade(run, Direction.TO_HOST) for run in runs)
    own = sum(_grade(run, Direction.TO_DEVICE) is None for run in runs)
    good = tally[None]
    bad = sum(tally[reason] for reason in _DAMAGE) - own  # an echo fails by its check sum alone
    if good:
        look = Look.ECHOED if own else Look.DAMAGED if bad > 1 else Look.FRAMES
        return Verdict(look, "", good, bad, _bit_error_ratio(runs, good, bad))
    if own:
        return Verdict(Look.ECHO)
    return _stranger(evidence, data) or Verdict(Look.NOISE, "", 0, bad)


def _grade(run: bytes, direction: Direction) -> Reject | None:
    try:
        decode(run, direction)
    except BadFrameError as error:
        return error.reason
    return None


def _bit_error_ratio(runs: list[bytes], good: int, bad: int) -> float:
    """Return p from (1 - p) ** bits = share of whole frames, which independent errors obey."""
    bits = _BITS * sum(map(len, runs)) / len(runs)
    share = good / (good + bad)
    return float(1.0 - share ** (1.0 / bits))


def _stranger(evidence: Evidence, data: bytes) -> Verdict | None:
    if len(data) < JUDGED_MIN:
        return None
    if sum(map(_is_text, data)) >= TEXT_SHARE_MIN * len(data):
        words = data.decode("ascii", errors="replace").strip()
        return Verdict(Look.TEXT, " ".join(words.split())[:QUOTED_MAX])
    if any(_is_modbus(chunk) for chunk in evidence.chunks):
        return Verdict(Look.FOREIGN, "Modbus RTU (its check sum fits)")
    name = _framing(data)
    return Verdict(Look.FOREIGN, name) if name else None


def _is_text(byte: int) -> bool:
    return byte in _TEXT


def _framing(data: bytes) -> str:
    """Name a framing whose lengths lead from one mark to the next, or return nothing."""
    if _chain(data, 0xFD, 12) >= MARKS_MIN:
        return "MAVLink 2"
    if _chain(data, 0xFE, 8) >= MARKS_MIN:
        return "MAVLink 1"
    flags = data.count(b"\x7e")
    if flags >= MARKS_MIN and flags > 2 * data.count(b"\0") and flags * 128 >= len(data):
        return "frames between 0x7E flags (HDLC, ASH, Klipper and others)"
    return ""


def _chain(data: bytes, mark: int, overhead: int) -> int:
    """Return how many frames follow each other: a mark, a length, and then the next mark."""
    links = 0
    at = data.find(mark)
    while 0 <= at < len(data) - 1:
        following = at + overhead + data[at + 1]
        if following >= len(data) or data[following] != mark:
            break
        links += 1
        at = following
    return links


def _is_modbus(chunk: bytes) -> bool:
    return MODBUS_MIN <= len(chunk) <= MODBUS_MAX and _modbus_crc(chunk) == 0


def _modbus_crc(data: bytes) -> int:
    """Return CRC-16/MODBUS; over data and its check sum it is 0 [Modbus over serial line V1.02]."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(_BITS):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc
