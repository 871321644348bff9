"""The service of a process: the order of its parts, what each is given, and what it leaves."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api import own_output
from controller.api.faults import FaultHandler
from controller.config import paths
from controller.device.handpiece import Listeners
from controller.device.precedence import Precedence
from controller.device.transport import open_stream
from controller.kernel import process
from controller.kernel.process import Options
from controller.kernel.service import Outside, Place
from controller.kernel.view import Timing
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.record.locks import LockState
from controller.record.notary_call import have_noted
from controller.record.verifier import check_apart
from controller.safety.reading import Identity
from controller.safety.refusal import RefusedError, refusing
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Capability

GRANTED = Precedence("nice -10", memory_locked=True, refused=("real-time 10: not permitted",))
UNIT = {"serial": 1001}


def options_of(state: Path, *, once: bool = False) -> Options:
    return Options("tcp://a:1", state, state / "configs", state / "x.sock", once=once)


# -- in which order --------------------------------------------------------------------------------
class House:
    """The parts of the service, which write down what they are asked, in one list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
        self.done: list[Any] = []
        self.state = state
        self.fails: RefusedError | None = None
        self.timing = Timing()
        self.kernel = SimpleNamespace(
            control=SimpleNamespace(timing=self.timing),
            snapshot=lambda: {"unit": UNIT},
            end=self._awaited("kernel ends"),
        )
        self.outside = Outside(
            cast("Any", None), cast("Any", SimpleNamespace(note=self._add)), Here(lambda: 1.9e9)
        )
        self.locks: list[Any] = []
        for name, given in (
            ("StopWay", self._way),
            ("_outside", self._outside),
            ("running", self._running),
            ("Server", self._server),
            ("listen", self._listen),
            ("sweep", lambda folder: self.done.append(("sweep", folder))),
            ("_on_signals", lambda kernel, _ended: self.done.append(("signals", kernel))),
            ("settle_memory", self._noted("memory settled")),
            ("take_precedence", self._granted),
            ("_say", lambda said: self.done.append(("said", said))),
            ("_until", self._until),
        ):
            monkeypatch.setattr(process, name, given)
        monkeypatch.setattr(own_output, "hold_nothing", self._noted("holds nothing"))

    def _add(self, what: object) -> None:
        self.done.append(what)

    def _noted(self, what: object) -> Callable[[], None]:
        return lambda: self.done.append(what)

    def _awaited(self, what: object) -> Callable[[], Any]:
        async def done() -> None:
            self.done.append(what)

        return done

    def _listen(self, path: Path) -> str:
        self.done.append(("listen", path))
        return "a listener"

    def _way(self, port: str, pid: int) -> SimpleNamespace:
        assert pid == os.getpid()
        names = {name: self._noted(f"way {name}") for name in ("open", "close")}
        self.way = SimpleNamespace(port=port, serve=self._noted("served"), **names)
        return self.way

    def _outside(self, options: Options, locks: list[Any]) -> Outside:
        self.done.append(("outside", options))
        locks.append(SimpleNamespace(release=self._noted("unit released")))
        return self.outside

    @asynccontextmanager
    async def _running(self, place: Place, outside: Outside) -> AsyncIterator[Any]:
        self.done.append(("running", place))
        self.ran = outside
        self.handler = asyncio.get_running_loop().get_exception_handler()
        if self.fails is not None:
            raise self.fails
        yield self.kernel
        self.done.append("kernel over")

    def _server(self, kernel: object, *, on_shutdown: Callable[[], None], faults: object) -> Any:  # noqa: ANN401
        self.served = (kernel, on_shutdown, faults)

        async def opens(listener: object) -> None:
            self.done.append(("server opens", listener))

        self.server = SimpleNamespace(open=opens, close=self._awaited("server closes"))
        return self.server

    def _granted(self) -> Precedence:
        self.done.append("precedence taken")
        return GRANTED

    async def _until(self, *given: object) -> None:
        ended, *others = given
        assert isinstance(ended, asyncio.Event)
        assert others == [self.kernel, self.server, self.options]
        assert not ended.is_set()
        self.served[1]()  # a shutdown that was asked for
        assert ended.is_set()
        self.files = [paths.kernel_file(self.state, "tcp://a:1").exists()]
        self.done.append("waits")

    def run(self, options: Options, faults: FaultHandler) -> None:
        self.options = options
        asyncio.run(process._serve(options, faults))


