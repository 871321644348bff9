"""The command line of the fuzzing: a campaign of hostile frames, with its figures."""

import json
import sys
import time
from typing import Final

from qa.arguments import Arguments, above_zero, whole
from tests.proof.fuzz.campaign import Campaign, FuzzFailedError, Report

TELL_EVERY_S: Final = 2.0
N_DEFAULT: Final = 200_000


def main() -> int:
    """Run one campaign; 0 when the promise held, 1 when it did not."""
    parser = Arguments(prog="python -m tests.proof.fuzz", description=__doc__)
    parser.add_argument("--n", type=above_zero, default=N_DEFAULT, help="hostile frames to send")
    parser.add_argument("--seed", type=whole, default=1, help="everything follows from it")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    args = parser.parse_args()
    began_s = time.perf_counter()
    told_s = began_s

    def progress(report: Report) -> None:
        nonlocal told_s
        now_s = time.perf_counter()
        if now_s - told_s >= TELL_EVERY_S:
            told_s = now_s
            rate = report.frames / (now_s - began_s)
            share = report.frames / args.n
            sys.stderr.write(f"{report.frames:,} frames, {share:.0%}, {rate:,.0f} a second\n")

    try:
        report = Campaign(args.seed, args.n, progress).run()
    except FuzzFailedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    took_s = time.perf_counter() - began_s
    if args.json:
        figures = report.as_dict() | {
            "took_s": round(took_s, 2),
            "frames_per_s": round(report.frames / took_s),
        }
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(_table(report, took_s))
    return 0


def _table(report: Report, took_s: float) -> str:
    grown = report.blocks_late - report.blocks_early
    rows = [
        ("hostile frames", f"{report.frames:,} in {took_s:.1f} s"),
        ("a second", f"{report.frames / took_s:,.0f}"),
        ("noise, forged", f"{report.random_frames:,}, {report.forged_frames:,}"),
        ("honest frames", f"{report.honest_frames:,}"),
        ("frames answered", f"{report.answers:,}"),
        ("power-ons", f"{report.lives:,}"),
        ("virtual time", f"{report.virtual_s:,.0f} s, valve open {report.valve_open_s:,.0f} s"),
        ("STOPs honoured", f"{report.stops:,}"),
        ("device at most", f"{report.census_max_bytes:,} bytes"),
        ("memory blocks", f"{report.blocks_late:,}, grown by {grown:,}"),
        *((f"hit in {mode}", f"{count:,}") for mode, count in report.in_mode.most_common()),
        *((f"times {mode}", f"{count:,}") for mode, count in report.entered.most_common()),
        *((f"trips {cause}", f"{count:,}") for cause, count in report.trips.most_common()),
    ]
    return "".join(f"{what:<24}{figure}\n" for what, figure in rows)
