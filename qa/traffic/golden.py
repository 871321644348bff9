"""The golden traces: what the wire carries in each preset, in words, with a check of every byte.

    python -m qa.traffic.golden tests/vectors/traces            # renews them
    python -m qa.traffic.golden tests/vectors/traces --check    # 1 where one differs

One zone of the practice client each, in virtual time, from one seed, stopped in order after twenty
seconds. A change of the protocol, of the device or of the controller that reaches the wire shows
here as lines; where only sensor readings moved, as checks.
"""

import asyncio
import difflib
import hashlib
import sys
from pathlib import Path
from typing import Final

from controller.cli import boundary
from controller.config.locate import shipped_configs
from controller.config.people import load_client
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.kernel.service import Place, running
from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.schema import SCHEMA_HASH
from qa.arguments import Arguments
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig
from qa.traffic.recording import Chunk
from qa.traffic.words import Teller

CLIENT: Final = "demo"
SEED: Final = 1
TREATED_MAX_S: Final = 20.0
TRACE_MAX_BYTES: Final = 30_000
DIFF_MAX_LINES: Final = 40
WAYS: Final = {b">": Direction.TO_DEVICE, b"<": Direction.TO_HOST}


class Capture:
    """Everything that the wire of one run carried."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def note(self, direction: bytes, data: bytes, now_s: float) -> None:
        """Take one piece from the virtual wire."""
        self.chunks.append(Chunk(now_s, WAYS[direction], data))

    def bytes_of(self, way: Direction) -> bytes:
        """Return all bytes of one direction."""
        return b"".join(chunk.data for chunk in self.chunks if chunk.way is way)


def capture(program: str, zone: str, seed: int = SEED) -> list[Chunk]:
    """Run a preset in virtual time and return what the wire carried."""
    captured = Capture()

    async def scenario() -> None:
        async with rig(RigSpec(seed)) as made:
            made.wire.trace.tap = captured.note
            async with running(
                Place("virtual", configs=made.spec.configs), made.outside()
            ) as kernel:
                unit = Service(made, kernel)
                await unit.ask("treat", program=program, client=CLIENT, zones=[zone])
                try:
                    await unit.until(lambda: kernel.idle, TREATED_MAX_S)
                except TimeoutError:
                    await unit.ask("stop")
                    await unit.until(lambda: kernel.idle)
                await asyncio.sleep(1.0)

    run_virtual(scenario())
    return captured.chunks


def zone_of(program: str) -> str:
    """Return the zone with the least contact time that the practice client agreed to."""
    configs = shipped_configs()
    loaded = load_program(configs, program, load_skin(configs))
    agreed = load_client(configs, CLIENT).zones
    stages = [stage for stage in loaded.stages if agreed is None or stage.zone in agreed]
    return min(stages, key=lambda stage: (stage.contact_budget_s, stage.zone)).zone


def render(program: str) -> str:
    """Return the golden trace of a preset."""
    zone = zone_of(program)
    captured = Capture()
    captured.chunks = capture(program, zone)
    teller = Teller()
    for chunk in captured.chunks:
        teller.take(chunk)
    head = [
        f"program {program}, zone {zone}, client {CLIENT}, seed {SEED}, "
        f"protocol {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}, schema {SCHEMA_HASH:#010x}",
    ]
    for way, data in ((way, captured.bytes_of(way)) for way in Direction):
        head.append(f"{way.value}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return "\n".join([*head, "", *teller.lines(check=True)]) + "\n"


def programs() -> list[str]:
    """Return the presets."""
    return list(program_names(shipped_configs()))


def difference(name: str, golden: str, now: str) -> str:
    """Return nothing, or what differs and how to renew it."""
    if golden == now:
        return ""
    lines = list(difflib.unified_diff(
        golden.splitlines(), now.splitlines(), f"{name} golden", f"{name} now", lineterm="", n=2
    ))  # fmt: skip
    more = len(lines) - DIFF_MAX_LINES
    told = [*lines[:DIFF_MAX_LINES], *([f"... and {more} lines more"] if more > 0 else [])]
    renew = "where that is meant: python -m qa.traffic.golden tests/vectors/traces"
    return "\n".join([*told, renew])


def main(arguments: list[str]) -> int:
    """Renew the traces, or check them."""
    parser = Arguments(prog="python -m qa.traffic.golden", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the traces are")
    parser.add_argument("--check", action="store_true", help="write nothing, show differences")
    parser.add_argument("--program", action="append", help="only this one")
    wanted = parser.parse_args(arguments)
    differ = 0
    for name in wanted.program or programs():
        path = wanted.folder / f"{name}.txt"
        text = render(name)
        if wanted.check:
            golden = path.read_text(encoding="ascii") if path.is_file() else ""
            told = difference(name, golden, text)
            differ += bool(told)
            sys.stdout.write(told + "\n" if told else "")
        else:
            wanted.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
            sys.stdout.write(f"{path}: {len(text)} bytes\n")
    return 1 if differ else 0


if __name__ == "__main__":
    boundary.run("qa.traffic.golden", lambda: main(sys.argv[1:]))
