"""The commands that QA adds to ``corneum-sim``: an entry point of its pyproject.toml for each.

A command has a file of its own in `qa.commands` and imports what it needs when it is called, so
that the help is there at once; those of ``campaign`` are put together in `qa.commands.campaign`. A
`Refusal` of any of them is told by `told`.
"""

import typer

from qa.commands import anchors, attack, campaign, conformance, record, replay, run
from simulator.refusals import told


def add_anchors(app: typer.Typer) -> None:
    """Add ``anchors``."""
    examples = (
        "Examples:  corneum-sim anchors   corneum-sim anchors --configs my-configs --draws 2000000"
    )
    app.command(epilog=examples)(told(anchors.anchors))


def add_attack(app: typer.Typer) -> None:
    """Add ``attack`` with its subcommands."""
    app.add_typer(attack.attack, name="attack")


def add_campaign(app: typer.Typer) -> None:
    """Add ``campaign`` with its subcommands."""
    app.add_typer(campaign.campaign, name="campaign")


def add_conformance(app: typer.Typer) -> None:
    """Add ``conformance``."""
    examples = (
        "Examples:  corneum-sim conformance --handpiece sim:   "
        "corneum-sim conformance --handpiece /dev/ttyUSB0 --case C68 --junit kit.xml"
    )
    app.command(epilog=examples)(told(conformance.conformance))


def add_record(app: typer.Typer) -> None:
    """Add ``record``."""
    example = "Example:  corneum-sim record --port /dev/ttyUSB0 --pty /tmp/tapped --out line.jsonl"
    app.command(epilog=example)(told(record.record))


def add_replay(app: typer.Typer) -> None:
    """Add ``replay``."""
    app.command(epilog="Example:  corneum-sim replay line.jsonl --every")(told(replay.replay))


def add_run(app: typer.Typer) -> None:
    """Add ``run``."""
    examples = (
        "Examples:  corneum-sim run configs/scenarios -j 2   "
        "corneum-sim run my-scenario.toml --seed 7 --report out"
    )
    app.command(epilog=examples)(told(run.run))
