"""The campaign of stops: its shots, its figures, and whether they hold its goals."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from qa.campaigns.kept import Kept
from qa.campaigns.stops.lane import Scale
from qa.campaigns.stops.shots import LANES, Shot, shoot
from qa.campaigns.workers import Progress

SEND_GOAL_MS: Final = 50.0
"""From the first byte that the command sends to the STOP frame, at the 99th centile."""

START_GOAL_MS: Final = 300.0
"""From the start of its process, at the 99th centile."""

P50: Final = 0.50
P99: Final = 0.99


def name_of(seed: int, scale: Scale) -> str:
    """Return the name of a campaign in a file of results; more shots of it are the same one."""
    return f"stop --seed {seed} --hostile {scale.hostile} --leftovers {scale.leftovers}"


def run(n: int, seed: int, scale: Scale, kept: Kept | None, lanes: int = LANES) -> dict[str, Any]:
    """Take ``n`` shots, those that were kept among them, and return the figures."""
    shots: dict[int, Shot] = {}
    for number in range(n):
        known = None if kept is None else kept.results.get(_key(number))
        if known is not None:
            shots[number] = known
    progress = Progress("stops", n - len(shots))
    taking = threading.Lock()

    def take(number: int, shot: Shot) -> None:
        with taking:
            shots[number] = shot
            if kept is not None:
                kept.keep(_key(number), shot)
            progress.step()

    left = [number for number in range(n) if number not in shots]
    anew, other = shoot(left, seed, scale, take, min(lanes, len(left))) if left else (0, True)
    return figures(shots, seed, scale) | {"lanes_anew": anew, "another_account": other}


def figures(shots: Mapping[int, Shot], seed: int, scale: Scale) -> dict[str, Any]:
    """Return what came out, and how many violations of the goals there are."""
    taken = [shots[number] for number in sorted(shots)]
    send = _centiles([shot["from_send_ms"] for shot in taken])
    start = _centiles([shot["from_start_ms"] for shot in taken])
    bad = [shot for shot in taken if shot["code"] != 0 or shot["from_send_ms"] is None]
    missed = _misses(send, SEND_GOAL_MS) + _misses(start, START_GOAL_MS)
    return {
        "campaign": "stop",
        "runs": len(taken),
        "violations": len(bad) + missed,
        "seed": seed,
        "hostile_clients": scale.hostile,
        "leftovers": scale.leftovers,
        "stopped": len(taken) - len(bad),
        "with_open_valve": sum(shot["flowing"] for shot in taken),
        "exit_codes": dict(sorted(Counter(str(shot["code"]) for shot in taken).items())),
        "accounts": dict(sorted(Counter(shot["account"] for shot in taken).items())),
        "from_send_ms": send,
        "from_start_ms": start,
        "goals": {"from_send_ms_p99": SEND_GOAL_MS, "from_start_ms_p99": START_GOAL_MS},
    }


def text(said: Mapping[str, Any]) -> str:
    """Return the figures for people."""
    lines = [
        f"{said['stopped']} of {said['runs']} stopped, {said['with_open_valve']} of them while "
        f"crystals flowed; exit codes {said['exit_codes']}, accounts {said['accounts']}"
    ]
    for name, words in (("from_send_ms", "first byte sent"), ("from_start_ms", "process start")):
        if (row := said[name]) is not None:
            goal = said["goals"][f"{name}_p99"]
            lines.append(
                f"{words} to STOP frame: p50 {row['p50']:.1f}, p99 {row['p99']:.1f}, "
                f"max {row['max']:.1f} ms (goal for p99: {goal:g})"
            )
    if not said["another_account"]:
        lines.append("no other account was tried: that needs root, and an environment for all")
    return "\n".join(lines)


def _centiles(values: list[float | None]) -> dict[str, float] | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    at = {name: known[min(len(known) - 1, int(share * len(known)))] for name, share in _SHARES}
    return at | {"max": known[-1]}


_SHARES: Final = (("p50", P50), ("p99", P99))


def _misses(row: Mapping[str, float] | None, goal_ms: float) -> int:
    """Return 1 where a goal is missed, or where nothing was measured."""
    return 0 if row is not None and row["p99"] <= goal_ms else 1


def _key(number: int) -> str:
    return f"stop {number}"
