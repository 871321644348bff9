"""The rows of treatments that begin, end before they begin, or were left open by a crash.

RecordError where the record cannot be kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from controller.api.requests import ApiError, TreatArgs
from controller.api.snapshot import UnfinishedView
from controller.config.errors import ConfigError
from controller.config.skin import load_skin
from controller.record import listing, treatments
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.planner import Proved
from controller.record.recovery import UnitNow, interrupted
from controller.treatment import rows
from controller.treatment.events import Who
from controller.treatment.kinds import Kind


class Booking:
    """Prepares the record, and writes the rows of treatments that begin, end early or are left."""

    def __init__(
        self,
        journal: Journal,
        here: Here,
        configs: Path,
        corneum: str,
        lock: str,
        alive: Callable[[str], LockState],
    ) -> None:
        self._journal = journal
        self._here = here
        self._configs = configs
        self._corneum = corneum
        self._lock = lock
        self._alive = alive
        self._unseen: set[str] = set()
        """Locks that could not be looked at: what they may guard stays as it is."""

    async def ready(self, look: Callable[[], Awaitable[UnitNow | None]]) -> None:
        """Prove that a treatment can be recorded; mark what a crash has left open.

        No treatment of this kernel is under way. ``look`` asks the unit what nobody saw.
        """
        await self._journal.preflight()
        found = await self._journal.read(lambda store: interrupted(store, self._is_alive))
        if found:
            unit = await look()
            found = await self._journal.read(lambda store: interrupted(store, self._is_alive, unit))
        unseen = [Row(Kind.LOCK_UNKNOWN, {"lock": lock}) for lock in sorted(self._unseen)]
        self._unseen.clear()
        if found or unseen:
            await self._journal.commit([*unseen, *(each.row(self._here) for each in found)])

    async def check_record(self) -> None:
        """Prove that a treatment can be recorded, before anything is asked of the unit."""
        await self._journal.preflight()

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
        found = await self._journal.read(treatments.unfinished)
        return tuple(UnfinishedView(each.treatment, each.client, each.program) for each in found)

    async def book(self, proved: Proved, wish: TreatArgs, who: Who) -> int:
        """Write the row of the treatment and return its number."""
        body: dict[str, Any] = treatments.beginning_body(
            proved.plan, self._lock, practice=proved.practice, resumes=proved.resumes
        )
        body |= {
            "who": rows.who_body(who),
            "reason": wish.reason,
            "corneum": self._corneum,
            "plan_sha256": proved.mark.sha256,
            "planned_at_s": proved.mark.planned_at_wall_s,
            "plan": proved.as_dict(),
        }
        begun, plan = [Row(Kind.TREATMENT, body)], proved.plan
        if proved.tip is not None:
            fitted = proved.tip.body(plan.unit_serial, plan.client_ref, simulated=plan.simulated)
            begun.append(Row(Kind.TIP, fitted))
        return await self._journal.book(begun)

    async def withdraw(self, treatment: int, why: str) -> None:
        """Close a treatment that was booked and never began.

        Where the control had begun with it, its own row may have closed it by now: one is enough.
        """
        body = {"outcome": "refused", "why": why, "zones": []}
        await self._journal.commit_unless(
            Row(Kind.ENDED, body, treatment),
            lambda store: None if listing.is_open(store, treatment) else "it is closed",
        )

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
