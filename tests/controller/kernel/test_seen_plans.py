"""A treatment starts only from the plan that was seen: what is compared, and what is said."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.api.requests import Request, TreatArgs, read_request
from controller.api.software import running_software
from controller.config.locate import shipped_configs
from controller.config.programs import program_names
from controller.kernel.treating import paced
from controller.record.past import Asked, Past
from controller.record.planner import ANY_SIMULATED, Purpose, proving, reading, request_of
from controller.record.seen_plan import (
    INSTANT_ROUNDING_S,
    PLAN_AGE_MAX_S,
    check_instant,
    check_newest,
)
from controller.safety.refusal import RefusedError
from controller.safety.timeline import Moment
from qa.loop import run_virtual
from qa.rig import PRACTITIONER, SOFTWARE, RigSpec, Service, service
from tests.controller.kernel.test_receipts_everywhere import rows

WISH: dict[str, Any] = {"program": "refresh", "client": "c-0042", "zones": ["nose"]}
STEP_MAX_S = 0.010


async def treat(made: Service, **args: object) -> dict[str, Any]:
    """Ask as it stands, without planning anew."""
    request = Request.model_validate({"do": "treat", "who": PRACTITIONER, "args": args})
    return await made.kernel.handle(request)


async def refused(made: Service, **args: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await treat(made, **args)
    assert made.kernel.idle
    return caught.value


def code_of(check: Callable[[], None]) -> str | None:
    """Return the code of the refusal, or None where there is none."""
    try:
        check()
    except RefusedError as error:
        return error.code
    return None


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


EDITS: dict[str, tuple[str, str, str]] = {
    "the program file": ("programs/refresh.toml", "suction_kpa = 28.0", "suction_kpa = 27.0"),
    "the client file": ("clients/c-0042.toml", "age_years = 34", "age_years = 35"),
    "the handpiece or its file": (
        "handpieces/simulated.toml", "suction_max_kpa = 50.0", "suction_max_kpa = 49.0"
    ),
    "the table of skin sites": ("skin/sites.toml", "sc_nom_um = 10.0", "sc_nom_um = 10.1"),
    "the removal model and its rules": ("skin/removal.toml", "cap_share = 0.35", "cap_share = 0.3"),
}  # fmt: skip


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("words", EDITS)
def test_a_file_that_was_edited_since_is_named_and_nothing_starts(
    configs: Path, words: str
) -> None:
    file, old, new = EDITS[words]

    async def scenario() -> tuple[RefusedError, list[Any]]:
        async with service(RigSpec(configs=configs)) as made:
            plan = await made.plan(**WISH)
            replaced(configs / file, old, new)
            error = await refused(made, **request_of(WISH, plan))
            return error, await rows(made, "refused")

    error, noted = run_virtual(scenario())
    assert error.code == "plan_changed", error
    assert words in error.sentence
    assert "Plan again" in error.next_step
    assert [row["code"] for row in noted] == ["plan_changed"]


def test_a_file_that_was_only_commented_is_the_same_file(configs: Path) -> None:
    async def scenario() -> int:
        async with service(RigSpec(configs=configs)) as made:
            plan = await made.plan(**WISH)
            path = configs / "programs" / "refresh.toml"
            path.write_text(f"# read by Anna\n{path.read_text()}")
            begun = await treat(made, **request_of(WISH, plan))
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return int(begun["treatment"])

    assert run_virtual(scenario()) == 1


def test_another_wish_than_the_planned_one_is_named(configs: Path) -> None:
    async def scenario() -> RefusedError:
        async with service(RigSpec(configs=configs)) as made:
            plan = await made.plan(**WISH)
            return await refused(made, **(request_of(WISH, plan) | {"zones": ["chin"]}))

    assert "what is asked for" in run_virtual(scenario()).sentence


def test_a_tip_that_was_named_since_is_named(configs: Path) -> None:
    unit = configs / "handpieces" / "simulated.toml"
    unit.write_text(unit.read_text() + 'use = "sterilise"\n')

    async def scenario() -> RefusedError:
        async with service(RigSpec(configs=configs)) as made:
            plan = await made.plan(**WISH, tip="A-1")
            return await refused(made, **(request_of(WISH, plan) | {"tip": "A-2"}))

    assert "the tip" in run_virtual(scenario()).sentence


def test_without_the_hashes_of_the_parts_it_is_refused_all_the_same(configs: Path) -> None:
    async def scenario() -> RefusedError:
        async with service(RigSpec(configs=configs)) as made:
            asked = request_of(WISH, await made.plan(**WISH))
            asked.pop("plan_parts")
            return await refused(made, **asked, reason="another")

    error = run_virtual(scenario())
    assert (error.code, error.sentence.count("\n")) == ("plan_changed", 0)


@pytest.mark.parametrize("left_out", ["plan_sha256", "planned_at_s", "planned_up_s"])
def test_a_treatment_without_a_seen_plan_is_refused_with_the_next_step(
    configs: Path, left_out: str
) -> None:
    async def scenario() -> RefusedError:
        async with service(RigSpec(configs=configs)) as made:
            asked = request_of(WISH, await made.plan(**WISH))
            asked.pop(left_out)
            return await refused(made, **asked)

    error = run_virtual(scenario())
    assert error.code == "plan_needed"
    assert "corneum treat" in error.next_step


def test_nothing_of_a_plan_from_outside_is_used(configs: Path) -> None:
    """The row and the treatment have the kernel's own plan, whatever else the request says."""

    async def scenario() -> tuple[str, dict[str, Any]]:
        async with service(RigSpec(configs=configs)) as made:
            asked = request_of(WISH, await made.plan(**WISH))
            with pytest.raises(RefusedError) as caught:
                await treat(made, **asked, plan={"zones": []})
            await treat(made, **(asked | {"plan_parts": {}}))
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return caught.value.code, (await rows(made, "treatment"))[0]

    code, row = run_virtual(scenario())
    assert code == "bad_request"
    assert set(row["plan"]["parts"]) > {"program", "client", "unit", "sites", "removal"}
    assert [zone["zone"] for zone in row["plan"]["zones"]] == ["nose"]


