"""What people decide, record and leave beside a treatment: each row, and each refusal, in full."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from controller.config.paths import journal_path, run_dir
from controller.record import decisions, sterilised
from controller.record.chain import Stamped
from controller.record.clocks import Here, kernel_row
from controller.record.decisions import accept_here
from controller.record.dismissal import dismiss, dismiss_here
from controller.record.head_note import heads
from controller.record.journal import Journal, Row, canonical
from controller.record.locks import Lock
from controller.record.resets import UNIT_LOCKED, History, ResetLock, Whose
from controller.record.sterilised import sterilised_here
from controller.record.store import Store
from controller.record.verify import Break
from controller.safety.alarm_texts import LOCKED
from controller.safety.reading import Identity
from controller.safety.refusal import RefusedError
from controller.safety.resets import PastReset
from controller.treatment.events import Commit, End, Finished, Who
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Capability
from qa.loop import run_virtual
from tests.controller.record import damage
from tests.controller.record.books import journal_in, rows_of
from tests.controller.record.crashed import LOCK, begun, crashed

ANNA: Final = {"name": "anna", "role": "practitioner", "origin": "local"}
TOM: Final = {"name": "tom", "role": "technician", "origin": "local"}
HERE: Final = Here(lambda: 1.9e9, "a boot", lambda: 12.34567)


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


def newest(state: Path) -> tuple[str, Any]:
    """Kind and body of the newest row."""
    _, kind, body = rows_of(journal_path(state))[-1]
    return kind, json.loads(body)


# -- decisions -------------------------------------------------------------------------------------
def test_a_decision_about_a_row_says_which_what_was_found_who_and_why(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    damage.no_json(journal_path(tmp_path), 4)
    said = {"subject": "row", "row": 4, "found": "its content is not what was written"}
    asked = {"subject": "row", "number": 4, "reason": "read on paper"}
    assert accept_here(asked, TOM, tmp_path) == said
    assert newest(tmp_path) == ("decision", {**said, "who": TOM, "reason": "read on paper"})


def test_a_decision_about_the_head_names_every_row_that_is_gone(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    crashed(path)
    (head,) = heads(path)
    for each in tmp_path.glob("journal*"):
        each.unlink()
    lost = {"file": head.file, "journal": head.journal, "row": 4, "hash": head.hash}
    said = {"subject": "head", "heads": [lost]}
    assert accept_here({"subject": "head", "reason": "the card died"}, TOM, tmp_path) == said
    assert newest(tmp_path) == ("decision", {**said, "who": TOM, "reason": "the card died"})


def test_a_decision_about_the_clock_says_on_which_clock_it_was_made(tmp_path: Path) -> None:
    async def scenario() -> dict[str, Any]:
        journal = journal_in(tmp_path)
        asked = {"subject": "clock", "reason": "set by radio"}
        said = await decisions.accept(journal, asked, Who("tom", "technician"), HERE)
        await journal.close()
        return said

    said = {"subject": "clock", "boot": "a boot", "asleep_s": 12.346}
    assert run_virtual(scenario()) == said
    assert newest(tmp_path) == ("decision", {**said, "who": TOM, "reason": "set by radio"})


def test_what_has_been_decided_on_is_no_trouble_any_more(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    for row in (3, 4):
        damage.no_json(journal_path(tmp_path), row)
    breaks = tuple(Break(row, "broken") for row in (3, 4))

    async def scenario() -> Journal:
        journal = journal_in(tmp_path)
        journal.health.breaks, journal.health.lacking = breaks, "It lacks much."
        asked = {"subject": "row", "number": 3, "reason": "x"}
        await decisions.accept(journal, asked, Who("tom", "technician"), HERE)
        await journal.close()
        return journal

    health = run_virtual(scenario()).health
    assert (health.breaks, health.lacking) == (breaks[1:], None)


# -- dismissals ------------------------------------------------------------------------------------
def test_a_dismissal_says_of_which_treatment_by_whom_and_why(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    asked = {"treatment": 1, "reason": "went home"}
    assert dismiss_here(asked, ANNA, tmp_path) == {"treatment": 1}
    assert newest(tmp_path) == ("dismissed", {"who": ANNA, "reason": "went home"})
    store = Store(journal_path(tmp_path))
    assert [row.treatment for row in store.rows("kind = ?", (Kind.DISMISSED,))] == [1]
    store.close()


def test_what_a_kernel_is_at_work_on_is_not_dismissed_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    for number in (1, 2, 3):
        lock = {"kernel_lock": f"{number}.lock"}
        store = Store(journal_path(tmp_path))
        body = canonical(begun("c-0042") | lock)
        store.append([Stamped(1.0, 1.9e9, number, Kind.TREATMENT, body)])
        store.close()
    asked: list[str] = []

    def alive(lock: str) -> bool:
        asked.append(lock)
        return lock == "2.lock"

    async def scenario() -> None:
        journal = journal_in(tmp_path)
        try:
            await dismiss(journal, {"treatment": 2}, Who("anna", "practitioner"), alive)
        finally:
            await journal.close()

    assert refused(lambda: run_virtual(scenario())) == (
        "unknown_treatment", "Treatment 2 is not unfinished.", "Unfinished are: 3, 1.",
    )  # fmt: skip
    assert asked == ["1.lock", "2.lock", "3.lock"]


# -- tips ------------------------------------------------------------------------------------------
def with_tip(state: Path, use: str, *, simulated: bool = False) -> None:
    """A treatment that nobody ended, begun with the tip R-7."""
    crashed(journal_path(state))
    body = {"label": "R-7", "use": use, "unit": 1, "simulated": simulated, "client": "c-0042"}
    store = Store(journal_path(state))
    store.append([Stamped(5.0, 1.9e9, 1, Kind.TIP, canonical(body))])
    store.close()


@pytest.mark.parametrize("simulated", [True, False])
def test_a_sterilisation_says_which_tip_in_which_cycle_and_who(
    tmp_path: Path, *, simulated: bool
) -> None:
    with_tip(tmp_path, "sterilise", simulated=simulated)
    assert sterilised_here({"tip": " r-7", "cycle": "2031"}, ANNA, tmp_path) == {"tip": "R-7"}
    assert newest(tmp_path) == (
        "tip_sterilised",
        {"label": "R-7", "simulated": simulated, "cycle": "2031", "who": ANNA},
    )


def test_a_tip_for_single_use_is_thrown_away(tmp_path: Path) -> None:
    with_tip(tmp_path, "single")
    assert refused(lambda: sterilised_here({"tip": "R-7"}, ANNA, tmp_path)) == (
        "tip_single",
        "Tip R-7 is for single use; no sterilisation makes it fit for another client.",
        "Throw it away, and fit a fresh one for the next treatment.",
    )


def test_a_tip_on_the_skin_is_sterilised_after_the_end(tmp_path: Path) -> None:
    with_tip(tmp_path, "sterilise")
    lock = Lock(run_dir(tmp_path) / LOCK)
    lock.take()
    assert refused(lambda: sterilised_here({"tip": "R-7"}, ANNA, tmp_path)) == (
        "tip_in_use",
        "Treatment 1 is under way with tip R-7.",
        "Sterilise it after the end, and record it then.",
    )
    lock.release()


def test_whether_a_kernel_treats_with_the_tip_is_asked_of_the_lock_of_that_treatment(
    tmp_path: Path,
) -> None:
    with_tip(tmp_path, "sterilise")
    asked: list[str] = []

    def alive(lock: str) -> bool:
        asked.append(lock)
        return False

    async def scenario() -> None:
        journal = journal_in(tmp_path)
        await sterilised.sterilised(journal, {"tip": "R-7"}, Who("a", "practitioner"), alive)
        await journal.close()

    run_virtual(scenario())
    assert asked == [LOCK]


# -- kernels ---------------------------------------------------------------------------------------
def test_the_row_of_a_kernel_says_which_process_serves_which_unit_in_which_boot() -> None:
    unit = Identity(4711, 5, "1.4", Capability.SIMULATED)
    assert kernel_row(77, "/dev/ttyX", unit, HERE) == Row(
        Kind.KERNEL,
        {
            "pid": 77,
            "port": "/dev/ttyX",
            "unit": 4711,
            "firmware": "1.4",
            "simulated": True,
            "boot": "a boot",
            "asleep_s": 12.346,
        },
    )
    assert Row(Kind.KERNEL, {}).treatment == 0


# -- resets ----------------------------------------------------------------------------------------
WHOSE: Final = Whose(4711, simulated=True, boot="a boot")
ABOUT: Final[dict[str, Any]] = {"unit": 4711, "simulated": True, "boot": "a boot"}


class Put:
    """A record that remembers what was put, and whose rows end when a test says so."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Commit]] = []
        self.ends: list[asyncio.Future[Finished]] = []

    def __call__(self, treatment: int, row: Commit) -> asyncio.Future[Finished]:
        self.rows.append((treatment, row))
        self.ends.append(asyncio.get_running_loop().create_future())
        return self.ends[-1]


