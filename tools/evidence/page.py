"""The front page of a bundle: one HTML file without script, font or network."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from tools.evidence.anomalies import Anomaly
from tools.evidence.manifest import MANIFEST
from tools.evidence.results import Outcome, Result
from tools.evidence.versions import Commit
from tools.register import Hazard

STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #263238; margin: 2rem auto; max-width: 70rem;
       padding: 0 1.2rem; }
h1 { margin: 0; line-height: 1.2; } h2 { margin: 2.6rem 0 .6rem; line-height: 1.2; }
.banner { border-left: .5rem solid #2e7d32; background: #f1f8f2; padding: .8rem 1.1rem;
          margin: 1.2rem 0; } .banner p { margin: .2rem 0; }
.banner.failed { border-color: #c62828; background: #fdf1f0; }
.banner strong { font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; } th { font-weight: 600; color: #546e7a; }
td, th { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #e3e8ea;
         vertical-align: top; }
.mark { white-space: nowrap; font-weight: 600; }
.passed { color: #2e7d32; } .failed, .error { color: #c62828; } .not { color: #9a6700; }
.small { font-size: 12.5px; color: #546e7a; } ul { margin: .3rem 0; padding-left: 1.2rem; }
code { font-size: 12.5px; background: #f2f5f6; padding: .05rem .3rem; }
.hash { font: 11.5px ui-monospace, monospace; color: #607d8b; }
a { color: #01579b; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { color: #546e7a; } dd { margin: 0; }
@media print { body { max-width: none; font-size: 11px; } a { color: inherit; } }
"""


@dataclass(frozen=True, slots=True)
class Front:
    """What the page tells."""

    commit: Commit
    made_at: str
    """ISO 8601."""
    quick: bool
    took_s: float
    results: Mapping[str, tuple[str, Result]]
    """By the name of the part: its title and what came of it."""
    anomalies: Sequence[Anomaly]
    left: Sequence[Hazard]

    @property
    def failed(self) -> tuple[str, ...]:
        """The titles of the parts that failed."""
        return tuple(
            title for title, result in self.results.values() if result.outcome is Outcome.FAILED
        )


