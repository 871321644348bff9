"""Where in a TOML text a field stands: line numbers for mistakes.

`tomllib` reads the values and forgets the lines. This scanner reads only the shape (headers, keys,
brackets, strings), of text that `tomllib` has accepted before.
"""

from collections.abc import Mapping
from typing import Final

Location = tuple[int | str, ...]

_BLANK: Final = " \t\r\n,"
_CLOSERS: Final = {"[": "]", "{": "}"}
_QUOTES: Final = ('"""', "'''", '"', "'")


def lines_of(text: str) -> Mapping[Location, int]:
    """Return the line, from 1, of every table, key and element of a list."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


def line_of(lines: Mapping[Location, int], location: Location) -> int:
    """Return the line of a place, or of the innermost table around it that there is."""
    for length in range(len(location), 0, -1):
        line = lines.get(location[:length])
        if line is not None:
            return line
    return 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Location, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[Location, int] = {}

    def scan(self) -> None:
        table: Location = ()
        while self._skip_blank():
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _skip_blank(self) -> bool:
        """Go to the next thing that counts; False at the end."""
        text = self._text
        while self._at < len(text):
            if text[self._at] == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif text[self._at] in _BLANK:
                self._at += 1
            else:
                return True
        return False

    def _header(self) -> Location:
        line = self._line()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        names = self._key("]")
        self._at += 2 if double else 1
        location = self._resolved(names[:-1])
        location = (*location, names[-1])
        if double:
            number = self._counts.get(location, -1) + 1
            self._counts[location] = number
            self.lines.setdefault(location, line)
            location = (*location, number)
        self.lines[location] = line
        return location

    def _resolved(self, names: tuple[str, ...]) -> Location:
        """Return the place of a dotted name, in the newest element of each list of tables."""
        location: Location = ()
        for name in names:
            location = (*location, name)
            if location in self._counts:
                location = (*location, self._counts[location])
        return location

    def _pair(self, table: Location) -> None:
        line = self._line()
        location = table
        for name in self._key("="):
            location = (*location, name)
            self.lines.setdefault(location, line)
        self._at += 1
        self._value(location)

    def _key(self, end: str) -> tuple[str, ...]:
        """Read a dotted name up to ``end``."""
        names = [""]
        while self._at < len(self._text) and self._text[self._at] != end:
            mark = self._text[self._at]
            if mark in "\"'":
                names[-1] += self._string()
                continue
            if mark == ".":
                names.append("")
            elif mark not in _BLANK:
                names[-1] += mark
            self._at += 1
        return tuple(names)

    def _value(self, location: Location) -> None:
        if not self._skip_blank():
            return
        mark = self._text[self._at]
        if mark in _CLOSERS:
            self._bracket(location, mark)
        elif mark in "\"'":
            self._string()
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}\n#":
                self._at += 1

    def _bracket(self, location: Location, opener: str) -> None:
        self._at += 1
        number = 0
        while self._skip_blank() and self._text[self._at] != _CLOSERS[opener]:
            if opener == "{":
                self._pair(location)
            else:
                self.lines[*location, number] = self._line()
                self._value((*location, number))
                number += 1
        self._at += 1

    def _string(self) -> str:
        quote = next(mark for mark in _QUOTES if self._text.startswith(mark, self._at))
        begin = self._at = self._at + len(quote)
        while self._at < len(self._text) and not self._text.startswith(quote, self._at):
            self._at += 2 if self._text[self._at] == "\\" and quote[0] == '"' else 1
        said = self._text[begin : self._at]
        self._at += len(quote)
        return said
