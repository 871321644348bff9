"""Seed one bug after the other and see the suite catch it: `make mutants`.

Each patch of this folder says in its header what it breaks, which hazard that lets loose and which
tests catch it. The patches are applied to a copy of the working tree, one at a time, and only the
named tests run, until the first that fails. A bug that no test notices, and a patch that does not
fit the tree any more, make this fail.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
TIME_MAX_S: Final = 180.0  # of one bug; the named tests take seconds, and a hang is noticed too
BASELINE_MAX_S: Final = 900.0  # all named tests on the whole code
PATHS: Final = (
    "configs", "controller", "docs", "firmware_protocol", "qa", "simulator", "tests", "tools",
)  # fmt: skip
FILES: Final = ("pyproject.toml",)
TESTS_FAILED: Final = 1  # the exit code of pytest; others say that it could not run them


class Mutant(NamedTuple):
    """A seeded bug, as the header of its patch describes it."""

    name: str
    path: Path
    broken: str
    hazard: str
    tests: tuple[str, ...]


class Verdict(NamedTuple):
    """What became of a bug."""

    caught: bool
    by: str
    """The test that caught it, or why it was not."""
    took_s: float


class HeaderError(ValueError):
    """A patch does not say what it breaks."""


def tell(line: str) -> None:
    """Write one line at once: whoever waits sees how far it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """Write one line for whoever looks for mistakes."""
    sys.stderr.write(f"{line}\n")


def read(path: Path) -> Mutant:
    """Read the header of a patch; HeaderError where a line of it is missing."""
    header: dict[str, list[str]] = {"Broken": [], "Hazard": [], "Caught-by": []}
    for line in path.read_text().splitlines():
        if line.startswith("--- "):
            break
        key, _, value = line.partition(": ")
        if key in header and value:
            header[key].append(value.strip())
    missing = [key for key, values in header.items() if not values]
    if missing:
        raise HeaderError(f"{path.name} has no line '{missing[0]}: ...' before its diff.")
    broken, hazard = header["Broken"][0], header["Hazard"][0]
    return Mutant(path.stem, path, broken, hazard, tuple(header["Caught-by"]))


