"""Journals that earlier builds wrote: each is read, verified, converted, and keeps its hashes."""

import gzip
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from controller.config.paths import journal_path
from controller.record import earlier, independent_verifier, read, schema, words
from controller.record.chain import FIELDS, chained
from controller.record.read_only import ask_record
from controller.record.store import RecordError, Store
from controller.record.upgrade import upgrade
from controller.record.verify import verify
from tests.controller.record import damage

MUSEUM: Final = Path(__file__).parents[2] / "museum"
OPEN_MAX_S: Final = 30.0


class Piece(NamedTuple):
    """One journal of the museum."""

    name: str
    version: int
    rows: int
    outcome: str
    head: str


PIECES: Final = (
    Piece("2026-11-26", 0, 62, "tripped", "613a2e1f"),
    Piece("2026-11-29", 2, 113, "completed", "ba3ddb59"),
    Piece("2026-11-30", 2, 60, "completed", "ea5b44d0"),
    Piece("2026-11-30-text", 3, 60, "completed", "bb013ca7"),
)
OLD: Final = tuple(each for each in PIECES if each.version < schema.VERSION)


@pytest.fixture
def state(tmp_path: Path, piece: Piece) -> Path:
    """A state folder with one of the journals in it."""
    journal_path(tmp_path).write_bytes(gzip.decompress(packed(piece).read_bytes()))
    return tmp_path


def packed(piece: Piece) -> Path:
    return MUSEUM / f"{piece.name}.sqlite3.gz"


def columns(path: Path) -> list[tuple[Any, ...]]:
    """Return what every row says, in whatever form it is stored."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if earlier.lies_in(connection):
            return connection.execute(f"SELECT {earlier.FIELDS} FROM journal").fetchall()  # noqa: S608
        return [
            tuple(chained(*each))
            for each in connection.execute(f"SELECT {FIELDS} FROM journal")  # noqa: S608
        ]


def version(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return schema.version(connection)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_a_journal_of_each_build_is_whole_and_listed_and_stays_as_it_is(
    state: Path, piece: Piece
) -> None:
    path = journal_path(state)
    before = path.read_bytes()
    assert (version(path), verify(path).rows, verify(path).ok) == (piece.version, piece.rows, True)
    assert independent_verifier.check(path) == (piece.rows, [])
    ((done,), checked) = read.past(state, None, 10, None), read.check(state, earlier.untold)
    assert (done.outcome, done.client, checked.ok) == (piece.outcome, "demo", True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_who_opens_it_converts_it_and_every_row_says_the_same_with_the_same_hash(
    state: Path, piece: Piece
) -> None:
    path = journal_path(state)
    before = columns(path)
    store = Store(path)
    assert store.probe() == piece.rows
    assert store.ask("SELECT hash FROM head")[0][0].startswith(piece.head)
    store.close()
    assert (version(path), columns(path)) == (schema.VERSION, before)
    assert verify(path).ok
    assert independent_verifier.check(path) == (piece.rows, [])


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_the_command_converts_it_tells_how_far_it_is_and_can_be_given_twice(
    state: Path, piece: Piece, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier, "PIECE_ROWS", 50)
    told: list[tuple[int, int]] = []
    done = upgrade(state, lambda row, rows: told.append((row, rows)))
    assert (done.was, done.kept) == (piece.version, None)
    assert told[-1:] == ([(piece.rows, piece.rows)] if piece in OLD else [])
    assert upgrade(state, earlier.untold).was == schema.VERSION
    assert verify(journal_path(state)).ok


KILLED: Final = """
import os, signal, sys
from pathlib import Path
from controller.record import earlier, schema
from controller.record.store import Store
earlier.PIECE_ROWS = 20
convert, at = earlier.convert, int(sys.argv[2])
def told(row, _rows):
    if 0 < at <= row:
        os.kill(os.getpid(), signal.SIGKILL)
def kills(connection, table, _told, source):
    convert(connection, table, told, source)
    if at == 0:
        os.kill(os.getpid(), signal.SIGKILL)
