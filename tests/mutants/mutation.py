"""Mutation testing with mutmut: `make mutation` for the pure safety modules, parts of the rest.

Where `make mutants` seeds bugs that people thought of, this turns every operator, number and call
of a module, one at a time, and counts how many of the changes the unit tests of the same package
notice. It works in `.mutation`, a copy of the working tree, a part at a time; what was done is kept
there and only functions that changed are done again.

Kernel, device and command line have too many changes to try them all, and slower tests: of each a
sample is tried, which follows from a seed. `make mutation ARGS="kernel device cli --workers 1"` is
hours of one core; it tells how far it is, may be ended at any time, and goes on with `--resume`.

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
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.mutants.run import PATHS, ROOT, complain, copy_tree, tell
from tools.evidence.versions import Commit, commit_of

PLACE: Final = ROOT / ".mutation"
SHARE_MIN: Final = 0.95
SAMPLE_SHARE_MIN: Final = 0.90
SAMPLE: Final = 300  # changes of each sampled part
SEED: Final = 1
END_MAX_S: Final = 30.0  # the change that is being tried ends within that
TOLD_EVERY_S: Final = 15.0
NOTHING: Final = "nothing.of.that.name"  # of no change: mutmut makes all of them and tries none
FIGURES: Final = PLACE / "figures.json"  # collected by `make evidence`
EXPLAINED: Final = ROOT / "docs" / "MUTATION.md"
KILLED: Final = frozenset({"killed", "timeout", "caught by type check", "segfault", "suspicious"})
"""The last one is any other signal that ended the tests: uvloop aborts where asyncio raises."""
NOT_RUN: Final = frozenset({"not checked", "check was interrupted by user", "skipped"})


class Part(NamedTuple):
    """Modules of one package, and the unit tests that they are held to."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    marked: str = "not realtime"
    """Which of them, by their marks."""


PARTS: Final = {
    "safety": Part(
        tuple(
            f"controller/safety/{name}.py"
            for name in ("exposure", "interlocks", "limits", "removal", "skin")
        ),
        ("tests/controller/safety", "tests/controller/planning/test_plan.py"),
    ),
    "firmware": Part(
        tuple(
            f"simulator/firmware/{name}.py"
            for name in ("channel_b", "guards", "modes", "permissives", "setpoints")
        ),
        # Without those that move air and crystals: they take seconds, and a change may meet all.
        tuple(
            f"tests/simulator/firmware/test_{name}.py"
            for name in (
                "b_borders", "channel_b", "guard_borders", "guards", "lease", "modes",
                "permissives", "setpoints",
            )
        ),
    ),
    "protocol": Part(
        tuple(
            f"firmware_protocol/{name}.py"
            for name in ("codec", "frame", "link", "messages", "session")
        ),
        ("tests/firmware_protocol",),
    ),
    "treatment": Part(
        tuple(f"controller/treatment/{name}.py" for name in ("conduct", "states", "supervisor")),
        ("tests/controller/treatment",),
    ),
}  # fmt: skip

SAMPLED: Final = {
    name: Part(
        tuple(
            f"controller/{room}/{path.name}"
            for room in rooms
            for path in sorted((ROOT / "controller" / room).glob("*.py"))
            if path.name not in ("__init__.py", "__main__.py")
        ),
        tuple(f"tests/controller/{room}" for room in rooms),
        marked="not alone",  # ports, processes and files are what these parts are about
    )
    for name, rooms in {
        "kernel": ("kernel", "record", "api"),  # the process, with its record and its contract
        "device": ("device",),
        "cli": ("cli",),
    }.items()
}
"""Parts of which a sample is tried, held to the tests of their own rooms as the others are."""

LEFT_OUT: Final = (
    # It compares files with one another, and the copy that is mutated differs from them by design.
    "tests/firmware_protocol/test_generated.py::test_every_generated_file_is_up_to_date",
    # Each mutated module loads mutmut's own, which is as heavy as what this test bars.
    "tests/controller/cli/test_stop.py::test_nothing_heavy_is_loaded_before_the_stop_is_sent",
)


