"""The way of one setpoint and of one reading through the files: `python -m tools.way [--json]`.

A treatment runs in virtual time until crystals flow. Then the files are noted through which the
calls go that make a setpoint, pack it, understand it and open the valve by it, and those from a
sample of the sensors to the judgement of the host. `docs/ONE_TREATMENT.md` is compared with that.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Final

from qa.loop import run_virtual
from qa.rig import RigSpec, service

TOP: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("controller", "firmware_protocol", "simulator")
SEED: Final = 1
FLOWING_MAX_S: Final = 60.0
FOLLOWED_S: Final = 0.2
"""So much of the treatment is followed: four beats of the control loop, ten readings."""

SETPOINT: Final = (
    "controller/safety/exposure.py:left_mg",
    "firmware_protocol/messages.py:g_per_min_to_mg_per_min",
    "firmware_protocol/codec_to_device.py:_pack_setpoint",
    "firmware_protocol/codec_to_device.py:_unpack_setpoint",
    "simulator/firmware/setpoints.py:offer",
    "simulator/firmware/setpoints.py:grant",
    "simulator/firmware/channel_b.py:renewed",
    "simulator/firmware/permissives.py:bits",
    "simulator/firmware/outputs.py:open",
    "simulator/plant/plant.py:_command",
)
"""Where a setpoint is made, packed, understood, accepted, and works."""

READING: Final = (
    "simulator/plant/sensors.py:sample",
    "simulator/firmware/reports.py:telemetry",
    "firmware_protocol/codec_to_host.py:_pack_telemetry",
    "firmware_protocol/codec_to_host.py:_unpack_telemetry",
    "controller/device/translation.py:reading_of",
    "controller/safety/exposure.py:add",
    "controller/safety/interlocks.py:judge",
)
"""Where a reading is taken, told, understood, charged and judged."""


@dataclass(frozen=True, slots=True)
class Way:
    """The files that one value goes through, in order; a file may come again."""

    steps: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Each file once, in the order in which the value comes to it."""
        return tuple(dict.fromkeys(self.steps))

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms in order, neighbours that are the same told once."""
        rooms = [_room(step) for step in self.steps]
        return tuple(rooms[:1] + [b for a, b in pairwise(rooms) if a != b])

    @property
    def changes(self) -> int:
        """How often the room changes."""
        return len(self.rooms) - 1

    @property
    def returns(self) -> int:
        """How often a room is entered that was left before."""
        return len(self.rooms) - len(set(self.rooms))


@dataclass
class _Stacks:
    """For each call into our sources the files that it was made through, outermost first."""

    seen: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take one event of the profiler."""
        name = _ours(frame) if event == "call" else None
        if name is not None:
            self.seen.append((f"{name}:{frame.f_code.co_name}", _through(frame)))


def _ours(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    name = path.relative_to(TOP).as_posix() if path.is_relative_to(TOP) else ""
    return name if name.split("/")[0] in ROOMS else None


def _through(frame: FrameType | None) -> tuple[str, ...]:
    files: list[str] = []
    while frame is not None:
        name = _ours(frame)
        if name is not None and (not files or files[-1] != name):
            files.append(name)
        frame = frame.f_back
    return tuple(reversed(files))


def _room(step: str) -> str:
    parts = step.split("/")
    return "/".join(parts[:2] if parts[0] == "controller" else parts[:1])


@contextmanager
def _noting(stacks: _Stacks) -> Iterator[None]:
    sys.setprofile(stacks.note)
    try:
        yield
    finally:
        sys.setprofile(None)


def followed() -> list[tuple[str, tuple[str, ...]]]:
    """Return the calls of `FOLLOWED_S` of a treatment in which crystals flow."""
    stacks = _Stacks()

    async def play() -> None:
        async with service(RigSpec(SEED)) as made:
            begun = asyncio.ensure_future(made.treat("refresh", zones=["nose"]))
            await made.until(lambda: made.rig.handpiece.plant.truth.valve_open > 0.0, FLOWING_MAX_S)
            with _noting(stacks):
                await asyncio.sleep(FOLLOWED_S)
            begun.cancel()

    run_virtual(play())
    return stacks.seen


def way(calls: list[tuple[str, tuple[str, ...]]], through: tuple[str, ...]) -> Way:
    """Return the way through the calls named, each sought after the one before it.

    Raises:
        ValueError: one was not seen; a function has another name now.
    """
    steps: list[str] = []
    before: tuple[str, ...] = ()
    at = 0
    for call in through:
        try:
            at = next(n for n, (name, _) in enumerate(calls[at:], at) if name == call)
        except StopIteration:
            raise ValueError(f"no call of {call} was seen after the one before it") from None
        files = calls[at][1]
        steps += files[min(_shared(before, files), len(files) - 1) :]
        before = files
    return Way(tuple(b for a, b in pairwise(("", *steps)) if a != b))


def _shared(before: tuple[str, ...], files: tuple[str, ...]) -> int:
    """Return how many files from the outermost on are the same."""
    pairs = enumerate(zip(before, files, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(files)))


def ways() -> dict[str, Way]:
    """Return the way of a setpoint and that of a reading."""
    calls = followed()
    return {"setpoint": way(calls, SETPOINT), "reading": way(calls, READING)}


def main() -> None:
    """Print both ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    as_json = parser.parse_args().json
    figures: dict[str, dict[str, object]] = {}
    for name, one in ways().items():
        figures[name] = {"files": one.files, "changes": one.changes, "returns": one.returns}
        if not as_json:
            print(f"{name}: {len(one.files)} files, {one.changes} changes of room, ", end="")
            print(f"{one.returns} returns")
            print("\n".join(f"    {file}" for file in one.files))
    if as_json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
