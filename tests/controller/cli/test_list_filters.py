"""`corneum records list` by zone, unit, program, outcome and dates."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.config.paths import journal_path
from tests.controller.record import damage, years
from tests.controller.record.years import Years

Listed = Callable[..., list[int]]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six treatments, half an hour apart, of which the third and the sixth were cut off."""
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    years.write(journal_path(tmp_path), Years(6, one_interrupted_in=3, clients=2)).close()
    return journal_path(tmp_path)


@pytest.fixture
def listed(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Listed:
    def _listed(*words: str) -> list[int]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", "list", "--json", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = json.loads(capsys.readouterr().out)
        assert record.exists()
        if ended.value.code:
            raise ValueError(said)
        return [each["treatment"] for each in said["treatments"]]

    return _listed


def begun(number: int) -> str:
    return datetime.fromtimestamp(years.WALL_S + number * years.APART_S, UTC).isoformat()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--outcome", "cut off"), [6, 3]),
        (("--outcome", "completed", "--last", "2"), [5, 4]),
        (("--outcome", "cut off", "--client", "c-1"), [3]),
        (("--zone", "nose", "--before", "3"), [2, 1]),
        (("--zone", "chin"), []),
        (("--unit", "1001", "--last", "1"), [6]),
        (("--unit", "1002"), []),
        (("--program", "refresh", "--last", "1"), [6]),
        (("--program", "other"), []),
        (("--since", begun(5)), [6, 5]),
        (("--until", begun(3)), [2, 1]),
        (("--since", begun(2), "--until", begun(4)), [3, 2]),
        (("--since", "2023-11-01", "--until", "2023-11-02"), []),
    ],
)
def test_only_those_that_fit_are_listed(
    listed: Listed, words: tuple[str, ...], found: list[int]
) -> None:
    assert listed(*words) == found


def test_one_that_cannot_be_believed_is_never_hidden(listed: Listed, record: Path) -> None:
    damage.no_json(record, 1)
    assert listed("--zone", "chin") == [1]


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_what_is_no_date_is_named_with_the_form_of_one(listed: Listed, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} yesterday is no date.*2026-11-30"):
        listed(option, "yesterday")