def copy_tree(target: Path) -> None:
    """Copy what git would keep of the working tree: tracked files, and new ones not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PATHS]
    listed = subprocess.run([*command, *FILES], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # one that was deleted is still in the index
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def run_tests(tree: Path, tests: Iterable[str], time_max_s: float) -> tuple[int | None, str]:
    """Run tests in a tree until one fails; pytest's exit code, or None when it took too long."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", "--tb=no"]
    command += ["-rfE", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
    # The tree itself comes first: an editable install would bring in the code without the bug.
    environment = {**os.environ, "PYTHONPATH": str(tree), "HYPOTHESIS_STORAGE_DIRECTORY": ".seen"}
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=time_max_s,
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def first_failed(output: str) -> str:
    """Return the name of the test that failed, as pytest's last lines tell it."""
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            file, mark, test = line.split(" ", 1)[1].split(" - ")[0].partition("::")
            return f"{file.rpartition('/')[2]}{mark}{test}"
    return "an error before any test"


def applied(tree: Path, patch: Path, *, reverse: bool = False) -> bool:
    """Apply a patch to a tree, or take it back; False and nothing changed where it does not fit."""
    command = ["git", "apply", "--whitespace=nowarn"]
    command += ["--reverse", str(patch)] if reverse else [str(patch)]
    # Above the tree there may be another repository, which must not be meant.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(command, check=False, cwd=tree, env=environment, capture_output=True)
    return done.returncode == 0


def judge(tree: Path, mutant: Mutant) -> Verdict:
    """Seed one bug, run its tests, and take it out again."""
    began_s = time.monotonic()
    if not applied(tree, mutant.path):
        return Verdict(caught=False, by="the patch does not fit the code any more", took_s=0.0)
    try:
        code, output = run_tests(tree, mutant.tests, TIME_MAX_S)
    finally:
        if not applied(tree, mutant.path, reverse=True):
            raise RuntimeError(f"{mutant.path.name} could not be taken back")
    took_s = time.monotonic() - began_s
    if code is None:
        return Verdict(caught=True, by=f"no end within {TIME_MAX_S:.0f} s", took_s=took_s)
    if code == TESTS_FAILED:
        return Verdict(caught=True, by=first_failed(output), took_s=took_s)
    why = "SURVIVED" if code == 0 else f"pytest could not run its tests (exit {code})"
    return Verdict(caught=False, by=why, took_s=took_s)


def chosen(names: Sequence[str]) -> list[Mutant]:
    """Read the named patches, or all of them."""
    mutants = [read(path) for path in sorted(HERE.glob("*.patch"))]
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise HeaderError(f"There is no seeded bug named {min(unknown)}.")
    return [mutant for mutant in mutants if not names or mutant.name in names]


def whole(tree: Path, mutants: Sequence[Mutant]) -> bool:
    """Run every named test without any bug: what fails already can catch nothing."""
    tests = dict.fromkeys(test for mutant in mutants for test in mutant.tests)
    code, output = run_tests(tree, tests, BASELINE_MAX_S)
    if code == 0:
        return True
    why = "took too long" if code is None else f"failed: {first_failed(output)}"
    complain(f"Without any bug the named tests {why}. Mend that first.")
    if code not in (None, TESTS_FAILED):
        complain(output)
    return False


def table(mutants: Sequence[Mutant], tree: Path) -> list[Verdict]:
    """Print a row for each bug as it is done, and return what became of all of them."""
    wide = max(len(mutant.name) for mutant in mutants)
    tell(f"{'seeded bug':<{wide}}  hazard  seconds  caught by")
    verdicts, began_s = [], time.monotonic()
    for mutant in mutants:
        caught, by, took_s = verdict = judge(tree, mutant)
        verdicts.append(verdict)
        mark = "" if caught else "NOT CAUGHT: "
        row = f"{mutant.name:<{wide}}  {mutant.hazard:<6}  {took_s:7.1f}  {mark}{by}"
        tell(row)
    caught_count = sum(verdict.caught for verdict in verdicts)
    total_s = time.monotonic() - began_s
    tell(f"\n{caught_count} of {len(mutants)} seeded bugs caught in {total_s:.0f} s.")
    return verdicts


def as_json(mutants: Sequence[Mutant], verdicts: Sequence[Verdict]) -> str:
    """Return the table for machines."""
    rows = [
        {"name": mutant.name, "broken": mutant.broken, "hazard": mutant.hazard}
        | verdict._asdict() | {"took_s": round(verdict.took_s, 1)}
        for mutant, verdict in zip(mutants, verdicts, strict=True)
    ]  # fmt: skip
    return json.dumps({"bugs": rows}, indent=1) + "\n"


def main() -> int:
    """Run what the command line asks for; 0 when every bug was caught."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="seeded bugs to run; all when none is named")
    parser.add_argument("--fit", action="store_true", help="only see whether the patches fit")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    asked = parser.parse_args()
    try:
        mutants = chosen(asked.names)
    except HeaderError as error:
        complain(str(error))
        return 2
    with tempfile.TemporaryDirectory(prefix="corneum-mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        if asked.fit:
            return report_fit(tree, mutants)
        if not whole(tree, mutants):
            return 2
        verdicts = table(mutants, tree)
        if asked.json:
            asked.json.write_text(as_json(mutants, verdicts))
        return 0 if all(verdict.caught for verdict in verdicts) else 1


def report_fit(tree: Path, mutants: Sequence[Mutant]) -> int:
    """Name the patches that do not fit the code any more."""
    loose = [mutant.name for mutant in mutants if not applied_and_back(tree, mutant)]
    for name in loose:
        tell(f"{name}: the patch does not fit the code any more; renew it.")
    tell(f"{len(mutants) - len(loose)} of {len(mutants)} patches fit.")
    return 1 if loose else 0


def applied_and_back(tree: Path, mutant: Mutant) -> bool:
    """See whether a patch fits, and leave the tree as it was."""
    fits = applied(tree, mutant.path)
    return fits and applied(tree, mutant.path, reverse=True)


if __name__ == "__main__":
    sys.exit(main())
