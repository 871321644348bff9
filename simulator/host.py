"""A handpiece on an event loop: the loop's time paces the device, real or virtual.

The device ticks every 5 ms of its own time, but nobody outside can see a tick that sends nothing.
So the loop wakes only when the device writes by itself (every 20 ms) or when bytes arrive; the
ticks in between are caught up first, so that every byte has its right device time.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from simulator.handpiece import Handpiece
from simulator.line import Line, Weather

CATCH_UP_MAX_S: Final = 0.1
"""Half a lease. After a longer stall the device clock lags by the rest, as if the unit itself had
stood still: what the host wrote meanwhile lies unread, and to let the lease lapse first and read
then would blame the host for a processor that the simulator did not get. ``lagged_s`` says so."""
NAP_MIN_S: Final = 0.001  # a timer that fired a rounding early must not spin


class DeviceHost:
    """Runs one handpiece on ``loop``; ``write`` takes the bytes for the wire."""

    def __init__(
        self,
        handpiece: Handpiece,
        loop: asyncio.AbstractEventLoop,
        write: Callable[[bytes], None],
    ) -> None:
        """Power on at the loop's present time; `start` sets it going."""
        self.handpiece = handpiece
        self.silent = False
        """True: the line is dead in both directions, and nobody is told."""
        self.lagged_s = 0.0
        self.to_device: Line | None = None
        """Weather on the way to the device; None is a perfect line."""
        self.to_host: Line | None = None
        self._loop = loop
        self._write = write
        self._origin_s = loop.time() - handpiece.now_s
        self._timer: asyncio.TimerHandle | None = None

    def set_weather(self, weather: Weather) -> None:
        """Let the line misbehave in both directions from now on, from the device's seed."""
        seed = self.handpiece.seed
        self.to_device = Line(f"{seed} to device")
        self.to_host = Line(f"{seed} to host")
        self.to_device.weather = self.to_host.weather = weather

    def start(self) -> None:
        """Begin to run. The clock event says when the device's time 0 was on the loop's clock."""
        self._origin_s = self._loop.time() - self.handpiece.now_s
        self._tell_clock()
        self._wake()

    def stop(self) -> None:
        """Stand still for good."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def advance(self) -> float:
        """Run the device up to now and return now in device seconds."""
        now_s = self._loop.time() - self._origin_s
        behind_s = now_s - self.handpiece.now_s
        if behind_s > CATCH_UP_MAX_S:
            lost_s = behind_s - CATCH_UP_MAX_S
            self._origin_s += lost_s
            self.lagged_s += lost_s
            now_s -= lost_s
            self._tell_clock()
        self.handpiece.advance(now_s)
        return now_s

    def receive(self, data: bytes) -> None:
        """Take bytes off the wire."""
        now_s = self.advance()
        if self.silent:
            return
        if self.to_device is None:
            self.handpiece.receive(data, now_s)
        else:
            self.to_device.send(data, now_s)
        self._deliver(now_s)
        self._arm()

    def flush(self) -> None:
        """Run up to now and deliver what is due in both directions."""
        self._deliver(self.advance())
        self._arm()

    def _deliver(self, now_s: float) -> None:
        if self.to_device is not None:
            arrived = self.to_device.deliver(now_s)
            if arrived and not self.silent:
                self.handpiece.receive(arrived, now_s)
        data = self.handpiece.outgoing()
        if self.to_host is not None:
            if data:
                self.to_host.send(data, now_s)
            data = self.to_host.deliver(now_s)
        if data and not self.silent:
            self._write(data)

    def _wake(self) -> None:
        self._timer = None
        self._deliver(self.advance())
        self._arm(self._loop.time() + NAP_MIN_S)

    def _arm(self, earliest_s: float = 0.0) -> None:
        due_s = max(self._origin_s + self._due_s(), earliest_s)
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._wake)

    def _due_s(self) -> float:
        due_s = self.handpiece.report_due_s
        for line in (self.to_device, self.to_host):
            arrival_s = None if line is None else line.deadline_s()
            if arrival_s is not None:
                due_s = min(due_s, arrival_s)
        return due_s

    def _tell_clock(self) -> None:
        handpiece = self.handpiece
        handpiece.events(
            {
                "t_s": round(handpiece.now_s, 6), "kind": "clock",
                "zero_on_loop_s": round(self._origin_s, 6), "lagged_s": round(self.lagged_s, 6),
            }
        )  # fmt: skip
