"""The device on a loop, in virtual time."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.link import Link, MessageReceived
from firmware_protocol.messages import Stop, Telemetry
from firmware_protocol.vocabulary import Mode
from qa.host import ScriptedHost, greeting
from qa.loop import run_virtual
from simulator.control import Control
from simulator.handpiece import Handpiece, Happening
from simulator.host import CATCH_UP_MAX_S, DeviceHost
from simulator.line import Weather


class Desk:
    """A device on the running loop, and what it wrote when."""

    def __init__(self, hand: str = "absent") -> None:
        self.loop = asyncio.get_running_loop()
        self.happened: list[Happening] = []
        self.wrote: list[tuple[float, bytes]] = []
        self.device = Handpiece(1, hand, events=self.happened.append)
        self.host = DeviceHost(self.device, self.loop, self._write)
        self.host.start()
        self.control = Control(self.host)

    def _write(self, data: bytes) -> None:
        self.wrote.append((self.loop.time(), data))

    def ask(self, **request: object) -> dict[str, Any]:
        return self.control.answer(json.dumps(request).encode())

    async def hello(self) -> None:
        host = ScriptedHost()
        host.request(greeting(5), 0.0)
        self.host.receive(host.link.outgoing())
        await asyncio.sleep(0.2)


def virtual(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario that takes no arguments."""
    run_virtual(scenario())


def test_the_loop_paces_the_device_and_telemetry_comes_on_time() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.hello()
        desk.wrote.clear()
        await asyncio.sleep(10.0)
        desk.host.stop()
        assert desk.device.now_s == pytest.approx(10.2, abs=0.02)
        assert 499 <= len(desk.wrote) <= 551  # TELEMETRY, and STATUS by itself or beside it
        gaps = [b[0] - a[0] for a, b in pairwise(desk.wrote)]
        assert max(gaps) == pytest.approx(0.025, abs=1e-6)

    virtual(scenario)


def test_bytes_are_answered_at_the_instant_they_arrive() -> None:
    async def scenario() -> None:
        desk = Desk()
        await asyncio.sleep(0.5033)
        link = Link(Direction.TO_DEVICE)
        link.request(greeting(5), 0.0)
        desk.host.receive(link.outgoing())
        assert [at_s for at_s, _ in desk.wrote] == [desk.loop.time()]
        desk.host.stop()

    virtual(scenario)


def test_a_device_that_was_stopped_lags_behind_instead_of_spinning() -> None:
    async def scenario() -> None:
        desk = Desk()
        await asyncio.sleep(1.0)
        desk.host.stop()  # the process stands still
        await asyncio.sleep(100.0)
        desk.host.advance()
        assert desk.device.now_s == pytest.approx(1.0 + CATCH_UP_MAX_S, abs=0.02)
        assert desk.host.lagged_s == pytest.approx(100.0 - CATCH_UP_MAX_S, abs=0.02)
        assert desk.happened[-1]["kind"] == "clock"
        desk.host.stop()
        desk.host.stop()

    virtual(scenario)


@pytest.mark.hazard("H10")
def test_a_silent_line_is_dead_both_ways_and_the_device_goes_on() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.hello()
        reply = desk.ask(do="line", silent=True)
        assert (reply["ok"], reply["t_s"], reply["silent"]) == (True, 0.2, True)
        desk.wrote.clear()
        desk.host.receive(b"\x00junk\x00")
        await asyncio.sleep(1.0)
        assert desk.wrote == []
        assert desk.device.firmware.link.bad_frames == 0
        assert desk.ask(do="line", silent=False)["ok"]
        await asyncio.sleep(0.1)
        assert desk.wrote != []
        desk.host.stop()

    virtual(scenario)