# -- the instant -----------------------------------------------------------------------------------
def test_a_plan_holds_for_ten_minutes(configs: Path) -> None:
    async def scenario() -> tuple[str, str]:
        async with service(RigSpec(configs=configs)) as made:
            asked = request_of(WISH, await made.plan(**WISH))
            await asyncio.sleep(PLAN_AGE_MAX_S + 1.0)
            late = await refused(made, **asked)
            return late.code, late.sentence

    assert run_virtual(scenario()) == (
        "plan_old", "The plan was made 10 minutes ago and holds for 10."
    )  # fmt: skip


def test_a_treatment_of_the_client_since_then_overtakes_the_plan(configs: Path) -> None:
    async def scenario() -> str:
        async with service(RigSpec(configs=configs)) as made:
            asked = request_of(WISH | {"zones": ["chin"]}, await made.plan(**WISH))
            await asyncio.sleep(1.0)
            await made.ask("treat", **WISH)
            await made.until(lambda: made.rig.flows, 30.0)
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return (await refused(made, **asked)).code

    assert run_virtual(scenario()) == "plan_overtaken"


@pytest.mark.parametrize(
    ("planned_at_s", "code"),
    [
        (1000.0, None),
        (1000.0 + INSTANT_ROUNDING_S, None),
        (1000.003, "plan_later"),
        (1000.0 - PLAN_AGE_MAX_S, None),
        (999.9 - PLAN_AGE_MAX_S, "plan_old"),
        (float("nan"), "plan_later"),
        (float("inf"), "plan_later"),
    ],
)
def test_an_instant_is_neither_old_nor_of_later(planned_at_s: float, code: str | None) -> None:
    assert code_of(lambda: check_instant(at(planned_at_s), at(1000.0))) == code


@pytest.mark.parametrize(
    ("newest_s", "code"),
    [
        (None, None),
        (990.0, None),
        (990.003, "plan_overtaken"),
        (1000.0, "plan_overtaken"),
        (float("nan"), "plan_overtaken"),
    ],
)
def test_a_plan_is_overtaken_by_what_was_written_between_it_and_now(
    newest_s: float | None, code: str | None
) -> None:
    assert code_of(lambda: check_newest(at(990.0), newest_s)) == code


