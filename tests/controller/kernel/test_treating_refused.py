"""A treatment that is refused leaves a row: to whom, what, and why, with its limits."""

from typing import Any

import pytest

from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.kernel.beginning import UNIT, WALL_S, House, house_of, refused, wish_of
from tests.controller.kernel.score import ANNA, WHO


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return house_of(monkeypatch)


def noted(house: House) -> list[Row]:
    return [row for row in house.done if isinstance(row, Row)]


def row_of(code: str, sentence: str, receipt: object = None) -> Row:
    body = {
        "who": WHO,
        "program": "refresh",
        "client": "demo",
        "code": code,
        "sentence": sentence,
        "receipt": receipt,
    }
    return Row(Kind.REFUSED, body)


@pytest.mark.parametrize(
    ("changes", "newest_up_s", "words"),
    [
        (
            {"planned_at_s": None},
            None,
            (
                "plan_needed",
                "A treatment starts only with a plan that was seen: plan_sha256, planned_at_s or "
                "planned_up_s is missing.",
                "Start with `corneum treat`, which plans by itself, or plan first and send what "
                "it says.",
            ),
        ),
        (
            {},
            5.0,
            (
                "plan_overtaken",
                "The record has a row about this client that is newer than the plan.",
                "Plan again: what was given since then counts.",
            ),
        ),
        (
            {"planned_at_s": WALL_S + 3.0, "planned_up_s": 3.0},
            None,
            (
                "plan_later",
                "The plan was made 3.0 s later than it is now by the kernel's clock: the clock "
                "was set back, or the plan comes from another computer.",
                "Check the clock, then plan again on this computer.",
            ),
        ),
    ],
)
def test_a_plan_that_does_not_hold_is_refused_and_the_row_says_to_whom_and_why(
    house: House,
    changes: dict[str, Any],
    newest_up_s: float | None,
    words: tuple[str, str, str],
) -> None:
    house.newest_up_s = newest_up_s

    async def scenario() -> None:
        assert await refused(house, **changes) == words

    run_virtual(scenario())
    assert noted(house) == [row_of(words[0], words[1])]
    assert house.done[-1] == noted(house)[0]  # nothing was booked


def test_another_plan_than_the_own_is_refused(house: House) -> None:
    async def scenario() -> None:
        code, sentence, step = await refused(house, plan_sha256="b" * 64)
        assert (code, step) == (
            "plan_changed",
            "Plan again, read what is new, and start from that.",
        )
        assert noted(house) == [row_of(code, sentence)]

    run_virtual(scenario())


def test_a_refusal_with_its_limits_leaves_them_in_its_row(house: House) -> None:
    receipt = {"quantity": "suction_kpa"}

    def absent() -> Identity:
        raise RefusedError(Refusal("unit_absent", "It is away.", "Look.", receipt))

    async def scenario() -> None:
        with pytest.raises(RefusedError, match="It is away"):
            await house.treating.treat(wish_of(), ANNA, absent, house.look)

    run_virtual(scenario())
    assert noted(house) == [row_of("unit_absent", "It is away.", receipt)]
    assert house.done[:2] == ["ready", "looked"]


def test_a_record_that_cannot_be_kept_is_no_refusal_of_a_plan(house: House) -> None:
    async def lost() -> None:
        raise RecordError("The disk is full.")

    async def scenario() -> None:
        with pytest.raises(RecordError, match="The disk is full"):
            await house.treating.treat(wish_of(), ANNA, lambda: UNIT, lost)
        assert not house.treating.starting

    run_virtual(scenario())
    assert house.done == ["ready"]