def reset_row(cause: str) -> Commit:
    return Commit(Kind.RESET_DONE, {"cause": cause, **ABOUT})


def test_each_reset_is_a_row_and_the_third_of_a_cause_locks_the_unit() -> None:
    async def scenario() -> None:
        put = Put()
        lock = ResetLock(put)
        assert (lock.cause, lock.declined) == (None, None)
        lock.begin(WHOSE, History(None, ()))
        assert [lock.add("DWELL", 10.0, 7), lock.add("NO_FLOW", 11.0, 7)] == [False, False]
        assert [lock.add("DWELL", 12.0, 8), lock.add("DWELL", 13.0, 9)] == [False, True]
        assert lock.add("DWELL", 14.0, 9) is False  # it is locked already
        assert put.rows == [
            (7, reset_row("DWELL")),
            (7, reset_row("NO_FLOW")),
            (8, reset_row("DWELL")),
            (9, reset_row("DWELL")),
            (9, Commit(Kind.LOCKED, {"cause": "DWELL", **ABOUT})),
            (9, reset_row("DWELL")),
        ]
        assert (lock.cause, lock.declined) == ("DWELL", UNIT_LOCKED)
        lock.release()
        assert (lock.cause, lock.declined) == (None, None)
        assert [lock.add("DWELL", 15.0, 9), lock.add("DWELL", 16.0, 9)] == [False, False]

    run_virtual(scenario())


