"""The whole service in virtual time: seconds of treatment in one second of one core. JSON."""

import asyncio
import json
import statistics
import sys
import time

from simulator.qa.loop import run_virtual
from simulator.qa.rig import RigSpec, service

RUNS = 5


async def _treatment(seed: int) -> float:
    async with service(RigSpec(seed)) as made:
        await made.treat("refresh", zones=["nose"])
        return asyncio.get_running_loop().time()


def main() -> None:
    """Run some treatments and print the median speed."""
    speeds = []
    for seed in range(RUNS):
        began_s = time.process_time()
        virtual_s = run_virtual(_treatment(seed))
        speeds.append(virtual_s / (time.process_time() - began_s))
    sys.stdout.write(json.dumps({"virtual_s_per_s": statistics.median(speeds)}) + "\n")


if __name__ == "__main__":
    main()
