"""`corneum records export`: one treatment as a table, as JSON, or as its file of waveforms."""

import csv
import json
import math
import resource
from collections.abc import Callable
from datetime import datetime
from hashlib import file_digest
from io import BytesIO
from pathlib import Path

import pytest

from controller.archive.waveforms import read
from controller.cli import main as command
from controller.config.paths import journal_path
from controller.record.chain import Stamped
from controller.record.journal import canonical
from controller.record.store import Store
from controller.treatment.kinds import Kind
from tests.controller.archive.takes import patch_test, record
from tests.controller.record import years
from tests.controller.record.years import Years

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    years.write(journal_path(tmp_path / "state"), Years(treatments=4, clients=2)).close()
    return tmp_path / "state"


@pytest.fixture
def path(state: Path) -> Path:
    """The file of treatment 1, as the record has it."""
    made = record(state / "waveforms", patch_test())
    note(state, made, made.read_bytes())
    return made


def note(state: Path, path: Path, data: bytes) -> None:
    store = Store(journal_path(state))
    said = canonical(
        {"file": path.name, "sha256": file_digest(BytesIO(data), "sha256").hexdigest()}
    )
    store.append([Stamped(1.0, 1.9e9, 1, Kind.WAVEFORM, said)])
    store.close()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return tmp_path / "made"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(state))

    def _run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", "export", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_table_has_every_reading_of_the_file_at_its_own_instant(
    run: Run, path: Path, made: Path
) -> None:
    assert run(1, made / "one.csv", "--time-zone", "Europe/London")[:2] == (
        0, f"written: {made / 'one.csv'}\n",
    )  # fmt: skip
    rows = [row for row in table(made / "one.csv") if row["suction.a_kpa"]]
    suction = read(path).columns["/suction"]
    assert [float(row["suction.a_kpa"]) for row in rows] == list(suction.values["a_kpa"])
    told = [datetime.fromisoformat(row["time"]).timestamp() for row in rows]
    assert told == pytest.approx([at_ns / 1e9 for at_ns in suction.log_time_ns], abs=2e-6)


def test_instants_carry_the_offset_of_the_zone_that_was_asked_for(
    run: Run, path: Path, made: Path
) -> None:
    assert path.exists()
    run(1, made / "one.csv", "--time-zone", "Asia/Kolkata")
    assert all(row["time"].endswith("+05:30") for row in table(made / "one.csv"))


def test_a_state_holds_until_the_next_one_and_a_reading_does_not(
    run: Run, path: Path, made: Path
) -> None:
    run(1, made / "one.csv")
    rows, columns = table(made / "one.csv"), read(path).columns
    said = columns["/state"].log_time_ns
    assert len(said) < len(rows)
    assert all(row["state.treatment"] for row in rows)
    assert sum(bool(row["flow.g_per_min"]) for row in rows) <= len(columns["/flow"].log_time_ns)


def test_json_has_rows_and_waveforms_and_no_number_that_json_does_not_know(
    run: Run, path: Path, made: Path
) -> None:
    assert run(1, made / "one.json", "--time-zone", "UTC")[0] == 0
    said = json.loads((made / "one.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert said["rows"][0]["kind"] == "treatment"
    assert said["rows"][0]["time"].endswith("+00:00")
    suction = said["waveforms"]["channels"]["/suction"]
    values = [math.nan if each is None else each for each in suction["a_kpa"]]
    assert values == pytest.approx(
        list(read(path).columns["/suction"].values["a_kpa"]), nan_ok=True
    )
    assert suction["units"] == {"a_kpa": "kPa", "b_kpa": "kPa"}


def test_mcap_is_the_file_itself(run: Run, path: Path, made: Path) -> None:
    code, out, _ = run(1, made / "one.mcap", "--json")
    assert (code, json.loads(out)["waveforms"]) == (0, "whole")
    assert (made / "one.mcap").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("form", ["csv", "json", "mcap"])
def test_waveforms_that_somebody_has_changed_are_not_given_away(
    run: Run, path: Path, made: Path, form: str
) -> None:
    path.write_bytes(path.read_bytes() + b"x")
    code, _, err = run(1, made / f"one.{form}")
    assert (code, list(made.iterdir())) == (1, [])
    assert "is not the one that was recorded: somebody has changed it." in err


def test_an_unfinished_file_is_refused_with_the_command_that_finishes_it(
    run: Run, state: Path, made: Path
) -> None:
    whole = record(state / "waveforms", patch_test())
    whole.write_bytes(whole.read_bytes()[:9000])
    code, _, err = run(1, made / "one.csv")
    assert (code, list(made.iterdir())) == (1, [])
    assert "is not finished" in err
    assert "corneum records recover 1" in err


def test_without_waveforms_json_has_the_rows_and_says_what_it_lacks(run: Run, made: Path) -> None:
    code, out, _ = run(2, made / "two.json")
    assert (code, json.loads((made / "two.json").read_text())["waveforms"]) == (0, None)
    assert out.splitlines()[1] == (
        "Without waveforms: The file of waveforms of treatment 2 is not there."
    )


def test_a_name_without_a_form_is_refused_with_the_three_there_are(run: Run, made: Path) -> None:
    code, _, err = run(1, made / "one.xls")
    assert code == 2
    assert "End it with .csv, .json or .mcap." in err


def test_no_file_is_replaced(run: Run, path: Path, made: Path) -> None:
    assert path.exists()
    (made / "one.csv").write_text("of somebody")
    code, _, err = run(1, made / "one.csv")
    assert (code, (made / "one.csv").read_text()) == (1, "of somebody")
    assert "is there already" in err
    assert len(list(made.iterdir())) == 1


@pytest.mark.parametrize("form", ["csv", "json", "mcap"])
def test_a_disk_that_gets_full_leaves_nothing_half(
    run: Run, path: Path, made: Path, form: str
) -> None:
    assert path.stat().st_size > 20_000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        code, _, err = run(1, made / f"one.{form}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, list(made.iterdir())) == (1, [])
    assert "The export cannot be written into" in err


def test_a_treatment_that_is_not_on_record_makes_no_file(run: Run, made: Path) -> None:
    code, _, err = run(99, made / "one.json")
    assert (code, list(made.iterdir())) == (1, [])
    assert "Treatment 99 is not in the record" in err
