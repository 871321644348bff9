"""What is wrong with a record, in the words that a person reads: each sentence from end to end."""

import asyncio
import errno
import sqlite3
from pathlib import Path
from typing import Final

import pytest

from controller.record import head_note, listing, read_only, words
from controller.record.chain import Stamped
from controller.record.clocks import doubt_of, sentence_of
from controller.record.head_note import Head
from controller.record.health import SHOWN_MAX, LackingError, RecordHealth, believe
from controller.record.journal import Row
from controller.record.read_only import ask_record
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import Break, CheckResult
from controller.record.whole import Accepted, Checked
from controller.safety.timeline import Doubt, Moment
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record import damage
from tests.controller.record.books import SilentWriter, journal_in

PATH: Final = Path("/r/journal.sqlite3")
RESTORE: Final = (
    "put the newest backup back (journal.sqlite3 together with its -wal and -shm), and keep the "
    "damaged files beside it"
)
WALL_S: Final = 1_900_000_000.0


def row(body: str = "{}", kind: str = "state", treatment: int = 0) -> Stamped:
    return Stamped(1.0, WALL_S, treatment, kind, body)


# -- the file --------------------------------------------------------------------------------------
BUSY: Final = (
    "is held by another program, such as a backup tool ({}): let that program finish or end it, "
    "then try again."
)
FULL: Final = "cannot be written: its disk is full ({}): free space on that disk, then try again."
RIGHTS: Final = (
    "cannot be opened or written: rights or mount do not allow it ({}): mend the rights of the "
    "folder and of each journal.sqlite3* in it, or mount the disk writable."
)
DAMAGED: Final = f"is damaged, or is no record ({{}}): leave it where it is; {RESTORE}."
DISK: Final = (
    "cannot be read or written: the disk reports an error ({}): look at the disk (the system's log "
    "names it), and copy the whole folder to another one first."
)
QUOTA: Final = (
    "cannot be written: the disk reports an error, or a quota on it is used up ({}): free space "
    "under the quota; if there is none, look at the disk (the system's log names it)."
)
ELSEWHERE: Final = (
    "is not in its place any more: it was moved or replaced while it was open ({}): put it back, "
    "together with its -wal and -shm, then try again."
)
MEMORY: Final = (
    "cannot be read or written: this computer has no memory left ({}): close other programs, then "
    "try again."
)
OTHER: Final = "cannot be used ({}): look at the file and its folder, then try again."


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_BUSY, BUSY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, BUSY),
        (sqlite3.SQLITE_LOCKED, BUSY),
        (sqlite3.SQLITE_PROTOCOL, BUSY),
        (sqlite3.SQLITE_FULL, FULL),
        (sqlite3.SQLITE_READONLY, RIGHTS),
        (sqlite3.SQLITE_PERM, RIGHTS),
        (sqlite3.SQLITE_CANTOPEN, RIGHTS),
        (sqlite3.SQLITE_CORRUPT, DAMAGED),
        (sqlite3.SQLITE_NOTADB, DAMAGED),
        (sqlite3.SQLITE_SCHEMA, DAMAGED),
        (sqlite3.SQLITE_IOERR, DISK),
        (sqlite3.SQLITE_IOERR_READ, DISK),
        (sqlite3.SQLITE_NOMEM, MEMORY),
        (sqlite3.SQLITE_IOERR_WRITE, QUOTA),
        (sqlite3.SQLITE_IOERR_NOMEM, MEMORY),
        (sqlite3.SQLITE_READONLY_DBMOVED, ELSEWHERE),
        (sqlite3.SQLITE_MISUSE, OTHER),
        (0, OTHER),
        (None, OTHER),
    ],
)
@pytest.mark.parametrize(("path", "where"), [(PATH, f"record {PATH}"), (None, "record in memory")])
def test_what_sqlite_says_has_a_sentence_with_a_way_out(
    code: int | None, says: str, path: Path | None, where: str
) -> None:
    error = sqlite3.OperationalError("so it is")
    if code is not None:
        error.sqlite_errorcode = code
    assert words.sentence(error, path) == f"The {where} {says.format('so it is')}"
    assert words.primary(error) == (code or 0) & 0xFF
    assert words.is_damage(error) is (words.primary(error) == sqlite3.SQLITE_CORRUPT)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "so"), FULL),
        (OSError(errno.EDQUOT, "so"), FULL),
        (OSError(errno.EACCES, "so"), RIGHTS),
        (OSError(errno.EPERM, "so"), RIGHTS),
        (OSError(errno.EROFS, "so"), RIGHTS),
        (OSError(errno.EIO, "so"), DISK),
        (OSError(errno.ENOMEM, "so"), MEMORY),
        (OSError(errno.EINVAL, "so"), OTHER),
        (ValueError("so"), OTHER),
        (sqlite3.IntegrityError("so"), DAMAGED),
    ],
)
def test_what_the_system_says_has_a_sentence_with_a_way_out(error: Exception, says: str) -> None:
    assert words.sentence(error, PATH) == f"The record {PATH} {says.format(error)}"


