"""Feeds the recorder of waveforms, which is another process, and never waits for it.

The queue between both is a pipe. What finds no room in it is dropped; the numbers of the samples
show that, and the recorder marks a gap. The kernel keeps both ends of the pipe open, so that a
recorder that dies takes with it only what it had taken out, and the next one goes on in the same
file. Waveforms are not the record: what fails here is told by a row, and nothing of a treatment
waits for it or ends by it.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from controller.record import listing
from controller.record.clocks import Here
from controller.record.head_note import newest
from controller.record.journal import Journal, Row
from controller.record.store import RecordError, Store
from controller.record.waveform_process import RecorderProcess, file_name
from controller.record.waveform_samples import Text, parts_of, sample_of
from controller.safety.alarms import Standing
from controller.safety.reading import Reading
from controller.treatment.conduct import Conduct
from controller.treatment.conductor import Assignment, Conductor
from controller.treatment.kinds import Kind

TAIL_S: Final = 2.0
"""For so long after the end is durable: the vent and the last of the purge are in the file."""

LOOK_S: Final = 0.25
"""How often the recorder is looked after; a sample waits for none of this."""

STARTS_MAX: Final = 3
"""For one treatment. A recorder that dies more often has a reason that the next one has too."""

STUCK_S: Final = 10.0
"""A recorder that has left the queue full for so long is stopped or hangs, and is ended."""

AGAIN_S: Final = 2.0
"""After so long a beginning is said again of which nothing was heard: who took it has died."""

FINISH_MAX_S: Final = 5.0
"""From the end to the hash of the finished file; 50 ms are usual."""

CLOSE_MAX_S: Final = 2.0
"""How long a kernel that ends waits for the same."""

NO_ROOM: Final = "The recorder did not take its beginning."
GAVE_UP: Final = "The recorder ended again and again."
SILENT: Final = "The recorder did not finish the file in time."


@dataclass(slots=True)
class _Recorded:
    """One treatment that is recorded."""

    treatment: int
    conduct: Conduct
    alarms: Callable[[], tuple[Standing, ...]]
    begun_s: float | None = None
    """When its beginning was put into the queue; samples may follow."""
    samples: int = 0
    """With those that found no room."""
    lost: int = 0
    standing: tuple[Standing, ...] = ()
    """The alarms that the recorder was told."""
    full_since_s: float | None = None
    over_s: float | None = None
    """When its end was first seen."""
    ended_s: float | None = None
    """When its end was put into the queue."""
    starts: int = 0
    failed: str = field(default="")


class WaveformFeed:
    """What the kernel knows of its recorder; without one it does nothing at all."""

    def __init__(
        self,
        journal: Journal | None = None,
        here: Here | None = None,
        recorder: RecorderProcess | None = None,
    ) -> None:
        self._journal = journal
        self._here = here
        self._recorder = recorder
        self._conduct: Conduct | None = None
        self._now: _Recorded | None = None
        self._next: _Recorded | None = None
        self._wanted = asyncio.Event()
        self._closing = False
        self._texts = 0

    # -- what the kernel calls; none of it waits ---------------------------------------------------
    def after(self, listener: Callable[[Reading], None]) -> Callable[[Reading], None]:
        """Return a listener that records each reading after ``listener`` has decided on it."""
        if self._recorder is None:
            return listener

        def heard(reading: Reading) -> None:
            listener(reading)
            self.take(reading)

        return heard

    def beside(self, assignment: Assignment) -> Assignment:
        """Return the same assignment; who conducts it is looked at while it is recorded."""
        if self._recorder is None:
            return assignment
        self._wanted.set()  # a recorder is started while nothing is under way

        def made(*given: Any) -> Conductor:  # noqa: ANN401 - what a conductor is made from
            conductor = assignment.conductor(*given)
            conduct = conductor.conduct
            self._conduct = conduct if isinstance(conduct, Conduct) else None
            return conductor

        return assignment._replace(conductor=made)

    def begin(self, treatment: int, alarms: Callable[[], tuple[Standing, ...]]) -> None:
        """Record the treatment that has begun; ``alarms`` returns those that stand."""
        if self._recorder is not None and self._conduct is not None:
            self._next = _Recorded(treatment, self._conduct, alarms)
            self._wanted.set()

    def take(self, reading: Reading) -> None:
        """Put one reading into the queue, or count it where that has no room. Never raises."""
        now, recorder = self._now, self._recorder
        if now is None or recorder is None or now.begun_s is None or now.ended_s is not None:
            return
        standing = now.alarms()
        if standing != now.standing and self._tell_alarms(now, standing, reading.at_s):
            now.standing = standing
        number, now.samples = now.samples, now.samples + 1
        fits = False
        with contextlib.suppress(struct.error, OverflowError):  # a number that no float is
            fits = recorder.put(sample_of(number, now.treatment, reading, now.conduct))
        if fits:
            now.full_since_s = None
            return
        now.lost += 1
        if now.full_since_s is None:
            now.full_since_s = reading.at_s

    # -- looking after the recorder ----------------------------------------------------------------
    async def run(self) -> None:
        """Record what begins, one treatment after the other, until cancelled."""
        try:
            while self._recorder is not None and not self._closing:
                await self._wanted.wait()
                self._wanted.clear()
                if self._next is None:
                    self._ready(self._recorder)
                else:
                    self._now, self._next = self._next, None
                    await self._record(self._now, self._recorder)
                    self._now = None
        finally:
            if self._recorder is not None:  # it finishes its file when the queue is closed
                self._recorder.give_up(kill=False)

    async def close(self) -> None:
        """Finish the file of a treatment that is recorded, within `CLOSE_MAX_S`."""
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MAX_S):
                while self._now is not None or self._next is not None:
                    self._poke()
                    await asyncio.sleep(LOOK_S / 5)

    def _poke(self) -> None:
        if self._recorder is not None:
            self._recorder.news.set()

    async def _record(self, now: _Recorded, recorder: RecorderProcess) -> None:
        try:
            about = await self._about(now.treatment)
            while not self._is_done(now, recorder):
                # A start holds up the loop: not while the valve may be open.
                quiet = now.begun_s is None or now.over_s is not None
                if quiet and not recorder.lives and not self._revive(now, recorder):
                    break
                self._go_on(now, recorder, about)
                await self._news(recorder)
        except (RecordError, OSError, ValueError) as error:
            now.failed = str(error)
        except Exception as error:  # noqa: BLE001 - no fault of a recording may end a kernel
            now.failed = f"{type(error).__name__}: {error}"
        self._told(now, recorder)
        if now.failed:
            recorder.give_up()

    def _ready(self, recorder: RecorderProcess) -> None:
        with contextlib.suppress(OSError):  # tried again when it is needed
            if not recorder.lives:
                recorder.start()

    async def _news(self, recorder: RecorderProcess) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await recorder.news.wait()
        recorder.news.clear()

    async def _about(self, treatment: int) -> dict[str, Any]:
        if self._journal is None or self._here is None:
            raise RecordError("There is no record.")
        said = await self._journal.read(partial(about, treatment=treatment))
        moment = asyncio.get_running_loop().time()
        return {**said, "wall_s": self._here.wall_clock(), "mono_s": moment}

    def _revive(self, now: _Recorded, recorder: RecorderProcess) -> bool:
        """Start a recorder; False where that was done too often."""
        if now.starts >= STARTS_MAX:
            now.failed = GAVE_UP
            return False
        now.starts += 1
        recorder.start(0 if now.begun_s is None else now.treatment)
        return True

    def _go_on(self, now: _Recorded, recorder: RecorderProcess, about: Mapping[str, Any]) -> None:
        """Tell the recorder what it has to know next, as far as the queue has room."""
        now_s = asyncio.get_running_loop().time()
        again = now.begun_s is not None and now.begun_s + AGAIN_S <= now_s
        unheard = now.begun_s is None or (again and recorder.began != now.treatment)
        if unheard and now.ended_s is None and self._put(recorder, Text.BEGIN, about):
            now.begun_s = now_s
        if now.conduct.recorded is not None and now.over_s is None:
            now.over_s = now_s
        ends = self._closing or self._next is not None
        if now.ended_s is None and (ends or (now.over_s or now_s) + TAIL_S <= now_s):
            said = {"treatment": now.treatment, "samples": now.samples, "at_s": now_s}
            if self._put(recorder, Text.END, said):
                now.ended_s = now_s
            elif now.full_since_s is None:
                now.full_since_s = now_s
        if now.full_since_s is not None and now.full_since_s + STUCK_S <= now_s:
            now.full_since_s = None
            recorder.kill()  # the next one takes what is in the queue

    def _is_done(self, now: _Recorded, recorder: RecorderProcess) -> bool:
        """Return True when the file is finished, or nothing more is waited for."""
        if recorder.told.get("treatment") == now.treatment:
            return True
        now_s = asyncio.get_running_loop().time()
        late = now.ended_s is not None and now.ended_s + FINISH_MAX_S <= now_s
        # A queue that stays full takes no end: its recorder was ended, and the next one has failed.
        late |= now.over_s is not None and now.over_s + TAIL_S + 2 * STUCK_S <= now_s
        unheard = (
            now.begun_s is None and now.over_s is not None and now.over_s + FINISH_MAX_S <= now_s
        )
        if late or unheard:
            now.failed = SILENT if late else NO_ROOM
        return late or unheard

    def _told(self, now: _Recorded, recorder: RecorderProcess) -> None:
        """Leave a row of how it ended."""
        said = dict(recorder.told) if recorder.told.get("treatment") == now.treatment else {}
        body = {key: value for key, value in said.items() if key != "treatment"}
        now.failed = now.failed if not body else str(body.get("why", ""))
        if not body:
            file = file_name(now.treatment) if now.begun_s is not None else None
            body = {"file": file, "why": now.failed, "lost_samples": now.lost}
        if self._journal is not None:
            self._journal.note(Row(Kind.WAVEFORM, body, now.treatment))

    # -- texts -------------------------------------------------------------------------------------
    def _put(self, recorder: RecorderProcess, kind: Text, body: Mapping[str, Any]) -> bool:
        self._texts = (self._texts + 1) % 2**32
        return all(map(recorder.put, parts_of(self._texts, kind, body)))

    def _tell_alarms(self, now: _Recorded, standing: tuple[Standing, ...], at_s: float) -> bool:
        if self._recorder is None:
            return False
        before = {one.alarm.code: one for one in now.standing if one.present}
        after = {one.alarm.code: one for one in standing if one.present}
        said = [
            {
                "at_s": at_s,
                "code": one.alarm.code,
                "priority": one.alarm.priority.name,
                "stands": one.alarm.code in after,
                "sentence": one.alarm.sentence,
            }
            for one in (before | after).values()
            if (one.alarm.code in after) is not (one.alarm.code in before)
        ]
        return all(self._put(self._recorder, Text.ALARM, each) for each in said)


NOT_FED: Final = WaveformFeed()
"""For a kernel without a recorder: in virtual time, and where nobody gave it one."""


def about(store: Store, treatment: int) -> dict[str, Any]:
    """Return what the file of a treatment says of it: its row, and where the journal stood then."""
    ((journal,),) = store.ask("SELECT journal FROM identity")
    row, head = newest(store.connection())
    begun = listing.begun(store, treatment)
    if begun is None:
        raise RecordError(f"Treatment {treatment} has no row.")
    said = begun.body
    plan = {key: value for key, value in (said.get("plan") or {}).items() if key != "client"}
    return {
        "treatment": treatment,
        **{name: said.get(name) for name in _OF_ROW},
        "plan": plan,
        "journal": journal,
        "head_row": row,
        "head_hash": head,
    }


_OF_ROW: Final = (
    "program", "program_version", "program_sha256", "unit", "simulated", "practice", "corneum",
    "plan_sha256",
)  # fmt: skip
"""Of the row that began it; not the client, whom a treatment's number leads to."""
