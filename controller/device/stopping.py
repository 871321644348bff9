"""The way of a STOP: written in the caller's own stack, repeated until the unit shows it is safe.

Nothing here waits for anything: the first frame is on its way before `StopPath.stop` returns. The
guarantee is the unit's lease; this is the fast path.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from controller.device.answers import StopReport
from controller.safety.reading import VALVE_SHUT_PERCENT
from firmware_protocol.vocabulary import Mode, StopKind

STOP_REPEAT_S: Final = 0.020  # one telemetry period: a lost STOP costs no more than that
STOP_REPEAT_MAX_S: Final = 2.0  # 100 tries; the lease has shut the valve long before

SAFE_MODES: Final = {
    # A normal stop goes through STOPPING with a shut valve; that is no answer to an emergency.
    StopKind.NORMAL: frozenset({Mode.BOOT, Mode.DISARMED, Mode.STOPPING, Mode.SAFE}),
    StopKind.EMERGENCY: frozenset({Mode.BOOT, Mode.DISARMED, Mode.SAFE}),
}
"""The modes in which a unit with a shut valve has done what each stop asks for."""


class StopPath:
    """At most one stop at a time; an emergency overtakes a normal one that still waits."""

    def __init__(self, write: Callable[[StopKind], bool]) -> None:
        self._write = write
        self._report: asyncio.Future[StopReport] | None = None
        self._kind = StopKind.NORMAL
        self._since_s = 0.0
        self._frames = 0
        self._mode: Mode | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> bool:
        """True while a stop has not been confirmed yet."""
        return self._report is not None

    def stop(self, kind: StopKind) -> asyncio.Future[StopReport]:
        """Write STOP now and return the future of how it ended."""
        loop = asyncio.get_running_loop()
        if self._report is None:
            self._kind, self._since_s, self._frames, self._mode = kind, loop.time(), 0, None
        else:
            self._kind = max(kind, self._kind)
        if self._report is None or self._report.done():  # done: whoever waited was cancelled
            self._report = loop.create_future()
        report = self._report
        self.repeat()  # which ends the report where the bound of an earlier stop is over
        return report

    def repeat(self) -> None:
        """Write STOP again, and once more after a telemetry period, within the bound."""
        report = self._report
        if report is None:
            return
        if self._write(self._kind):
            self._frames += 1
        loop = report.get_loop()
        if self._timer is not None:
            self._timer.cancel()
        if loop.time() - self._since_s <= STOP_REPEAT_MAX_S:
            self._timer = loop.call_later(STOP_REPEAT_S, self.repeat)
        else:
            self._end(confirmed=False)

    def seen(self, mode: Mode, valve_percent: float) -> None:
        """Take the unit's word, from STOPPED or TELEMETRY; ends the stop when it is safe."""
        if self._report is None:
            return
        self._mode = mode
        if mode in SAFE_MODES[self._kind] and valve_percent <= VALVE_SHUT_PERCENT:
            self._end(confirmed=True)

    def close(self) -> None:
        """Give up: nobody will write any more."""
        self._end(confirmed=False)

    def _end(self, *, confirmed: bool) -> None:
        report, self._report = self._report, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if report is not None and not report.done():
            took_s = report.get_loop().time() - self._since_s
            report.set_result(StopReport(self._kind, confirmed, took_s, self._mode, self._frames))
