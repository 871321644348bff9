"""What was removed, or would be, zone by zone: in parts of the stratum corneum and in hours."""

from collections.abc import Iterable
from typing import Final

from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN
from controller.safety.effect import PERCENT, hours_in_words, percent_in_words

NAMES: Final = ("zone", "of the stratum corneum", "layers", "shed by itself in about")

Row = tuple[str, float | None, float | None, float | None]
"""A zone, and of its nominal depth the share in percent, the layers and the hours of shedding."""


def sheet(rows: Iterable[Row]) -> Sheet:
    """Return the table of these zones; a dash where nothing is known."""
    return Sheet(NAMES, [_cells(*row) for row in rows])


def _cells(
    zone: str, share_percent: float | None, layers: float | None, shedding_h: float | None
) -> tuple[str, ...]:
    if share_percent is None or layers is None or shedding_h is None:
        return zone, UNKNOWN, UNKNOWN, UNKNOWN
    return (
        zone,
        f"{percent_in_words(share_percent / PERCENT)} %",
        f"{layers:.2f}",
        hours_in_words([shedding_h]) if shedding_h > 0.0 else UNKNOWN,
    )
