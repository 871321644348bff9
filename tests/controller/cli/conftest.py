"""What tests of the command share: it runs in this process, with a state folder of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller.cli import main as command
from controller.config.locate import CONFIGS_VARIABLE
from tests.controller.cli.acting_kernel import own_table


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> dict[str, Any]:
        """The one object that it printed."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


Corneum = Callable[..., Ended]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state folder, and a table of sockets, that nobody else has."""
    own_table(monkeypatch, tmp_path / "table")
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LOGNAME", "anna")
    for name in ("SSH_CONNECTION", "CORNEUM_ROLE", CONFIGS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state"


@pytest.fixture
def corneum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path
) -> Corneum:
    """Run `corneum` with these words."""
    assert state.name == "state"

    def run(*words: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["corneum", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run
