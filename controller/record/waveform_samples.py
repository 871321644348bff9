"""What the kernel tells its recorder, as records of one size through a pipe.

A write of one record is whole or not at all (it is below PIPE_BUF), and a reader that takes whole
multiples never loses its place, whoever of both is killed. A record is a sample, which is one
reading with what the host made of it, or a part of a text: JSON with one of the keys of `Text`.
Both ends are of one build on one computer.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from controller.safety.reading import Reading
from controller.treatment.states import State

if TYPE_CHECKING:  # the recorder needs the layout alone
    from controller.treatment.conduct import Conduct

RECORD_BYTES: Final = 128
"""Divides a page of the pipe, so that no room in it is lost."""

TEXT_MAX_BYTES: Final = 131_072
"""The longest text: a beginning with the plan of a treatment of many zones has some 20 kB."""

STATES: Final = tuple(State)
NAN: Final = float("nan")

_SAMPLE_KIND: Final = 1
_TEXT_KIND: Final = 2
_SAMPLE: Final = struct.Struct("<6BH3Id13f48x")
_TEXT: Final = struct.Struct("<BxHHHI")
_PART_BYTES: Final = RECORD_BYTES - _TEXT.size


@unique
class Text(StrEnum):
    """What a text tells; the key of its JSON object."""

    BEGIN = "begin"
    """A treatment begins: who treats with what, and the clocks."""
    ALARM = "alarm"
    """An alarm has come or gone."""
    END = "end"
    """It is over: the file can be finished."""


class Sample(NamedTuple):
    """One reading and what the host made of it; a number that nobody knows is NaN."""

    number: int
    """Counts the samples of a treatment, with those that found no room: a jump is a loss."""
    treatment: int
    at_s: float
    """When the reading arrived, on the clock of the loop."""
    tick_ms: int
    state: int
    """Index in `STATES`."""
    mode: int
    cause: int
    zone: int
    """Which of the planned zones lies under the tip."""
    wish: int
    inputs: int
    valve_percent: float
    suction_kpa: float
    suction_b_kpa: float
    flow_g_per_min: float
    set_suction_kpa: float
    """In force at the unit, after its own limits."""
    set_flow_g_per_min: float
    sent_suction_kpa: float
    """Sent by the host."""
    sent_flow_g_per_min: float
    nominal_um: float
    bound_um: float
    contact_s: float
    grams: float
    suction_kpa_s: float


def sample_of(number: int, treatment: int, reading: Reading, conduct: "Conduct") -> bytes:
    """Return one reading, and how far the treatment is, as a record."""
    zone, use = conduct.course.under_tip
    sent = conduct.sent
    return _SAMPLE.pack(
        _SAMPLE_KIND, STATES.index(conduct.state), reading.mode, reading.cause, zone, sent.wish,
        reading.inputs, number, treatment, reading.tick_ms, reading.at_s,
        reading.valve_percent, _known(reading.suction_kpa), _known(reading.suction_b_kpa),
        _known(reading.flow_g_per_min), reading.set_suction_kpa, reading.set_flow_g_per_min,
        sent.suction_kpa, sent.flow_g_per_min,
        use.nominal_um, use.bound_um, use.contact_s, use.grams, use.suction_kpa_s,
    )  # fmt: skip


def _known(value: float | None) -> float:
    return NAN if value is None else value


def parts_of(number: int, kind: Text, body: Mapping[str, Any]) -> list[bytes]:
    """Return a text as records; ``number`` tells it from the texts before it.

    Raises:
        ValueError: it is longer than `TEXT_MAX_BYTES`.
    """
    text = json.dumps({kind.value: body}, allow_nan=False).encode()
    if len(text) > TEXT_MAX_BYTES:
        raise ValueError(f"a text of {len(text)} bytes for the recorder is too long")
    pieces = [text[at : at + _PART_BYTES] for at in range(0, len(text), _PART_BYTES)]
    return [
        (_TEXT.pack(_TEXT_KIND, part, len(pieces), len(piece), number) + piece).ljust(
            RECORD_BYTES, b"\0"
        )
        for part, piece in enumerate(pieces)
    ]


class Records:
    """Puts together what was read; a text of which a part was lost is passed over."""

    def __init__(self) -> None:
        self._number = -1
        self._pieces: list[bytes] = []

    def take(self, data: bytes) -> Iterator[Sample | tuple[Text, dict[str, Any]]]:
        """Return samples and texts of whole records, in order."""
        for at in range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
            record = data[at : at + RECORD_BYTES]
            if record[0] == _SAMPLE_KIND:
                yield _sample(record)
            elif record[0] == _TEXT_KIND and (text := self._part(record)) is not None:
                ((kind, body),) = json.loads(text).items()
                yield Text(kind), body

    def _part(self, record: bytes) -> bytes | None:
        _, part, parts, length, number = _TEXT.unpack_from(record)
        if part == 0:
            self._number, self._pieces = number, []
        if number != self._number or part != len(self._pieces):
            return None
        self._pieces.append(record[_TEXT.size : _TEXT.size + length])
        return b"".join(self._pieces) if len(self._pieces) == parts else None


def _sample(record: bytes) -> Sample:
    _, state, mode, cause, zone, wish, inputs, number, treatment, tick_ms, at_s, *rest = (
        _SAMPLE.unpack(record)
    )
    return Sample(
        number, treatment, at_s, tick_ms, state, mode, cause, zone, wish, inputs, *rest
    )  # fmt: skip
