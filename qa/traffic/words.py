"""Traffic in words: a line for each frame that says something new, and how often it was repeated.

Of a periodic frame a few fields decide whether it says something new; what a sensor reads is told
when one of these changes, and stands in the check of the line otherwise. So a treatment of minutes
is some hundred lines that a person can read and compare.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final

from firmware_protocol import messages as m
from firmware_protocol import vocabulary as v
from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import BadFrameError, decode
from firmware_protocol.frame import Frame, FrameDecoder
from qa.traffic.recording import Chunk

if TYPE_CHECKING:
    from firmware_protocol.errors import Reject

ARROWS: Final = {Direction.TO_DEVICE: ">", Direction.TO_HOST: "<"}
CHECK_DIGITS: Final = 6
SHUT_PERCENT: Final = 1
WORDS: Final[Mapping[str, type[IntEnum] | type[IntFlag]]] = {
    "mode": v.Mode, "cause": v.Cause, "permits": v.Permit, "inputs": v.Input, "wish": v.Wish,
    "kind": v.StopKind, "outcome": v.Outcome, "refusal": v.Refusal, "code": v.LogCode,
    "capabilities": v.Capability, "defects": v.Defect,
}  # fmt: skip
IN_HEX: Final = frozenset(
    {"schema", "host_nonce", "device_nonce", "boot_id", "token", "detail", "treatment"}
)
_TOLD: Final[Mapping[type[m.Message], tuple[str, ...]]] = {
    m.Setpoint: ("wish", "suction_pa", "flow_mg_per_min", "lease_ms", "exposure_left_mg"),
    m.Telemetry: ("mode", "cause", "permits", "valve_percent", "suction_pa", "flow_mg_per_min"),
    m.Status: ("crystal_total_mg", "contact_total_ms", "bad_frames", "defects"),
}
_News = Callable[[m.Message], object]


def _setpoint_news(message: m.Message) -> object:
    if not isinstance(message, m.Setpoint):
        return None
    return message._replace(loop_counter=0, echo_tick_ms=0, exposure_left_mg=0)


def _telemetry_news(message: m.Message) -> object:
    if not isinstance(message, m.Telemetry):
        return None
    is_open = message.valve_percent > SHUT_PERCENT
    return (message.mode, message.cause, message.permits, is_open, message.last_request_seq)


def _status_news(message: m.Message) -> object:
    return (message.bad_frames, message.defects) if isinstance(message, m.Status) else None


_NEWS: Final[Mapping[type[m.Message], _News]] = {
    m.Setpoint: _setpoint_news, m.Telemetry: _telemetry_news, m.Status: _status_news,
}  # fmt: skip


@dataclass(slots=True)
class Entry:
    """One line: a frame that said something new, and those after it of its kind that did not."""

    t_s: float
    way: Direction
    text: str
    news: object
    count: int = 1
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def take(self, run: bytes) -> None:
        """Let the bytes of one frame into the check of this line."""
        self._hash.update(run + b"\0")

    def line(self, *, check: bool) -> str:
        """Return the line; ``check`` adds a check sum over all frames of it."""
        head = f"{self.t_s:9.3f} {ARROWS[self.way]} {self.text}"
        repeated = f" x{self.count}" if self.count > 1 else ""
        return head + repeated + (f" #{self._hash.hexdigest()[:CHECK_DIGITS]}" if check else "")


class Teller:
    """Takes pieces of bytes in the order of time and keeps what they said."""

    def __init__(self, *, every: bool = False) -> None:
        self.entries: list[Entry] = []
        self.frames: dict[str, int] = {}
        """How many of each message."""
        self.bad: dict[Reject, int] = {}
        """How many runs were no frame, by reason."""
        self.seen: list[tuple[float, Direction, Frame]] = []
        """Every frame of a request, an answer or a stop."""
        self._every = every
        self._decoders = {way: FrameDecoder() for way in Direction}
        self._open: dict[tuple[Direction, type[m.Message]], Entry] = {}

    def take(self, chunk: Chunk) -> None:
        """Take one piece."""
        for run in self._decoders[chunk.way].feed(chunk.data):
            try:
                frame = decode(run, chunk.way)
            except BadFrameError as error:
                self.bad[error.reason] = self.bad.get(error.reason, 0) + 1
                text = f"! {error.reason.name}: {error.reason.value}: {run.hex()}"
                entry = Entry(chunk.t_s, chunk.way, text, None)
                entry.take(run)
                self.entries.append(entry)
                continue
            self._tell(chunk.t_s, chunk.way, frame, run)

    def _tell(self, t_s: float, way: Direction, frame: Frame, run: bytes) -> None:
        kind = type(frame.message)
        self.frames[kind.__name__] = self.frames.get(kind.__name__, 0) + 1
        look = _NEWS.get(kind)
        if look is None:
            self.seen.append((t_s, way, frame))
        news = None if look is None or self._every else (frame.session, look(frame.message))
        before = self._open.get((way, kind))
        if news is not None and before is not None and before.news == news:
            before.count += 1
            before.take(run)
            return
        entry = Entry(t_s, way, words_of(frame, full=self._every), news)
        entry.take(run)
        self.entries.append(entry)
        self._open[way, kind] = entry

    def lines(self, *, check: bool = False) -> Iterable[str]:
        """Return the lines."""
        return (entry.line(check=check) for entry in self.entries)


def words_of(frame: Frame, *, full: bool = False) -> str:
    """Return a frame in words: its message and the fields that matter, or all of them."""
    message = frame.message
    counts = {name: int(count) for name, count in message._asdict().items()}
    told = counts if full else {name: counts[name] for name in _TOLD.get(type(message), counts)}
    head = f"{type(message).__name__:<9}"
    if type(message) not in _NEWS:
        head += f" seq={frame.seq}"
    return " ".join((head, *(f"{name}={_word(name, count)}" for name, count in told.items())))


def _word(name: str, count: int) -> str:
    if name in IN_HEX:
        return f"{count:#x}"
    words = WORDS.get(name)
    if words is v.Permit:
        return _permits(v.Permit(count))
    if words is None:
        return str(count)
    try:
        word = words(count)
    except ValueError:
        return str(count)
    return _flags(word) if isinstance(word, IntFlag) else str(word.name)


def _permits(held: v.Permit) -> str:
    """Return which are held or which lack, whichever is fewer."""
    lacking = v.Permit.ALL & ~held
    if not lacking:
        return "all"
    few = int(lacking).bit_count() < int(held).bit_count()
    return f"all-but-{_flags(lacking)}" if few else _flags(held)


def _flags(flags: IntFlag) -> str:
    """Return the names of the single bits that are set."""
    single = (one for one in type(flags) if int(one).bit_count() == 1 and one in flags)
    return "+".join(str(one.name) for one in single) or "none"
