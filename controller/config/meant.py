"""What people mean who write a value as they would on paper: 14,5 or 1.3.2027 or no.

Only what can mean one thing alone is understood; what could mean two is asked for in its form.
"""

import re
from datetime import date
from typing import Final

DATE_EXAMPLE: Final = "2027-03-01"
_CENTURY: Final = 2000
_SHORT_YEAR: Final = 2  # digits
_TRUE: Final = frozenset({"true", "yes", "y", "on", "ja", "wahr", "oui", "si", "sí"})
_FALSE: Final = frozenset({"false", "no", "n", "off", "nein", "falsch", "non"})
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_DAY_FIRST: Final = re.compile(r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4}|\d{2})")
_YEAR_FIRST: Final = re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})")
_SOME_DATE: Final = re.compile(r"\d{1,4}[-/.]\s?\d{1,2}[-/.]\s?\d{1,4}")


def truth_meant(text: str) -> str:
    """Return true or false for a word that means it; nothing for any other."""
    word = text.strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else ""


def number_meant(text: str) -> str:
    """Return the number in ``text`` with a decimal point; nothing where it is none."""
    word = text.strip().replace(",", ".")
    return word if _NUMBER.fullmatch(word) else ""


def date_meant(text: str) -> str:
    """Return the date in ``text`` with the year first; nothing where it is none, or could be two.

    With points the day comes first everywhere; with strokes it depends on the country.
    """
    found = _DAY_FIRST.fullmatch(text.strip()) or _YEAR_FIRST.fullmatch(text.strip())
    if found is None:
        return ""
    year = int(found["y"]) + (_CENTURY if len(found["y"]) == _SHORT_YEAR else 0)
    try:
        return date(year, int(found["m"]), int(found["d"])).isoformat()
    except ValueError:  # the 30th of February
        return ""


def looks_like_a_date(text: str) -> bool:
    """Return True for three numbers as a date has them, whatever comes first."""
    return _SOME_DATE.fullmatch(text.strip()) is not None
