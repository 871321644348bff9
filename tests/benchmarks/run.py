"""`make bench`: every figure beside its peer or floor, in the same run, printed and written.

`python -m tests.benchmarks.run [--peers DIR] [--only WORD] [--out FILE]`
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import first_result, record, recording, service, watchers, wire
from tests.benchmarks.figures import Figure, show, write
from tests.benchmarks.processes import MeasurementError

Section = Callable[[Path, Callable[[str], None]], list[Figure]]

SECTIONS: dict[str, Section] = {
    "codec": wire.codec_rows,
    "exchange": wire.exchange_rows,
    "reaction": service.reaction_rows,
    "renewal": service.renewal_rows,
    "service": service.service_rows,
    "watchers": watchers.watchers_rows,
    "recording": recording.recording_rows,
    "virtual": service.virtual_rows,
    "campaign": service.campaign_rows,
    "record": record.record_rows,
    "first result": first_result.first_result_rows,
}


def main() -> None:
    """Measure, print, write; exit 1 when a section could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"))
    parser.add_argument("--only", choices=SECTIONS, action="append")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    words = parser.parse_args()
    figures: list[Figure] = []
    failed = False
    for name in words.only or SECTIONS:
        try:
            figures += SECTIONS[name](words.peers, _tell)
        except MeasurementError as error:
            failed = True
            figures.append(Figure(name, None, "", str(error), holds=False))
    show(figures)
    write(figures, words.out)
    sys.stdout.write(f"Written to {words.out}\n")
    sys.exit(1 if failed else 0)


def _tell(what: str) -> None:
    sys.stderr.write(f"measuring {what}\n")


if __name__ == "__main__":
    main()
