"""One receipt, one form: journal row, API result and error, snapshot and `corneum plan`."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.api.client import _result
from controller.api.requests import refusal
from controller.api.snapshot import Snapshot
from controller.record.asker import plan_alone
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import Service, service
from tests.controller.record.edits import bodies

WISH: dict[str, Any] = {"program": "refresh", "client": "demo", "lower": {"suction_kpa": 20.0}}
SEQUENCES = ("alarms", "receipts", "unfinished", "simulated_faults")
RAISED: dict[str, Any] = {**WISH, "lower": {"suction_kpa": 45.0}}


def as_sent(value: object) -> Any:  # noqa: ANN401 - whatever JSON carries
    return json.loads(json.dumps(value))


async def rows(made: Service, kind: str) -> list[dict[str, Any]]:
    found = await made.kernel._outside.journal.read(lambda store: bodies(store.connection(), kind))
    return [json.loads(text) for text in found]


@pytest.mark.hazard("H19")
def test_a_clamp_of_a_plan_is_the_same_object_everywhere(tmp_path: Path) -> None:
    async def scenario() -> tuple[Any, Any, Any, Any]:
        async with service() as made:
            asked = await made.plan(**WISH)
            begun = await made.ask("treat", **WISH)
            written = (await rows(made, "treatment"))[0]["plan"]
            shown = made.snapshot()["receipts"]
            await made.ask("stop")
            return asked, begun["plan"], written, as_sent(shown)

    asked, begun, written, shown = run_virtual(scenario())
    here = as_sent(plan_alone(WISH, tmp_path / "none"))
    for plan in (begun, written, here):
        assert [zone["receipts"] for zone in plan["zones"]] == [
            zone["receipts"] for zone in asked["zones"]
        ]
    limited = [each for zone in here["zones"] for each in zone["receipts"] if each["limited"]]
    assert limited
    assert shown == limited
    assert {each["binding"] for each in limited} >= {"person"}
    assert limited[0]["chain"][0]["source"] == "factory"


@pytest.mark.hazard("H19")
def test_a_refused_wish_is_the_same_object_here_and_over_the_api(tmp_path: Path) -> None:
    async def scenario() -> Any:  # noqa: ANN401 - a receipt
        async with service() as made:
            said = []
            for way in (made.plan(**RAISED), made.ask("treat", **RAISED)):
                with pytest.raises(RefusedError) as caught:
                    await way
                said.append(json.loads(refusal(1, caught.value.refusal))["error"]["receipt"])
            return said

    planned, treated = run_virtual(scenario())
    with pytest.raises(RefusedError) as caught:
        plan_alone(RAISED, tmp_path / "none")
    assert planned == treated == as_sent(caught.value.refusal.receipt_body)
    assert planned["refused"]
    assert (planned["binding"], planned["margin"]) == ("program", -17.0)


def of_suction(receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what the plan has lowered by itself, which stands there as well."""
    return [each for each in receipts if each["quantity"] == "suction_kpa"]


@pytest.mark.hazard("H20")
def test_lowering_and_its_refusal_are_the_same_object_in_answer_row_and_snapshot() -> None:
    async def scenario() -> tuple[Any, ...]:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo")
            await made.until(lambda: made.state == "active", 30.0)
            await made.ask("lower", suction_kpa=18.0)
            taken = of_suction(as_sent(made.snapshot()["receipts"]))
            with pytest.raises(RefusedError) as caught:
                await made.ask("lower", suction_kpa=40.0)
            line = json.loads(refusal(3, caught.value.refusal))
            shown = as_sent(made.snapshot())
            lowered, declined = await rows(made, "lower"), await rows(made, "declined")
            await made.ask("stop")
            return taken, line, shown, lowered[0]["receipts"], declined[0]["receipts"]

    taken, line, shown, lowered, declined = run_virtual(scenario())
    assert taken == lowered
    assert line["error"]["receipt"] == declined[0]
    assert of_suction(shown["receipts"]) == [*lowered, *declined]
    assert declined[0]["chain"] == lowered[0]["chain"]
    assert Snapshot.from_dict(shown).as_dict() == {
        **shown, **{key: tuple(shown[key]) for key in SEQUENCES},
        "treatment": {**shown["treatment"], "zones": tuple(shown["treatment"]["zones"])},
    }  # fmt: skip
    with pytest.raises(RefusedError) as caught:
        _result(line)
    assert caught.value.refusal.receipt_body == declined[0]
