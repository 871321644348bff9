"""A campaign of storms: all of them over the workers, then the first violations shrunk."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from qa.campaigns.kept import Kept, digest
from qa.campaigns.storm.run import Blown, Shrunk, Storm, blow, shrink
from qa.campaigns.workers import Where, spread

SHRUNK_MAX: Final = 8
"""How many violations are shrunk, those of different rules first; each takes about a minute."""


@dataclass(frozen=True, slots=True)
class Weathered:
    """All that a campaign of storms came to."""

    seed: int
    storms: Mapping[int, Blown]
    shrunk: Mapping[int, Shrunk]

    @property
    def broken(self) -> list[int]:
        """The numbers of the storms that broke something."""
        return [number for number, blown in self.storms.items() if blown["broken"] is not None]

    @property
    def virtual_s(self) -> float:
        """How much virtual time they were together."""
        return sum(blown["virtual_s"] for blown in self.storms.values())


def name_of(seed: int) -> str:
    """Return the name of a campaign in a file of results; more storms of it are the same one."""
    return f"storm --seed {seed}"


def weather(numbers: Iterable[int], seed: int, where: Where, kept: Kept | None = None) -> Weathered:
    """Blow the storms of these numbers; raises WorkersLostError."""
    jobs = {f"storm {number}": Storm(seed, number) for number in numbers}
    blown = {jobs[key].number: result for key, result in spread(blow, jobs, where, "storms", kept)}
    storms = {number: blown[number] for number in sorted(blown)}
    picked = {f"shrink {number}": Storm(seed, number) for number in _picked(storms)}
    shrunk = {
        picked[key].number: result
        for key, result in spread(shrink, picked, where, "shrinking", kept)
    }
    return Weathered(seed, storms, shrunk)


def _picked(storms: Mapping[int, Blown]) -> list[int]:
    """Return the violations that are worth shrinking: one of each rule, then others."""
    firsts: dict[str, int] = {}
    others: list[int] = []
    for number, blown in storms.items():
        if blown["broken"] is None:
            continue
        if firsts.setdefault(blown["broken"]["rule"], number) != number:
            others.append(number)
    return [*firsts.values(), *others][:SHRUNK_MAX]


def figures(weathered: Weathered) -> dict[str, Any]:
    """Return the figures for ``--json``: those of the runs, and none of the machine."""
    storms = weathered.storms.values()
    trips: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for blown in storms:
        trips.update(blown["trips"])
        done.update(blown["done"])
    return {
        "campaign": "storm",
        "runs": len(weathered.storms),
        "violations": len(weathered.broken),
        "seed": weathered.seed,
        "virtual_s": round(weathered.virtual_s, 3),
        "with_open_valve": sum(blown["opened"] for blown in storms),
        "trips": dict(sorted(trips.items())),
        "steps": dict(sorted(done.items())),
        "faults": len({name for blown in storms for name in blown["faults"]}),
        "results_sha256": digest(weathered.storms),
        "broken": [
            {"storm": number, **(weathered.storms[number]["broken"] or {})}
            for number in weathered.broken
        ],
    }
