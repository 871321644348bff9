"""Whole treatments in virtual time between a host and a unit of neighbouring minor versions."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from firmware_protocol.vocabulary import Cause
from qa import rig
from qa.loop import run_virtual
from simulator.handpiece import Handpiece
from simulator.host import DeviceHost
from tests.firmware_protocol.next_minor import NextMinor, next_minor

FLOWING_MAX_S = 30.0


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextMinor]:
    with next_minor(tmp_path_factory.mktemp("next")) as made:
        yield made


def _treated(place: ModuleType) -> tuple[dict[str, Any], int, int]:
    """Run one treatment; return the last snapshot and both ends' counts of bad frames."""

    async def scenario() -> tuple[dict[str, Any], int, int]:
        async with place.service() as made:
            snapshot = await made.treat("refresh", zones=["nose"])
            unit = made.rig.handpiece.firmware.link
            return snapshot, unit.bad_frames, int(snapshot["link"]["bad_frames"])

    return run_virtual(scenario())


@pytest.mark.hazard("H33")
def test_this_host_treats_with_a_unit_of_the_next_minor(
    later: NextMinor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig, "Handpiece", later.get("simulator.handpiece", "Handpiece"))
    monkeypatch.setattr(rig, "DeviceHost", later.get("simulator.host", "DeviceHost"))
    snapshot, at_unit, at_host = _treated(rig)
    assert snapshot["treatment"]["outcome"] == "completed"
    assert (at_unit, at_host) == (0, 0)


@pytest.mark.hazard("H33")
def test_a_host_of_the_next_minor_treats_with_this_unit(
    later: NextMinor, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = later.module("qa.rig")
    monkeypatch.setattr(place, "Handpiece", Handpiece)
    monkeypatch.setattr(place, "DeviceHost", DeviceHost)
    snapshot, at_unit, at_host = _treated(place)
    assert snapshot["treatment"]["outcome"] == "completed"
    assert (at_unit, at_host) == (0, 0)


@pytest.mark.hazard("H33")
def test_a_trip_of_the_next_minor_is_shown_by_its_older_cause_and_reset_under_that_name(
    later: NextMinor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig, "Handpiece", later.get("simulator.handpiece", "Handpiece"))
    monkeypatch.setattr(rig, "DeviceHost", later.get("simulator.host", "DeviceHost"))
    worn = later.get("firmware_protocol.vocabulary", "Cause").TIP_WORN

    async def scenario() -> tuple[str, str]:
        async with rig.service() as made:
            await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            await made.until(lambda: made.rig.flows, FLOWING_MAX_S)
            board = made.rig.handpiece.firmware.board
            board.trip(worn)
            await made.until(lambda: made.snapshot()["live"]["mode"] == "safe", 1.0)
            cause = made.snapshot()["live"]["cause"]
            made.rig.handpiece.hand.release()
            await asyncio.sleep(1.0)
            await made.ask("ack")
            await made.ask("reset")
            await made.until(lambda: board.mode.name == "DISARMED", 5.0)
            return cause, board.cause.name

    assert run_virtual(scenario()) == (Cause.TIP_CHANGED.name.lower(), "NONE")


def test_the_copies_are_those_of_this_checkout(later: NextMinor) -> None:
    path = Path(str(later.module("controller.device.greeting").__file__))
    assert "next_controller" in path.parts
