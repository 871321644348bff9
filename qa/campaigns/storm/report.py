"""What a campaign of storms came to, as a page and as lines for people."""

from collections import Counter
from collections.abc import Iterator
from html import escape

from qa.campaigns.storm.campaign import Weathered, figures
from qa.scenarios.report_html import STYLE


def lines(weathered: Weathered) -> Iterator[str]:
    """Say it in a few lines."""
    found = figures(weathered)
    runs, opened = found["runs"], found["with_open_valve"]
    yield f"{runs} storms of seed {found['seed']}, {found['virtual_s']:.0f} virtual s"
    yield f"  the valve opened in {opened}; {found['faults']} kinds of faults"
    yield f"  trips: {_counts(found['trips'])}"
    yield f"  done:  {_counts(found['steps'])}"
    for number in weathered.broken:
        broken = weathered.storms[number]["broken"]
        if broken is not None:
            yield f"  storm {number} at {broken['at_s']:.3f} s: {broken['seen']}"


def page(weathered: Weathered) -> str:
    """Return a page that needs nothing else."""
    told = "\n".join(escape(line) for line in lines(weathered))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/><title>Corneum storms</title>',
        f"<style>{STYLE}</style></head><body><h1>Storms</h1>",
        f"<p>{len(weathered.storms):,} storms, {len(weathered.broken)} broke the promise. "
        "Everything here is simulated.</p>",
        f"<pre>{told}</pre>",
    ]
    for number, shrunk in weathered.shrunk.items():
        parts += [
            f"<h2>Storm {number}</h2>",
            f"<p>{escape(shrunk['seen'])}; {shrunk['steps']} of {shrunk['of_steps']} steps</p>",
            f"<pre>{escape(shrunk['scenario'])}</pre>",
        ]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(counts).most_common()) or "none"
