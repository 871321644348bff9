"""The figures of a campaign as lines, as JSON, and as one page of HTML."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes
from qa.campaigns.exposure.asked import Asked
from qa.campaigns.exposure.campaign import Figures
from qa.campaigns.exposure.goals import Goal, Verdict, gains_of
from qa.campaigns.exposure.rows import Group, Row

COLUMNS: Final = (
    "what", "limits", "account", "n", "breached", "at most", "estimate", "lost area",
    "deepest 50/95/99.9 %", "dwell", "suction", "early", "useful", "depth µm",
)  # fmt: skip


def as_json(found: Mapping[Row, Figures], goals: Sequence[Goal], asked: Asked) -> dict[str, Any]:
    """Return the whole campaign as one object."""
    return {
        "runs": sum(figures.n for figures in found.values()),
        "violations": sum(goal.verdict is Verdict.SHORT for goal in goals),
        "undecided": sum(goal.verdict is Verdict.UNDECIDED for goal in goals),
        "seed": asked.seed,
        "command": asked.command,
        "programs": _hashes(asked.configs),
        "handpiece_s": round(sum(figures.handpiece_s for figures in found.values()), 1),
        "rows": [_row_as_json(figures) for figures in found.values()],
        "goals": [
            {"sentence": goal.sentence, "value": goal.value, "limit": goal.limit,
             "verdict": goal.verdict.value}
            for goal in goals
        ],
        "gains": [
            {"what": gain.what, "account": gain.account, "interlocked": gain.interlocked,
             "timed": gain.timed, "bare": gain.bare, "times": gain.times}
            for gain in gains_of(found)
        ],
    }  # fmt: skip


def _hashes(configs: Path | None) -> dict[str, str]:
    """Return the hash of each program, by name: figures are of this content and no other."""
    found = program_hashes(shipped_configs() if configs is None else configs)
    return {name: sha256 for sha256, name in found.items()}


def _row_as_json(figures: Figures) -> dict[str, Any]:
    row = figures.row
    return {
        "group": row.group.value,
        "what": row.label,
        "program": row.program,
        "limits": row.arm.value,
        "account": row.account.value,
        "tail": row.tail.words,
        "n": figures.n,
        "breached": figures.breached.hits,
        "breached_bound": figures.breached.bound,
        "breach_estimate": figures.breach_chance.value,
        "breach_estimate_error": figures.breach_chance.error,
        "lost_share": figures.lost_share,
        "deepest_50": figures.deepest[0],
        "deepest_95": figures.deepest[1],
        "deepest_999": figures.deepest[2],
        "dwell_passed": figures.dwelled.value,
        "suction_dose_passed": figures.overdosed.value,
        "stopped_early": figures.stopped_early.value,
        "stopped_early_bound": figures.stopped_early.bound,
        "zones_early": figures.early_zones.value,
        "usefulness": figures.usefulness,
        "depth_um": figures.depth_um,
        "handpiece_s": figures.handpiece_s,
    }


def cells_of(figures: Figures) -> tuple[str, ...]:
    """Return one row of a table for people."""
    row, share, rare = figures.row, figures.breached, figures.breach_chance
    return (
        row.label,
        row.arm.value,
        row.account.value,
        f"{figures.n}",
        f"{share.hits}",
        f"{share.bound:.1e}",
        f"{rare.value:.1e} ± {rare.error:.0e}",
        f"{figures.lost_share:.0e}",
        " / ".join(f"{value:.2f}" for value in figures.deepest),
        f"{figures.dwelled.value:.1%}",
        f"{figures.overdosed.value:.1%}",
        f"{figures.stopped_early.value:.2%}",
        f"{figures.usefulness:.2f}",
        f"{figures.depth_um:.3f}",
    )


def line_of(figures: Figures) -> str:
    """Return one line for a terminal."""
    share, rare = figures.breached, figures.breach_chance
    return (
        f"{figures.row.label} | {figures.row.arm.value} | {figures.row.account.value} | "
        f"breached {share.hits} of {share.of} (at most {share.bound:.1e}), "
        f"estimate {rare.value:.1e} ± {rare.error:.0e} | early {figures.stopped_early.value:.1%} | "
        f"useful {figures.usefulness:.2f}"
    )


def goal_line(goal: Goal) -> str:
    """Return one line about a goal."""
    relation = "at least" if goal.at_least else "under"
    verdict = goal.verdict.value.upper() if goal.verdict is Verdict.SHORT else goal.verdict.value
    return f"{verdict}: {goal.sentence}: {goal.value:.2g}, {relation} {goal.limit:g}"


def write_report(
    folder: Path, found: Mapping[Row, Figures], goals: Sequence[Goal], asked: Asked
) -> Path:
    """Write treatments.json and treatments.html into a folder and return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(as_json(found, goals, asked), indent=1)
    (folder / "treatments.json").write_text(told + "\n", encoding="utf-8")
    page = folder / "treatments.html"
    page.write_text(_page(folder, found, goals, asked), encoding="utf-8")
    return page


def _page(folder: Path, found: Mapping[Row, Figures], goals: Sequence[Goal], asked: Asked) -> str:
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Simulated treatments</title>",
        "<style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:90em;padding:0 1em}"
        "table{border-collapse:collapse;font-size:13px}th,td{padding:.25em .6em;"
        "border-bottom:1px solid #ccc;text-align:right}th:first-child,td:first-child"
        "{text-align:left}img{max-width:100%}.no{color:#a00;font-weight:bold}</style>",
        f"<h1>Simulated treatments</h1><p><code>{html.escape(asked.command)}</code></p><p>"
        "A breach is a "
        "connected square millimetre "
        "that lost its whole stratum corneum. Simulated; see docs/EXPOSURE.md for the model.</p>",
        "<h2>Goals</h2><ul>",
        *(f"<li{_mark(goal)}>{html.escape(goal_line(goal))}</li>" for goal in goals),
        "</ul>",
    ]
    for group in Group:
        rows = [figures for figures in found.values() if figures.row.group is group]
        if rows:
            parts.append(f"<h2>{html.escape(group.value.capitalize())}</h2>")
            parts.append(_table(rows))
    parts.extend(
        f"<p><img src='{picture.name}' alt='{picture.stem}'></p>"
        for picture in sorted((*folder.glob("*.png"), *folder.glob("*.svg")))
    )
    return "\n".join(parts) + "\n"


def _mark(goal: Goal) -> str:
    return " class=no" if goal.verdict is Verdict.SHORT else ""


def _table(rows: Sequence[Figures]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells_of(row)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
