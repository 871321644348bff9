"""STOP: from the command line, from anybody, and by Ctrl-C; always an orderly end."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from controller.api.ask import ask
from controller.config.paths import socket_path
from firmware_protocol.envelope import BUDGET_FLOW_S, PURGE_S
from tests.processes.service import (
    COMMAND_MAX_S,
    FAR_AWAY,
    Done,
    Unit,
    corneum,
    corneum_started,
    unit,
)
from tests.processes.side_by_side import side_by_side
from tests.processes.witness import Witness

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

PREPARED_MAX_S = 20.0
OPEN_MAX_S = 5.0
VENTED_MAX_KPA = 3.0

Stopping = Callable[[Unit, Path, Popen[str]], None]


def _over_the_api(device: Unit, state: Path, _: Popen[str]) -> None:
    answer = ask(socket_path(state, device.port), "stop", {}, FAR_AWAY)
    assert answer["ok"] is True


def _by_command(device: Unit, state: Path, _: Popen[str]) -> None:
    done = corneum(state, "stop", "--port", device.port)
    assert (done.code, done.err) == (0, "")


def _by_ctrl_c(_device: Unit, _state: Path, command: Popen[str]) -> None:
    command.send_signal(signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Ended:
    """What is there to see after a stop."""

    witness: Witness
    asked_s: float
    suction_kpa: float
    done: Done


def _treat_and_stop(stopping: Stopping, folder: Path) -> Ended:
    state = folder / "state"
    words = ("treat", "patch-test", "--client", "demo", "--json")
    with (
        unit(folder, hand="average") as device,
        corneum_started(state, *words, "--port", device.port) as command,
    ):
        device.witness.wait_for("mode", PREPARED_MAX_S, mode="ACTIVE")
        device.witness.wait_for("valve", OPEN_MAX_S)
        asked_s = device.now_s
        stopping(device, state, command)
        out, err = command.communicate(timeout=COMMAND_MAX_S)
        suction_kpa = float(device.do("state")["suction_kpa"])
        return Ended(device.witness, asked_s, suction_kpa, Done(command.returncode, out, err))


@pytest.fixture(scope="module")
def stopped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Stopping], Ended]]:
    with side_by_side(request, "stopping", _treat_and_stop, tmp_path_factory) as stopped_by:
        yield stopped_by


@pytest.mark.hazard("H49", shows="works")
@pytest.mark.parametrize("stopping", [_over_the_api, _by_command, _by_ctrl_c])
def test_a_stop_ends_in_order(stopping: Stopping, stopped: Callable[[Stopping], Ended]) -> None:
    end = stopped(stopping)
    witness = end.witness
    (stop,) = witness.events("stop")
    purge, rest = witness.events("mode", stop["t_s"])
    shut_s = witness.shut_s(stop["t_s"])
    assert witness.open_at(end.asked_s)
    assert stop["stop_kind"] == "NORMAL"
    assert shut_s <= stop["t_s"] + BUDGET_FLOW_S
    assert witness.openings(shut_s) == []
    assert (purge["from"], purge["mode"]) == ("ACTIVE", "STOPPING")
    assert (rest["from"], rest["mode"]) == ("STOPPING", "DISARMED")
    assert rest["t_s"] - purge["t_s"] >= PURGE_S
    assert end.suction_kpa <= VENTED_MAX_KPA
    assert witness.events("trip") == []
    assert end.done.said["outcome"] == "stopped"
    assert end.done.code == 5  # stopped by a person
