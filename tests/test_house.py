"""The rules of the house that no other tool checks. Each failure lists every offender."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("controller", "firmware_protocol", "qa", "simulator", "tools")
PURE: Final = (
    "firmware_protocol",
    "controller/safety",
    "controller/treatment",
    "simulator/plant",
    "simulator/firmware",
)
LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
IMPURE: Final = frozenset(
    {"asyncio", "time", "datetime", "random", "threading", "socket", "serial", "logging"}
    | {"pydantic", "sqlite3", "subprocess", "os"}
)
VAGUE_NAMES: Final = re.compile(r"utils?|helpers?|managers?|common|misc", re.IGNORECASE)
VAGUE_CLASS: Final = re.compile(r"Manager|Helper|Util")
LEFTOVERS: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
TEXT_SUFFIXES: Final = frozenset({".py", ".md", ".toml", ".txt", ".lock", ".json", ".yaml"})
# What ties a file to one machine or one index: home folders, scratch folders, package addresses.
MACHINE: Final = re.compile(
    r"(?<![\w.$~])/(home|Users|root|work|opt|mnt)/\w|pythonhosted|--(extra-)?index-url|--find-links"
)
# Numbers whose unit is their name, and plain numbers: shares, factors, exponents, relative spreads.
# The two ends of an interval have the unit of whatever it is an interval of.
PLAIN: Final = re.compile(
    r"_(grams|layers|share|factor(_blind)?|ratio|exponent|derate|fraction|cv|ln_sd)$|^_(low|high)$"
)
UNIT: Final = re.compile(
    r"_(s|ms|min|h|days|years|hz|pa|kpa|kpa_per_s|um|um_per_s|mm|mm2|cm2|mm_per_s|mg|g|mg_per_min"
    r"|g_per_min|g_per_min_per_s|percent|percent_per_s|deg_c|v|mv|bytes|counts|h_per_layer)(_mean|_peak)?$"
)


def sources(*tops: str) -> Iterator[Path]:
    """Every Python file below these folders, in a fixed order."""
    for top in tops:
        yield from sorted((ROOT / top).rglob("*.py"))


def texts() -> Iterator[Path]:
    """Every text file of the repository itself, not what was installed or made beside it."""
    made = {"bench.json", "sbom.json", "evidence"}
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part != ".ci" for part in inside.parts[:-1])
        named = path.suffix in TEXT_SUFFIXES or path.name in {"Makefile", "run", ".gitignore"}
        if path.is_file() and named and not hidden and inside.parts[0] not in made:
            yield path


def offenders(paths: Iterator[Path], rule: Callable[[ast.Module], Iterator[ast.stmt]]) -> list[str]:
    """Every place where a statement breaks ``rule``, as file:line."""
    found = []
    for path in paths:
        tree = ast.parse(path.read_text())
        found += [f"{path.relative_to(ROOT)}:{node.lineno}" for node in rule(tree)]
    return found


def imported(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, "." * node.level + (node.module or "")


def test_every_file_stays_below_400_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {count}"
        for path in sources(*PACKAGES, "tests")
        if (count := len(path.read_text().splitlines())) >= LINES_MAX
    ]
    assert not long


def test_every_function_fits_on_a_page() -> None:
    def too_long(tree: ast.Module) -> Iterator[ast.stmt]:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    yield node

    assert not offenders(sources(*PACKAGES), too_long)


def test_no_file_or_class_has_a_name_that_says_nothing() -> None:
    def vague(tree: ast.Module) -> Iterator[ast.stmt]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
                yield node

    files = [p for p in sources(*PACKAGES, "tests") if VAGUE_NAMES.fullmatch(p.stem)]
    folders = [p for p in sources(*PACKAGES, "tests") if VAGUE_NAMES.fullmatch(p.parent.name)]
    assert not files
    assert not folders
    assert not offenders(sources(*PACKAGES), vague)


def test_a_package_file_holds_a_docstring_and_nothing_else() -> None:
    def more(tree: ast.Module) -> Iterator[ast.stmt]:
        yield from tree.body[1:]

    inits = (path for path in sources(*PACKAGES) if path.name == "__init__.py")
    assert not offenders(inits, more)


def test_imports_are_absolute() -> None:
    def relative(tree: ast.Module) -> Iterator[ast.stmt]:
        yield from (node for node, name in imported(tree) if name.startswith("."))

    assert not offenders(sources(*PACKAGES, "tests"), relative)


def test_no_guard_is_an_assert_because_asserts_vanish_under_optimisation() -> None:
    def asserts(tree: ast.Module) -> Iterator[ast.stmt]:
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Assert))

    assert not offenders(sources(*PACKAGES), asserts)


def test_the_pure_packages_know_no_clock_no_chance_and_no_io() -> None:
    def impure(tree: ast.Module) -> Iterator[ast.stmt]:
        for node, name in imported(tree):
            if name.split(".")[0] in IMPURE:
                yield node
        for call in ast.walk(tree):
            if isinstance(call, ast.Expr) and "open(" in ast.unparse(call)[:5]:
                yield call

    assert not offenders(sources(*PURE), impure)


def test_nothing_sleeps_in_real_time_but_a_terminal_and_tests_of_real_processes() -> None:
    def sleeps(tree: ast.Module) -> Iterator[ast.stmt]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and "time.sleep(" in ast.unparse(node):
                yield node

    virtual = (p for p in sources("tests") if "realtime" not in p.read_text())
    paced = ROOT / "controller/archive/worker.py"  # rests between turns, in a process of its own
    below = (p for p in sources(*PACKAGES) if "cli" not in p.parts and p != paced)
    assert not offenders(below, sleeps)
    in_real_time = {"benchmarks", "processes"}
    assert not offenders((p for p in virtual if in_real_time.isdisjoint(p.parts)), sleeps)


def test_tests_use_fakes_and_the_simulator_and_no_mocks() -> None:
    def mocks(tree: ast.Module) -> Iterator[ast.stmt]:
        yield from (node for node, name in imported(tree) if "mock" in name)

    assert not offenders(sources("tests"), mocks)


def test_a_float_that_is_kept_names_its_unit_last() -> None:
    """Where a field called ``quantity`` stands beside it, that one says the unit."""

    def unitless(tree: ast.Module) -> Iterator[ast.stmt]:
        for owner in ast.walk(tree):
            if isinstance(owner, ast.ClassDef) and "quantity: " not in ast.unparse(owner):
                yield from (node for node in owner.body if _lacks_unit(node))

    assert not offenders(sources("firmware_protocol", "controller"), unitless)


def _lacks_unit(node: ast.stmt) -> bool:
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
        return False
    name = f"_{node.target.id.lower()}"
    kept = ast.unparse(node.annotation) in {"float", "float | None"}
    return kept and not (UNIT.search(name) or PLAIN.search(name))


def test_nothing_is_left_to_do_in_the_text() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in texts()
        if path != Path(__file__).resolve() and (match := LEFTOVERS.search(path.read_text()))
    ]
    assert not found


def test_no_file_names_a_machine_or_a_package_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in texts()
        if path.name not in {Path(__file__).name, "Makefile"}
        and (match := MACHINE.search(path.read_text()))
    ]
    assert not found


def test_the_lock_pins_every_package_by_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pins = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert pins
    assert all(re.match(r"[a-z0-9-]+==\S+ .*\\$", line) for line in pins), pins
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", text))


def test_the_make_words_of_the_documents_exist_and_the_main_ones_are_told() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    readme = (ROOT / "README.md").read_text()
    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme, re.MULTILINE))
    told = asked | set(re.findall(r"`([a-z-]+)`", readme))
    assert asked <= targets
    assert {"run", "test", "check", "bench"} <= told


def test_the_decision_records_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    numbered = [name for name in names if name != "README.md"]
    assert [int(name[:4]) for name in numbered] == list(range(1, len(numbered) + 1))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in numbered)


def test_what_is_generated_is_current() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "tools.generate", "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stdout + check.stderr
