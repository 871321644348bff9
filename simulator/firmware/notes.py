"""What the firmware tells whoever records it: things that happened, with their device time."""

from typing import Final, NamedTuple

NOTES_MAX: Final = 1024  # undrained notes are dropped from the oldest; a tick writes a handful

Value = str | int | float | bool


class Note(NamedTuple):
    """One thing that happened."""

    t_s: float
    kind: str
    values: tuple[tuple[str, Value], ...] = ()
