"""It fails safe: whatever befalls the host, the device shuts the valve in time by itself.

Real processes on a real pty; the only witness is the device's own event file, in its own time.
"""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from firmware_protocol.envelope import BUDGET_SWITCH_S, LEASE_DEFAULT_MS, LEASE_MARGIN_S
from tests.processes.scenes import SCENES, Played, Scene, Trouble, bring_to, play
from tests.processes.service import kernel, unit
from tests.processes.side_by_side import side_by_side

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

LEASE_S = LEASE_DEFAULT_MS / 1000
BUDGET_S = LEASE_S + LEASE_MARGIN_S
PlayOf = Callable[[Scene], Played]


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlayOf]:
    # a kernel that spins has real-time priority: it would hold up the bytes of scenes beside it
    with side_by_side(
        request, "scene", play, tmp_path_factory, lambda scene: scene.trouble is Trouble.BUSY
    ) as play_of:
        yield play_of


def _note(request: pytest.FixtureRequest, name: str, seconds: float) -> None:
    """Leave a measured time in the report of the run."""
    request.node.user_properties.append((name, f"{seconds:.3f}"))


HAZARDS = {
    Trouble.KILLED: ("H12",),
    Trouble.FROZEN: ("H14",),
    Trouble.SILENT: ("H10", "H44"),
    Trouble.BUSY: ("H14",),
}


def _cases() -> list[ParameterSet]:
    return [
        pytest.param(
            scene, id=str(scene), marks=pytest.mark.hazard(*HAZARDS[scene.trouble], shows="works")
        )
        for scene in SCENES
    ]


@pytest.mark.parametrize("scene", _cases())
def test_the_valve_shuts_within_250_ms_and_never_opens_again(
    scene: Scene, played: PlayOf, request: pytest.FixtureRequest
) -> None:
    seen = played(scene)
    witness = seen.witness
    (lapsed,) = witness.events("lease", seen.troubled_s, state="lapsed")
    last_setpoint_s = lapsed["t_s"] - LEASE_S
    (trip,) = witness.events("trip")
    shut_s = max(witness.shut_s(seen.troubled_s), lapsed["t_s"])
    _note(request, "shut_after_last_setpoint_s", shut_s - last_setpoint_s)
    _note(request, "shut_after_trouble_s", shut_s - seen.troubled_s)

    assert seen.was_open is (scene.mode == "ACTIVE")
    assert trip["cause"] == "LEASE_LAPSED"
    assert shut_s <= last_setpoint_s + BUDGET_S
    assert shut_s <= seen.troubled_s + BUDGET_S
    (safe,) = witness.events("mode", mode="SAFE")
    assert safe["from"] == scene.mode
    assert safe["t_s"] <= last_setpoint_s + BUDGET_S
    assert witness.mode == "SAFE"
    assert witness.openings(shut_s) == []
    assert seen.ended_s >= shut_s + 1.0
    assert seen.host_state == ("killed" if scene.trouble is Trouble.KILLED else "tripped")


@pytest.mark.hazard("H14", "H18", shows="works")
def test_a_released_hand_switch_shuts_within_100_ms_while_the_host_is_frozen(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with unit(tmp_path) as device, kernel(device, tmp_path / "state") as host:
        bring_to("ACTIVE", device, host)
        host.send(signal.SIGSTOP)
        released_s = device.hand("release")
        witness = device.witness
        witness.wait_for("mode", 5.0, mode="SAFE")
        time.sleep(0.3)

        switch = witness.wait_for("switch", 1.0, released_s, pressed=False)
        shut_s = witness.shut_s(released_s)
        (lapsed,) = witness.events("lease", released_s, state="lapsed")
        _note(request, "shut_after_release_s", shut_s - released_s)
        assert witness.open_at(released_s)
        assert shut_s <= switch["t_s"] + BUDGET_SWITCH_S
        assert shut_s <= released_s + BUDGET_SWITCH_S
        assert shut_s < lapsed["t_s"]  # the switch shut it, not the lease
        assert witness.openings(shut_s) == []
