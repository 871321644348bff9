"""Every fault on the whole service: kernel, bytes of the line and device; both ends end safely.

Here the host judges too, and often stops before the device has to. What the device must do alone is
in `test_fault_matrix`; what is added here is that the two agree about the end.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from firmware_protocol.vocabulary import Mode
from qa.host import Ill
from qa.loop import run_virtual
from qa.matrix.cells import Stage, wrongs
from qa.matrix.rows import ROWS, Row
from qa.matrix.witness import Due, Sworn
from qa.rig import Rig
from tests.qa.stopping import block, watched

OTHERS = ("preparing", "armed", "paused", "stopping")
OF_THE_HOST = (Ill.KILLED, Ill.SAME_FRAME, Ill.SAME_COUNTER, Ill.SAME_ECHO, Ill.ASKS_ON)
"""Ills that this kernel cannot have while it runs here."""

SHOWN = [row for row in ROWS.values() if row.ill not in OF_THE_HOST and row.lasts_s < 20.0]
CELLS = [(row.name, "active") for row in SHOWN] + [
    (row.name, OTHERS[number % len(OTHERS)]) for number, row in enumerate(SHOWN)
]
OVER = ("tripped", "refused", "stopping", "stopped", "completed", "preparing", "cleared")
"""What the kernel may hold true of a device that is not armed."""


class Ended(NamedTuple):
    """How the two ends stood, half a second after the fault had lasted."""

    sworn: Sworn
    state: str
    alarms: int
    tripped_by: str
    """What the host holds for the cause; empty where it did not trip."""


def ended_by(
    row: Row,
    state: str,
    before: Callable[[Rig], None] = lambda _rig: None,
    due: Due | None = None,
) -> Ended:
    """Let a fault befall the service in a state, after ``before`` was done to its device.

    ``due`` is when it has to lead to safety, where that is not as its row says.
    """

    async def scenario() -> Ended:
        async with watched() as made:
            before(made.rig)
            await made.bring_to(state)
            device, witness = made.rig.handpiece, made.witness
            witness.hand.working, witness.hand.still = True, row.still
            witness.begin(row.onset, row.due if due is None else due, jammed=row.jammed)
            for name in row.faults:
                device.set_fault(name)
            if row.weather is not None:
                made.rig.device.set_weather(row.weather)
            made.rig.device.silent = row.silent
            if row.ill is Ill.FROZEN:
                block(made.rig, row.lasts_s)
            else:
                await asyncio.sleep(row.lasts_s)
            witness.wrong = False
            await asyncio.sleep(0.5)
            conductor = made.kernel.control._conductor
            cause = "" if conductor is None else conductor.conduct.tripped_by
            ended = Ended(witness.end(), made.state, len(made.snapshot()["alarms"]), cause)
            if not made.rig.device.silent:
                made.stop()
            return ended

    return run_virtual(scenario(), limit_s=300.0)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param(name, state, marks=pytest.mark.hazard(*ROWS[name].hazards, shows="works"))
        for name, state in CELLS
    ],
)
def test_both_ends_of_the_service_end_safely_and_agree(name: str, state: str) -> None:
    row = ROWS[name]
    ended = ended_by(row, state)
    assert not list(wrongs(row, Stage.ACTIVE, ended.sworn))
    if ended.sworn.last_mode is Mode.SAFE:
        assert ended.state in OVER
        assert ended.alarms or ended.state in ("refused", "stopping", "stopped")
    if ended.state == "tripped":
        assert ended.sworn.last_mode in (Mode.SAFE, Mode.DISARMED, Mode.STOPPING)
