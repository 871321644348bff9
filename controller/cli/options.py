"""Options that many commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

from controller.config.locate import CONFIGS_VARIABLE

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Configs = Annotated[
    Path | None,
    typer.Option(
        "--configs",
        envvar=CONFIGS_VARIABLE,
        help="Folder of programs, clients, handpieces and skin; the shipped one by default.",
    ),
]
