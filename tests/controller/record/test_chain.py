"""The chain itself: a row that is edited cannot be mended without every row after it."""

import sqlite3
from pathlib import Path

import pytest

from controller.record.chain import Stamped, chain_text, text_hash
from controller.record.store import Store
from controller.record.verify import verify

ROWS = 6


@pytest.mark.hazard("H56", shows="works")
@pytest.mark.parametrize("row", range(1, ROWS))
def test_an_edited_row_is_found_though_its_hash_and_the_next_rows_mention_were_mended(
    tmp_path: Path, row: int
) -> None:
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    rows = [Stamped(n / 10, 1.9e9 + n, 1, "exposure", f'{{"um":{n}}}') for n in range(ROWS)]
    store.append(rows)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER journal_is_never_edited")
    ((previous,),) = connection.execute("SELECT prev_hash FROM journal WHERE id = ?", (row,))
    edited = rows[row - 1]._replace(body='{"um":0}' if row > 1 else '{"um":9}')
    text = chain_text(previous, row, edited)
    mended = text_hash(text)
    connection.execute("UPDATE journal SET text = ?, hash = ? WHERE id = ?", (text, mended, row))
    connection.execute(
        "UPDATE journal SET text = ? || substr(text, 65) WHERE id = ?", (mended, row + 1)
    )
    connection.commit()
    connection.close()
    assert verify(path).first_bad_id == row + 1
