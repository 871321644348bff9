"""Explore every state that device, host and line can get into, and check P1 to P11, L1 and L2.

    python -m tests.proof.explore [--small | --full] [--part PART]... [--states N] [--seconds S]
                                   [--json]

Three explorations of the real objects, none of a model of them: the firmware under any host, the
supervisor under any device, and both with a line between them. Time goes in beats of 50 ms; what is
coarser than the real thing is said in each part's own file and in the report.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from qa.arguments import Arguments, above_zero, seconds
from tests.proof.explore.device import ALL, FEW, DeviceWorld
from tests.proof.explore.host import HostWorld
from tests.proof.explore.pair import PairWorld
from tests.proof.explore.search import Found, Search, World

STATES_MAX: Final = 1_000_000  # of each part; memory for a million is about 4 GB
SECONDS_MAX: Final = 7_200.0
FAMILIES_SHOWN: Final = 12

PARTS: Final[dict[str, Callable[[bool], World]]] = {
    "device": lambda small: DeviceWorld(FEW if small else ALL),
    "host": lambda small: HostWorld(small=small),
    "pair": lambda small: PairWorld(small=small),
}
COARSE: Final = (
    "Time passes in beats of 50 ms: the firmware samples ten times less often than it does, and "
    "messages arrive between beats.",
    "Clocks of 300 ms and more run out whenever the environment decides, not when they would; the "
    "lease and the trips within 150 ms run exactly in the device and in the pair.",
    "In the device alone every sensor and switch reading may follow on every other; in the pair "
    "the valve follows its command or is stuck.",
    "On the line of the pair at most one beat's frames are held in each direction.",
    "Beyond a broken property nothing is explored.",
)


def explore(
    parts: Sequence[str],
    *,
    small: bool,
    states_max: int = STATES_MAX,
    seconds_max: float = SECONDS_MAX,
    told: Callable[[Found, float], None] = lambda _found, _took_s: None,
) -> list[Found]:
    """Explore the parts one after the other and return what each came to."""
    results = []
    for part in parts:
        began_s = time.monotonic()
        bound = _Bound(began_s + seconds_max)
        results.append(Search(PARTS[part](small), states_max, bound.reached).run())
        told(results[-1], time.monotonic() - began_s)
    return results


class _Bound:
    """Ends a search when its time is up or somebody interrupts it; what was found is told."""

    def __init__(self, due_s: float) -> None:
        self._due_s = due_s

    def reached(self, _found: Found) -> bool:
        return _interrupted.is_set() or time.monotonic() > self._due_s


_interrupted: Final = threading.Event()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _interrupted.set()


def text(found: Found, took_s: float) -> str:
    """Return the report of one exploration for people."""
    closed = "every reachable state" if found.closed else "CUT by its bound, the rest was not seen"
    lines = [
        found.title,
        f"  {found.states:,} states, {found.transitions:,} transitions, depth {found.depth}, "
        f"{took_s:.1f} s: {closed}",
        "  "
        + ", ".join(
            f"{name} {count:,}" for name, count in found.families.most_common(FAMILIES_SHOWN)
        ),
        "  put to the test: "
        + ", ".join(
            f"{rule} {found.checks[rule]:,}" for rule in sorted(found.checks, key=_by_number)
        ),
    ]
    if not found.traces:
        lines.append("  no property is broken")
    lines += ["", *(trace.text() for trace in found.traces)] if found.traces else []
    return "\n".join(lines)


def as_json(found: Found) -> dict[str, Any]:
    """Return the report of one exploration for machines."""
    return {
        "title": found.title,
        "states": found.states,
        "transitions": found.transitions,
        "depth": found.depth,
        "closed": found.closed,
        "families": dict(found.families),
        "checks": dict(found.checks),
        "broken": [
            {"rule": trace.broken.rule, "how": trace.broken.how, "steps": list(trace.steps)}
            for trace in found.traces
        ],
    }


def _by_number(rule: str) -> tuple[str, int]:
    return rule[0], int(rule[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 where a property is broken, 2 where the bound cut the search."""
    parser = Arguments(prog="python -m tests.proof.explore")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_true", help="few symbols, seconds (the default)")
    size.add_argument("--full", action="store_true", help="every symbol, many minutes")
    parser.add_argument("--part", action="append", choices=tuple(PARTS), help="only this part")
    parser.add_argument("--states", type=above_zero, default=STATES_MAX, help="bound on its states")
    parser.add_argument("--seconds", type=seconds, default=SECONDS_MAX, help="bound on its time")
    parser.add_argument("--json", action="store_true", help="report for machines")
    asked = parser.parse_args(arguments)

    def told(found: Found, took_s: float) -> None:
        if not asked.json:
            sys.stdout.write(text(found, took_s) + "\n\n")
            sys.stdout.flush()

    results = explore(
        asked.part or tuple(PARTS),
        small=not asked.full,
        states_max=asked.states,
        seconds_max=asked.seconds,
        told=told,
    )
    if asked.json:
        report = {"coarse": COARSE, "parts": [as_json(found) for found in results]}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write("What is coarser than the real thing:\n")
        sys.stdout.writelines(f"  - {line}\n" for line in COARSE)
    if any(found.traces for found in results):
        return 1
    return 0 if all(found.closed for found in results) else 2


def watch_signals() -> None:
    """End the search at SIGINT or SIGTERM, and still tell what it found."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
