"""What only a witness sees: an end that was cut off, a chain that was hashed anew to its end."""

import random
from pathlib import Path
from typing import Final

import pytest

from controller.record import independent_verifier
from controller.record.head_note import Head
from controller.record.verify import WITNESSED_GONE, WITNESSED_OTHER, Break, verify
from qa.attacks import edits
from qa.attacks.record import head_of
from tests.controller.record import damage, years
from tests.controller.record.years import Years

ROWS: Final = 28


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of four treatments, 28 rows."""
    made = tmp_path / "journal.sqlite3"
    years.write(made, Years(4, clients=2)).close()
    return made


@pytest.mark.hazard("H56", shows="works")
@pytest.mark.parametrize("name", edits.BY_WITNESS)
def test_a_head_that_was_witnessed_finds_what_the_chain_itself_cannot_show(
    path: Path, name: str
) -> None:
    head = head_of(path)
    edits.ALL[name](path, random.Random(3))  # noqa: S311 - the same edit each time
    assert verify(path).breaks == []
    found = verify(path, heads=[head])
    what = WITNESSED_OTHER if name == "hashed anew" else WITNESSED_GONE
    assert found.breaks == [Break(ROWS, what, witnessed=True)]
    assert (found.ok, found.first_bad_id) == (False, ROWS)
    assert independent_verifier.check(path)[1] == []
    _, bad = independent_verifier.check(path, [(head.row, head.hash)])
    assert [row for row, _ in bad] == [ROWS]


def test_heads_that_the_file_has_say_nothing(path: Path) -> None:
    head = head_of(path)
    years_ago = Head(head.file, head.journal, 1, first_hash(path))
    assert verify(path, heads=[years_ago, head]).ok


def test_each_head_is_looked_at_and_a_row_that_is_broken_anyway_is_named_once(path: Path) -> None:
    head = head_of(path)
    damage.no_row(path, 9)
    found = verify(path, heads=[Head(head.file, head.journal, row, "a" * 64) for row in (9, 5)])
    assert found.breaks == [
        Break(5, WITNESSED_OTHER, witnessed=True),
        Break(9, "it is missing, row 10 stands in its place"),
    ]


def test_a_head_of_another_journal_says_that_this_one_is_not_it(path: Path) -> None:
    own = head_of(path)
    found = verify(path, heads=[Head(own.file, "feed", 3, "a" * 64)])
    what = f"it was witnessed in journal feed, and this is journal {own.journal}"
    assert found.breaks == [Break(3, what, witnessed=True)]


def test_a_witnessed_row_on_a_damaged_page_is_missing(path: Path) -> None:
    head = head_of(path)
    hashed = first_hash(path)
    damage.no_page(path, 1)
    found = verify(path, heads=[Head(head.file, head.journal, 1, hashed)])
    assert found.breaks[0].row == 1
    assert not found.ok


def first_hash(path: Path) -> str:
    with damage.editor(path) as connection:
        ((found,),) = connection.execute("SELECT hash FROM journal WHERE id = 1").fetchall()
    return str(found)
