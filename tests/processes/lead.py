"""A screen that leads a treatment of a real kernel: asks, watches, and confirms each line."""

import contextlib
import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.api.ask import dial

SILENT_MAX_S = 60.0
"""No test holds a kernel up for so long; it bounds a thread whose kernel never comes back."""


class LeadingScreen:
    """One connection with a thread that reads it, as long as the kernel lives or until `close`."""

    def __init__(self, path: Path, who: Mapping[str, str], timeout_s: float) -> None:
        self._who = dict(who)
        self._line = dial(path, timeout_s)
        self._lines = self._line.makefile("rb")
        self._thread = threading.Thread(target=self._watch, name="screen", daemon=True)

    def ask(self, do: str, args: Mapping[str, object]) -> dict[str, Any]:
        """Ask over this connection and return the answer; watch from then on."""
        self._say(do, args)
        answer: dict[str, Any] = json.loads(self._lines.readline())
        self._line.settimeout(SILENT_MAX_S)
        self._thread.start()
        return answer

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):  # the kernel did
            self._line.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join(SILENT_MAX_S)
        self._lines.close()
        self._line.close()

    def _watch(self) -> None:
        try:
            self._say("watch", {})
            for line in self._lines:
                said = json.loads(line)
                if "n" in said:
                    self._say("seen", {"n": said["n"]})
        except (OSError, ValueError):
            pass  # hung up

    def _say(self, do: str, args: Mapping[str, object]) -> None:
        request = {"id": 1, "do": do, "who": self._who, "args": dict(args)}
        self._line.sendall(json.dumps(request).encode() + b"\n")
