"""Faults over the control channel, end to end: the unit's events and the controller's record."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.config.paths import journal_path
from controller.record.chain import BODY
from simulator.plant.faults import FAULTS
from tests.processes.scenes import bring_to
from tests.processes.service import COMMAND_MAX_S, command, corneum, kernel, started, unit

pytestmark = pytest.mark.realtime

READ_MAX_S = 5.0  # it takes one second; the machine may be busy
SETTLE_S = 2.5  # the one look that still belongs to a treatment comes a second after its end
END_MAX_S = 10.0  # purge and vent take four
CREEP = FAULTS["suction-a-creep"].number
LINE = 0


def sim(folder: Path, *words: str) -> str:
    """Run a command of the simulator on its control channel."""
    call = [command("corneum-sim"), *words, "--control", str(folder / "control")]
    with started(call) as process:
        out, _ = process.communicate(timeout=COMMAND_MAX_S)
        assert process.returncode == 0, out
        return out


def injected(state: Path) -> list[tuple[int, dict[str, Any]]]:
    with closing(sqlite3.connect(journal_path(state))) as connection:
        found = connection.execute(
            f"SELECT treatment, {BODY} FROM journal"  # noqa: S608
            " WHERE kind = 'fault_injected' ORDER BY id"
        )
        return [(treatment, json.loads(body)) for treatment, body in found]


def until_rows(state: Path, count: int) -> list[tuple[int, dict[str, Any]]]:
    end_s = time.monotonic() + READ_MAX_S
    while len(found := injected(state)) < count and time.monotonic() < end_s:
        time.sleep(0.05)
    return found


def until_ended(state: Path) -> None:
    """Wait until the end of the treatment is in the record."""
    end_s = time.monotonic() + END_MAX_S
    while time.monotonic() < end_s:
        with closing(sqlite3.connect(journal_path(state))) as connection:
            if connection.execute("SELECT 1 FROM journal WHERE kind = 'ended'").fetchone():
                return
        time.sleep(0.05)


def test_what_is_injected_is_marked_in_the_events_in_the_record_and_in_the_status(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with unit(tmp_path) as device, kernel(device, state) as host:
        bring_to("ACTIVE", device, host)
        injected_s = device.do("fault", name="suction-a-creep")["t_s"]
        until_rows(state, 1)
        host.ask("stop")
        device.witness.wait_for("mode", 10.0, injected_s, mode="DISARMED")
        sim(tmp_path, "hand", "release")
        assert device.witness.events("hand", injected_s, action="release")
        sim(tmp_path, "line", "--loss", "0.02")
        until_ended(state)  # the fault outlives the treatment
        time.sleep(SETTLE_S)
        assert "is over" in sim(tmp_path, "fault", "suction-a-creep", "--clear")
        rows = until_rows(state, 3)
        shown = corneum(state, "status", "--port", device.port)
        said = json.loads(sim(tmp_path, "ask", "state", "--json"))
        tail = sim(tmp_path, "ask", "events", "--last", "3")
    assert [(body["fault"], body["active"]) for _, body in rows] == [
        (CREEP, True), (LINE, True), (CREEP, False),
    ]  # fmt: skip
    assert [treatment for treatment, _ in rows][::2] == [1, 0]
    assert all(body["simulated"] is True for _, body in rows)
    marked = [event for event in device.witness.events() if event["kind"] in ("fault", "line")]
    assert [event["simulated"] for event in marked] == [True, True, True]
    assert f"simulated fault {CREEP} (see FAULTS.md): over" in shown.out
    assert said["faults"] == []
    assert '"kind": "fault"' in tail
