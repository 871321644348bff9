"""How a device is broken for one test, and by which case it must be noticed.

What is changed is the firmware, or the protocol as the device alone uses it: the peer of the kit
has a codec and sequences of its own, so that a broken link here is a broken device and no more.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.errors import BadFrameError
from firmware_protocol.frame import Frame, FrameDecoder, cobs_decode, cobs_encode, crc32
from firmware_protocol.messages import Arm
from firmware_protocol.vocabulary import Mode, Permit
from simulator.firmware import modes, permissives
from simulator.firmware.board import Board
from simulator.firmware.modes import TRANSITIONS, Trigger
from simulator.firmware.requests import Requests

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


class Broken:
    """By the case that must fail: what is broken, and how."""

    def __init__(self) -> None:
        self.by_case: dict[str, tuple[str, Break]] = {}

    def __call__(self, what: str, *numbers: str) -> Callable[[Break], Break]:
        def register(change: Break) -> Break:
            for number in numbers:
                assert number not in self.by_case
                self.by_case[number] = (what, change)
            return change

        return register


class Agreeable(int):
    """A number that differs from no other."""

    def __ne__(self, other: object) -> bool:
        return False

    __eq__ = int.__eq__
    __hash__ = int.__hash__


def decoding(patch: Patch, change: Callable[[bytes, BadFrameError | Frame], Frame]) -> None:
    """Let the device see what ``change`` makes of a frame or of a refusal."""

    def changed(run: bytes, way: Direction) -> Frame:
        try:
            seen: BadFrameError | Frame = decode(run, way)
        except BadFrameError as error:
            seen = error
        return change(run, seen)

    patch.setattr("firmware_protocol.link.decode", changed)


def plain(seen: BadFrameError | Frame) -> Frame:
    if isinstance(seen, BadFrameError):
        raise seen
    return seen


def sealed(run: bytes, seed: int) -> Frame:
    """A run as if its check sum were right."""
    body = cobs_decode(run)[:-4]
    return decode(cobs_encode(body + crc32(body, seed).to_bytes(4, "little")), Direction.TO_DEVICE)


def cutting(patch: Patch, feed: Callable[[FrameDecoder, bytes], list[bytes]]) -> None:
    class Cutter(FrameDecoder):
        def feed(self, data: bytes) -> list[bytes]:
            return feed(self, data)

    patch.setattr("firmware_protocol.link.FrameDecoder", Cutter)


def rows(patch: Patch, mode: Mode, trigger: Trigger, to: Mode) -> None:
    """Change one row of the table of modes."""
    table: dict[Mode, Mapping[Trigger, Mode]] = dict(TRANSITIONS)
    table[mode] = {**table[mode], trigger: to}
    patch.setattr(modes, "TRANSITIONS", MappingProxyType(table))


def permitting(patch: Patch, always: Permit) -> None:
    bits = permissives.bits
    patch.setattr(permissives, "bits", lambda **conditions: bits(**conditions) | always)


def arming(patch: Patch, change: Callable[[Board, Arm], Arm]) -> None:
    """Let the device judge another ARM than the one that came."""
    judge = Requests._why_not_arm
    patch.setattr(Requests, "_why_not_arm", lambda self, arm: judge(self, change(self._board, arm)))
