"""The line in memory: what is sent arrives, late as told, and every byte is in the hash."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import pytest

from controller.device.answers import PortError, StreamLostError
from qa.loop import run_virtual
from qa.wire import VirtualWire

DELAY_S = 0.003


@dataclass
class SlowLine:
    """A line that only delays."""

    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    def send(self, data: bytes, now_s: float) -> None:
        self.waiting.append((now_s + DELAY_S, data))

    def deliver(self, now_s: float) -> bytes:
        out = b""
        while self.waiting and self.waiting[0][0] <= now_s:
            out += self.waiting.popleft()[1]
        return out

    def deadline_s(self) -> float | None:
        return self.waiting[0][0] if self.waiting else None


async def _echo(
    count: int, period_s: float = 0.01
) -> tuple[VirtualWire, list[tuple[float, bytes]]]:
    loop = asyncio.get_running_loop()
    wire = VirtualWire(SlowLine(), SlowLine())
    heard: list[tuple[float, bytes]] = []
    answer = wire.attach_device(lambda data: answer(data.upper()))
    host = await wire.open(lambda data: heard.append((loop.time(), data)), lambda _why: None)
    for n in range(count):
        host.write(b"ping%d" % n)
        await asyncio.sleep(period_s)
    host.close()
    wire.close()
    return wire, heard


def test_a_frame_crosses_the_line_and_its_answer_comes_back_after_both_delays() -> None:
    _, heard = run_virtual(_echo(2))
    assert [data for _, data in heard] == [b"PING0", b"PING1"]
    assert [at_s for at_s, _ in heard] == pytest.approx([2 * DELAY_S, 0.01 + 2 * DELAY_S])


def test_two_equal_runs_have_the_same_hash_and_a_later_byte_changes_it() -> None:
    first, second, other = (
        run_virtual(_echo(20, period_s))[0].trace.sha256() for period_s in (0.01, 0.01, 0.011)
    )
    assert first == second
    assert first != other


def test_unplugging_tells_the_host_once_and_loses_what_is_on_its_way() -> None:
    async def scenario() -> tuple[list[str], list[bytes]]:
        wire = VirtualWire(SlowLine(), SlowLine())
        lost: list[str] = []
        heard: list[bytes] = []
        send = wire.attach_device(lambda _data: None)
        host = await wire.open(heard.append, lost.append)
        send(b"telemetry")
        wire.unplug()
        await asyncio.sleep(1.0)
        with pytest.raises(StreamLostError):
            host.write(b"setpoint")
        with pytest.raises(PortError):
            await wire.open(heard.append, lost.append)
        wire.plug()
        await wire.open(heard.append, lost.append)
        send(b"again")
        await asyncio.sleep(1.0)
        wire.close()
        return lost, heard

    lost, heard = run_virtual(scenario())
    assert lost == ["the virtual line was unplugged"]
    assert heard == [b"again"]
