"""From a text that is not TOML to one sentence: line, field, what stands there, what to write.

A parser says what it expected; whoever edits a file knows what was meant. So the line is looked at
for what people write: decimal commas, dates of their country, words without quotes, units.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from controller.config.meant import (
    DATE_EXAMPLE,
    date_meant,
    looks_like_a_date,
    number_meant,
    truth_meant,
)
from controller.config.units import unit_of

SHOWN_MAX: Final = 60
"""Characters of a line that are repeated in a sentence."""

_PLACED: Final = re.compile(r"^(?P<what>.*?) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)
_PAIR: Final = re.compile(r"^\s*(?P<field>[\w.\"'-]+)\s*=\s*(?P<value>.*)$")
_HEADER: Final = re.compile(r"^\s*\[+\s*(?P<name>[\w.-]*)")
_COLON: Final = re.compile(r"^\s*(?P<field>[\w-]+)\s*:\s*(?P<value>.*)$")
_SPACED: Final = re.compile(r"^\s*(?P<field>\w+([ \t]+\w+)+)\s*=")
_OPENS: Final = re.compile(r"^\s*(?P<field>[\w.-]+)\s*=\s*\[")
_REMARKS: Final = ("//", ";", "--", "/*")
_REMARK: Final = re.compile(r"\s*#[^\"']*$")
_WITH_UNIT: Final = re.compile(r"(?P<number>[+-]?\d[\d.,]*)\s*(?P<unit>[^\W\d_][\w/%²°. ]*|%)")
_CURLY: Final = str.maketrans(
    {**dict.fromkeys("“”„«»", '"'), **dict.fromkeys("\u2018\u2019\u201a", "'")}
)
_KEY: Final = re.compile(r"[A-Za-z0-9_.\"'-]+")
_TWICE: Final = ("Cannot declare", "Cannot overwrite", "Cannot mutate", "Cannot redef", "Duplicate")


class Syntax(NamedTuple):
    """What keeps a text from being read."""

    line: int
    field: str
    """The field whose value cannot be read, or nothing."""
    what: str
    """What stands there and what to write, to be put behind the line's number."""


class _Spot(NamedTuple):
    """Where the parser stopped, and what it said."""

    lines: Sequence[str]
    line: int
    said: str

    @property
    def text(self) -> str:
        return self.lines[self.line - 1]


def syntax_words(error: ValueError, text: str) -> Syntax:
    """Return what keeps ``text`` from being TOML, from what its parser says."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    placed = _PLACED.match(str(error))
    line = len(lines) if placed is None else min(int(placed["line"]), len(lines))
    spot = _Spot(lines, line, str(error) if placed is None else placed["what"])
    for look in (_unseen, _twice, _unclosed, _header, _value, _nothing_like_it):
        found = look(spot)
        if found is not None:
            return found
    return Syntax(line, "", f"{_cut(spot.text)} cannot be read; write NAME = VALUE.")


def _cut(text: str) -> str:
    bare = " ".join(text.split())
    return bare if len(bare) <= SHOWN_MAX else f"{bare[:SHOWN_MAX]} ..."


# -- the shape of a line ---------------------------------------------------------------------------
def _unseen(spot: _Spot) -> Syntax | None:
    """A character that no editor shows: of a copied page, or of a file that is no text."""
    outside = _outside(spot.text)
    hidden = [char for char in outside if not char.isprintable() and char != "\t"]
    hidden += [char for char in outside if char.isspace() and char not in " \t"]
    if spot.said.startswith(("Found invalid", "Illegal")):
        hidden += [char for char in spot.text if ord(char) < ord(" ") and char != "\t"]
    if not hidden:
        return None
    code = f"U+{ord(hidden[0]):04X}"
    return Syntax(spot.line, "", f"has a character that cannot be seen ({code}); remove it.")


def _twice(spot: _Spot) -> Syntax | None:
    if not spot.said.startswith(_TWICE):
        return None
    header, pair = _HEADER.match(spot.text), _PAIR.match(spot.text)
    earlier = range(spot.line - 1, 0, -1)
    if header is not None:
        name = header["name"]
        first = next((n for n in earlier if _is_header_of(spot.lines[n - 1], name)), None)
        again = f", first in line {first}" if first else ""
        what = f"the table [{name}] stands there twice{again}; keep one"
        return Syntax(spot.line, "", f"{what}, or write [[{name}]] where there may be several.")
    field = "" if pair is None else pair["field"]
    first = None
    for number in earlier:
        known = _PAIR.match(spot.lines[number - 1])
        if known is not None and known["field"] == field:
            first = number
        elif _HEADER.match(spot.lines[number - 1]):
            break
    again = f", first in line {first}" if first else ""
    return Syntax(spot.line, field, f"{field or 'a field'} stands there twice{again}; keep one.")


def _is_header_of(line: str, name: str) -> bool:
    found = _HEADER.match(line)
    return found is not None and found["name"] == name


def _unclosed(spot: _Spot) -> Syntax | None:
    """A list or a long text that has no end is told where it begins."""
    long = next((mark for mark in ('"""', "'''") if mark in spot.said), "")
    if spot.said.startswith("Unterminated") or long:
        for number in range(spot.line, 0, -1):
            text, pair = spot.lines[number - 1], _PAIR.match(spot.lines[number - 1])
            mark = next((each for each in ('"""', "'''") if text.count(each) % 2), "")
            if mark:
                field = "" if pair is None else pair["field"]
                what = f"{field or 'a text'} is not closed; write {mark} behind its end."
                return Syntax(number, field, what)
    begin, field = _list_around(spot)
    goes_on = _PAIR.match(spot.text) or _HEADER.match(spot.text) or spot.line == len(spot.lines)
    if begin and goes_on:
        return _not_closed(spot, begin, field)
    if not spot.said.startswith("Unclosed array"):
        return None
    if begin:
        what = f"{field} has {_cut(spot.text)} with no comma before it; write one there."
        return Syntax(spot.line, field, what)
    opens = _OPENS.match(spot.text)
    field = opens["field"] if opens is not None else ""
    if not spot.text.rstrip().endswith("]"):
        return _not_closed(spot, spot.line, field)
    what = f"{_cut(spot.text)} has two entries with no comma between them; write one there."
    return Syntax(spot.line, field, what)


