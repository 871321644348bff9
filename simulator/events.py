"""The event file: what the device really did, one JSON object a line, written through at once."""

import json
from pathlib import Path
from typing import TextIO

from simulator.handpiece import Happening


class EventFile:
    """A sink for `Handpiece.events`. A disk that fills up ends the record, never the device."""

    def __init__(self, path: Path) -> None:
        """Create or empty the file; OSError where that is not possible."""
        self.failed: OSError | None = None
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)

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
