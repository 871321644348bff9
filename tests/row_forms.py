"""Whether a row is one of the table: its kind, and exactly the fields that the table names."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from controller.record.chain import Stamped
from controller.record.journal import Journal, Row
from controller.treatment.kinds import ROWS, Body, Kind, Part


@contextmanager
def rows_watched() -> Iterator[set[str]]:
    """Give what does not fit of the rows that go to any journal meanwhile."""
    stamp, found = Journal._stamp, set[str]()

    def watched(journal: Journal, row: Row) -> Stamped:
        stamped = stamp(journal, row)
        found.add(misfit(stamped.kind, stamped.body))
        found.discard("")
        return stamped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "_stamp", watched)
        yield found


def misfit(kind: str, text: str) -> str:
    """Return what does not fit to any occasion of the table; empty where one fits."""
    if kind not in set(Kind):
        return f"{kind}: no kind of the table"
    told = ["; ".join(_wrong(row.body, json.loads(text), "")) for row in ROWS if row.kind == kind]
    return "" if "" in told else f"{kind}: {' | '.join(told)} in {text[:300]}"


def _wrong(body: Body, said: object, where: str) -> Iterator[str]:
    if not isinstance(said, Mapping):
        yield f"{where} is no object"
        return
    for name in said.keys() - body.keys():
        yield f"{where}.{name} is not in the table"
    for name, told in body.items():
        part = Part(told) if isinstance(told, str) else told
        if name in said:
            yield from _wrong_inside(part, said[name], f"{where}.{name}")
        elif not part.optional:
            yield f"{where}.{name} is missing"


def _wrong_inside(part: Part, said: object, where: str) -> Iterator[str]:
    if part.parts and not (part.unknown and not said):
        for each in _objects(said):
            yield from _wrong(part.parts, each, where)


def _objects(said: object) -> Iterator[object]:
    """Yield the objects in a field: itself, each of a list, or the second of each pair."""
    if not isinstance(said, list):
        yield said
        return
    for each in said:
        yield each[1] if isinstance(each, list) else each
