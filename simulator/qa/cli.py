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

app.command(
    epilog="Examples:  corneum-sim conformance --handpiece sim:   "
    "corneum-sim conformance --handpiece /dev/ttyUSB0 --case C68 --junit kit.xml"
)(conformance)
app.command(
    epilog="Example:  corneum-sim record --port /dev/ttyUSB0 --pty /tmp/tapped --out line.jsonl"
)(record)
app.command(epilog="Example:  corneum-sim replay line.jsonl --every")(replay)
app.command(
    epilog="Examples:  corneum-sim run configs/scenarios -j 2   "
    "corneum-sim run my-scenario.toml --seed 7 --report out"
)(run)
app.add_typer(campaign, name="campaign")

if __name__ == "__main__":
    main()
