"""The page on the format of rows: its example is what `sha256sum` says, and what a store writes."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Final

from controller.record.chain import FIELDS, Stamped
from controller.record.store import Store

PAGE: Final = (Path(__file__).parents[3] / "docs" / "RECORD.md").read_text(encoding="utf-8")


def example() -> list[tuple[str, str]]:
    """Return text and hash of each row of the page's example."""
    (block,) = re.findall(r"```\n(.*?)\n```", PAGE, re.DOTALL)
    rows = [row.rsplit("\n", 1) for row in block.split("\n\n")]
    return [(text, own) for text, own in rows]


def test_the_example_is_hashed_as_it_says_and_each_text_follows_the_row_before() -> None:
    before = "0" * 64
    for text, own in example():
        assert sha256(text.encode()).hexdigest() == own
        assert text.startswith(f"{before}\n[")
        before = own
    assert len(example()) == 2


def test_a_store_writes_the_rows_of_the_example_byte_for_byte() -> None:
    store = Store(None)
    for text, _ in example():
        _, *values = json.loads(text[65:])
        store.append([Stamped(*values)])
    asked = f"SELECT {FIELDS} FROM journal ORDER BY id"  # noqa: S608
    assert [row[1:] for row in store.ask(asked)] == example()
    store.close()
