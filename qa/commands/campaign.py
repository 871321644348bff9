"""``corneum-sim campaign``: many runs at once, a subcommand a file."""

import typer

from qa.commands.campaign_kills import kills
from qa.commands.campaign_matrix import matrix
from qa.commands.campaign_realtime import realtime
from qa.commands.campaign_stop import stop
from qa.commands.campaign_storm import storm
from qa.commands.campaign_treatments import treatments
from simulator.refusals import told

campaign = typer.Typer(no_args_is_help=True)


@campaign.callback()
def _campaign() -> None:
    """Many runs at once: in virtual time, or of real processes."""


for command, example in (
    (kills, "Example:  corneum-sim campaign kills --n 1000 --seed 1 --resume kills.jsonl"),
    (
        matrix,
        "Examples:  corneum-sim campaign matrix --n 500 --report out   "
        "corneum-sim campaign matrix --full --resume matrix.jsonl",
    ),
    (
        realtime,
        "Example:  corneum-sim campaign realtime --n 300 --busy 2 --resume realtime.jsonl",
    ),
    (stop, "Example:  corneum-sim campaign stop --n 1000 --seed 1"),
    (
        storm,
        "Examples:  corneum-sim campaign storm --n 1000 --seed 7 --report out   "
        "corneum-sim campaign storm --seed 7 --only 42",
    ),
    (
        treatments,
        "Example:  corneum-sim campaign treatments --program refresh --n 4000 --report out",
    ),
):
    campaign.command(epilog=example)(told(command))
