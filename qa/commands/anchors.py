"""``corneum-sim anchors``: what the publications say of the rate, and what moves."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Seed, refuse

DRAWS_MIN: Final = 10_000
DRAWS_MAX: Final = 20_000_000


def anchors(
    configs: Annotated[
        Path | None,
        typer.Option(help="Folder with skin/anchors.toml; the shipped one if not given."),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=DRAWS_MIN, max=DRAWS_MAX, help="Draws from the priors.")
    ] = 400_000,
    seed: Seed = 1,
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="Write the numbers where they are used.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put what was seen of crystals on skin together with what was believed before.

    Reads skin/anchors.toml: type what a paper says into it, and see what moves. Nothing is written
    without --renew; then the simulated skin and the controller's removal.toml have the new numbers.
    """
    try:
        from qa.anchors import renew as writing  # noqa: PLC0415 - numpy only for those who ask
        from qa.anchors import told  # noqa: PLC0415
        from qa.anchors.posterior import AnchorsDisagreeError  # noqa: PLC0415
        from qa.anchors.rows import load_anchors  # noqa: PLC0415
    except ImportError:
        refuse("this needs numpy and scipy: pip install 'corneum-qa[campaign]'")
    from controller.config.errors import ConfigError  # noqa: PLC0415
    from controller.config.locate import shipped_configs  # noqa: PLC0415

    folder = configs or shipped_configs()
    try:
        found = told.findings_of(load_anchors(folder), folder, draws, seed)
        written = writing.renew(found, folder) if renew else ()
    except (ConfigError, AnchorsDisagreeError, writing.LineMissingError) as error:
        refuse(str(error))
    if as_json:
        typer.echo(json.dumps(told.as_json(found)))
        return
    for line in told.lines_of(found):
        typer.echo(line)
    for path in written:
        typer.echo(f"written: {path}")
