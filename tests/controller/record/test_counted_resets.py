"""The resets that count against a unit, as the record has them: which, since when, how placed."""

import asyncio
import json
from typing import Any, Final

import pytest

from controller.record import resets
from controller.record.chain import Stamped
from controller.record.resets import RESETS_KEPT, History, ResetLock, Whose, read
from controller.record.store import BrokenRowError, Store
from controller.safety.resets import PastReset
from controller.treatment.events import Commit, Finished
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record.edits import changing

WALL_S: Final = 1.9e9
WHOSE: Final = Whose(4711, simulated=True, boot="one")
Written = tuple[str, dict[str, Any]]


def about(**more: object) -> dict[str, Any]:
    return {"unit": 4711, "simulated": True, "boot": "one", **more}


def reset(cause: str = "DWELL", **more: object) -> Written:
    return Kind.RESET_DONE, about(cause=cause, **more)


LOCKED: Final = (Kind.LOCKED, about(cause="NO_FLOW"))
UNLOCKED: Final = (Kind.UNLOCKED, about())


def record(*rows: Written) -> Store:
    """A record of these rows, each a second after the one before it."""
    store = Store(None)
    store.append(
        [
            Stamped(100.0 + number, WALL_S + 100.0 + number, 1, kind, json.dumps(body))
            for number, (kind, body) in enumerate(rows)
        ]
    )
    return store


def history(*rows: Written, whose: Whose = WHOSE) -> History:
    return read(record(*rows), whose, 200.0, WALL_S + 200.0)


def at(*resets: tuple[str, float]) -> tuple[PastReset, ...]:
    return tuple(PastReset(cause, at_s) for cause, at_s in resets)


def test_every_row_about_a_unit_says_which_and_in_which_boot() -> None:
    assert WHOSE.body() == {"unit": 4711, "simulated": True, "boot": "one"}


@pytest.mark.parametrize(
    ("rows", "locked", "counted"),
    [
        ((), None, ()),
        ((reset(), reset("NO_FLOW")), None, (("DWELL", 100.0), ("NO_FLOW", 101.0))),
        ((reset(), LOCKED), "NO_FLOW", (("DWELL", 100.0),)),
        ((reset(), LOCKED, UNLOCKED), None, ()),
        ((UNLOCKED, LOCKED, reset()), "NO_FLOW", (("DWELL", 102.0),)),
        ((LOCKED, UNLOCKED, reset(), UNLOCKED, reset()), None, (("DWELL", 104.0),)),
        ((LOCKED, (Kind.LOCKED, about(cause="DWELL"))), "NO_FLOW", ()),
        ((LOCKED, (Kind.UNLOCKED, about(unit=7))), "NO_FLOW", ()),
        ((LOCKED, (Kind.UNLOCKED, about(simulated=False))), "NO_FLOW", ()),
        ((LOCKED, (Kind.UNLOCKED, {})), None, ()),
        (((Kind.LOCKED, about(cause="DWELL", unit=7)),), None, ()),
        ((reset(unit=7), reset(simulated=False), reset(unit=None)), None, (("DWELL", 102.0),)),
        (((Kind.RESET, about(cause="DWELL")),), None, ()),
    ],
)
def test_what_counts_is_what_was_written_of_this_unit_since_it_was_unlocked(
    rows: tuple[Written, ...], locked: str | None, counted: tuple[tuple[str, float], ...]
) -> None:
    assert history(*rows) == History(locked, at(*counted))


def test_a_reset_of_another_boot_is_placed_by_the_wall_clock_and_its_steps() -> None:
    whose = Whose(4711, simulated=True, boot="two")
    step: Written = (Kind.CLOCK_STEP, {"step_s": 40.0})
    back: Written = (Kind.CLOCK_STEP, {"step_s": -40.0})
    assert history(reset(), whose=whose) == History(None, at(("DWELL", 100.0)))
    assert history(step, reset(), whose=whose).resets == at(("DWELL", 101.0))
    assert history(reset(), step, back, whose=whose).resets == at(("DWELL", 140.0))
    nameless = history(reset(boot=None), whose=Whose(4711, simulated=True, boot=""))
    assert nameless.resets == at(("DWELL", 100.0))


def test_a_row_that_cannot_be_believed_counts_as_none_and_is_told() -> None:
    store = record(reset(), reset(), reset())
    store.connection().execute("DROP TRIGGER journal_is_never_edited")
    store.connection().execute(changing("body", "'{}'"), (2,))
    with pytest.raises(BrokenRowError):
        read(store, WHOSE, 200.0, WALL_S + 200.0)


def test_only_so_many_of_the_newest_are_kept_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resets, "RESETS_KEPT", 2)
    assert [each.at_s for each in history(reset(), reset(), reset()).resets] == [101.0, 102.0]
    monkeypatch.setattr(resets, "LOOKED_AT_MAX", 2)
    others = [reset(unit=7)] * 2
    assert history(reset(), *others).resets == ()
    assert [each.at_s for each in history(reset(), *others[:1]).resets] == [100.0]


def test_steps_beyond_what_is_added_up_tell_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resets, "STEPS_MAX", 2)
    step: Written = (Kind.CLOCK_STEP, {"step_s": 40.0})
    store = record(step, step, reset(), step)
    assert resets._Steps(store, 0)._steps is None
    assert resets._Steps(store, 2)._steps == [(4, 40.0)]
    assert not resets._Steps(store, 0).ahead_s(None) <= float("inf")


def test_a_lock_keeps_only_the_newest_resets_of_both_records_and_memory() -> None:
    def put(_treatment: int, _row: Commit) -> "asyncio.Future[Finished]":
        return asyncio.get_running_loop().create_future()

    async def scenario() -> None:
        lock = ResetLock(put)
        lock.begin(WHOSE, History(None, ()))
        lock.remember(*(PastReset(f"OLD {n}", float(n)) for n in range(RESETS_KEPT)))
        lock.add("NEW", 1e6, 1)
        assert len(lock._resets) == RESETS_KEPT
        assert lock._resets[0] == PastReset("OLD 1", 1.0)
        assert lock._resets[-1] == PastReset("NEW", 1e6)
        lock.remember(PastReset("OLDEST", 0.0))
        assert lock._resets[0] == PastReset("OLD 1", 1.0)
        other = ResetLock(put)
        other.add("NEW", 10.0, 1)
        other.remember(PastReset("OLD", 9.0))
        assert other._resets == at(("OLD", 9.0), ("NEW", 10.0))

    run_virtual(scenario())
