"""From a wish to a booked treatment: the record is ready, the plan is proved, the row is written.

Nothing here moves anything. A booking ends with the row TREATMENT, durable before the unit hears of
the treatment at all. RecordError where the record cannot be kept, ApiError for everything else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.plan_json import plan_as_dict
from controller.config.programs import load_program
from controller.config.skin import load_skin
from controller.kernel import records, tip_record
from controller.kernel.api import ApiError, TreatArgs
from controller.kernel.journal import Journal, Row
from controller.kernel.locks import LockState
from controller.kernel.record_health import believe
from controller.kernel.records import Beginning
from controller.kernel.recovery import interrupted
from controller.kernel.snapshot import UnfinishedView
from controller.kernel.store import Store
from controller.kernel.tip_record import FittedTip
from controller.safety.exposure import ZoneUse
from controller.safety.reading import Identity
from controller.safety.skin import PastDose, Skin
from controller.treatment import rows
from controller.treatment.client import Client
from controller.treatment.events import Who
from controller.treatment.plan import Lower, Plan, Refusal
from controller.treatment.planning import make_plan
from controller.treatment.program import Program
from controller.treatment.tips import TipPast, is_tracked, tip_refusal
from controller.treatment.unit import Unit

LOCK_UNKNOWN: Final = "lock_unknown"
"""Another kernel's lock could not be looked at, so its treatment was not marked as interrupted."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the configuration says about one wish."""

    program: Program
    client: Client
    unit: Unit
    skin: Skin


@dataclass(frozen=True, slots=True)
class Resumed:
    """The unfinished treatment that a wish goes on with, and what its zones have had."""

    beginning: Beginning
    uses: dict[str, ZoneUse]


@dataclass(frozen=True, slots=True)
class Proved:
    """A plan that holds, with what has to be booked about it."""

    plan: Plan
    practice: bool
    resumes: int | None
    tip: FittedTip | None
    """The tip that it will be begun with; None where tips are not told apart."""


