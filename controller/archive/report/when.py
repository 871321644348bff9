"""Instants as a report says them: on the clock of one time zone, which the report names."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

UNKNOWN: Final = "not known"
NOTHING: Final = "—"
"""Stands in a table where there is no figure."""

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class When:
    """Says instants; without a zone on the clock of this computer."""

    zone: tzinfo | None = None

    def at(self, wall_s: float | None) -> datetime | None:
        """Return an instant on this clock; None where no clock can show it."""
        try:
            return (
                None
                if wall_s is None
                else datetime.fromtimestamp(wall_s, UTC).astimezone(self.zone)
            )
        except (OverflowError, OSError, ValueError):
            return None

    def minute(self, wall_s: float | None) -> str:
        """Return date and time to the minute."""
        at = self.at(wall_s)
        return UNKNOWN if at is None else f"{self.day(wall_s)}, {at:%H:%M}"

    def second(self, wall_s: float | None) -> str:
        """Return the time of day to the second."""
        at = self.at(wall_s)
        return UNKNOWN if at is None else f"{at:%H:%M:%S}"

    def day(self, wall_s: float | None) -> str:
        """Return the date."""
        at = self.at(wall_s)
        return UNKNOWN if at is None else f"{at.day} {_MONTHS[at.month - 1]} {at.year}"

    def short_day(self, wall_s: float | None) -> str:
        """Return the date with a short month, for a table."""
        at = self.at(wall_s)
        return UNKNOWN if at is None else f"{at.day} {_MONTHS[at.month - 1][:3]} {at.year}"

    def zone_words(self, wall_s: float) -> str:
        """Return the name of the zone and how far it is from UTC at an instant."""
        at = self.at(wall_s)
        if at is None:
            return UNKNOWN
        offset = f"{at:%z}"
        ahead = f"UTC{offset[:3]}:{offset[3:5]}"
        name = getattr(self.zone, "key", None) or at.tzname() or ""
        return ahead if name in {"", "UTC"} else f"{name}, {ahead}"


def parts_utc(wall_s: float) -> tuple[int, int, int, int, int, int]:
    """Return year, month, day, hour, minute, second of an instant; the epoch where it is none."""
    at = When(UTC).at(wall_s) or datetime.fromtimestamp(0, UTC)
    return at.year, at.month, at.day, at.hour, at.minute, at.second
