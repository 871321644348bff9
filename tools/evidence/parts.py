"""The parts of a bundle, in the order in which they are made. Each returns what came of it.

To add a part, write a function and add it to `PARTS`. A figure stands in a result only when this
run measured it, or when a file says that it was measured at this very commit.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tools.evidence import anomalies, campaigns, collected
from tools.evidence.manifest import sha256_of
from tools.evidence.results import FAILURES_MAX, Outcome, Result, cases_of, covered
from tools.evidence.versions import git, versions
from tools.evidence.workshop import Workshop
from tools.register import load

SUITE_MAX_S: Final = 7200.0  # minutes; hours on a machine that does other work
PART_MAX_S: Final = 1800.0
FUZZ_FRAMES: Final = 1_000_000
FUZZ_FRAMES_QUICK: Final = 10_000
QUICK_EVERY: Final = 8
"""The quick bundle runs each eighth scenario."""
QUICK_TESTS: Final = ("tests/firmware_protocol", "tests/controller/safety")
SCENARIOS_XML: Final = "scenarios.xml"
NOT_RUN: Final = "not run"
DOCUMENTS: Final = (
    "SAFETY.md", "THREATS.md", "PROTOCOL.md", "KNOWN_ANOMALIES.md", "MUTATION.md", "hazards.toml",
    "anomalies.toml",
)  # fmt: skip
COVERED_TESTS: Final = (
    "tests/firmware_protocol", "tests/controller/safety", "tests/controller/treatment",
    "tests/simulator",
)  # fmt: skip
"""As in `make coverage`: the unit tests of the packages that pyproject.toml measures."""


def tests(shop: Workshop) -> Result:
    """Run the suite, tests that measure time first and one by one, and keep its JUnit XML."""
    beside = ["-n", shop.workers, "--dist", "worksteal"]
    rounds: list[tuple[str, list[str]]] = [
        ("alone", ["-m", "alone"]),
        ("beside", ["-m", "not alone", *beside]),
    ]
    if shop.quick:
        rounds = [("quick", ["-m", "not realtime", *beside, *QUICK_TESTS])]
    reports = [shop.place("junit", f"{name}.xml") for name, _ in rounds]
    done = [
        shop.python(f"tests-{name}", [*_pytest(report), *words], SUITE_MAX_S)
        for (name, words), report in zip(rounds, reports, strict=True)
    ]
    files = (*shop.there(*reports), *(one.log for one in done))
    command = "make test"
    try:
        cases = cases_of(reports)
    except ValueError as error:
        return Result(Outcome.FAILED, str(error), files=files, command=command)
    failed = bool(cases.failures) or any(one.code for one in done) or not cases.passed
    selection = "a quick selection of the tests" if shop.quick else "the whole suite"
    return Result(
        Outcome.FAILED if failed else Outcome.PASSED,
        f"{cases.passed:,} of {cases.total:,} tests passed, {len(cases.failures)} failed, "
        f"{cases.skipped} skipped: {selection}",
        (
            ("tests", f"{cases.total}"), ("passed", f"{cases.passed}"),
            ("failed", f"{len(cases.failures)}"), ("skipped", f"{cases.skipped}"),
            ("selection", selection),
        ),
        files, cases.failures[:FAILURES_MAX], command,
    )  # fmt: skip


def _pytest(report: Path) -> list[str]:
    return ["pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]


def scenarios(shop: Workshop) -> Result:
    """Copy the scenario files, run them, and write each one's hash, seed and result."""
    source = sorted((shop.top / "configs" / "scenarios").glob("*.toml"))
    chosen = source[::QUICK_EVERY] if shop.quick else source
    for path in source:
        shutil.copy2(path, shop.place("scenarios", "files", path.name))
    report = shop.place("junit", SCENARIOS_XML)
    listed = [path.relative_to(shop.top).as_posix() for path in chosen]
    words = ["simulator.cli", "run", *listed, "--junit", str(report), "--json"]
    page = shop.bundle / "scenarios" / "index.html"
    if not shop.quick and _can_draw():
        words += ["--report", str(page.parent)]
    done = shop.python("scenarios", words, SUITE_MAX_S)
    ran = {Path(one["file"]).name: one for one in done.figures.get("scenarios", [])}
    rows = [_scenario_row(shop, path, ran.get(path.name)) for path in source]
    table = shop.place("scenarios", "scenarios.json")
    table.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    failures = tuple(row["file"] for row in rows if row["outcome"] not in ("passed", NOT_RUN))
    passed = sum(row["outcome"] == "passed" for row in rows)
    good = done.code == 0 and not failures and passed == len(chosen)
    virtual_s = sum(one["virtual_s"] for one in ran.values())
    return Result(
        Outcome.PASSED if good else Outcome.FAILED,
        f"{passed} of {len(chosen)} scenarios as expected, {virtual_s:,.0f} s of virtual time"
        + (f"; {len(source) - len(chosen)} more not run" if len(chosen) < len(source) else "")
        + ("" if ran else f": {done.said}"),
        (("files", f"{len(source)}"), ("run", f"{len(ran)}"), ("passed", f"{passed}"),
         ("virtual seconds", f"{virtual_s:.0f}")),
        (*shop.there(table, report, page), "scenarios/files", done.log),
        failures, "corneum-sim run configs/scenarios",
    )  # fmt: skip


