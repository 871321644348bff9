"""`corneum config path`: which folder of files is used, why, and what else was looked at."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from controller.api.finding import kernels
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import FOUND_MAX_S, NAMED_MAX, asked
from controller.config.check import needed_in
from controller.config.locate import CONFIGS_VARIABLE, given_configs, shipped_configs
from controller.config.paths import state_dir


class Place(NamedTuple):
    """One place that can name a folder, in the order in which they count."""

    name: str
    folder: str | None
    words: str
    """What stands there, or why nothing does."""


def run(*, as_json: bool) -> ExitCode:
    """Print the folder, why it is this one, and the other places; 1 where it cannot be used."""
    given, shipped = given_configs(), shipped_configs()
    folder = shipped if given is None else given.absolute()
    why = "no other folder is named" if given is None else f"{CONFIGS_VARIABLE} names it"
    lacking = needed_in(folder)
    places = (
        Place("--configs", None, "of plan and treat; not an option here, and above all others"),
        Place(CONFIGS_VARIABLE, None if given is None else str(folder), "not set"),
        *_kernels(),
        Place("shipped", str(shipped), ""),
    )
    if as_json:
        sys.stdout.write(json.dumps(_as_object(folder, why, lacking, places)) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(folder, why, lacking, places)) + "\n")
    return ExitCode.REFUSED if lacking else ExitCode.DONE


def _kernels() -> list[Place]:
    """Return the folders of the kernels that run here: each keeps to the one it began with."""
    return [_kernel(one.port, one.socket) for one in kernels(state_dir())[:NAMED_MAX]]


def _kernel(port: str, socket: Path) -> Place:
    name = f"kernel of {port}"
    try:
        said = asked(socket, "status", timeout_s=FOUND_MAX_S)
    except Failure as failure:
        return Place(name, None, failure.sentence)
    return Place(name, said["kernel"].get("configs") or None, "does not say")


def _as_object(
    folder: Path, why: str, lacking: tuple[str, ...], places: tuple[Place, ...]
) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "why": why,
        "lacking": list(lacking),
        "looked_at": [{"name": each.name, "folder": each.folder} for each in places],
    }


def _lines(
    folder: Path, why: str, lacking: tuple[str, ...], places: tuple[Place, ...]
) -> list[str]:
    said = [str(folder), f"It is used because {why}."]
    if lacking:
        said.append(
            f"It cannot be used: it has no {', no '.join(lacking)}. `corneum config init DIR` "
            "makes a folder that can."
        )
    said.append("Looked at, the first that names one counts:")
    said += [f"  {each.name}: {each.folder or each.words}" for each in places]
    if any(each.name.startswith("kernel") for each in places):
        said.append("A kernel keeps to its own folder; for its port no other one is taken.")
    return said
