"""A report as PDF/A-2a and PDF/UA-1 in one file, by typst: the same pages give the same bytes."""

import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any, Final

from controller.archive.report.document import Beside, Block, Document, NotInstalledError, Picture

STANDARDS: Final = ("a-2a", "ua-1")

_KNOWN: Final = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9), (0x410, 0x44F),
    (0x2013, 0x2014), (0x2018, 0x201A), (0x201C, 0x201E), (0x2022, 0x2022), (0x2026, 0x2026),
    (0x2264, 0x2265), (0x20AC, 0x20AC),
)  # fmt: skip
"""The characters that the typefaces in typst surely have: a standard refuses a file that lacks one,
and no typeface of this computer is used, lest the bytes depend on it."""

_SOFT_HYPHEN: Final = 0xAD


class DrawnError(Exception):
    """The pages could not be set; the text is what typst says."""


def printable(text: str) -> str:
    """Return a text whose every character the typefaces have; others become [U+4E2D]."""
    return "".join(char if char == "\n" or _is_known(ord(char)) else _coded(char) for char in text)


def as_pdf(document: Document) -> bytes:
    """Return the file.

    Raises:
        NotInstalledError: typst is not installed.
        DrawnError: it could not set the pages.
    """
    return _compiled(document, {"format": "pdf", "pdf_standards": list(STANDARDS)})[0]


def as_png(document: Document, ppi: float) -> list[bytes]:
    """Return each page as a picture, to look at; raises as `as_pdf`."""
    return _compiled(document, {"format": "png", "ppi": ppi})


def _compiled(document: Document, how: dict[str, Any]) -> list[bytes]:
    try:
        import typst  # noqa: PLC0415  an extra
    except ImportError as error:
        raise NotInstalledError("typst") from error
    pictures: dict[str, bytes] = {}
    said = {
        "title": printable(document.title),
        "footer": printable(document.footer),
        "date": document.date,
        "blocks": [_told(block, pictures) for block in document.blocks],
    }
    source = (files("controller.archive.report") / "page.typ").read_bytes()
    parts = {"main": source, "report.json": json.dumps(said).encode(), **pictures}
    try:
        made = typst.compile(parts, ignore_system_fonts=True, **how)
    except typst.TypstError as error:
        raise DrawnError(str(error)) from error
    return made if isinstance(made, list) else [made]


def _told(block: Block, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Return a block as the template reads it, and put its drawings among the files."""
    if isinstance(block, Beside):
        said = {"kind": block.kind, "share": block.share}
        sides = {"left": block.left, "right": block.right}
        return said | {
            name: [_told(each, pictures) for each in part] for name, part in sides.items()
        }
    if isinstance(block, Picture):
        name = f"picture-{len(pictures)}.svg"
        pictures[name] = printable(block.svg).encode()
        words = printable(block.words)
        return {"kind": block.kind, "file": name, "words": words, "width_mm": block.width_mm}
    return {name: _plain(value) for name, value in asdict(block).items()}


def _plain(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _is_known(code: int) -> bool:
    return code != _SOFT_HYPHEN and any(first <= code <= last for first, last in _KNOWN)


def _coded(char: str) -> str:
    return f"[U+{ord(char):04X}]"
