"""The campaigns of a bundle: many runs each, their figures, and a page to look at.

The quick bundle takes a sample of each. What a treatment with interlocks does to skin is asked of
every row; how much more would happen without them is told in docs/EXPOSURE.md.
"""

import json
from functools import partial
from typing import Any, Final, NamedTuple

from tools.evidence.results import FAILURES_MAX, Outcome, Result
from tools.evidence.workshop import Workshop

CAMPAIGN_MAX_S: Final = 7200.0
SEED: Final = 1


class Campaign(NamedTuple):
    """One command, for a whole and for a quick bundle."""

    whole: tuple[str, ...]
    quick: tuple[str, ...]
    wrong: str
    """Which list of its figures names what broke, and by which of its fields."""
    named: str
    runs: str


MATRIX: Final = Campaign(
    ("matrix", "--full"),
    ("matrix", "--n", "60"),
    "wrong",
    "cell",
    "cells: fault x state x phase x duration",
)
STORM: Final = Campaign(
    ("storm", "--n", "1000"), ("storm", "--n", "10"), "broken", "storm", "storms by chance"
)
_ROWS: Final = ("--only", "interlocked; central")
TREATMENTS: Final = Campaign(
    ("treatments", "--n", "4000", *_ROWS),
    ("treatments", "--n", "500", "--program", "refresh", *_ROWS),
    "goals", "sentence", "simulated treatments",
)  # fmt: skip


def run(campaign: Campaign, shop: Workshop) -> Result:
    """Run a campaign and keep its figures and its page."""
    words = campaign.quick if shop.quick else campaign.whole
    name = words[0]
    words = (*words, "--seed", f"{SEED}")
    command = f"corneum-sim campaign {' '.join(_quoted(word) for word in words)}"
    page = shop.place("campaigns", name, "index.html")
    asked = [] if shop.quick else ["--report", str(page.parent)]
    done = shop.python(
        f"campaign-{name}",
        ["simulator.cli", "campaign", *words, "--json", *asked],
        CAMPAIGN_MAX_S,
    )
    figures = done.figures
    if not figures:
        return Result(Outcome.FAILED, done.said, files=(done.log,), command=command)
    kept = shop.place("campaigns", f"{name}.json")
    kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    failures = _broken(campaign, figures)
    fine = done.code == 0 and not failures and not figures["violations"]
    return Result(
        Outcome.PASSED if fine else Outcome.FAILED,
        f"{figures['runs']:,} {campaign.runs}, {figures['violations']} violations, seed {SEED}"
        + (" (a sample)" if shop.quick else ""),
        (("runs", f"{figures['runs']}"), ("violations", f"{figures['violations']}"),
         ("seed", f"{SEED}"), ("selection", "a sample" if shop.quick else "whole")),
        (*shop.there(kept, page), done.log), failures[:FAILURES_MAX], command,
    )  # fmt: skip


def _broken(campaign: Campaign, figures: dict[str, Any]) -> tuple[str, ...]:
    found = figures.get(campaign.wrong, [])
    return tuple(f"{one[campaign.named]}" for one in found if not one.get("holds", False))


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


matrix = partial(run, MATRIX)
storm = partial(run, STORM)
treatments = partial(run, TREATMENTS)
