"""Every row that is written has a kind of the table, and exactly the fields that it names.

Scenarios and runs here write each kind but those that are named; tests of the kernel look at every
row of theirs too (`tests/row_forms.py`), so that a field that comes only seldom is met as well.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from controller.api.authority import Origin, Role
from controller.api.requests import Request, WhoSays
from controller.api.viewer import Viewer
from controller.config.locate import shipped_configs
from controller.device.answers import PortError, PortTrouble
from controller.device.handpiece import HandpieceClient
from controller.device.precedence import Precedence
from controller.kernel.service import Place, running
from controller.record.locks import LockState
from controller.safety.refusal import RefusedError
from controller.treatment.conduct import Conduct
from controller.treatment.events import Note
from controller.treatment.kinds import ROWS, Kind
from qa.loop import run_virtual
from qa.planning import planned_request
from qa.rig import RigSpec, Service, rig, service
from qa.scenarios.load import load_scenario
from qa.scenarios.play import play
from tests.controller.kernel.clinic import plan_of
from tests.controller.record.books import rows_of
from tests.row_forms import misfit

JOURNAL: Final = "journal.sqlite3"
SCENARIOS: Final = shipped_configs() / "scenarios"
PLAYED: Final = (
    "clock-set-back", "day-interrupted-and-resumed", "day-lowering", "day-pause-and-resume",
    "day-unfinished-is-dismissed", "disk-full-in-mid-treatment", "hand-holds-on-at-the-start",
    "kernel-killed", "line-answers-late-during-a-reset", "refused-too-low", "refused-viewer",
    "unit-clog",
)  # fmt: skip
NOT_PLAYED: Final = {
    Kind.PRECEDENCE: "a process asks the system for it; virtual time has none",
    Kind.UNSEEN: "the unit has to deliver what no reading shows",
    Kind.NOTED: "a process of its own signs; virtual time has none",
    Kind.WAVEFORM: "a process of its own records; virtual time has none",
}
"""Kinds that no run here writes, and why; their bodies are looked at by themselves."""

Journaled = list[tuple[str, str]]
"""Kind and text of each row."""


def of(path: Path) -> Journaled:
    return [(kind, text) for _, kind, text in rows_of(path / JOURNAL)]


def stories() -> Journaled:
    """Play the scenarios."""
    played = [play(load_scenario(SCENARIOS / f"{name}.toml")) for name in PLAYED]
    assert [one.scenario.name for one in played if not one.passed] == []
    return [(row.kind, json.dumps(row.body)) for one in played for row in one.story.rows]


async def asked(made: Service, do: str, role: str = "technician", **args: object) -> None:
    who = {"name": "tom", "role": role, "origin": "local"}
    await made.kernel.handle(Request.model_validate({"do": do, "who": who, "args": args}))


async def a_locked_unit(folder: Path) -> None:
    """Lower and raise, then trip and reset until the unit is locked; take the lock off."""
    async with service(RigSpec(record=folder)) as made:
        device = made.rig.handpiece
        for _ in range(3):
            device.hand.auto()
            await made.ask("treat", program="refresh", client="demo")
            await made.until(lambda: made.state == "active", 30.0)
            with pytest.raises(RefusedError):
                await made.ask("lower", suction_kpa=60.0)
            device.set_fault("waste-full")
            await made.until(lambda: made.state == "tripped", 5.0)
            await made.ask("silence")
            device.hand.release()
            device.clear_fault("waste-full")
            await asyncio.sleep(1.0)
            await made.ask("ack")
            await made.ask("reset")
            await made.until(lambda: made.kernel.idle)
        await asked(made, "unlock", reason="the canister was changed")
        await asked(made, "accept", subject="clock", reason="it was set")
        await made.ask("stop")
        await asyncio.sleep(1.0)


async def a_tip(folder: Path) -> None:
    """Treat with a tip that is told apart, and sterilise it."""
    configs = folder / "configs"
    shutil.copytree(shipped_configs(), configs)
    unit = configs / "handpieces" / "simulated.toml"
    unit.write_text(unit.read_text() + 'use = "sterilise"\n')
    demo = (configs / "clients" / "demo.toml").read_text().replace("practice = true", "")
    (configs / "clients" / "c-1.toml").write_text(demo.replace('ref = "demo"', 'ref = "c-1"'))
    async with service(RigSpec(configs=configs, record=folder)) as made:
        await made.treat("refresh", "c-1", zones=["nose"], tip="A-1")
        await made.ask("sterilised", tip="A-1", cycle="12")


async def another_screen(folder: Path) -> None:
    """Lose the screen that leads, and go on from another one."""
    async with service(RigSpec(record=folder)) as made:
        ben = WhoSays(name="ben", role=Role.PRACTITIONER, origin=Origin.LOCAL)
        gone, taker = Viewer(), Viewer()
        await _over(made, gone, ben, "treat", program="refresh", client="demo", zones=["nose"])
        await made.until(lambda: made.snapshot()["lead"]["gone"], 10.0)
        taker.sent(1, asyncio.get_running_loop().time())
        taker.seen(1)
        made.kernel.watched(taker, ben)
        await _over(made, taker, ben, "resume")
        taker.closed = True


async def _over(made: Service, viewer: Viewer, who: WhoSays, do: str, **args: Any) -> None:  # noqa: ANN401
    request = Request.model_validate({"do": do, "who": who, "args": args})
    await made.kernel.handle(await planned_request(made.kernel, request), viewer)


async def a_unit_given_up(folder: Path) -> None:
    """Let the client give up the unit at once, for which it takes an hour."""
    stay, gone = HandpieceClient.stay_connected, [True]

    async def given_up(client: HandpieceClient) -> None:
        if gone.pop() if gone else False:
            raise PortError(PortTrouble.NOT_FOUND, "the unit is gone", "look for it")
        await stay(client)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HandpieceClient, "stay_connected", given_up)
        async with service(RigSpec(record=folder)):
            await asyncio.sleep(1.0)


async def another_kernel(folder: Path) -> None:
    """Leave a treatment open under a lock that nobody can look at, in a record that was mended."""
    async with service(RigSpec(record=folder)) as first:
        await first.ask("treat", program="refresh", client="demo", zones=["nose"])
        async with rig(RigSpec(seed=2, record=folder)) as made:
            outside = replace(made.outside(), alive=lambda _: LockState.UNKNOWN)
            made._store._mended = True
            async with running(Place("other", lock="other.lock"), outside):
                await asyncio.sleep(0.5)


RUNS: Final[tuple[Callable[[Path], Coroutine[Any, Any, None]], ...]] = (
    a_locked_unit, a_tip, another_screen, a_unit_given_up, another_kernel,
)  # fmt: skip


def runs(folder: Path) -> Journaled:
    found: Journaled = []
    for number, run in enumerate(RUNS):
        (folder / str(number)).mkdir()
        run_virtual(run(folder / str(number)))
        found += of(folder / str(number))
    return found


def test_every_row_is_one_of_the_table_and_every_kind_of_the_table_is_written(
    tmp_path: Path,
) -> None:
    rows = stories() + runs(tmp_path)
    assert not {misfit(*row) for row in rows} - {""}
    assert {kind for kind, _ in rows} == set(Kind) - NOT_PLAYED.keys()


def test_the_rows_that_no_run_writes_are_of_the_table_too() -> None:
    conduct = Conduct(plan_of())
    conduct.course._surplus_s = 0.3
    unseen = conduct.unseen()[0]
    assert isinstance(unseen, Note)
    granted = Precedence("ordinary", memory_locked=False, refused=("real-time priority",))
    told: dict[Kind, Any] = {
        unseen.kind: unseen.body,
        Kind.PRECEDENCE: granted.as_dict(),
        Kind.NOTED: {"row": 12, "hash": "ab", "places": ["/a.note"]},
        Kind.WAVEFORM: {"file": None, "why": "It ended.", "lost_samples": 9},
    }
    assert told.keys() == NOT_PLAYED.keys()
    assert [misfit(kind, json.dumps(body)) for kind, body in told.items()] == [""] * 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}-{row.by}")
def test_a_field_too_many_or_too_few_is_found(row: Any) -> None:  # noqa: ANN401
    assert "pausing: no kind" in misfit("pausing", "{}")
    assert "not in the table" in misfit(row.kind, '{"more": 1}')
    if row.body:
        assert "missing" in misfit(row.kind, "{}")
