"""configs/skin/chances.toml: how often a treatment with each preset goes too deep, simulated."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes
from qa.skin.tails import TAILS
from tools.campaign_figures import FOLDER, Figures, Row, each_tail, kept_figures, programs_of

LIKELY: Final = "gamma"
"""The tail of the first figure, and the name of the campaign that counted it oftener."""
ALL: Final = "tails"
"""The name of the campaign of all tails."""
HEAD: Final = """\
#:schema ../schemas/chances.json
# Generated from docs/exposure/gamma.json and tails.json by `python -m tools.generate`; do not edit.
# In how many simulated treatments, at most (95 %), a connected square millimetre loses its whole
# stratum corneum: an average hand, all zones, light skin of 34 years, a motion sensor. likely: by
# what is known of the removal rate, thickness by a gamma distribution. worst: by the assumption
# about skin and harm that gives most of them. A program of another sha256 was not simulated.
"""


def chances_file(folder: Path = FOLDER, configs: Path | None = None) -> str:
    """Return chances.toml: an entry of each program whose content is the one that was simulated."""
    likely, every = (kept_figures(name, folder) for name in (LIKELY, ALL))
    now = _hashes(configs)
    missing = {*unsimulated(likely, now, (LIKELY,)), *unsimulated(every, now)}
    entries = [
        _entry(name, now[name], likely, every) for name in sorted(now) if name not in missing
    ]
    return "\n".join((HEAD, *entries))


def unsimulated(
    campaign: Figures, now: Mapping[str, str], tails: Collection[str] = tuple(TAILS)
) -> list[str]:
    """Return the programs of ``now``, by name with hash, that lack one of ``tails`` as they are."""
    rowed = {(row["program"], row["tail"]) for row in each_tail(campaign)}
    simulated = programs_of(campaign)
    return [
        name
        for name, sha256 in now.items()
        if simulated.get(name) != sha256 or not all((name, tail) in rowed for tail in tails)
    ]


def worst_of(rows: list[Row]) -> Row:
    """Return the row with the largest bound; of equal ones that with the largest estimate.

    Where few treatments were counted, several tails have none and so the same bound.
    """
    return max(rows, key=lambda row: (row["breached_bound"], row["breach_estimate"]))


def _entry(name: str, sha256: str, likely: Figures, every: Figures) -> str:
    of_likely = next(
        row for row in each_tail(likely) if (row["program"], row["tail"]) == (name, LIKELY)
    )
    others = [row for row in each_tail(every) if row["program"] == name and row["tail"] != LIKELY]
    worst = worst_of([of_likely, *others])
    likely_share, worst_share = of_likely["breached_bound"], worst["breached_bound"]
    return (
        f'[[programs]]\nname = "{name}"\nsha256 = "{sha256}"\n'
        f"likely_n = {of_likely['n']}\nlikely_bound_share = {likely_share:g}\n"
        f"worst_n = {worst['n']}\nworst_bound_share = {worst_share:g}\n"
        f'worst_tail = "{worst["tail"]}"\n'
    )


def _hashes(configs: Path | None) -> dict[str, str]:
    found = program_hashes(shipped_configs() if configs is None else configs)
    return {name: sha256 for sha256, name in found.items()}
