"""What a report is made of: blocks that are drawn alike as PDF and as HTML."""

from dataclasses import dataclass, field
from enum import StrEnum, unique


class NotInstalledError(Exception):
    """A report cannot be made; the text names the library that is not installed."""


@unique
class Tone(StrEnum):
    """How a paragraph looks; what it says never rests on that alone."""

    PLAIN = "plain"
    LEAD = "lead"
    WARNING = "warning"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title of the report."""

    text: str
    level: int = 2
    new_page: bool = False
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN
    kind: str = "words"


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = "points"


@dataclass(frozen=True, slots=True)
class Terms:
    """Names and what stands beside each, in one or more columns."""

    pairs: tuple[tuple[str, str], ...]
    columns: int = 1
    kind: str = "terms"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a row of header cells; ``widths`` are shares of the page, 0 is as needed."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    """The columns that hold figures and stand to the right."""
    widths: tuple[int, ...] = ()
    small: bool = False
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and what it shows in words for whoever does not see it."""

    svg: str
    words: str
    width_mm: float
    kind: str = "picture"


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text whose every character counts."""

    text: str
    kind: str = "verbatim"


@dataclass(frozen=True, slots=True)
class Beside:
    """Two parts side by side; ``share`` is the part of the width that the left one has."""

    left: "tuple[Block, ...]"
    right: "tuple[Block, ...]"
    share: float = 0.5
    kind: str = "beside"


Block = Heading | Words | Points | Terms | Table | Picture | Verbatim | Beside


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; ``date`` is year, month, day, hour, minute and second, UTC."""

    title: str
    footer: str
    date: tuple[int, int, int, int, int, int]
    blocks: tuple[Block, ...] = field(default=())
