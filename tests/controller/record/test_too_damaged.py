"""What is told, refused and left as it is where a record is damaged beyond what can be mended."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.api.requests import TreatArgs
from controller.config.paths import journal_path
from controller.planning.planning import Given
from controller.planning.steps import finished
from controller.record import decisions, schema, verify, whole
from controller.record.head_note import heads
from controller.record.past import Asked, past_of
from controller.record.planner import ANY_SIMULATED, reading
from controller.record.read_only import ask_record
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import BREAKS_MAX
from controller.safety.timeline import Moment
from tests.controller.record import damage, years
from tests.controller.record.years import Years

CLINIC = Years(treatments=40, clients=4)
NOW = Moment("b", CLINIC.end_wall_s, CLINIC.end_wall_s)
TECHNICIAN = {"name": "tom", "role": "technician", "origin": "local"}
ROWS_EACH = 7
EXPOSED = 4
"""A row of a treatment that no plan reads, counted from the one that begins it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = journal_path(tmp_path)
    years.write(made, CLINIC).close()
    return made


def _given(configs: Path, client: str) -> tuple[TreatArgs, Given]:
    file = (configs / "clients" / "c-0042.toml").read_text().replace("c-0042", client)
    (configs / "clients" / f"{client}.toml").write_text(file)
    wish = TreatArgs.model_validate({"program": "refresh", "client": client})
    return wish, finished(reading(configs, wish, ANY_SIMULATED))


# -- a plan ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H56")
def test_who_was_treated_when_a_broken_row_was_written_gets_no_plan_and_others_do(
    path: Path, configs: Path
) -> None:
    broken = ROWS_EACH + EXPOSED  # of treatment 2, of client c-2
    damage.other_json(path, broken)
    known = verify.verify(path).breaks
    assert [each.row for each in known] == [broken]

    def past(client: str) -> int:
        wish, given = _given(configs, client)
        asked = Asked(wish, ANY_SIMULATED.serial, simulated=True, at=NOW)
        return ask_record(path, lambda store: len(past_of(store, asked, given, known).doses))

    with pytest.raises(BrokenRowError, match=f"Row {broken} "):
        past("c-2")
    assert past("c-1") > 0


# -- lists that cannot be made anew ----------------------------------------------------------------
def _without_lists(path: Path) -> bytes:
    """Damage a list and the rows from which it could be made anew; return the file."""
    damage.no_list(path, 1)
    damage.no_page(path, 100)
    return path.read_bytes()


@pytest.mark.hazard("H56")
def test_lists_that_cannot_be_made_anew_from_damaged_rows_are_said_not_to_be(path: Path) -> None:
    before = _without_lists(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert not schema.rebuild(connection)
    assert path.read_bytes() == before


@pytest.mark.hazard("H56")
def test_who_only_reads_is_told_that_the_rows_are_damaged_too(path: Path) -> None:
    before = _without_lists(path)
    with pytest.raises(RecordError) as caught:
        ask_record(path, lambda store: store.ask("SELECT * FROM treatments"))
    assert f"The record {path} is damaged, or is no record (its rows are damaged too)" in str(
        caught.value
    )
    assert path.read_bytes() == before


# -- a check ---------------------------------------------------------------------------------------
@pytest.mark.hazard("H56")
def test_where_as_much_is_broken_as_is_looked_for_no_decision_makes_it_less(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    years.write(path, CLINIC).close()
    for row in range(1, BREAKS_MAX + 1):
        damage.no_json(path, row)
    wish = {"subject": "row", "number": BREAKS_MAX, "reason": "read"}
    decisions.accept_here(wish, TECHNICIAN, tmp_path)
    checked = whole.check(tmp_path, lambda _row, _rows: None)
    assert len(checked.found.breaks) == BREAKS_MAX
    assert checked.accepted == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no database at all" * 100, "is damaged, or is no record (file is not a database)"),
        (None, "rights or mount do not allow it (unable to open database file)"),
    ],
)
def test_a_record_that_cannot_be_checked_is_told_with_what_the_system_says(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = journal_path(tmp_path)
    if content is not None:
        path.write_bytes(content)
    found = verify.verify(path)
    assert not found.ok
    assert found.unreadable is not None
    assert found.unreadable.startswith(f"The record {path} ")
    assert why in found.unreadable


# -- a note of nothing -----------------------------------------------------------------------------
@pytest.mark.hazard("H56")
def test_a_record_without_a_row_that_is_replaced_by_a_backup_lacks_nothing(path: Path) -> None:
    state = path.parent / "other"
    state.mkdir()
    with closing(Store(journal_path(state))) as store:
        assert store.probe() == 0
    assert heads(journal_path(state)) == []
    shutil.copy(path, journal_path(state))
    with closing(Store(journal_path(state))) as store:
        assert store.lacking_sentence is None
        assert store.rows("id = 1")[0].body["program"] == "refresh"