@pytest.mark.hazard("H11")
def test_weather_delays_loses_and_damages_in_both_directions() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.host.set_weather(Weather(delay_s=0.004))
        link = Link(Direction.TO_DEVICE)
        await asyncio.sleep(0.5)
        link.request(greeting(5), 0.0)
        desk.host.receive(link.outgoing())
        assert desk.wrote == []
        await asyncio.sleep(0.1)
        assert desk.wrote[0][0] == pytest.approx(0.508, abs=0.002)
        assert desk.ask(do="line", flip_rate=0.5, loss=0.1)["ok"]
        for _ in range(20):
            desk.host.receive(link.send(Stop(0)))
            await asyncio.sleep(0.02)
        assert desk.device.firmware.link.bad_frames > 0
        assert desk.ask(do="line", silent=True)["ok"]
        await asyncio.sleep(0.1)
        desk.host.stop()

    virtual(scenario)


def test_the_control_channel_moves_the_hand_and_the_faults_and_tells_the_state() -> None:
    async def scenario() -> None:
        desk = Desk()
        await asyncio.sleep(0.5)
        for action in ("place", "press", "hold_still"):
            assert desk.ask(do="hand", action=action) == {"ok": True, "t_s": 0.5}
        await asyncio.sleep(0.1)
        state = desk.ask(do="state")
        assert state["ok"]
        assert state["contact"]
        assert state["mode"] == Mode.DISARMED.name
        assert desk.ask(do="hand", action="auto")["ok"]
        assert desk.ask(do="hand", action="lift")["ok"]
        assert desk.ask(do="hand", action="release")["ok"]
        assert desk.ask(do="zone", area_cm2=4)["area_cm2"] == 4.0
        reply = desk.ask(do="fault", name="clog")
        assert (reply["hazards"], reply["active"]) == (("H06",), ["clog"])
        assert desk.ask(do="fault", name="clog", clear=True)["active"] == []
        desk.host.stop()

    virtual(scenario)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "that is not JSON"),
        (b"\xff\xfe", "that is not JSON"),
        (b"[]", "a request is one JSON object"),
        (b'{"do": "dance"}', "'do' is 'dance', and must be one of hand, zone, fault, line, state"),
        (b"{}", "'do' is None"),
        (b'{"do": "hand", "action": "wave"}', "'action' is 'wave', and must be one of press,"),
        (b'{"do": "fault", "name": "rust"}', "there is no fault 'rust'; choose one of"),
        (b'{"do": "fault", "name": "clog", "clear": 1}', "clear is 1, and must be true or false"),
        (b'{"do": "line", "silent": "yes"}', "silent is 'yes', and must be true or false"),
        (b'{"do": "line", "loss": "all"}', "loss is 'all', and must be a number"),
        (b'{"do": "line", "loss": true}', "loss is True, and must be a number"),
        (b'{"do": "line", "loss": 2}', "loss is 2.0, and must be 0 to 1"),
        (b'{"do": "zone"}', "area_cm2 is None, and must be a number"),
        (b'{"do": "zone", "area_cm2": NaN}', "area_cm2 is nan, and must be above 0"),
        (b'{"do": "zone", "area_cm2": 1001}', "area_cm2 is 1001, and must be above 0"),
    ],
)
def test_the_control_channel_answers_nonsense_in_one_sentence(line: bytes, error: str) -> None:
    async def scenario() -> None:
        desk = Desk()
        reply = desk.control.answer(line)
        assert reply["ok"] is False
        assert error in reply["error"]
        desk.host.stop()

    virtual(scenario)


def test_each_telemetry_frame_carries_the_tick_it_was_made_at() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.hello()
        link = Link(Direction.TO_DEVICE)
        link.open_session(desk.device.firmware.link.session, 0.0)
        desk.wrote.clear()
        await asyncio.sleep(2.0)
        desk.host.stop()
        seen = [
            event.message
            for _, data in desk.wrote
            for event in link.receive(data, 0.0)
            if isinstance(event, MessageReceived)
        ]
        ticks = [message.tick_ms for message in seen if isinstance(message, Telemetry)]
        assert {b - a for a, b in pairwise(ticks)} == {15, 20, 25}

    virtual(scenario)
