"""The figures page of docs/EXPOSURE.md, from the campaign whose result lies in docs/exposure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "exposure"
BELIEF: Final = FOLDER.parent.parent / "qa" / "skin" / "belief.json"
STANDARD: Final = "refresh"
Row = Mapping[str, Any]

HEAD: Final = """# Exposure: the figures

Generated from `docs/exposure/*.json` by `python -m tools.generate`; do not edit. `treatments.json`
was written by

```
{command}
```

{runs} plain treatments in {count} rows, {hours:,.0f} hours of handpiece. What the columns mean, and
what they do not, is said in [EXPOSURE.md](EXPOSURE.md).

- **account**: what is taken for the removal rate. **breached**: treatments in which a connected
  square millimetre lost its whole stratum corneum; each is drawn from its chance. **at most**: the
  exact one-sided 95 % bound (Clopper-Pearson) of that count, which alone decides a goal.
- **estimate**: the same chance by importance sampling, with its standard error; no bound.
- **lost area**: share of the treated area that lost it. **deepest**: depth over thickness where it
  is largest, centiles 50 / 95 / 99.9.
- **dwell**, **suction**: treatments that passed the dwell or the suction limit. **early**:
  treatments in which a limit ended a zone before the plan said so.
- **useful**: removed depth over that of a controller that knows everything, at the same breach
  rate.
"""


def figures_page() -> str:
    """Return docs/EXPOSURE_FIGURES.md."""
    told = json.loads((FOLDER / "treatments.json").read_text(encoding="utf-8"))
    counted = json.loads((FOLDER / "presets.json").read_text(encoding="utf-8"))
    rows: list[Row] = told["rows"]
    groups = list(dict.fromkeys(str(row["group"]) for row in rows))
    parts = [
        HEAD.format(
            command=told["command"],
            runs=f"{told['runs']:,}",
            count=len(rows),
            hours=told["handpiece_s"] / 3600.0,
        ),
        "## Every preset, counted\n",
        f"So many treatments that the count alone speaks:\n\n```\n{counted['command']}\n```\n",
        _table(counted["rows"]),
        "## The removal rate\n",
        *_rate(),
        "## Every preset with every tail of the skin\n",
        *_tails(),
        "## What decides: Sobol indices\n",
        *_sobol(),
        "## Goals\n",
        _goals(told["goals"]),
        "## What interlocks gain\n",
        "The chance of a breach with the interlocks, with a fixed time alone, and with nothing, by "
        "importance sampling. For ordinary hands there is next to no difference: the plan ends "
        "the zone either way.\n",
        _gains(told["gains"]),
    ]
    for group in groups:
        parts.append(f"## {group[0].upper()}{group[1:]}\n")
        parts.append(_table(row for row in rows if row["group"] == group))
    return "\n".join(parts).rstrip() + "\n"


def _goals(goals: Sequence[Row]) -> str:
    lines = ["| goal | value | limit | |", "|---|---|---|---|"]
    for goal in goals:
        verdict = goal["verdict"] if goal["verdict"] == "holds" else f"**{goal['verdict']}**"
        lines.append(
            f"| {goal['sentence']} | {goal['value']:.2g} | {goal['limit']:g} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[Row]) -> str:
    lines = [
        "| what | limits | account | n | breached | at most | estimate | lost area | deepest "
        "| dwell | suction | early | useful | depth µm |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    return (
        f"| {row['what']} | {row['limits']} | {row['account']} | {row['n']:,} | "
        f"{row['breached']} | {row['breached_bound']:.1e} | "
        f"{row['breach_estimate']:.1e} ± {row['breach_estimate_error']:.0e} | "
        f"{row['lost_share']:.0e} | "
        f"{row['deepest_50']:.2f} / {row['deepest_95']:.2f} / {row['deepest_999']:.2f} | "
        f"{row['dwell_passed']:.1%} | {row['suction_dose_passed']:.1%} | "
        f"{row['stopped_early']:.2%} | {row['usefulness']:.2f} | {row['depth_um']:.3f} |"
    )


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
    """Tell both campaigns of tails, one row a preset and tail."""
    yield (
        "In the posterior account, an average hand. Gamma is held to 1 in 1,000, every other tail "
        "to 1 in 100.\n"
    )
    for name in ("gamma", "tails"):
        kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        yield f"```\n{kept['command']}\n```\n"
        rows = [
            (row["program"], row["tail"], f"{row['n']:,}", f"{row['breached']}",
             f"{row['breached_bound']:.1e}", f"{row['breach_estimate']:.1e}",
             f"{row['depth_um']:.3f}")
            for row in kept["rows"]
        ]  # fmt: skip
        head = ("preset", "tail", "n", "breached", "at most", "estimate", "depth µm")
        yield _plain(head, rows)


def _sobol() -> Iterable[str]:
    found = json.loads((FOLDER / "sobol.json").read_text(encoding="utf-8"))
    yield (
        f"`{STANDARD}`, posterior account, {found['treatments']:,} treatments. First: what goes "
        "of the variance when this alone is known. Total: what stays when all else is.\n"
    )
    of_chance = {each["name"]: each for each in found["log_chance"]}
    rows = [
        (each["words"], f"{each['first']:.2f}", f"{each['total']:.2f}",
         f"{of_chance[each['name']]['first']:.2f}", f"{of_chance[each['name']]['total']:.2f}")
        for each in found["depth"]
    ]  # fmt: skip
    head = ("", "depth, first", "depth, total", "log chance, first", "log chance, total")
    yield _plain(head, rows)


def _gains(gains: Sequence[Row]) -> str:
    rows = [
        (gain["what"], gain["account"], f"{gain['interlocked']:.1e}", f"{gain['timed']:.1e}",
         f"{gain['bare']:.1e}", f"{gain['times']:.3g}")
        for gain in gains
    ]  # fmt: skip
    return _plain(("what", "account", "interlocked", "time limit", "nothing", "times fewer"), rows)


def _span(centiles: Sequence[float]) -> str:
    low, _, middle, _, high = centiles
    return f"{middle:.3g} ({low:.2g} to {high:.3g})"


def _plain(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
