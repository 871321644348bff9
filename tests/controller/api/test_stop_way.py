"""The kernel's own way for STOP: who is heard, what is passed on, and what is answered."""

import asyncio
import json
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from controller.api import stop_way
from controller.api.stop_address import name_for
from controller.api.stop_way import StopWay
from controller.treatment.events import Who

pytestmark = pytest.mark.realtime

PID = 4711


class Heard:
    """Keeps every stop as it was passed on, and answers as a test wants."""

    def __init__(self) -> None:
        self.stops: list[tuple[Who, bool]] = []
        self.raises: Exception | None = None

    def __call__(self, who: Who, emergency: bool) -> Mapping[str, object]:  # noqa: FBT001 - `Stop`
        self.stops.append((who, emergency))
        if self.raises is not None:
            raise self.raises
        return {"state": "stopping", "link": "identified"}


@asynccontextmanager
async def served(port: str) -> AsyncIterator[tuple[StopWay, Heard]]:
    way, heard = StopWay(port, PID), Heard()
    way.open()
    way.serve(heard)
    try:
        yield way, heard
    finally:
        way.close()


def asker(name: str = "") -> socket.socket:
    """Return the socket of somebody who stops; without a name nobody can answer it."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    if name:
        line.bind(b"\0corneum/test/" + name.encode()[-60:])
    return line


def said(line: socket.socket) -> list[dict[str, Any]]:
    """Return all answers that have come."""
    found = []
    while True:
        try:
            found.append(json.loads(line.recv(4096)))
        except BlockingIOError:
            return found


def me() -> Who:
    account = "root" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    return Who(f"{account} (process {os.getpid()})", "viewer", "local")


def test_a_stop_is_passed_on_by_account_and_process_and_answered_with_all_there_is_to_know(
    tmp_path: Path,
) -> None:
    port = str(tmp_path)

    async def scenario() -> None:
        async with served(port) as (_, heard):
            with closing(asker(port)) as line:
                line.sendto(b"stop", name_for(port, PID))
                async with asyncio.timeout(5.0):
                    while not heard.stops:
                        await asyncio.sleep(0)
                assert heard.stops == [(me(), False)]
                assert said(line) == [
                    {"stop": 1, "pid": PID, "port": port, "state": "stopping", "link": "identified"}
                ]

    asyncio.run(scenario())


@pytest.mark.hazard("H12")
def test_stops_that_wait_together_are_one_as_bad_as_the_worst_and_all_are_answered(
    tmp_path: Path,
) -> None:
    port = str(tmp_path)

    async def scenario() -> None:
        async with served(port) as (way, heard):
            with (
                closing(asker(f"{port}1")) as one,
                closing(asker()) as nobody,
                closing(asker(f"{port}2")) as other,
            ):
                one.sendto(b"stop", name_for(port, PID))
                nobody.sendto(b"emergency, please", name_for(port, PID))
                other.sendto(b"", name_for(port, PID))
                way._readable()
                assert heard.stops == [(me(), True)]
                assert len(said(one)) == len(said(other)) == 1
                way._readable()  # nothing waits any more
                assert len(heard.stops) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("words", "passed_on"), [((False, False), 0), ((False, True), 1), ((True, True), 0)]
)
def test_of_stops_by_several_the_first_of_the_worst_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[bool, ...], passed_on: int
) -> None:
    asked = [
        stop_way._Asked(word, Who(str(number), "viewer", "local"), None)
        for number, word in enumerate(words)
    ]
    monkeypatch.setattr(StopWay, "_take", lambda _self, _line: asked)

    async def scenario() -> None:
        async with served(str(tmp_path)) as (way, heard):
            way._readable()
            assert heard.stops == [(asked[passed_on].who, any(words))]

    asyncio.run(scenario())


@pytest.mark.parametrize("word", [b"stop", b"anything", b" emergency", b"EMERGENCY", b"x" * 9000])
def test_whatever_does_not_begin_with_the_word_is_a_normal_stop(
    tmp_path: Path, word: bytes
) -> None:
    async def scenario() -> None:
        async with served(str(tmp_path)) as (way, heard):
            with closing(asker()) as line:
                line.sendto(word, name_for(str(tmp_path), PID))
                way._readable()
                assert heard.stops == [(me(), False)]

    asyncio.run(scenario())


def test_of_a_flood_so_many_are_taken_in_one_callback_and_the_rest_after_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_way, "AT_ONCE_MAX", 2)

    async def scenario() -> None:
        async with served(str(tmp_path)) as (way, heard):
            with closing(asker(str(tmp_path))) as line:
                for _ in range(3):
                    line.sendto(b"stop", name_for(str(tmp_path), PID))
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                way._readable()
                assert (len(heard.stops), len(said(line))) == (1, 2)
                async with asyncio.timeout(5.0):
                    while len(heard.stops) < 2:
                        await asyncio.sleep(0)
                assert loop.time() - began_s >= stop_way.PAUSE_S - 0.001
                assert len(said(line)) == 1

    asyncio.run(scenario())


@pytest.mark.hazard("H12")
def test_a_stop_that_meets_a_fault_is_told_to_the_loop_and_answered_as_one(tmp_path: Path) -> None:
    port = str(tmp_path)
    told: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: told.append(about))
        async with served(port) as (way, heard):
            heard.raises = KeyError("x")
            with closing(asker(port)) as line:
                line.sendto(b"stop", name_for(port, PID))
                way._readable()
                assert said(line) == [{"stop": 1, "pid": PID, "port": port, "fault": True}]
            assert told == [{"message": "a stop", "exception": heard.raises}]

    asyncio.run(scenario())


def test_stops_that_come_before_it_is_served_wait_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        way, heard = StopWay(str(tmp_path), PID), Heard()
        way._readable()  # it is not even open
        way.open()
        with closing(asker()) as line:
            line.sendto(b"emergency", name_for(str(tmp_path), PID))
            way._readable()
            way.serve(heard)
            async with asyncio.timeout(5.0):
                while not heard.stops:
                    await asyncio.sleep(0)
        assert heard.stops == [(me(), True)]
        way.close()

    asyncio.run(scenario())


def test_a_name_is_taken_once_and_free_again_after_it_was_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        way, other = StopWay(str(tmp_path), PID), StopWay(str(tmp_path), PID)
        way.close()  # it was never open
        way.open()
        with pytest.raises(OSError, match="in use"):
            other.open()
        assert other._socket is None
        way.close()
        way.close()
        other.open()
        other.serve(Heard())
        other._readable()
        other.close()
        await asyncio.sleep(2 * stop_way.PAUSE_S)  # the timer has gone with it

    asyncio.run(scenario())


def test_what_is_open_is_asked_who_sends_and_has_room(tmp_path: Path) -> None:
    way = StopWay(str(tmp_path), PID)
    way.open()
    line = way._socket
    assert line is not None
    assert line.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 1
    with closing(asker()) as other:
        usual_bytes = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_194_304)
        most_bytes = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert line.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == most_bytes > usual_bytes
    assert line.getblocking() is False
    way.close()


def test_whoever_stops_is_named_by_what_the_system_says_of_it_and_else_by_nothing() -> None:
    way = StopWay("/dev/a", PID)
    kind = socket.SCM_CREDENTIALS

    def name(level: int, kind: int, *ids: int) -> str:
        return way._who([(level, kind, struct.pack("3i", *ids) + b"more")]).name

    assert name(socket.SOL_SOCKET, kind, 7, 0, 0) == "root (process 7)"
    assert name(socket.SOL_SOCKET, kind, 8, 99_999, 5) == "uid 99999 (process 8)"
    assert name(socket.SOL_SOCKET, socket.SCM_RIGHTS, 7, 0, 0) == "somebody"
    assert name(socket.IPPROTO_TCP, kind, 7, 0, 0) == "somebody"
    assert way._who([]) == Who("somebody", "viewer", "local")


def test_the_own_account_and_root_have_names_where_the_system_knows_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = pwd.getpwuid(0)
    asked: list[int] = []

    def known(uid: int) -> pwd.struct_passwd:
        asked.append(uid)
        return own

    def unknown(_uid: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(pwd, "getpwuid", known)
    assert stop_way._accounts() == {0: "root", 1000: own.pw_name}
    assert asked == [1000]
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert stop_way._accounts() == {0: "root"}
