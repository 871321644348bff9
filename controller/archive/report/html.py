"""A report as one HTML file that needs no other: the same blocks, the same words, no script."""

import base64
from html import escape
from typing import Final

from controller.archive.report.document import (
    Beside,
    Block,
    Document,
    Heading,
    Picture,
    Points,
    Table,
    Terms,
    Verbatim,
    Words,
)

_STYLE: Final = """
body { font: 16px/1.45 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff;
  max-width: 62rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin: .3rem 0; } h2 { font-size: 1.2rem; } h3 { font-size: 1.05rem; }
.lead { font-size: 1.15rem; font-weight: bold; }
.warning { font-weight: bold; border: 2px solid #1a1a1a; padding: .4rem .6rem; }
.small { font-size: .85rem; }
.beside { display: grid; gap: 1rem; align-items: start; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .8rem; margin: .5rem 0; }
dl.two { grid-template-columns: max-content 1fr max-content 1fr; }
dt { font-weight: bold; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .25rem .4rem; border-bottom: 1px solid #888; }
th { border-bottom: 2px solid #1a1a1a; } .number { text-align: right; }
img { max-width: 100%; height: auto; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 48rem) { .beside { grid-template-columns: 1fr !important; }
  dl, dl.two { grid-template-columns: 1fr; } dt { margin-top: .3rem; } }
@media print { .page { break-before: page; } body { margin: 0; font-size: 11px; } }
"""
_PX_PER_MM: Final = 96 / 25.4


def as_html(document: Document) -> bytes:
    """Return the file, UTF-8."""
    body = "\n".join(_drawn(block) for block in document.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode(errors="replace")


def _drawn(block: Block) -> str:  # noqa: C901, PLR0911  one line for each kind of block
    match block:
        case Heading():
            page = ' class="page"' if block.new_page else ""
            return f"<h{block.level}{page}>{escape(block.text)}</h{block.level}>"
        case Words():
            return f'<p class="{block.tone}">{escape(block.text)}</p>'
        case Points():
            return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in block.items)}</ul>"
        case Verbatim():
            return f"<pre>{escape(block.text)}</pre>"
        case Terms():
            return _terms(block)
        case Table():
            return _table(block)
        case Picture():
            return _picture(block)
        case Beside():
            return _beside(block)


def _terms(block: Terms) -> str:
    pairs = (f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in block.pairs)
    columns = ' class="two"' if block.columns > 1 else ""
    return f"<dl{columns}>{''.join(pairs)}</dl>"


def _beside(block: Beside) -> str:
    left, right = ("".join(map(_drawn, part)) for part in (block.left, block.right))
    columns = f"{block.share:g}fr {1 - block.share:g}fr"
    return (
        f'<div class="beside" style="grid-template-columns: {columns}">'
        f"<div>{left}</div><div>{right}</div></div>"
    )


def _table(block: Table) -> str:
    def cell(tag: str, at: int, text: str) -> str:
        number = ' class="number"' if at in block.numbers else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{number}>{escape(text)}</{tag}>"

    def row(tag: str, texts: tuple[str, ...]) -> str:
        return f"<tr>{''.join(cell(tag, at, text) for at, text in enumerate(texts))}</tr>"

    # A table that is wider than its screen scrolls by itself, also by the keyboard.
    return (
        '<div class="scroll" tabindex="0"><table>'
        f"<thead>{row('th', block.names)}</thead>"
        f"<tbody>{''.join(row('td', each) for each in block.rows)}</tbody></table></div>"
    )


def _picture(block: Picture) -> str:
    data = base64.b64encode(block.svg.encode(errors="replace")).decode()
    width = round(block.width_mm * _PX_PER_MM)
    return (
        f'<p><img width="{width}" alt="{escape(block.words)}" '
        f'src="data:image/svg+xml;base64,{data}"></p>'
    )