def _outside(text: str) -> str:
    """Return what of a text stands neither in quotes nor behind a #."""
    return re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", "", text)


def _not_closed(spot: _Spot, begin: int, field: str) -> Syntax:
    text = _cut(spot.lines[begin - 1])
    return Syntax(begin, field, f"{text} is a list that is not closed; write ] behind its end.")


def _list_around(spot: _Spot) -> tuple[int, str]:
    """Return the line above in which the list around a place begins, and its field; 0 for none."""
    for number in range(spot.line - 1, 0, -1):
        opens = _OPENS.match(spot.lines[number - 1])
        if opens is not None:
            before = _outside("\n".join(spot.lines[number - 1 : spot.line - 1]))
            return (number, opens["field"]) if before.count("[") > before.count("]") else (0, "")
    return 0, ""


def _header(spot: _Spot) -> Syntax | None:
    bare = _REMARK.sub("", spot.text).strip()
    if not (bare.startswith("[") or bare.endswith("]")) or "=" in bare:
        return None
    name = bare.strip("[] \t")
    if not _KEY.fullmatch(name):
        return None
    opening, closing = bare.count("["), bare.count("]")
    pair = ("[[", "]]") if max(opening, closing) > 1 else ("[", "]")
    what = f"{_cut(bare)} is no whole header of a table; write {pair[0]}{name}{pair[1]}."
    return Syntax(spot.line, "", what)


def _nothing_like_it(spot: _Spot) -> Syntax | None:
    bare = spot.text.strip()
    colon, spaced = _COLON.match(spot.text), _SPACED.match(spot.text)
    if bare.startswith(_REMARKS):
        what = f"{_cut(bare)} cannot be read; a remark begins with #."
    elif bare.startswith("="):
        what = f"{_cut(bare)} has no name before the =; write NAME = VALUE."
    elif colon is not None:
        what = f"{_cut(bare)} has a colon; write {colon['field']} = {_cut(colon['value'])}."
    elif spaced is not None:
        name = "_".join(spaced["field"].split())
        what = f"{_cut(bare)} has a space in its name; names are written as {name}."
    elif "=" not in bare:
        what = f"{_cut(bare)} is no field; write NAME = VALUE, or # before a remark."
    else:
        return None
    return Syntax(spot.line, "", what)


