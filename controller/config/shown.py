"""A value as it stands in a file, for a sentence about it."""

import math
from typing import Any, Final

SHOWN_MAX: Final = 60
"""Characters of a value that are repeated in a sentence."""


def shown(value: object) -> str:
    """Return a value as it stands in a file, on one line, cut where it is long."""
    text = f'"{value}"' if isinstance(value, str) else _plain(value)
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]} ..."


def is_number(value: object) -> bool:
    """Return True for a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:  # noqa: ANN401  whatever stood in the file
    """Return True for a number that is one."""
    return is_number(value) and math.isfinite(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else str(value)
