"""The rows of treatments that begin, end before they begin, or were left: each word of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.api.requests import ApiError, TreatArgs
from controller.api.snapshot import UnfinishedView
from controller.config.paths import journal_path
from controller.record.booking import Booking
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.planner import Proved
from controller.record.recovery import UNSEEN_S, UnitNow
from controller.record.store import RecordError
from controller.record.treatments import beginning_body
from controller.safety.totals import Totals
from controller.treatment.events import Who
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record.books import journal_in, rows_of
from tests.controller.record.crashed import HAD, LOCK, PER_S, crashed
from tests.controller.record.plans import PLAN, PROVED, without_tip

ANNA = Who("anna", "practitioner", "local")
HERE = Here(lambda: 1.9e9, "a boot", lambda: 12.34567)
OWN = "port-own.lock"
SILENT = ("not", "asked")


def booking(
    journal: Journal,
    alive: Callable[[str], LockState] = lambda _lock: LockState.FREE,
    configs: Path = Path("/none"),
    lock: str = OWN,
) -> Booking:
    return Booking(journal, HERE, configs, "0.9", lock, alive)


def kept(state: Path) -> list[tuple[str, Any]]:
    """Kind and body of each row of a record."""
    return [(kind, json.loads(body)) for _, kind, body in rows_of(journal_path(state))]


def readied(
    state: Path, *alive: LockState, unit: UnitNow | None = None, lock: str = OWN
) -> list[str]:
    """Make a record ready as often as ``alive`` says what a look sees; return what was asked."""
    heard: list[str] = []

    async def scenario() -> None:
        seen = LockState.FREE

        def look_at(lock: str) -> LockState:
            heard.append(lock)
            return seen

        async def look() -> UnitNow | None:
            heard.append("unit")
            return unit

        journal = journal_in(state)
        made = booking(journal, look_at, lock=lock)
        for seen in alive:  # noqa: B007 - the look reads it
            await made.ready(look)
        await journal.close()

    run_virtual(scenario())
    return heard


@pytest.mark.parametrize("proved", [PROVED, without_tip()])
def test_a_booked_treatment_says_who_why_from_which_plan_and_with_which_tip(
    tmp_path: Path, proved: Proved
) -> None:
    async def scenario() -> int:
        journal = journal_in(tmp_path)
        wish = TreatArgs(program="refresh", client="c-0042", reason="as agreed")
        number = await booking(journal).book(proved, wish, ANNA)
        await journal.close()
        return number

    assert run_virtual(scenario()) == 1
    begun, *fitted = kept(tmp_path)
    begins = beginning_body(PLAN, OWN, practice=proved.practice, resumes=proved.resumes)
    assert begun == (
        "treatment",
        {
            **begins,
            "who": {"name": "anna", "role": "practitioner", "origin": "local"},
            "reason": "as agreed",
            "corneum": "0.9",
            "plan_sha256": proved.mark.sha256,
            "planned_at_s": 1_900_000_000.25,
            "plan": proved.as_dict(),
        },
    )
    tip = {
        "label": "A-1", "use": "sterilise", "unit": 4711, "simulated": True, "client": "c-0042",
    }  # fmt: skip
    assert fitted == ([] if proved.tip is None else [("tip", tip)])
    assert {row for row, *_ in rows_of(journal_path(tmp_path))} == set(range(1, 2 + len(fitted)))


def test_a_treatment_that_never_began_is_closed_with_the_reason(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        journal = journal_in(tmp_path)
        made = booking(journal)
        number = await made.book(PROVED, TreatArgs(program="refresh", client="c-0042"), ANNA)
        await made.withdraw(number, "The unit said no.")
        numbers = await journal.read(lambda store: [row.treatment for row in store.rows("1")])
        await journal.close()
        return numbers

    assert run_virtual(scenario()) == [1, 1, 1]
    said = {"outcome": "refused", "why": "The unit said no.", "zones": []}
    assert kept(tmp_path)[-1] == ("ended", said)


def test_a_treatment_that_the_control_has_closed_already_is_not_closed_again(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        journal = journal_in(tmp_path)
        made = booking(journal)
        number = await made.book(PROVED, TreatArgs(program="refresh", client="c-0042"), ANNA)
        journal.note(Row(Kind.ENDED, {"outcome": "refused", "zones": []}, number))
        await made.withdraw(number, "The record of it is not written.")
        await journal.close()

    run_virtual(scenario())
    assert [body.get("why") for kind, body in kept(tmp_path) if kind == "ended"] == [None]


def marked(**changes: object) -> dict[str, Any]:
    """The body of the row that marks the treatment of `crashed`."""
    charged = {name: HAD[name] + UNSEEN_S * PER_S[name] for name in HAD}
    nothing = dict.fromkeys(HAD, 0.0)
    return {
        "client": "c-0042",
        "program": "refresh",
        "boot": "a boot",
        "asleep_s": 12.346,
        "unseen_s": UNSEEN_S,
        "told": None,
        "charged": ["nose"],
        "zones": [{"zone": "nose", **charged}, {"zone": "chin", **nothing}],
    } | changes


def test_what_a_crash_has_left_is_marked_in_full_and_once(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    assert readied(tmp_path, LockState.FREE, LockState.FREE) == [LOCK, "unit", LOCK]
    assert kept(tmp_path)[4:] == [("interrupted", marked())]


def test_what_the_unit_says_that_it_delivered_stands_in_the_mark(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path), totals=Totals(9, 10.0, 1.0))
    readied(tmp_path, LockState.FREE, unit=UnitNow(4711, False, Totals(9, 14.0, 1.5)))  # noqa: FBT003
    ((_, said),) = kept(tmp_path)[4:]
    charged = {name: HAD[name] + 5.0 * PER_S[name] for name in HAD}
    assert said == marked(
        unseen_s=5.0,  # half a gram at a tenth of a gram each second
        told={"contact_s": 4.0, "crystal_g": 0.5},
        charged=["nose", "chin"],  # longer than the rows look ahead
        zones=[
            {"zone": "nose", **charged},
            {"zone": "chin", **{name: 5.0 * PER_S[name] for name in HAD}},
        ],
    )


def test_a_lock_that_could_not_be_looked_at_is_named_each_time_and_only_then(
    tmp_path: Path,
) -> None:
    crashed(journal_path(tmp_path))
    heard = readied(tmp_path, LockState.UNKNOWN, LockState.HELD, LockState.UNKNOWN)
    assert heard == [LOCK, LOCK, LOCK]  # and no unit is asked
    assert kept(tmp_path)[4:] == [("lock_unknown", {"lock": LOCK})] * 2


def test_what_the_same_kernel_has_left_in_an_earlier_life_is_marked_without_a_look(
    tmp_path: Path,
) -> None:
    crashed(journal_path(tmp_path))
    assert readied(tmp_path, LockState.HELD, lock=LOCK) == ["unit"]
    assert kept(tmp_path)[4:] == [("interrupted", marked())]


def test_what_waits_to_be_resumed_is_shown_by_number_client_and_program(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path), marked=True)

    async def scenario() -> tuple[UnfinishedView, ...]:
        journal = journal_in(tmp_path)
        found = await booking(journal).unfinished()
        await journal.close()
        return found

    assert run_virtual(scenario()) == (UnfinishedView(1, "c-0042", "refresh"),)


@pytest.mark.parametrize(
    ("lock", "seen", "under_way"),
    [
        (OWN, LockState.FREE, True),
        ("other.lock", LockState.FREE, False),
        ("other.lock", LockState.HELD, True),
        ("other.lock", LockState.UNKNOWN, True),
    ],
)
def test_a_treatment_is_under_way_unless_its_lock_is_surely_free(
    lock: str, seen: LockState, *, under_way: bool
) -> None:
    asked: list[str] = []

    def look_at(lock: str) -> LockState:
        asked.append(lock)
        return seen

    assert booking(journal_in(), look_at).is_under_way(lock) is under_way
    assert asked == ([] if lock == OWN else [lock])


def test_without_usable_tables_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ApiError) as caught:
        run_virtual(booking(journal_in(), configs=tmp_path).check_tables())
    refused = caught.value
    assert (refused.code, refused.next_step) == ("config", "The kernel does not start without it.")
    assert str(tmp_path / "skin" / "sites.toml") in refused.sentence


def test_a_record_that_cannot_be_kept_is_found_before_the_unit_is_asked(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, free=lambda _folder: 0)
    with pytest.raises(RecordError, match=r"has 0\.0 MB free"):
        run_virtual(booking(journal).check_record())
