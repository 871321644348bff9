"""How fast a record is verified, beside a bare SELECT with one SHA-256 a row, and beside before.

A chain of rows that are stored as columns was verified by making each text anew; `verify` still
does that with files of such builds, so both ways are timed on the same rows. Seconds are those of
this process, which others on the machine do not lengthen.
"""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

from controller.record.verify import verify
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.processes import MeasurementError
from tests.controller.record import years
from tests.controller.record.older import to_columns
from tests.controller.record.years import Years

ROUNDS: Final = 5
RECORD: Final = Years(1000, exposures=50)
"""With as many small rows for each large one as a treatment of 25 s has."""
FLOOR_SHARE_MIN: Final = 0.8
BEFORE_TIMES_MIN: Final = 5.0


def record_rows(_peers: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Write a record and the same in its old form, and verify both in turns beside the floor."""
    tell("writing a record of some years")
    with tempfile.TemporaryDirectory(prefix="corneum-bench-") as name:
        now, before = Path(name) / "journal.sqlite3", Path(name) / "before.sqlite3"
        years.write(now, RECORD).close()
        shutil.copy(now, before)
        to_columns(before, 2)
        best = dict.fromkeys(("floor", "chain", "chain before", "all", "all before"), 0.0)
        for turn in range(ROUNDS):
            tell(f"verifying, round {turn + 1} of {ROUNDS}")
            chain, whole = _verified(now)
            chain_before, whole_before = _verified(before)
            rates = (_floor(now), chain, chain_before, whole, whole_before)
            best = {key: max(best[key], rate) for key, rate in zip(best, rates, strict=True)}
    return _figures(best)


def _figures(best: dict[str, float]) -> list[Figure]:
    floor = f"SELECT and SHA-256: {best['floor']:,.0f}"
    rebuilt = f"texts made anew: {best['chain before']:,.0f}"
    whole = f"the same before: {best['all before']:,.0f}"
    share, times = best["chain"] / best["floor"], best["chain"] / best["chain before"]
    chain = "rows of a chain verified"
    return [
        at_least(
            Figure(chain, best["chain"], "a second", floor, share), FLOOR_SHARE_MIN, of_ratio=True
        ),
        at_least(
            Figure(chain, best["chain"], "a second", rebuilt, times),
            BEFORE_TIMES_MIN,
            of_ratio=True,
        ),
        Figure(
            "rows verified with indexes and lists", best["all"], "a second", whole,
            best["all"] / best["all before"],
        ),
    ]  # fmt: skip


def _floor(path: Path) -> float:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        rows, began_s = 0, time.process_time()
        for text, _ in connection.execute("SELECT text, hash FROM journal ORDER BY id"):
            sha256(text).hexdigest()
            rows += 1
        return rows / (time.process_time() - began_s)


def _verified(path: Path) -> tuple[float, float]:
    """Return the rows a second of the chain alone, and of everything that `verify` looks at."""
    began_s, chain_s = time.process_time(), 0.0

    def told(row: int, rows: int) -> None:
        nonlocal chain_s
        if row == rows:
            chain_s = time.process_time() - began_s

    found = verify(path, told)
    if not found.ok:
        raise MeasurementError(found.sentence)
    return found.rows / chain_s, found.rows / (time.process_time() - began_s)
