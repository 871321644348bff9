"""Mutation testing of the pure safety modules with mutmut: `make mutation`.

Where `make mutants` seeds bugs that people thought of, this turns every operator, number and call
of a module, one at a time, and counts how many of the changes the unit tests of the same package
notice. It works in `.mutation`, a copy of the working tree, a part at a time; what was done is kept
there and only functions that changed are done again.

mutmut changes the bodies of functions. Tables and properties (GUARDS, RULES, TRANSITIONS) are out
of its reach: the seeded bugs and the tests that walk every row of a table are for those.
"""

import argparse
import fnmatch
import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from docs.evidence.versions import Commit, commit_of
from tests.mutants.run import ROOT, complain, copy_tree, tell

PLACE: Final = ROOT / ".mutation"
SHARE_MIN: Final = 0.95
END_MAX_S: Final = 30.0  # the change that is being tried ends within that
FIGURES: Final = PLACE / "figures.json"  # collected by `make evidence`
EXPLAINED: Final = ROOT / "docs" / "MUTATION.md"
KILLED: Final = frozenset({"killed", "timeout", "caught by type check", "segfault"})
NOT_RUN: Final = frozenset({"not checked", "check was interrupted by user", "skipped"})


class Part(NamedTuple):
    """Modules of one package, and the unit tests that they are held to."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS: Final = {
    "safety": Part(
        tuple(
            f"controller/safety/{name}.py"
            for name in ("exposure", "interlocks", "limits", "removal", "skin")
        ),
        ("tests/controller/safety", "tests/controller/treatment/test_plan.py"),
    ),
    "firmware": Part(
        tuple(
            f"simulator/firmware/{name}.py"
            for name in ("channel_b", "guards", "lease", "modes", "permissives")
        ),
        # Without those that move air and crystals: they take seconds, and a change may meet all.
        tuple(
            f"tests/simulator/firmware/test_{name}.py"
            for name in (
                "b_borders", "channel_b", "guard_borders", "guards", "lease", "modes",
                "permissives",
            )
        ),
    ),
    "protocol": Part(
        tuple(
            f"firmware_protocol/{name}.py"
            for name in (
                "answering", "asking", "codec", "config_check", "crc", "frame", "framing",
                "limiter", "link", "quantities", "session", "ticks",
            )
        ),
        ("tests/firmware_protocol",),
    ),
    "treatment": Part(
        tuple(f"controller/treatment/{name}.py" for name in ("conduct", "states", "supervisor")),
        ("tests/controller/treatment",),
    ),
}  # fmt: skip

# It compares files with one another, and the copy that is mutated differs from them by design.
LEFT_OUT: Final = (
    "tests/firmware_protocol/test_generated.py::test_every_generated_file_is_up_to_date"
)


def settings(part: Part) -> str:
    """Return the section that mutmut reads, for one part."""
    words = ["-m", "not realtime", "-p", "no:cacheprovider", "--deselect", LEFT_OUT]
    return "\n".join(
        (
            "\n[tool.mutmut]",
            'source_paths = ["controller", "firmware_protocol", "simulator"]',
            f"only_mutate = {_toml(part.modules)}",
            'also_copy = ["configs", "docs", "tests"]',
            f"pytest_add_cli_args_test_selection = {_toml(part.tests)}",
            f"pytest_add_cli_args = {_toml(words)}",
            "timeout_multiplier = 4.0\n",  # of the time that the tests of a function take
        )
    )


def _toml(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def prepare(place: Path, part: Part) -> None:
    """Renew the copy of the tree, and keep what was found out about functions before."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("configs", "controller", "docs", "firmware_protocol", "simulator", "tests"):
        shutil.rmtree(place / name, ignore_errors=True)
    copy_tree(place)
    with (place / "pyproject.toml").open("a") as file:
        file.write(settings(part))


