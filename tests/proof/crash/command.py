"""The command line of the crash proof: every power cut and failure of three scenes, or a sample."""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from controller.cli.outcome import Failure
from qa.campaigns.kept import Kept, OtherCampaignError, folder_sha256
from qa.campaigns.workers import Where, WorkersLostError, spread
from tests.proof.crash.disk import DiskError
from tests.proof.crash.proof import CUT, FAULT, jobs, prove

SHOWN_MAX: Final = 20
"""Violations that are shown to people; all of them are in the JSON object."""

EXAMPLES: Final = """examples:
  python -m tests.proof.crash --sample 150 --seed 1
  python -m tests.proof.crash --resume crash.jsonl        # every case; goes on where it was ended
"""


def main() -> int:
    """Run the proof; 0 when everything held, 1 when something did not."""
    args = _parser().parse_args()
    began_s = time.perf_counter()
    own = folder_sha256(Path(__file__).parent)[:8]  # its results follow from this proof, too
    name = f"crash seed {args.seed}, {args.sample or 'all'} cases, proof {own}"
    try:
        kept = None if args.resume is None else Kept(args.resume, name)
        found = list(
            spread(prove, jobs(args.seed, args.sample), Where(args.workers), "steps", kept)
        )
    except (OtherCampaignError, WorkersLostError, DiskError, OSError) as error:
        raise Failure(f"Nothing was proved: {error}") from error
    counts = Counter[str]()
    for _, result in found:
        counts.update({each: result[each] for each in (CUT, FAULT)})
    wrong = [each for _, result in sorted(found) for each in result["wrong"]]
    figures = {
        "seed": args.seed,
        "steps": len(found),
        "power_cuts": counts[CUT],
        "failures": counts[FAULT],
        "violations": wrong,
        "took_s": round(time.perf_counter() - began_s, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n" if args.json else _text(figures, wrong))
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.crash", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seed", type=_positive, default=1, help="everything follows from it")
    parser.add_argument("--sample", type=_positive, help="so many cases; without it all of them")
    parser.add_argument("--resume", type=Path, help="keep results here, and go on with them")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 is one per core")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is none; say 1 or more")
    return number


def _text(figures: dict[str, object], wrong: list[str]) -> str:
    shown = [f"{each}\n" for each in wrong[:SHOWN_MAX]]
    more = len(wrong) - len(shown)
    return (
        "".join(shown)
        + (f"and {more} more, see --json\n" if more else "")
        + f"{figures['power_cuts']:,} power cuts and {figures['failures']:,} failures of the disk "
        f"at {figures['steps']:,} steps, seed {figures['seed']}: {len(wrong)} violations "
        f"in {figures['took_s']} s\n"
    )
