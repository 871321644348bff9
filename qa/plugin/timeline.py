"""What a device did, to be asked and to be shown: pure functions over its events."""

from collections.abc import Sequence
from typing import Final

from simulator.handpiece import VALVE_SHUT_PERCENT, Happening

LINES_MAX: Final = 30
HERE: Final = "  >"


def time_of(event: Happening) -> float:
    """Return the device seconds of an event."""
    return float(str(event["t_s"]))


def matching(
    events: Sequence[Happening], kind: str, since_s: float, **values: object
) -> list[Happening]:
    """Return the events of a kind from ``since_s`` on that have these values."""
    return [
        event
        for event in events
        if event["kind"] == kind
        and time_of(event) >= since_s
        and all(event.get(name) == value for name, value in values.items())
    ]


def open_percent_at(events: Sequence[Happening], t_s: float) -> float:
    """Return how far the crystal valve really was open at a time."""
    percent = 0.0
    for event in events:
        if event["kind"] == "valve" and time_of(event) <= t_s:
            percent = float(str(event["open_percent"]))
    return percent


def is_open(percent: float) -> bool:
    """True where crystals can pass."""
    return percent > VALVE_SHUT_PERCENT


def shut_s(events: Sequence[Happening], since_s: float) -> float | None:
    """Return when the valve was shut for the first time from ``since_s`` on; None is never."""
    if not is_open(open_percent_at(events, since_s)):
        return since_s
    for event in matching(events, "valve", since_s):
        if not is_open(float(str(event["open_percent"]))):
            return time_of(event)
    return None


def openings(events: Sequence[Happening], since_s: float) -> list[Happening]:
    """Return the events of an open valve from ``since_s`` on."""
    return [
        event
        for event in matching(events, "valve", since_s)
        if is_open(float(str(event["open_percent"])))
    ]


def rendered(
    events: Sequence[Happening], from_s: float, to_s: float, here_s: float | None = None
) -> str:
    """Return the timeline between two times, a line each; ``here_s`` is marked."""
    shown = [event for event in events if from_s <= time_of(event) <= to_s]
    lines = [_line(event, "   ") for event in shown]
    if here_s is not None:
        at = sum(time_of(event) <= here_s for event in shown)
        lines.insert(at, f"{HERE}{here_s:10.3f}  ---")
        first = max(0, min(at - LINES_MAX // 3, len(lines) - LINES_MAX))
    else:
        first = max(0, len(lines) - LINES_MAX)
    cut = lines[first : first + LINES_MAX]
    if first > 0:
        cut.insert(0, f"   (and {first} before)")
    if first + LINES_MAX < len(lines):
        cut.append(f"   (and {len(lines) - first - LINES_MAX} after)")
    return "\n".join(["timeline, device seconds:", *(cut or ["   nothing happened"])])


def _line(event: Happening, mark: str) -> str:
    values = " ".join(
        f"{name}={_word(value)}" for name, value in event.items() if name not in {"t_s", "kind"}
    )
    return f"{mark}{time_of(event):10.3f}  {event['kind']:<9} {values}".rstrip()


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
