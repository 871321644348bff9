"""The verbs of `corneum config`: the files of the service, before anything is treated."""
# As in `app.py`: the parameters are options, and the late imports keep the start of others quick.
# ruff: noqa: FBT002, PLC0415

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="Make, find and check the files of the service.")


@app.command(
    epilog="Examples:  corneum config check my-program.toml   corneum config check ~/corneum"
)
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Files or folders; the folder of `config path` by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read programs, units, sites and clients, and name every mistake."""
    from controller.cli import config_check as verb

    raise typer.Exit(verb.run(tuple(files or ()), as_json=as_json))


@app.command(epilog="Example:  corneum config init ~/corneum")
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder; it is made where there is none.")
    ],
    as_json: Json = False,
) -> None:
    """Copy the shipped programs, skin data and examples of unit and client into a folder.

    A file that is there already stays as it is.
    """
    from controller.cli import config_init as verb

    raise typer.Exit(verb.run(folder, as_json=as_json))


@app.command(epilog="Example:  corneum config path --json")
def path(as_json: Json = False) -> None:
    """Say which folder is used and why, and which others were looked at.

    Exit code 0 when it has what a treatment needs, 1 when not.
    """
    from controller.cli import config_path as verb

    raise typer.Exit(verb.run(as_json=as_json))


@app.command(epilog="Examples:  corneum config schema program   corneum config schema")
def schema(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="program, client, handpiece, sites, removal or approvals; all, when left out.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for an editor that completes and checks."""
    from controller.cli import config_schema as verb

    raise typer.Exit(verb.run(kind))
