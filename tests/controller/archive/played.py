"""Records of whole treatments in virtual time, one for each kind of end, to make reports of."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from controller.config.locate import shipped_configs
from controller.record.chain import Chained, Stamped
from controller.record.store import Store
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service

JOURNAL: Final = "journal.sqlite3"
CLIENT: Final = "c-0042"
FACE: Final = (
    "forehead", "temple_left", "temple_right", "nose", "nose_sides", "cheek_left", "cheek_right",
    "upper_lip", "chin", "jaw_left", "jaw_right",
)  # fmt: skip

SOME_S: Final = 3.0
"""Contact after which a treatment is disturbed."""

Act = Callable[[Service], Awaitable[None]]


def configs_in(folder: Path) -> Path:
    """Return a configuration with a client who may have every zone, on a unit that knows tips."""
    configs = folder / "configs"
    shutil.copytree(shipped_configs(), configs)
    demo = (configs / "clients" / "demo.toml").read_text("utf-8").replace("practice = true", "")
    start, _, rest = demo.partition("zones = [")
    own = start + rest.partition("]")[2]
    (configs / "clients" / f"{CLIENT}.toml").write_text(own.replace('"demo"', f'"{CLIENT}"'))
    unit = configs / "handpieces" / "simulated.toml"
    unit.write_text(unit.read_text("utf-8") + 'use = "sterilise"\n')
    return configs


def play(record: Path, configs: Path, *acts: Act, after_s: float = 0.0) -> Path:
    """Let a kernel serve a record in virtual time while these acts are done; return the record."""

    async def run() -> None:
        await asyncio.sleep(after_s)
        async with service(RigSpec(configs=configs, record=record)) as made:
            for act in acts:
                await act(made)

    record.mkdir(exist_ok=True)
    run_virtual(run())
    return record


def whole(
    program: str = "refresh", zones: tuple[str, ...] = ("nose", "chin"), **args: object
) -> Act:
    """Treat these zones to their end."""

    async def act(made: Service) -> None:
        await made.treat(program, CLIENT, zones=list(zones), tip="A-1042", **args)

    return act


async def stopped(made: Service) -> None:
    """Begin with the nose, and stop it after some seconds."""
    await _begun(made)
    await made.ask("stop")
    await made.until(lambda: made.kernel.idle, 30.0)


async def tripped(made: Service) -> None:
    """Begin with the nose, and trip on a full canister."""
    await _begun(made)
    made.rig.handpiece.set_fault("waste-full")
    await made.until(lambda: made.state == "tripped", 5.0)
    made.rig.handpiece.hand.release()
    made.rig.handpiece.clear_fault("waste-full")
    await asyncio.sleep(1.0)
    await made.ask("ack")
    await made.ask("reset")
    await made.until(lambda: made.kernel.idle)


async def refused(made: Service) -> None:
    """Ask for a treatment while the unit has a fault, so that it is never armed."""
    made.rig.handpiece.set_fault("waste-full")
    try:
        await made.treat("refresh", CLIENT, zones=["nose"], tip="A-1042")
    except RefusedError:
        return


async def nothing(_: Service) -> None:
    """Only start: what was cut off is marked."""


async def dismissed(made: Service) -> None:
    """Note that the first treatment will not be gone on with."""
    await made.ask("dismiss", treatment=1, reason="the client went home")


async def _begun(made: Service) -> None:
    await made.ask("treat", program="refresh", client=CLIENT, zones=["nose", "chin"], tip="A-1042")
    await made.until(lambda: made.state == "active", 30.0)
    await made.until(lambda: _contact_s(made) > SOME_S, 60.0)


def _contact_s(made: Service) -> float:
    return float(sum(zone["contact_s"] for zone in made.snapshot()["treatment"]["zones"]))


def cut_after(record: Path, into: Path, kind: str, number: int) -> Path:
    """Copy a record up to its row of a kind with this number among them, as a crash leaves it."""
    rows = rows_of(record)
    marks = [row.id for row in rows if row.kind == kind]
    into.mkdir()
    store = Store(into / JOURNAL)
    store.append([Stamped(*row[1:6]) for row in rows if row.id <= marks[number]])
    store.close()
    return into


def rows_of(record: Path) -> list[Chained]:
    """Return every row of a record."""
    store = Store(record / JOURNAL)
    try:
        return store.rows("id > 0")
    finally:
        store.close()


def row_id(record: Path, kind: str, number: int = 0) -> int:
    """Return the id of a row of a kind."""
    return [row.id for row in rows_of(record) if row.kind == kind][number]
