"""What was tested with what: commit, uncommitted changes, Python, system, packages."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker

GIT_MAX_S: Final = 60.0
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: *; *([^\\\n]+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of the working tree."""

    id: str
    """Empty where this is no checkout."""
    described_at: str
    """When it was committed, ISO 8601."""
    changed: tuple[str, ...]
    """Files that differ from the commit, as `git status` names them."""

    @property
    def words(self) -> str:
        """The commit as people say it."""
        if not self.id:
            return "no commit: this is no git checkout"
        return f"{self.id[:12]}{' with uncommitted changes' if self.changed else ''}"

    @property
    def is_clean(self) -> bool:
        """True where the commit alone says what was tested."""
        return bool(self.id) and not self.changed


def commit_of(top: Path, *, beside: Path | None = None) -> Commit:
    """Return the commit of a checkout and what differs from it, ``beside`` a folder of ours."""
    try:
        name = git(top, "rev-parse", "HEAD").strip()
        at = git(top, "show", "-s", "--format=%cI", "HEAD").strip()
        inside = beside is not None and beside.is_relative_to(top)
        but = [f":(exclude){beside}"] if inside else []
        changed = git(top, "status", "--porcelain", "--", ".", *but).splitlines()
    except (OSError, subprocess.SubprocessError):
        return Commit("", "", ())
    return Commit(name, at, tuple(changed))


def git(top: Path, *words: str) -> str:
    """Return what git prints; SubprocessError where it fails."""
    done = subprocess.run(
        ["git", *words], cwd=top, capture_output=True, text=True, timeout=GIT_MAX_S, check=True
    )
    return done.stdout


def versions(top: Path, commit: Commit) -> dict[str, Any]:
    """Return everything that may make a difference, for JSON."""
    packages = installed()
    return {
        "corneum": packages.get("corneum", "not installed"),
        "commit": commit.id,
        "committed_at": commit.described_at,
        "uncommitted": list(commit.changed),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": _system(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "differs_from_lock": differs_from_lock(top / "requirements.lock", packages),
        "packages": packages,
    }


def installed() -> dict[str, str]:
    """Return the packages of this environment, by their normal names."""
    found = {
        _normal(package.name): package.version
        for package in metadata.distributions()
        if package.name
    }
    return dict(sorted(found.items()))


def differs_from_lock(lock: Path, packages: dict[str, str]) -> list[str]:
    """Say which installed packages have another version than the lock file pins for this Python."""
    if not lock.is_file():
        return [f"{lock.name} is missing"]
    pins = {
        _normal(name): version
        for name, version, marker in _PIN.findall(lock.read_text("utf-8"))
        if not marker or Marker(marker.strip()).evaluate()
    }
    return [
        f"{name} {version} instead of {pins[name]}"
        for name, version in packages.items()
        if name in pins and pins[name] != version
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.system()
    return f"{name}, kernel {platform.release()}"
