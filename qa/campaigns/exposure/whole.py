"""A whole campaign of treatments: rows, goals, report and pictures, for whoever asks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from qa.campaigns.exposure import sobol, tell
from qa.campaigns.exposure.asked import Asked
from qa.campaigns.exposure.campaign import run
from qa.campaigns.exposure.example import example
from qa.campaigns.exposure.goals import Verdict, goals_of
from qa.campaigns.exposure.patch_loss import TailTableError, patch_loss
from qa.campaigns.exposure.pictures import (
    NoMatplotlibError,
    depth_map,
    frontier,
    need_matplotlib,
    sensitivity,
)
from qa.campaigns.exposure.rows import NoPlanError, Row, plan_of, rows_of
from qa.campaigns.exposure.studies import frontier as study_frontier
from qa.campaigns.exposure.studies import patch_test
from qa.campaigns.exposure.studies import sensitivity as study_sensitivity
from qa.campaigns.kept import Kept
from qa.campaigns.workers import Where
from qa.skin.truth import Account

REFUSALS: Final = (ConfigError, NoPlanError, NoMatplotlibError, TailTableError, OSError)
STUDY_MAX: Final = 4000  # treatments a point of a study; more makes no picture clearer


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    as_json: dict[str, Any]
    holds: bool


def run_and_tell(asked: Asked, say: Callable[[str], None], kept: Kept | None = None) -> Told:
    """Run what is not ``kept``, say a line for each row and goal, and write the report.

    Raises one of ``REFUSALS``, with a sentence, for what cannot be done.
    """
    if asked.report is not None:
        need_matplotlib()
    configs = asked.configs or shipped_configs()
    wanted = [
        row
        for row in rows_of(configs, asked.programs)
        if all(word in row.key for word in asked.only)
    ]
    for tail in {row.tail for row in wanted}:  # nothing starts on a table that cannot be used
        patch_loss(tail.flake_mm, tail.correlation_mm, tail.harm_mm2)
    rows, refused = _planned(wanted, configs)
    for sentence in refused:
        say(sentence)
    found = {}
    where = Where(asked.workers, asked.dask)
    for figures in run(rows, asked.n, asked.seed, configs, where, kept):
        found[figures.row] = figures
        say(tell.line_of(figures))
    found = {row: found[row] for row in rows}  # in the order of the questions, whoever was first
    goals = goals_of(found)
    for goal in goals:
        say(tell.goal_line(goal))
    if asked.report is not None:
        asked.report.mkdir(parents=True, exist_ok=True)
        draw(asked.report, min(asked.n, STUDY_MAX), asked.seed, configs, say)
        say(f"report: {tell.write_report(asked.report, found, goals, asked)}")
    short = any(goal.verdict is Verdict.SHORT for goal in goals)
    return Told(tell.as_json(found, goals, asked), not short)


def _planned(rows: Sequence[Row], configs: Path) -> tuple[Sequence[Row], Sequence[str]]:
    """Return the rows that the controller would treat, and what it says about the others.

    Raises NoPlanError where it would treat none.
    """
    kept, refused = [], {}
    for row in rows:
        try:
            plan_of(row, configs)
        except NoPlanError as error:
            refused[row.label] = f"refused by the controller: {row.label}: {error}"
        else:
            kept.append(row)
    if not kept:
        raise NoPlanError("; ".join(refused.values()) or "no row has all of these words")
    return kept, tuple(refused.values())


def draw(folder: Path, n: int, seed: int, configs: Path, say: Callable[[str], None]) -> None:
    """Draw the pictures of docs/EXPOSURE.md into a folder."""
    zone = example(seed)
    depth_map(zone.outcome, zone.cell_mm, zone.margin_mm, zone.title, folder / "depth-map")
    say("drawn: depth-map")
    frontier(study_frontier(n, seed, configs, Account.POSTERIOR), folder / "frontier")
    say("drawn: frontier")
    base, influences = study_sensitivity(n, seed, configs)
    sensitivity(base, influences, folder / "sensitivity")
    first = influences[0]
    say(
        f"drawn: sensitivity. Knowing the {first.words} would help most: "
        f"{first.breach.value:.1e} instead of {base.value:.1e}"
    )
    decides = sobol.indices(seed, configs)
    (folder / "sobol.json").write_text(json.dumps(asdict(decides), indent=1) + "\n", "utf-8")
    say(
        f"Sobol indices from {decides.treatments} treatments: most of the depth is decided by the "
        f"{decides.depth[0].words} ({decides.depth[0].total:.2f}), most of the chance by the "
        f"{decides.log_chance[0].words} ({decides.log_chance[0].total:.2f})"
    )
    patch = patch_test(n, seed, configs)
    say(
        f"a patch test that reads the rate within a third: {patch.known.breach.value:.1e} instead "
        f"of {patch.without.breach.value:.1e}, at {patch.known.depth_um:.2f} instead of "
        f"{patch.without.depth_um:.2f} µm"
    )