# -- rows ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("path", "where"), [(PATH, str(PATH)), (None, "in memory")])
def test_a_row_that_cannot_be_believed_is_named_with_both_ways_out(
    path: Path | None, where: str
) -> None:
    error = BrokenRowError(path, 7, "it is gone")
    assert (error.row, error.what) == (7, "it is gone")
    assert str(error) == (
        f"Row 7 of the record {where} cannot be believed (it is gone): {RESTORE}, or let a "
        "technician decide on it with `corneum records accept row 7 --reason TEXT`."
    )


def test_what_a_record_lacks_is_told_by_its_newest_row(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for number, journal in ((2, "aa"), (3, "bb"), (1, "cc")):
        head_note.write(tmp_path, Head(path.name, journal, number, "0" * 64))
    store = Store(path)
    said = (
        f"The record {path} lacks row 3 of journal bb, which was written here: it is an older "
        "copy or a new file, and treatments may be missing in it. Put the right "
        "journal.sqlite3 back together with its -wal and -shm, or let a technician decide with "
        "`corneum records accept head --reason TEXT`."
    )
    assert store.lacking_sentence == said
    with pytest.raises(LackingError) as caught:
        believe(store, "c-1", ())
    assert str(caught.value) == said
    assert {head.row for head in store.lacking_heads} == {1, 2, 3}
    store.close()


def test_a_list_that_has_lost_an_entry_says_how_it_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    for number in (1, 2):
        store.append([row('{"client":"c-1"}', Kind.TREATMENT, number)])

    def told() -> str:
        with pytest.raises(RecordError) as caught:
            listing.check_count(store, "c-1")
        return str(caught.value)

    def damaged(what: str) -> str:
        return (
            f"The list of treatments in the record {path} is damaged ({what}); its rows are the "
            "truth and are not touched: make the list anew with `corneum records recover`."
        )

    listing.check_count(store, "c-1")
    listing.check_count(store, "c-2")
    store.connection().execute("DELETE FROM treatments WHERE treatment = 2")
    assert told() == damaged("it has 1 of 2 treatments of c-1")
    store.connection().execute("DELETE FROM clients")
    assert told() == damaged("it has 1 of 1 treatments of c-1")
    store.connection().execute("INSERT INTO clients VALUES ('c-1', 1)")
    assert told() == damaged("row 2 began a treatment of c-1")
    store.connection().execute("UPDATE treatments SET client = 'c-3'")
    with pytest.raises(RecordError) as caught:
        listing.of_client(store, "c-3", 0)
    assert str(caught.value) == damaged("treatment 1 stands under c-3, not c-1")
    store.close()
    with pytest.raises(RecordError, match=r"^The list of treatments in the record in memory is"):
        raise listing._damaged(Store(None), "x")


# -- the whole -------------------------------------------------------------------------------------
def broken(count: int) -> RecordHealth:
    return RecordHealth(breaks=tuple(Break(number, "x") for number in range(1, count + 1)))


@pytest.mark.parametrize(
    ("count", "path", "names"),
    [
        (1, PATH, f"{PATH} is broken at row 1."),
        (SHOWN_MAX, PATH, f"{PATH} is broken at row 1, 2, 3, 4, 5."),
        (SHOWN_MAX + 2, None, "in memory is broken at row 1, 2, 3, 4, 5 and 2 more."),
    ],
)
def test_broken_rows_are_named_with_whom_they_concern(
    count: int, path: Path | None, names: str
) -> None:
    assert broken(count).sentence(path) == (
        f"The record {names} Clients who were treated when these were written are not treated: "
        f"{RESTORE}, or let a technician decide on each row with `corneum records accept row N "
        "--reason TEXT`."
    )


def test_a_unit_that_was_armed_for_more_than_the_record_has_is_told_with_what_to_look_for() -> None:
    health = RecordHealth()
    health.compare_with_unit(4711, 7, 7)
    assert (health.unit_ahead, health.is_broken) == (None, False)
    health.compare_with_unit(4711, 8, 7)
    assert health.unit_ahead == (
        "Unit 4711 was armed for treatment 8, and the newest on record is 7: the unit was used "
        "with another record, or this one lacks treatments. Look whether another state folder or "
        "a newer backup has them."
    )


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (RecordHealth(), None),
        (RecordHealth(lacking="a", unchecked="b", unit_ahead="c"), "a"),
        (RecordHealth(unchecked="b", unit_ahead="c"), "b"),
        (RecordHealth(unit_ahead="c"), "c"),
        (RecordHealth(lacking="a", breaks=(Break(1, "x"),)), "a"),
        (RecordHealth(verified_to=7), None),
    ],
)
def test_the_worst_that_is_known_of_a_record_is_told_first(
    health: RecordHealth, says: str | None
) -> None:
    assert health.sentence(PATH) == says
    assert health.is_broken is (says is not None)
    view = health.view(str(PATH), 28, None)
    assert (view.path, view.rows) == (str(PATH), 28)
    assert (view.verified_to, view.trouble) == (health.verified_to, says)
    assert health.view(str(PATH), 28, "It is full.").trouble == "It is full."


