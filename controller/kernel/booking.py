"""Writes a treatment down before it begins: the record is ready, the row is durable.

Nothing here moves anything. A booking ends with the row TREATMENT, durable before the unit hears of
the treatment at all. RecordError where the record cannot be kept, ApiError for everything else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from controller.config.errors import ConfigError
from controller.config.skin import load_skin
from controller.kernel import records, tip_record
from controller.kernel.api import ApiError, TreatArgs
from controller.kernel.clock_record import Here
from controller.kernel.journal import Journal, Row
from controller.kernel.planner import Proved
from controller.kernel.recovery import UnitNow, interrupted
from controller.kernel.snapshot import UnfinishedView
from controller.treatment import rows
from controller.treatment.events import Who


class Booking:
    """Prepares the record, and writes the rows of treatments that begin, end early or are left."""

    def __init__(
        self,
        journal: Journal,
        here: Here,
        configs: Path,
        corneum: str,
        lock: str,
        alive: Callable[[str], bool],
    ) -> None:
        self._journal = journal
        self._here = here
        self._configs = configs
        self._corneum = corneum
        self._lock = lock
        self._alive = alive

    async def ready(self, look: Callable[[], Awaitable[UnitNow | None]]) -> None:
        """Prove that a treatment can be recorded; mark what a crash has left open.

        No treatment of this kernel is under way. ``look`` asks the unit what nobody saw.
        """
        await self._journal.preflight()
        if not await self._journal.read(lambda store: interrupted(store, self._is_alive)):
            return
        unit = await look()
        found = await self._journal.read(lambda store: interrupted(store, self._is_alive, unit))
        await self._journal.commit([each.row(self._here) for each in found])

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
        found = await self._journal.read(records.unfinished)
        return tuple(UnfinishedView(each.treatment, each.client, each.program) for each in found)

    async def book(self, proved: Proved, wish: TreatArgs, who: Who) -> int:
        """Write the row of the treatment and return its number."""
        body: dict[str, Any] = records.beginning_body(
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
        treatment = await self._journal.read(records.next_treatment)
        begun, plan = [Row(records.TREATMENT, body, treatment)], proved.plan
        if proved.tip is not None:
            fitted = proved.tip.body(plan.unit_serial, plan.client_ref, simulated=plan.simulated)
            begun.append(Row(tip_record.TIP, fitted, treatment))
        await self._journal.commit(begun)
        return treatment

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
        """Return True where a kernel that lives holds ``lock``: this one, or another."""
        return lock == self._lock or self._alive(lock)

    def _is_alive(self, lock: str) -> bool:
        return lock != self._lock and self._alive(lock)
