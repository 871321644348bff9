"""One treatment for other programs: its waveforms as a table, or rows and waveforms as JSON.

Instants are ISO 8601 with the offset of a time zone. Nothing is made up: a reading stands at its
own instant alone, a state holds until the next one is said, and behind a gap nothing is carried on.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

from controller.archive import folder
from controller.archive.channels import ALARM, CHANNELS, GAP, Channel
from controller.archive.folder import Checked
from controller.archive.waveforms import Waveforms
from controller.record.chain import Chained
from controller.record.one_treatment import OneTreatment, one_treatment

BY_SECOND_NS: Final = 1_000_000_000
TOLD_ROWS: Final = 5_000
"""Rows between two words on how far it is."""

Told = Callable[[int, int], None]


class Kept(NamedTuple):
    """What is on record of one treatment, and what became of its waveforms."""

    one: OneTreatment
    checked: Checked


def kept(state: Path, treatment: int) -> Kept:
    """Return what the record in a state folder has of a treatment that is over.

    Raises:
        RefusedError: there is no record, or no such treatment, or it cannot be read.
    """
    return Kept(one_treatment(state, treatment), folder.check_one(state, treatment))


class Instants:
    """Instants in words; what a second has in common is made once for all of it."""

    def __init__(self, zone: tzinfo | None) -> None:
        """``zone`` None is the clock of this computer."""
        self._zone = zone
        self._second: int | None = None
        self._around = ("", "")

    def __call__(self, at_ns: int) -> str:
        """Return wall time since 1970, in ns, as ISO 8601 down to a µs."""
        second, rest_ns = divmod(at_ns, BY_SECOND_NS)
        if second != self._second:
            self._second = second
            moment = datetime.fromtimestamp(second, self._zone).astimezone(self._zone)
            said = moment.isoformat()
            self._around = (said[:19], said[19:])
        return f"{self._around[0]}.{rest_ns // 1000:06d}{self._around[1]}"


def column_names() -> list[str]:
    """Return the first line of a table: the instant, then each field behind its topic."""
    return ["time", "t_s", *(name for channel in CHANNELS for name in _names(channel))]


def write_csv(found: Waveforms, zone: tzinfo | None, file: TextIO, told: Told) -> int:
    """Write a table with one row for each instant at which something was said; return its rows.

    ``told`` hears how many messages of how many are written.
    """
    said_at = _messages(found)
    out, instants, held = csv.writer(file, lineterminator="\n"), Instants(zone), _Held(found)
    out.writerow(column_names())
    rows = written = 0
    for at_ns, messages in groupby(said_at, itemgetter(0)):
        count = held.hear(messages)
        if rows % TOLD_ROWS == 0:
            told(written, len(said_at))
        written += count
        rows += 1
        since_s = (at_ns - said_at[0][0]) / BY_SECOND_NS
        out.writerow([instants(at_ns), f"{since_s:.6f}", *held.cells])
    return rows


def as_object(one: OneTreatment, found: Waveforms | None, zone: tzinfo | None) -> dict[str, Any]:
    """Return all that is on record of one treatment; null for the waveforms that are not there."""
    instants = Instants(zone)
    return {
        "treatment": one.begun.treatment,
        "rows": [_row(row, instants) for row in one.rows],
        "waveforms": None if found is None else _waveforms(found, instants),
    }


def write_json(said: dict[str, Any], file: TextIO) -> None:
    """Write it piece by piece, so that it is not twice in memory."""
    file.writelines(json.JSONEncoder(ensure_ascii=False, allow_nan=False).iterencode(said))
    file.write("\n")


# -- table -----------------------------------------------------------------------------------------
class _Held:
    """The cells of one row, and what of them holds on in the next."""

    def __init__(self, found: Waveforms) -> None:
        self.cells = [""] * (len(column_names()) - 2)
        self._begins: dict[str, int] = {}
        self._values: dict[str, list[Any]] = {}
        self._passing: list[int] = []
        at = 0
        for channel in CHANNELS:
            self._begins[channel.topic] = at
            self._values[channel.topic] = list(found.columns[channel.topic].values.values())
            width = len(channel.fields)
            if channel.steady or channel.event:
                self._passing += range(at, at + width)
            at += width

    def hear(self, messages: Iterator[tuple[int, int, str]]) -> int:
        """Take in what was said at one instant, in the order of the channels."""
        cells, count = self.cells, 0
        for place in self._passing:
            cells[place] = ""
        said = [(topic, number) for _, number, topic in messages]
        if any(topic == GAP.topic for topic, _ in said):
            cells[:] = [""] * len(cells)
        for topic, number in said:
            begin, count = self._begins[topic], count + 1
            for place, values in enumerate(self._values[topic], begin):
                cell = _cell(values[number])
                if topic == ALARM.topic and cells[place]:  # two at once
                    cell = f"{cells[place]}; {cell}"
                cells[place] = cell
        return count


def _messages(found: Waveforms) -> list[tuple[int, int, str]]:
    """Return instant, number in its column and topic of each message, in order of time."""
    said = [
        (at_ns, number, channel.topic)
        for channel in CHANNELS
        for number, at_ns in enumerate(found.columns[channel.topic].log_time_ns)
    ]
    said.sort(key=itemgetter(0))  # of those at one instant in the order of the channels
    return said


def _names(channel: Channel) -> list[str]:
    return [f"{channel.topic[1:]}.{name}" for name in channel.fields]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


# -- JSON ------------------------------------------------------------------------------------------
def _row(row: Chained, instants: Instants) -> dict[str, Any]:
    time = instants(round(row.wall_s * BY_SECOND_NS))
    return {"row": row.id, "time": time, "kind": row.kind, "body": row.body, "hash": row.hash}


def _waveforms(found: Waveforms, instants: Instants) -> dict[str, Any]:
    return {
        "about": dict(found.treatment),
        "end": dict(found.end),
        "channels": {
            topic: {
                "says": column.channel.says,
                "units": {
                    name: each.unit for name, each in column.channel.fields.items() if each.unit
                },
                "time": [instants(at_ns) for at_ns in column.log_time_ns],
                **{name: [_known(each) for each in said] for name, said in column.values.items()},
            }
            for topic, column in found.columns.items()
        },
        "gaps": [
            {
                "begin": instants(gap.begin_ns),
                "end": instants(gap.end_ns),
                "seconds": gap.seconds,
                "lost_samples": gap.lost_samples,
                "why": gap.why,
            }
            for gap in found.gaps
        ],
    }


def _known(value: Any) -> Any:  # noqa: ANN401 - any JSON
    return None if isinstance(value, float) and not math.isfinite(value) else value
