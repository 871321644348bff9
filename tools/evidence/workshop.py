"""Runs the commands of a bundle and keeps what they said."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from tools.evidence.versions import Commit

LATE: Final = -1  # the exit code of a command that did not end in its time


class Done(NamedTuple):
    """A command that was run."""

    code: int
    out: str
    said: str
    """The last line of what it wrote for people."""
    log: str
    """Path in the bundle."""

    @property
    def figures(self) -> dict[str, Any]:
        """The JSON object that it printed; an empty one where there is none."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a bundle is made."""

    top: Path
    bundle: Path
    commit: Commit
    tell: Callable[[str], None]
    quick: bool = False
    workers: str = "auto"
    fuzz_frames: int = 0
    fuzz_seed: int = 1

    def python(self, name: str, words: Sequence[str], time_max_s: float) -> Done:
        """Run a module in this environment, on this tree, and keep what it wrote as a log."""
        command = [sys.executable, "-m", *words]
        path = os.pathsep.join(filter(None, (str(self.top), os.environ.get("PYTHONPATH", ""))))
        environment = {
            **os.environ,
            "PYTHONPATH": path,  # an installed copy must not be tested in place of this tree
            "HYPOTHESIS_PROFILE": "ci",  # the same examples every time
            "COVERAGE_FILE": str(self.bundle / ".coverage"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compile once, not in every process
        log = self.place("logs", f"{name}.txt")
        began_s = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.top, env=environment, timeout=time_max_s, check=False,
                capture_output=True, text=True, errors="replace",
            )  # fmt: skip
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as error:
            code, out, err = LATE, _text(error.stdout), f"no end within {time_max_s:.0f} s\n"
        took_s = time.monotonic() - began_s
        head = f"$ python -m {' '.join(words)}\nexit {code} after {took_s:.1f} s\n\n"
        log.write_text(head + out + err, encoding="utf-8")
        lines = [line for line in (out + err).splitlines() if line.strip()]
        return Done(code, out, lines[-1].strip() if lines else "it said nothing", self.name(log))

    def place(self, *names: str) -> Path:
        """Return a path in the bundle whose folder is there."""
        path = self.bundle.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def name(self, path: Path) -> str:
        """Return a path as the bundle names it."""
        return path.relative_to(self.bundle).as_posix()

    def there(self, *paths: Path) -> tuple[str, ...]:
        """Return the names of those files that were written."""
        return tuple(self.name(path) for path in paths if path.is_file())


def _text(out: bytes | str | None) -> str:
    return out.decode(errors="replace") if isinstance(out, bytes) else out or ""
