"""Going on with what was stopped or tripped on the same day: the zones keep what they have had."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller.record import treatments
from controller.record.journal import Row
from controller.record.store import Store
from controller.safety.refusal import RefusedError
from controller.safety.timeline import Moment
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from tests.controller.record.edits import bodies

ANYBODY = {"name": "", "role": "practitioner", "origin": "local"}
WISH = {"program": "refresh", "client": "demo", "zones": ["nose"]}


def resumable(store: Store, now: Moment) -> list[treatments.Beginning]:
    """Return what the practice client may go on with."""
    return treatments.resumable(store, "demo", now, simulated=True)


async def treated_and_stopped(
    made: Service, seconds: float = 3.0, client: str = "demo"
) -> dict[str, Any]:
    await made.ask("treat", **(WISH | {"client": client}))
    await made.until(lambda: made.state == "active", 30.0)
    await asyncio.sleep(seconds)
    await made.ask("stop")
    await made.until(lambda: made.kernel.idle, 30.0)
    zone: dict[str, Any] = made.snapshot()["treatment"]["zones"][0]
    return zone


def test_a_stopped_treatment_goes_on_with_what_each_zone_has_left() -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        async with service(RigSpec()) as made:
            before = await treated_and_stopped(made)
            await made.ask("treat", **WISH, resume=True)
            await made.until(lambda: made.state == "active", 30.0)
            return before, made.snapshot()["treatment"]["zones"][0]

    before, after = run_virtual(scenario())
    assert before["contact_s"] > 0.5
    assert after["contact_s"] >= before["contact_s"]
    assert after["bound_um"] >= before["bound_um"]


def test_what_was_gone_on_with_cannot_be_gone_on_with_twice() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        async with service(RigSpec()) as made:
            await treated_and_stopped(made)
            journal, now = made.kernel._outside.journal, made.kernel._outside.here.now()
            first = await journal.read(lambda store: resumable(store, now))
            await made.ask("treat", **WISH, resume=True)
            second = await journal.read(lambda store: resumable(store, now))
            return [each.treatment for each in first], [each.treatment for each in second]

    assert run_virtual(scenario()) == ([1], [])


@pytest.mark.hazard("H25")
@pytest.mark.parametrize(("hours", "found"), [(11.9, 1), (12.1, 0)])
def test_after_half_a_day_the_interval_counts_and_nothing_is_resumed(
    hours: float, found: int
) -> None:
    async def scenario() -> int:
        async with service(RigSpec()) as made:
            await treated_and_stopped(made)
            now = made.kernel._outside.here.now()
            later_s = hours * 3600.0
            later = now._replace(up_s=now.up_s + later_s, wall_s=now.wall_s + later_s)
            begun = await made.kernel._outside.journal.read(lambda store: resumable(store, later))
            return len(begun)

    assert run_virtual(scenario()) == found


@pytest.mark.parametrize(("outcome", "found"), [("tripped", 1), ("completed", 0), ("refused", 0)])
def test_only_what_was_left_unfinished_can_be_gone_on_with(outcome: str, found: int) -> None:
    async def scenario() -> int:
        async with service(RigSpec()) as made:
            await treated_and_stopped(made)
            journal, now = made.kernel._outside.journal, made.kernel._outside.here.now()
            begun = await journal.read(lambda store: resumable(store, now))
            body: dict[str, object] = {
                "outcome": outcome,
                "why": "",
                "zones": [],
                "time_to_safe_ms": None,
            }
            await journal.commit(
                [Row(Kind.DISMISSED, {"who": ANYBODY, "reason": ""}, begun[0].treatment)]
            )
            plan_body = await journal.read(lambda store: bodies(store.connection(), "treatment")[0])
            await journal.commit(
                [Row(Kind.TREATMENT, _loaded(plan_body), 9), Row(Kind.ENDED, body, 9)]
            )
            again = await journal.read(lambda store: resumable(store, now))
            return len(again)

    assert run_virtual(scenario()) == found


def test_nothing_to_go_on_with_is_said_in_one_sentence() -> None:
    async def scenario() -> RefusedError:
        async with service(RigSpec()) as made:
            with pytest.raises(RefusedError) as refused:
                await made.ask("treat", **WISH, resume=True)
            return refused.value

    assert "stopped, tripped or interrupted" in run_virtual(scenario()).sentence


@pytest.mark.parametrize(("zone", "code", "told"), [("nose", "interval", 1), ("noze", "zone", 0)])
def test_how_to_go_on_is_told_where_what_was_given_stands_in_the_way_and_only_there(
    configs: Path, zone: str, code: str, told: int
) -> None:
    async def scenario() -> RefusedError:
        async with service(RigSpec(configs=configs)) as made:
            await treated_and_stopped(made, client="c-0042")
            with pytest.raises(RefusedError) as refused:
                await made.ask("treat", program="refresh", client="c-0042", zones=[zone])
            return refused.value

    error = run_virtual(scenario())
    assert (error.code, error.next_step.count("--resume")) == (code, told)


def _loaded(text: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(text)
    return body
