"""What a kernel answers to each request, whole; and how it is started around a body."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api.authority import Do
from controller.api.faults import FaultHandler
from controller.api.requests import Request, TreatArgs, unit_absent
from controller.api.viewer import Viewer
from controller.device.answers import LinkState, SilentError
from controller.record.journal import Row
from controller.record.recovery import UnitNow
from controller.record.store import RecordError
from controller.safety.limits import Quantity, Receipt
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.events import Command, Who
from controller.treatment.kinds import Kind
from tests.controller.kernel.house import KERNEL, UNIT, House, at_home

WHO = {"name": "anna", "role": "practitioner", "origin": "local"}
TOM = {"name": "tom", "role": "technician", "origin": "local"}
ANNA = Who("anna", "practitioner", "local")


class Asked:
    """A control and the parts beside it, which keep what a request comes to."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.done: list[Any] = []
        self.declines: RefusedError | None = None
        house.treats("active")
        for name, given in (
            ("person", self._person),
            ("silence", lambda who: self.done.append(("silence", who))),
            ("snapshot", lambda: SimpleNamespace(state="paused")),
        ):
            setattr(house.kernel.control, name, given)
        treating = SimpleNamespace(treat=self._treat, void=lambda: None, starting=False)
        house.kernel._treating = cast("Any", treating)
        acts = (Do.DISMISS, Do.STERILISED, Do.UNLOCK, Do.ACCEPT)
        answers = {do: self._paper(do) for do in acts}
        house.kernel._upkeep = cast(
            "Any", SimpleNamespace(answers=answers, look_unfinished=self._looks)
        )
        house.kernel._leading = cast("Any", SimpleNamespace(answer=self._led))

    async def _looks(self) -> None:
        self.done.append("unfinished")

    async def _led(
        self,
        request: Request,
        viewer: Viewer | None,
        answers: Callable[[Request], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        self.done.append(("led", request.do, viewer))
        return await answers(request)

    async def _person(self, *given: object) -> None:
        self.done.append(("person", *given))
        if self.declines is not None:
            raise self.declines

    async def _treat(
        self,
        wish: TreatArgs,
        who: Who,
        identify: Callable[[], Identity],
        look: Callable[[], Awaitable[UnitNow | None]],
    ) -> dict[str, Any]:
        self.done.append(("treat", wish, who, identify, await look()))
        return {"treatment": 9}

    def _paper(self, do: Do) -> Callable[[dict[str, Any], Who], Awaitable[dict[str, Any]]]:
        async def answer(args: dict[str, Any], who: Who) -> dict[str, Any]:
            self.done.append((do, args, who))
            return {"paper": do.value}

        return answer

    async def ask(
        self, do: Do, who: dict[str, str] = WHO, viewer: Viewer | None = None, **args: object
    ) -> dict[str, Any]:
        said = {"do": do.value, "who": who, "args": args}
        return await self.house.kernel.handle(Request.model_validate(said), viewer)


def asked(play: Callable[[Asked], Awaitable[None]]) -> Asked:
    kept: list[Asked] = []

    async def whole(house: House) -> None:
        kept.append(Asked(house))
        await play(kept[0])

    at_home(whole)
    return kept[0]


# -- answers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("do", "command"),
    [
        (Do.PAUSE, Command.PAUSE),
        (Do.RESUME, Command.RESUME),
        (Do.ACK, Command.ACK),
        (Do.RESET, Command.RESET),
    ],
)
def test_a_command_is_done_for_whom_asks_and_answered_with_the_state(
    do: Do, command: Command
) -> None:
    viewer = Viewer()

    async def play(one: Asked) -> None:
        assert await one.ask(do, viewer=viewer) == {"state": "paused"}

    assert asked(play).done == [("led", do, viewer), ("person", command, ANNA)]


def test_settings_are_lowered_to_what_is_said() -> None:
    async def play(one: Asked) -> None:
        done = await one.ask(Do.LOWER, suction_kpa=12.0, flow_g_per_min=4.0)
        assert done == {"state": "paused"}
        await one.ask(Do.LOWER, flow_g_per_min=4.0)
        with pytest.raises(RefusedError, match="suction_kpa"):
            await one.ask(Do.LOWER, suction_kpa="much")

    led = ("led", Do.LOWER, None)
    assert asked(play).done == [
        led,
        ("person", Command.LOWER, ANNA, 12.0, 4.0),
        led,
        ("person", Command.LOWER, ANNA, None, 4.0),
        led,
    ]


def test_a_treatment_is_begun_from_what_is_asked_with_the_unit_of_this_kernel() -> None:
    async def play(one: Asked) -> None:
        begun = await one.ask(Do.TREAT, program="refresh", client="demo", zones=["nose"])
        assert begun == {"treatment": 9}

    one = asked(play)
    wish = TreatArgs(program="refresh", client="demo", zones=["nose"])
    assert one.done == [
        ("led", Do.TREAT, None),
        ("treat", wish, ANNA, one.house.kernel._identity, None),
        "unfinished",
    ]


@pytest.mark.parametrize("do", [Do.DISMISS, Do.STERILISED, Do.UNLOCK, Do.ACCEPT])
def test_what_is_only_written_down_goes_to_the_record_with_its_arguments(do: Do) -> None:
    async def play(one: Asked) -> None:
        assert await one.ask(do, TOM, reason="so") == {"paper": do.value}

    assert asked(play).done == [(do, {"reason": "so"}, Who("tom", "technician", "local"))]


@pytest.mark.parametrize("emergency", [True, False])
def test_a_stop_is_done_for_anybody_before_anything_else(*, emergency: bool) -> None:
    rita = {"name": "rita", "role": "viewer", "origin": "remote"}

    async def play(one: Asked) -> None:
        stopped = await one.ask(Do.STOP, rita, emergency=emergency)
        assert stopped == {"state": "active", "link": "identified"}

    one = asked(play)
    assert one.house.stopped == [(Who("rita", "viewer", "remote"), emergency)]
    assert one.done == []


def test_a_shutdown_is_answered_when_what_ran_has_ended() -> None:
    async def play(one: Asked) -> None:
        asyncio.get_running_loop().call_later(
            1.0,
            setattr,
            one.house.kernel.control,
            "idle",
            True,  # noqa: FBT003 - a field
        )
        assert await one.ask(Do.SHUTDOWN) == {}
        assert asyncio.get_running_loop().time() == pytest.approx(1.0, abs=0.06)

    assert asked(play).house.stopped == [(KERNEL, False)]


def test_to_look_and_to_watch_show_everything_and_a_pause_of_the_sound_what_is_heard() -> None:
    async def play(one: Asked) -> None:
        one.house.kernel.snapshot = lambda: {"signal": "quiet", "state": "x"}  # type: ignore[method-assign]
        assert await one.ask(Do.STATUS) == {"signal": "quiet", "state": "x"}
        assert await one.ask(Do.WATCH) == {"signal": "quiet", "state": "x"}
        assert await one.ask(Do.SILENCE) == {"signal": "quiet"}

    assert asked(play).done == [
        ("led", Do.STATUS, None),
        ("led", Do.WATCH, None),
        ("led", Do.SILENCE, None),
        ("silence", ANNA),
    ]


# -- refusals --------------------------------------------------------------------------------------
def test_what_is_declined_is_answered_with_all_its_words_and_its_limits() -> None:
    receipt = Receipt(Quantity.SUCTION_KPA, 45.0, 28.0, None, -17.0, (), refused=True)

    async def play(one: Asked) -> None:
        for limits, told in ((receipt, receipt.as_dict()), (None, None)):
            one.declines = RefusedError(Refusal("no", "It cannot be.", "Wait.", limits))
            with pytest.raises(RefusedError) as caught:
                await one.ask(Do.PAUSE)
            error = caught.value
            assert (error.code, error.sentence, error.next_step) == ("no", "It cannot be.", "Wait.")
            assert error.refusal.receipt_body == told

    asked(play)


def test_an_error_of_the_line_is_a_refusal_and_no_fault_of_ours() -> None:
    async def play(one: Asked) -> None:
        one.declines = SilentError("It is silent.", "Look at its cable.")
        with pytest.raises(RefusedError) as caught:
            await one.ask(Do.PAUSE)
        assert caught.value is one.declines
        assert caught.value.code == "device"

    asked(play)


def test_a_record_that_is_lost_is_an_answer_too() -> None:
    async def play(one: Asked) -> None:
        one.declines = cast("Any", RecordError("The disk is full."))
        with pytest.raises(RefusedError) as caught:
            await one.ask(Do.PAUSE)
        error = caught.value
        assert (error.code, error.sentence, error.next_step) == (
            "record",
            "The disk is full.",
            "Nothing has moved; start again when that is done.",
        )

    asked(play)


@pytest.mark.parametrize(
    ("do", "who", "sentence"),
    [
        (Do.UNLOCK, WHO, "The role practitioner may not ask for 'unlock'."),
        (
            Do.TREAT,
            {**WHO, "origin": "remote"},
            "'treat' needs a person at the unit: from elsewhere one may stop, pause, lower and "
            "look, never start or raise.",
        ),
    ],
)
def test_who_may_not_ask_is_told_and_nothing_is_done(
    do: Do, who: dict[str, str], sentence: str
) -> None:
    async def play(one: Asked) -> None:
        with pytest.raises(RefusedError) as caught:
            await one.ask(do, who)
        error = caught.value
        assert (error.code, error.sentence, error.next_step) == (
            "not_allowed",
            sentence,
            "Ask somebody at the unit who may.",
        )

    one = asked(play)
    assert one.done == []
    assert one.house.done == [Row(Kind.NOT_ALLOWED, {"do": do.value, "who": who, "times": 1})]


def test_whoever_knocks_again_and_again_is_counted_once_a_second() -> None:
    async def play(one: Asked) -> None:
        for pause_s in (0.0, 0.4, 0.59, 0.02, 5.0):
            await asyncio.sleep(pause_s)
            with pytest.raises(RefusedError):
                await one.ask(Do.UNLOCK)

    times = [row.body["times"] for row in asked(play).house.done]
    assert times == [1, 3, 1]


def test_a_unit_that_is_away_is_told_with_its_trouble_and_the_way_out() -> None:
    async def play(house: House) -> None:
        house.unit.trouble = SilentError("It does not answer.", "Look at its cable.")
        for identity, state in ((None, LinkState.IDENTIFIED), (UNIT, LinkState.DISCONNECTED)):
            house.unit.identity, house.unit.state = identity, state
            with pytest.raises(RefusedError) as caught:
                house.kernel._identity()
            error = caught.value
            told = unit_absent("It does not answer.", "Look at its cable.")
            assert (error.code, error.sentence, error.next_step) == (
                told.code,
                told.sentence,
                told.next_step,
            )
        house.unit.state = LinkState.IDENTIFIED
        assert house.kernel._identity() == UNIT

    at_home(play)


def test_a_fault_of_our_own_is_answered_with_what_was_asked_for() -> None:
    left: list[tuple[str, tuple[str, ...]]] = []

    def leave(_error: BaseException, doing: str, private: tuple[str, ...]) -> None:
        left.append((doing, private))

    async def play(one: Asked) -> None:
        outside = replace(one.house.kernel._outside, faults=FaultHandler(leave))
        one.house.kernel._outside = outside
        one.declines = cast("Any", ZeroDivisionError("x"))
        with pytest.raises(RefusedError) as caught:
            await one.ask(Do.PAUSE)
        assert caught.value.code == "fault"

    asked(play)
    ((doing, private),) = left
    assert doing == "the request pause"
    assert "anna" in private
