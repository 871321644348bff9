"""``python -m qa.matrix [--full] [--json]``: every fault in every state.

The device stands alone against a host that only streams (`cells`): whatever became safe, the
device did it. The table shows, for each fault and state, the worst time from the onset of the fault
to safety as a share of its budget; a dot is a cell in which nothing was due.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from qa.arguments import Arguments, above_zero, whole
from qa.matrix.cells import SEED, Cell, Stage, Verdict, cells, run_cell
from qa.matrix.rows import ROWS

PHASES: Final = 1
PHASES_FULL: Final = 25
TELL_EVERY_S: Final = 2.0
HEAT: Final = ((0.25, " "), (0.5, "-"), (0.8, "+"), (1.0, "#"), (float("inf"), "!"))
"""Share of the budget used, and its mark."""

Told = Callable[[int, int, int], None]


def run(todo: Sequence[Cell], told: Told | None = None) -> list[Verdict]:
    """Run cells and return their verdicts; ``told`` hears done, all and wrong."""
    verdicts: list[Verdict] = []
    wrong = 0
    for number, cell in enumerate(todo, 1):
        verdicts.append(run_cell(cell))
        wrong += bool(verdicts[-1].wrong)
        if told is not None:
            told(number, len(todo), wrong)
    return verdicts


def worst(verdicts: Iterable[Verdict]) -> dict[tuple[str, Stage], float]:
    """Return the worst time to safety by row and state, in seconds; no entry where none was due."""
    found: dict[tuple[str, Stage], float] = {}
    for verdict in verdicts:
        took_s = verdict.sworn.to_safe_s
        if took_s is not None:
            at = (verdict.cell.row, verdict.cell.stage)
            found[at] = max(took_s, found.get(at, 0.0))
    return found


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the heat map: milliseconds to safety against the budget, worst of each cell."""
    times = worst(verdicts)
    stages = [stage for stage in Stage if any(v.cell.stage is stage for v in verdicts)]
    wrong = {(v.cell.row, v.cell.stage) for v in verdicts if v.wrong}
    names = [name for name in ROWS if any(v.cell.row == name for v in verdicts)]
    lines = [
        f"{'fault':26}{'budget':>8}" + "".join(f"{stage.value:>10}" for stage in stages),
        *(
            f"{name:26}{_ms(ROWS[name].budget_s or None):>8}"
            + "".join(_shown(name, times.get((name, at)), (name, at) in wrong) for at in stages)
            for name in names
        ),
        "ms from onset to safety; used of the budget: - from 25 %, + from 50 %, # from 80 %, "
        "! broken; a dot: nothing was due",
    ]
    return "\n".join(lines) + "\n"


def _shown(name: str, took_s: float | None, wrong: bool) -> str:  # noqa: FBT001 - private
    if took_s is None:
        return f"{'!' if wrong else '.':>10}"
    share = took_s / ROWS[name].budget_s
    mark = "!" if wrong else next(sign for limit, sign in HEAT if share <= limit)
    return f"{_ms(took_s):>9}{mark}"


def _ms(seconds: float | None) -> str:
    return "." if seconds is None else f"{seconds * 1000:.0f}"


def as_dict(verdicts: Sequence[Verdict], took_s: float) -> dict[str, object]:
    """Return the figures for a JSON object."""
    return {
        "runs": len(verdicts),
        "violations": sum(bool(verdict.wrong) for verdict in verdicts),
        "took_s": round(took_s, 1),
        "cells": [
            {"fault": name, "state": stage.value, "to_safe_s": round(value, 3),
             "budget_s": round(ROWS[name].budget_s, 3)}
            for (name, stage), value in worst(verdicts).items()
        ],
        "wrong": [
            {"fault": v.cell.row, "state": v.cell.stage.value, "phase": round(v.cell.phase, 4),
             "seed": v.cell.seed, "wrong": v.wrong}
            for v in verdicts if v.wrong
        ],
    }  # fmt: skip


def main() -> int:
    """Run the matrix; 0 when every cell kept its rules, 1 when one did not."""
    parser = Arguments(prog="python -m qa.matrix", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{PHASES_FULL} phases of each state")
    parser.add_argument("--phases", type=above_zero, help="so many phases of each state")
    parser.add_argument("--fault", action="append", choices=tuple(ROWS), help="only this row")
    parser.add_argument("--seed", type=whole, default=SEED, help="of the device and the lines")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    phases = args.phases or (PHASES_FULL if args.full else PHASES)
    todo = [one for one in cells(phases, seed=args.seed) if not args.fault or one.row in args.fault]
    began_s = time.perf_counter()
    verdicts = run(todo, _teller(began_s))
    took_s = time.perf_counter() - began_s
    if args.json:
        sys.stdout.write(json.dumps(as_dict(verdicts, took_s)) + "\n")
    else:
        sys.stdout.write(table(verdicts))
        for verdict in verdicts:
            for sentence in verdict.wrong:
                cell = verdict.cell
                sys.stdout.write(
                    f"{cell.row} in {cell.stage.value} at {cell.phase:.4f}: {sentence}\n"
                )
    wrong = sum(bool(verdict.wrong) for verdict in verdicts)
    sys.stderr.write(f"{len(verdicts)} runs, {wrong} wrong, {took_s:.0f} s\n")
    return 1 if wrong else 0


def _teller(began_s: float) -> Told:
    told_s = began_s

    def tell(done: int, of: int, wrong: int) -> None:
        nonlocal told_s
        now_s = time.perf_counter()
        if now_s - told_s >= TELL_EVERY_S:
            told_s = now_s
            left_s = (now_s - began_s) / done * (of - done)
            sys.stderr.write(f"{done} of {of} runs, {wrong} wrong, {left_s:.0f} s left\n")

    return tell
