"""Two kernels that begin at once get two numbers; a lock that nobody can see is not a free one."""

import asyncio
import time
from pathlib import Path

import pytest

from controller.kernel.service import Kernel, Outside, Place
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.store import Store
from controller.record.verify import verify
from controller.record.writer import ThreadWriter
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import RigSpec, rig
from tests.controller.record.books import journal_in, rows_of
from tests.controller.record.test_recovery import kernel_on

KERNELS = 4
EACH = 10


@pytest.mark.realtime
@pytest.mark.alone
def test_kernels_that_begin_at_once_get_a_number_each(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"

    async def begin(journal: Journal) -> list[int]:
        body = {"client": "c-1", "resumes": None}
        return [await journal.book([Row(Kind.TREATMENT, body)]) for _ in range(EACH)]

    async def scenario() -> list[int]:
        journals = [
            Journal(ThreadWriter(Store(path)), time.time, folder=tmp_path) for _ in range(KERNELS)
        ]
        for journal in journals:
            await journal.preflight()
        numbers = await asyncio.gather(*(begin(journal) for journal in journals))
        assert [journal.failure for journal in journals] == [None] * KERNELS
        for journal in journals:
            await journal.close()
        return sorted(number for each in numbers for number in each)

    assert asyncio.run(scenario()) == list(range(1, KERNELS * EACH + 1))
    assert verify(path).ok


def test_all_rows_that_begin_a_treatment_have_its_number_and_notes_keep_theirs(
    tmp_path: Path,
) -> None:
    async def scenario() -> int:
        journal = journal_in(tmp_path)
        await journal.book([Row(Kind.TREATMENT, {"client": "c-1"})])
        journal.note(Row(Kind.EXPOSURE, {}, 1))
        tip = {"label": "T-1", "use": "single", "unit": 1, "simulated": True}
        number = await journal.book([Row(Kind.TREATMENT, {"client": "c-2"}), Row(Kind.TIP, tip)])
        store: Store = journal._writer._store  # type: ignore[attr-defined]  # inline
        found = [(row.kind, row.treatment) for row in store.rows("id > 1")]
        assert found == [("exposure", 1), ("treatment", 2), ("tip", 2)]
        await journal.close()
        return number

    assert run_virtual(scenario()) == 2


@pytest.mark.hazard("H51", shows="works")
@pytest.mark.parametrize(
    ("seen", "rows"),
    [
        (LockState.HELD, []),
        (LockState.UNKNOWN, ["lock_unknown"]),
        (LockState.FREE, ["interrupted"]),
    ],
)
def test_a_treatment_is_marked_as_interrupted_only_where_its_lock_is_surely_free(
    tmp_path: Path, seen: LockState, rows: list[str]
) -> None:
    async def scenario() -> None:
        async with kernel_on(tmp_path) as made:
            await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            async with rig(RigSpec(seed=2, record=tmp_path)) as second:
                outside = second.outside()
                other = Kernel(
                    Place("other", lock="other.lock"),
                    Outside(
                        outside.make_client,
                        outside.journal,
                        outside.here,
                        alive=lambda _lock: seen,
                    ),
                )
                await other.start()
                await other.close()

    run_virtual(scenario())
    kinds = [kind for _, kind, _ in rows_of(tmp_path / "journal.sqlite3")]
    assert [kind for kind in kinds if kind in {"interrupted", "lock_unknown"}] == rows