def settings(part: Part) -> str:
    """Return the section that mutmut reads, for one part."""
    words = ["-m", part.marked, "-p", "no:cacheprovider"]
    words += [word for test in LEFT_OUT for word in ("--deselect", test)]
    return "\n".join(
        (
            "\n[tool.mutmut]",
            'source_paths = ["controller", "firmware_protocol", "simulator"]',
            f"only_mutate = {_toml(part.modules)}",
            'also_copy = ["configs", "docs", "qa", "tests", "tools"]',
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
    for name in PATHS:
        shutil.rmtree(place / name, ignore_errors=True)
    copy_tree(place)
    with (place / "pyproject.toml").open("a") as file:
        file.write(settings(part))


def mutate(
    place: Path,
    workers: int,
    time_max_s: float | None,
    names: Sequence[str],
    told: Callable[[], None] = lambda: None,
) -> bool:
    """Run mutmut in a prepared place; False where it ended by itself without a result.

    Without names it tries what is new or was changed; with them it tries those once more. ``told``
    is called from time to time.
    """
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers), *names]
    log = place / "mutmut.log"
    with log.open("a" if names else "w") as out:
        process = subprocess.Popen(command, cwd=place, stdout=out, stderr=out)
        if not _ends(process, time_max_s, told):
            process.send_signal(signal.SIGINT)  # it writes down what was reached, then ends
            try:
                process.wait(END_MAX_S)
            except subprocess.TimeoutExpired:  # a shell that runs us in the background bars SIGINT
                process.kill()
                process.wait()
            return True  # that counts, and the table says how much was not run
    if process.returncode and NOTHING not in names:
        complain(f"mutmut could not work; the end of {log} says why.")
    return process.returncode == 0


def _ends(
    process: "subprocess.Popen[bytes]", time_max_s: float | None, told: Callable[[], None]
) -> bool:
    """Wait for a process and tell from time to time; False when its time is over before it is."""
    over_s = float("inf") if time_max_s is None else time.monotonic() + time_max_s
    while (left_s := over_s - time.monotonic()) > 0.0:
        try:
            process.wait(min(left_s, TOLD_EVERY_S))
        except subprocess.TimeoutExpired:
            told()
        else:
            return True
    return False


# -- samples ---------------------------------------------------------------------------------------
def sample_of(names: Iterable[str], count: int, seed: int) -> list[str]:
    """Return ``count`` names by chance; which, follows from the names and the seed alone.

    Each name is drawn or not by itself, and without its room: a module that moves, and a change of
    another one, leave the rest of the sample as it was.
    """

    def drawn(name: str) -> str:
        in_module = name.split(".", 2)[-1]
        return sha256(f"{seed} {in_module}".encode()).hexdigest()

    return sorted(sorted(names, key=drawn)[:count])


def try_sample(place: Path, part: Part, asked: argparse.Namespace) -> dict[str, str] | None:
    """Try the sample of a part, as far as the time goes; None where mutmut could not work."""
    if not asked.resume:
        shutil.rmtree(place / "mutants", ignore_errors=True)
    prepare(place, part)
    tell(f"{place.name}: the changes are made, and the tests run once without any ...")
    mutate(place, asked.workers, None, [NOTHING])
    found = outcomes(place)
    if not found:
        complain(f"mutmut made no change; the end of {place / 'mutmut.log'} says why.")
        return None
    chosen = sample_of(found, asked.sample, asked.seed)
    waiting = [name for name in chosen if found[name] in NOT_RUN]
    if waiting:

        def told() -> None:
            tell(_progress(_codes(place), chosen))

        if not mutate(place, asked.workers, asked.seconds, waiting, told):
            return None
    return sampled_of(outcomes(place), asked)


def sampled_of(found: Mapping[str, str], asked: argparse.Namespace) -> dict[str, str]:
    """Return what became of the changes of the sample."""
    return {name: found[name] for name in sample_of(found, asked.sample, asked.seed)}


