"""A recording played into a simulated unit in virtual time: what it understands must be nothing.

A recording is of another session, and the unit it is played to has nonces of its own. So of all
that the host said back then it may answer HELLO and STOP alone; every other frame is foreign, the
unit stays DISARMED, and the valve stays shut. That is the safety property of a replay, and anything
else is a difference. What a unit answers to HELLO and STOP is compared with what is recorded.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from firmware_protocol.catalogue import Direction
from firmware_protocol.messages import Hello, Ident, Result, Stop, Stopped
from firmware_protocol.vocabulary import Mode, Refusal
from qa.loop import run_virtual
from qa.traffic.recording import Chunk
from qa.traffic.words import Teller
from simulator.handpiece import Handpiece, Happening
from simulator.host import DeviceHost

AFTER_S: Final = 1.0
"""How long the unit is watched after the last byte."""
T = TypeVar("T")

LIMIT_S: Final = 2 * 86_400.0
SHUT_PERCENT: Final = 1.0
QUIET_MODES: Final = frozenset({"BOOT", "DISARMED"})


class SameUnitError(Exception):
    """The unit has the nonces of the recording, so that this is no replay."""


@dataclass(slots=True)
class Played:
    """What a unit did while a recording was played to it."""

    answers: Teller = field(default_factory=Teller)
    events: list[Happening] = field(default_factory=list)
    bad_frames: int = 0

    @property
    def valve_opened(self) -> bool:
        """True where the valve left its seat."""
        opened = (e for e in self.events if e["kind"] == "valve")
        return any(float(str(e["open_percent"])) > SHUT_PERCENT for e in opened)

    @property
    def modes(self) -> list[str]:
        """The modes that the unit came to."""
        return [str(e["mode"]) for e in self.events if e["kind"] == "mode"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a replay shows."""

    differences: tuple[str, ...]
    """Each is a fault: of the recorded unit, of the simulator, or of one of the versions."""
    notes: tuple[str, ...]
    """What differs and may."""


def play(chunks: Sequence[Chunk], seed: int, hand: str = "average") -> Played:
    """Play the host's bytes at their times to a unit from ``seed`` and return what it did."""
    played = Played()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        unit = Handpiece(seed, hand, events=played.events.append)

        def hear(data: bytes) -> None:
            played.answers.take(Chunk(loop.time(), Direction.TO_HOST, data))

        host = DeviceHost(unit, loop, hear)
        host.start()
        try:
            for chunk in (one for one in chunks if one.way is Direction.TO_DEVICE):
                await _until(loop, chunk.t_s)
                host.receive(chunk.data)
                played.bad_frames = max(played.bad_frames, unit.firmware.link.bad_frames)
            await asyncio.sleep(AFTER_S)
        finally:
            host.stop()

    run_virtual(scenario(), limit_s=LIMIT_S)
    return played


async def _until(loop: asyncio.AbstractEventLoop, at_s: float) -> None:
    wait_s = at_s - loop.time()
    if wait_s > 0.0:
        await asyncio.sleep(wait_s)


def compare(recorded: Teller, played: Played) -> Comparison:
    """Compare what was recorded with what the unit did; SameUnitError where it is no replay."""
    differences: list[str] = []
    notes: list[str] = []
    if played.valve_opened:
        differences.append("the valve opened by a replay")
    loud = sorted({mode for mode in played.modes if mode not in QUIET_MODES})
    if loud:
        differences.append(f"a replay moved the unit to {', '.join(loud)}")
    results = _of(played.answers, Result)
    if results:
        differences.append(f"{len(results)} requests of the recorded session were answered")
    _compare_greetings(recorded, played, differences, notes)
    _compare_stops(recorded, played, differences, notes)
    return Comparison(tuple(differences), tuple(notes))


def _compare_greetings(
    recorded: Teller, played: Played, differences: list[str], notes: list[str]
) -> None:
    before, now = _greetings(recorded, recorded), _greetings(recorded, played.answers)
    for hello, again in now.items():
        then = before[hello]
        if again is None:
            differences.append(f"HELLO {hello[0]} is not answered")
        elif then is None:
            notes.append(f"HELLO {hello[0]} has no recorded answer")
        else:
            _compare_idents(hello[0], then, again, differences, notes)


def _compare_idents(
    hello: int, then: Ident, again: Ident, differences: list[str], notes: list[str]
) -> None:
    if (then.device_nonce, then.boot_id) == (again.device_nonce, again.boot_id):
        raise SameUnitError("the unit has the nonces of the recording; choose another seed")
    differences += _changed(f"HELLO {hello}: ", then, again, ("major", "minor", "schema"))
    if then.refusal != again.refusal:
        told = f"HELLO {hello}: was {Refusal(then.refusal).name}, is {Refusal(again.refusal).name}"
        busy = then.refusal == Refusal.BUSY
        notes.append(f"{told}: it was armed then") if busy else differences.append(told)
    notes += _changed("", then, again, ("serial", "firmware", "capabilities"))


def _changed(where: str, then: Ident, again: Ident, names: Sequence[str]) -> list[str]:
    pairs = [(name, getattr(then, name), getattr(again, name)) for name in names]
    return [f"{where}{name} was {a:#x} and is {b:#x}" for name, a, b in pairs if a != b]


def _compare_stops(
    recorded: Teller, played: Played, differences: list[str], notes: list[str]
) -> None:
    asked, answered = len(_of(recorded, Stop)), _of(played.answers, Stopped)
    if len(answered) != asked:
        differences.append(f"{asked} STOP were answered with {len(answered)} STOPPED")
    then = len(_of(recorded, Stopped))
    if then != asked:
        notes.append(f"{asked} STOP had {then} recorded answers")
    wrong = {m.mode for m in answered if m.mode not in (Mode.BOOT, Mode.DISARMED)}
    if wrong:
        differences.append(f"STOPPED says {', '.join(Mode(mode).name for mode in sorted(wrong))}")


def _of(teller: Teller, kind: type[T]) -> list[T]:
    return [f.message for _, _, f in teller.seen if isinstance(f.message, kind)]


def _greetings(host: Teller, unit: Teller) -> Mapping[tuple[int, Hello], Ident | None]:
    """Return each HELLO of the host, by sequence and content, with the unit's answer to it."""
    said = [one for one in host.seen if isinstance(one[2].message, Hello)]
    answered = [one for one in unit.seen if isinstance(one[2].message, Ident)]
    newest: dict[int, tuple[int, Hello]] = {}
    found: dict[tuple[int, Hello], Ident | None] = {}
    for _, _, frame in sorted([*said, *answered], key=lambda one: one[0]):
        message = frame.message
        if isinstance(message, Hello):
            newest[frame.seq] = (frame.seq, message)
            found.setdefault((frame.seq, message), None)
        elif isinstance(message, Ident) and message.request_seq in newest:
            found[newest[message.request_seq]] = message
    return found
