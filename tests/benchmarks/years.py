"""How long the questions of a start take after years: ``python -m tests.benchmarks.years``.

Prints one line for each question, in seconds of this process's own time, which others on the
machine do not lengthen. The goal is 50 ms each, with 20,000 treatments of which 1 in 100 was
interrupted.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from controller.record.store import Store
from tests.controller.record import years
from tests.controller.record.years import Years

GOAL_S: Final = 0.050


def main() -> int:
    """Write the record, ask, and say what took how long; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treatments", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=1000)
    asked = parser.parse_args()
    spec = Years(asked.treatments, clients=asked.clients)
    slow = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        years.write(path, spec).close()
        store = Store(path)
        opened_s = years.took_s(store, Store.probe)
        sys.stdout.write(f"{'open and probe':16s} {1000 * opened_s:7.1f} ms\n")
        for name, question in years.questions(spec).items():
            took_s = years.took_s(store, question)
            slow += not took_s <= GOAL_S
            sys.stdout.write(f"{name:16s} {1000 * took_s:7.1f} ms\n")
        store.close()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