def _codes(place: Path) -> dict[str, int | None]:
    """Return the exit code of the tests for every change; None for what was not tried yet."""
    codes: dict[str, int | None] = {}
    for path in (place / "mutants").rglob("*.meta"):
        try:
            codes |= json.loads(path.read_text())["exit_code_by_key"]
        except (OSError, ValueError):
            continue  # it is being written
    return codes


def _progress(codes: Mapping[str, int | None], chosen: Sequence[str]) -> str:
    done = [code for name in chosen if (code := codes.get(name)) is not None]
    lived = done.count(0)
    return f"    {len(done)} of {len(chosen)} done, {lived} lived"


# -- what came of it -------------------------------------------------------------------------------
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


def table(found: Mapping[str, str], modules: Sequence[str], share_min: float) -> Tally:
    """Print a row for each module, and return what they come to together."""
    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    all_killed = all_tried = unexplained = waiting = 0
    for module in modules:
        dotted = module.removesuffix(".py").replace("/", ".")
        mine = {name: how for name, how in found.items() if fnmatch.fnmatch(name, f"{dotted}.*")}
        if not mine:
            continue  # nothing of it is in the sample
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
    slow = sum(how == "timeout" for how in found.values())
    tail = f", {slow} of them by the time that it took" if slow else ""
    tell(f"{'together':<42} {all_tried:5} tried {all_killed:5} killed  {share:6.1%}{tail}\n")
    enough = share >= share_min and not waiting and not unexplained
    return Tally(all_tried, all_killed, waiting, enough)


def write_down(name: str, tally: Tally, commit: Commit) -> None:
    """Keep the figures of a part, with the commit and the time that they belong to."""
    kept: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"parts": {}}
    kept.setdefault("samples" if name in SAMPLED else "parts", {})[name] = {
        **tally._asdict(),
        "commit": commit.id,
        "clean": commit.is_clean,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    FIGURES.write_text(json.dumps(kept, indent=1) + "\n")


def main() -> int:
    """Run what the command line asks for; 0 when every part reaches its share."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, *SAMPLED, []], help="those tried in full when none is"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--seconds", type=float, help="end each part after this long")
    parser.add_argument("--table", action="store_true", help="only print what was found before")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="changes of kernel, device, cli")
    parser.add_argument("--seed", type=int, default=SEED, help="what is in these samples")
    parser.add_argument("--resume", action="store_true", help="go on with these samples")
    asked = parser.parse_args()
    enough = True
    for name in asked.parts or PARTS:
        tally = try_part(name, asked)
        if tally is None:
            return 2
        enough = tally.enough and enough
    return 0 if enough else 1


def try_part(name: str, asked: argparse.Namespace) -> Tally | None:
    """Try one part, print its table and keep its figures; None where mutmut could not work."""
    place, commit, part = PLACE / name, commit_of(ROOT), (PARTS | SAMPLED)[name]
    found: dict[str, str] | None
    if asked.table:
        found = sampled_of(outcomes(place), asked) if name in SAMPLED else outcomes(place)
    elif name in SAMPLED:
        found = try_sample(place, part, asked)
    else:
        found = try_all(place, part, asked)
    if found is None:
        return None
    tally = table(found, part.modules, SAMPLE_SHARE_MIN if name in SAMPLED else SHARE_MIN)
    if not asked.table:
        write_down(name, tally, commit)
    return tally


def try_all(place: Path, part: Part, asked: argparse.Namespace) -> dict[str, str] | None:
    """Try every change that is new, was made to changed code, or survived before."""
    # A new test may notice what survived before, and mutmut does not look again by itself.
    again = survivors(place)
    prepare(place, part)
    for names in ([], again) if again else ([],):
        if not mutate(place, asked.workers, asked.seconds, names):
            return None
    return outcomes(place)


if __name__ == "__main__":
    sys.exit(main())
