"""The commands that talk to a running simulator: fault, hand, line, ask."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from simulator.control_client import ask as ask_simulator
from simulator.control_verbs import EVENTS_DEFAULT, EVENTS_MAX, HAND_ACTIONS
from simulator.refusals import USAGE, Refusal, refusals

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
ControlOption = Annotated[
    Path,
    typer.Option(
        "--control", envvar="CORNEUM_SIM_CONTROL", help="The control socket of the simulator."
    ),
]
Share = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share, 0 to 1.")]
Seconds = Annotated[float, typer.Option(min=0.0, max=60.0, help="Seconds, 0 to 60.")]
QUESTIONS: Final = ("state", "sensors", "truth", "faults", "events")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command(
        epilog="Examples:  corneum-sim fault clog --control /tmp/control   "
        "corneum-sim fault clog --clear --control /tmp/control"
    )(fault)
    app.command(epilog="Example:  corneum-sim hand lift --control /tmp/control")(hand)
    app.command(
        epilog="Examples:  corneum-sim line --loss 0.05 --control /tmp/control   "
        "corneum-sim line --control /tmp/control"
    )(line)
    app.command(
        epilog="Examples:  corneum-sim ask state --control /tmp/control   "
        "corneum-sim ask events --last 5 --json --control /tmp/control"
    )(ask)


def fault(
    name: Annotated[str, typer.Argument(help="Name of the fault.")],
    control: ControlOption,
    *,
    clear: Annotated[bool, typer.Option("--clear", help="End it instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a fault active in a running simulator, or end it."""
    reply = _asked(control, {"do": "fault", "name": name, "clear": clear}, as_json=as_json)
    hazards = ", ".join(reply["hazards"])
    _say(reply, f"{reply['name']} ({hazards}) is {'over' if clear else 'active'}", as_json=as_json)


def hand(
    action: Annotated[str, typer.Argument(help=f"One of {', '.join(HAND_ACTIONS)}.")],
    control: ControlOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Move the hand at a running simulator; `auto` gives it back to the one of --hand."""
    reply = _asked(control, {"do": "hand", "action": action}, as_json=as_json)
    _say(reply, f"hand: {action} at {reply['t_s']:.3f} s", as_json=as_json)


def line(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    control: ControlOption,
    loss: Share = 0.0,
    flip_rate: Share = 0.0,
    duplicate: Share = 0.0,
    reorder: Share = 0.0,
    delay_s: Seconds = 0.0,
    jitter_s: Seconds = 0.0,
    *,
    silent: Annotated[bool, typer.Option(help="Nothing gets through, and nobody is told.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let the line of a running simulator misbehave; without options it is perfect again."""
    request = {
        "do": "line", "silent": silent, "loss": loss, "flip_rate": flip_rate,
        "duplicate": duplicate, "reorder": reorder, "delay_s": delay_s, "jitter_s": jitter_s,
    }  # fmt: skip
    reply = _asked(control, request, as_json=as_json)
    wrong = [f"{name} {value}" for name, value in request.items() if name != "do" and value]
    _say(reply, f"line: {', '.join(wrong) or 'perfect'}", as_json=as_json)


def ask(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(QUESTIONS)}.")],
    control: ControlOption,
    last: Annotated[
        int, typer.Option(min=1, max=EVENTS_MAX, help="Of events: how many.")
    ] = EVENTS_DEFAULT,
    *,
    as_json: JsonOption = False,
) -> None:
    """Ask a running simulator what it does, reads, really is, or did last."""
    with refusals("ok", as_json=as_json):
        if what not in QUESTIONS:
            raise Refusal(f"'{what}' cannot be asked; choose one of {', '.join(QUESTIONS)}", USAGE)
    request = {"do": what, "last": last} if what == "events" else {"do": what}
    reply = _asked(control, request, as_json=as_json)
    _say(reply, "\n".join(_lines(what, reply)), as_json=as_json)


def _asked(control: Path, request: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    with refusals("ok", as_json=as_json):
        reply = ask_simulator(control, request)
        if not reply.get("ok"):
            raise Refusal(str(reply.get("error")), USAGE)
    return reply


def _say(reply: dict[str, Any], words: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(reply) if as_json else words)


def _lines(what: str, reply: dict[str, Any]) -> list[str]:
    """Return an answer as `name: value` lines; events as they stand in the event file."""
    if what == "events":
        return [json.dumps(event) for event in reply["events"]]
    if what == "faults":
        active = reply["active"]
        return [
            f"{name} ({', '.join(hazards)}){': active' if name in active else ''}"
            for name, hazards in reply["known"].items()
        ]
    said = reply.get(what, reply)
    return [f"{name}: {_word(value)}" for name, value in said.items() if name != "ok"]


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "unknown" if value is None else str(value)
