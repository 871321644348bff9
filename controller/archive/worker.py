"""Takes what is in the queue, turn by turn, and writes it into the file of its treatment.

A turn reads all there is, writes it and gives it to the system; then it rests. So a kill takes no
more than one turn had taken out, and what the kernel puts into the queue meanwhile is there for
the next one. Standard output gets one JSON object a line: what is told of a file that is finished,
or why there will be none.
"""

import contextlib
import json
import os
import select
import struct
import sys
import time
from collections.abc import Callable, Mapping
from mmap import mmap
from pathlib import Path
from typing import Any, Final

from controller.archive import recording
from controller.archive.recording import Recording
from controller.archive.salvage import NotWaveformsError, plain, salvage
from controller.record.waveform_process import file_name
from controller.record.waveform_samples import RECORD_BYTES, Records, Sample, Text

TURN_S: Final = 0.25
"""A kill takes at most what came in one turn, and one second is what it may take."""

READ_BYTES: Final = 512 * RECORD_BYTES
UNDER_WAY: Final = struct.Struct("<q")
"""The number of the treatment whose file is open, or 0, in memory that keeper and workers share."""

EXIT_OK: Final = 0
EXIT_DISK: Final = 74  # EX_IOERR of sysexits.h

ENDED: Final = "ended"
HEARD_LATE: Final = "the next treatment began"


class Recorder:
    """Takes from the queue and writes, one file at a time."""

    def __init__(self, folder: Path, shared: mmap) -> None:
        """Write into ``folder``; ``shared`` outlives a worker, and says what is under way."""
        self._folder = folder
        self._shared = shared
        self._records = Records()
        self._open: Recording | None = None

    def go_on(self) -> None:
        """Go on with the file of a treatment whose worker has died. Raises OSError."""
        (treatment,) = UNDER_WAY.unpack_from(self._shared)
        path = self._folder / file_name(treatment)
        try:
            found = salvage(path)
        except NotWaveformsError:
            return  # none, or none yet: the kernel will say its beginning again
        said = found.metadata.get("treatment")
        if said is None or found.finished:
            return
        self._open = Recording(path, plain(said))
        self._open.open_after(found)
        _say({"began": treatment})

    def take(self, data: bytes) -> None:
        """Write what was taken from the queue. Raises OSError."""
        for each in self._records.take(data):
            if isinstance(each, Sample):
                if self._open is not None:
                    self._open.take(each)
            else:
                self._text(*each)
        if self._open is not None:
            self._open.flush()

    def close(self, how: str) -> None:
        """Finish the file that is open, and tell of it. Raises OSError."""
        if self._open is not None:
            _say({"treatment": self._open.treatment, **self._open.finish(how)})
            self._open = None
            UNDER_WAY.pack_into(self._shared, 0, 0)

    def failed(self, error: OSError) -> None:
        """Tell why there will be no more of the file that is open."""
        if self._open is not None:
            why = f"The file of waveforms cannot be written ({error.strerror})."
            _say(
                {
                    "treatment": self._open.treatment,
                    "file": self._open.path.name,
                    "why": why,
                    "lost_samples": 0,
                }
            )

    def _text(self, kind: Text, said: Mapping[str, Any]) -> None:
        if kind is Text.BEGIN:
            if self._open is not None and self._open.treatment == int(said["treatment"]):
                return
            self.close(HEARD_LATE)
            self._open = Recording(self._folder / file_name(int(said["treatment"])), said)
            self._open.open()
            UNDER_WAY.pack_into(self._shared, 0, self._open.treatment)
            _say({"began": self._open.treatment})
        elif self._open is not None and kind is Text.ALARM:
            self._open.alarm(said)
        elif self._open is not None and said["treatment"] == self._open.treatment:
            self._open.end(said)
            self.close(ENDED)


def _say(said: Mapping[str, Any]) -> None:
    """Say one line; a kernel that is gone hears it no more."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def work(folder: Path, queue: int, shared: mmap, alive: Callable[[], bool]) -> int:
    """Record until the queue is closed, or the keeper is not ``alive``; returns the exit code."""
    os.set_blocking(queue, False)  # whoever started us may have changed it, for both of us
    recorder = Recorder(folder, shared)
    try:
        recorder.go_on()
        while alive():
            select.select([queue], [], [])
            data, closed = _taken(queue)
            recorder.take(data)
            if closed:
                recorder.close(recording.CUT_SHORT)
                return EXIT_OK
            time.sleep(TURN_S)
    except OSError as error:
        recorder.failed(error)
        return EXIT_DISK
    return EXIT_OK


def _taken(queue: int) -> tuple[bytes, bool]:
    """Return all that is in the queue, and whether it was closed."""
    pieces: list[bytes] = []
    while True:
        try:
            piece = os.read(queue, READ_BYTES)
        except BlockingIOError:
            return b"".join(pieces), False
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)
