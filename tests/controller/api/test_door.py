"""The door of the kernel's socket: so many at a time, each let in or told why not."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from controller.api import door as door_module
from controller.api.ask import dial
from controller.api.door import AT_ONCE_MAX, PAUSE_S, Door
from controller.api.peer import listen

pytestmark = pytest.mark.realtime

WHY = b"not you\n"


class House:
    """Who stands behind the door: it lets in, or refuses with ``why``."""

    def __init__(self) -> None:
        self.why: bytes | None = None
        self.asked: list[socket.socket] = []
        self.let_in: list[socket.socket] = []

    def refusal(self, line: socket.socket) -> bytes | None:
        """Say why not."""
        assert line.gettimeout() == 0.0
        self.asked.append(line)
        return self.why

    def take(self, line: socket.socket) -> None:
        """Take over."""
        self.let_in.append(line)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Door, House, Path]]:
    house, path = House(), folder / "kernel.sock"
    door = Door(listen(path), house.refusal, house.take)
    try:
        yield door, house, path
    finally:
        door.close()
        for line in house.let_in:
            line.close()


def hung_up(line: socket.socket) -> bool:
    """Return whether the other end is closed altogether, so that nothing can be sent to it."""
    try:
        line.send(b"x")
    except BrokenPipeError:
        return True
    return False


def test_who_comes_is_let_in_and_handed_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (_, house, path):
            with closing(dial(path)) as line:
                async with asyncio.timeout(5.0):
                    while not house.let_in:
                        await asyncio.sleep(0)
                assert house.let_in == house.asked
                house.let_in[0].send(b"x")
                assert line.recv(1) == b"x"

    asyncio.run(scenario())


def test_so_many_are_taken_at_once_and_the_others_after_a_pause(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (_, house, path):
            with ExitStack() as stack:
                for _ in range(AT_ONCE_MAX + 1):
                    stack.enter_context(closing(dial(path)))
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(5.0):
                    while not house.let_in:
                        await asyncio.sleep(0)
                    began_s = loop.time()
                    assert len(house.let_in) == AT_ONCE_MAX
                    while len(house.let_in) == AT_ONCE_MAX:
                        await asyncio.sleep(0)
                assert loop.time() - began_s >= PAUSE_S / 2

    asyncio.run(scenario())


def test_who_is_refused_is_told_why_at_once_and_hung_up_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "PARTING_S", 0.05)

    async def scenario() -> None:
        async with opened(tmp_path) as (door, house, path):
            house.why = WHY
            with closing(dial(path)) as line:
                door._readable()
                assert house.let_in == []
                assert line.recv(100) == WHY
                assert line.recv(100) == b""
                assert not hung_up(line)  # what it still sends is thrown away
                async with asyncio.timeout(5.0):
                    while not hung_up(line):
                        await asyncio.sleep(0.005)
                assert len(door._parting) == 0

    asyncio.run(scenario())


def test_who_was_refused_and_has_left_already_harms_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path) as (door, house, path):
            house.why = WHY
            dial(path).close()
            door._readable()
            with closing(dial(path)) as line:
                door._readable()
                assert line.recv(100) == WHY

    asyncio.run(scenario())


def test_so_many_refused_ones_may_read_and_the_oldest_goes_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "PARTING_MAX", 2)
    monkeypatch.setattr(door_module, "PARTING_S", 0.02)

    async def scenario() -> None:
        async with opened(tmp_path) as (door, house, path):
            house.why = WHY
            with ExitStack() as stack:
                lines = [stack.enter_context(closing(dial(path))) for _ in range(2)]
                door._readable()
                assert [hung_up(line) for line in lines] == [False, False]
                lines.append(stack.enter_context(closing(dial(path))))
                door._readable()
                assert [hung_up(line) for line in lines] == [True, False, False]
                async with asyncio.timeout(5.0):  # the timer of the first one finds it gone
                    while door._parting:
                        await asyncio.sleep(0.005)
                assert all(hung_up(line) for line in lines)

    asyncio.run(scenario())


def test_a_door_that_is_closed_hangs_up_on_the_refused_and_listens_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "PARTING_S", 0.02)

    async def scenario() -> None:
        house, path = House(), tmp_path / "kernel.sock"
        listener = listen(path)
        door = Door(listener, house.refusal, house.take)
        house.why = WHY
        with closing(dial(path)) as line:
            door._readable()
            door.close()
            assert hung_up(line)
        assert listener.fileno() == -1
        await asyncio.sleep(2 * PAUSE_S + 0.02)  # neither timer finds anything to do
        assert len(door._parting) == 0
        unused = Door(listen(path), house.refusal, house.take)
        unused.close()

    asyncio.run(scenario())