def _scenario_row(shop: Workshop, path: Path, ran: dict[str, Any] | None) -> dict[str, Any]:
    from qa.scenarios.load import load_scenario  # noqa: PLC0415  a second of imports
    from qa.scenarios.mistakes import ScenarioError  # noqa: PLC0415

    copy = shop.bundle / "scenarios" / "files" / path.name
    try:
        scenario = load_scenario(path)
    except ScenarioError as error:
        return {"file": path.name, "sha256": sha256_of(copy), "outcome": str(error)}
    told = ran or {}
    return {
        "file": path.name,
        "sha256": sha256_of(copy),
        "title": scenario.title,
        "hazards": list(scenario.hazards),
        "seed": told.get("seed", scenario.seed),
        "outcome": told.get("outcome", NOT_RUN),
        "virtual_s": told.get("virtual_s"),
        "trace_sha256": told.get("trace_sha256"),
        "journal_sha256": told.get("journal_sha256"),
    }


def _can_draw() -> bool:
    from qa.scenarios.report_plots import can_draw  # noqa: PLC0415

    return can_draw()


def trace(shop: Workshop) -> Result:
    """Write the trace matrix with the results of the tests, and look for hazards without test."""
    # pytest is needed for this alone
    from tools.loose_ends import loose_ends  # noqa: PLC0415
    from tools.trace import collect, complaints, render_trace, result_of, results_of  # noqa: PLC0415

    reports = set((shop.bundle / "junit").glob("*.xml")) - {shop.bundle / "junit" / SCENARIOS_XML}
    register, collected = load(), collect(shop.top)
    results = results_of(*sorted(reports)) if reports else None
    matrix = shop.place("trace.md")
    matrix.write_text(render_trace(register, collected, results), encoding="utf-8")
    came = [(one.test, result_of(one.test, results)) for one in collected.evidence]
    wrong = [f"{test}: {result}" for test, result in came if result in ("failure", "error")]
    loose = (*complaints(register, collected), *loose_ends(register))
    unrun = sum(result == NOT_RUN for _, result in came)
    passed = sum(result == "passed" for _, result in came)
    return Result(
        Outcome.FAILED if wrong or loose or not came else Outcome.PASSED,
        f"{len(register.hazard)} hazards, {len(came):,} tests of them: {passed:,} passed, "
        f"{len(wrong)} failed, {unrun} not run; "
        + (f"{len(loose)} loose ends" if loose else "every hazard that is ours has its tests"),
        (("hazards", f"{len(register.hazard)}"), ("tests", f"{len(came)}"),
         ("passed", f"{passed}"), ("failed", f"{len(wrong)}"), ("not run", f"{unrun}")),
        (shop.name(matrix),), (*loose, *dict.fromkeys(wrong)),
        "python -m tools.generate --trace --junit FILE",
    )  # fmt: skip