# -- the value of a field --------------------------------------------------------------------------
def _value(spot: _Spot) -> Syntax | None:
    pair = _PAIR.match(spot.text)
    if pair is not None:
        field, value = pair["field"], _REMARK.sub("", pair["value"]).strip()
        shown = f"{field} = {_cut(value)}".rstrip()
    else:
        begin, field = _list_around(spot)
        value = _REMARK.sub("", spot.text).strip().strip("[],").strip()
        if not begin:
            return None
        shown = f"{field} has {_cut(value)}"
    if not _KEY.fullmatch(field):
        what = f"{_cut(field)} is no name of a field; names have a to z, digits and _ alone."
        return Syntax(spot.line, field, what)
    words = next((said for each in _VALUES if (said := each(field, value))), None)
    if words is None:
        words = "cannot be read; write one value: a number, true or false, or text in quotes"
    return Syntax(spot.line, field, f"{shown} {words}.")


def _empty(field: str, value: str) -> str:
    return "" if value else f"has no value; write one behind {field} ="


def _quotes(field: str, value: str) -> str:
    """Quotes of a printed page, quotes that are not closed, and what stands behind them."""
    straight = value.translate(_CURLY)
    if straight != value:
        inside = straight.strip("\"'")
        return f'has quotes of a printed page; write {field} = "{inside}"'
    mark = value[0]
    if mark not in "\"'":
        return ""
    if value.count(mark) == 1:
        return f"is text that is not closed; write {field} = {mark}{value.strip(mark)}{mark}"
    if "\\" in value:
        inside = value.strip(mark)
        return f"has a \\ in its text; write it in single quotes: {field} = '{inside}'"
    if re.fullmatch(rf"({mark}[^{mark}]*{mark}\s*,\s*)+{mark}[^{mark}]*{mark},?", value):
        return f"is a list without brackets; write {field} = [{value.rstrip(',')}]"
    return "has more behind its text; write one value alone, and a remark behind #"


def _date(field: str, value: str) -> str:
    if not looks_like_a_date(value):
        return ""
    meant = date_meant(value)
    if meant:
        return f"is a date in another form; write {field} = {meant}"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return f"is no day of the calendar; write one such as {field} = {DATE_EXAMPLE}"
    return f"is no date that can mean one day alone; write year-month-day: {field} = {DATE_EXAMPLE}"


def _number(field: str, value: str) -> str:
    meant = number_meant(value)
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", value):  # 1,234 is two numbers in two countries
        return (
            f"has a comma; write {field} = {value.replace(',', '')}, or {field} = {meant} with a "
            "decimal point"
        )
    if meant and "," in value:
        return f"has a decimal comma; write a point: {field} = {meant}"
    if re.fullmatch(r"[+-]?0\d+(\.\d+)?", value):
        bare = re.sub(r"^([+-]?)0+(?=\d)", r"\1", value)
        return f"begins with 0; write {field} = {bare}"
    if re.fullmatch(r"[+-]?(\d+\.|\.\d+)", value):
        whole = f"{value}0" if value.endswith(".") else value.replace(".", "0.")
        return f"has a point without a digit on both sides; write {field} = {whole}"
    if re.fullmatch(r"[+-]?\d{1,3}([ .'\u2019]\d{3})+([.,]\d+)?|[+-]?[\d,]+,\d{3}(\.\d+)?", value):
        return "has marks between its thousands; write the digits without them"
    return ""


def _unit(field: str, value: str) -> str:
    found = _WITH_UNIT.fullmatch(value)
    if found is None:
        return ""
    number, unit = number_meant(found["number"]), unit_of(field)
    if unit and number and found["unit"].strip().lower() == unit.lower():
        return f"has a unit behind it; write {field} = {number}, which is in {unit} already"
    named = f", in {unit}" if unit else ""
    return f"has {found['unit'].strip()} behind it; write the number alone{named}"


def _bare_word(field: str, value: str) -> str:
    truth = truth_meant(value)
    if truth:
        return f"is no word of this file; write {field} = {truth}"
    if re.fullmatch(r"[^\W\d][\w -]*(\s*,\s*[^\W\d][\w -]*)+", value):
        listed = ", ".join(f'"{each.strip()}"' for each in value.split(","))
        return f"is text without quotes; write {field} = [{listed}]"
    inside = value.strip("[]{} ")
    if value.startswith("[") and re.fullmatch(r"[^\W\d][\w -]*(\s*,\s*[^\W\d][\w -]*)*", inside):
        listed = ", ".join(f'"{each.strip()}"' for each in inside.split(","))
        return f"has text without quotes; write {field} = [{listed}]"
    if re.match(r"[^\W\d_]", value) and '"' not in value:
        return f'is text without quotes; write {field} = "{value}"'
    return ""


_VALUES: Final[Sequence[Callable[[str, str], str]]] = (
    _empty,
    _quotes,
    _date,
    _number,
    _unit,
    _bare_word,
)
