"""The figures page of docs/EXPOSURE.md, from what docs/exposure keeps of campaigns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from qa.campaigns.exposure.rows import Group
from tools.campaign_figures import TOLD, TOP, each_tail, kept_figures

BELIEF: Final = TOP / "qa" / "skin" / "belief.json"
STANDARD: Final = "refresh"
Row = Mapping[str, Any]

HEAD: Final = """# Exposure: the figures

Generated from `docs/exposure/*.json` by `python -m tools.generate`; do not edit. What the columns
mean, and what they do not, is said in [EXPOSURE.md](EXPOSURE.md).

{runs} plain treatments in {count} rows, {hours:,} hours of handpiece, are the whole campaign below.
Every row of it, and the pictures, are in its result, which git does not hold and `make campaigns`
makes again into `build/campaigns` ([QA.md](QA.md#treatments)).

- **account**: what is taken for the removal rate. **breached**: treatments in which a connected
  square millimetre lost its whole stratum corneum; each is drawn from its chance. **at most**: the
  exact one-sided 95 % bound (Clopper-Pearson) of that count, which alone decides a goal.
- **estimate**: the same chance by importance sampling; no bound. **fixed time**, **nothing**: the
  estimate with a time limit in the place of interlocks, and with neither.
- **deepest**: depth over thickness where it is largest, centiles 50 / 95 / 99.9.
- **dwell**, **suction**: treatments that passed the dwell or the suction limit. **early**:
  treatments in which a limit ended a zone before the plan said so.
- **useful**: removed depth over that of a controller that knows everything, at the same breach
  rate.
"""
RESULT_HEAD: Final = (
    "campaign", "treatments a row", "seed", "command", "SHA-256 of the result", "rests on"
)  # fmt: skip


def figures_page() -> str:
    """Return docs/EXPOSURE_FIGURES.md."""
    whole, presets = kept_figures("treatments"), kept_figures("presets")
    parts = [
        HEAD.format(
            runs=f"{whole['runs']:,}", count=whole["questions"], hours=whole["handpiece_h"]
        ),
        "## The results\n",
        _plain(RESULT_HEAD, _results()),
        "## Every preset, counted\n",
        "So many treatments that the count alone speaks: with interlocks, at the lowest plausible "
        "rate.\n",
        _plain(
            ("preset", "n", "breached", "at most", "estimate", *_TOLD_HEAD),
            (
                (row["program"], f"{presets['n']:,}", *_counted(row), *_told(row))
                for row in presets["rows"]
            ),
        ),
        "## The removal rate\n",
        *_rate(),
        "## Every preset with every tail of the skin\n",
        *_tails(),
        "## What decides: Sobol indices\n",
        _sobol(whole["decides"]),
        "## Goals\n",
        "Of the whole campaign, in which few treatments of each row leave goals undecided. What is "
        "rarer is decided by the campaigns above.\n",
        _goals(whole["goals"]),
    ]
    for group in Group:
        rows = [row for row in whole["rows"] if row["group"] == group.name]
        if rows:
            parts.append(f"## {group.value[0].upper()}{group.value[1:]}\n")
            parts.extend(_questions(rows))
    return "\n".join(parts).rstrip() + "\n"


def _results() -> Iterable[Sequence[str]]:
    for name in ("gamma", "tails", "presets", "treatments"):
        figures = kept_figures(name)
        for result in figures["results"]:
            rests_on = result["rests_on"]
            yield (
                name, f"{figures['n']:,}", f"{figures['seed']}", f"`{result['command']}`",
                f"`{result['sha256']}`",
                result.get("of", "unknown versions") if rests_on is None
                else ", ".join(f"{what} {version}" for what, version in rests_on.items()),
            )  # fmt: skip
    decides = kept_figures("treatments")["decides"]
    yield ("Sobol indices", f"{decides['treatments']:,}", "", "as of `treatments`",
           f"`{decides['sha256']}`", "as `treatments`")  # fmt: skip


def _goals(goals: Sequence[Row]) -> str:
    rows = [
        (goal["goal"], f"{goal['limit']:g}", f"{goal['holds']}", f"{goal['undecided']}",
         f"**{goal['falls short']}**: {', '.join(goal['missed'])}" if goal["missed"] else "0",
         " to ".join(f"{value:.2g}" for value in goal["values"]))
        for goal in goals
    ]  # fmt: skip
    return _plain(("goal", "limit", "holds", "undecided", "falls short", "values"), rows)


_TOLD_HEAD: Final = ("deepest", "dwell", "suction", "early", "useful", "depth µm")


def _counted(row: Row) -> Sequence[str]:
    return (f"{row['breached']}", f"{row['breached_bound']:.1e}", f"{row['breach_estimate']:.1e}")


def _told(row: Row) -> Sequence[str]:
    return (
        " / ".join(f"{row[name]:.2f}" for name in TOLD[:3]),
        f"{row['dwell_passed']:.1%}", f"{row['suction_dose_passed']:.1%}",
        f"{row['stopped_early']:.2%}", f"{row['usefulness']:.2f}", f"{row['depth_um']:.3f}",
    )  # fmt: skip


ACCOUNTS: Final = ("lowest", "posterior", "wide")


def _questions(rows: Sequence[Row]) -> Iterable[str]:
    """Tell a group: what was counted in each account with interlocks, and what without them."""
    asked = [name for name in ACCOUNTS if name in rows[0]]
    arms = ("interlocks", "fixed time", "nothing")[: len(rows[0][asked[0]]) - 2]
    head = ["what"]
    for name in asked:
        head += [f"{name}: breached", "at most", *(f"estimate, {arm}" for arm in arms)]
    yield _plain((*head, *_TOLD_HEAD), (_question(row, asked) for row in rows))


def _question(row: Row, asked: Iterable[str]) -> Iterable[str]:
    yield row["what"]
    for name in asked:
        breached, *chances = row[name]
        yield f"{breached}"
        yield from (f"{chance:.1e}" for chance in chances)
    yield from _told(dict(zip(TOLD, row["told"], strict=True)))


# -- the rate, the tails, what decides -------------------------------------------------------------
def _rate() -> Iterable[str]:
    """Tell what the anchors left, from the file that simulated skin reads."""
    found = json.loads(BELIEF.read_text(encoding="utf-8"))
    yield (
        f"By `corneum-sim anchors`, {found['draws']:,} draws: median and the middle 95 % before "
        "and after the anchors of `configs/skin/anchors.toml`, and how wide it is after, over "
        "before. Above 0.9 it is an assumption.\n"
    )
    rows = [
        (each["about"], _span(each["prior"]), _span(each["posterior"]), f"{each['width']:.2f}",
         "assumed" if each["assumed"] else "")
        for each in found["known"]
    ]  # fmt: skip
    yield _plain(("", "before", "after", "width", ""), rows)
    yield "The rate on open skin by what was believed of the rate before:\n"
    beliefs = [(each["prior_of_rate"], _span(each["posterior"])) for each in found["headline"]]
    yield _plain(("belief", "rate, µm/s"), beliefs)
    yield (
        "What each tail predicts of published treatments at the lowest plausible rate; nothing is "
        "contradicted where no column says so:\n"
    )
    series = [
        (each["treatment"], "lowest" if each["lowest"] else "usual", each["tail"],
         f"{each['depth_um']:.2g}", f"{each['chance']:.1e}", f"{each['uninjured']:.2f}",
         "contradicted" if each["contradicted"] else "")
        for each in found["published"]
    ]  # fmt: skip
    yield _plain(
        ("treatment", "dose", "tail", "depth µm", "harm in", "chance of what was seen", ""), series
    )


def _tails() -> Iterable[str]:
    """Tell both campaigns of tails: one row a preset, the second with a column for each tail."""
    yield (
        "In the posterior account, an average hand. Gamma is held to 1 in 1,000, every other tail "
        "to 1 in 100.\n"
    )
    likely, every = kept_figures("gamma"), kept_figures("tails")
    rows = [
        (row["program"], row["tail"], f"{row['n']:,}", *_counted(row), f"{row['depth_um']:.3f}")
        for row in each_tail(likely)
    ]
    yield _plain(("preset", "tail", "n", "breached", "at most", "estimate", "depth µm"), rows)
    yield f"Of {every['n']:,} treatments each, breached: at most (estimate):\n"
    tails = list(dict.fromkeys(row["tail"] for row in each_tail(every)))
    cells = {
        (row["program"], row["tail"]): "{}: {} ({})".format(*_counted(row))
        for row in each_tail(every)
    }
    yield _plain(
        ("preset", *tails),
        (
            (row["program"], *(cells.get((row["program"], tail), "") for tail in tails))
            for row in every["rows"]
        ),
    )


def _sobol(found: Row) -> str:
    rows = [
        (words, *(f"{index:.2f}" for index in indices))
        for words, indices in found["indices"].items()
    ]
    return (
        f"`{STANDARD}`, posterior account, {found['treatments']:,} treatments. First: what goes "
        "of the variance when this alone is known. Total: what stays when all else is.\n\n"
    ) + _plain(("", *found["columns"]), rows)


def _span(centiles: Sequence[float]) -> str:
    low, _, middle, _, high = centiles
    return f"{middle:.3g} ({low:.2g} to {high:.3g})"


def _plain(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
