"""Everything that the record says of one treatment, each row verified, for whoever tells of it.

A row that cannot be believed is left out and named: what it told of is unknown. One that is damaged
may have lost the number of its treatment, so that each row from the beginning of a treatment to its
last one is looked at, whosever it says it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from controller.record import beside, listing, treatments
from controller.record.chain import Chained, near
from controller.record.head_note import Head, identity, newest
from controller.record.read_only import ask_record
from controller.record.recovery import Interrupted, interrupted
from controller.record.store import BrokenRowError, Store, record_refused
from controller.record.treatments import Beginning
from controller.safety.refusal import RefusedError, refusing
from controller.treatment.kinds import Kind

ROWS_MAX: Final = 200_000
"""Rows that are looked at for one treatment; two an hour of a busy kernel are 8,000."""

_KINDS: Final = ", ".join(repr(kind.value) for kind in Kind)
_OWN: Final = (
    f"SELECT id FROM journal WHERE kind IN ({_KINDS}) AND treatment = ?"  # noqa: S608
    " ORDER BY id LIMIT ?"
)
_RANGE: Final = "SELECT id FROM journal WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
_KERNEL: Final = (
    f"SELECT id FROM journal WHERE kind = '{Kind.KERNEL}' AND id < ?"  # noqa: S608
    " ORDER BY id DESC LIMIT 64"
)
_LATER: Final = frozenset({Kind.INTERRUPTED, Kind.DISMISSED})
"""Rows about a treatment that others write, perhaps weeks later."""


class Unbelieved(NamedTuple):
    """Rows of which nothing is known but that they were there."""

    first: int
    last: int
    what: str
    decided: bool
    """True where a technician has decided that the record goes on without them."""


@dataclass(frozen=True, slots=True)
class OneTreatment:
    """What the record says of one treatment, and what it cannot say."""

    path: Path
    beginning: Beginning
    begun: Chained
    rows: tuple[Chained, ...]
    """Of this treatment, oldest first, each believed; the first one began it."""
    last: int
    """The last row that the treatment itself wrote."""
    unbelieved: tuple[Unbelieved, ...]
    kernel: Chained | None
    """The row of the kernel that found its unit; None where it cannot be believed or told."""
    foreseen: Interrupted | None
    """What the next kernel will charge at least; None where nothing is open."""
    forerunners: tuple[int, ...]
    """The treatments that it went on with, newest first."""
    resumed_by: int | None
    head: Head
    """The newest row of the journal."""
    head_wall_s: float
    """When it was written, as it says."""
    lacking: str | None
    """What the record lacks as a whole."""


def one_treatment(state: Path, number: int) -> OneTreatment:
    """Return what the record in a state folder says of a treatment that is over.

    Raises:
        RefusedError: there is no record, or no such treatment, or it is not over, or where it began
            cannot be believed.
    """
    path = beside.check_record(state)
    alive = beside.alive_in(state)
    with record_refused("Nothing was changed."):
        return ask_record(path, lambda store: _found(store, path, number, alive))


def _found(store: Store, path: Path, number: int, alive: Callable[[str], bool]) -> OneTreatment:
    begun = listing.begun(store, number)
    if begun is None:
        raise _unknown(store, path, number)
    beginning = treatments.beginning_of(begun)
    own = [row_id for (row_id,) in store.ask(_OWN, (number, ROWS_MAX))]
    closed, how = _closed(store, number)
    if closed is None and alive(beginning.lock):
        raise refusing(
            "under_way",
            f"Treatment {number} is under way, or it cannot be seen that it is over.",
            "Ask again after its end.",
        )
    if closed is not None and closed not in own:  # it has lost its number
        own = sorted([*own, closed])
    believed, _ = _read(store, own)
    rows = tuple(row for row in believed if row.treatment == number)
    told = [row.id for row in rows if row.kind not in _LATER]
    last = max([*told, *([] if closed is None or how == Kind.INTERRUPTED else [closed])])
    connection = store.connection()
    return OneTreatment(
        path=path,
        beginning=beginning,
        begun=begun,
        rows=rows,
        last=last,
        unbelieved=_unbelieved(store, begun.id, last, own),
        kernel=_kernel(store, begun, beginning),
        foreseen=_foreseen(store, number, alive) if closed is None else None,
        forerunners=tuple(treatments.forerunners(store, number)[1:]),
        resumed_by=_resumed_by(store, number),
        head=Head(path.name, identity(connection), *newest(connection)),
        head_wall_s=_written_s(store),
        lacking=store.lacking_sentence,
    )


def _written_s(store: Store) -> float:
    """Return when the newest row was written; the row is not believed for that, only told of."""
    ((row_id,),) = store.ask("SELECT max(id) FROM journal")
    row = near(store.connection(), row_id).get(row_id)
    return 0.0 if row is None else float(row.wall_s)


def _unknown(store: Store, path: Path, number: int) -> RefusedError:
    newest_number = listing.newest(store)
    known = (
        f"The newest is {newest_number}; `corneum records list` shows them."
        if newest_number
        else "None is."
    )
    ((listed,),) = store.ask("SELECT count(*) FROM treatments WHERE treatment = ?", (number,))
    what = (
        f"The row that began treatment {number} was given up by a technician, so that the record "
        f"{path} cannot say what was planned."
        if listed
        else f"Treatment {number} is not in the record {path}."
    )
    return refusing("unknown_treatment", what, known)


def _closed(store: Store, number: int) -> tuple[int | None, str]:
    """Return the row that closed it, and how, as the list has it."""
    ((closed, how),) = store.ask(
        "SELECT closed_id, closed FROM treatments WHERE treatment = ?", (number,)
    )
    return (None if closed is None else int(closed)), str(how or "")


def _read(store: Store, ids: list[int]) -> tuple[list[Chained], list[Unbelieved]]:
    found: list[Chained] = []
    broken: list[Unbelieved] = []
    for row_id in ids:
        try:
            rows = store.read([row_id])
        except BrokenRowError as error:
            broken.append(Unbelieved(row_id, row_id, error.what, decided=False))
            continue
        found += rows
        if not rows:
            what = "a technician has decided that the record goes on without it"
            broken.append(Unbelieved(row_id, row_id, what, decided=True))
    return found, broken


def _unbelieved(store: Store, first: int, last: int, own: list[int]) -> tuple[Unbelieved, ...]:
    """Return the rows from the first to the last that are damaged or gone, and later own ones."""
    there = [row_id for (row_id,) in store.ask(_RANGE, (first, last, ROWS_MAX))]
    later = [row_id for row_id in own if row_id > last]
    _, broken = _read(store, [*there, *later])
    decided = store.accepted_rows()
    gone = [
        Unbelieved(one + 1, other - 1, "missing", decided=one + 1 in decided)
        for one, other in zip(there, [*there[1:], last + 1], strict=True)
        if other > one + 1
    ]
    return tuple(sorted([*broken, *gone]))


def _kernel(store: Store, begun: Chained, beginning: Beginning) -> Chained | None:
    """Return the newest row before it in which a kernel has found this unit."""
    ids = (row_id for (row_id,) in store.ask(_KERNEL, (begun.id,)))
    rows = store.read(ids, skip_broken=True)
    whose = (beginning.unit, beginning.simulated)
    of_unit = (row for row in rows if (row.body.get("unit"), row.body.get("simulated")) == whose)
    return next(of_unit, None)


def _foreseen(store: Store, number: int, alive: Callable[[str], bool]) -> Interrupted | None:
    found = interrupted(store, alive)
    return next((each for each in found if each.beginning.treatment == number), None)


def _resumed_by(store: Store, number: int) -> int | None:
    ((later,),) = store.ask(
        "SELECT max(treatment) FROM treatments WHERE resumes = ? AND closed IS NOT 'refused'",
        (number,),
    )
    return None if later is None else int(later)
