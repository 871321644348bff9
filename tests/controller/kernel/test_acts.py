"""The end of an act: told once, within its time, in the words of what was asked for."""

import asyncio
from collections.abc import Callable

import pytest

from controller.api.ask import END_MAX_S
from controller.kernel.asked import Act, OpenActs, answered, due_s, raise_declined
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.events import Closed, Commit, End, Note, RunSelfTest
from controller.treatment.kinds import Kind
from qa.loop import run_virtual

FAILED = Refusal("failed", "It failed.", "Mend it.")
VOID = Refusal("void", "It is void.", "Ask anew.")
UNSURE = Refusal("unsure", "It is not sure.", "Look.")
ITSELF = Refusal("itself", "It says so itself.", "Do so.")

VOIDED = (
    "voided",
    "A stop, a trip or a newer wish came first, so it was not done.",
    "Ask again if need be.",
)
UNKNOWN = (
    "unknown",
    "It was asked for, and it is not known yet whether it was done.",
    "Look at `corneum status` before you ask again.",
)


def words_of(declined: Refusal | RefusedError) -> tuple[str, str, str]:
    return declined.code, declined.sentence, declined.next_step


def ends(
    closed: Closed | None, *own: Refusal, within_s: float = END_MAX_S
) -> tuple[str, str, str] | None:
    """Return what somebody is told about an act that ends so; None where it was done."""

    async def scenario() -> tuple[str, str, str] | None:
        end: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        if closed is not None:
            asyncio.get_running_loop().call_later(0.5, end.set_result, closed)
        try:
            await answered(end, within_s, FAILED, *own)
        except RefusedError as error:
            told = error
        else:
            return None
        assert str(told) == told.sentence
        assert not end.cancelled()  # what was asked for goes on
        return words_of(told)

    return run_virtual(scenario())


# -- answers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (End.DONE, None),
        (End.FAILED, words_of(FAILED)),
        (End.VOIDED, VOIDED),
        (End.UNKNOWN, UNKNOWN),
    ],
)
def test_each_end_has_its_words(end: End, told: tuple[str, str, str] | None) -> None:
    assert ends(Closed(1, end)) == told


@pytest.mark.parametrize(
    ("end", "told"), [(End.FAILED, FAILED), (End.VOIDED, VOID), (End.UNKNOWN, UNSURE)]
)
def test_whoever_asks_may_have_words_of_his_own(end: End, told: Refusal) -> None:
    assert ends(Closed(1, end), VOID, UNSURE) == words_of(told)
    assert ends(Closed(1, end, ITSELF), VOID, UNSURE) == words_of(ITSELF)


def test_an_end_that_does_not_come_in_time_is_not_known() -> None:
    assert ends(None) == UNKNOWN
    assert ends(None, VOID, UNSURE) == words_of(UNSURE)
    assert ends(Closed(1, End.DONE), within_s=0.4) == UNKNOWN
    assert ends(Closed(1, End.DONE), within_s=0.6) is None


def test_what_leaves_no_row_is_answered_at_once() -> None:
    async def scenario() -> float:
        began_s = asyncio.get_running_loop().time()
        await answered(None, 0.0, FAILED)
        return asyncio.get_running_loop().time() - began_s

    assert run_virtual(scenario()) == 0.0


def test_an_act_has_five_seconds_from_when_it_is_asked_for() -> None:
    async def scenario() -> float:
        await asyncio.sleep(3.0)
        return due_s()

    assert run_virtual(scenario()) == 8.0


def test_what_is_declined_is_raised_with_all_that_it_says() -> None:
    raise_declined((Note(Kind.PAUSE), RunSelfTest(1)))
    receipt = object()
    declined = Refusal("no", "No.", "Go.", receipt)  # type: ignore[arg-type]  # only passed on
    with pytest.raises(RefusedError) as caught:
        raise_declined((Note(Kind.PAUSE), declined, ITSELF))
    assert words_of(caught.value) == ("no", "No.", "Go.")
    assert caught.value.refusal.receipt is receipt
    assert str(caught.value) == "No."


# -- acts that are open ----------------------------------------------------------------------------
def opened(
    play: Callable[[OpenActs, "asyncio.Future[Closed]", list[str]], None],
) -> tuple[Closed | None, list[str]]:
    """Play with the act of row 4 of treatment 7; return its end and what has followed it."""

    async def scenario() -> tuple[Closed | None, list[str]]:
        acts, followed = OpenActs(), list[str]()
        actions = (Note(Kind.PAUSE), Commit(Kind.RESET, {}, 4), Commit(Kind.ACK, {}, 5))
        end = acts.open(7, actions, lambda: followed.append("done"))
        assert end is not None
        play(acts, end, followed)
        return end.result() if end.done() else None, followed

    return run_virtual(scenario())


def test_an_act_goes_by_its_treatment_and_the_number_of_its_first_row() -> None:
    done = Closed(4, End.DONE)
    assert opened(lambda acts, *_: acts.close(Act(7, 4), done)) == (done, ["done"])
    assert opened(lambda acts, *_: acts.close(Act(7, 5), done)) == (None, [])
    assert opened(lambda acts, *_: acts.close(Act(8, 4), done)) == (None, [])


@pytest.mark.parametrize("end", [End.FAILED, End.VOIDED, End.UNKNOWN])
def test_nothing_follows_an_act_that_was_not_done(end: End) -> None:
    said = Closed(4, end, ITSELF)
    assert opened(lambda acts, *_: acts.close(Act(7, 4), said)) == (said, [])


def test_an_act_ends_once() -> None:
    def play(acts: OpenActs, _end: object, _followed: object) -> None:
        acts.close(Act(7, 4), Closed(4, End.DONE))
        acts.close(Act(7, 4), Closed(4, End.FAILED))

    assert opened(play) == (Closed(4, End.DONE), ["done"])


def test_what_follows_a_done_act_follows_also_where_nobody_waits() -> None:
    followed: list[str] = []

    async def scenario() -> None:
        acts = OpenActs()
        end = acts.open(7, (Commit(Kind.RESET, {}, 4),), lambda: followed.append("done"))
        assert end is not None
        end.cancel()
        acts.close(Act(7, 4), Closed(4, End.DONE))
        without = acts.open(7, (Commit(Kind.ACK, {}, 5),))
        assert without is not None
        acts.close(Act(7, 5), Closed(5, End.DONE))
        assert await without == Closed(5, End.DONE)
        assert acts.open(7, (Note(Kind.PAUSE),)) is None

    run_virtual(scenario())
    assert followed == ["done"]


def test_the_end_of_each_act_is_unknown_where_the_next_treatment_begins() -> None:
    assert opened(lambda acts, *_: acts.forget()) == (Closed(4, End.UNKNOWN), [])

    def later(acts: OpenActs, _end: object, _followed: object) -> None:
        acts.forget()
        acts.close(Act(7, 4), Closed(4, End.DONE))

    assert opened(later) == (Closed(4, End.UNKNOWN), [])
