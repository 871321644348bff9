"""Figures that another command measured earlier and wrote down with what they are of.

Mutation testing takes its own time, so that a bundle collects it. A figure counts only where it was
measured at the very commit of the bundle, without uncommitted changes on either side; everything
else is said to be not measured, and told with the date and the commit that it belongs to. So do the
campaigns of `make campaigns`: their figures are kept with the hashes of their results, which a
bundle holds where they are there and fit.
"""

import json
import shutil
from typing import Any, Final

from tests.mutants.mutation import FIGURES, PARTS
from tests.mutants.run import ROOT
from tools.campaign_figures import CAMPAIGNS, FOLDER, HALF_DONE, RESULT, RESULTS, TOP, misfits
from tools.evidence.results import Outcome, Result
from tools.evidence.versions import Commit
from tools.evidence.workshop import Workshop

COMMAND: Final = "make mutation"
CAMPAIGNS_COMMAND: Final = "make campaigns"


def mutation(shop: Workshop) -> Result:
    """Return what `make mutation` found at this commit, and what is older than that."""
    source = shop.top / FIGURES.relative_to(ROOT)
    try:
        parts: dict[str, dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))["parts"]
    except (OSError, ValueError, KeyError):
        says = f"not measured for this commit; docs/MUTATION.md tells of the last time; {COMMAND}"
        return Result(Outcome.NOT_MEASURED, says, command=COMMAND)
    copy = shop.place("mutation.json")
    copy.write_text(json.dumps({"parts": parts}, indent=1) + "\n", encoding="utf-8")
    lines = tuple((name, _words(part, shop.commit)) for name, part in parts.items())
    files = (shop.name(copy),)
    missing = sorted(
        set(PARTS) - {name for name, part in parts.items() if _is_of(part, shop.commit)}
    )
    if missing:
        says = (
            f"not measured for this commit: {', '.join(missing)}; older figures with their commit"
        )
        return Result(Outcome.NOT_MEASURED, says, lines, files, command=COMMAND)
    weak = tuple(f"{name}: {_words(part, shop.commit)}"
                 for name, part in parts.items() if not part["enough"])  # fmt: skip
    tried = sum(part["tried"] for part in parts.values())
    killed = sum(part["killed"] for part in parts.values())
    says = f"{killed:,} of {tried:,} changes noticed by the unit tests ({_share(killed, tried)})"
    outcome = Outcome.FAILED if weak else Outcome.PASSED
    return Result(outcome, says, lines, files, weak, COMMAND)


def _is_of(part: dict[str, Any], commit: Commit) -> bool:
    return bool(part["clean"]) and commit.is_clean and part["commit"] == commit.id


def _words(part: dict[str, Any], commit: Commit) -> str:
    left = f", {part['left']} not run" if part["left"] else ""
    figure = f"{part['killed']} of {part['tried']} ({_share(part['killed'], part['tried'])}){left}"
    if _is_of(part, commit):
        return f"{figure}, measured {part['measured_at']}"
    changed = "" if part["clean"] else " with uncommitted changes"
    return f"older: {figure}, measured {part['measured_at']} at {part['commit'][:12]}{changed}"


def _share(killed: int, tried: int) -> str:
    return f"{killed / tried:.1%}" if tried else "none"


def exposure(shop: Workshop) -> Result:
    """Copy the figures of exposure, and the results that they follow from where those were made."""
    figures = shop.top / FOLDER.relative_to(TOP)
    for path in sorted(figures.glob("*.json")):
        shutil.copy2(path, shop.place("exposure", path.name))
    results = shop.top / RESULTS.relative_to(TOP)
    there = [name for name in CAMPAIGNS if (results / name / RESULT).is_file()]
    for name in there:
        kept = shop.place("exposure", "results", name)
        shutil.copytree(results / name, kept, ignore=shutil.ignore_patterns(HALF_DONE))
    missing = [name for name in CAMPAIGNS if name not in there]
    wrong = tuple(misfits(results, figures))
    says = f"figures of {len(CAMPAIGNS)} campaigns, with the results of {len(there)}"
    if missing:
        says += f"; not made here: {', '.join(missing)}"
    missed = Outcome.NOT_MEASURED if missing else Outcome.PASSED
    return Result(
        Outcome.FAILED if wrong else missed,
        says,
        (("campaigns", f"{len(CAMPAIGNS)}"), ("results here", f"{len(there)}")),
        ("exposure",), wrong, CAMPAIGNS_COMMAND,
    )  # fmt: skip
