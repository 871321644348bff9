"""``corneum-sim campaign``: many runs at once, a subcommand a file."""

import typer

from simulator.qa.commands.campaign_matrix import matrix
from simulator.qa.commands.campaign_realtime import realtime
from simulator.qa.commands.campaign_stop import stop
from simulator.qa.commands.campaign_storm import storm
from simulator.qa.commands.campaign_treatments import treatments
from simulator.refusals import told

campaign = typer.Typer(no_args_is_help=True)


@campaign.callback()
def _campaign() -> None:
    """Many runs at once: in virtual time, or of real processes."""


for command in (matrix, realtime, stop, storm, treatments):
    campaign.command()(told(command))
