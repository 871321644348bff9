"""``corneum-sim campaign realtime``: needless stops on a computer that others keep busy."""

import time
from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Resume, Seed, campaign_in, finish

N_DEFAULT: Final = 300
BUSY_DEFAULT: Final = 2
BUSY_MAX: Final = 64
WORKERS_MAX: Final = 64


def realtime(  # noqa: PLR0913 - one parameter per option of the command
    n: Annotated[int, typer.Option("--n", min=1, help="How many treatments.")] = N_DEFAULT,
    busy: Annotated[
        int,
        typer.Option(min=0, max=BUSY_MAX, help="Processes of ordinary priority that never rest."),
    ] = BUSY_DEFAULT,
    seed: Seed = 1,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", "-j", min=1, max=WORKERS_MAX,
            help="Treatments at once; each adds a unit and a kernel, so that more is harder.",
        ),
    ] = 1,
    resume: Resume = None,
    *,
    tcp: Annotated[
        bool, typer.Option("--tcp", help="The line is a socket, which no worker of Linux carries.")
    ] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Treat on real processes beside busy ones: 0 the goals hold, 1 one is missed."""
    from qa.campaigns.realtime import campaign  # noqa: PLC0415

    conditions = campaign.Conditions(seed, busy, workers, tcp)
    began_s = time.monotonic()
    with campaign_in(resume, conditions.name) as kept:
        results = campaign.run(n, conditions, kept)
    took_s = time.monotonic() - began_s
    figures = campaign.figures(results, conditions) | {"took_s": round(took_s, 1)}
    text = "\n".join([*campaign.lines(figures), f"{took_s:.0f} s"])
    finish(figures, text, as_json=as_json)
