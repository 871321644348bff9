"""One file of waveforms while it is written: from samples to messages.

The time of a message is wall time in nanoseconds, derived from one pair of clocks at the beginning,
so that it never jumps within a file though the wall clock may be set. A file is written in one
piece from its beginning and is never edited: what was flushed stays readable whatever comes.
"""

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from mcap.writer import CompressionType, IndexType, Writer

from controller.archive import channels
from controller.archive.channels import CHANNELS, IDS, Channel
from controller.archive.salvage import Salvaged, value_of
from controller.record.waveform_samples import STATES, Sample
from firmware_protocol.vocabulary import Cause, Input, Mode, Wish

CHUNK_BYTES: Final = 16_384
"""Two thirds of a second of messages. The library's own 1 MiB would lose 86 s at a kill."""

COMPRESSION: Final = CompressionType.ZSTD
"""Measured on an hour of treatments: docs/adr/0035-the-archive.md."""

GAP_MIN_S: Final = 0.1
"""Readings come every 20 ms; five that are missing in a row are told."""

KEEP_UP_S: Final = 1.0
"""So often a channel is repeated that does not change: whoever joins in the middle has it soon."""

NS: Final = 1_000_000_000
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600

QUEUE_FULL: Final = "the recorder did not keep up"
NO_READING: Final = "the unit sent no reading"
RECORDER_GONE: Final = "the recorder ended and was started again"
CUT_SHORT: Final = "the end of the treatment was not heard: its kernel ended before"
LEFT_OUT: Final = "a damaged part of the file was left out"


def start_writer(stream: Any, meta: Mapping[str, Mapping[str, str]]) -> Writer:  # noqa: ANN401
    """Return a writer with every channel and ``meta`` in the file already."""
    writer = Writer(
        stream, chunk_size=CHUNK_BYTES, compression=COMPRESSION, index_types=IndexType.ALL
    )
    writer.start(profile=channels.PROFILE)
    for channel in CHANNELS:
        schema = writer.register_schema(channel.schema_name, "jsonschema", channel.schema())
        writer.register_channel(channel.topic, "json", schema)
    for name, said in meta.items():
        writer.add_metadata(name, dict(said))
    writer.flush()
    return writer