def test_broken_rows_alone_are_trouble_enough() -> None:
    health = broken(1)
    assert health.is_broken
    assert health.view(str(PATH), 1, None).trouble == health.sentence(PATH)


SOUND: Final = CheckResult(PATH, 28)


@pytest.mark.parametrize(
    ("found", "bad", "says"),
    [
        (SOUND, None, f"The record {PATH} is whole: 28 rows."),
        (CheckResult(PATH, unreadable="It is gone."), 0, "It is gone."),
        (
            CheckResult(PATH, 28, lists="2 entries"),
            0,
            f"The rows of the record {PATH} are whole, its indexes not (2 entries).",
        ),
        (
            CheckResult(PATH, 2, [Break(3, "it is gone")], lists="2 entries"),
            3,
            f"The record {PATH} was changed at row 3: it is gone.",
        ),
        (
            CheckResult(PATH, 2, [Break(3, "it is gone"), Break(4, "a"), Break(5, "b")]),
            3,
            f"The record {PATH} was changed at row 3: it is gone (2 more rows, too).",
        ),
    ],
)
def test_a_check_says_what_it_found(found: CheckResult, bad: int | None, says: str) -> None:
    assert (found.sentence, found.first_bad_id, found.ok) == (says, bad, bad is None)
    assert (Checked(found).sentence, Checked(found).ok) == (says, bad is None)


