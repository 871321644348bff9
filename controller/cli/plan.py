"""`corneum plan`: what a treatment would do, zone by zone, and which limit binds. Nothing moves."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from controller.api.interrupts import unwind
from controller.cli import effect_sheet, output, plan_bars, plan_plot, start
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.output import text
from controller.cli.session import asked, running, serving
from controller.cli.sheet import Sheet
from controller.cli.treat import Wish
from controller.cli.words import quantity
from controller.config.paths import journal_path, port_name, state_dir
from controller.record.read import Purpose, plan_alone, plan_beside
from controller.safety import chance
from controller.safety.refusal import RefusedError

NOT_A_UNIT: Final = (
    "Planned for a simulated handpiece, because no kernel runs: name --port to plan for a unit."
)

SHA_SHOWN: Final = 12  # enough to tell two plans of a day apart; --json has all of it


def run(
    wish: Wish, port: str | None, configs: Path | None, *, as_json: bool, plot: Path | None = None
) -> ExitCode:
    """Print the plan, and draw it where asked; a refusal is a Failure with its sentence."""
    if plot is not None:
        plan_plot.check(plot)
    plan = _plan(wish, port, configs)
    if plot is not None:
        plan_plot.draw(plan, plot)
    if as_json:
        sys.stdout.write(json.dumps(plan) + "\n")
    else:
        _show(output.console(), plan)
    return ExitCode.DONE


def _plan(wish: Wish, port: str | None, configs: Path | None) -> dict[str, Any]:
    try:
        if port is not None:
            return _planned_at(port, wish, configs)
        try:
            address = running(None)
        except Failure as failure:
            if failure.name != "no_kernel":  # several run, or it cannot be seen whether one does
                raise
            plan = plan_alone(wish.as_args(), journal_path(state_dir()), configs)
            plan["notes"] = [*plan["notes"], NOT_A_UNIT]
            return plan
        return _planned_beside(address.socket, wish, configs)
    except RefusedError as error:
        raise failure_of(error.refusal) from error


def _planned_at(port: str, wish: Wish, configs: Path | None) -> dict[str, Any]:
    port = port_name(port)
    socket = serving(port)
    if socket is not None:
        return _planned_beside(socket, wish, configs)
    arguments = ["--port", port, "--state", str(state_dir()), "--once"]
    if configs is not None:
        arguments += ["--configs", str(configs.absolute())]
    unwind()
    kernel = start.kernel(arguments)
    try:
        return _planned_beside(start.socket_of(kernel), wish, configs)
    finally:
        kernel.end()


def _planned_beside(socket: Path, wish: Wish, configs: Path | None) -> dict[str, Any]:
    return plan_beside(asked(socket, "status"), wish.as_args(), Purpose.LOOK, configs)


def _show(console: Console, plan: dict[str, Any]) -> None:
    simulated = " (simulated handpiece)" if plan["simulated"] else f", unit {plan['unit_serial']}"
    console.print(text(f"{plan['display_name']} for {plan['client']}{simulated}", "italic"))
    names = ("zone", "suction", "crystals", "on skin", "depth", "bound of cap", "end")
    console.print(Sheet(names, [_cells(zone) for zone in plan["zones"]]))
    console.print(_time_on_skin(plan))
    if plan["effect"] is not None:
        console.print(plan["effect"])
    console.print(_chance_in_words(plan["chance"]))
    if plan["effect"] is not None:
        console.print(effect_sheet.sheet(_effect_row(zone) for zone in plan["zones"]))
    console.print(text(plan_bars.LEGEND, "italic"))
    console.print(plan_bars.bars(plan["zones"]))
    console.print(text(plan_bars.PROOF, "italic"))
    console.print(plan_bars.proof(plan["proof"]["lines"]))
    for sentence, zones in _sentences(plan).items():
        console.print(f"{', '.join(zones)}: {sentence}", style="dim", soft_wrap=True)
    for note in plan["notes"]:
        console.print(note, soft_wrap=True)
    console.print(f"Planned at {_instant(plan)}; fingerprint {plan['sha256'][:SHA_SHOWN]}.")


def _effect_row(zone: dict[str, Any]) -> effect_sheet.Row:
    said = zone["effect"] or {}
    values = (said.get("share_percent"), said.get("layers"), said.get("shedding_h"))
    return (zone["display"], *values)


def _chance_in_words(told: dict[str, Any] | None) -> str:
    return chance.in_words(None if told is None else chance.Chance(**told))


def _time_on_skin(plan: dict[str, Any]) -> str:
    """Say the whole time, and how much of it the limits leave."""
    expected_s = sum(zone["expected_contact_s"] for zone in plan["zones"])
    budget_s = sum(zone["contact_budget_s"] for zone in plan["zones"])
    if round(expected_s) == round(budget_s):
        return f"time on skin {plan['contact_s']:.0f} s"
    return (
        f"time on skin {plan['contact_s']:.0f} s; a zone that ends by exposure or suction has used "
        "up what it may have before its time is over"
    )


def _of_budget(zone: dict[str, Any]) -> str:
    """Return the time that a zone is expected to have, of that which the live view counts to."""
    expected, budget = f"{zone['expected_contact_s']:.0f}", f"{zone['contact_budget_s']:.0f}"
    return f"{expected} s" if expected == budget else f"{expected} of {budget} s"


def _instant(plan: dict[str, Any]) -> str:
    """The instant of a plan on the clock of this room, with the name of its zone."""
    at = datetime.fromtimestamp(plan["planned_at_s"], UTC).astimezone()
    return f"{at.isoformat(sep=' ', timespec='seconds')} ({at.tzname()})"


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
        _of_budget(zone),
        quantity(zone["expected_nominal_um"], "µm", 2),
        f"{zone['expected_bound_um']:.2f} of {zone['cap_um']:.2f} µm",
        zone["ends_by"],
    )