def texts_of(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what a file says of itself as texts, which `salvage.plain` turns back."""
    return {name: _text_of(value) for name, value in said.items()}


def _text_of(value: object) -> str:
    """Return JSON, or a text as it stands where that is none."""
    return value if isinstance(value, str) and value_of(value) == value else json.dumps(value)


class Recording:
    """The file of one treatment, from its beginning to its finish."""

    def __init__(self, path: Path, said: Mapping[str, Any]) -> None:
        self.path = path
        self.treatment = int(said["treatment"])
        self.gaps = 0
        self.missing_s = 0.0
        self.samples = 0
        self._zones = [str(zone["zone"]) for zone in (said.get("plan") or {}).get("zones", ())]
        self._wall_ns = int(float(said["wall_s"]) * NS)
        self._mono_s = float(said["mono_s"])
        self._writer: Writer | None = None
        self._stream: BinaryIO | None = None
        self._said = dict(said)
        self._first_ns: int | None = None
        self._last_ns = 0
        self._number = 0
        self._kept: dict[int, tuple[bytes, int]] = {}
        self._interrupted = ""

    # -- the file ----------------------------------------------------------------------------------
    def open(self) -> None:
        """Make the file; one of the same name is put aside, and never written over.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if self.path.exists():
            self.path.rename(free_name(self.path, "older"))
        self._open(self.path)

    def open_after(self, found: Salvaged) -> None:
        """Make the file anew with all that a recorder has left that ended in the middle of it.

        Raises:
            OSError: it cannot be written; what was left is as it was.
        """
        fresh = free_name(self.path, "new")
        self._open(fresh)
        for number, at_ns, sequence, data in found.messages:
            self._message(number, at_ns, data, sequence)
            if number == IDS[channels.GAP.topic]:
                self.gaps, self.missing_s = self.gaps + 1, self.missing_s + gap_of(data)[0]
            elif number == IDS[channels.SUCTION.topic]:
                self.samples, self._number = self.samples + 1, sequence + 1
                self._last_ns = at_ns
                if self._first_ns is None:
                    self._first_ns = at_ns
        self._last_ns = max(self._last_ns, max((each[1] for each in found.messages), default=0))
        self._interrupted = RECORDER_GONE
        self.flush()
        fresh.replace(self.path)

    def _open(self, path: Path) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        self._stream = os.fdopen(os.open(path, flags, FILE_MODE), "wb")
        fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody recovers it meanwhile
        self._writer = start_writer(self._stream, {"treatment": texts_of(self._said)})
        self._stream.flush()

    def flush(self) -> None:
        """Give what was written to the system: from here on no kill takes it away.

        Raises:
            OSError: it cannot be written.
        """
        if self._writer is not None and self._stream is not None:
            self._writer.flush()
            self._stream.flush()

    def finish(self, how: str) -> dict[str, Any]:
        """Finish the file, and return what is told of it.

        Raises:
            OSError: it cannot be written.
        """
        if self._writer is None or self._stream is None:
            return {}
        told = {
            "samples": self.samples,
            "seconds": round(self.seconds, 3),
            "gaps": self.gaps,
            "missing_s": round(self.missing_s, 3),
        }
        self._writer.add_metadata("end", texts_of({"how": how, **told}))
        self._writer.finish()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._stream = None
        with self.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = self.path.stat().st_size
        return {"file": self.path.name, "sha256": sha256, "bytes": size, **told}

    @property
    def seconds(self) -> float:
        """From the first sample to the last."""
        return 0.0 if self._first_ns is None else (self._last_ns - self._first_ns) / NS

    # -- what comes in -----------------------------------------------------------------------------
    def take(self, sample: Sample) -> None:
        """Write one sample, and before it the gap that its number or its time shows."""
        if sample.treatment != self.treatment:
            return
        at_ns = self._log_time(sample.at_s)
        lost = sample.number - self._number
        self._number = sample.number + 1
        self._look_for_gap(at_ns, max(0, lost))
        if self._first_ns is None:
            self._first_ns = at_ns
        self._last_ns, self.samples = at_ns, self.samples + 1
        for channel, data in _messages(sample, self._zones):
            self._write(channel, at_ns, data)

    def alarm(self, said: Mapping[str, Any]) -> None:
        """Write that an alarm has come or gone."""
        body = {name: said[name] for name in channels.ALARM.fields}
        self._add(channels.ALARM, self._log_time(float(said["at_s"])), body)

    def end(self, said: Mapping[str, Any]) -> None:
        """Take how many samples there were: what came last may have found no room."""
        lost = int(said["samples"]) - self._number
        if lost > 0:
            self._gap(self._log_time(float(said["at_s"])), lost, QUEUE_FULL)

    def _look_for_gap(self, at_ns: int, lost: int) -> None:
        first = self._first_ns is None
        silent_s = 0.0 if first else (at_ns - self._last_ns) / NS
        why = self._interrupted or (QUEUE_FULL if lost else NO_READING)
        if lost or silent_s > GAP_MIN_S:
            self._gap(at_ns, lost, why)
        self._interrupted = ""

    def _gap(self, at_ns: int, lost: int, why: str) -> None:
        seconds = 0.0 if self._first_ns is None else max(0.0, (at_ns - self._last_ns) / NS)
        self.gaps += 1
        self.missing_s += seconds
        self._kept.clear()  # everything is said anew behind it
        said = {"seconds": round(seconds, 3), "lost_samples": lost, "why": why}
        self._add(channels.GAP, at_ns, said)

    def _log_time(self, at_s: float) -> int:
        """Return the wall time of an instant; never before that of the sample before."""
        return max(self._last_ns, self._wall_ns + round((at_s - self._mono_s) * NS))

    def _write(self, channel: Channel, at_ns: int, data: bytes) -> None:
        number = IDS[channel.topic]
        if not channel.steady:
            before, then_ns = self._kept.get(number, (b"", 0))
            if data == before and at_ns - then_ns < KEEP_UP_S * NS:
                return
            self._kept[number] = data, at_ns
        self._message(number, at_ns, data)

    def _add(self, channel: Channel, at_ns: int, said: Mapping[str, Any]) -> None:
        self._message(IDS[channel.topic], at_ns, json.dumps(said, ensure_ascii=False).encode())

    def _message(self, number: int, at_ns: int, data: bytes, sequence: int | None = None) -> None:
        if self._writer is not None:
            sequence = max(0, self._number - 1) if sequence is None else sequence
            self._writer.add_message(number, at_ns, data, at_ns, sequence)


def _messages(sample: Sample, zones: Sequence[str]) -> Iterator[tuple[Channel, bytes]]:
    """Yield what one sample says in each channel that has a value at every instant."""
    yield channels.SUCTION, _object(a_kpa=sample.suction_kpa, b_kpa=sample.suction_b_kpa)
    yield channels.FLOW, _object(g_per_min=sample.flow_g_per_min)
    yield channels.VALVE, _object(percent=sample.valve_percent)
    zone = zones[sample.zone] if sample.zone < len(zones) else str(sample.zone)
    yield (
        channels.EXPOSURE,
        _object(
            zone=zone,
            nominal_um=sample.nominal_um,
            bound_um=sample.bound_um,
            contact_s=sample.contact_s,
            grams=sample.grams,
            suction_kpa_s=sample.suction_kpa_s,
        ),
    )
    yield (
        channels.SETPOINT,
        _object(
            sent_suction_kpa=sample.sent_suction_kpa,
            sent_g_per_min=sample.sent_flow_g_per_min,
            in_force_suction_kpa=sample.set_suction_kpa,
            in_force_g_per_min=sample.set_flow_g_per_min,
            wish=Wish(sample.wish).name or "NONE",
        ),
    )
    inputs = sample.inputs
    yield channels.CONTACT, _object(on_skin=bool(inputs & Input.CONTACT))
    yield channels.MOTION, _object(moving=bool(inputs & Input.MOTION))
    both = inputs & (Input.SWITCH_CLOSED | Input.SWITCH_REST)
    yield (
        channels.SWITCH,
        _object(pressed=both == Input.SWITCH_CLOSED, released=both == Input.SWITCH_REST),
    )
    yield (
        channels.STATE,
        _object(
            treatment=STATES[sample.state].value,
            device=Mode(sample.mode).name,
            cause=Cause(sample.cause).name,
        ),
    )


def _object(**fields: float | bool | str) -> bytes:
    """Return the fields as JSON; a number that is not finite is not known, and left out."""
    said = ",".join(
        f'"{name}":{_value(value)}'
        for name, value in fields.items()
        if not isinstance(value, float) or math.isfinite(value)
    )
    return b"{%s}" % said.encode()


def _value(value: float | bool | str) -> str:  # noqa: FBT001 - what a field may hold
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value)


def gap_body(seconds: float, lost: int, why: str) -> bytes:
    """Return the message of a gap."""
    return _object(seconds=round(seconds, 3), lost_samples=lost, why=why)


def gap_of(data: bytes) -> tuple[float, int, str]:
    """Return how long a gap is, how many samples were lost and why, from its message."""
    said = json.loads(data)
    return float(said["seconds"]), int(said["lost_samples"]), str(said["why"])


def free_name(path: Path, word: str) -> Path:
    """Return a name beside ``path`` that nobody has: with ``word``, and a number from 2 on."""
    name, number = path.with_name(f"{path.name}.{word}"), 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.{word}-{number}")
    return name
