"""`corneum config init`: a folder of one's own to begin with, and what comes next."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from controller.cli.outcome import ExitCode, Failure
from controller.config.errors import ConfigError
from controller.config.locate import CONFIGS_VARIABLE
from controller.config.starter import Copied, copy_shipped


def run(folder: Path, *, as_json: bool) -> ExitCode:
    """Copy the shipped files; Failure says why a folder cannot take them."""
    folder = folder.absolute()
    try:
        copied = copy_shipped(folder)
    except ConfigError as error:
        raise Failure(error.sentence, name="config") from error
    if as_json:
        said = {
            "folder": str(folder),
            "made": _names(copied.made),
            "kept": _names(copied.kept),
            "differ": _names(copied.differ),
            "next_step": " ".join(_next_steps(folder)),
        }
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        sys.stdout.write("\n".join([*_lines(folder, copied), *_next_steps(folder)]) + "\n")
    return ExitCode.DONE


def _lines(folder: Path, copied: Copied) -> list[str]:
    said = [f"{len(copied.made)} files were copied into {folder}."]
    if copied.kept or copied.differ:
        were = len(copied.kept) + len(copied.differ)
        said.append(f"{were} files were there and stay as they are.")
    if copied.differ:
        said.append(f"They say something else than the shipped: {_joined(copied.differ)}.")
    return said


def _next_steps(folder: Path) -> list[str]:
    named = shlex.quote(str(folder))
    return [
        f"Next: let every command of this terminal use it: export {CONFIGS_VARIABLE}={named}",
        "For each unit copy handpieces/unit-example.toml to handpieces/unit-SERIAL.toml and fill "
        "it in from its calibration certificate; `corneum doctor PORT` says the serial number.",
        "For each client copy clients/demo.toml to clients/REF.toml, with ref = REF and "
        "without practice = true.",
        f"Then: corneum config check {named}",
        "Try it: corneum treat refresh --client demo --simulator",
    ]


def _names(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths]


def _joined(paths: Sequence[Path]) -> str:
    return ", ".join(_names(paths))
