"""One near end of the exchange, in a process of its own; prints its figures as JSON.

`python -m tests.benchmarks.exchange SUBJECT PATH COUNT`. An exchange is one frame out and one frame
in over a pty, awaited by a coroutine (the raw loop just blocks).
"""

import asyncio
import json
import os
import resource
import sys
import time
import tty
from collections.abc import Awaitable, Callable
from functools import partial
from struct import Struct

import uvloop
from cobs import cobs
from fastcrc.crc32 import autosar

from controller.device.driver import LinkDriver
from controller.device.greeting import hello
from controller.device.transport import Rank, open_stream
from firmware_protocol.link import Event, MessageReceived, session_number
from firmware_protocol.messages import Ident, SelfTest, Setpoint, Telemetry

READ_MAX = 4096
WARM_UP = 200
PREPARING_S = 0.4  # the far end prepares its replies after HELLO
HOST_NONCE = 77
SETPOINT = Setpoint(
    lease_ms=200, loop_counter=1, echo_tick_ms=1, suction_pa=0, flow_mg_per_min=0, wish=0,
    treatment=0, exposure_left_mg=0,
)  # fmt: skip
FRAME = Struct("<BBIHHHIHHBIH")  # header and payload of SETPOINT
ANSWER = Struct("<BBIHIBBHBBHHHHHHHH")  # header and payload of TELEMETRY
CRC = Struct("<I")

Exchange = Callable[[], Awaitable[object]]


def main() -> None:
    """Run one subject and print what it took."""
    subject, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if subject == "raw":
        result = _measure_raw(path, count)
    else:
        loop, _, kind = subject.partition("-")
        run = asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None)
        scenarios = {"bare": _bare, "lease": _lease, "oneshot": _oneshot}
        with run:
            result = run.run(scenarios[kind](path, count))
    sys.stdout.write(json.dumps(result) + "\n")


def _measure_raw(path: str, count: int) -> dict[str, float]:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    frame = bytes(FRAME.size + 6)
    took = []
    cpu_s = 0.0
    for n in range(count):
        if n == WARM_UP:
            cpu_s = _cpu_s()
        began = time.perf_counter_ns()
        os.write(fd, frame)
        os.read(fd, READ_MAX)
        took.append(time.perf_counter_ns() - began)
    return _result(took, cpu_s)


async def _measure(exchange: Exchange, count: int) -> dict[str, float]:
    took = []
    cpu_s = 0.0
    for n in range(count):
        if n == WARM_UP:
            cpu_s = _cpu_s()
        began = time.perf_counter_ns()
        await exchange()
        took.append(time.perf_counter_ns() - began)
    return _result(took, cpu_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _result(took: list[int], cpu_began_s: float) -> dict[str, float]:
    counted = sorted(took[WARM_UP:])
    return {
        "p50_us": counted[len(counted) // 2] / 1e3,
        "p99_us": counted[len(counted) * 99 // 100] / 1e3,
        "cpu_us": (_cpu_s() - cpu_began_s) / len(counted) * 1e6,
    }


async def _bare(path: str, count: int) -> dict[str, float]:
    """The least that asyncio can do with a codec: no link, no bounds, no sequence."""
    loop = asyncio.get_running_loop()
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    answer: asyncio.Future[tuple[int, ...]] = loop.create_future()
    pending = b""

    def readable() -> None:
        nonlocal pending
        pending += os.read(fd, READ_MAX)
        *runs, pending = pending.split(b"\0")
        for run in runs:
            raw = cobs.decode(run)
            body = raw[:-4]
            if CRC.unpack(raw[-4:])[0] == autosar(body):
                answer.set_result(ANSWER.unpack(body))
            else:
                answer.set_result(())

    async def exchange() -> None:
        nonlocal answer
        answer = loop.create_future()
        raw = FRAME.pack(0x30, 4, 1, 1, 200, 1, 1, 0, 0, 0, 0, 0)
        os.write(fd, cobs.encode(raw + CRC.pack(autosar(raw))) + b"\0")
        await answer

    loop.add_reader(fd, readable)
    result = await _measure(exchange, count)
    loop.remove_reader(fd)
    return result


async def _lease(path: str, count: int) -> dict[str, float]:
    """Our link: one lease renewal out, one TELEMETRY in, through every check."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Telemetry] = loop.create_future()

    def heard(event: Event) -> None:
        if isinstance(event, MessageReceived) and isinstance(event.message, Telemetry):
            answer.set_result(event.message)

    driver = await _connect(path, heard)

    async def exchange() -> None:
        nonlocal answer
        answer = loop.create_future()
        driver.send(SETPOINT, Rank.NEWEST)
        await answer

    result = await _measure(exchange, count)
    driver.close()
    return result


async def _oneshot(path: str, count: int) -> dict[str, float]:
    """Our link: one reliable request out, its answer in."""
    driver = await _connect(path, lambda _event: None)

    async def exchange() -> None:
        await driver.request(SelfTest())

    result = await _measure(exchange, count)
    driver.close()
    return result


async def _connect(path: str, heard: Callable[[Event], None]) -> LinkDriver:
    driver = LinkDriver(partial(open_stream, path), heard, lambda _why: None)
    await driver.open()
    greeting = hello(HOST_NONCE)
    ident = (await driver.request(greeting)).message
    if not isinstance(ident, Ident):
        raise TypeError(f"the far end answered {ident}")
    now_s = asyncio.get_running_loop().time()
    driver.link.open_session(session_number(HOST_NONCE, ident.device_nonce), now_s)
    await asyncio.sleep(PREPARING_S)
    return driver


if __name__ == "__main__":
    main()
