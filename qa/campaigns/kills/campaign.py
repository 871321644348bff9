"""The campaign of kills: its figures, and whether anything was lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from qa.campaigns.kept import Kept
from qa.campaigns.kills.shot import Job, Result, kill
from qa.campaigns.workers import Where, spread

SHOWN_MAX: Final = 20


def name_of(seed: int) -> str:
    """Return the name of a campaign in a file of results; more kills of it are the same one."""
    return f"kills --seed {seed}"


def run(count: int, seed: int, where: Where, kept: Kept | None) -> list[Result]:
    """Run kills 0 to ``count`` and return their results; what was not run is run again."""
    if kept is not None:
        kept.results = {key: one for key, one in kept.results.items() if "not_run" not in one}
    jobs = {str(number): Job(seed, number) for number in range(count)}
    results = dict(spread(kill, jobs, where, "kills", kept))
    return [results[key] | {"number": int(key)} for key in jobs]


def figures(results: Sequence[Result], seed: int) -> dict[str, Any]:
    """Return the counts, and each promise that was not held."""
    ran = [one for one in results if "not_run" not in one]
    missed = [one for one in results if "not_run" in one]
    wrong = [
        f"kill {one['number']} ({one['phase']}): {each}" for one in ran for each in one["wrong"]
    ]
    said = [f"kill {one['number']} was not run: {one['not_run']}" for one in missed]
    return {
        "campaign": "kills",
        "runs": len(results),
        "seed": seed,
        "not_run": len(missed),
        "phases": dict(sorted(Counter(one["phase"] for one in ran).items())),
        "with_open_valve": sum(one["flowed_s"] > 0.0 for one in ran),
        "treatments": sum(one["treatment"] > 0 for one in ran),
        "decisions": sum(one["decisions"] for one in ran),
        "violations": wrong + said,
    }


def text(said: Mapping[str, Any]) -> str:
    """Return the figures for people."""
    phases = ", ".join(f"{count} in {phase}" for phase, count in said["phases"].items())
    first = (
        f"{said['runs']} kernels killed ({phases}); {said['treatments']} had begun a treatment, "
        f"with crystals in {said['with_open_valve']}; {said['decisions']} decisions were told"
    )
    last = f"{len(said['violations'])} violations, seed {said['seed']}"
    return "\n".join([first, *said["violations"][:SHOWN_MAX], last])
