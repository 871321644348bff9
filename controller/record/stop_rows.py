"""The rows of stops: the first at once, repeats counted, so that a flood fills no record."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from controller.record.journal import Row
from controller.treatment.kinds import Kind

PERIOD_S: Final = 1.0
"""One row of a kind within this time; the next one says how many there were."""

Key = tuple[str, object]


class Ended(Protocol):
    """How a stop ended."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures of it, as they stand in its row."""
        ...


EndedT = TypeVar("EndedT", bound=Ended)


class StopRows:
    """Notes stops and how they ended. What ends a treatment has a row of its own, not here."""

    def __init__(self, note: Callable[[Row], None]) -> None:
        self._note = note
        self._due_s: dict[Key, float] = {}
        """When each kind of row may be written again: two kinds of row by two kinds of stop."""
        self._held: dict[Key, Row] = {}
        self._times: dict[Key, int] = {}
        self._report: object = None

    def pass_on(self, row: Row, now_s: float) -> None:
        """Note ``row``, and count it where it is of a repeated stop."""
        if row.kind == Kind.STOP:
            self.add(row, now_s)
        else:
            self._note(row)

    def add(self, row: Row, now_s: float) -> None:
        """Write a row now, or count it until `tick` finds that its second is over."""
        key = (row.kind, row.body.get("kind"))
        self._held[key] = row
        self._times[key] = self._times.get(key, 0) + 1
        if self._due_s.get(key, now_s) <= now_s:
            self._write(key, now_s)

    def tick(self, now_s: float) -> None:
        """Write what was counted and whose second is over."""
        for key in tuple(self._held):
            if self._due_s[key] <= now_s:
                self._write(key, now_s)

    def follow(self, report: asyncio.Future[EndedT], treatment: int) -> None:
        """Write how a stop ended, once for each."""
        if report is not self._report:
            self._report = report
            report.add_done_callback(lambda done: self._ended(done, treatment))

    def _ended(self, report: asyncio.Future[EndedT], treatment: int) -> None:
        if report.cancelled():
            return
        row = Row(Kind.STOP_REPORT, report.result().as_dict(), treatment)
        self.add(row, report.get_loop().time())

    def _write(self, key: Key, now_s: float) -> None:
        row, times = self._held.pop(key), self._times.pop(key)
        self._due_s[key] = now_s + PERIOD_S
        again = {} if times == 1 else {"times": times}
        self._note(row._replace(body={**row.body, **again}))
