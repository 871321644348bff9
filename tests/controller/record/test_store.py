"""The hash chain: whatever is done to the file, the first row that is wrong is named."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from controller.record.chain import Stamped
from controller.record.store import RecordError, Store
from controller.record.verify import verify
from tests.controller.record.edits import changing

ROWS = 10
TRIGGERS = ("journal_is_never_edited", "journal_is_never_shortened")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of ten rows."""
    made = tmp_path / "journal.sqlite3"
    store = Store(made)
    store.append(
        [Stamped(n / 10, 1.9e9 + n, 1, "exposure", f'{{"bound_um":{n}.25}}') for n in range(ROWS)]
    )
    store.close()
    return made


def tamper(path: Path, *statements: tuple[str, tuple[int, ...]]) -> None:
    """Change the file as somebody with an editor would."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement, values in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_an_untouched_journal_is_whole(path: Path) -> None:
    verdict = verify(path)
    assert (verdict.ok, verdict.rows, verdict.first_bad_id) == (True, ROWS, None)


@pytest.mark.parametrize("statement", ["UPDATE journal SET text = ''", "DELETE FROM journal"])
def test_the_file_itself_refuses_to_edit_or_delete_a_row(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("row", range(1, ROWS + 1))
@pytest.mark.parametrize(
    "change",
    [
        changing("body", "'{\"bound_um\":0.01}'"),
        changing("body", "substr(body, 1, length(body) - 1)"),
        changing("body", "''"),
        "UPDATE journal SET text = x'00ff' WHERE id = ?",
        "UPDATE journal SET text = CAST(text AS BLOB) WHERE id = ?",
        "UPDATE journal SET hash = CAST(hash AS BLOB) WHERE id = ?",
        changing("kind", "'state'"),
        changing("mono_s", "mono_s + 0.001"),
        changing("mono_s", "'nan'"),
        changing("wall_s", "wall_s - 86400"),
        changing("treatment", "2"),
        "UPDATE journal SET hash = substr(hash, 2) || '0' WHERE id = ?",
        "UPDATE journal SET text = substr(text, 2, 63) || 'f' || substr(text, 65) WHERE id = ?",
    ],
)
def test_an_edited_row_is_found(path: Path, row: int, change: str) -> None:
    tamper(path, (change, (row,)))
    assert verify(path).first_bad_id == row


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_deleted_row_is_found(path: Path, row: int) -> None:
    tamper(path, ("DELETE FROM journal WHERE id = ?", (row,)))
    verdict = verify(path)
    assert verdict.first_bad_id == row
    assert f"row {row}" in verdict.sentence


def test_a_deleted_row_is_found_even_when_the_others_move_up(path: Path) -> None:
    tamper(
        path,
        ("DELETE FROM journal WHERE id = 4", ()),
        ("UPDATE journal SET id = -id WHERE id > 4", ()),
        ("UPDATE journal SET id = -id - 1 WHERE id < 0", ()),
    )
    assert verify(path).first_bad_id == 4


@pytest.mark.parametrize(("one", "other"), [(1, 2), (3, 7), (9, 10)])
def test_reordered_rows_are_found(path: Path, one: int, other: int) -> None:
    tamper(
        path,
        ("UPDATE journal SET id = -1 WHERE id = ?", (one,)),
        ("UPDATE journal SET id = ? WHERE id = ?", (one, other)),
        ("UPDATE journal SET id = ? WHERE id = -1", (other,)),
    )
    assert verify(path).first_bad_id == one


@pytest.mark.parametrize("left", range(ROWS))
def test_rows_that_are_cut_off_at_the_end_are_found(path: Path, left: int) -> None:
    tamper(path, ("DELETE FROM journal WHERE id > ?", (left,)))
    verdict = verify(path)
    assert verdict.first_bad_id == left + 1
    assert f"{ROWS} rows were written" in verdict.sentence


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(bytes(data))


def test_an_index_that_has_lost_its_rows_is_found(path: Path) -> None:
    whole = "CREATE INDEX journal_kind ON journal (kind, treatment)"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX journal_kind")
        connection.execute(f"{whole} WHERE kind = 'none of these'")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'journal_kind'", (whole,))
        connection.commit()
    verdict = verify(path)
    assert not verdict.ok
    assert "its indexes not" in verdict.sentence


@pytest.mark.parametrize("damage", [_cut, _scribble, Path.unlink])
def test_a_damaged_or_missing_file_is_bad_and_is_no_traceback(
    path: Path, damage: Callable[[Path], None]
) -> None:
    damage(path)
    verdict = verify(path)
    assert not verdict.ok
    assert str(path) in verdict.sentence


def test_a_failed_transaction_leaves_nothing_of_itself(path: Path) -> None:
    store = Store(path)
    bad = Stamped(float("nan"), 1.9e9, 1, "exposure", "{}")
    with pytest.raises(RecordError):
        store.append([Stamped(1.0, 1.9e9, 1, "exposure", "{}"), bad])
    assert store.append([Stamped(2.0, 1.9e9, 1, "exposure", "{}")]) == ROWS + 1
    store.close()
    assert verify(path).ok


def test_only_the_own_user_can_read_the_journal(tmp_path: Path) -> None:
    store = Store(tmp_path / "state" / "journal.sqlite3")
    store.probe()
    files = list((tmp_path / "state").iterdir())
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    store.close()
