"""The whole service in virtual time: seconds of treatment in one second of one core. JSON.

With --profile it prints where that second goes instead: which floor, and which functions.
"""

import argparse
import asyncio
import json
import signal
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from qa.loop import run_virtual
from qa.rig import RigSpec, service

RUNS = 5
PROFILED: Final = 20
SAMPLE_S: Final = 0.002  # the kernel of the machine looks no oftener than this or twice this
FUNCTIONS: Final = 30
TOP: Final = Path(__file__).resolve().parents[2]


async def _treatment(seed: int) -> float:
    async with service(RigSpec(seed)) as made:
        await made.treat("refresh", zones=["nose"])
        return asyncio.get_running_loop().time()


class Sampler:
    """Looks at the stack whenever ``SAMPLE_S`` of this process have passed; costs next to none."""

    def __init__(self) -> None:
        self.looks = 0
        self.own: Counter[CodeType] = Counter()
        """Looks at which a function was running itself."""
        self.within: Counter[CodeType] = Counter()
        """Looks at which a function was running, or one that it had called."""

    def __enter__(self) -> "Sampler":
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.looks += 1
        self.own[frame.f_code] += 1
        stack = set()
        while frame is not None:
            stack.add(frame.f_code)
            frame = frame.f_back
        self.within.update(stack)

    def table(self) -> str:
        """Return the shares in percent: of each floor, then of functions with and without calls."""
        floors: Counter[str] = Counter()
        for code, looks in self.own.items():
            floors[_floor(code)] += looks
        lines = ["  own  floor", *(self._line(n, name) for name, n in floors.most_common())]
        lines.append("\n  own  function by itself")
        lines += [self._line(n, _name(code)) for code, n in self.own.most_common(FUNCTIONS)]
        lines.append("\n  all  function with what it calls")
        ours = [(code, n) for code, n in self.within.most_common() if "/" in _floor(code)]
        lines += [self._line(n, _name(code)) for code, n in ours[:FUNCTIONS]]
        return "\n".join(lines) + "\n"

    def _line(self, looks: int, name: str) -> str:
        return f"{100.0 * looks / self.looks:5.1f}  {name}"


def _name(code: CodeType) -> str:
    return f"{code.co_qualname}  ({_floor(code)})"


def _floor(code: CodeType) -> str:
    path = Path(code.co_filename)
    if not path.is_relative_to(TOP) or ".venv" in path.parts:
        return "asyncio" if "asyncio" in path.parts else "libraries"
    return "/".join(path.relative_to(TOP).parts[:2])


def _speed() -> float:
    speeds = []
    for seed in range(RUNS):
        began_s = time.process_time()
        virtual_s = run_virtual(_treatment(seed))
        speeds.append(virtual_s / (time.process_time() - began_s))
    return statistics.median(speeds)


def _profile() -> str:
    run_virtual(_treatment(0))  # whatever is imported or made once
    with Sampler() as sampler:
        for seed in range(PROFILED):
            run_virtual(_treatment(seed))
    return sampler.table()


def main(arguments: list[str]) -> None:
    """Run some treatments and print the median speed, or where the time went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    if parser.parse_args(arguments).profile:
        sys.stdout.write(_profile())
    else:
        sys.stdout.write(json.dumps({"virtual_s_per_s": _speed()}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
