"""The witness: what the device says it really did, in its own time. Nothing else is believed."""

import json
import time
from pathlib import Path
from typing import Any

LOOK_S = 0.01
SHUT_PERCENT = 1.0

Happened = dict[str, Any]


class Witness:
    """The event file of one simulated handpiece, read while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: list[Happened] = []
        self._read_to = 0

    def events(self, kind: str | None = None, since_s: float = 0.0, **values: object) -> list[Any]:
        """Return what happened from ``since_s`` on, of this kind and with these values."""
        self._read_on()
        return [
            event
            for event in self._known
            if event["t_s"] >= since_s
            and kind in {None, event["kind"]}
            and all(event.get(name) == value for name, value in values.items())
        ]

    def _read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            whole, end, _ = file.read().rpartition(b"\n")  # the last line may be half written
        self._known += map(json.loads, whole.splitlines())
        self._read_to += len(whole) + len(end)

    def wait_for(
        self, kind: str, within_s: float, since_s: float = 0.0, **values: object
    ) -> Happened:
        """Return the first such event, waiting for it in real time."""
        end_s = time.monotonic() + within_s
        while True:
            found = self.events(kind, since_s, **values)
            if found:
                return dict(found[0])
            if time.monotonic() >= end_s:
                raise AssertionError(
                    f"no {kind} {values} within {within_s} s: {self.events()[-12:]}"
                )
            time.sleep(LOOK_S)

    def device_s(self, monotonic_s: float) -> float:
        """Return the device's time at a time of this machine's monotonic clock."""
        return monotonic_s - float(self.events("clock")[-1]["zero_on_loop_s"])

    # -- the mode ----------------------------------------------------------------------------------
    @property
    def mode(self) -> str:
        """The newest mode."""
        return str(self.events("mode")[-1]["mode"])

    def modes(self, since_s: float = 0.0) -> list[str]:
        """Return the modes that were entered, in order."""
        return [str(event["mode"]) for event in self.events("mode", since_s)]

    # -- the valve ---------------------------------------------------------------------------------
    def open_at(self, t_s: float) -> bool:
        """Return whether the crystal valve was open at ``t_s``."""
        before = [event for event in self.events("valve") if event["t_s"] <= t_s]
        return bool(before) and before[-1]["open_percent"] > SHUT_PERCENT

    def shut_s(self, since_s: float) -> float:
        """Return when the valve was shut for the first time from ``since_s`` on."""
        if not self.open_at(since_s):
            return since_s
        shut = [
            float(event["t_s"])
            for event in self.events("valve", since_s)
            if event["open_percent"] <= SHUT_PERCENT
        ]
        if not shut:
            raise AssertionError(f"the valve never shut: {self.events()[-12:]}")
        return shut[0]

    def openings(self, since_s: float) -> list[Any]:
        """Return the events of an open valve from ``since_s`` on."""
        return [
            event for event in self.events("valve", since_s) if event["open_percent"] > SHUT_PERCENT
        ]

    def open_for_s(self) -> float:
        """Return how long the valve was open in all."""
        total_s, opened_s = 0.0, None
        for event in self.events("valve"):
            is_open = event["open_percent"] > SHUT_PERCENT
            if is_open and opened_s is None:
                opened_s = float(event["t_s"])
            elif not is_open and opened_s is not None:
                total_s += float(event["t_s"]) - opened_s
                opened_s = None
        return total_s
