"""The command ``corneum-sim`` with everything that QA adds to it: the one place where it is added.

`simulator.cli` knows the device alone and may not import the controller; this floor may. Each
command has a file of its own in `simulator.qa.commands` and imports what it needs when it is
called, so that ``corneum-sim serve`` starts as fast as without them.
"""

import typer

from simulator.cli import app, main
from simulator.qa.commands.conformance import conformance
from simulator.qa.commands.record import record
from simulator.qa.commands.replay import replay
from simulator.qa.commands.run import run

__all__ = ["app", "campaign", "main"]

campaign = typer.Typer(no_args_is_help=True)


@campaign.callback()
def _campaign() -> None:
    """Many runs at once, in virtual time."""


app.command()(conformance)
app.command()(record)
app.command()(replay)
app.command()(run)
app.add_typer(campaign, name="campaign")
# A campaign is one line here: campaign.command()(matrix)

if __name__ == "__main__":
    main()
