"""The unit as a witness of the record: told of its end at each disarm, asked before each arming.

A chain cannot see its own tail cut off, nor the whole of it replaced: the owner of the file writes
both. The unit keeps which row of which journal was the newest, and what it keeps must be in the
record. A row that differs or is gone refuses the next treatment until a technician has decided; a
journal that the unit does not know is recorded and treats. A unit that cannot be asked, or does not
answer, has said nothing: the witness proves tampering, and is no interlock.

Nothing waits for the witness but the beginning of a treatment, for one round trip; a stop, a trip
and the end of a treatment never do.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from controller.device.answers import Answer, LinkState, Told, Witnessed
from controller.record import chain
from controller.record.head_note import Head, identity, newest
from controller.record.journal import Journal, Row
from controller.record.store import RecordError, Store
from controller.safety.reading import Identity, Reading
from controller.safety.refusal import refusing
from controller.treatment.kinds import Kind
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.vocabulary import Mode, Refusal

ASK_MAX_S: Final = 1.0
"""Five tries of the question take 0.775 s; an answer takes one round trip, some 10 ms."""

KEEP_MAX_S: Final = 1.5
"""The same for what is told, and the telemetry that shows whether it was executed."""

LOOK_S: Final = 0.05
"""How often the end of a treatment is looked for: a beat of the control loop."""

LAST_MAX_S: Final = 0.5
"""For so long a kernel that ends waits for its unit to be told."""

TELLS_MAX: Final = 3
"""So often the end of one treatment is told to a unit that does not answer, or refuses."""

TELL_AGAIN_S: Final = 2.0

LOOKED_AT: Final = 64
"""Rows of what units said that are looked through for what is to be decided."""

_DRIVEN: Final = frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING})
"""Modes in which a unit takes no row."""

AGREES: Final = "agrees"
UNKNOWN: Final = "unknown"
FORGOTTEN: Final = "forgotten"
DIFFERS: Final = "differs"
DECIDED: Final = "decided"
NO_ANSWER: Final = "no_answer"
"""What a unit can say of a journal; the words of the row WITNESS_ASKED."""

WITHOUT: Final = "without"
LINE_LOST: Final = "line_lost"
REFUSED: Final = "refused"
"""Why a unit does not keep the end, in the row WITNESSED; no_answer is one, too."""

WITNESSES_FROM: Final = "2.1"


class Unit(Protocol):
    """The part of the handpiece client that a witness needs."""

    state: LinkState
    identity: Identity | None
    newest: Reading | None

    @property
    def witnesses(self) -> bool:
        """True while a session is open that has the messages of a witness."""
        ...

    async def witness_ask(self, journal: str) -> Witnessed | None:
        """Return what the unit keeps of a journal; None where no answer came."""
        ...

    async def witness_keep(self, journal: str, row: int, row_hash: str, *, decided: bool) -> Answer:
        """Let the unit keep a row."""
        ...


# -- what the record says --------------------------------------------------------------------------
def head_of(store: Store) -> Head:
    """Return the newest row of a journal."""
    name = "" if store.path is None else store.path.name
    return Head(name, identity(store.connection()), *newest(store.connection()))


def heads_given(store: Store, unit: int | None = None) -> list[Head]:
    """Return the ends of this record that a unit keeps, or any unit, as far as rows say it.

    The newest first, out of the newest ``LOOKED_AT`` rows that tell of one.
    """
    ids = store.ask(
        "SELECT id FROM journal WHERE kind = ? ORDER BY id DESC LIMIT ?",
        (Kind.WITNESSED, LOOKED_AT),
    )
    said = (row.body for row in store.read((row_id for (row_id,) in ids), skip_broken=True))
    kept = (body for body in said if body["kept"] and unit in (None, body["unit"]))
    return [Head(**body["head"]) for body in kept]


def undecided(store: Store) -> list[dict[str, Any]]:
    """Return what units keep that is not in this record and nobody has decided on.

    Each is the body of the row WITNESS_ASKED that tells of it.
    """
    ids = store.ask(  # these rows are of no treatment, so that an index has them in their order
        "SELECT id FROM journal WHERE kind = ? AND treatment = 0 ORDER BY id DESC LIMIT ?",
        (Kind.WITNESS_ASKED, LOOKED_AT),
    )
    said = [row.body for row in store.read((row_id for (row_id,) in ids), skip_broken=True)]
    by_row = {_kept_of(body): body for body in reversed(said) if body["answer"] == DIFFERS}
    return [body for kept, body in by_row.items() if not _is_decided(store, *kept)]


def _kept_of(body: dict[str, Any]) -> tuple[str, int, str]:
    return str(body["journal"]), int(body["row"]), str(body["hash"])


def _is_decided(store: Store, journal: str, row: int, row_hash: str) -> bool:
    said = {"journal": journal, "row": row, "hash": row_hash}
    found = (each.body for each in store.decisions())
    return any(said in body["heads"] for body in found if body["subject"] == "witness")


def _compare(store: Store, journal: str, unit: int, said: Witnessed | None) -> str:
    if said is None:
        return NO_ANSWER
    if said.row == 0:
        return FORGOTTEN if heads_given(store, unit) else UNKNOWN
    row = chain.near(store.connection(), said.row).get(said.row)
    if row is not None and str(row.hash).startswith(said.hash):
        return AGREES
    return DECIDED if _is_decided(store, journal, said.row, said.hash) else DIFFERS


# -- telling and asking ----------------------------------------------------------------------------
class _Due(NamedTuple):
    """A treatment whose end no unit was told of yet."""

    treatment: int
    tells: int = 0
    not_before_s: float = 0.0
    lost_told: bool = False


class UnitWitness:
    """Asks one unit before each treatment and tells it after each; rows say what came of it."""

    def __init__(
        self, journal: Journal, unit: Callable[[], Unit | None], idle: Callable[[], bool]
    ) -> None:
        """``idle`` says whether no treatment is under way, and the row of its end durable."""
        self._journal = journal
        self._unit = unit
        self._idle = idle
        self._due: _Due | None = None
        self._decided = False
        """A technician has decided that the record is right and what the unit keeps is not."""
        self._said: str | None = None
        """The newest that is known of the unit as a witness, as a sentence."""

    @property
    def sentence(self) -> str | None:
        """Say which unit witnesses the end of this record, or why none does; None: not known."""
        unit = self._unit()
        if unit is None or unit.identity is None:
            return None
        serial = unit.identity.serial
        if unit.state is not LinkState.IDENTIFIED:
            return _lost(serial) if self._due is not None and self._idle() else self._said
        return self._said if unit.witnesses else _without(serial)

    async def ask(self) -> None:
        """Ask the unit about this record before a treatment.

        Raises:
            RefusedError: it keeps a row that is not in the record, and no technician has decided.
            RecordError: the record cannot be read.
        """
        unit = self._unit()
        if unit is None or unit.identity is None or not unit.witnesses:
            return
        identity = unit.identity
        head = await self._journal.read(head_of)
        said: Witnessed | None = None
        with contextlib.suppress(TimeoutError, LocalProtocolError):  # other one-shots wait
            async with asyncio.timeout(ASK_MAX_S):
                said = await unit.witness_ask(head.journal)
        answer = await self._journal.read(
            lambda store: _compare(store, head.journal, identity.serial, said)
        )
        self._decided = answer == DECIDED
        self._said = _sentence(identity.serial, answer, said)
        if answer != AGREES:
            self._journal.note(Row(Kind.WITNESS_ASKED, _asked(identity, head, answer, said)))
        differs = answer == DIFFERS and said is not None
        self._journal.health.witness = self._said if differs else None
        if differs:
            raise refusing("witness_differs", self._differs(identity.serial, head, said), WAY_OUT)

    def begun(self, treatment: int) -> None:
        """A treatment has begun: the unit is told of the record's end when it is over."""
        self._due = _Due(treatment)

    async def run(self) -> None:
        """Tell the unit after each treatment, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(RecordError):  # the journal itself says so, louder
                await self.tell()

    async def last(self) -> None:
        """Tell the unit what it was not told yet, before the line is closed."""
        with contextlib.suppress(TimeoutError, RecordError):
            async with asyncio.timeout(LAST_MAX_S):
                await self.tell()
        due, unit = self._due, self._unit()
        if due is not None and not due.lost_told and unit is not None and unit.identity is not None:
            self._note(due, unit.identity, None, NO_ANSWER)

    async def tell(self) -> None:
        """Tell the unit of the record's end if a treatment is over and the unit is at rest."""
        due, unit, now_s = self._due, self._unit(), asyncio.get_running_loop().time()
        if due is None or unit is None or unit.identity is None or not self._idle():
            return
        if unit.state is not LinkState.IDENTIFIED:
            if not due.lost_told:
                self._due = due._replace(lost_told=True)
                self._note(due, unit.identity, None, LINE_LOST)
            return
        if now_s < due.not_before_s or unit.newest is None or unit.newest.mode in _DRIVEN:
            return
        if not unit.witnesses:
            self._due, self._said = None, None
            self._note(due, unit.identity, None, WITHOUT)
            return
        head = await self._journal.read(head_of)
        answer = await self._kept(unit, head)
        self._took(due, unit.identity, head, answer)

    # -- inside ------------------------------------------------------------------------------------
    async def _kept(self, unit: Unit, head: Head) -> Answer:
        try:
            async with asyncio.timeout(KEEP_MAX_S):
                return await unit.witness_keep(
                    head.journal, head.row, head.hash, decided=self._decided
                )
        except (TimeoutError, LocalProtocolError):
            return Answer(Told.UNKNOWN)

    def _took(self, due: _Due, identity: Identity, head: Head, answer: Answer) -> None:
        serial = identity.serial
        if self._due is None or self._due.treatment != due.treatment:
            return  # another treatment has begun meanwhile, whose end covers this one
        if answer.done or answer.executed:
            self._due, self._decided = None, False
            self._said = f"Unit {serial} keeps row {head.row} as the end of this record."
            self._note(due, identity, head, "")
            return
        again = due.tells + 1 < TELLS_MAX and answer.refusal is not Refusal.WITNESS_AHEAD
        if again:
            at_s = asyncio.get_running_loop().time() + TELL_AGAIN_S
            self._due = due._replace(tells=due.tells + 1, not_before_s=at_s)
            return
        self._due = None
        refused = answer.outcome is Told.FAILED
        why = "refuses to keep" if refused else "has not said that it keeps"
        self._said = f"Unit {serial} {why} the end of this record."
        self._note(due, identity, head, REFUSED if refused else NO_ANSWER)

    def _note(self, due: _Due, identity: Identity, head: Head | None, why: str) -> None:
        body = {
            "unit": identity.serial,
            "simulated": identity.simulated,
            "kept": not why,
            "why": why,
            "head": None if head is None else head_body(head),
        }
        self._journal.note(Row(Kind.WITNESSED, body, due.treatment))

    def _differs(self, serial: int, head: Head, said: Witnessed | None) -> str:
        row = 0 if said is None else said.row
        gone = f"has no row {row}" if head.row < row else f"has another row {row}"
        return (
            f"Unit {serial} was told of row {row} of journal {head.journal}, and the record "
            f"{self._journal.path or 'in memory'} {gone}: its end was cut off, or it was replaced "
            "by an older or a changed copy, and treatments may be missing in it."
        )


