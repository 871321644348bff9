"""Whole treatments in virtual time: the unit keeps the end of the record, and its lack is found."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from controller.api.requests import Request
from controller.record.decisions import accept_here
from controller.record.head_note import PREFIX
from controller.record.store import Store
from controller.record.witness import heads_given
from controller.safety.refusal import RefusedError
from firmware_protocol.messages import Message, WitnessAsk
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from simulator.firmware.memory import Memory
from simulator.firmware.requests import Requests
from simulator.firmware.witness import Witness

T = TypeVar("T")
Play = Callable[[Service], Coroutine[Any, Any, T]]

TECHNICIAN = {"name": "tess", "role": "technician", "origin": "local"}
ASIDE_S = 1.0
FLOWING_MAX_S = 30.0


def played(spec: RigSpec, play: Play[T]) -> T:
    """Run one day of the service: kernel, line and unit begin, and end."""

    async def day() -> T:
        async with service(spec) as made:
            return await play(made)

    return run_virtual(day())


async def _one(made: Service, zone: str = "nose") -> str:
    """Treat one zone; return what the record says of its witness a second later."""
    await made.treat("refresh", zones=[zone])
    await asyncio.sleep(ASIDE_S)
    return str(made.snapshot()["record"]["witness"])


async def _refused(made: Service) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await made.ask("treat", program="refresh", client="demo", zones=["chin"])
    return caught.value


def _rows(folder: Path, *kinds: str) -> list[tuple[int, str, dict[str, Any]]]:
    store = Store(folder / "journal.sqlite3")
    with closing(store):
        marks = ", ".join("?" * len(kinds))
        found = store.rows(f"kind IN ({marks})", kinds)
        return [(row.id, row.kind, row.body) for row in found]


def _cut(folder: Path, rows: int) -> None:
    """Cut the newest rows off as the owner of the file does, with head, lists and note."""
    for note in folder.glob(f"{PREFIX}*"):
        note.unlink()
    with closing(sqlite3.connect(folder / "journal.sqlite3")) as connection:
        (newest,) = connection.execute("SELECT max(id) FROM journal").fetchone()
        connection.execute("DROP TRIGGER journal_is_never_shortened")
        connection.execute("DELETE FROM journal WHERE id > ?", (newest - rows,))
        connection.execute(
            "UPDATE head SET (id, hash) = (SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1)"
        )
        connection.commit()
    store = Store(folder / "journal.sqlite3")
    with closing(store):
        assert store.recover()


@pytest.fixture
def spec(tmp_path: Path) -> RigSpec:
    return RigSpec(1, record=tmp_path / "state", memory=Memory())


def _unit(spec: RigSpec) -> Witness:
    assert spec.memory is not None
    return spec.memory.witness


# -- told and asked --------------------------------------------------------------------------------
@pytest.mark.hazard("H58")
def test_the_unit_is_told_the_newest_row_once_the_closing_row_is_durable(spec: RigSpec) -> None:
    said = played(spec, _one)
    (kept,) = _unit(spec).kept
    assert said == f"Unit 1001 keeps row {kept.row} as the end of this record."
    assert spec.record is not None
    (ended, *_), (told, _, body) = _rows(spec.record, "ended", "witnessed")
    assert ended <= kept.row < told
    assert body["kept"]
    assert body["head"]["row"] == kept.row
    assert body["head"]["hash"].startswith("".join(f"{word:08x}" for word in kept.hash))


@pytest.mark.hazard("H58")
def test_a_record_that_is_as_it_was_treats_again_and_leaves_no_row_of_the_question(
    spec: RigSpec,
) -> None:
    played(spec, _one)
    played(replace(spec, seed=2), lambda made: _one(made, "chin"))
    assert spec.record is not None
    asked = [body["answer"] for _, _, body in _rows(spec.record, "witness_asked")]
    assert asked == ["unknown"]  # the first time
    told = [body["head"]["row"] for _, _, body in _rows(spec.record, "witnessed")]
    assert len(told) == 2
    assert told[1] == _unit(spec).kept[0].row
    with closing(Store(spec.record / "journal.sqlite3")) as store:
        assert [head.row for head in heads_given(store)] == told[::-1]


# -- an end that is gone ---------------------------------------------------------------------------
@pytest.mark.hazard("H58")
def test_a_record_whose_end_was_cut_off_treats_nobody_and_says_what_to_do(spec: RigSpec) -> None:
    played(spec, _one)
    (kept,), folder = _unit(spec).kept, spec.record
    assert folder is not None
    _cut(folder, 12)
    later = replace(spec, seed=2)

    async def play(made: Service) -> tuple[RefusedError, str]:
        refusal = await _refused(made)
        return refusal, made.snapshot()["record"]["trouble"]

    refusal, trouble = played(later, play)
    journal = "".join(f"{word:08x}" for word in kept.journal)
    assert refusal.code == "witness_differs"
    assert refusal.sentence.startswith(
        f"Unit 1001 was told of row {kept.row} of journal {journal}, and the record "
        f"{folder / 'journal.sqlite3'} has no row {kept.row}: "
    )
    assert "corneum records accept witness --reason TEXT" in refusal.next_step
    assert f"keeps a row {kept.row} that is not in this record" in trouble
    assert _unit(spec).kept == (kept,)  # the unit keeps what it was told


@pytest.mark.hazard("H58")
def test_an_older_copy_in_the_place_of_the_record_treats_nobody(spec: RigSpec) -> None:
    played(spec, _one)
    folder = spec.record
    assert folder is not None
    older = (folder / "journal.sqlite3").read_bytes()
    played(replace(spec, seed=2), lambda made: _one(made, "chin"))
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    (folder / "journal.sqlite3").write_bytes(older)
    refusal = played(replace(spec, seed=3), _refused)
    assert refusal.code == "witness_differs"


@pytest.mark.hazard("H58")
def test_a_row_that_was_written_anew_with_another_hash_treats_nobody(spec: RigSpec) -> None:
    played(spec, _one)
    (kept,), folder = _unit(spec).kept, spec.record
    assert folder is not None
    _cut(folder, 3)
    # The unit is asked only once the record has grown past the row again, with other rows.
    played(replace(spec, seed=2, memory=Memory()), lambda made: _one(made, "chin"))
    refusal = played(replace(spec, seed=3), _refused)
    assert f"has another row {kept.row}" in refusal.sentence


# -- a technician decides --------------------------------------------------------------------------
async def _accept(made: Service) -> dict[str, Any]:
    request = {"do": "accept", "who": TECHNICIAN,
               "args": {"subject": "witness", "reason": "restored from the backup"}}  # fmt: skip
    return await made.kernel.handle(Request.model_validate(request))


@pytest.mark.hazard("H58")
def test_what_a_technician_has_decided_on_treats_and_the_unit_counts_it(spec: RigSpec) -> None:
    played(spec, _one)
    (before,), folder = _unit(spec).kept, spec.record
    assert folder is not None
    _cut(folder, 12)

    async def play(made: Service) -> tuple[str, str]:
        await _refused(made)
        said = await _accept(made)
        assert [head["row"] for head in said["heads"]] == [before.row]
        assert made.snapshot()["record"]["trouble"] is None
        with pytest.raises(RefusedError, match="No unit that was asked keeps a row"):
            await _accept(made)
        return await _one(made, "chin"), made.snapshot()["treatment"]["outcome"]

    said, outcome = played(replace(spec, seed=2), play)
    (after,) = _unit(spec).kept
    assert outcome == "completed"
    assert said == f"Unit 1001 keeps row {after.row} as the end of this record."
    asked = [body["answer"] for _, _, body in _rows(folder, "witness_asked")]
    assert asked[-2:] == ["differs", "decided"]
    (_, _, decision), *_ = _rows(folder, "decision")
    assert (decision["subject"], decision["reason"]) == ("witness", "restored from the backup")
    assert decision["who"]["name"] == "tess"


@pytest.mark.hazard("H58")
def test_a_decision_below_the_row_that_is_kept_puts_the_unit_back(spec: RigSpec) -> None:
    played(spec, _twice)
    (before,), folder = _unit(spec).kept, spec.record
    assert folder is not None
    _cut(folder, 100)

    async def play(made: Service) -> str:
        await _refused(made)
        await _accept(made)
        return await _one(made)

    played(replace(spec, seed=2), play)
    (after,) = _unit(spec).kept
    assert after.row < before.row
    assert after.decided == 1


async def _twice(made: Service) -> None:
    await _one(made)
    await _one(made, "chin")


@pytest.mark.hazard("H58")
def test_the_decision_needs_neither_kernel_nor_unit(spec: RigSpec) -> None:
    played(spec, _one)
    folder = spec.record
    assert folder is not None
    _cut(folder, 12)
    played(replace(spec, seed=2), _refused)
    args = {"subject": "witness", "reason": "restored from the backup"}
    with pytest.raises(RefusedError):
        accept_here(args, {**TECHNICIAN, "role": "practitioner"}, folder)
    assert accept_here(args, TECHNICIAN, folder)["units"] == [1001]
    played(replace(spec, seed=3), lambda made: _one(made, "chin"))


# -- what does not refuse --------------------------------------------------------------------------
@pytest.mark.hazard("H58")
def test_a_unit_that_moves_to_another_computer_treats_and_both_records_are_kept(
    spec: RigSpec, tmp_path: Path
) -> None:
    played(spec, _one)
    other = replace(spec, seed=2, record=tmp_path / "other")

    async def play(made: Service) -> tuple[str, str]:
        await made.ask("treat", program="refresh", client="demo", zones=["chin"])
        asked = str(made.snapshot()["record"]["witness"])
        await made.until(lambda: made.kernel.idle)
        await asyncio.sleep(ASIDE_S)
        return asked, str(made.snapshot()["record"]["witness"])

    asked, told = played(other, play)
    assert "does not know this record (of the ends of records it keeps that of 1 other)" in asked
    assert told == f"Unit 1001 keeps row {_unit(spec).kept[0].row} as the end of this record."
    assert len(_unit(spec).kept) == 2
    assert other.record is not None
    ((_, _, body),) = _rows(other.record, "witness_asked")
    assert (body["answer"], body["journals"]) == ("unknown", 1)
    played(replace(spec, seed=3), lambda made: _one(made, "chin"))  # and back again


@pytest.mark.hazard("H58")
def test_a_unit_that_has_forgotten_a_record_treats_and_that_is_recorded(spec: RigSpec) -> None:
    played(spec, _one)
    assert spec.record is not None
    said = played(
        replace(spec, seed=2, memory=Memory()),
        lambda made: made.ask("treat", program="refresh", client="demo", zones=["chin"]),
    )
    assert said["treatment"] == 2
    assert [body["answer"] for _, _, body in _rows(spec.record, "witness_asked")] == [
        "unknown",
        "forgotten",
    ]


@pytest.mark.hazard("H58", "H33")
def test_a_unit_of_the_older_minor_treats_and_is_named_as_a_missing_witness(
    spec: RigSpec,
) -> None:
    older = replace(spec, minor=0)

    async def play(made: Service) -> tuple[str, str, int, int]:
        at_once = made.snapshot()["record"]["witness"]
        said = await _one(made)
        unit = made.rig.handpiece.firmware.link
        assert said == at_once
        snapshot = made.snapshot()
        return said, snapshot["treatment"]["outcome"], unit.bad_frames, unit.minor

    said, outcome, bad_frames, minor = played(older, play)
    assert said == (
        "Unit 1001 cannot keep the end of this record (that needs protocol 2.1): no unit "
        "witnesses it."
    )
    assert (outcome, bad_frames, minor) == ("completed", 0, 0)
    assert spec.record is not None
    ((_, _, body),) = _rows(spec.record, "witnessed")
    assert (body["kept"], body["why"], body["head"]) == (False, "without", None)
    assert _rows(spec.record, "witness_asked") == []


@pytest.mark.hazard("H58")
def test_a_unit_that_does_not_answer_the_question_treats_within_two_seconds_and_that_is_recorded(
    spec: RigSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(made: Service) -> tuple[float, str]:
        requests, began_s = made.rig.handpiece.firmware._requests, asyncio.get_running_loop().time()
        answer = type(requests).answer

        def deaf(self: Requests, message: Message, seq: int) -> bytes:
            return b"" if isinstance(message, WitnessAsk) else answer(self, message, seq)

        monkeypatch.setattr(type(requests), "answer", deaf)
        await made.ask("treat", program="refresh", client="demo", zones=["nose"])
        took_s = asyncio.get_running_loop().time() - began_s
        await made.until(lambda: made.kernel.idle)
        return took_s, made.snapshot()["treatment"]["outcome"]

    took_s, outcome = played(spec, play)
    assert took_s < 2.0
    assert outcome == "completed"
    assert spec.record is not None
    assert [body["answer"] for _, _, body in _rows(spec.record, "witness_asked")] == ["no_answer"]


# -- the line at the end ---------------------------------------------------------------------------
@pytest.mark.hazard("H58")
def test_a_treatment_whose_line_was_lost_leaves_no_head_and_says_so(spec: RigSpec) -> None:
    async def play(made: Service) -> str:
        await made.ask("treat", program="refresh", client="demo", zones=["nose"])
        await made.until(lambda: made.rig.flows, FLOWING_MAX_S)
        made.rig.wire.unplug()
        await made.until(lambda: made.kernel.idle)
        return str(made.snapshot()["record"]["witness"])

    said = played(spec, play)
    assert said.startswith("The line to unit 1001 was lost before it was told the end of this")
    assert _unit(spec).kept == ()
    assert spec.record is not None
    ((_, _, body),) = _rows(spec.record, "witnessed")
    assert (body["kept"], body["why"], body["head"]) == (False, "line_lost", None)


@pytest.mark.hazard("H58")
def test_a_unit_that_comes_back_is_told_what_it_has_missed(spec: RigSpec) -> None:
    async def play(made: Service) -> str:
        await made.ask("treat", program="refresh", client="demo", zones=["nose"])
        await made.until(lambda: made.rig.flows, FLOWING_MAX_S)
        made.rig.wire.unplug()
        await made.until(lambda: made.kernel.idle)
        made.rig.wire.plug()
        await made.until(lambda: bool(_unit(spec).kept), FLOWING_MAX_S)
        await asyncio.sleep(ASIDE_S)
        return str(made.snapshot()["record"]["witness"])

    said = played(spec, play)
    assert said == f"Unit 1001 keeps row {_unit(spec).kept[0].row} as the end of this record."
    assert spec.record is not None
    told = [(body["kept"], body["why"]) for _, _, body in _rows(spec.record, "witnessed")]
    assert told == [(False, "line_lost"), (True, "")]


@pytest.mark.hazard("H58")
def test_a_kernel_that_ends_with_its_treatment_tells_the_unit_before_it_hangs_up(
    spec: RigSpec,
) -> None:
    async def play(made: Service) -> None:
        await made.treat("refresh", zones=["nose"])  # and no time after it

    played(spec, play)
    assert spec.record is not None
    ((_, _, body),) = _rows(spec.record, "witnessed")
    assert body["kept"]
    assert body["head"]["row"] == _unit(spec).kept[0].row


@pytest.mark.hazard("H58", "H49")
def test_a_tripped_unit_is_told_in_safe(spec: RigSpec) -> None:
    async def play(made: Service) -> str:
        await made.ask("treat", program="refresh", client="demo", zones=["nose"])
        await made.until(lambda: made.rig.flows, FLOWING_MAX_S)
        made.rig.handpiece.set_fault("suction-a-disconnected")
        await made.until(lambda: made.kernel.idle)
        await asyncio.sleep(ASIDE_S)
        return str(made.snapshot()["live"]["mode"])

    assert played(spec, play).upper() == "SAFE"
    assert len(_unit(spec).kept) == 1
