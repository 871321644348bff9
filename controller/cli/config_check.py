"""`corneum config check`: every file, every mistake, nothing changed."""

import json
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from controller.cli.outcome import ExitCode, Failure
from controller.config.check import Checked, check_configs, check_file
from controller.config.errors import ConfigError
from controller.config.locate import given_configs, shipped_configs


def run(files: Sequence[str], *, as_json: bool) -> ExitCode:
    """Check the files, or the folder that is used, and say what is wrong with each."""
    paths = [Path(file) for file in files] or [given_configs() or shipped_configs()]
    checked = [found for path in paths for found in _check(path)]
    wrong = [each for each in checked if each.problem]
    if as_json:
        said = [
            {"file": str(each.file), "problem": each.problem, "notes": list(each.notes)}
            for each in checked
        ]
        sys.stdout.write(json.dumps({"files": said, "failed": len(wrong)}) + "\n")
    else:
        for each in wrong:
            sys.stdout.write(each.problem + "\n")
        for note in (note for each in checked for note in each.notes):
            sys.stdout.write(f"Note: {note}\n")
        good = len(checked) - len(wrong)
        sys.stdout.write(f"{good} of {len(checked)} files can be used.\n")
    return ExitCode.REFUSED if wrong else ExitCode.DONE


def _check(path: Path) -> Sequence[Checked]:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Failure(f"There is no file {path}.", "Check the path.", ExitCode.USAGE) from error
    except OSError as error:
        words = f"{path} cannot be read ({error.strerror}); check the name and the permissions."
        return (Checked(path, words),)
    if stat.S_ISDIR(mode):
        return check_configs(path, time.time())
    try:
        return (check_file(path, _skin_of(path), time.time()),)
    except ConfigError as error:
        return (Checked(path, error.sentence),)


def _skin_of(path: Path) -> Path:
    """Return the folder whose zones a file may name: the one that it lies in, else the shipped."""
    own = path.absolute().parent.parent
    return own if (own / "skin" / "sites.toml").is_file() else shipped_configs()
