"""The control channel: every verb of its table, and what it refuses."""

import asyncio
import json
import math
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_protocol.vocabulary import FAULT_OVER, LogCode
from qa.loop import VirtualLoop
from simulator.control import CLIENTS_MAX, LINE_MAX_BYTES, Control
from simulator.control_client import NobodyThereError, ask
from simulator.control_verbs import EVENTS_MAX, HAND_ACTIONS, LINE_FAULT, VERBS, _plain
from simulator.handpiece import Handpiece, Happening
from simulator.host import DeviceHost
from simulator.plant.faults import FAULTS
from simulator.plant.signals import PlantTruth


class Desk:
    """A device with a control channel, on a loop whose time the test moves."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.happened: list[Happening] = []
        self.device = Handpiece(1, "absent", events=self.happened.append)
        self.host = DeviceHost(self.device, self.loop, lambda _data: None)
        self.control = Control(self.host)
        self.host.start()

    def runs(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def ask(self, **request: object) -> dict[str, Any]:
        """Ask, and see that the answer can be sent."""
        said: dict[str, Any] = json.loads(
            json.dumps(self.control.answer(json.dumps(request).encode()), allow_nan=False)
        )
        return said

    def injected(self) -> list[int]:
        log = self.device.memory.log
        records = [log.read(seq) for seq in range(1, log.newest_seq + 1)]
        return [each.arg for each in records if each and each.code is LogCode.FAULT_INJECTED]

    def of(self, kind: str) -> list[Happening]:
        return [event for event in self.happened if event["kind"] == kind]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.runs(0.5)
    yield made
    made.host.stop()
    made.loop.close()


@pytest.mark.parametrize("do", [do for do, verb in VERBS.items() if not verb.fields])
def test_every_question_is_answered_with_the_time(desk: Desk, do: str) -> None:
    answer = desk.ask(do=do)
    assert answer["ok"] is True
    assert answer["t_s"] == 0.5


@pytest.mark.parametrize("do", VERBS)
def test_a_field_that_a_verb_does_not_have_is_refused_and_nothing_is_done(
    desk: Desk, do: str
) -> None:
    proper: dict[str, dict[str, Any]] = {
        "hand": {"action": "press"}, "fault": {"name": "clog"}, "line": {"loss": 1.0},
    }  # fmt: skip
    answer = desk.ask(do=do, **proper.get(do, {}), los=1)
    assert answer["ok"] is False
    assert answer["error"].startswith(f"'{do}' takes ")
    assert all(name in answer["error"] for name in VERBS[do].fields)
    assert not desk.device.plant.faults.active
    assert desk.host.to_device is None
    assert desk.of("hand") == []


def test_the_hand_does_each_of_its_actions_and_they_are_events(desk: Desk) -> None:
    for action in HAND_ACTIONS:
        assert desk.ask(do="hand", action=action)["ok"]
    assert [event["action"] for event in desk.of("hand")] == list(HAND_ACTIONS)


def test_a_fault_is_an_event_and_a_record_of_the_unit_both_marked(desk: Desk) -> None:
    desk.ask(do="fault", name="clog")
    desk.ask(do="fault", name="clog", clear=True)
    number = FAULTS["clog"].number
    assert desk.injected() == [number, number | FAULT_OVER]
    assert [(e["name"], e["active"], e["simulated"]) for e in desk.of("fault")] == [
        ("clog", True, True), ("clog", False, True),
    ]  # fmt: skip


def test_the_line_is_one_too_and_to_ask_how_it_stands_changes_nothing(desk: Desk) -> None:
    assert desk.ask(do="line")["silent"] is False
    assert desk.injected() == []
    assert desk.ask(do="line", loss=0.25)["loss"] == 0.25
    assert desk.ask(do="line", silent=True)["loss"] == 0.25  # the weather stays as it is
    assert desk.ask(do="line")["silent"] is True
    assert desk.ask(do="line", silent=False)["loss"] == 0.25
    assert desk.ask(do="line", loss=0)["loss"] == 0.0
    assert desk.injected() == [LINE_FAULT] * 3 + [LINE_FAULT | FAULT_OVER]
    assert [(e["loss"], e["silent"], e["simulated"]) for e in desk.of("line")] == [
        (0.25, False, True), (0.25, True, True), (0.25, False, True), (0.0, False, True),
    ]  # fmt: skip


def test_sensors_may_differ_from_the_truth_and_a_rail_is_null(desk: Desk) -> None:
    desk.ask(do="fault", name="suction-a-disconnected")
    desk.runs(0.1)
    sensors, truth = desk.ask(do="sensors")["sensors"], desk.ask(do="truth")["truth"]
    assert sensors["suction_a_kpa"] is None
    assert sensors["suction_b_kpa"] == pytest.approx(0.0, abs=0.5)
    assert truth["valve_open"] == 0.0
    assert desk.ask(do="faults")["active"] == ["suction-a-disconnected"]
    assert set(desk.ask(do="faults")["known"]) == set(FAULTS)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_because_json_has_no_infinity(value: float) -> None:
    assert _plain(PlantTruth(suction_kpa=value))["suction_kpa"] is None


def test_the_tail_of_events_is_bounded_and_can_be_of_one_kind(desk: Desk) -> None:
    for _ in range(EVENTS_MAX):
        desk.ask(do="hand", action="press")
    desk.ask(do="fault", name="clog")
    events = desk.ask(do="events", last=EVENTS_MAX)["events"]
    assert len(events) == EVENTS_MAX
    assert events[-1]["name"] == "clog"
    assert len(desk.ask(do="events")["events"]) == 20
    assert [e["kind"] for e in desk.ask(do="events", last=5, kind="fault")["events"]] == ["fault"]
    assert len(desk.happened) > EVENTS_MAX  # whoever recorded before still gets everything


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "events", "last": 0}, "last is 0, and must be a whole number of 1 to 200"),
        ({"do": "events", "last": True}, "last is True"),
        ({"do": "events", "last": 1.5}, "last is 1.5"),
        ({"do": "events", "kind": 3}, "kind is 3, and must be a word"),
        ({"do": ["hand"]}, "'do' is ['hand'], and must be one of hand, zone"),
        ({"do": "hand", "action": ["press"]}, "'action' is ['press'], and must be one of"),
        ({"do": "line", "delay_s": 61}, "delay_s is 61.0, and must be 0 to 60 seconds"),
        ({"do": "line", "delay_s": 10**400}, "too large"),
        ({"do": "line", "silent": 1}, "silent is 1, and must be true or false"),
        ({"do": "fault"}, "there is no fault 'None'; choose one of"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed(
    desk: Desk, request_: dict[str, Any], error: str
) -> None:
    answer = desk.control.answer(json.dumps(request_).encode())
    assert answer["ok"] is False
    assert error in answer["error"]


def test_the_deepest_nesting_that_fits_is_refused_too(desk: Desk) -> None:
    assert desk.control.answer(b"[" * LINE_MAX_BYTES)["ok"] is False


# -- over the socket -------------------------------------------------------------------------------
@pytest.mark.realtime
def test_the_ninth_client_is_told_why_and_a_line_that_is_too_long_as_well() -> None:
    async def scenario(path: Path) -> None:
        host = DeviceHost(Handpiece(1, "absent"), asyncio.get_running_loop(), lambda _data: None)
        control = Control(host)
        await control.start(path)
        clients = [await asyncio.open_unix_connection(path) for _ in range(CLIENTS_MAX)]
        await asyncio.sleep(0.05)
        reader, ninth = await asyncio.open_unix_connection(path)
        assert b"8 clients are here already" in await reader.readline()
        assert await reader.read() == b""
        ninth.close()
        reader, writer = clients[0]
        writer.write(b'{"do": "state"}\n' + b"x" * 9000 + b"\n")
        assert json.loads(await reader.readline())["ok"] is True
        assert json.loads(await reader.readline())["error"].startswith("a request has at most")
        for _, client in clients:
            client.close()
        control.close()
        host.stop()
        await asyncio.sleep(0.05)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder) / "control"))


@pytest.mark.realtime
@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b"[1]\n", b"3\n"])
def test_whoever_is_no_simulator_is_told_apart(tmp_path: Path, answer: bytes) -> None:
    path = Path(os.path.relpath(tmp_path)) / "s"  # a path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(path))
        stranger.listen()

        def answering() -> None:
            peer, _ = stranger.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(answer)

        thread = threading.Thread(target=answering)
        thread.start()
        with pytest.raises(NobodyThereError, match="corneum-sim serve --control"):
            ask(path, {"do": "state"})
        thread.join()
