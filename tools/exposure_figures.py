"""The figures page of docs/EXPOSURE.md, from the campaign whose result lies in docs/exposure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "exposure"
Row = Mapping[str, Any]

HEAD: Final = """# Exposure: the figures

Generated from `docs/exposure/*.json` by `python -m tools.generate`; do not edit. `treatments.json`
was written by

```
{command}
```

{runs} plain treatments in {count} rows, {hours:,.0f} hours of handpiece. What the columns mean, and
what they do not, is said in [EXPOSURE.md](EXPOSURE.md).

- **breached**: treatments in which a connected square millimetre lost its whole stratum corneum,
  with the exact binomial (Clopper-Pearson) 95 % bounds.
- **estimate**: the same chance by importance sampling, with its standard error.
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
        "## Goals\n",
        _goals(told["goals"]),
    ]
    for group in groups:
        parts.append(f"## {group[0].upper()}{group[1:]}\n")
        parts.append(_table(row for row in rows if row["group"] == group))
    return "\n".join(parts).rstrip() + "\n"


def _goals(goals: Sequence[Row]) -> str:
    lines = ["| goal | value | limit | |", "|---|---|---|---|"]
    for goal in goals:
        verdict = "holds" if goal["holds"] else "**falls short**"
        lines.append(
            f"| {goal['sentence']} | {goal['value']:.2g} | {goal['limit']:g} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[Row]) -> str:
    lines = [
        "| what | limits | rate | n | breached | 95 % bounds | estimate | lost area | deepest "
        "| dwell | suction | early | useful | depth µm |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    return (
        f"| {row['what']} | {row['limits']} | {row['rate']} | {row['n']:,} | {row['breached']} | "
        f"{row['breached_low']:.1e} to {row['breached_high']:.1e} | "
        f"{row['breach_estimate']:.1e} ± {row['breach_estimate_error']:.0e} | "
        f"{row['lost_share']:.0e} | "
        f"{row['deepest_50']:.2f} / {row['deepest_95']:.2f} / {row['deepest_999']:.2f} | "
        f"{row['dwell_passed']:.1%} | {row['suction_dose_passed']:.1%} | "
        f"{row['stopped_early']:.2%} | {row['usefulness']:.2f} | {row['depth_um']:.3f} |"
    )
