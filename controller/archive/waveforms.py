"""The waveforms of one treatment, read from its file: a column a field, with its times.

Columns of numbers are arrays of the standard library, which `numpy.asarray` takes as they are; the
base install has no numpy.
"""

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.archive.channels import CHANNELS, GAP, NUMBER, Channel
from controller.archive.salvage import Hole, NotWaveformsError, plain, salvage

__all__ = ("Column", "Gap", "NotWaveformsError", "Waveforms", "read")

NAN: Final = float("nan")
_BY_TOPIC: Final = {channel.topic: channel for channel in CHANNELS}


@dataclass(slots=True)
class Column:
    """One channel: times, and for each field as many values."""

    channel: Channel
    log_time_ns: "array[int]" = field(default_factory=lambda: array("q"))
    """Wall time of each message since 1970, in ns; never falls within a file."""
    values: dict[str, Any] = field(default_factory=dict)
    """By field: an array of doubles with NaN where nobody knew, else a list with None there."""


class Gap(NamedTuple):
    """A part of the treatment that the file lacks."""

    begin_ns: int
    end_ns: int
    lost_samples: int
    why: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_ns - self.begin_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Waveforms:
    """All that the file of one treatment says."""

    path: Path
    treatment: Mapping[str, Any]
    """Of the treatment: number, unit, program, plan, versions, journal and head, clocks."""
    end: Mapping[str, Any]
    """How it ended; empty where the file is not finished."""
    columns: Mapping[str, Column]
    """By topic."""
    gaps: tuple[Gap, ...]
    holes: tuple[Hole, ...]
    """Damaged parts of the file that were left out."""
    finished: bool

    @property
    def whole(self) -> bool:
        """True where the file is finished and nothing of it is damaged; gaps are told apart."""
        return self.finished and not self.holes

    @property
    def seconds(self) -> float:
        """From the first reading to the last."""
        times = self.columns["/suction"].log_time_ns
        return (times[-1] - times[0]) / 1e9 if times else 0.0


def read(path: Path) -> Waveforms:
    """Read a file of waveforms, also one that is cut or damaged: what holds of it.

    Raises:
        NotWaveformsError: there is no such file, or it is of another kind.
    """
    found = salvage(path)
    columns = {topic: _empty(channel) for topic, channel in _BY_TOPIC.items()}
    by_number = {
        number: columns[topic] for number, topic in found.topics.items() if topic in columns
    }
    for number, at_ns, _, data in found.messages:
        column = by_number.get(number)
        if column is not None:
            _append(column, at_ns, data)
    meta = {name: plain(said) for name, said in found.metadata.items()}
    return Waveforms(
        path,
        meta.get("treatment", {}),
        meta.get("end", {}),
        columns,
        tuple(_gaps(columns[GAP.topic])),
        tuple(found.holes),
        found.finished,
    )


def _empty(channel: Channel) -> Column:
    values = {
        name: array("d") if each.kind == NUMBER else [] for name, each in channel.fields.items()
    }
    return Column(channel, values=values)


def _append(column: Column, at_ns: int, data: bytes) -> None:
    said = json.loads(data)
    column.log_time_ns.append(at_ns)
    for name, values in column.values.items():
        known = said.get(name)
        values.append(NAN if known is None and isinstance(values, array) else known)


def _gaps(column: Column) -> list[Gap]:
    said = column.values
    return [
        Gap(at_ns - round(seconds * 1e9), at_ns, int(lost), str(why))
        for at_ns, seconds, lost, why in zip(
            column.log_time_ns, said["seconds"], said["lost_samples"], said["why"], strict=True
        )
    ]
