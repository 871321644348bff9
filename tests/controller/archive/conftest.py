"""Records of whole treatments, played when a test first asks for one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.controller.archive import played
from tests.controller.archive.played import Act

LATER_S = 600.0
"""From one kernel of a record to the next: no clock runs backwards."""


class Records:
    """Folders with one record each; whoever damages one asks for a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configs = played.configs_in(folder)
        self._copies = 0

    def __call__(self, name: str) -> Path:
        """Return the record of that name."""
        record = self.folder / name
        return record if record.exists() else _MADE[name](self, record)

    def copy(self, name: str) -> Path:
        """Return a record of its own."""
        self._copies += 1
        return shutil.copytree(self(name), self.folder / f"{name}-{self._copies}")

    def play(self, record: Path, *acts: Act) -> Path:
        """Let a kernel do these acts on a record."""
        return played.play(record, self.configs, *acts)

    def after(self, name: str, record: Path, *acts: Act) -> Path:
        """Let a kernel do these acts on a copy of another record."""
        shutil.copytree(self(name), record)
        return played.play(record, self.configs, *acts, after_s=LATER_S)


_MADE: dict[str, Callable[[Records, Path], Path]] = {
    "completed": lambda made, record: made.play(record, played.whole()),
    "stopped": lambda made, record: made.play(record, played.stopped),
    "tripped": lambda made, record: made.play(record, played.tripped),
    "refused": lambda made, record: made.play(record, played.refused),
    "cut": lambda made, record: played.cut_after(made("completed"), record, "exposure", 12),
    "unarmed": lambda made, record: played.cut_after(made("completed"), record, "begin", 0),
    "marked": lambda made, record: made.after("cut", record, played.nothing),
    "dismissed": lambda made, record: made.after("cut", record, played.dismissed),
    "resumed": lambda made, record: made.after("stopped", record, played.whole(resume=True)),
}
"""How each record comes to be."""


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return Records(tmp_path_factory.mktemp("records"))
