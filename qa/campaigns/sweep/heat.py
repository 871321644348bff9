"""The fault matrix as a page: each row and state with its phases and durations as coloured squares.

The page needs nothing but itself. Where matplotlib is installed (the extra ``reports``) it begins
with a picture of the worst of each row and state, which is written beside it as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from qa.campaigns.sweep.run import PHASES, Swept, durations_of, key_of, share_of
from qa.matrix.campaign import worst
from qa.matrix.cells import Stage, Verdict
from qa.matrix.rows import ROWS
from qa.scenarios.report_html import STYLE

SQUARE: Final = 8
COLOURS: Final = (
    (0.25, "#c8e6c9"),
    (0.5, "#e6ee9c"),
    (0.8, "#ffe082"),
    (1.0, "#ffb74d"),
)
"""Share of the budget, and its colour."""
OVER: Final = "#c62828"
NOTHING_DUE: Final = "#eceff1"
WIDE: Final = """
body { max-width: 84rem; } td { white-space: nowrap; } svg.cells { width: auto; height: auto; }
table.heat { font-size: 13px; } td.why { white-space: normal; color: #607d8b; }
"""

Place = tuple[str, Stage]


def colour_of(verdict: Verdict) -> str:
    """Return the colour of one cell."""
    share = share_of(verdict)
    if verdict.wrong:
        return OVER
    if share is None:
        return NOTHING_DUE
    return next((colour for limit, colour in COLOURS if share <= limit), OVER)


def page(swept: Swept, picture: str = "") -> str:
    """Return the page; ``picture`` is the name of a file beside it."""
    broken = sum(bool(verdict.wrong) for verdict in swept.verdicts)
    found = "every cell kept its rules" if not broken else f"{broken} broke a rule"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/><title>Corneum fault matrix</title>',
        f"<style>{STYLE}{WIDE}</style></head><body>",
        "<h1>Fault matrix</h1>",
        f"<p>{len(swept.verdicts):,} of {swept.of:,} cells, seed {swept.seed}: {found}. "
        "Time from the onset of a fault to safety, worst of each state, in milliseconds; in each "
        "square one moment of injection (left to right) and one duration of the fault (shortest "
        "above). Everything here is simulated.</p>",
        _legend(),
        f'<p><img src="{escape(picture)}" alt="worst share of the budget" width="100%"/></p>'
        if picture
        else "",
        _table(swept.verdicts),
        *_broken(swept),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _legend() -> str:
    named = [*((f"up to {limit:.0%} of the budget", colour) for limit, colour in COLOURS)]
    named += [("broken", OVER), ("nothing was due", NOTHING_DUE)]
    return "".join(
        f'<span style="background:{colour};padding:.1rem .5rem;margin-right:.5rem">{words}</span>'
        for words, colour in named
    )


def _table(verdicts: Sequence[Verdict]) -> str:
    times = worst(verdicts)
    by_place: dict[Place, list[Verdict]] = {}
    for verdict in verdicts:
        by_place.setdefault((verdict.cell.row, verdict.cell.stage), []).append(verdict)
    rows = [name for name in ROWS if any((name, stage) in by_place for stage in Stage)]
    head = "".join(f"<th>{stage.value}</th>" for stage in Stage)
    lines = (
        f"<tr><td>{escape(name)}</td><td class='n'>{_ms(ROWS[name].budget_s or None)}</td>"
        + "".join(
            _cell(by_place.get((name, stage), ()), times.get((name, stage))) for stage in Stage
        )
        + f"<td>{escape(' '.join(ROWS[name].hazards))}</td>"
        f"<td class='why'>{escape(ROWS[name].why)}</td></tr>"
        for name in rows
    )
    return (
        f'<table class="heat"><tr><th>fault</th><th>budget, ms</th>{head}<th>hazards</th>'
        f"<th>why it is safe</th></tr>{''.join(lines)}</table>"
    )


def _cell(verdicts: Sequence[Verdict], took_s: float | None) -> str:
    if not verdicts:
        return "<td></td>"
    durations = {each: at for at, each in enumerate(durations_of(ROWS[verdicts[0].cell.row]))}
    squares = "".join(_square(verdict, durations) for verdict in verdicts)
    width, height = PHASES * SQUARE, len(durations) * SQUARE
    svg = f'<svg class="cells" width="{width}" height="{height}">{squares}</svg>'
    return f"<td>{_ms(took_s) if took_s is not None else ''}<br/>{svg}</td>"


def _square(verdict: Verdict, durations: Mapping[float | None, int]) -> str:
    cell = verdict.cell
    x, y = round(cell.phase * PHASES) * SQUARE, durations.get(cell.lasts_s, 0) * SQUARE
    words = "; ".join((key_of(cell), _ms(verdict.sworn.to_safe_s) + " ms", *verdict.wrong))
    return (
        f'<rect x="{x}" y="{y}" width="{SQUARE - 1}" height="{SQUARE - 1}" '
        f'fill="{colour_of(verdict)}"><title>{escape(words)}</title></rect>'
    )


def _broken(swept: Swept) -> Iterable[str]:
    wrong = [verdict for verdict in swept.verdicts if verdict.wrong]
    if wrong:
        yield "<h2>What broke</h2>"
    for verdict in wrong:
        key = key_of(verdict.cell)
        yield f"<p><b>{escape(key)}</b>: {escape('; '.join(verdict.wrong))}</p>"
        if key in swept.shrunk:
            yield f"<pre>{escape(swept.shrunk[key]['scenario'])}</pre>"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f}"
