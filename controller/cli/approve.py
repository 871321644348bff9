"""`corneum approve`: a supervisor allows one content of a program to go above the presets."""

import json
import sys
from pathlib import Path

from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import ROLE_VARIABLE, who
from controller.config.approvals import Approval, approvals_path, approve
from controller.config.approved import approval_of
from controller.config.errors import ConfigError
from controller.config.programs import check_name, content_sha256, read_within_limits
from controller.config.skin import load_skin


def run(path: Path, reason: str, *, as_json: bool) -> ExitCode:
    """Approve the program in ``path`` as it is now; Failure says why not."""
    _check_person()
    try:
        sha256, made = _approved(path.absolute(), reason)
    except ConfigError as error:
        raise Failure(error.sentence, name="config") from error
    words = "is within an approved preset and needs no approval" if made is None else made.words
    if as_json:
        said = {
            "approved": str(path),
            "sha256": sha256,
            "approval": words,
            "needed": made is not None,
        }
        sys.stdout.write(json.dumps(said) + "\n")
    elif made is None:
        sys.stdout.write(f"{path} {words}.\n")
    else:
        sys.stdout.write(f"{path} is approved as it is now, {words}. An edit voids this.\n")
    return ExitCode.DONE


def _check_person() -> None:
    """Raising is a supervisor's, and nobody raises from elsewhere."""
    person = who()
    if person["role"] != "supervisor":
        raise Failure(
            f"The role {person['role']} may not approve a program.",
            f"A supervisor does, with {ROLE_VARIABLE}=supervisor.",
            name="role",
        )
    if person["origin"] != "local":
        raise Failure(
            "A program is approved by a person at this computer: from elsewhere one may stop, "
            "pause, lower and look, never start or raise.",
            "Approve it at the unit.",
            name="remote",
        )


def _approved(path: Path, reason: str) -> tuple[str, Approval | None]:
    """Return the content's hash and the approval that it has now; None where none is needed."""
    configs = path.parent.parent
    if path.parent.name != "programs" or not (configs / "skin").is_dir():
        raise Failure(
            f"{path} does not lie in the folder programs of a configuration.",
            "Put it there first: the approval is kept beside that folder.",
            ExitCode.USAGE,
            "place",
        )
    file = read_within_limits(path, load_skin(configs))
    check_name(file, path)
    sha256 = content_sha256(file)
    try:
        return sha256, approval_of(file, sha256, path)
    except ConfigError:  # above the presets: that is what an approval is for
        return sha256, approve(approvals_path(path), file.name, sha256, reason)
