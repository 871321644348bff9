"""The event file: what the device really did, one JSON object a line, written through at once."""

import fcntl
import json
from pathlib import Path
from typing import TextIO

from simulator.handpiece import Happening


class EventFile:
    """A sink for `Handpiece.events`. A disk that fills up ends the record, never the device."""

    def __init__(self, path: Path) -> None:
        """Create or empty the file; OSError where that is not possible.

        BlockingIOError: another process writes it.
        """
        self.failed: OSError | None = None
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        if path.is_file():  # and no pipe or device, which many may write
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._file.truncate(0)
            except OSError:
                self._file.close()
                raise

    def write(self, happening: Happening) -> None:
        """Append one line."""
        if self.failed is not None:
            return
        try:
            self._file.write(json.dumps(happening) + "\n")
            self._file.flush()
        except OSError as error:
            self.failed = error

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:
            self.failed = self.failed or error