def mutate(place: Path, workers: int, time_max_s: float | None, names: Sequence[str]) -> bool:
    """Run mutmut in a prepared place; False where it ended by itself without a result.

    Without names it tries what is new or was changed; with them it tries those once more.
    """
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers), *names]
    log = place / "mutmut.log"
    with log.open("a" if names else "w") as out:
        process = subprocess.Popen(command, cwd=place, stdout=out, stderr=out)
        try:
            process.wait(time_max_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it writes down what was reached, then ends
            try:
                process.wait(END_MAX_S)
            except subprocess.TimeoutExpired:  # a shell that runs us in the background bars SIGINT
                process.kill()
                process.wait()
            return True  # that counts, and the table says how much was not run
    if process.returncode:
        complain(f"mutmut could not work; the end of {log} says why.")
    return process.returncode == 0


def outcomes(place: Path) -> dict[str, str]:
    """Return what became of every change, by its name."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    done = subprocess.run(command, check=True, cwd=place, capture_output=True, text=True)
    lines = (line.strip() for line in done.stdout.splitlines() if ": " in line)
    return dict(line.rsplit(": ", 1) for line in lines)


def survivors(place: Path) -> list[str]:
    """Return what survived the run before, by name; nothing where there was none."""
    if not (place / "mutants").exists():
        return []
    return [name for name, how in outcomes(place).items() if how in ("survived", "no tests")]


class Tally(NamedTuple):
    """What became of the changes of a part."""

    tried: int
    killed: int
    left: int
    enough: bool
    """Enough was killed, nothing is left, and the rest is explained."""


def table(found: dict[str, str], modules: Sequence[str]) -> Tally:
    """Print a row for each module, and return what they come to together."""
    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    all_killed = all_tried = unexplained = waiting = 0
    for module in modules:
        dotted = module.removesuffix(".py").replace("/", ".")
        mine = {name: how for name, how in found.items() if fnmatch.fnmatch(name, f"{dotted}.*")}
        count = Counter(mine.values())
        killed, left = sum(count[how] for how in KILLED), sum(count[how] for how in NOT_RUN)
        tried = len(mine) - left
        share = killed / tried if tried else 1.0
        tail = f", {left} not run" if left else ""
        tell(f"{module:<42} {tried:5} tried {killed:5} killed  {share:6.1%}{tail}")
        for name in sorted(name for name, how in mine.items() if how not in KILLED | NOT_RUN):
            known = f"`{name.removeprefix(f'{dotted}.')}`" in explained
            unexplained += not known
            tell(f"    {mine[name]}: {name}  ({'explained' if known else 'NOT EXPLAINED'})")
        all_killed, all_tried, waiting = all_killed + killed, all_tried + tried, waiting + left
    share = all_killed / all_tried if all_tried else 1.0
    tell(f"{'together':<42} {all_tried:5} tried {all_killed:5} killed  {share:6.1%}\n")
    enough = share >= SHARE_MIN and not waiting and not unexplained
    return Tally(all_tried, all_killed, waiting, enough)


def write_down(name: str, tally: Tally, commit: Commit) -> None:
    """Keep the figures of a part, with the commit and the time that they belong to."""
    kept: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"parts": {}}
    kept["parts"][name] = {
        **tally._asdict(),
        "commit": commit.id,
        "clean": commit.is_clean,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    FIGURES.write_text(json.dumps(kept, indent=1) + "\n")


def main() -> int:
    """Run what the command line asks for; 0 when every part reaches its share."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when none is named")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--seconds", type=float, help="end each part after this long")
    parser.add_argument("--table", action="store_true", help="only print what was found before")
    asked = parser.parse_args()
    enough = True
    for name in asked.parts or PARTS:
        place, part, commit = PLACE / name, PARTS[name], commit_of(ROOT)
        if not asked.table:
            # A new test may notice what survived before, and mutmut does not look again by itself.
            again = survivors(place)
            prepare(place, part)
            for names in ([], again) if again else ([],):
                if not mutate(place, asked.workers, asked.seconds, names):
                    return 2
        tally = table(outcomes(place), part.modules)
        if not asked.table:
            write_down(name, tally, commit)
        enough = tally.enough and enough
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
