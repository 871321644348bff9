"""The campaigns of simulated treatments that documents and plans rest on, with one command.

Usage: python -m tools.campaigns {make,keep,check} [--folder build/campaigns]

make runs them and writes their results, 2 MB, into a folder that git ignores: `make campaigns`.
keep writes the figures that documents need of them into docs/exposure, with their hashes.
check says whether the figures that are kept follow from the results that are there.
"""

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from controller.cli import boundary
from qa.campaigns.exposure import whole
from qa.campaigns.exposure.asked import Asked
from qa.campaigns.kept import Kept, OtherCampaignError, sources_sha256
from qa.campaigns.workers import WorkersLostError
from tools.campaign_figures import (
    CAMPAIGNS,
    FOLDER,
    HALF_DONE,
    PICTURES,
    RESTS_ON,
    RESULT,
    RESULTS,
    Campaign,
    UnfitResultError,
    as_text,
    figures_of,
    kept_figures,
    misfits,
    programs_of,
    with_part,
)

SEED: Final = 1
PACKAGES: Final = ("corneum", "numpy", "scipy")
REFUSED: Final = 2
INTERRUPTED: Final = 130

Say = Callable[[str], None]


def rests_on() -> dict[str, str]:
    """Return the versions and sources that a result of now follows from."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **versions, "sources": sources_sha256()}


def make(campaign: Campaign, asked: argparse.Namespace, say: Say) -> None:
    """Run a campaign and write its result, or leave the one that is there where it is of now.

    Raises one of ``whole.REFUSALS``, OtherCampaignError or WorkersLostError.
    """
    folder: Path = asked.folder / campaign.name
    words = Asked(
        asked.n or campaign.n, SEED, tuple(asked.program), campaign.only, asked.workers,
        report=folder if campaign.drawn else None,
    )  # fmt: skip
    if asked.resume and _is_made(folder, words):
        say(f"{campaign.name}: is there already")
        return
    folder.mkdir(parents=True, exist_ok=True)
    half_done = folder / HALF_DONE
    if not asked.resume:
        half_done.unlink(missing_ok=True)
    (folder / RESTS_ON).unlink(missing_ok=True)
    say(f"{campaign.name}: {words.command}")
    with Kept(half_done, words.campaign) as kept:
        told = whole.run_and_tell(words, say if asked.verbose else _nothing, kept)
    if not campaign.drawn:
        text = json.dumps(told.as_json, indent=1)
        (folder / RESULT).write_text(text + "\n", encoding="utf-8")
    (folder / RESTS_ON).write_text(json.dumps(rests_on(), indent=1) + "\n", encoding="utf-8")
    half_done.unlink()
    short = told.as_json["violations"]
    missed = f", in which {short} goals are missed" if short else ""
    say(f"{campaign.name}: {folder / RESULT}{missed}")


def _is_made(folder: Path, words: Asked) -> bool:
    """Return whether the result of these words by today's sources is there."""
    try:
        made_with = json.loads((folder / RESTS_ON).read_text("utf-8"))
        result = json.loads((folder / RESULT).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(made_with == rests_on() and result["command"] == words.command)


def keep(campaign: Campaign, results: Path, folder: Path = FOLDER) -> str:
    """Write the figures of a result, or renew those of the programs that it is of; say which.

    Raises:
        UnfitResultError: there is no result, or it is a trial, or it does not fit the rest.
    """
    figures = figures_of(campaign, results)
    if (figures["n"], figures["seed"]) != (campaign.n, SEED):
        raise UnfitResultError(
            f"{campaign.name}: a trial with n {figures['n']} and seed {figures['seed']} is not "
            f"kept; documents rest on n {campaign.n} and seed {SEED}"
        )
    path = folder / f"{campaign.name}.json"
    renewed = sorted(programs_of(figures))
    if path.is_file():
        before = kept_figures(campaign.name, folder)
        if not set(renewed) >= set(programs_of(before)):
            figures = with_part(figures, before)
    path.write_text(as_text(figures), encoding="utf-8")
    if campaign.drawn:
        for name in PICTURES:
            shutil.copyfile(results / campaign.name / name, folder / name)
    return f"{path}: {len(renewed)} programs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, keep or check: 0 done, 1 figures do not follow, 2 it cannot be done."""
    asked = _asked(arguments)
    say = _say
    chosen = [CAMPAIGNS[name] for name in (asked.only or CAMPAIGNS)]
    if asked.verb == "check":
        return _check(asked.folder)
    try:
        for campaign in chosen:
            if asked.verb == "make":
                make(campaign, asked, say)
            elif asked.only or (asked.folder / campaign.name / RESULT).is_file():
                say(keep(campaign, asked.folder))
    except (*whole.REFUSALS, UnfitResultError, WorkersLostError) as error:
        say(f"{error}")
        return REFUSED
    except OtherCampaignError as error:
        say(f"{error} Or leave out --resume: what is there is run again.")
        return REFUSED
    except KeyboardInterrupt:
        say("interrupted; what was done is kept, and the same command with --resume goes on")
        return INTERRUPTED
    after = {"make": "python -m tools.campaigns keep", "keep": "python -m tools.generate"}
    say(f"Next: {after[asked.verb]}")
    return 0


def _check(folder: Path) -> int:
    there = [name for name in CAMPAIGNS if (folder / name / RESULT).is_file()]
    if not there:
        _say(f"{folder} has no results; they are made by: make campaigns (half an hour)")
        return REFUSED
    wrong = list(misfits(folder))
    for sentence in wrong:
        _say(sentence)
    if not wrong:
        _say(f"docs/exposure follows from the results of {', '.join(there)}")
    return 1 if wrong else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.campaigns",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=("make", "keep", "check"))
    parser.add_argument("--folder", type=Path, default=RESULTS, help="of results")
    parser.add_argument(
        "--only", action="append", default=[], choices=list(CAMPAIGNS), help="this campaign alone"
    )
    run = parser.add_argument_group("for make")
    run.add_argument("--resume", action="store_true", help="go on where it was stopped")
    run.add_argument(
        "--program", action="append", default=[], metavar="NAME",
        help="this preset alone, after an edit of it; keep leaves the others as they are",
    )  # fmt: skip
    run.add_argument("--n", type=int, metavar="N", help="a trial with fewer, in another --folder")
    run.add_argument("--workers", type=int, default=0, help="processes; 0 is one per core")
    run.add_argument("--verbose", action="store_true", help="a line for each row and goal")
    asked = parser.parse_args(arguments)
    if asked.n is not None and (asked.n < 2 or asked.folder == RESULTS):  # noqa: PLR2004
        parser.error("--n is for a trial: 2 or more, and another --folder for its results")
    if asked.program and not set(asked.only) & {"gamma", "tails", "presets"}:
        parser.error("--program needs --only gamma, --only tails or --only presets")
    return asked


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _nothing(_: str) -> None:
    """Say nothing: what counts is in the result."""


if __name__ == "__main__":
    boundary.run("tools.campaigns", main)
