"""`corneum records ...`: what is done with the record of treatments. Each imports what it needs."""
# The parameters of these functions are the options of the commands, hence FBT002; the late imports
# keep a start below 0.1 s.
# ruff: noqa: FBT002, PLC0415

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.options import Configs, Json
from controller.cli.outcome import Failure

app = typer.Typer(no_args_is_help=True, help="Look after the record of treatments.")


@app.command(
    "list",
    epilog="Examples:  corneum records list   corneum records list --client c-0042 --json   "
    "corneum records list --zone nose --since 2026-11-01",
)
def records_list(  # noqa: PLR0913, PLR0917 - each is an option
    client: Annotated[
        str | None, typer.Option("--client", help="Only those of this client.")
    ] = None,
    last: Annotated[
        int, typer.Option("--last", min=1, max=10_000, help="How many, the newest first.")
    ] = 20,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Only older ones than this treatment.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", help="Only those in which this zone had something.")
    ] = None,
    unit: Annotated[int | None, typer.Option("--unit", help="Only those with this unit.")] = None,
    program: Annotated[
        str | None, typer.Option("--program", help="Only those of this program.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="Only those that ended so: the last column.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only those begun at this ISO date or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Only those begun before this ISO date.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the treatments on record: when, for whom, with what, and how each ended."""
    from controller.cli import records as verb
    from controller.record.read import Wanted

    first, end = verb.moment("--since", since), verb.moment("--until", until)
    wanted = Wanted(zone, unit, program, outcome, first, end)
    raise typer.Exit(verb.show_past(client, last, before, wanted, as_json=as_json))


@app.command(
    "report",
    epilog="Examples:  corneum records report 16 --pdf treatment-16.pdf   "
    "corneum records report 16 --html treatment-16.html --time-zone Europe/London",
)
def records_report(
    number: Annotated[
        int, typer.Argument(help="Number of the treatment.", min=1, show_default=False)
    ],
    pdf: Annotated[
        Path | None, typer.Option("--pdf", help="Write it there as PDF/A-2a and PDF/UA-1.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it there as one HTML file.")
    ] = None,
    configs: Configs = None,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="Clock of the report; that of this computer by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the report of one treatment from the record alone: for people first, then auditors.

    The same record gives the same bytes: its date is the end of the treatment.
    """
    from controller.cli import report as verb

    files = verb.Files(pdf, html)
    raise typer.Exit(verb.run(number, files, configs, time_zone, as_json=as_json))


@app.command(
    "export",
    epilog="Examples:  corneum records export 16 treatment-16.csv   "
    "corneum records export 16 treatment-16.json --time-zone Europe/London",
)
def records_export(
    number: Annotated[
        int, typer.Argument(help="Number of the treatment.", min=1, show_default=False)
    ],
    file: Annotated[
        Path, typer.Argument(help="The file to make: .csv, .json or .mcap says in which form.")
    ],
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="Clock of instants; that of this computer by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write one treatment for other programs: waveforms as a table, all of it as JSON, or the MCAP.

    A file that is there is not replaced.
    """
    from controller.cli import export as verb

    raise typer.Exit(verb.run(number, file, time_zone, as_json=as_json))


@app.command(
    "verify",
    epilog="Examples:  corneum records verify --json   corneum records verify --note report.txt",
)
def records_verify(
    note: Annotated[
        list[Path] | None,
        typer.Option("--note", help="A further note, such as the code of a report; - to paste."),
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Believe notes of this key, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every row of the record, and its end by its witnesses: edited, removed, cut, replaced.

    Exit code 0 when it is whole, or when every break of it was accepted, and no witness speaks
    against it; a record that never had one is told to be unproved at its end. Else 1.
    """
    from controller.cli import verify as verb

    raise typer.Exit(verb.run(note or (), key or (), as_json=as_json))


@app.command(
    "witness",
    epilog="Examples:  corneum records witness   corneum records witness --add /media/usb/corneum",
)
def records_witness(
    add: Annotated[
        Path | None, typer.Option("--add", help="Keep notes in this folder, too, from now on.")
    ] = None,
    new_key: Annotated[
        bool,
        typer.Option("--new-key", help="Make a new key; what the old one signed still counts."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign a note about the newest row of the record, and put it where its witnesses are.

    It is done by itself after each treatment.
    """
    from controller.cli import verify as verb

    raise typer.Exit(verb.tell(add, new_key=new_key, as_json=as_json))


@app.command(
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


@app.command(
    "backup", epilog="Example:  corneum records backup /media/usb/corneum-2026-11-30.sqlite3"
)
def records_backup(
    file: Annotated[
        Path, typer.Argument(help="The file to make; one that is there is not replaced.")
    ],
    as_json: Json = False,
) -> None:
    """Copy the record to one file and check the copy, also while a kernel runs."""
    from controller.cli import backup as verb

    raise typer.Exit(verb.run(file, as_json=as_json))


@app.command("upgrade", epilog="Example:  corneum records upgrade --json")
def records_upgrade(as_json: Json = False) -> None:
    """Convert a record of an earlier build that is too large for a start, or damaged.

    What is small and whole is converted when it is opened. No kernel may run meanwhile.
    """
    from controller.cli import records as verb

    raise typer.Exit(verb.upgrade(as_json=as_json))


@app.command("recover", epilog="Examples:  corneum records recover   corneum records recover 16")
def records_recover(
    treatment: Annotated[
        int | None,
        typer.Argument(
            min=1, metavar="[TREATMENT]", help="Whose waveforms; without it all, and the lists."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make anew what was cut off or damaged: lists of the record, files of waveforms.

    The rows of the record stay as they are, and a damaged file is kept beside the new one.
    """
    from controller.cli import records as verb

    raise typer.Exit(verb.recover(treatment, as_json=as_json))
