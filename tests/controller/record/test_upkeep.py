"""The record beside the control: what is recalled, written down, shown, and passed on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api.authority import Do
from controller.api.snapshot import UnfinishedView
from controller.record import decisions, upkeep
from controller.record.clocks import Here
from controller.record.health import RecordHealth
from controller.record.journal import Row
from controller.record.resets import History, ResetLock, Whose
from controller.record.store import BrokenRowError, RecordError
from controller.record.upkeep import CHECK_PERIOD_S, FIRST_CHECK_S, IDLE_LOOK_S, Upkeep
from controller.record.verify import Break, CheckResult
from controller.safety.alarm_texts import LOCKED, RECORD_BROKEN
from controller.safety.refusal import RefusedError
from controller.safety.resets import PastReset
from controller.safety.timeline import Moment
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Who
from controller.treatment.kinds import Kind
from qa.loop import run_virtual

TOM = Who("tom", "technician", "local")
TOM_SAYS = {"name": "tom", "role": "technician", "origin": "local"}
WHOSE = Whose(1001, simulated=True, boot="a boot")
WAITING = (UnfinishedView(3, "c-0042", "refresh"),)
PATH = Path("/state/journal.sqlite3")


class Office:
    """A journal and a booking around the upkeep, which keep what they are asked."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.health = RecordHealth()
        self.path: Path | None = PATH
        self.check: Any = self._check
        self.witness: Any = self._witness
        self.witnessed: dict[str, object] = {"row": 12, "hash": "ab", "places": ["/a.note"]}
        self.verdict = CheckResult(PATH, 12)
        self.lost: str | None = None
        self.doubt: str | None = "It is wrong."
        self.waits = WAITING
        self.alarm_system = AlarmSystem(lambda _row: None)
        self.resets = ResetLock(cast("Any", None))
        self.idle = True
        self.is_under_way = object()
        self.here = Here(lambda: 1.9e9, "a boot")

    async def read(self, question: Callable[[str], object]) -> object:
        return question("a store")

    async def commit(self, rows: Sequence[Row]) -> None:
        self.done.append(list(rows))
        if self.lost is not None:
            raise RecordError(self.lost)

    async def _check(self, path: Path) -> CheckResult:
        self.done.append(("check", path, asyncio.get_running_loop().time()))
        return self.verdict

    async def _witness(self, folder: Path) -> dict[str, object]:
        self.done.append(("witness", folder))
        return self.witnessed

    async def unfinished(self) -> tuple[UnfinishedView, ...]:
        return self.waits

    @property
    def alarms(self) -> list[tuple[str, float]]:
        return [(one.alarm.code, one.since_s) for one in self.alarm_system.board.standing]

    def upkeep(self) -> Upkeep:
        them = cast("Any", self)
        return Upkeep(them, self.here, them, self.alarm_system, self.resets)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office()

    def doubt_of(store: str, now: Moment) -> str | None:
        made.done.append(("doubt", store, now))
        return made.doubt

    def passes(name: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        async def passed(journal: object, *given: object) -> dict[str, Any]:
            assert journal is made
            made.done.append((name, *given))
            return {"done": name}

        return passed

    async def refresh(journal: object) -> None:
        assert journal is made
        made.done.append("refreshed")
        if made.lost is not None:
            raise RecordError(made.lost)

    monkeypatch.setattr(upkeep, "doubt_of", doubt_of)
    monkeypatch.setattr(upkeep, "dismiss", passes("dismiss"))
    monkeypatch.setattr(upkeep, "sterilised", passes("sterilised"))
    monkeypatch.setattr(decisions, "accept", passes("accept"))
    monkeypatch.setattr(decisions, "refresh", refresh)
    return made


def doubted(up_s: float = 0.0) -> tuple[str, str, Moment]:
    return ("doubt", "a store", Moment("a boot", up_s, 1.9e9))


# -- what is passed on -----------------------------------------------------------------------------
def test_each_act_on_the_record_is_passed_on_with_who_asks_and_what_follows_is_shown(
    office: Office,
) -> None:
    kept, args = office.upkeep(), {"tip": "A-1"}

    async def scenario() -> None:
        answers = kept.answers
        assert set(answers) == {Do.DISMISS, Do.STERILISED, Do.UNLOCK, Do.ACCEPT}
        assert answers[Do.UNLOCK] == kept.unlock
        assert await answers[Do.DISMISS](args, TOM) == {"done": "dismiss"}
        assert kept.unfinished == WAITING
        assert kept.clock == "It is wrong."
        office.doubt, kept.unfinished = None, ()
        assert await answers[Do.STERILISED](args, TOM) == {"done": "sterilised"}
        assert kept.unfinished == ()
        await asyncio.sleep(7.0)
        assert await answers[Do.ACCEPT](args, TOM) == {"done": "accept"}
        assert kept.clock is None

    run_virtual(scenario())
    assert office.done == [
        ("dismiss", args, TOM, office.is_under_way),
        doubted(),
        ("sterilised", args, TOM, office.is_under_way),
        ("accept", args, TOM, office.here),
        doubted(7.0),
    ]


def test_a_decision_takes_the_alarm_of_the_record_off(office: Office) -> None:
    async def scenario() -> None:
        kept = office.upkeep()
        await asyncio.sleep(3.0)
        office.health.unchecked = "It could not be checked."
        await kept.look()
        assert office.alarms == [(RECORD_BROKEN.code, 3.0)]
        office.health.unchecked = None
        await kept.answers[Do.ACCEPT]({}, TOM)
        assert office.alarms == []

    run_virtual(scenario())


# -- what is recalled at the start -----------------------------------------------------------------
@pytest.mark.parametrize("locked", ["DWELL", None])
def test_at_the_start_resets_lock_unfinished_and_clock_are_recalled(
    office: Office, monkeypatch: pytest.MonkeyPatch, locked: str | None
) -> None:
    history = History(locked, (PastReset("OTHER", 1.0),))

    def read(*given: object) -> History:
        office.done.append(("resets", *given))
        return history

    monkeypatch.setattr(upkeep, "read_resets", read)

    async def scenario() -> None:
        await asyncio.sleep(4.0)
        kept = office.upkeep()
        await kept.begin(WHOSE)
        assert kept._whose is WHOSE  # and an unlocking says so
        assert kept.unfinished == WAITING

    run_virtual(scenario())
    assert office.done == [("resets", "a store", WHOSE, 4.0, 1.9e9), doubted(4.0)]
    resets = office.resets
    assert (resets.cause, resets._resets) == (locked, history.resets)
    assert resets._whose == {"unit": 1001, "simulated": True, "boot": "a boot"}
    assert office.alarms == ([(LOCKED.code, 4.0)] if locked else [])


def test_resets_that_cannot_be_read_lock_the_unit_and_name_the_row(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BrokenRowError(PATH, 5, "its content is not what was written")

    def read(*_: object) -> History:
        raise broken

    monkeypatch.setattr(upkeep, "read_resets", read)
    run_virtual(office.upkeep().begin(WHOSE))
    assert office.resets.cause == str(broken)
    assert office.resets._resets == ()
    assert office.health.breaks == (Break(5, "its content is not what was written"),)
    assert {code for code, _ in office.alarms} == {LOCKED.code, RECORD_BROKEN.code}


# -- the lock of a unit ----------------------------------------------------------------------------
def lock(office: Office) -> Upkeep:
    kept = office.upkeep()
    kept._whose = WHOSE
    office.resets.begin(WHOSE, History("DWELL", (PastReset("DWELL", 1.0),)))
    office.alarm_system.put(LOCKED, 1.0)
    return kept


UNLOCKED = Row(
    Kind.UNLOCKED,
    {
        "unit": 1001,
        "simulated": True,
        "boot": "a boot",
        "cause": "DWELL",
        "who": TOM_SAYS,
        "reason": "mended",
    },
)


def test_a_lock_is_taken_off_when_its_row_is_durable(office: Office) -> None:
    kept = lock(office)
    assert run_virtual(kept.unlock({"reason": "mended"}, TOM)) == {"cause": "DWELL"}
    assert office.done == [[UNLOCKED]]
    assert (office.resets.cause, office.resets._resets) == (None, ())
    assert office.alarms == []


def test_a_lock_whose_row_is_lost_stays_on(office: Office) -> None:
    kept = lock(office)
    office.lost = "The disk is full."
    with pytest.raises(RecordError, match="The disk is full"):
        run_virtual(kept.unlock({"reason": "mended"}, TOM))
    assert office.resets.cause == "DWELL"
    assert office.alarms == [(LOCKED.code, 1.0)]


@pytest.mark.parametrize("unknown", [True, False])
def test_what_is_not_locked_is_not_unlocked(office: Office, *, unknown: bool) -> None:
    kept = lock(office)
    if unknown:
        kept._whose = None
    else:
        office.resets.release()
    with pytest.raises(RefusedError) as caught:
        run_virtual(kept.unlock({"reason": "mended"}, TOM))
    error = caught.value
    assert (error.code, error.sentence, error.next_step) == (
        "not_locked",
        "The unit is not locked.",
        "Read `corneum status` for what stands.",
    )
    assert office.done == []


def test_a_lock_is_not_taken_off_without_a_reason(office: Office) -> None:
    kept = lock(office)
    with pytest.raises(RefusedError) as caught:
        run_virtual(kept.unlock({}, TOM))
    assert caught.value.code == "bad_request"
    assert office.resets.cause == "DWELL"


# -- the check of the whole record -----------------------------------------------------------------
def test_the_record_is_checked_soon_after_the_start_then_daily_and_beside_no_treatment(
    office: Office,
) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        checking = asyncio.create_task(
            office.upkeep().keep_checked(lambda: office.idle), name="checks"
        )
        loop.call_at(1000.0, setattr, office, "idle", False)  # noqa: FBT003 - a field
        busy_until_s = FIRST_CHECK_S + CHECK_PERIOD_S + 12.0
        loop.call_at(busy_until_s, setattr, office, "idle", True)  # noqa: FBT003
        await asyncio.sleep(2.1 * CHECK_PERIOD_S)
        checking.cancel()

    run_virtual(scenario(), limit_s=3 * CHECK_PERIOD_S)
    second_s = FIRST_CHECK_S + CHECK_PERIOD_S + 3 * IDLE_LOOK_S
    assert (FIRST_CHECK_S, CHECK_PERIOD_S, IDLE_LOOK_S) == (5.0, 86_400.0, 5.0)
    assert [what for what in office.done if what != "refreshed"] == [
        ("check", PATH, 5.0),
        ("check", PATH, second_s),
        ("check", PATH, second_s + CHECK_PERIOD_S),
    ]
    assert office.health.verified_to == 12


@pytest.mark.parametrize("lacks", ["check", "path"])
def test_a_record_in_memory_is_checked_by_nobody(office: Office, lacks: str) -> None:
    setattr(office, lacks, None)
    run_virtual(office.upkeep().keep_checked(lambda: office.idle))
    assert office.done == []


@pytest.mark.parametrize(
    ("verdict", "unchecked", "alarmed"),
    [
        (CheckResult(PATH, 12), None, False),
        (CheckResult(PATH, 4, [Break(5, "x"), Break(9, "y")]), None, True),
        (CheckResult(PATH, unreadable="It cannot be read."), "It cannot be read.", True),
        (
            CheckResult(PATH, 12, lists="an index"),
            f"The rows of the record {PATH} are whole, its indexes not (an index).",
            True,
        ),
    ],
)
def test_what_a_check_has_found_is_known_and_shown(
    office: Office, verdict: CheckResult, unchecked: str | None, *, alarmed: bool
) -> None:
    async def scenario() -> None:
        await asyncio.sleep(2.0)
        office.health.unchecked = "an earlier one"
        await office.upkeep().take(verdict)

    run_virtual(scenario())
    health = office.health
    assert (health.verified_to, health.breaks) == (verdict.rows, tuple(verdict.breaks))
    assert (health.unchecked or None) == unchecked
    assert office.alarms == ([(RECORD_BROKEN.code, 2.0)] if alarmed else [])
    assert office.done == ["refreshed"]


def test_decisions_that_cannot_be_read_leave_the_record_unchecked(office: Office) -> None:
    office.lost = "The disk is full."
    run_virtual(office.upkeep().take(CheckResult(PATH, 12)))
    assert office.health.unchecked == "The disk is full."
    assert office.alarms == [(RECORD_BROKEN.code, 0.0)]


# -- the witnesses of its end ----------------------------------------------------------------------
WITNESSED = [
    [],
    ("witness", PATH.parent),
    [Row(Kind.NOTED, {"row": 12, "hash": "ab", "places": ["/a.note"]})],
]


def test_the_end_is_noted_once_after_each_treatment_and_never_beside_one(office: Office) -> None:
    begun: list[int | None] = [0, None, None, 1, 1, None, 2]

    async def scenario() -> None:
        kept = office.upkeep()
        with pytest.raises(IndexError):
            await kept.keep_noted(lambda: begun.pop(0))

    run_virtual(scenario())
    assert office.done == [*WITNESSED, *WITNESSED]


def test_a_note_that_the_end_of_a_kernel_cuts_short_is_written_by_the_end(office: Office) -> None:
    async def hangs(_folder: Path) -> dict[str, object]:
        await asyncio.sleep(1e6)
        return {}

    async def scenario() -> None:
        kept, office.witness = office.upkeep(), hangs
        keeping = asyncio.create_task(kept.keep_noted(lambda: 1), name="notes")
        await asyncio.sleep(2.0)
        keeping.cancel()
        await asyncio.wait([keeping])
        office.witness = office._witness
        await kept.note(1)

    run_virtual(scenario())
    assert office.done == [[], *WITNESSED]


def test_a_note_that_no_witness_has_taken_leaves_no_row(office: Office) -> None:
    office.witnessed = {}
    run_virtual(office.upkeep().note(1))
    assert office.done == WITNESSED[:2]


def test_a_record_that_cannot_be_written_is_not_noted(office: Office) -> None:
    office.lost = "the disk is full"
    run_virtual(office.upkeep().note(1))
    assert office.done == [[]]


@pytest.mark.parametrize("lacks", ["witness", "path"])
def test_a_record_in_memory_is_noted_by_nobody(office: Office, lacks: str) -> None:
    setattr(office, lacks, None)
    run_virtual(office.upkeep().note(1))
    assert office.done == []
