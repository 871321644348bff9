"""How values are said on a terminal: numbers with units, states and bars."""

from datetime import UTC, datetime
from typing import Final

from controller.api.snapshot import AlarmView, LinkView, LiveView, Snapshot, UnitView
from controller.safety.guide_texts import GUIDES, HELD, NO_SCREEN, PRESS
from controller.safety.interlocks import STALE_MAX_S

BAR_WIDTH: Final = 7
UNKNOWN: Final = "—"
HOLDING: Final = frozenset({HELD.code, NO_SCREEN.code})
"""Alarms with which somebody has to resume before the hand switch does anything."""

UNDER_WAY: Final = frozenset({"preparing", "arming", "armed", "active", "paused"})
"""States in which a treatment may still be paused."""

_OTHER_GUIDES: Final = frozenset(GUIDES) - HOLDING - {PRESS.code}
"""Alarms that tell the hand something else than the state would."""

MS_PER_S: Final = 1000.0
READING_OLD_MS: Final = MS_PER_S * STALE_MAX_S
"""An older reading shows what was: a treatment trips on it."""

IDENTIFIED: Final = "identified"
"""The state of a link with its unit on it."""

STATE_WORDS: Final = {
    "idle": "idle",
    "preparing": "preparing the unit",
    "arming": "arming",
    "armed": "armed: press the hand switch",
    "active": "treating",
    "paused": "paused: press the hand switch to go on",
    "stopping": "stopping: purge, then vent",
    "tripped": "SAFETY TRIP",
    "cleared": "trip cleared",
    "completed": "completed",
    "stopped": "stopped",
    "refused": "refused",
}


def quantity(value: float | None, unit: str, decimals: int = 1) -> str:
    """Return a number with its unit; a dash where nothing is known."""
    return f"{UNKNOWN} {unit}" if value is None else f"{value:.{decimals}f} {unit}"


def instant(wall_s: float) -> str:
    """Return an instant on the clock of this room; a dash where no clock can show it."""
    try:
        return datetime.fromtimestamp(wall_s, UTC).astimezone().isoformat(" ", "seconds")
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def state_words(snapshot: Snapshot) -> str:
    """Return the state, with the one thing to do next where no alarm says another one."""
    state = snapshot.state
    codes = {alarm.code for alarm in snapshot.alarms}
    words = STATE_WORDS.get(state, state)
    if state == "paused" and HOLDING & codes:
        return "paused: resume (p), then release and press the hand switch"
    if _OTHER_GUIDES & codes or (HOLDING & codes and state in UNDER_WAY):
        return words.partition(":")[0]
    if state == "paused" and snapshot.live is not None and snapshot.live.switch:
        return "paused: release the hand switch, then press it to go on"
    return words


def alarm_words(alarm: AlarmView) -> str:
    """Return an alarm as one line; of several that guide the hand only the first has a step."""
    return f"{alarm.priority.upper()} {alarm.code}: {alarm.sentence} {alarm.next_step}".rstrip()


def age_words(age_ms: float | None) -> str:
    """Return how long ago something was."""
    if age_ms is None:
        return "never"
    return f"{age_ms:.0f} ms ago" if age_ms < MS_PER_S else f"{age_ms / MS_PER_S:.0f} s ago"


def reading_words(live: LiveView) -> str:
    """Return how old a reading is, and that it is old where it shows no present."""
    read = f"read {age_words(live.age_ms)}"
    return read if live.age_ms <= READING_OLD_MS else f"OLD: {read}"


def unit_words(unit: UnitView | None, link: LinkView) -> str:
    """Return which unit is there, or that it is lost: since when, and why."""
    if unit is None:
        return f"no unit: {link.trouble or link.state}"
    if link.state == IDENTIFIED:
        simulated = ", simulated" if unit.simulated else ""
        heard = age_words(link.age_ms)
        return f"unit {unit.serial}, firmware {unit.firmware}{simulated}, heard {heard}"
    why = f": {link.trouble}" if link.trouble else ""
    return f"unit {unit.serial} is LOST, last heard {age_words(link.age_ms)}{why}"


def outcome_words(outcome: str | None, state: str, *, recorded: bool | None) -> str:
    """Return how a treatment ended; what the record does not hold is not told as an outcome."""
    if outcome is not None:
        return outcome
    return f"{state}, not recorded" if recorded is False else "under way"


def share(part: float, whole: float) -> float:
    """Return part over whole, held to 0 to 1; 0 where there is no whole."""
    return min(1.0, max(0.0, part / whole)) if whole > 0.0 else 0.0


def bar(part: float, whole: float, width: int = BAR_WIDTH) -> str:
    """Return a bar of blocks that a screen reader can skip: the number always stands beside it."""
    filled = round(share(part, whole) * width)
    return "█" * filled + "░" * (width - filled)