def coverage(shop: Workshop) -> Result:
    """Measure branch coverage of the packages that decide what is safe."""
    command = "make coverage"
    if shop.quick:
        return Result(Outcome.NOT_MEASURED, "not measured in a quick bundle", command=command)
    report = shop.place("coverage.xml")
    words = ["pytest", "-q", "-p", "no:cacheprovider", "-n", shop.workers, "-m", "not realtime",
             *COVERED_TESTS, "--cov", f"--cov-report=xml:{report}",
             "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]  # fmt: skip
    done = shop.python("coverage", words, SUITE_MAX_S)
    (shop.bundle / ".coverage").unlink(missing_ok=True)
    files = (*shop.there(report), done.log)
    try:
        lines_percent, branches_percent = covered(report)
    except ValueError as error:
        return Result(Outcome.FAILED, str(error), files=files, command=command)
    return Result(
        Outcome.FAILED if done.code else Outcome.PASSED,
        f"{lines_percent:.2f} % of lines and {branches_percent:.2f} % of branches of protocol, "
        f"safety, treatment and firmware" + (f": {done.said}" if done.code else ""),
        (("lines", f"{lines_percent:.2f} %"), ("branches", f"{branches_percent:.2f} %")),
        files, command=command,
    )  # fmt: skip


def fuzz(shop: Workshop) -> Result:
    """Send hostile frames to the device until one breaks the promise, or all are sent."""
    usual = FUZZ_FRAMES_QUICK if shop.quick else FUZZ_FRAMES
    frames, seed = shop.fuzz_frames or usual, shop.fuzz_seed
    words = ["tests.proof.fuzz", "--n", f"{frames}", "--seed", f"{seed}", "--json"]
    command = f"python -m {' '.join(words)}"
    done = shop.python("fuzz", words, SUITE_MAX_S)
    figures = done.figures
    if done.code or not figures:
        return Result(Outcome.FAILED, f"seed {seed}: {done.said}", files=(done.log,),
                      command=command)  # fmt: skip
    report = shop.place("fuzz.json")
    report.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return Result(
        Outcome.PASSED,
        f"{figures['frames']:,} hostile frames, no violation, seed {seed}",
        (("frames", f"{figures['frames']}"), ("violations", "0"), ("seed", f"{seed}"),
         ("trace", figures["trace"])),
        (shop.name(report), done.log), command=command,
    )  # fmt: skip


def mutants(shop: Workshop) -> Result:
    """Seed each known bug; in a quick bundle only see that the patches still fit."""
    command, report = "make mutants", shop.place("mutants.json")
    if shop.quick:
        done = shop.python("mutants", ["tests.mutants.run", "--fit"], PART_MAX_S)
        outcome = Outcome.FAILED if done.code else Outcome.NOT_MEASURED
        return Result(outcome, f"not measured in a quick bundle; {done.said}", files=(done.log,),
                      command=command)  # fmt: skip
    done = shop.python("mutants", ["tests.mutants.run", "--json", str(report)], SUITE_MAX_S)
    files = (*shop.there(report), done.log)
    if not report.is_file():
        return Result(Outcome.FAILED, done.said, files=files, command=command)
    rows = json.loads(report.read_text(encoding="utf-8"))["bugs"]
    lost = tuple(f"{row['name']}: {row['by']}" for row in rows if not row["caught"])
    return Result(
        Outcome.FAILED if done.code or lost else Outcome.PASSED,
        f"{len(rows) - len(lost)} of {len(rows)} seeded bugs caught",
        (("seeded", f"{len(rows)}"), ("caught", f"{len(rows) - len(lost)}")),
        files, lost, command,
    )  # fmt: skip


def mutation(shop: Workshop) -> Result:
    """Collect the figures of `make mutation`, a command of its own: only those of this commit."""
    return collected.mutation(shop)


def exposure(shop: Workshop) -> Result:
    """Collect the campaigns that chances and pages rest on, a command of its own."""
    return collected.exposure(shop)


def sbom(shop: Workshop) -> Result:
    """Write the parts list of what requirements.lock pins."""
    report = shop.place("sbom.json")
    words = ["cyclonedx_py", "requirements", "requirements.lock", "--pyproject", "pyproject.toml",
             "--output-reproducible", "--of", "JSON", "-o", str(report)]  # fmt: skip
    done = shop.python("sbom", words, PART_MAX_S)
    files = (*shop.there(report), done.log)
    if done.code or not report.is_file():
        return Result(Outcome.FAILED, done.said, files=files, command="make sbom")
    parts = json.loads(report.read_text(encoding="utf-8")).get("components", [])
    return Result(
        Outcome.PASSED if parts else Outcome.FAILED,
        f"{len(parts)} packages, as CycloneDX",
        (("packages", f"{len(parts)}"),),
        files, command="make sbom",
    )  # fmt: skip


def surroundings(shop: Workshop) -> Result:
    """Write the versions of everything, and what differs from the commit."""
    report = shop.place("versions.json")
    told = versions(shop.top, shop.commit)
    report.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    files = [report]
    if shop.commit.changed:
        files.append(shop.place("uncommitted.diff"))
        files[-1].write_text(git(shop.top, "diff", "HEAD"), encoding="utf-8")
    differs = told["differs_from_lock"]
    notes = [] if shop.commit.is_clean else [shop.commit.words]
    notes += [f"not as locked: {', '.join(differs)}"] if differs else []
    return Result(
        Outcome.PASSED,
        "; ".join((f"{told['python']} on {told['system']}", *notes)),
        tuple((name, f"{told[name]}") for name in ("corneum", "python", "system", "machine")),
        shop.there(*files), command="git status",
    )  # fmt: skip


def documents(shop: Workshop) -> Result:
    """Copy the documents that the results refer to; the anomalies are among them."""
    for name in DOCUMENTS:
        shutil.copy2(shop.top / "docs" / name, shop.place("docs", name))
    known, left = anomalies.load(), anomalies.left_open(load())
    return Result(
        Outcome.PASSED,
        f"{len(known)} known anomalies, {len(left)} hazards not controlled to the end",
        (("anomalies", f"{len(known)}"), ("hazards left open", f"{len(left)}")),
        tuple(f"docs/{name}" for name in DOCUMENTS), command="docs/anomalies.toml",
    )  # fmt: skip


Make = Callable[[Workshop], Result]
PARTS: Final[Sequence[tuple[str, str, Make]]] = (
    ("versions", "What was tested, with what", surroundings),
    ("tests", "Tests", tests),
    ("scenarios", "Scenarios", scenarios),
    ("trace", "Trace matrix", trace),
    ("coverage", "Coverage", coverage),
    ("matrix", "Campaign: every fault in every state", campaigns.matrix),
    ("storm", "Campaign: storms", campaigns.storm),
    ("treatments", "Campaign: simulated skin, lowest plausible rate", campaigns.treatments),
    ("posterior", "Campaign: simulated skin, what is known of the rate", campaigns.posterior),
    ("exposure", "Campaigns that plans and pages rest on", exposure),
    ("fuzz", "Fuzzing", fuzz),
    ("mutants", "Seeded bugs", mutants),
    ("mutation", "Mutation testing", mutation),
    ("sbom", "Parts list", sbom),
    ("anomalies", "Known anomalies", documents),
)
