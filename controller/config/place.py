"""Where a mistake stands in a file, as whoever has it open in an editor sees it: line and table.

The text is read again for that, so that nothing but a mistake pays for line numbers.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controller.config.errors import ConfigError
from controller.config.lines import Location, lines_of
from controller.config.toml_file import read_text

_UNKNOWN: Final[Mapping[Location, int]] = MappingProxyType({})
_TEENS: Final = range(10, 20)
_ENDINGS: Final = MappingProxyType({1: "st", 2: "nd", 3: "rd"})


def mistake(path: Path, place: Location, words: str) -> ConfigError:
    """Return the error of ``path`` that says ``words`` of one place in it."""
    lines = _lines_in(path)
    line = _line_at(lines, place)
    where = "" if line is None else f"line {line}, "
    sentence = f"{path}, {where}{_seen(lines, place)}{words}"
    return ConfigError(sentence, file=path, field=place_of(place))


def place_of(location: Location) -> str:
    """Return a location as people count: ``("stages", 0, "passes")`` is ``stages[1].passes``."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _lines_in(path: Path) -> Mapping[Location, int]:
    try:
        text = read_text(path)
        tomllib.loads(text)
    except (ConfigError, tomllib.TOMLDecodeError):  # it has changed since it was read
        return _UNKNOWN
    return lines_of(text)


def _line_at(lines: Mapping[Location, int], place: Location) -> int | None:
    """Return the line of a place, else of the table that lacks it; None of the file itself."""
    return next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)


def _seen(lines: Mapping[Location, int], place: Location) -> str:
    """Name a place by what stands in the file: lists of tables by their header, by number."""
    text, at = "", 0
    for number, part in enumerate(place[:-1]):
        if isinstance(part, int) and isinstance(place[number + 1], str):
            name = place_of(place[at:number])
            several = (*place[:number], 1) in lines
            which = f"the {_ordinal(part + 1)} " if several else ""
            text += f"in {which}[[{name}]], "
            at = number + 1
    return text + place_of(place[at:])


def _ordinal(number: int) -> str:
    teen = number % 100 in _TEENS
    return f"{number}{'th' if teen else _ENDINGS.get(number % 10, 'th')}"
