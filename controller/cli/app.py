"""The verbs of `corneum`. Each imports what it needs when it runs: `status` answers at once."""
# The parameters of these functions are the options of the commands, which is why there are many and
# why flags default to False, and the late imports keep a start below 0.1 s.
# ruff: noqa: PLR0913, PLR0917, FBT002, PLC0415

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from controller.cli import boundary, config_commands, output
from controller.cli.options import (
    ClientRef,
    Configs,
    Flow,
    Json,
    Port,
    Program,
    Reason,
    Suction,
    Tip,
    Zones,
)
from controller.cli.outcome import ExitCode, Failure

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Drive a crystal microdermabrasion handpiece within the stratum corneum.",
    epilog="Exit codes: 0 done, 1 refused or a check failed, 2 usage, 3 port or device, or "
    "could not be reached, 4 ended by a safety trip, 5 stopped by a person, 6 there was nothing to "
    "acknowledge, reset or unlock, 70 a fault of corneum itself, 130 Ctrl-C.",
)
app.add_typer(config_commands.app, name="config")
records_app = typer.Typer(no_args_is_help=True, help="Look after the record of treatments.")
app.add_typer(records_app, name="records")


def _say_version(asked: bool) -> None:  # noqa: FBT001 - a callback
    if asked:
        from controller.api.software import running_software

        sys.stdout.write(f"corneum {running_software().corneum}\n")
        raise typer.Exit


@app.callback()
def _corneum(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which one."),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Examples:  corneum treat refresh --client demo --simulator   "
    "corneum treat tone-safe --client c-0042 --port /dev/ttyUSB0 --zones chin --tip A-1042"
)
def treat(
    program: Program,
    client: ClientRef,
    port: Port = None,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Start a simulated handpiece and use it.")
    ] = False,
    zones: Zones = None,
    suction_kpa: Suction = None,
    flow_g_per_min: Flow = None,
    reason: Reason = None,
    tip: Tip = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with this client's unfinished treatment.")
    ] = False,
    hand: Annotated[
        str | None,
        typer.Option("--hand", help="The simulated operator: average (the default), careful, ..."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the simulator; 1 by default.")
    ] = None,
    configs: Configs = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="A kernel that is started for this ends with it, also while a trip stands.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run one treatment and watch it. p pauses and goes on; Ctrl-C ends it in order."""
    from controller.cli import treat as verb

    _check_numbers(suction_kpa, flow_g_per_min)
    wish = verb.Wish(
        program, client, _names(zones), suction_kpa, flow_g_per_min, reason, resume, tip
    )
    where = verb.Where(port, simulator, hand, seed, configs, once)
    raise typer.Exit(verb.run(wish, where, as_json=as_json))


@app.command(epilog="Example:  corneum plan refresh --client demo")
def plan(
    program: Program,
    client: ClientRef,
    port: Port = None,
    zones: Zones = None,
    suction_kpa: Suction = None,
    flow_g_per_min: Flow = None,
    reason: Reason = None,
    tip: Tip = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw it into this file, .svg or .png.")
    ] = None,
    configs: Configs = None,
    as_json: Json = False,
) -> None:
    """Show what a treatment would do, zone by zone, its proof, and which limit binds.

    Nothing moves.
    """
    from controller.cli import plan as verb
    from controller.cli.treat import Wish

    _check_numbers(suction_kpa, flow_g_per_min)
    wish = Wish(
        program, client, _names(zones), suction_kpa, flow_g_per_min, reason, resume=False, tip=tip
    )
    raise typer.Exit(verb.run(wish, port, configs, as_json=as_json, plot=plot))