def page(front: Front, bundle: Path) -> str:
    """Return the page of a bundle whose other files are written."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width"/>',
        f"<title>Corneum evidence, {escape(front.commit.words)}</title>",
        f"<style>{STYLE}</style></head><body>",
        "<h1>Corneum: evidence bundle</h1>",
        _banner(front),
        "<h2>Results</h2>",
        _results(front),
        _failures(front),
        "<h2>Known anomalies</h2>",
        _anomalies(front.anomalies),
        "<h2>Hazards whose control is not built to its end</h2>",
        _table(("hazard", "standing", "left"),
               ((_text(f"{row.id} {row.title}"), _text(row.standing.value), _text(row.left))
                for row in front.left)),
        _scenarios(bundle),
        _surroundings(bundle),
        _verifying(),
        "</body></html>",
    ]  # fmt: skip
    return "\n".join(part for part in parts if part) + "\n"


def _banner(front: Front) -> str:
    unmeasured = [
        title for title, one in front.results.values() if one.outcome is Outcome.NOT_MEASURED
    ]
    verdict = "Every part that was measured passed"
    if front.failed:
        verdict = f"Failed: {', '.join(front.failed)}"
    lines = [
        f"<strong class='{'failed' if front.failed else 'passed'}'>{escape(verdict)}</strong>",
        f"<p>Commit <code>{escape(front.commit.id or 'none')}</code>"
        f" of {escape(front.commit.described_at or 'unknown date')}.</p>",
        f"<p>Made {escape(front.made_at)}, in {front.took_s / 60:.1f} minutes. "
        "Everything here ran on a simulated handpiece.</p>",
    ]
    if front.commit.changed:
        lines.append(
            f"<p class='failed'>{len(front.commit.changed)} uncommitted changes: the commit alone "
            "does not say what was tested (uncommitted.diff, versions.json).</p>"
        )
    if front.quick:
        lines.append("<p class='not'>Quick bundle: a selection of tests and scenarios.</p>")
    if unmeasured:
        lines.append(f"<p class='not'>Not measured: {escape(', '.join(unmeasured))}.</p>")
    return f"<div class='banner{' failed' if front.failed else ''}'>{''.join(lines)}</div>"


def _results(front: Front) -> str:
    return _table(
        ("part", "result", "what", "files"),
        (
            (
                f"{_text(title)}<div class='small'>{one.took_s:.0f} s</div>",
                _mark(one.outcome.value),
                f"{_text(one.says)}{_figures(one)}"
                f"<div class='small'>Again: <code>{_text(one.command)}</code></div>",
                "<br/>".join(_link(name) for name in one.files),
            )
            for title, one in front.results.values()
        ),
    )


def _figures(one: Result) -> str:
    told = [f"{_text(name)} {_text(figure)}" for name, figure in one.figures]
    return f"<div class='small'>{' · '.join(told)}</div>" if told else ""


def _failures(front: Front) -> str:
    failures = [
        f"<li>{_text(title)}: <code>{_text(failure)}</code></li>"
        for title, one in front.results.values()
        for failure in one.failures
    ]
    return f"<h2 class='failed'>What failed</h2><ul>{''.join(failures)}</ul>" if failures else ""


def _anomalies(anomalies: Sequence[Anomaly]) -> str:
    return _table(
        ("", "anomaly", "for the skin", "until"),
        (
            (
                _text(one.id),
                f"<b>{_text(one.title)}</b><div class='small'>{_prose(one.what)}"
                f"{_text(' (' + ' '.join(one.hazards) + ')') if one.hazards else ''}</div>",
                _prose(one.safety),
                _prose(one.until),
            )
            for one in anomalies
        ),
    )


def _scenarios(bundle: Path) -> str:
    source = bundle / "scenarios" / "scenarios.json"
    if not source.is_file():
        return ""
    rows = json.loads(source.read_text(encoding="utf-8"))
    return "<h2>Scenarios</h2>" + _table(
        ("file", "shows", "hazards", "seed", "result", "SHA-256: file, bytes on the line, record"),
        (
            (
                _link(f"scenarios/files/{row['file']}", row["file"]),
                _text(row.get("title", "")),
                _text(" ".join(row.get("hazards", []))),
                _text(str(row.get("seed", ""))),
                _mark(row["outcome"]),
                "<br/>".join(
                    f"<span class='hash' title='{digest}'>{digest[:16]}</span>"
                    for name in ("sha256", "trace_sha256", "journal_sha256")
                    if (digest := row.get(name))
                ),
            )
            for row in rows
        ),
    )


def _surroundings(bundle: Path) -> str:
    source = bundle / "versions.json"
    if not source.is_file():
        return ""
    told = json.loads(source.read_text(encoding="utf-8"))
    names = ("corneum", "commit", "committed_at", "python", "system", "machine")
    rows = [(name.replace("_", " "), str(told[name])) for name in names]
    rows += [("uncommitted", one) for one in told["uncommitted"]]
    rows += [("not as locked", one) for one in told["differs_from_lock"]]
    listed = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows)
    packages = ", ".join(f"{name} {version}" for name, version in told["packages"].items())
    return (
        f"<h2>Versions</h2><dl>{listed}</dl>"
        f"<details><summary>{len(told['packages'])} packages</summary>"
        f"<p class='small'>{_text(packages)}</p></details>"
    )


def _verifying() -> str:
    return (
        "<h2>Is this bundle whole?</h2>"
        f"<p>{_link(MANIFEST)} holds the SHA-256 of every file. Its own hash was printed when the "
        "bundle was written; compare that first.</p>"
        f"<p><code>sha256sum {MANIFEST}</code><br/><code>sha256sum --check --quiet {MANIFEST}"
        "</code> (what was edited or removed)<br/><code>python -m tools.evidence --verify FOLDER"
        "</code> (from a checkout; also what was added, and who signed)</p>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{_text(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _mark(outcome: str) -> str:
    return f"<span class='mark {_text(outcome.partition(' ')[0])}'>{_text(outcome)}</span>"


def _link(path: str, words: str = "") -> str:
    return f'<a href="{_text(path)}">{_text(words or path)}</a>'


def _prose(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return escape(text)
