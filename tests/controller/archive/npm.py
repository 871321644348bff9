"""The reader of others, from npm: installed once into a folder of its own, by exact versions.

`CORNEUM_NPM` names the folder; the default is in the user's cache. Where node or npm is missing or
the registry is out of reach, a test says so and how to get them; in CI that fails.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

PACKAGES: Final = {"@mcap/core": "2.2.2", "fzstd": "0.1.1"}
INSTALL_MAX_S: Final = 120.0
HOW: Final = "install Node.js with npm (Debian and Ubuntu: apt install nodejs npm) and run it again"


def folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("CORNEUM_NPM") or Path(base) / "corneum" / "npm-mcap")


def missing(what: str) -> str:
    """Fail in CI, else skip: the test that wanted it could not run."""
    words = f"the reader of npm did not run: {what}; {HOW}"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@cache
def trouble() -> str:
    """Install what is not there yet; return why that is not possible, or nothing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node or npm is not installed"
    place = folder()
    wanted = {name: version for name, version in PACKAGES.items() if not _has(place, name, version)}
    if not wanted:
        return ""
    place.mkdir(parents=True, exist_ok=True)
    manifest = {"private": True, "type": "module", "dependencies": PACKAGES}
    (place / "package.json").write_text(json.dumps(manifest))
    call = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(
            call, cwd=place, capture_output=True, text=True, timeout=INSTALL_MAX_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm did not end within {INSTALL_MAX_S:g} s"
    return (
        "" if done.returncode == 0 else f"npm could not install it ({done.stderr.strip()[-200:]})"
    )


def _has(place: Path, name: str, version: str) -> bool:
    try:
        said = json.loads((place / "node_modules" / name / "package.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(said["version"] == version)


def run(script: Path, *words: str) -> str:
    """Run a script with the packages in reach and return what it prints."""
    why = trouble()
    if why:
        missing(why)
    place = folder() / script.name
    shutil.copy(script, place)
    done = subprocess.run(
        [shutil.which("node") or "node", str(place), *words],
        capture_output=True, text=True, timeout=INSTALL_MAX_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
