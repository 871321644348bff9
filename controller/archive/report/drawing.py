"""Small pieces of SVG: shapes and words in the one typeface that the PDF carries itself."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

FAMILY: Final = "Libertinus Serif"
"""A family that is missing would be replaced without a word: this one typst has in itself."""

INK: Final = "#1a1a1a"
GREY: Final = "#6b6b6b"

Point = tuple[float, float]


def svg(width: float, height: float, parts: Sequence[str]) -> str:
    """Return a drawing of this size from its parts, the first at the bottom."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}">{"".join(parts)}</svg>'
    )


def shape(tag: str, **attributes: object) -> str:
    """Return one element; an underscore in a name stands for a hyphen."""
    said = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_said(value))}"
        for name, value in attributes.items()
    )
    return f"<{tag}{said}/>"


def words(text: str, at: Point, size: float, anchor: str = "start", colour: str = INK) -> str:
    """Return a line of text that begins, ends or has its middle at a point."""
    x, y = at
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-family={quoteattr(FAMILY)} '
        f'font-size="{number(size)}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )


def line(points: Sequence[Point], colour: str = INK, width: float = 1.0, dash: str = "") -> str:
    """Return a line through these points."""
    said = {"stroke_dasharray": dash} if dash else {}
    return shape(
        "polyline", points=path_points(points), fill="none", stroke=colour, stroke_width=width,
        stroke_linejoin="round", **said,
    )  # fmt: skip


def path_points(points: Sequence[Point]) -> str:
    """Return points as an attribute has them."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def number(value: float) -> str:
    """Return a coordinate in as few digits as the eye needs: the same on every machine."""
    said = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if said in {"-0", ""} else said


def _said(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)
