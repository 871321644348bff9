"""What a kernel has fed while it treated, without a process: for whoever records it anew."""

import asyncio
import struct
from dataclasses import replace
from functools import cache
from mmap import mmap
from pathlib import Path

from mcap.opcode import Opcode

from controller.archive.worker import Recorder
from controller.kernel.service import Place, running
from controller.record.waveform_feed import WaveformFeed
from controller.record.waveform_process import RecorderProcess, file_name
from controller.record.waveform_samples import RECORD_BYTES
from qa.loop import run_virtual
from qa.rig import Rig, Service, rig
from qa.screen import Screen

TREATMENT = 1
SAMPLE_KIND = 1


class Shelf(RecorderProcess):
    """A recorder that keeps what is put, as far as there is room, and says what it is told to."""

    def __init__(self, room: int = 10**9) -> None:
        super().__init__(Path("nowhere"))
        self.kept: list[bytes] = []
        self.room = room
        self.started: list[int] = []
        self.killed = 0
        self.given_up = 0
        self.fails: OSError | None = None
        self._alive = False
        self.began = TREATMENT

    @property
    def lives(self) -> bool:
        return self._alive

    def start(self, go_on: int = 0) -> None:
        if self.fails is not None:
            raise self.fails
        self.started.append(go_on)
        self._alive = True

    def put(self, record: bytes) -> bool:
        assert len(record) == RECORD_BYTES
        if len(self.kept) >= self.room:
            return False
        self.kept.append(record)
        return True

    def die(self) -> None:
        self._alive = False

    def kill(self) -> None:
        self.killed += 1
        self.die()

    def say(self, **said: object) -> None:
        self.told = dict(said)
        self.news.set()

    def give_up(self, *, kill: bool = True) -> None:
        self.given_up += 1
        if kill:
            self.kill()

    @property
    def samples(self) -> list[bytes]:
        return [record for record in self.kept if record[0] == SAMPLE_KIND]


class Fed:
    """The whole service in virtual time, with a feed."""

    def __init__(self, made: Rig, service: Service, feed: WaveformFeed, shelf: Shelf) -> None:
        self.rig, self.service, self.feed, self.shelf = made, service, feed, shelf


async def fed(shelf: Shelf, play: object) -> Fed:
    """Run the service around ``play(fed)``."""
    async with rig() as made:
        outside = made.outside()
        feed = WaveformFeed(outside.journal, outside.here, shelf)
        async with running(Place("virtual"), replace(outside, waves=feed)) as kernel:
            made.screen = Screen(kernel, made.handpiece, None)
            one = Fed(made, Service(made, kernel), feed, shelf)
            await play(one)  # type: ignore[operator]
            return one


@cache
def patch_test() -> bytes:
    """Return all that is put into the queue in one treatment: its beginning, samples, its end."""

    async def play(one: Fed) -> None:
        await one.service.treat("patch-test")
        await asyncio.sleep(4.0)

    shelf = Shelf()

    async def whole() -> None:
        await fed(shelf, play)

    run_virtual(whole())
    return b"".join(shelf.kept)


def chunks(data: bytes) -> list[tuple[int, int]]:
    """Return where each chunk of a file begins and ends."""
    found, at = [], 8
    while at < len(data) - 8:
        opcode, length = struct.unpack_from("<BQ", data, at)
        if opcode == Opcode.CHUNK:
            found.append((at, at + 9 + length))
        at += 9 + length
    return found


def record(folder: Path, data: bytes, turn_records: int = 12) -> Path:
    """Let a recorder take ``data`` turn by turn, and return the file."""
    with mmap(-1, 8) as shared:
        recorder = Recorder(folder, shared)
        for at in range(0, len(data), RECORD_BYTES * turn_records):
            recorder.take(data[at : at + RECORD_BYTES * turn_records])
        if recorder._open is not None and recorder._open._stream is not None:
            recorder._open._stream.close()  # as the system does for one that was killed
    return folder / file_name(TREATMENT)
