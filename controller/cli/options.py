"""Options that many commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.numbers import number
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
Port = Annotated[
    str | None,
    typer.Option(
        "--port", help="Port of the handpiece: a path, tcp://host:port or tcp://[::1]:port."
    ),
]
Program = Annotated[
    str, typer.Argument(help="Program name, such as `refresh`.", show_default=False)
]
ClientRef = Annotated[
    str, typer.Option("--client", help="Pseudonymous client reference; `demo` is for practice.")
]
Zones = Annotated[
    str | None, typer.Option("--zones", help="Only these zones, with commas: nose,chin.")
]
Suction = Annotated[
    float | None,
    typer.Option(
        "--suction-kpa", parser=number, metavar="KPA", help="Lower the program's suction to this."
    ),
]
Flow = Annotated[
    float | None,
    typer.Option(
        "--flow-g-per-min",
        parser=number,
        metavar="G_PER_MIN",
        help="Lower the crystal flow to this.",
    ),
]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Why a zone is treated again within 10 days.")
]

Tip = Annotated[
    str | None,
    typer.Option("--tip", help="Label of the tip, once after each change of it: --tip A-1042."),
]
