"""The campaigns of a bundle: many runs each, their figures, and a page to look at.

The quick bundle takes a sample of each. What a treatment with interlocks does to skin is asked of
every row at the lowest plausible rate, and of every preset in the account of what is known, with
the thickness that its goal names; how much more would happen without them is told in
docs/EXPOSURE.md.
"""

import json
from functools import partial
from typing import Any, Final, NamedTuple

from tools.evidence.results import FAILURES_MAX, Outcome, Result
from tools.evidence.workshop import Workshop

CAMPAIGN_MAX_S: Final = 7200.0
SEED: Final = 1
SHORT: Final = "falls short"
"""The verdict of a goal that was missed; one that is undecided broke nothing, and is counted."""


class Campaign(NamedTuple):
    """One command, for a whole and for a quick bundle."""

    name: str
    whole: tuple[str, ...]
    quick: tuple[str, ...]
    wrong: str
    """Which list of its figures names what broke, and by which of its fields."""
    named: str
    runs: str
    drawn: bool = True
    """Whether a whole bundle has a page of it."""


MATRIX: Final = Campaign(
    "matrix",
    ("matrix", "--full"),
    ("matrix", "--n", "60"),
    "wrong",
    "cell",
    "cells: fault x state x phase x duration",
)
STORM: Final = Campaign(
    "storm", ("storm", "--n", "1000"), ("storm", "--n", "10"), "broken", "storm", "storms by chance"
)
_LOWEST: Final = ("--only", "interlocked; lowest plausible rate")
TREATMENTS: Final = Campaign(
    "treatments",
    ("treatments", "--n", "4000", *_LOWEST),
    ("treatments", "--n", "500", "--program", "refresh", *_LOWEST),
    "goals", "sentence", "simulated treatments",
)  # fmt: skip
_GAMMA: Final = ("--only", "gamma; interlocked; posterior")
POSTERIOR: Final = Campaign(
    "posterior",
    ("treatments", "--n", "30000", *_GAMMA),  # fewer leave a goal of 1 in 1,000 to chance
    ("treatments", "--n", "500", "--program", "refresh", *_GAMMA),
    "goals", "sentence", "simulated treatments", drawn=False,
)  # fmt: skip


def run(campaign: Campaign, shop: Workshop) -> Result:
    """Run a campaign and keep its figures and its page."""
    words = campaign.quick if shop.quick else campaign.whole
    name = campaign.name
    words = (*words, "--seed", f"{SEED}")
    command = f"corneum-sim campaign {' '.join(_quoted(word) for word in words)}"
    page = shop.place("campaigns", name, "index.html")
    asked = ["--report", str(page.parent)] if campaign.drawn and not shop.quick else []
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
        f"{figures['runs']:,} {campaign.runs}, {figures['violations']} violations"
        f"{_undecided(figures)}, seed {SEED}" + (" (a sample)" if shop.quick else ""),
        (("runs", f"{figures['runs']}"), ("violations", f"{figures['violations']}"),
         ("seed", f"{SEED}"), ("selection", "a sample" if shop.quick else "whole")),
        (*shop.there(kept, page), done.log), failures[:FAILURES_MAX], command,
    )  # fmt: skip


def _broken(campaign: Campaign, figures: dict[str, Any]) -> tuple[str, ...]:
    found = figures.get(campaign.wrong, [])
    return tuple(f"{one[campaign.named]}" for one in found if one.get("verdict", SHORT) == SHORT)


def _undecided(figures: dict[str, Any]) -> str:
    """Say of how many goals too few were treated to tell."""
    count = figures.get("undecided", 0)
    return f", {count} {'goal' if count == 1 else 'goals'} undecided" if count else ""


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


matrix = partial(run, MATRIX)
storm = partial(run, STORM)
treatments = partial(run, TREATMENTS)
posterior = partial(run, POSTERIOR)
