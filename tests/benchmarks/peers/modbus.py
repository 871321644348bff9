"""pymodbus async over the same pty: one request for two registers and its answer. Prints JSON.

Runs in the environment of the peers: `python modbus.py PATH COUNT`.
"""

import asyncio
import json
import resource
import sys
import time

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient

WARM_UP = 200


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _measure(path: str, count: int) -> dict[str, float]:
    client = AsyncModbusSerialClient(path, framer=FramerType.RTU, baudrate=115200, timeout=1)
    if not await client.connect():
        raise SystemExit(f"pymodbus cannot open {path}")
    took = []
    cpu_s = 0.0
    for n in range(count):
        if n == WARM_UP:
            cpu_s = _cpu_s()
        began = time.perf_counter_ns()
        answer = await client.read_holding_registers(0, count=2, device_id=1)
        took.append(time.perf_counter_ns() - began)
        if answer.isError():
            raise SystemExit(f"pymodbus: {answer}")
    cpu_s = _cpu_s() - cpu_s
    client.close()
    counted = sorted(took[WARM_UP:])
    return {
        "p50_us": counted[len(counted) // 2] / 1e3,
        "p99_us": counted[len(counted) * 99 // 100] / 1e3,
        "cpu_us": cpu_s / len(counted) * 1e6,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_measure(sys.argv[1], int(sys.argv[2])))) + "\n")
