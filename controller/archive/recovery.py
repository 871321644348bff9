"""Makes a finished file of waveforms from one that is cut or damaged.

What holds is written into a new file beside the old one, which is kept as it was under the name
`.damaged`. Each part that was left out becomes a gap in the new file. The new file takes the place
of the old one only after it was read back, by the reader of the library and by ours.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mcap.exceptions import McapError
from mcap.reader import make_reader

from controller.archive.channels import GAP, IDS, SUCTION
from controller.archive.recording import (
    FILE_MODE,
    GAP_MIN_S,
    LEFT_OUT,
    NS,
    free_name,
    gap_body,
    gap_of,
    start_writer,
    texts_of,
)
from controller.archive.salvage import DAMAGE, Kept, NotWaveformsError, Salvaged, salvage

DAMAGED: Final = "damaged"
RECOVERED: Final = "recovered"


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the treatment that the recovered file lacks."""

    begin_ns: int
    """Wall time of the last reading before it."""
    gap_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of one file."""

    path: Path
    whole: bool
    """It was finished and undamaged, and was left as it was."""
    kept: Path | None = None
    """The file as it was."""
    span_s: float = 0.0
    """From the first reading to the last."""
    missing: tuple[Missing, ...] = ()
    """Gaps and damaged parts between those two."""
    cut: bool = False
    """Its end was missing: what came after the last reading is not known."""

    @property
    def missing_s(self) -> float:
        """How many seconds are missing, as far as is known."""
        return sum(each.gap_s for each in self.missing)


class NotRecoveredError(Exception):
    """Nothing was made, and nothing was changed; the text is a sentence."""


def recover(path: Path) -> Recovered:
    """Recover one file; one that is whole is left as it is.

    Raises:
        NotWaveformsError: there is no such file, or it is of another kind.
        NotRecoveredError: what was made does not read back, or cannot be written.
    """
    found = salvage(path)
    with _alone(path):
        return _recover(path, found)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which its recorder has as long as it writes."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotRecoveredError(
                f"{path} is being recorded: wait for the end of its treatment, then ask again."
            ) from error
        yield


def _recover(path: Path, found: Salvaged) -> Recovered:
    if found.whole and reads_back(path, len(found.messages)):
        return Recovered(path, whole=True, span_s=_seconds(found), missing=_gaps(found.messages))
    if not found.messages:
        raise NotRecoveredError(
            f"{path} has no reading that holds, so nothing was made of it: take the file from a "
            "backup, or delete it."
        )
    messages = _with_gaps(found)
    fresh = free_name(path, RECOVERED)
    try:
        _write(fresh, found, messages)
        if not reads_back(fresh, len(messages)):
            fresh.unlink()
            raise NotRecoveredError(
                f"What was recovered of {path} does not read back, so it was not kept: keep the "
                "file as it is and ask for support."
            )
        kept = free_name(path, DAMAGED)
        path.rename(kept)
        fresh.rename(path)
    except OSError as error:
        raise NotRecoveredError(
            f"What was recovered of {path} cannot be written ({error.strerror}): free space in its "
            "folder or mend its rights, then ask again."
        ) from error
    return Recovered(
        path, whole=False, kept=kept, span_s=_seconds(found), missing=_gaps(messages),
        cut=not found.finished,
    )  # fmt: skip


def reads_back(path: Path, messages: int) -> bool:
    """Return True where the library reads so many messages by the index of a file."""
    try:
        with path.open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True)
            summary = reader.get_summary()
            if summary is None or summary.statistics is None:
                return False
            read = sum(1 for _ in reader.iter_messages())
            return read == messages == summary.statistics.message_count
    except (*DAMAGE, McapError, OSError):
        return False


def _with_gaps(found: Salvaged) -> list[Kept]:
    """Return the messages in order, with one of a gap behind each part that was left out."""
    holes = sorted(found.holes, key=lambda hole: hole.after_ns)
    messages: list[Kept] = []
    suction, gap = IDS[SUCTION.topic], IDS[GAP.topic]
    last_ns, number = 0, 0
    for each in found.messages:
        if each.channel == suction:
            silent_s = (each.log_time_ns - last_ns) / NS if last_ns else 0.0
            lost = max(0, each.sequence - number)
            holed = bool(holes) and holes[0].after_ns < each.log_time_ns
            told = bool(messages) and messages[-1].channel == gap
            if holed and (silent_s > GAP_MIN_S or lost) and not told:
                body = gap_body(silent_s, lost, LEFT_OUT)
                messages.append(Kept(gap, each.log_time_ns, each.sequence, body))
            while holes and holes[0].after_ns < each.log_time_ns:
                holes.pop(0)
            last_ns, number = each.log_time_ns, each.sequence + 1
        messages.append(each)
    return messages


def _write(path: Path, found: Salvaged, messages: list[Kept]) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, FILE_MODE), "wb") as stream:
        writer = start_writer(stream, found.metadata)
        for number, at_ns, sequence, data in messages:
            ours = IDS.get(found.topics.get(number, ""))
            if ours is not None:
                writer.add_message(ours, at_ns, data, at_ns, sequence)
        said = {
            "seconds": _seconds(found),
            "missing_s": sum(each.gap_s for each in _gaps(messages)),
            "left_out": [[hole.begin, hole.end] for hole in found.holes],
            "cut": not found.finished,
        }
        writer.add_metadata(RECOVERED, texts_of(said))
        writer.finish()
        stream.flush()
        os.fsync(stream.fileno())


def _seconds(found: Salvaged) -> float:
    times = [each.log_time_ns for each in found.messages if each.channel == IDS[SUCTION.topic]]
    return round((max(times) - min(times)) / NS, 3) if times else 0.0


def _gaps(messages: list[Kept]) -> tuple[Missing, ...]:
    return tuple(
        Missing(each.log_time_ns - round(seconds * NS), seconds, why)
        for each in messages
        if each.channel == IDS[GAP.topic]
        for seconds, _, why in (gap_of(each.data),)
    )


__all__ = (
    "Missing",
    "NotRecoveredError",
    "NotWaveformsError",
    "Recovered",
    "reads_back",
    "recover",
)