def test_accepted_breaks_are_counted_where_nothing_else_is_wrong() -> None:
    one = Accepted(3, "it is gone", {}, "read", WALL_S)
    whole = f"The record {PATH} is whole but for"
    assert Checked(SOUND, (one,)).sentence == f"{whole} 1 accepted break: 28 rows."
    assert Checked(SOUND, (one, one)).sentence == f"{whole} 2 accepted breaks: 28 rows."
    broken_too = CheckResult(PATH, 2, [Break(4, "a")])
    assert Checked(broken_too, (one,)).sentence == broken_too.sentence
    assert Checked(SOUND, (one,)).ok
    assert not Checked(SOUND, (one,), "It lacks much.").ok


# -- the clock -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("now_s", "now"),
    [(WALL_S, "2030-03-17 17:46 UTC"), (float("nan"), "nothing usable"), (1e30, "nothing usable")],
)
def test_a_clock_that_contradicts_the_record_is_told_with_both_times(
    now_s: float, now: str
) -> None:
    said = (
        f"The clock of this computer says {now}, and row 7 of the record was written at "
        "2030-03-17 18:46 UTC: time that rests on it does not count. Set the clock; where it is "
        "right now, a technician records that: corneum records accept clock --reason WHY."
    )
    assert sentence_of(Doubt(now_s, 7, WALL_S + 3600.0)) == said


def test_a_record_knows_whether_its_own_rows_contradict_the_clock() -> None:
    store = Store(None)
    store.append([row('{"boot":"a","asleep_s":0.0}', Kind.KERNEL)])
    assert doubt_of(store, Moment("b", 9.0, WALL_S + 1.0)) is None
    assert doubt_of(store, Moment("b", 9.0, WALL_S - 3600.0)) == sentence_of(
        Doubt(WALL_S - 3600.0, 1, WALL_S)
    )


# -- the journal -----------------------------------------------------------------------------------
def late(seconds: str) -> str:
    return (
        f"The journal in None has not answered for {seconds} s: the disk is too slow or hangs; "
        "check it before the next treatment."
    )


def test_a_disk_that_hangs_is_told_with_how_long_nothing_came() -> None:
    async def scenario() -> list[str | None]:
        journal = journal_in(None, SilentWriter())
        said: list[str | None] = []
        journal.note(Row(Kind.STATE, {}))
        await asyncio.sleep(1.6)
        said.append(journal.failure)
        await asyncio.sleep(5.0)
        said.append(journal.failure)  # what came first stands
        other = journal_in(None, SilentWriter())
        with pytest.raises(RecordError) as caught:
            await other.commit([Row(Kind.STATE, {})])
        return [*said, str(caught.value), other.failure]

    assert run_virtual(scenario()) == [late("1.5"), late("1.5"), late("1.0"), late("1.0")]


@pytest.mark.parametrize(("asked", "within"), [("read", "1"), ("preflight", "10")])
def test_a_question_that_nobody_answers_is_told_with_what_may_hold_it_up(
    asked: str, within: str
) -> None:
    async def scenario() -> None:
        journal = journal_in(None, SilentWriter())
        await (journal.read(Store.probe) if asked == "read" else journal.preflight())

    with pytest.raises(RecordError) as caught:
        run_virtual(scenario())
    assert str(caught.value) == (
        f"The journal in None has not answered a question within {within} s: the computer or its "
        "disk is busy, or damaged rows are looked for. Try again; `corneum records verify` looks "
        "at the whole record."
    )


def test_a_record_that_never_holds_still_is_told_with_whom_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    store.append([row()])
    store.close()
    damage.no_json(path, 1)
    seen = iter(range(100))
    monkeypatch.setattr(read_only, "_seen", lambda _path: read_only._Seen(next(seen), 1, 1))
    with pytest.raises(RecordError) as caught:
        ask_record(path, lambda store: store.probe)
    assert str(caught.value) == (
        f"The record {path} is opened and closed again and again: let the program that does it "
        "finish, then try again."
    )
