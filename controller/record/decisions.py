"""A technician's decision about the record itself: a row in the chain says who, why and on what.

After it the named break refuses nobody any more; what it hid stays unknown, which is what the
technician has decided on. By a kernel, or beside none: a record may be what keeps a kernel from
working. RecordError where the record cannot be kept, RefusedError for everything else.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from controller.api.authority import Do
from controller.api.requests import AcceptArgs, read_args
from controller.record import beside, witness
from controller.record.clocks import Here
from controller.record.head_note import Head
from controller.record.journal import Journal, Row
from controller.record.store import Store
from controller.safety.refusal import refusing
from controller.treatment import rows
from controller.treatment.events import Who
from controller.treatment.kinds import Kind


class Subject(NamedTuple):
    """One thing that a technician may decide on."""

    facts: Callable[[Store, AcceptArgs, Here], dict[str, Any]]
    """What the row says about it, read from the record; RefusedError where there is nothing."""
    needs_number: bool = False


def _row(store: Store, asked: AcceptArgs, _here: Here) -> dict[str, Any]:
    number = asked.number or 0
    what = store.fault(number)
    if what is None:
        raise refusing(
            "row_whole",
            f"Row {number} of the record is as it was written, or was decided on before.",
            "`corneum records verify` names the rows that are broken.",
        )
    return {"row": number, "found": what}


def _head(store: Store, asked: AcceptArgs, _here: Here) -> dict[str, Any]:
    told = (Head("", one.journal, one.row, one.hash) for one in asked.heads)
    lacking = (*store.lacking_heads, *(one for one in told if not store.has(one)))
    if not lacking:
        raise refusing(
            "record_whole", "The record lacks no row that was written here.", "Nothing to decide."
        )
    return {"heads": [asdict(head) for head in lacking]}


def _witness(store: Store, _asked: AcceptArgs, _here: Here) -> dict[str, Any]:
    found = witness.undecided(store)
    if not found:
        raise refusing(
            "witness_agrees",
            "No unit that was asked keeps a row that is not in this record, or that was decided on "
            "before.",
            "Nothing to decide: a unit is asked at the beginning of each treatment.",
        )
    names = ("journal", "row", "hash")
    return {
        "units": sorted({body["unit"] for body in found}),
        "heads": [{name: body[name] for name in names} for body in found],
    }


def _clock(_store: Store, _asked: AcceptArgs, here: Here) -> dict[str, Any]:
    return here.body()


SUBJECTS: Final[Mapping[str, Subject]] = MappingProxyType(
    {
        "row": Subject(_row, needs_number=True),
        "head": Subject(_head),
        "witness": Subject(_witness),
        "clock": Subject(_clock),
    }
)
"""What `corneum records accept` takes; one line for each."""


async def accept(journal: Journal, args: Mapping[str, Any], who: Who, here: Here) -> dict[str, Any]:
    """Write a decision down; it counts from when its row is durable."""
    asked = read_args(AcceptArgs, dict(args))
    subject = SUBJECTS.get(asked.subject)
    if subject is None or subject.needs_number is (asked.number is None):
        raise refusing(
            "bad_request",
            f"There is nothing like {asked.subject} {asked.number or ''} to decide on.".replace(
                "  ", " "
            ),
            f"Name one of: {', '.join(words(name) for name in SUBJECTS)}.",
        )
    facts = await journal.read(lambda store: subject.facts(store, asked, here))
    body = {
        "subject": asked.subject,
        **facts,
        "who": rows.who_body(who),
        "reason": asked.reason,
    }
    await journal.commit([Row(Kind.DECISION, body)])
    await refresh(journal)
    return {"subject": asked.subject, **facts}


def words(name: str) -> str:
    """Return how a subject is named on the command line."""
    return f"{name} N" if SUBJECTS[name].needs_number else name


async def refresh(journal: Journal) -> None:
    """Take from what is known to be wrong with a record what has been decided on."""
    accepted = await journal.read(Store.accepted_rows)
    health = journal.health
    health.breaks = tuple(each for each in health.breaks if each.row not in accepted)
    if not await journal.read(witness.undecided):
        health.witness = None
    health.lacking = await journal.read(lambda store: store.lacking_sentence)


def accept_here(args: Mapping[str, Any], who: Mapping[str, str], state: Path) -> dict[str, Any]:
    """Write a decision down without a kernel, in the record of a state folder; the same rules."""
    beside.check_record(state, lost_too=True)

    async def act(journal: Journal, person: Who, clocks: Here) -> dict[str, Any]:
        return await accept(journal, args, person, clocks)

    return beside.write(
        Do.ACCEPT,
        who,
        state,
        act,
        "Ask a technician at the unit; CORNEUM_ROLE=technician says that you are one.",
    )