def place_of(state: Path) -> Place:
    return Place(
        port="tcp://a:1",
        record_path=str(state / "journal.sqlite3"),
        configs=state / "configs",
        lock=paths.port_lock(state, "tcp://a:1").name,
    )


@pytest.mark.realtime
@pytest.mark.parametrize("once", [True, False])
def test_each_part_is_there_before_what_needs_it_and_goes_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, once: bool
) -> None:
    house, options, faults = House(monkeypatch, tmp_path), options_of(tmp_path, once=once), None
    (tmp_path / "run").mkdir()
    faults = FaultHandler(lambda *_: None)
    house.run(options, faults)
    said = {
        "ready": True,
        "socket": str(tmp_path / "x.sock"),
        "pid": os.getpid(),
        "unit": UNIT,
        "precedence": GRANTED.as_dict(),
    }
    assert house.done == [
        "way open",
        ("outside", options),
        ("running", place_of(tmp_path)),
        ("listen", tmp_path / "x.sock"),
        ("server opens", "a listener"),
        ("sweep", tmp_path),
        ("signals", house.kernel),
        "memory settled",
        "precedence taken",
        Row(Kind.PRECEDENCE, GRANTED.as_dict()),
        ("said", said),
        *(["holds nothing"] if once else []),
        "waits",
        "kernel ends",
        "server closes",
        "way close",
        "kernel over",
        "way close",
        "unit released",
    ]
    assert house.way.port == "tcp://a:1"
    assert house.ran.hear_stops is house.way.serve
    assert house.ran.faults is faults
    assert house.ran.journal is house.outside.journal
    assert (house.served[0], house.served[2]) == (house.kernel, faults)
    assert house.handler == faults.heard
    assert house.timing.precedence is GRANTED
    assert house.files == [True]
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.realtime
def test_a_service_that_does_not_start_leaves_the_files_of_whoever_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house, options = House(monkeypatch, tmp_path), options_of(tmp_path)
    options.socket.touch()
    house.fails = refusing("unit_held", "It is held.", "Wait.")
    with pytest.raises(RefusedError, match="It is held"):
        house.run(options, FaultHandler())
    assert house.done == [
        "way open",
        ("outside", options),
        ("running", place_of(tmp_path)),
        "way close",
        "unit released",
    ]
    assert options.socket.exists()


# -- what each is given ----------------------------------------------------------------------------
def test_what_a_process_reaches_outside_of_itself_follows_from_its_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: dict[str, tuple[Any, ...]] = {}
    clocks = Here(lambda: 1.9e9, "a boot")

    def maker(name: str) -> Callable[..., Any]:
        def make(*given: Any, **named: Any) -> str:  # noqa: ANN401 - whatever it is given
            made[name] = (*given, *named.items())
            return f"a {name}"

        return make

    for name in ("Store", "ThreadWriter", "Journal", "HandpieceClient", "claimed_unit"):
        monkeypatch.setattr(process, name, maker(name))
    monkeypatch.setattr(process, "here", lambda: clocks)
    seen: list[Path] = []

    def looked(path: Path) -> LockState:
        seen.append(path)
        return LockState.UNKNOWN

    monkeypatch.setattr(process, "look", looked)
    locks: list[Any] = ["an earlier one"]
    outside = process._outside(options_of(tmp_path), locks)
    listeners = Listeners()
    client: Any = outside.make_client(listeners)
    assert client == "a HandpieceClient"
    opener, heard = made.pop("HandpieceClient")
    assert heard is listeners
    assert isinstance(opener, partial)
    assert (opener.func, opener.args, opener.keywords) == (open_stream, ("tcp://a:1",), {})
    assert outside.alive("../port-7.lock") is LockState.UNKNOWN
    assert seen == [tmp_path / "run" / "port-7.lock"]
    outside.claim(Identity(1001, 5, "1.0", Capability.SIMULATED))
    assert locks == ["an earlier one", "a claimed_unit"]
    assert str(outside.journal) == "a Journal"
    assert outside.here is clocks
    assert made == {
        "Store": (tmp_path / "journal.sqlite3",),
        "ThreadWriter": ("a Store",),
        "Journal": (
            "a ThreadWriter",
            clocks.wall_clock,
            ("folder", tmp_path),
            ("check", check_apart),
            ("witness", have_noted),
        ),
        "claimed_unit": (tmp_path, 1001),
    }


