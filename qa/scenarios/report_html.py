"""Results of scenarios as one HTML page that needs nothing else: no script, no font, no network."""

from collections.abc import Sequence
from html import escape
from typing import Final

from qa.scenarios.report_plots import plots
from qa.scenarios.report_text import timeline
from qa.scenarios.runner import Ran
from qa.scenarios.sentences import expectation_words

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #263238; margin: 2rem auto; max-width: 64rem;
       padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 3rem; border-top: 1px solid #cfd8dc; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .6rem;
       border-bottom: 1px solid #eceff1; vertical-align: top; } td.n { text-align: right; }
.passed { color: #2e7d32; } .failed, .error { color: #c62828; font-weight: 600; }
pre { background: #f5f7f8; padding: .8rem; overflow-x: auto; font-size: 12.5px; }
code { font-size: 90%; } svg { width: 100%; height: auto; } details { margin: .6rem 0; }
.hash { font-size: 11px; color: #607d8b; word-break: break-all; }
"""


def page(results: Sequence[Ran]) -> str:
    """Return the page: an index of all scenarios, then each of them."""
    failed = sum(not ran.played.passed for ran in results)
    virtual_s = sum(ran.played.virtual_s for ran in results)
    wall_s = sum(ran.wall_s for ran in results)
    verdict = "all as expected" if not failed else f"{failed} not as expected"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/><title>Corneum scenarios</title>',
        f"<style>{STYLE}</style></head><body>",
        "<h1>Corneum scenarios</h1>",
        f"<p>{len(results)} scenarios, {verdict}; {virtual_s:.0f} virtual seconds in "
        f"{wall_s:.1f} s. Everything here is simulated.</p>",
        _index(results),
        *(_section(ran) for ran in results),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _index(results: Sequence[Ran]) -> str:
    rows = [
        f'<tr><td><a href="#{escape(ran.played.scenario.name)}">'
        f"{escape(ran.played.scenario.name)}</a></td>"
        f"<td>{escape(ran.played.scenario.title)}</td>"
        f"<td>{escape(' '.join(ran.played.scenario.hazards))}</td>"
        f'<td class="{ran.played.outcome}">{ran.played.outcome}</td>'
        f'<td class="n">{ran.played.virtual_s:.1f}</td></tr>'
        for ran in results
    ]
    head = (
        "<tr><th>scenario</th><th>shows</th><th>hazards</th><th>outcome</th><th>virtual s</th></tr>"
    )
    return f'<table id="index">{head}{"".join(rows)}</table>'


def _section(ran: Ran) -> str:
    played = ran.played
    scenario = played.scenario
    unmet = {failure.expected for failure in played.failures}
    expected = "".join(_expected(expectation_words(each), unmet) for each in scenario.expect)
    entries = "\n".join(escape(str(entry)) for entry in played.timeline)
    return "\n".join(
        [
            f'<section id="{escape(scenario.name)}"><h2>{escape(scenario.name)}</h2>',
            f"<p>{escape(scenario.title)}. <span class='{played.outcome}'>{played.outcome}</span>"
            f"{'; hazards ' if scenario.hazards else ''}{escape(', '.join(scenario.hazards))}</p>",
            f"<ul>{expected}</ul>",
            *(_failure(ran, number) for number in range(len(played.failures))),
            plots(played),
            f"<details><summary>What happened</summary><pre>{entries}</pre></details>",
            f"<p><code>{escape(ran.replay)}</code></p>",
            f"<p class='hash'>bytes {played.trace_sha256}<br/>record {played.journal_sha256}</p>",
            "</section>",
        ]
    )


def _expected(words: str, unmet: set[str]) -> str:
    mark = "failed" if words in unmet else "passed"
    return f"<li class='{mark}'>{escape(words)}</li>"


def _failure(ran: Ran, number: int) -> str:
    failure = ran.played.failures[number]
    lines = [
        f"expected: {failure.expected}",
        f"seen:     {failure.seen}",
        *timeline(ran.played, failure),
    ]
    text = "\n".join(lines)
    return f"<pre class='failure'>{escape(text)}</pre>"
