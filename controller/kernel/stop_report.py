"""Writes STOP, and a row about how it ended once the unit has shown that or the wait is over."""

import asyncio
from collections.abc import Callable

from controller.device.answers import StopReport
from controller.kernel.journal import Row
from controller.kernel.ports import Handpiece
from firmware_protocol.vocabulary import StopKind


class Stops:
    """The stops of one kernel; several that run into one another have one report."""

    def __init__(self, handpiece: Handpiece, note: Callable[[Row], None]) -> None:
        self._handpiece = handpiece
        self._note = note
        self._report: asyncio.Future[StopReport] | None = None

    def now(self, kind: StopKind, treatment: int) -> None:
        """Write STOP before returning."""
        report = self._handpiece.stop(kind)
        if report is not self._report:
            self._report = report
            report.add_done_callback(lambda done: self._ended(done, treatment))

    def _ended(self, report: asyncio.Future[StopReport], treatment: int) -> None:
        if report.cancelled():
            return
        said = report.result()
        body = {
            "kind": said.kind.name,
            "confirmed": said.confirmed,
            "took_ms": round(said.took_s * 1000, 1),
            "frames": said.frames,
        }
        self._note(Row("stop_report", body, treatment))
