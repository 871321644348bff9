"""Which witnesses the record itself names: rows tell who was told of which row before them."""

from collections.abc import Iterator
from typing import NamedTuple

from controller.record.store import Store
from controller.treatment.kinds import Kind


class Named(NamedTuple):
    """A witness that was told of a row."""

    place: str
    row: int


def named(store: Store) -> tuple[Named, ...]:
    """Return each witness that the record names, with the newest row that it was told of."""
    newest: dict[str, int] = {}
    for place, row in _told(store):
        newest[place] = max(row, newest.get(place, 0))
    return tuple(Named(place, row) for place, row in newest.items())


def _told(store: Store) -> Iterator[tuple[str, int]]:
    for row in store.rows("kind = ?", (Kind.NOTED,), skip_broken=True):
        for place in row.body.get("places", ()):
            yield str(place), int(row.body["row"])
    for row in store.rows("kind = ?", (Kind.WITNESSED,), skip_broken=True):
        if row.body["kept"]:
            yield f"unit {row.body['unit']}", int(row.body["head"]["row"])
