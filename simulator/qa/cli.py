"""The command ``corneum-sim`` with everything that QA adds to it: the one place where it is added.

`simulator.cli` knows the device alone and may not import the controller; this floor may. Each
command has a file of its own in `simulator.qa.commands` and imports what it needs when it is
called, so that ``corneum-sim serve`` starts as fast as without them; those of ``campaign`` are put
together in `simulator.qa.campaigns`.
"""

from simulator.cli import app, main
from simulator.qa.campaigns import campaign
from simulator.qa.commands.conformance import conformance
from simulator.qa.commands.record import record
from simulator.qa.commands.replay import replay
from simulator.qa.commands.run import run

__all__ = ["app", "campaign", "main"]

app.command()(conformance)
app.command()(record)
app.command()(replay)
app.command()(run)
app.add_typer(campaign, name="campaign")

if __name__ == "__main__":
    main()
