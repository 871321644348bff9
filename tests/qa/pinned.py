"""The runs whose bytes and records are pinned, and the one command that renews what is pinned.

A seed and a commit give the same bytes and the same record on every Python. Whoever changes what is
simulated renews the pins: `python -m tests.qa.pinned --renew`, and says in the commit why they
changed. Without --renew it only prints what this Python makes of each run.
"""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from simulator.line import Weather

PINS: Final = Path(__file__).with_name("pinned.json")
WEATHER: Final = Weather(
    loss=0.01, delay_s=0.003, jitter_s=0.004, flip_rate=0.0001, duplicate=0.01, reorder=0.01
)

Pin = dict[str, str]


async def _whole(made: Service) -> None:
    await made.treat("refresh", zones=["nose"])


async def _faulty(made: Service) -> None:
    made.rig.handpiece.schedule_fault("suction-a-drift", 6.0)
    made.rig.handpiece.schedule_fault("valve-stuck-open", 12.0)
    await made.treat("refresh", zones=["nose"])


RUNS: Final[dict[str, tuple[RigSpec, Callable[[Service], Awaitable[None]]]]] = {
    "one zone, calm line": (RigSpec(1), _whole),
    "one zone, foul line": (RigSpec(2, "careful", weather=WEATHER), _whole),
    "one zone, faults": (RigSpec(3, "hurried"), _faulty),
}


def pin_of(name: str) -> Pin:
    """Run one of `RUNS` and return its hashes: of the line's bytes, and of the journal's rows."""
    spec, scenario = RUNS[name]

    async def run() -> Pin:
        async with service(spec) as made:
            await scenario(made)
            return {"trace": made.rig.trace_sha256(), "journal": made.rig.journal_sha256()}

    return run_virtual(run())


def pinned() -> dict[str, Pin]:
    """Return what is pinned."""
    pins: dict[str, Any] = json.loads(PINS.read_text())
    return pins


def main(arguments: list[str]) -> None:
    """Print what each run gives; with --renew pin it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renew", action="store_true", help="pin what this commit gives")
    text = json.dumps({name: pin_of(name) for name in RUNS}, indent=2) + "\n"
    sys.stdout.write(text)
    if parser.parse_args(arguments).renew:
        PINS.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
