"""The independent verifier: made of nothing of ours, and of one mind with ours about a file."""

import ast
import gzip
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from controller.record import independent_verifier
from controller.record.independent_verifier import CannotReadError
from controller.record.verify import verify
from qa.attacks import edits
from tests.controller.record import damage

SCRIPT: Final = Path(independent_verifier.__file__)
MUSEUM: Final = Path(__file__).parents[2] / "museum"
LINES_MAX: Final = 150
RUN_MAX_S: Final = 30.0
TURNS: Final = 3


@pytest.fixture
def record(tmp_path: Path) -> Callable[[str], Path]:
    """Return what gives a real journal by the name that it has in the museum."""

    def unpacked(name: str) -> Path:
        path = tmp_path / "journal.sqlite3"
        path.write_bytes(gzip.decompress((MUSEUM / f"{name}.sqlite3.gz").read_bytes()))
        return path

    return unpacked


def first_bad(path: Path) -> int | None:
    """Return the first row that the independent verifier names; 0 where it is none; or None."""
    try:
        _, bad = independent_verifier.check(path)
    except CannotReadError:
        return 0
    return bad[0][0] if bad else None


def run(path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), *more],
        capture_output=True, text=True, timeout=RUN_MAX_S, check=False,
    )  # fmt: skip


# -- what it is made of ----------------------------------------------------------------------------
def test_it_is_one_short_file_that_imports_nothing_but_the_standard_library() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) < LINES_MAX
    names = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names
    assert names <= sys.stdlib_module_names


# -- as a program ----------------------------------------------------------------------------------
def test_it_says_whole_or_names_each_row_or_that_it_cannot_read(
    record: Callable[[str], Path],
) -> None:
    path = record("2026-11-30-text")
    done = run(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole: 60 rows\n", "")
    done = run(path, "--head", f"60:{'a' * 64}")
    assert (done.returncode, done.stdout) == (
        1, "row 60 was witnessed, and is missing or another one\nbroken: 60 rows\n",
    )  # fmt: skip
    damage.other_json(path, 7)
    damage.no_json(path, 7)
    damage.no_row(path, 31)
    done = run(path)
    assert (done.returncode, done.stdout.splitlines()) == (1, [
        "row 7 is not what was written: its hash is another one",
        "row 31 is missing, row 32 stands in its place",
        "broken: 59 rows",
    ])  # fmt: skip
    path.write_bytes(b"no record")
    done = run(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "file is not a database" in done.stderr
    assert "--head is ROW:HASH" in run(path, "--head", "x").stderr


# -- beside ours -----------------------------------------------------------------------------------
@pytest.mark.hazard("H56", shows="works")
@pytest.mark.parametrize("name", edits.BY_CHAIN)
def test_both_name_the_same_first_row_of_a_record_that_was_edited(
    record: Callable[[str], Path], name: str
) -> None:
    for turn in range(TURNS):
        path = record("2026-11-30-text")
        edits.ALL[name](path, random.Random(f"{name} {turn}"))  # noqa: S311 - the same each time
        found = verify(path)
        if name == "byte":  # it may lie where nothing is read, or in a list
            assert (first_bad(path) is None) == (found.ok or found.lists is not None)
        elif name == "columns":  # ours calls it a derived thing, as the texts are whole
            assert (found.first_bad_id, found.breaks, first_bad(path)) == (0, [], 1)
        else:
            assert first_bad(path) == found.first_bad_id is not None


@pytest.mark.parametrize("page_of", [1, 20, 40, 60])
@pytest.mark.parametrize("name", ["2026-11-30-text", "2026-11-30", "2026-11-26"])
def test_both_name_the_first_row_of_a_damaged_page(
    record: Callable[[str], Path], name: str, page_of: int
) -> None:
    path = record(name)
    damage.no_page(path, page_of)
    assert first_bad(path) == verify(path).first_bad_id is not None


@pytest.mark.parametrize("row", [1, 2, 30, 59, 60])
@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE journal SET body = replace(body, '0', '1') || ' ' WHERE id = :row"],
        ["UPDATE journal SET kind = 'note' WHERE id = :row"],
        ["UPDATE journal SET mono_s = mono_s + 0.001 WHERE id = :row"],
        ["UPDATE journal SET wall_s = wall_s - 86400 WHERE id = :row"],
        ["UPDATE journal SET treatment = 7 WHERE id = :row"],
        ["UPDATE journal SET hash = substr(hash, 2) || '0' WHERE id = :row"],
        ["UPDATE journal SET prev_hash = substr(prev_hash, 2) || 'f' WHERE id = :row"],
        ["UPDATE journal SET body = x'00ff' WHERE id = :row"],
        ["UPDATE journal SET body = CAST(x'ff' || CAST(body AS BLOB) AS TEXT) WHERE id = :row"],
        ["DELETE FROM journal WHERE id = :row"],
        ["DELETE FROM journal WHERE id >= :row"],
        [
            "UPDATE journal SET id = -id WHERE id >= :row",
            "UPDATE journal SET id = 1 - id WHERE id < 0",
            "INSERT INTO journal SELECT :row, mono_s, wall_s, 0, 'note', body, prev_hash, hash"
            " FROM journal WHERE id = :row + 1",
        ],
        [
            "UPDATE journal SET id = -1 WHERE id = :row",
            "UPDATE journal SET id = :row WHERE id = 17",
            "UPDATE journal SET id = 17 WHERE id = -1",
        ],
    ],
)
@pytest.mark.parametrize("name", ["2026-11-30", "2026-11-26"])
def test_both_name_the_same_first_row_of_a_record_of_an_earlier_build(
    record: Callable[[str], Path], name: str, statements: list[str], row: int
) -> None:
    path = record(name)
    with damage.editor(path) as connection:
        for statement in statements:
            connection.execute(statement, {"row": row})
    assert first_bad(path) == verify(path).first_bad_id is not None


@pytest.mark.parametrize("name", ["2026-11-30-text", "2026-11-30"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET id = id - 1",
        "UPDATE head SET hash = '0'",
        "DELETE FROM head",
        "PRAGMA user_version = 9",
    ],
)
def test_both_believe_no_head_that_does_not_fit_and_no_version_that_they_do_not_know(
    record: Callable[[str], Path], name: str, statement: str
) -> None:
    path = record(name)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    assert not verify(path).ok
    assert first_bad(path) is not None