@app.command()
def stop(
    port: Port = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Shut the valve and vent together, without purge.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stop every treatment on this computer, or that of one port: valve shut, purge, vent.

    For anybody, from any account. Exit codes: 0 stopped, 1 no kernel runs, 3 a kernel could not be
    reached. What stands wrong on the command line is told after the stop.
    """
    from controller.cli import stop as verb

    raise typer.Exit(verb.stop(verb.Words(port, emergency, as_json, wrong=False)))


@app.command()
def pause(port: Port = None, as_json: Json = False) -> None:
    """Hold the crystals back; the treatment can go on."""
    _tell("pause", port, as_json=as_json)


@app.command()
def resume(port: Port = None, as_json: Json = False) -> None:
    """Allow crystals again after a pause; the hand switch has to be pressed anew."""
    _tell("resume", port, as_json=as_json)


@app.command()
def ack(port: Port = None, as_json: Json = False) -> None:
    """Acknowledge the alarms that stand. This does not reset a trip.

    Exit codes: 0 acknowledged, 6 there was nothing to acknowledge.
    """
    _tell("ack", port, as_json=as_json)


@app.command()
def reset(port: Port = None, as_json: Json = False) -> None:
    """Clear an acknowledged trip once its cause is gone and the switch is released."""
    _tell("reset", port, as_json=as_json)


@app.command()
def silence(port: Port = None, as_json: Json = False) -> None:
    """Pause the sound of the alarms that stand, for two minutes; a new one sounds again."""
    _tell("silence", port, as_json=as_json)


@app.command()
def dismiss(
    treatment: Annotated[int, typer.Argument(help="Number of the unfinished treatment.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is not continued.")],
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Note that an unfinished treatment will not be continued; its exposure still counts.

    Needs no kernel and no unit.
    """
    _tell("dismiss", port, as_json=as_json, args={"treatment": treatment, "reason": reason})


@app.command(
    epilog='Example:  CORNEUM_ROLE=technician corneum unlock --reason "waste valve changed"'
)
def unlock(
    reason: Annotated[str, typer.Option("--reason", help="What was found and mended.")],
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Take the lock of a unit off that was reset too often; for a technician at the unit."""
    _tell("unlock", port, as_json=as_json, args={"reason": reason})


@app.command(epilog="Example:  corneum sterilised R-7 --cycle 2031")
def sterilised(
    tip: Annotated[str, typer.Argument(help="Label of the tip.")],
    cycle: Annotated[str, typer.Option("--cycle", help="Cycle of the steriliser.")] = "",
    as_json: Json = False,
) -> None:
    """Record that a tip was sterilised, so that it may touch the next client."""
    from controller.cli import sterilised as verb

    raise typer.Exit(verb.run(tip, cycle, as_json=as_json))


@app.command()
def status(
    port: Port = None,
    watch: Annotated[bool, typer.Option("--watch", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Say what the kernel and the unit are doing; where none runs, what was cut off.

    Exit code 3 when no kernel runs.
    """
    from controller.cli import status as verb

    if watch:
        raise Failure("`status` answers once.", "`corneum watch` keeps showing.", ExitCode.USAGE)
    raise typer.Exit(verb.run(port, as_json=as_json))


@app.command()
def watch(port: Port = None, as_json: Json = False) -> None:
    """Show what runs until Ctrl-C; on a terminal p pauses and goes on.

    A treatment whose screen is gone goes on from here. With --json one object for each change, and
    at least one every five seconds.
    """
    from controller.cli import watch as verb

    raise typer.Exit(verb.run(port, as_json=as_json))


@app.command(epilog="Examples:  corneum doctor /dev/ttyUSB0   corneum doctor --jitter")
def doctor(
    port: Annotated[
        str | None, typer.Argument(help="The port to examine; all, when left out.")
    ] = None,
    jitter: Annotated[
        bool, typer.Option("--jitter", help="Measure for 10 s whether this computer keeps time.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong with a port, a unit or this computer, and what to do."""
    from controller.cli import doctor as verb
    from controller.cli import jitter as beats

    if jitter and port is not None:
        raise typer.BadParameter("--jitter measures this computer; leave the port out")
    raise typer.Exit(beats.run(as_json=as_json) if jitter else verb.run(port, as_json=as_json))


@app.command(
    epilog="Example:  CORNEUM_ROLE=supervisor corneum approve configs/programs/mine.toml "
    '--reason "patch test of 3 March"'
)
def approve(
    file: Annotated[Path, typer.Argument(help="The program: FOLDER/programs/NAME.toml.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may go above the presets.")],
    as_json: Json = False,
) -> None:
    """Approve a program as it is now, as a supervisor; any edit of it voids the approval."""
    from controller.cli import approve as verb

    raise typer.Exit(verb.run(file, reason, as_json=as_json))


@records_app.command(
    "list", epilog="Examples:  corneum records list   corneum records list --client c-0042 --json"
)
def records_list(
    client: Annotated[
        str | None, typer.Option("--client", help="Only those of this client.")
    ] = None,
    last: Annotated[
        int, typer.Option("--last", min=1, max=10_000, help="How many, the newest first.")
    ] = 20,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Only older ones than this treatment.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the treatments on record: when, for whom, with what, and how each ended."""
    from controller.cli import records as verb

    raise typer.Exit(verb.show_past(client, last, before, as_json=as_json))


@records_app.command("verify", epilog="Example:  corneum records verify --json")
def records_verify(as_json: Json = False) -> None:
    """Check every row of the record: edited, removed, reordered or cut off.

    Exit code 0 when it is whole, or when every break of it was accepted, which is told; else 1.
    """
    from controller.cli import records as verb

    raise typer.Exit(verb.check(as_json=as_json))


@records_app.command(
    "accept",
    epilog="Example:  CORNEUM_ROLE=technician corneum records accept row 812 "
    '--reason "power cut; the paper sheet of that day was read"',
)
def records_accept(
    subject: Annotated[str, typer.Argument(help="row N, head or clock: what is decided on.")],
    number: Annotated[int | None, typer.Argument(help="Number of the row.", min=1)] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="What was found, and why it may stand.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Let treatments go on beside a break of the record; for a technician at the unit."""
    from controller.cli import records as verb

    if not reason.strip():
        raise Failure("A decision on the record needs a reason.", "Say it with --reason TEXT.")
    raise typer.Exit(verb.accept(subject, number, reason, as_json=as_json))


@records_app.command("upgrade", epilog="Example:  corneum records upgrade --json")
def records_upgrade(as_json: Json = False) -> None:
    """Convert a record of an earlier build that is too large for a start, or damaged.

    What is small and whole is converted when it is opened. No kernel may run meanwhile.
    """
    from controller.cli import records as verb

    raise typer.Exit(verb.upgrade(as_json=as_json))


@records_app.command("recover", epilog="Example:  corneum records recover")
def records_recover(as_json: Json = False) -> None:
    """Make damaged indexes and lists of the record anew from its rows, which stay as they are."""
    from controller.cli import records as verb

    raise typer.Exit(verb.recover(as_json=as_json))


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def _check_numbers(suction_kpa: float | None, flow_g_per_min: float | None) -> None:
    for option, value in (("--suction-kpa", suction_kpa), ("--flow-g-per-min", flow_g_per_min)):
        if value is not None and not 0.0 < value < math.inf:
            raise Failure(
                f"{option} is {value:g}, and must be a finite number above 0.",
                "`corneum plan` shows what the program uses.",
            )


def _tell(
    verb: str, port: str | None, *, as_json: bool, args: dict[str, bool | int | str] | None = None
) -> None:
    from controller.cli import tell

    raise typer.Exit(tell.run(verb, port, args or {}, as_json=as_json))


def main() -> int:
    """Run the command and return its exit code; a mistake of the user is a Failure."""
    output.prepare()
    return boundary.typed(app, "corneum")
