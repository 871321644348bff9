"""Planning without a kernel: the same files, the same record, the same proof, and nothing moves."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from controller.config.plan_json import plan_as_dict
from controller.kernel import record_words
from controller.kernel.api import ApiError, TreatArgs, read_args
from controller.kernel.booking import Booking
from controller.kernel.head_note import heads
from controller.kernel.journal import Journal
from controller.kernel.locks import LockState
from controller.kernel.store import RecordError, Store
from controller.kernel.writer import InlineWriter
from controller.safety.reading import Identity
from firmware_protocol.vocabulary import Capability

ANY_SIMULATED: Final = Identity(0, 0, "", Capability.SIMULATED | Capability.MOTION_SENSOR)
"""Stands for every simulated handpiece; a real unit has to be asked who it is."""


def dry_run(
    args: Mapping[str, Any], journal_file: Path, configs: Path | None = None
) -> dict[str, Any]:
    """Return the plan for a simulated handpiece; ApiError says why there is none."""
    try:
        if not journal_file.exists() and heads(journal_file):
            raise RecordError(f"The record {journal_file} is gone: {record_words.RESTORE}.")
        known = journal_file if journal_file.exists() else None
        return asyncio.run(_prove(args, known, configs))
    except RecordError as error:
        raise ApiError("record", str(error), "Nothing has moved.") from error


async def _prove(
    args: Mapping[str, Any], known: Path | None, configs: Path | None
) -> dict[str, Any]:
    # Without a record there is no history either: a store in memory is an empty one.
    store = Store(known)
    journal = Journal(InlineWriter(store), time.time, folder=None)
    booking = Booking(journal, time.time, configs, "", lambda _lock: LockState.FREE)
    try:
        proved = await booking.prove(read_args(TreatArgs, dict(args)), ANY_SIMULATED, dry=True)
    finally:
        await journal.close()
    return dict(plan_as_dict(proved.plan))
