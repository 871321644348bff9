"""How often a computer under load ends a treatment that nothing was wrong with."""

from collections import Counter
from dataclasses import dataclass
from math import comb
from typing import Any, Final

from qa.campaigns.kept import Kept
from qa.campaigns.realtime.competitors import competitors
from qa.campaigns.realtime.treatment import (
    JITTER,
    NOT_RUN,
    ORDINARY,
    Job,
    Result,
    treat,
)
from qa.campaigns.workers import Where, spread

CONFIDENCE: Final = 0.95
NEEDLESS_MAX: Final = 0.01
"""Goal: under this with ``CONFIDENCE``, which 299 treatments without a needless stop show."""
REFUSED_MAX: Final = 0.05
"""Goal: at most this share refused because the computer did not keep time before arming."""
HALVINGS: Final = 50
"""Of the interval 0 to 1, until the bound is as exact as a float."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a campaign is run under; results under others are not its own."""

    seed: int
    busy: int
    workers: int
    tcp: bool = False

    @property
    def name(self) -> str:
        """The name under which its results are kept."""
        line = "tcp" if self.tcp else "pty"
        return f"realtime seed {self.seed}, {self.busy} busy, {self.workers} at once, {line}"


def run(count: int, conditions: Conditions, kept: Kept | None) -> list[Result]:
    """Run treatments 0 to ``count`` and return their results; what was not run is run now."""
    if kept is not None:
        ran = {key: one for key, one in kept.results.items() if not one["end"].startswith(NOT_RUN)}
        kept.results = ran
    jobs = {str(number): Job(conditions.seed, number, conditions.tcp) for number in range(count)}
    where = Where(conditions.workers)
    with competitors(conditions.busy):
        results = dict(spread(treat, jobs, where, "treatments in real time", kept))
    return [results[key] for key in jobs]


def figures(results: list[Result], conditions: Conditions) -> dict[str, Any]:
    """Return the counts, the bound, and whether the goals are missed."""
    ends = Counter(result["end"] for result in results)
    ordinary, refused = ends.pop(ORDINARY, 0), ends.pop(JITTER, 0)
    not_run = {end: count for end, count in ends.items() if end.startswith(NOT_RUN)}
    needless = sum(ends.values()) - sum(not_run.values())
    high = share_high(needless, ordinary + needless)
    missed = []
    if needless and not high <= NEEDLESS_MAX:
        missed.append("needless stops")
    if not refused <= REFUSED_MAX * len(results):
        missed.append("refused for jitter")
    if not_run:
        missed.append("not run")
    return {
        "runs": len(results),
        "seed": conditions.seed,
        "busy": conditions.busy,
        "at_once": conditions.workers,
        "line": "tcp" if conditions.tcp else "pty",
        "ordinary": ordinary,
        "needless": needless,
        "needless_share_high": high,
        "shown": high <= NEEDLESS_MAX,
        "refused_for_jitter": refused,
        "not_run": sum(not_run.values()),
        "causes": dict(ends.most_common()),
        "scheduling": dict(Counter(str(result.get("scheduling")) for result in results)),
        "late_max_ms": _largest(results, "late_max_ms"),
        "late_p95_ms": _p95(results, "late_max_ms"),
        "unit_lagged_max_ms": _largest(results, "unit_lagged_ms"),
        "violations": missed,
    }


def lines(said: dict[str, Any]) -> list[str]:
    """Return the figures for people."""
    armed = said["ordinary"] + said["needless"]
    shown = "shown" if said["shown"] else "not shown by so few"
    causes = [f"  {count} {cause}" for cause, count in said["causes"].items()]
    return [
        f"{said['runs']} treatments in real time, {said['at_once']} at once, {said['busy']} busy "
        f"competitors; the system granted: {_spoken(said['scheduling'])}",
        f"{said['needless']} of {armed} ended needlessly; with {CONFIDENCE:.0%} confidence "
        f"(one-sided, exact) at most {said['needless_share_high']:.2%}; "
        f"goal {NEEDLESS_MAX:.0%}: {shown}",
        *causes,
        f"{said['refused_for_jitter']} refused before arming, for jitter; "
        f"goal at most {REFUSED_MAX:.0%}; {said['not_run']} not run, --resume runs them again",
        f"latest beat of the control loop in a treatment: {said['late_p95_ms']} ms in 95 of 100, "
        f"{said['late_max_ms']} ms at most; a unit stood still for {said['unit_lagged_max_ms']} ms "
        "at most",
    ]


def share_high(hits: int, of: int) -> float:
    """Return the one-sided upper bound of Clopper and Pearson for a share at ``CONFIDENCE``.

    It is the share under which so few ``hits`` have a chance of only 1 minus the confidence.
    """
    low, high = hits / of if of else 1.0, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2.0
        chance = sum(comb(of, k) * share**k * (1.0 - share) ** (of - k) for k in range(hits + 1))
        low, high = (share, high) if chance > 1.0 - CONFIDENCE else (low, share)
    return high


def _largest(results: list[Result], name: str) -> float | None:
    known = [result[name] for result in results if result.get(name) is not None]
    return max(known, default=None)


def _p95(results: list[Result], name: str) -> float | None:
    known = sorted(result[name] for result in results if result.get(name) is not None)
    return known[int(len(known) * 0.95)] if known else None


def _spoken(scheduling: dict[str, int]) -> str:
    return ", ".join(f"{what} ({count})" for what, count in scheduling.items())