def test_who_wants_to_begin_with_a_locked_unit_is_told_as_the_alarm_tells() -> None:
    assert (UNIT_LOCKED.code, UNIT_LOCKED.sentence, UNIT_LOCKED.next_step) == (
        "locked", LOCKED.sentence, LOCKED.next_step,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("history", "locked"),
    [
        (History("NO_FLOW", ()), "NO_FLOW"),
        (History(None, tuple(PastReset("DWELL", at_s) for at_s in (1.0, 2.0, 3.0))), "DWELL"),
        (History("NO_FLOW", tuple(PastReset("DWELL", at_s) for at_s in (1.0, 2.0))), "NO_FLOW"),
        (History(None, tuple(PastReset("DWELL", at_s) for at_s in (1.0, 2.0))), None),
    ],
)
def test_a_kernel_that_starts_goes_on_counting_where_the_record_stands(
    history: History, locked: str | None
) -> None:
    async def scenario() -> None:
        lock = ResetLock(Put())
        lock.begin(WHOSE, history)
        assert lock.cause == locked
        lock.add("DWELL", 4.0, 1)
        assert lock.cause == (locked or "DWELL")

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("ends", "durable"),
    [
        ((End.DONE, End.DONE), True),
        ((End.DONE, End.UNKNOWN), False),
        ((End.UNKNOWN, End.DONE), False),
        ((End.DONE, None), False),
    ],
)
def test_a_reset_is_told_as_written_only_when_all_of_its_rows_are(
    ends: tuple[End | None, ...], *, durable: bool
) -> None:
    async def scenario() -> bool:
        put = Put()
        lock = ResetLock(put)
        lock.begin(WHOSE, History(None, (PastReset("DWELL", 1.0), PastReset("DWELL", 2.0))))
        lock.add("NO_FLOW", 3.0, 1)  # its row never ends, and a later reset does not wait for it
        assert lock.add("DWELL", 4.0, 1)
        for future, end in zip(put.ends[1:], ends, strict=True):
            if end is not None:
                future.set_result(Finished(0, end))
        due = asyncio.get_running_loop().time() + 1.0
        said = await lock.written(due)
        assert not any(future.cancelled() for future in put.ends)
        return said

    assert run_virtual(scenario()) is durable
