"""A used tip touches no second client: what the running service refuses, and what it records."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from controller.config.locate import shipped_configs
from controller.record import tips
from controller.record.journal import Row
from controller.record.sterilised import sterilised_here
from controller.record.store import Store
from controller.record.verify import verify
from controller.safety.refusal import RefusedError
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from tests.controller.record.books import rows_of

JOURNAL: Final = "journal.sqlite3"
ANNA, BEN = "c-0042", "c-0043"
LOCAL = {"name": "anna", "role": "practitioner", "origin": "local"}
HOUR_S: Final = 3600.0


def configs(folder: Path, use: str) -> Path:
    """The shipped configuration, with two clients, and tips that are told apart."""
    made = folder / f"configs-{use}"
    if made.exists():
        return made
    shutil.copytree(shipped_configs(), made)
    demo = (made / "clients" / "demo.toml").read_text().replace("practice = true", "")
    for ref in (ANNA, BEN):
        (made / "clients" / f"{ref}.toml").write_text(
            demo.replace('ref = "demo"', f'ref = "{ref}"')
        )
    unit = made / "handpieces" / "simulated.toml"
    unit.write_text(unit.read_text() + f'use = "{use}"\n')
    return made


@asynccontextmanager
async def room(folder: Path, use: str = "single") -> AsyncIterator[Service]:
    """The service in a room, with its record in ``folder``."""
    async with service(RigSpec(configs=configs(folder, use), record=folder)) as made:
        yield made


async def touch(made: Service, client: str, zone: str = "nose", **args: object) -> None:
    """Begin a treatment, let some crystals fall, stop it."""
    await made.ask("treat", program="refresh", client=client, zones=[zone], **args)
    await made.until(lambda: made.rig.flows, 30.0)
    await made.ask("stop")
    await made.until(lambda: made.kernel.idle)


async def refused(made: Service, client: str, zone: str = "nose", **args: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await made.ask("treat", program="refresh", client=client, zones=[zone], **args)
    return caught.value


def fitted(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for _, kind, text in rows_of(folder / JOURNAL) if kind == "tip"]


@pytest.mark.hazard("H26", shows="works")
def test_the_tip_of_one_client_is_refused_for_the_next_and_nothing_moves(tmp_path: Path) -> None:
    async def scenario() -> tuple[list[RefusedError], int]:
        async with room(tmp_path) as made:
            await touch(made, ANNA, tip="a-1")
            events = len(made.rig.events)
            errors = [await refused(made, BEN), await refused(made, BEN, tip=" A-1")]
            await asyncio.sleep(2.0)
            moved = [one for one in made.rig.events[events:] if one["kind"] == "valve"]
            await touch(made, BEN, tip="A-2")
            return errors, len(moved)

    errors, moved = run_virtual(scenario())
    assert {error.code for error in errors} == {"tip_used"}
    assert errors[0].sentence == (
        "Tip A-1 was used for another client (treatment 1) and is for single use."
    )
    assert "--tip" in errors[0].next_step
    assert moved == 0
    assert [(row["label"], row["client"]) for row in fitted(tmp_path)] == [
        ("A-1", ANNA),
        ("A-2", BEN),
    ]
    assert verify(tmp_path / JOURNAL).ok


@pytest.mark.hazard("H26", shows="works")
def test_no_restart_and_no_other_kernel_makes_a_used_tip_fresh(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with room(tmp_path) as made:
            await touch(made, ANNA, tip="A-1")
        async with room(tmp_path) as made:
            return [(await refused(made, BEN)).code, (await refused(made, BEN, tip="a-1")).code]

    assert run_virtual(scenario()) == ["tip_used", "tip_used"]


@pytest.mark.hazard("H26")
def test_a_unit_whose_tip_nobody_has_named_asks_for_it_once(tmp_path: Path) -> None:
    async def scenario() -> tuple[str, str]:
        async with room(tmp_path) as made:
            first = await refused(made, ANNA)
            await touch(made, ANNA, tip="A-1")
            await touch(made, ANNA, "chin")  # the same client, the same visit: nothing is asked
            await made.ask("treat", program="refresh", client=ANNA, zones=["chin"], resume=True)
            return first.code, first.next_step

    code, next_step = run_virtual(scenario())
    assert code == "tip_unnamed"
    assert "--tip LABEL" in next_step
    assert [row["label"] for row in fitted(tmp_path)] == ["A-1"] * 3


@pytest.mark.hazard("H26", shows="works")
def test_a_sterilised_tip_touches_the_next_client_once(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with room(tmp_path, "sterilise") as made:
            await touch(made, ANNA, tip="R-7")
            said = [(await refused(made, BEN)).code]
            await made.ask("sterilised", tip="r-7", cycle="2031")
            await touch(made, BEN)
            said.append((await refused(made, ANNA, "chin")).code)
            return said

    assert run_virtual(scenario()) == ["tip_unclean", "tip_unclean"]


@pytest.mark.hazard("H26", "H12")
def test_a_sterilisation_is_recorded_without_a_kernel_and_after_a_crash(tmp_path: Path) -> None:
    async def begun() -> None:
        async with room(tmp_path, "sterilise") as made:
            await touch(made, ANNA, tip="R-7")

    async def next_client() -> None:
        async with room(tmp_path, "sterilise") as made:
            await touch(made, BEN)

    run_virtual(begun())
    assert sterilised_here({"tip": "r-7"}, LOCAL, tmp_path) == {"tip": "R-7"}
    run_virtual(next_client())
    assert [row["client"] for row in fitted(tmp_path)] == [ANNA, BEN]
    assert verify(tmp_path / JOURNAL).ok


@pytest.mark.hazard("H26")
def test_a_tip_in_use_cannot_be_called_sterilised(tmp_path: Path) -> None:
    async def scenario() -> str:
        async with room(tmp_path, "sterilise") as made:
            await made.ask("treat", program="refresh", client=ANNA, zones=["nose"], tip="R-7")
            with pytest.raises(RefusedError) as caught:
                await made.ask("sterilised", tip="R-7")
            return caught.value.code

    assert run_virtual(scenario()) == "tip_in_use"


@pytest.mark.hazard("H26")
def test_what_cannot_be_sterilised_or_is_not_known_is_told(tmp_path: Path) -> None:
    async def scenario() -> list[tuple[str, str]]:
        async with room(tmp_path) as made:
            said = []
            for tip in ("A-1", "", "R-8"):
                if tip == "R-8":
                    await touch(made, ANNA, tip="A-1")
                with pytest.raises(RefusedError) as caught:
                    await made.ask("sterilised", tip=tip)
                said.append((caught.value.code, caught.value.next_step))
            with pytest.raises(RefusedError) as caught:
                await made.ask("sterilised", tip="A-1")
            return [*said, (caught.value.code, caught.value.next_step)]

    never, empty, other, single = run_virtual(scenario())
    assert never[0] == other[0] == "tip_unknown"
    assert other[1] == "Check the label; used lately: A-1."
    assert empty[0] == "bad_request"
    assert single[0] == "tip_single"


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({**LOCAL, "role": "viewer"}, "not_allowed"),
        ({**LOCAL, "origin": "remote"}, "not_allowed"),
        ({**LOCAL, "role": "king"}, "bad_request"),
        (LOCAL, "tip_unknown"),
    ],
)
def test_without_a_kernel_the_same_people_may_record_as_with_one(
    tmp_path: Path, who: dict[str, str], code: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        sterilised_here({"tip": "R-7"}, who, tmp_path)
    assert caught.value.code == code


@pytest.mark.hazard("H26")
def test_a_treatment_that_was_refused_before_it_was_armed_has_touched_nobody(
    tmp_path: Path,
) -> None:
    async def scenario() -> str:
        async with room(tmp_path) as made:
            made.rig.handpiece.set_fault("waste-full")
            await made.ask("treat", program="refresh", client=ANNA, zones=["nose"], tip="A-1")
            await made.until(lambda: made.kernel.idle, 30.0)
            outcome = str(made.snapshot()["treatment"]["outcome"])
            made.rig.handpiece.clear_fault("waste-full")
            await asyncio.sleep(1.0)  # the unit says five times a second how full it is
            await touch(made, BEN)
            return outcome

    assert run_virtual(scenario()) == "refused"


@pytest.mark.hazard("H26")
def test_a_treatment_that_was_stopped_before_its_first_crystal_counts(tmp_path: Path) -> None:
    async def scenario() -> str:
        async with room(tmp_path) as made:
            await made.ask("treat", program="refresh", client=ANNA, zones=["nose"], tip="A-1")
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle, 30.0)
            return (await refused(made, BEN)).code

    assert run_virtual(scenario()) == "tip_used"


def test_a_plan_at_a_desk_tells_what_speaks_against_the_tip_and_refuses_nothing(
    tmp_path: Path,
) -> None:
    async def scenario() -> list[list[str]]:
        async with room(tmp_path) as made:

            async def notes(client: str, **args: object) -> list[str]:
                plan = await made.plan(program="refresh", client=client, zones=["nose"], **args)
                found: list[str] = plan["notes"]
                return found

            before = await notes(ANNA)
            await touch(made, ANNA, tip="A-1")
            return [before, await notes(BEN), await notes(BEN, tip="A-2")]

    unnamed, used, fresh = run_virtual(scenario())
    assert unnamed[-1].startswith("Before treating: Nobody has said which tip")
    assert used[-1].startswith("Before treating: Tip A-1 was used for another client")
    assert not any(note.startswith("Before treating") for note in fresh)


@pytest.mark.hazard("H52")
def test_practice_leaves_no_tip_and_simulated_uses_count_for_simulated_units_only(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[int, int]:
        async with room(tmp_path) as made:
            await touch(made, "demo", tip="A-1")
            await touch(made, ANNA, tip="A-1")
            journal = made.kernel._outside.journal
            uses = [
                await journal.read(lambda s, kind=kind: tips.past(s, "A-1", simulated=kind))  # type: ignore[misc]  # bound now
                for kind in (True, False)
            ]
            return len(uses[0].uses), len(uses[1].uses)

    assert run_virtual(scenario()) == (1, 0)


def test_the_past_of_a_tip_is_found_without_reading_years_of_treatments() -> None:
    store = Store(None)
    asked = {**tips._KINDS, "label": "A-1", "simulated": 1, "most": 9}
    for query in (tips._USES, tips._CLEANED):
        plan = store.connection().execute(f"EXPLAIN QUERY PLAN {query}", asked).fetchall()
        assert "tips_label (label=? AND kind=?" in plan[0][3]
        assert not any(line[3].startswith("SCAN") for line in plan)
    store.close()


@pytest.mark.parametrize("tip", ["", "   ", "x" * 65, "tip\x07", "Ä"])
def test_a_label_that_is_none_is_told_in_one_sentence(tmp_path: Path, tip: str) -> None:
    async def scenario() -> RefusedError:
        async with room(tmp_path) as made:
            return await refused(made, ANNA, tip=tip)

    error = run_virtual(scenario())
    assert error.code == "bad_request"
    assert "1 to 64 letters, digits or signs" in error.sentence


def test_a_row_of_another_kind_is_no_use_of_a_tip(tmp_path: Path) -> None:
    async def scenario() -> int:
        async with room(tmp_path) as made:
            journal = made.kernel._outside.journal
            await journal.commit([Row(Kind.ALARM, {"label": "A-1", "simulated": True})])
            found = await journal.read(lambda store: tips.past(store, "A-1", simulated=True))
            return len(found.uses)

    assert run_virtual(scenario()) == 0