def at(time_s: float) -> Moment:
    """An instant of a computer that was switched on at 0."""
    return Moment("boot", time_s, time_s)


@pytest.mark.parametrize("step_s", [-3600.0, -2.0, 2.0, 86_400.0, float("nan")])
def test_a_clock_that_was_set_since_the_plan_was_seen_voids_it(step_s: float) -> None:
    with pytest.raises(RefusedError):
        check_instant(at(990.0), Moment("boot", 1000.0, 1000.0 + step_s))


# -- what is written down --------------------------------------------------------------------------
def test_rows_name_the_software_and_everything_that_the_plan_rests_on(configs: Path) -> None:
    async def scenario() -> tuple[Any, Any, Any]:
        async with service(RigSpec(configs=configs)) as made:
            plan = await made.plan(**WISH)
            await treat(made, **request_of(WISH, plan))
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return plan, (await rows(made, "kernel"))[0], (await rows(made, "treatment"))[0]

    plan, kernel, treatment = run_virtual(scenario())
    assert kernel["corneum"] == treatment["corneum"] == SOFTWARE.corneum
    assert kernel["python"] == SOFTWARE.python
    assert treatment["plan_sha256"] == plan["sha256"]
    assert treatment["planned_at_s"] == plan["planned_at_s"]
    assert treatment["plan"]["parts"] == plan["parts"]
    assert plan["planned_at"].endswith("+00:00")


def test_the_software_that_runs_is_named_by_its_versions() -> None:
    corneum, python = running_software()
    assert all(part.isdigit() for part in python.split(".")[:2])
    assert corneum


# -- never in the kernel ---------------------------------------------------------------------------
def test_the_request_to_plan_is_refused_by_name_with_the_next_step() -> None:
    line = json.dumps({"id": 3, "do": "plan", "args": {"program": "refresh"}}).encode()
    with pytest.raises(RefusedError) as caught:
        read_request(line)
    assert caught.value.code == "plan_elsewhere"
    assert "corneum plan" in caught.value.next_step


@pytest.mark.hazard("H14")
def test_a_start_that_is_asked_for_during_a_treatment_is_refused_before_anything_is_planned() -> (
    None
):
    async def scenario() -> str:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            with pytest.raises(RefusedError) as caught:
                await treat(made, program="no-such-program", client="demo")  # nobody looks for it
            return caught.value.code

    assert run_virtual(scenario()) == "busy"


def test_the_loop_turns_between_the_steps_of_planning() -> None:
    async def scenario() -> tuple[int, int]:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(others(), name="others")
        wish = TreatArgs(program="refresh", client="demo")
        given = await paced(reading(shipped_configs(), wish, ANY_SIMULATED))
        read = turns
        asked = Asked(wish, 0, simulated=True, at=Moment("virtual", 0.0, 1.9e9))
        await paced(proving(given, Past((), None, None, None, None), asked, Purpose.CHECK))
        beside.cancel()
        return read, turns - read

    read, proved = run_virtual(scenario())
    assert read > 20  # one for each site at least
    assert proved > 10  # two zones and nine parts


@pytest.mark.realtime
@pytest.mark.alone
@pytest.mark.parametrize("name", program_names(shipped_configs()))
def test_no_step_of_planning_holds_the_loop_for_a_fifth_of_a_beat(name: str) -> None:
    """In time of the processor, the best of three: others on the machine slow it down as well."""
    assert min(_longest_step_s(name) for _ in range(3)) < STEP_MAX_S


def _longest_step_s(name: str) -> float:
    wish = TreatArgs(program=name, client="demo")
    asked = Asked(wish, 0, simulated=True, at=Moment("virtual", 0.0, 1.9e9))
    longest_s = 0.0

    def timed(steps: Any) -> Any:  # noqa: ANN401 - whatever the steps are for
        nonlocal longest_s
        while True:
            began_s = time.thread_time()
            try:
                next(steps)
            except StopIteration as done:
                return done.value
            finally:
                longest_s = max(longest_s, time.thread_time() - began_s)

    given = timed(reading(shipped_configs(), wish, ANY_SIMULATED))
    timed(proving(given, Past((), None, None, None, None), asked, Purpose.CHECK))
    return longest_s