earlier.convert = kills
Store(Path(sys.argv[1])).probe()
"""


@pytest.mark.parametrize("piece", OLD[:2], ids=lambda piece: piece.name)
@pytest.mark.parametrize("at_row", [20, 60, 0])
def test_a_kill_while_it_is_converted_leaves_it_as_it_was(
    state: Path, piece: Piece, at_row: int
) -> None:
    path = journal_path(state)
    before = columns(path)
    words = [sys.executable, "-c", KILLED, str(path), str(at_row)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, timeout=OPEN_MAX_S, check=False, env=env)
    assert done.returncode == -9
    assert verify(path).ok
    assert (version(path), columns(path)) == (piece.version, before)
    Store(path).probe()
    assert (version(path), columns(path)) == (schema.VERSION, before)


# -- what is not converted -------------------------------------------------------------------------
@pytest.mark.parametrize("piece", OLD[:1], ids=lambda piece: piece.name)
def test_it_is_not_converted_under_a_program_that_has_it_open(state: Path) -> None:
    path = journal_path(state)
    with closing(sqlite3.connect(path)) as other:  # a kernel of an earlier build
        other.execute("SELECT count(*) FROM journal").fetchall()
        with pytest.raises(RecordError) as caught:
            Store(path).probe()
    assert str(caught.value) == (
        f"The record {path} is of an earlier build, and another program uses it: {words.UPGRADE}."
    )
    assert Store(path).probe() == PIECES[0].rows


@pytest.mark.parametrize("piece", OLD[:1], ids=lambda piece: piece.name)
def test_a_large_one_waits_for_the_command(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = journal_path(state)
    monkeypatch.setattr(schema, "CONVERT_MAX_BYTES", 40_000)
    for ask in (Store(path).probe, lambda: ask_record(path, Store.probe)):
        with pytest.raises(RecordError) as caught:
            ask()
        assert str(caught.value) == (
            f"The record {path} is of an earlier build, and its 0 MB take too long to be converted "
            f"now: {words.UPGRADE}."
        )
    upgrade(state, earlier.untold)
    assert Store(path).probe() == PIECES[0].rows


@pytest.mark.parametrize("piece", PIECES[-1:], ids=lambda piece: piece.name)
def test_one_of_a_newer_build_is_neither_read_nor_written(state: Path) -> None:
    path = journal_path(state)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 4")
    sentence = (
        f"The record {path} is of a newer build (version 4 of its file; this build reads up to 3): "
        "use that build, or update this one."
    )
    assert verify(path).unreadable == sentence
    for ask in (Store(path).probe, lambda: ask_record(path, Store.probe)):
        with pytest.raises(RecordError) as caught:
            ask()
        assert str(caught.value) == sentence


# -- damaged before it was converted ---------------------------------------------------------------
@pytest.mark.parametrize("piece", OLD[1:2], ids=lambda piece: piece.name)
def test_a_damaged_page_is_kept_as_it_is_and_the_other_rows_are_converted(state: Path) -> None:
    path = journal_path(state)
    damage.no_page(path, 40)
    missing = {each.row for each in verify(path).breaks}
    before = [row for row in read_one_by_one(path) if row is not None]
    with pytest.raises(RecordError, match="pages of it are damaged"):
        Store(path).probe()
    done = upgrade(state, earlier.untold)
    assert done.kept is not None
    assert (version(path), version(done.kept)) == (schema.VERSION, 2)
    assert columns(path) == before
    found = verify(path)
    assert found.breaks
    assert {each.row for each in found.breaks} == missing
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def read_one_by_one(path: Path) -> list[tuple[Any, ...] | None]:
    """Return each row of an old file that can be read."""
    found: list[tuple[Any, ...] | None] = []
    with closing(sqlite3.connect(path)) as connection:
        for row in range(1, PIECES[1].rows + 1):
            try:
                asked = f"SELECT {earlier.FIELDS} FROM journal WHERE id = ?"  # noqa: S608
                found.append(connection.execute(asked, (row,)).fetchone())
            except sqlite3.DatabaseError:
                found.append(None)
    return found


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(body, '1', '2')",
        "body = x'00ff'",
        "body = CAST(x'ff' || CAST(body AS BLOB) AS TEXT)",
        "mono_s = 9e999",
        "kind = 'state'",
        "prev_hash = substr(prev_hash, 2) || 'f'",
        "hash = CAST(hash AS BLOB)",
    ],
)
@pytest.mark.parametrize("piece", OLD[2:], ids=lambda piece: piece.name)
def test_a_row_that_was_changed_before_is_wrong_before_and_after(state: Path, change: str) -> None:
    path = journal_path(state)
    with damage.editor(path) as connection:
        connection.execute(f"UPDATE journal SET {change} WHERE id = 30")  # noqa: S608
    before = verify(path).breaks
    assert [each.row for each in before] == [30]
    if "hash AS BLOB" not in change:  # the very bytes are the hash again, as text
        Store(path).probe()
        assert verify(path).breaks == before
    assert independent_verifier.check(path)[1][0][0] == 30
