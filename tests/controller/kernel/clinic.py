"""A clinic in virtual time: the control loop, an in-memory journal and a simulated handpiece."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from controller.api.snapshot import Snapshot
from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.programs import load_program
from controller.config.skin import load_skin
from controller.device.handpiece import HandpieceClient, Listeners
from controller.kernel.control import About, Control
from controller.planning.plan import Plan
from controller.planning.planning import make_plan
from controller.record.chain import BODY
from controller.record.journal import Journal
from controller.record.resets import History, Whose
from controller.record.store import Store
from controller.record.writer import InlineWriter
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command, Who
from qa.loop import run_virtual
from qa.rig import Rig, RigSpec, rig
from simulator.handpiece import SERIAL_NUMBER

T = TypeVar("T")

CONFIGS: Final = shipped_configs()
SKIN: Final = load_skin(CONFIGS)
ANNA: Final = Who("anna", "practitioner")
FAR: Final = Who("ben", "practitioner", "remote")
LOOK_S: Final = 0.02


def plan_of(
    program: str = "refresh", budget_s: float | None = None, flow_g_per_min: float | None = None
) -> Plan:
    """Return the plan of the practice client, its zones cut to ``budget_s`` of contact.

    With ``flow_g_per_min`` its zones have that flow, whatever the plan itself could have.
    """
    made = make_plan(
        load_program(CONFIGS, program, SKIN),
        load_client(CONFIGS, "demo"),
        load_unit(CONFIGS, SERIAL_NUMBER, simulated=True),
        SKIN,
        (),
        1.9e9,
    )
    assert isinstance(made, Plan)
    stages = [
        replace(
            stage,
            contact_budget_s=stage.contact_budget_s if budget_s is None else budget_s,
            flow_g_per_min=stage.flow_g_per_min if flow_g_per_min is None else flow_g_per_min,
        )
        for stage in made.stages
    ]
    return replace(made, stages=tuple(stages))


@dataclass(slots=True)
class Clinic:
    """Everything that a scenario needs in its hands."""

    rig: Rig
    control: Control
    client: HandpieceClient
    journal: Journal
    store: Store

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def state(self) -> str:
        return self.control.state

    @property
    def view(self) -> Snapshot:
        return self.control.snapshot()

    async def until(self, *states: str, within_s: float = 120.0) -> None:
        """Wait until the treatment is in one of ``states``."""
        await self.wait_for(lambda: self.state in states, within_s)

    async def wait_for(self, holds: Callable[[], bool], within_s: float = 120.0) -> None:
        """Wait until ``holds`` says so."""
        end_s = self.now_s + within_s
        while not holds():
            assert self.now_s < end_s, f"still {self.state}: {self.view.alarms}"
            await asyncio.sleep(LOOK_S)

    async def treat(self, plan: Plan | None = None, number: int = 1) -> None:
        """Begin a treatment of short zones."""
        await self.control.begin(treatment_of(plan or plan_of(budget_s=4.0)), ANNA, number)

    async def ask(self, command: Command, **values: Any) -> None:  # noqa: ANN401
        await self.control.person(command, ANNA, **values)

    def rows(self, kind: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Return what the journal has so far."""
        asked = f"SELECT kind, {BODY} FROM journal ORDER BY id"  # noqa: S608
        found = self.store.connection().execute(asked)
        return [(name, json.loads(text)) for name, text in found if kind in (None, name)]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.rows()]

    def codes(self) -> list[str]:
        return [alarm.code for alarm in self.view.alarms]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what the device really did."""
        return [dict(event) for event in self.rig.events if event["kind"] == kind]

    def valve_open_at_end(self) -> bool:
        return self.rig.handpiece.plant.truth.valve_open > 0.01


@asynccontextmanager
async def clinic(spec: RigSpec | None = None) -> AsyncIterator[Clinic]:
    """Power everything on, connect, and switch everything off again."""
    async with rig(spec) as made:
        store = Store(None)
        journal = Journal(InlineWriter(store), made.wall_clock, folder=None)
        clients: list[HandpieceClient] = []

        def make_client(listeners: Listeners) -> HandpieceClient:
            clients.append(made.client(listeners))
            return clients[0]

        control = Control(make_client, journal, About("virtual", "memory"))
        control.resets.begin(Whose(SERIAL_NUMBER, simulated=True, boot=""), History(None, ()))
        client = clients[0]
        await client.connect()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(control.run(), name="control"),
                tasks.create_task(client.stay_connected(), name="reconnect"),
            ]
            yield Clinic(made, control, client, journal, store)
            for task in running:
                task.cancel()
        await client.close()
        await asyncio.sleep(0.2)  # the last notes
        await journal.close()


def scenario(
    play: Callable[[Clinic], Awaitable[T]], spec: RigSpec | None = None, limit_s: float = 600.0
) -> T:
    """Run one scenario in virtual time."""

    async def whole() -> T:
        async with clinic(spec) as made:
            return await play(made)

    coroutine: Coroutine[Any, Any, T] = whole()
    return run_virtual(coroutine, limit_s=limit_s)
