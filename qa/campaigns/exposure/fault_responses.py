"""What the whole service does about each single fault, measured once, as data for campaigns.

A campaign of a million handpiece-seconds a second cannot run firmware and interlocks. It takes
their answers from here: how much faster crystals removed skin from the onset of a fault on, how
much of it the ledger charged, and for how many seconds of flow the valve stayed in use. The file
beside this module is drawn from runs of kernel, line and device in virtual time by
`python -m qa.campaigns.exposure.measure_faults`; a test measures some of it anew.
"""

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from qa.campaigns.exposure.treatments import FaultDraw

FILE: Final = Path(__file__).with_name("fault_responses.json")
BLIND: Final = frozenset({"motion-stuck"})
"""Faults that take the motion sensor away."""


@cache
def responses() -> Mapping[str, FaultDraw]:
    """Return the measured answer to every fault of the catalogue, by name."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["faults"]
    return {
        name: FaultDraw(
            name,
            tuple(run["true_gain"] for run in runs),
            tuple(run["seen_gain"] for run in runs),
            tuple(math.inf if run["lasts_s"] is None else run["lasts_s"] for run in runs),
            blind=name in BLIND,
        )
        for name, runs in rows.items()
    }


def response_of(name: str) -> FaultDraw:
    """Return the measured answer to one fault; KeyError where it was not measured."""
    return responses()[name]
