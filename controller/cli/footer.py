"""The last line of a view: what the keys do in the state that is shown, and nothing else."""

from collections.abc import Callable
from typing import Final

from controller.api.snapshot import Snapshot
from controller.cli.words import HOLDING, UNDER_WAY

Footer = Callable[[Snapshot, int], str]
"""Says it of a snapshot, where somebody has pressed Ctrl-C so often already."""

_NO_MORE: Final = 2
"""The second Ctrl-C vents at once; a third one does nothing more."""


def of_treatment(snapshot: Snapshot, ending: int) -> str:
    """Return what the keys do on the screen of `corneum treat`."""
    if snapshot.state in UNDER_WAY and ending == 0:
        return f"{_p(snapshot)}, Ctrl-C ends the treatment in order."
    if snapshot.state not in UNDER_WAY and snapshot.state != "stopping":
        return ""
    if ending >= _NO_MORE:
        return ""
    return "Ctrl-C again vents at once." if ending else "Ctrl-C twice vents at once."


def of_view(snapshot: Snapshot, _ending: int) -> str:
    """Return what the keys do on the screen of `corneum watch`."""
    if snapshot.state in UNDER_WAY:
        return f"{_p(snapshot)}, Ctrl-C ends only this view; `corneum stop` stops."
    if snapshot.state == "stopping":
        return "Ctrl-C ends only this view; `corneum stop --emergency` vents at once."
    return "Ctrl-C ends this view."


def _p(snapshot: Snapshot) -> str:
    held = HOLDING.intersection(alarm.code for alarm in snapshot.alarms)
    return "p goes on" if held else "p pauses"
