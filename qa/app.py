"""All commands of ``corneum-sim``: those of the device, and everything that QA adds to them.

`simulator.cli` knows the device alone and may not import the controller; this floor may. Each
command has a file of its own in `qa.commands` and imports what it needs when it is
called, so that ``corneum-sim serve`` starts as fast as without them; those of ``campaign`` are put
together in `qa.campaigns`. A `Refusal` of any of them is told here.
"""

from qa.campaigns import campaign
from qa.commands.conformance import conformance
from qa.commands.record import record
from qa.commands.replay import replay
from qa.commands.run import run
from simulator.cli import app
from simulator.refusals import told

__all__ = ["app", "campaign"]

for command, example in (
    (
        conformance,
        "Examples:  corneum-sim conformance --handpiece sim:   "
        "corneum-sim conformance --handpiece /dev/ttyUSB0 --case C68 --junit kit.xml",
    ),
    (record, "Example:  corneum-sim record --port /dev/ttyUSB0 --pty /tmp/tapped --out line.jsonl"),
    (replay, "Example:  corneum-sim replay line.jsonl --every"),
    (
        run,
        "Examples:  corneum-sim run configs/scenarios -j 2   "
        "corneum-sim run my-scenario.toml --seed 7 --report out",
    ),
):
    app.command(epilog=example)(told(command))
app.add_typer(campaign, name="campaign")