def test_a_place_names_port_record_configuration_and_lock(tmp_path: Path) -> None:
    assert process._place(options_of(tmp_path)) == place_of(tmp_path)


def test_a_socket_that_cannot_be_listened_at_is_named_with_the_way_out(tmp_path: Path) -> None:
    options = options_of(tmp_path / "none" / "at" / "all")
    (tmp_path / "none").touch()
    with pytest.raises(RefusedError) as caught:
        process._listener(options)
    error = caught.value
    assert (error.code, error.sentence, error.next_step) == (
        "kernel_socket",
        f"The kernel cannot listen at {options.socket} (Not a directory).",
        "Name another place with --socket.",
    )


@pytest.mark.realtime
def test_a_socket_is_listened_at_where_the_options_say(tmp_path: Path) -> None:
    options = options_of(tmp_path)
    with process._listener(options) as listener:
        assert listener.family == socket.AF_UNIX
        assert options.socket.is_socket()


def test_without_a_way_for_stops_there_is_no_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Held:
        def __init__(self, port: str, pid: int) -> None:
            assert (port, pid) == ("tcp://a:1", os.getpid())

        def open(self) -> None:
            raise OSError(98, "Address already in use")

    monkeypatch.setattr(process, "StopWay", Held)
    with pytest.raises(RefusedError) as caught:
        process._way_for_stops(options_of(tmp_path))
    error = caught.value
    assert (error.code, error.sentence, error.next_step) == (
        "kernel_stop",
        "The kernel cannot listen for STOP (Address already in use), and without it nothing "
        "starts.",
        "Look with `ss -xl | grep corneum/stop` who holds its name.",
    )


# -- files and signals -----------------------------------------------------------------------------
def test_the_file_of_a_kernel_says_where_it_is_to_its_account_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    options = options_of(tmp_path)
    process._write_kernel_file(options)
    (file,) = (tmp_path / "run").iterdir()
    assert file == paths.kernel_file(tmp_path, "tcp://a:1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == {
        "pid": os.getpid(),
        "port": "tcp://a:1",
        "socket": str(tmp_path / "x.sock"),
    }
    process._remove_files(options)  # its socket is gone already
    assert list((tmp_path / "run").iterdir()) == []
    options.socket.touch()
    process._remove_files(options)
    assert not options.socket.exists()


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_ends_in_order_and_the_second_vents(number: signal.Signals) -> None:
    vented: list[bool] = []

    async def scenario() -> None:
        ended = asyncio.Event()
        kernel = SimpleNamespace(vent=lambda: vented.append(ended.is_set()))
        process._on_signals(cast("Any", kernel), ended)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5.0):
            await ended.wait()
        assert vented == []
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5.0):
            while not vented:
                await asyncio.sleep(0.001)

    asyncio.run(scenario())
    assert vented == [True]


def test_the_ready_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    process._say({"ready": True, "socket": "/x", "unit": None})
    assert capsys.readouterr().out == '{"ready": true, "socket": "/x", "unit": null}\n'