class Booking:
    """Reads the files, asks the record, makes the plan, writes the row."""

    def __init__(
        self,
        journal: Journal,
        wall_clock: Callable[[], float],
        configs: Path | None,
        lock: str,
        alive: Callable[[str], LockState],
    ) -> None:
        self._journal = journal
        self._wall_clock = wall_clock
        self._configs = shipped_configs() if configs is None else configs
        self._lock = lock
        self._alive = alive
        self._unseen: set[str] = set()
        """Locks that could not be looked at: what they may guard stays as it is."""

    async def ready(self) -> None:
        """Prove that a treatment can be recorded; mark what a crash has left open.

        No treatment of this kernel is under way.
        """
        await self._journal.preflight()
        found = await self._journal.read(lambda store: interrupted(store, self._is_alive))
        unseen = [Row(LOCK_UNKNOWN, {"lock": lock}) for lock in sorted(self._unseen)]
        self._unseen.clear()
        if found or unseen:
            await self._journal.commit([*unseen, *(each.row() for each in found)])

    async def check_tables(self) -> None:
        """Prove that limits can be computed: without usable skin data nothing starts at all."""
        try:
            await asyncio.to_thread(load_skin, self._configs)
        except ConfigError as error:
            raise ApiError(
                "config", error.sentence, "The kernel does not start without it."
            ) from error

    async def unfinished(self) -> tuple[UnfinishedView, ...]:
        """Return the treatments that wait to be resumed or dismissed."""
        found = await self._journal.read(records.unfinished)
        return tuple(UnfinishedView(each.treatment, each.client, each.program) for each in found)

    async def prove(self, wish: TreatArgs, identity: Identity, *, dry: bool = False) -> Proved:
        """Return the plan of ``wish`` on this unit; ApiError says why there is none.

        A dry one is made at a desk, where the tip of the treatment need not be fitted yet: what
        speaks against the one that is becomes a note.
        """
        files = await self._read_files(wish, identity)
        resumed = await self._resumed(wish) if wish.resume else None
        history = await self._history(files, identity, resumed)
        # A thread: a refusal looks for the smallest change by planning again, and control goes on.
        plan = await asyncio.to_thread(
            make_plan,
            files.program,
            files.client,
            files.unit,
            files.skin,
            history,
            self._wall_clock(),
            lower=None
            if wish.lower is None
            else Lower(wish.lower.suction_kpa, wish.lower.flow_g_per_min),
            zones=_zones(wish, resumed),
            reason=wish.reason,
            resumed=None if resumed is None else resumed.uses,
        )
        if isinstance(plan, Refusal):
            receipt = None if plan.receipt is None else rows.receipt_body(plan.receipt)
            raise ApiError(plan.code, plan.sentence, await self._next_step(plan, wish), receipt)
        past = await self._tip_past(files, identity, wish)
        spent = tip_refusal(files.unit, files.client, past, self._wall_clock())
        if spent is not None and not dry:
            raise ApiError(spent.code, spent.sentence, spent.next_step)
        if spent is not None:
            note = f"Before treating: {spent.sentence} {spent.next_step}"
            plan = replace(plan, notes=(*plan.notes, note))
        resumes = None if resumed is None else resumed.beginning.treatment
        return Proved(plan, files.client.practice, resumes, _fitted(files, past))

    async def book(self, proved: Proved, wish: TreatArgs, who: Who) -> int:
        """Write the row of the treatment and return its number."""
        body: dict[str, Any] = records.beginning_body(
            proved.plan, self._lock, practice=proved.practice, resumes=proved.resumes
        )
        body |= {
            "who": rows.who_body(who),
            "reason": wish.reason,
            "plan": plan_as_dict(proved.plan),
        }
        begun, plan = [Row(records.TREATMENT, body)], proved.plan
        if proved.tip is not None:
            fitted = proved.tip.body(plan.unit_serial, plan.client_ref, simulated=plan.simulated)
            begun.append(Row(tip_record.TIP, fitted))
        return await self._journal.book(begun)

    async def withdraw(self, treatment: int, why: str) -> None:
        """Close a treatment that was booked and never began."""
        body = {"outcome": "refused", "why": why, "zones": []}
        await self._journal.commit([Row(records.ENDED, body, treatment)])

    async def dismiss(self, treatment: int, reason: str, who: Who) -> None:
        """Note that an unfinished treatment will not be continued."""
        found = await self._journal.read(records.unfinished)
        known = [str(each.treatment) for each in found]
        if str(treatment) not in known:
            raise ApiError(
                "unknown_treatment",
                f"Treatment {treatment} is not unfinished.",
                f"Unfinished are: {', '.join(known)}." if known else "There is none.",
            )
        body = {"who": rows.who_body(who), "reason": reason}
        await self._journal.commit([Row(records.DISMISSED, body, treatment)])

    def is_under_way(self, lock: str) -> bool:
        """Return True unless surely no kernel holds ``lock``: neither this one nor another."""
        return lock == self._lock or self._alive(lock) is not LockState.FREE

    def _is_alive(self, lock: str) -> bool:
        """Return True unless ``lock`` is surely free, or this kernel's own from an earlier life."""
        if lock == self._lock:
            return False
        holding = self._alive(lock)
        if holding is LockState.UNKNOWN:
            self._unseen.add(lock)
        return holding is not LockState.FREE

    async def _read_files(self, wish: TreatArgs, identity: Identity) -> Files:
        try:
            return await asyncio.to_thread(_load, self._configs, wish, identity)
        except ConfigError as error:
            raise ApiError(
                "config", error.sentence, "Then ask again; nothing has moved."
            ) from error

    async def _resumed(self, wish: TreatArgs) -> Resumed:
        now_wall_s = self._wall_clock()

        def question(store: Store) -> Resumed | None:
            for each in records.resumable(store, now_wall_s):
                if each.client == wish.client and each.program == wish.program:
                    return Resumed(each, records.resumed_uses(store, each))
            return None

        found = await self._journal.read(question)
        if found is None:
            raise ApiError(
                "nothing_unfinished",
                f"Client {wish.client} has no treatment {wish.program} to go on with: within 12 "
                "hours one that was stopped, tripped or interrupted can be resumed.",
                "Start a new one without resume.",
            )
        return found

    async def _next_step(self, refused: Refusal, wish: TreatArgs) -> str:
        """The interval may stand in the way of what was begun today: then say how to go on."""
        now_wall_s = self._wall_clock()
        begun = await self._journal.read(lambda store: records.resumable(store, now_wall_s))
        wanted = (wish.client, wish.program)
        if any((each.client, each.program) == wanted for each in begun) and not wish.resume:
            return (
                f"{refused.next_step} To go on with the one that was begun, resume it (--resume)."
            )
        return refused.next_step

    async def _tip_past(self, files: Files, identity: Identity, wish: TreatArgs) -> TipPast | None:
        """Return the past of the tip that was named now, or last for this unit."""

        def question(store: Store) -> TipPast | None:
            simulated = identity.simulated
            label = wish.tip or tip_record.fitted(store, identity.serial, simulated=simulated)
            return None if label is None else tip_record.past(store, label, simulated=simulated)

        if not is_tracked(files.unit, files.client):
            return None
        return await self._journal.read(question)

    async def _history(
        self, files: Files, identity: Identity, resumed: Resumed | None
    ) -> list[PastDose]:
        now_wall_s, client = self._wall_clock(), files.client.ref
        leave_out = None if resumed is None else resumed.beginning.treatment

        breaks = self._journal.health.breaks

        def question(store: Store) -> list[PastDose]:
            believe(store, client, breaks)
            return records.history(
                store, client, now_wall_s, simulated=identity.simulated, leave_out=leave_out
            )

        return await self._journal.read(question)


def _load(configs: Path, wish: TreatArgs, identity: Identity) -> Files:
    skin = load_skin(configs)
    unit = load_unit(configs, identity.serial, simulated=identity.simulated)
    return Files(
        load_program(configs, wish.program, skin),
        load_client(configs, wish.client),
        replace(unit, motion_sensor=identity.motion_sensor),
        skin,
    )


def _fitted(files: Files, past: TipPast | None) -> FittedTip | None:
    reuse = files.unit.tip.reuse
    return None if past is None or reuse is None else FittedTip(past.label, reuse)


def _zones(wish: TreatArgs, resumed: Resumed | None) -> list[str] | None:
    """A resumed treatment keeps to its own zones unless fewer are named."""
    if wish.zones is None and resumed is not None:
        return list(resumed.beginning.zones)
    return wish.zones
