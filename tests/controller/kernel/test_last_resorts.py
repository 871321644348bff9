"""What the kernel does when something fails twice, or there is no room: never a silent loss."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api.server import IDLE_MIN_S, Server
from controller.record import words
from controller.record.chain import Stamped
from controller.record.store import RecordError, Store
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from tests.controller.api.served import Desk

ROW = Stamped(0.0, 1.9e9, 1, "zone", "{}")


@pytest.mark.hazard("H56", shows="works")
@pytest.mark.parametrize("mends", [True, False])
def test_a_row_that_cannot_be_written_after_the_record_was_mended_either_is_told_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, mends: bool
) -> None:
    store = Store(tmp_path / "journal.sqlite3")
    store.append([ROW])
    tries: list[str] = []

    def fails(*_: object) -> int:
        tries.append("write")
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(Store, "_write", fails)
    monkeypatch.setattr(Store, "_mend", lambda *_: mends)
    monkeypatch.setattr(words, "is_damage", lambda _error: True)
    with pytest.raises(RecordError):
        store.append([ROW])
    assert len(tries) == (2 if mends else 1)
    store.close()


class Idle:
    """A connection that has been idle for some time."""

    def __init__(self, idle_s: float) -> None:
        self._since_s = asyncio.get_running_loop().time() - idle_s
        self.refused: list[RefusedError] = []

    def idle_s(self, now_s: float) -> float:
        return now_s - self._since_s

    def refuse_and_part(self, error: RefusedError) -> None:
        self.refused.append(error)


def test_room_is_made_by_whoever_has_been_idle_the_longest_and_by_nobody_who_asks() -> None:
    async def scenario() -> None:
        server = Server(cast("Any", Desk()))
        busy = Idle(IDLE_MIN_S / 2)
        idle = [Idle(IDLE_MIN_S + 2.0), Idle(IDLE_MIN_S + 9.0), Idle(IDLE_MIN_S + 5.0)]
        server._connections = cast("Any", {busy, *idle})
        for expected in sorted(idle, key=lambda one: one._since_s):
            assert server._make_room()
            assert len(expected.refused) == 1
            assert len(server._connections) == 4 - sum(len(one.refused) for one in idle)
        assert not server._make_room()
        assert busy.refused == []

    run_virtual(scenario())
