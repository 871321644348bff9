"""The files as a power cut can leave them: each sector that nobody synced is old, new or torn.

A file system is taken that keeps its promises and no more: what was synced stays; what was written
since may be there or not, sector by sector and in any order; a truncation, a new name and a removed
one are lost until their file, or the folder, is synced. SQLite syncs the folder with the first sync
of a log or journal that it made (`unixSync`), and with a removal where it says so.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final, NamedTuple

from tests.proof.crash.disk import ON_DISK, SECTOR_BYTES, Act, Step

Files = dict[str, bytes]
Fates = Callable[[], "Fate"]

GARBAGE: Final = 0xA5
RANDOM_CUTS: Final = 2
"""Cuts at each act in which chance says what is kept of all that is unsynced."""


@unique
class Fate(Enum):
    """What a power cut does to one sector that was being written."""

    NEW = "new"
    OLD = "missing"
    TORN = "torn"
    """Its first half is new."""
    WILD = "wild"
    """What was to be written there is neither old nor new; bytes beside it stay as they were."""


HARM: Final = (Fate.OLD, Fate.TORN, Fate.WILD)


@unique
class How(Enum):
    """What is lost of everything that was written and not synced."""

    KEPT = "all kept"
    """As a kill -9 leaves it."""
    LOST = "all lost"
    SECTOR = "one sector"
    """Of the last write; all before is kept."""
    CHANCE = "chance"


class Cut(NamedTuple):
    """One power cut: right after the act ``step`` reached the disk, before a sync has returned."""

    step: int
    how: How
    sector: int = 0
    """Of the last write; for a cut by chance which one it is."""
    fate: Fate = Fate.NEW

    @property
    def name(self) -> str:
        """How it is named in a report and on the command line."""
        more = f" {self.sector} {self.fate.value}" if self.how is How.SECTOR else f" {self.sector}"
        return f"{self.step}: {self.how.value}{more if self.how in _NUMBERED else ''}"


_NUMBERED: Final = (How.SECTOR, How.CHANCE)


def sectors(step: Step) -> range:
    """Return the sectors that a write touches."""
    if not step.data:
        return range(0)
    return range(
        step.offset // SECTOR_BYTES, (step.offset + len(step.data) - 1) // SECTOR_BYTES + 1
    )


def cuts_at(number: int, step: Step) -> Iterator[Cut]:
    """Yield every power cut at one act."""
    if step.act not in ON_DISK:
        return
    yield Cut(number, How.KEPT)
    yield Cut(number, How.LOST)
    for again in range(RANDOM_CUTS):
        yield Cut(number, How.CHANCE, again)
    if step.act is Act.WRITE:
        for sector in range(len(sectors(step))):
            for fate in HARM:
                yield Cut(number, How.SECTOR, sector, fate)


@dataclass
class Medium:
    """A disk: what no power cut takes, and what waits for a sync."""

    durable: Files = field(default_factory=dict)
    notes: dict[str, list[bytes]] = field(default_factory=dict)
    """Each small file, with all that it ever was."""
    pending: list[Step] = field(default_factory=list)
    unsynced_names: set[str] = field(default_factory=set)
    """Files that were made and whose name is not durable yet."""

    def take(self, step: Step) -> None:
        """Let an act have happened to its end."""
        if step.act is Act.SYNC:
            self._sync(step.file)
        elif step.act is Act.SYNC_FAILED:
            self.pending = [
                each for each in self.pending
                if each.file != step.file or each.act in {Act.CREATE, Act.DELETE}
            ]  # fmt: skip
        elif step.act is Act.NOTE:
            self.notes.setdefault(step.file, []).append(step.data)
        elif step.act is not Act.TOLD:
            self.pending.append(step)
            if step.act is Act.CREATE:
                self.unsynced_names.add(step.file)
            if step.act is Act.DELETE and step.offset:
                self._sync_folder()

    def after(self, cut: Cut, last: Step, seed: int) -> Files:
        """Return the files after a power cut while ``last`` was being done."""
        chance = random.Random(f"{seed} {cut.name}")  # noqa: S311 - a proof must repeat
        found = dict(self.durable)
        if cut.how is not How.LOST:
            fates = _by_chance(chance) if cut.how is How.CHANCE else _always(Fate.NEW)
            for step in self.pending:
                _apply(found, step, fates)
            if last.act is not Act.SYNC:
                _apply(found, last, _one(cut) if cut.how is How.SECTOR else fates)
        for name, texts in self.notes.items():
            kept = _note(texts, chance) if cut.how is How.CHANCE else texts[-1]
            if kept is not None:
                found[name] = kept
        return found

    def _sync(self, file: str) -> None:
        for step in self.pending:
            if step.file == file:
                _apply(self.durable, step, _always(Fate.NEW))
        self.pending = [step for step in self.pending if step.file != file]
        if file in self.unsynced_names:
            self._sync_folder()

    def _sync_folder(self) -> None:
        """Make names durable; what is in the files waits for their own sync."""
        named = (Act.CREATE, Act.DELETE)
        for number, step in enumerate(self.pending):
            again = any(later.act in named and later.file == step.file
                        for later in self.pending[number + 1:])  # fmt: skip
            if step.act in named and not again:
                _apply(self.durable, step, _always(Fate.NEW))
        self.pending = [step for step in self.pending if step.act not in named]
        self.unsynced_names.clear()


def _always(fate: Fate) -> Fates:
    return lambda: fate


def _one(cut: Cut) -> Fates:
    left = iter([Fate.NEW] * cut.sector + [cut.fate])
    return lambda: next(left, Fate.NEW)


def _by_chance(chance: random.Random) -> Fates:
    return lambda: chance.choice((Fate.NEW, Fate.NEW, Fate.OLD, Fate.OLD, Fate.TORN, Fate.WILD))


def _note(texts: list[bytes], chance: random.Random) -> bytes | None:
    """Return what may be left of a small file that was replaced and never synced."""
    return chance.choice((*texts[-2:], b"", None))


def _apply(files: Files, step: Step, fates: Fates) -> None:
    """Do an act to the files, as far as each sector of it comes about."""
    name = step.file
    if step.act is Act.WRITE:
        if name in files:
            files[name] = _written(files[name], step, fates)
    elif fates() is not Fate.NEW:
        return
    elif step.act is Act.CREATE:
        files.setdefault(name, b"")
    elif step.act is Act.DELETE:
        files.pop(name, None)
    elif step.act is Act.TRUNCATE and name in files:
        files[name] = files[name][: step.offset].ljust(step.offset, b"\0")


def _written(content: bytes, step: Step, fates: Fates) -> bytes:
    found = bytearray(content)
    for sector in sectors(step):
        first = max(step.offset, sector * SECTOR_BYTES)
        end = min(step.offset + len(step.data), (sector + 1) * SECTOR_BYTES)
        fresh = step.data[first - step.offset : end - step.offset]
        fate = fates()
        if fate is Fate.OLD:
            continue
        if fate is Fate.TORN:
            fresh = fresh[: len(fresh) // 2]
        if fate is Fate.WILD:
            fresh = bytes(byte ^ GARBAGE for byte in fresh)
        if len(found) < first:
            found.extend(bytes(first - len(found)))
        found[first : first + len(fresh)] = fresh
    return bytes(found)
