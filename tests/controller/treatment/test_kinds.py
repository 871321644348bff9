"""The table of row kinds is the only place that names one, and says truly who writes it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from controller.treatment.kinds import ROWS, Kind

TOP: Final = Path(__file__).resolve().parents[3]
WRITING: Final = frozenset({"Row", "Commit", "Note", "row", "_row", "_write"})
"""What makes a row, or hands its kind on to what does."""

IN_SQL: Final = re.compile(r"\bkind\b\s*(=|!=|<>|IS|IN)\s*\(?\s*'\w")


def trees(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    for folder in folders:
        for path in sorted((TOP / folder).rglob("*.py")):
            yield path.relative_to(TOP), ast.parse(path.read_text(encoding="utf-8"))


def first_arguments(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the kinds of the rows that are made in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in WRITING:
                yield node.args[0]


def words(*nodes: ast.expr) -> Iterator[str]:
    """Yield the texts among expressions, also of tuples and sets of them."""
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.Set | ast.List):
            yield from words(*node.elts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each text with which the kind of a row is compared; one of an event is a mere name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            if any(getattr(side, "attr", "") == "kind" for side in sides):
                yield from ((node.lineno, word) for word in words(*sides))


def named_in(path: Path, tree: ast.AST) -> Iterator[str]:
    """Yield where a file names a kind of row by itself."""
    yield from (f"{path}:{node.lineno} {node.value!r}" for node in first_arguments(tree)
                if isinstance(node, ast.Constant) and node.value in set(Kind))  # fmt: skip
    yield from (f"{path}:{line} {word!r}" for line, word in compared(tree) if word in set(Kind))
    yield from (f"{path}:{node.lineno} SQL" for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
                and IN_SQL.search(node.value))  # fmt: skip


def test_no_kind_of_row_is_named_beside_the_table() -> None:
    assert not [one for path, tree in trees("controller", "qa") for one in named_in(path, tree)]


def test_what_would_be_named_beside_the_table_is_found() -> None:
    bad = (
        'Row("pause", {})', 'self.row("stop", body)', 'row.kind == "trip"',
        'row.kind in {"ended", "x"}', "ask(\"SELECT 1 WHERE kind IN ('tip', 'x')\")",
        "f\"SELECT {x} FROM journal WHERE j.kind = 'arm' AND id > ?\"",
    )  # fmt: skip
    assert all(list(named_in(Path("x"), ast.parse(text))) for text in bad)
    good = ('Row("none of ours", {})', 'event["kind"] == "trip"', "f\"kind = '{Kind.ARM}'\"")
    assert not [one for text in good for one in named_in(Path("x"), ast.parse(text))]


def test_who_writes_a_row_is_who_the_table_says() -> None:
    writes = {
        (node.attr, path.parts[1])
        for path, tree in trees("controller")
        for node in first_arguments(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Kind"
    }
    assert writes == {(row.kind.name, row.by) for row in ROWS}


def test_every_kind_is_in_the_table_and_no_occasion_twice() -> None:
    assert {row.kind for row in ROWS} == set(Kind)
    occasions = [(row.kind, row.when) for row in ROWS]
    assert len(set(occasions)) == len(occasions)


def test_a_name_in_the_file_is_that_of_the_kind_in_lower_case() -> None:
    assert [kind.value for kind in Kind] == [kind.name.lower() for kind in Kind]
