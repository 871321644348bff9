"""The campaign of kills while waveforms are recorded: its figures, and whether they hold."""

from collections.abc import Mapping
from typing import Any, Final

from qa.campaigns.kept import Kept
from qa.campaigns.waveforms.shots import LOSS_MAX_S, VICTIMS, Result, Shot, fire
from qa.campaigns.workers import Where, spread

NOT_RUN: Final = "not run"


def name_of(seed: int) -> str:
    """Return the name under which its results are kept; more kills of it are the same campaign."""
    return f"waveforms --seed {seed}"


def run(count: int, seed: int, workers: int, kept: Kept | None) -> list[Result]:
    """Kill ``count`` times and return what each cost; what was kept is not done again."""
    if kept is not None:  # what could not be run is run again
        kept.results = {
            key: one for key, one in kept.results.items() if not one["wrong"].startswith(NOT_RUN)
        }
    jobs = {str(number): Shot(seed, number) for number in range(count)}
    results = dict(spread(fire, jobs, Where(workers), "kills", kept))
    return [results[key] for key in jobs]


def figures(results: list[Result], seed: int) -> dict[str, Any]:
    """Return the counts, the largest loss of each kind of kill, and what is wrong."""
    wrong = [f"{number}: {one['wrong']}" for number, one in enumerate(results) if one["wrong"]]
    return {
        "campaign": "waveforms",
        "runs": len(results),
        "seed": seed,
        "violations": wrong,
        "kills": {victim: sum(one["victim"] == victim for one in results) for victim in VICTIMS},
        "lost_max_s": {victim: _largest(results, victim) for victim in VICTIMS},
        "goal_s": LOSS_MAX_S,
    }


def lines(said: Mapping[str, Any]) -> list[str]:
    """Return the figures for people."""
    most = ", ".join(
        f"{victim} {said['lost_max_s'][victim]} s ({said['kills'][victim]})"
        for victim in VICTIMS
        if said["kills"][victim]
    )
    return [
        f"{said['runs']} kills while waveforms were recorded, {len(said['violations'])} that broke "
        f"something; lost at most, by who was killed: {most} (goal: {said['goal_s']:g} s)",
        *(f"  kill {each}" for each in said["violations"]),
    ]


def _largest(results: list[Result], victim: str) -> float | None:
    known = [one["lost_s"] for one in results if one["victim"] == victim]
    return max((each for each in known if each is not None), default=None)
