"""Approvals: a named supervisor has allowed one content of a program to go above the presets.

``approvals.toml`` lies beside the folder ``programs``. An entry holds the hash of the content, so
that any edit voids it. Until there are accounts the name is the system account that ran `corneum
approve`, which proves no more than the right to write that folder; the entry says so.
"""

import json
import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from controller.config.errors import ConfigError
from controller.config.explain import validate
from controller.config.models import FileModel, Name, Words
from controller.config.toml_file import read_toml

FILE_NAME: Final = "approvals.toml"
APPROVALS_MAX: Final = 1000  # 300 bytes each: more than the programs of any clinic in years
REASON_MAX: Final = 200
_HEAD: Final = (
    "# Written by `corneum approve`. Each entry allows one content of a program, by its hash; an\n"
    "# edit of the program voids it. The supervisor is a system account until there are accounts.\n"
)


class ApprovalFile(FileModel):
    """One approval, as it stands in the file."""

    program: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    supervisor: Words
    identified_by: Literal["system account"]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    approved_at: AwareDatetime


class ApprovalsFile(FileModel):
    """configs/approvals.toml: contents of programs that a supervisor has approved."""

    approvals: Annotated[list[ApprovalFile], Field(max_length=APPROVALS_MAX, default_factory=list)]


class Approval(NamedTuple):
    """Who has approved which content, and why."""

    program: str
    sha256: str
    supervisor: str
    reason: str
    approved_at: datetime

    @property
    def words(self) -> str:
        """One clause for people."""
        return f"{self.approved_at:%Y-%m-%d} by {self.supervisor} (system account): {self.reason}"


def approvals_path(program: Path) -> Path:
    """Return the file that holds the approvals of a program's folder."""
    return program.parent.parent / FILE_NAME


def read_approvals(path: Path) -> tuple[Approval, ...]:
    """Return the approvals in ``path``, none where there is no such file."""
    return _of_table(read_toml(path), path) if os.path.lexists(path) else ()


def _of_table(table: Mapping[str, object], path: Path) -> tuple[Approval, ...]:
    file = validate(ApprovalsFile, table, path)
    return tuple(
        Approval(each.program, each.sha256, each.supervisor, each.reason, each.approved_at)
        for each in file.approvals
    )


def approve(path: Path, program: str, sha256: str, reason: str) -> Approval:
    """Append an approval by this system account; ConfigError where the file cannot be used.

    One write at the end of the file, so that two that approve at once both stand there.
    """
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in reason).split())
    if not 0 < len(said) <= REASON_MAX:
        raise ConfigError(
            f"The reason has {len(said)} characters, and must have 1 to {REASON_MAX}."
        )
    table = read_toml(path) if os.path.lexists(path) else None  # once: another may approve now
    known = () if table is None else _of_table(table, path)
    if table is not None and not known and "approvals" in table:
        raise ConfigError(
            f"{path} holds approvals = [], after which no approval can be added; remove that line.",
            file=path,
        )
    if len(known) >= APPROVALS_MAX:
        raise ConfigError(
            f"{path} holds {APPROVALS_MAX} approvals already; remove those that are out of use.",
            file=path,
        )
    approved_at = datetime.now(UTC).replace(microsecond=0)
    made = Approval(program, sha256, account_name(), said, approved_at)
    try:
        with path.open("ab") as file:
            file.write(_entry(made, head="" if file.tell() else _HEAD).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); the approval was not given. Ask whoever "
            "owns the folder for the right to write it.",
            file=path,
        ) from error
    return made


def account_name() -> str:
    """Return the account that this process belongs to, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _entry(made: Approval, head: str) -> str:
    values = {
        "program": made.program,
        "sha256": made.sha256,
        "supervisor": made.supervisor,
        "identified_by": "system account",
        "reason": made.reason,
    }
    lines = [f"{name} = {json.dumps(text, ensure_ascii=False)}" for name, text in values.items()]
    lines.append(f"approved_at = {made.approved_at:%Y-%m-%dT%H:%M:%SZ}")
    return head + "\n[[approvals]]\n" + "\n".join(lines) + "\n"
