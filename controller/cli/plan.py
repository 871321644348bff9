"""`corneum plan`: what a treatment would do, zone by zone, and which limit binds. Nothing moves."""

import asyncio
import json
import sys
import time
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from controller.cli import start
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked, running, serving
from controller.cli.treat import Wish
from controller.cli.words import quantity
from controller.config.paths import journal_path, state_dir
from controller.config.plan_json import plan_as_dict
from controller.kernel.api import ApiError, TreatArgs, read_args
from controller.kernel.booking import Booking
from controller.kernel.journal import Journal
from controller.kernel.store import RecordError, Store
from controller.kernel.writer import InlineWriter
from controller.safety.reading import Identity
from firmware_protocol.vocabulary import Capability

SIMULATED: Final = Identity(0, 0, "", Capability.SIMULATED)
NOT_A_UNIT: Final = (
    "Planned for a simulated handpiece, because no kernel runs: name --port to plan for a unit."
)


def run(wish: Wish, port: str | None, *, as_json: bool) -> ExitCode:
    """Print the plan; a refusal is a Failure with its sentence."""
    plan = _plan(wish, port)
    if as_json:
        sys.stdout.write(json.dumps(plan) + "\n")
    else:
        _show(Console(highlight=False), plan)
    return ExitCode.DONE


def _plan(wish: Wish, port: str | None) -> dict[str, Any]:
    if port is not None:
        return _planned_at(port, wish)
    try:
        address = running(None)
    except Failure as failure:
        if failure.code is ExitCode.USAGE:
            raise
        return _planned_here(wish)
    return _of(asked(address.socket, "plan", wish.as_args()))


def _planned_at(port: str, wish: Wish) -> dict[str, Any]:
    socket = serving(port)
    if socket is not None:
        return _of(asked(socket, "plan", wish.as_args()))
    kernel = start.kernel(["--port", port, "--state", str(state_dir()), "--once"])
    try:
        return _of(asked(start.socket_of(kernel), "plan", wish.as_args()))
    finally:
        kernel.end()


def _of(result: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = result["plan"]
    return plan


def _planned_here(wish: Wish) -> dict[str, Any]:
    try:
        plan = asyncio.run(_prove(wish))
    except ApiError as error:
        raise Failure(error.sentence, error.next_step, name=error.code) from error
    except RecordError as error:
        raise Failure(str(error)) from error
    plan["notes"] = [*plan["notes"], NOT_A_UNIT]
    return plan


async def _prove(wish: Wish) -> dict[str, Any]:
    path = journal_path(state_dir())
    # Without a record there is no history either: a store in memory is an empty one.
    journal = Journal(InlineWriter(Store(path if path.exists() else None)), time.time, folder=None)
    booking = Booking(journal, time.time, None, "", lambda _lock: False)
    try:
        proved = await booking.prove(read_args(TreatArgs, wish.as_args()), SIMULATED)
    finally:
        await journal.close()
    return dict(plan_as_dict(proved.plan))


def _show(console: Console, plan: dict[str, Any]) -> None:
    simulated = " (simulated handpiece)" if plan["simulated"] else f", unit {plan['unit_serial']}"
    table = Table(
        title=f"{plan['display_name']} for {plan['client']}{simulated}",
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
    )
    table.add_column("zone", min_width=18)
    for name in ("suction", "crystals", "on skin", "depth", "bound of cap", "end"):
        table.add_column(name, no_wrap=True, justify="right")
    for zone in plan["zones"]:
        table.add_row(*_cells(zone))
    console.print(table)
    console.print(f"time on skin {plan['contact_s']:.0f} s")
    for sentence, zones in _sentences(plan).items():
        console.print(f"{', '.join(zones)}: {sentence}", style="dim", soft_wrap=True)
    for note in plan["notes"]:
        console.print(note, soft_wrap=True)


def _sentences(plan: dict[str, Any]) -> dict[str, list[str]]:
    """Each thing that the limits say, with the zones that it is said of."""
    said: dict[str, list[str]] = {}
    for zone in plan["zones"]:
        for receipt in zone["receipts"]:
            said.setdefault(receipt["sentence"], []).append(zone["display"])
    return said


def _cells(zone: dict[str, Any]) -> tuple[str, ...]:
    return (
        zone["display"],
        quantity(zone["suction_kpa"], "kPa"),
        quantity(zone["flow_g_per_min"], "g/min"),
        quantity(zone["expected_contact_s"], "s", 0),
        quantity(zone["expected_nominal_um"], "µm", 2),
        f"{zone['expected_bound_um']:.2f} of {zone['cap_um']:.2f} µm",
        zone["ends_by"],
    )