WAY_OUT: Final = (
    "Put the right journal.sqlite3 back together with its -wal and -shm, or let a technician "
    "record why with `corneum records accept witness --reason TEXT`."
)


def head_body(head: Head) -> dict[str, Any]:
    """Return a head as it stands in rows."""
    return {"file": head.file, "journal": head.journal, "row": head.row, "hash": head.hash}


def _asked(identity: Identity, head: Head, answer: str, said: Witnessed | None) -> dict[str, Any]:
    known = said is not None and said.row > 0
    return {
        "unit": identity.serial,
        "simulated": identity.simulated,
        "answer": answer,
        "journal": head.journal,
        "row": said.row if said is not None and known else None,
        "hash": said.hash if said is not None and known else None,
        "decided": None if said is None else said.decided,
        "journals": None if said is None else said.journals,
    }


def _sentence(serial: int, answer: str, said: Witnessed | None) -> str:
    if said is None:
        return f"Unit {serial} did not answer what it keeps of this record; it is asked again."
    if answer == UNKNOWN:
        others = {0: "none yet", 1: "that of 1 other"}.get(
            said.journals, f"those of {said.journals} others"
        )
        return (
            f"Unit {serial} does not know this record (of the ends of records it keeps {others}); "
            "it is told its end after each treatment."
        )
    if answer == FORGOTTEN:
        return (
            f"Unit {serial} was told of this record and does not know it any more: its memory was "
            "changed, or it was told of others since; it is told its end after each treatment."
        )
    if answer == AGREES:
        return f"Unit {serial} keeps row {said.row} of this record, which is as it was."
    decided = " A technician has decided on it." if answer == DECIDED else ""
    return f"Unit {serial} keeps a row {said.row} that is not in this record.{decided}"


def _without(serial: int) -> str:
    return (
        f"Unit {serial} cannot keep the end of this record (that needs protocol {WITNESSES_FROM}): "
        "no unit witnesses it."
    )


def _lost(serial: int) -> str:
    return (
        f"The line to unit {serial} was lost before it was told the end of this record, which no "
        "unit witnesses until it is back."
    )
