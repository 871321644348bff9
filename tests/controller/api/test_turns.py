"""A burst of requests has a bound in each turn of the loop; a stop waits for no turn."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.requests import says_stop
from controller.api.turns import (
    BURST_UNITS,
    STOPS_AHEAD_MAX,
    TURN_S,
    UNIT_BYTES,
    UNITS_A_TURN,
    Lines,
    Turns,
)
from qa.loop import run_virtual

LINE_MAX_BYTES = 1024
LOOK = b'{"do":"status"}'
STOP = b'{"do":"stop"}'


def lines(*said: bytes) -> Lines:
    made = Lines(LINE_MAX_BYTES)
    for each in said:
        made.feed(each, says_stop)
    return made


def rest(made: Lines) -> list[bytes]:
    found = []
    while made.whole and (line := made.take()) is not None:
        found.append(line)
    return found


ANY = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))


@given(
    st.lists(st.one_of(st.just(STOP), ANY), max_size=20),
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
)
def test_every_line_comes_out_once_whatever_pieces_it_came_in(
    sent: list[bytes], cuts: list[int]
) -> None:
    data, made, found = b"".join(line + b"\n" for line in sent), Lines(LINE_MAX_BYTES), []
    for cut in cuts:
        found += made.feed(data[:cut], says_stop)
        data = data[cut:]
    found += made.feed(data, says_stop)
    found += rest(made)
    assert sorted(found) == sorted(sent)


def test_a_stop_comes_out_ahead_of_what_waits_and_only_once() -> None:
    made = Lines(LINE_MAX_BYTES)
    assert made.feed(LOOK + b"\n" + LOOK + b"\n" + STOP + b"\n" + LOOK[:4], says_stop) == [STOP]
    assert rest(made) == [LOOK, LOOK]
    assert made.feed(LOOK[4:] + b"\n", says_stop) == []
    assert rest(made) == [LOOK]


def test_a_stop_in_two_pieces_is_found_when_it_is_whole() -> None:
    made = Lines(LINE_MAX_BYTES)
    assert made.feed(LOOK + b"\n" + STOP[:8], says_stop) == []
    assert made.take() == LOOK
    assert made.feed(STOP[8:] + b"\n", says_stop) == [STOP]
    assert not made.whole


def test_a_reading_full_of_stops_is_looked_at_within_a_bound_and_the_rest_in_turn() -> None:
    made = Lines(LINE_MAX_BYTES)
    assert len(made.feed((STOP + b"\n") * 20, says_stop)) == STOPS_AHEAD_MAX
    assert rest(made) == [STOP] * (20 - STOPS_AHEAD_MAX)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_is_none(end: bytes) -> None:
    made = lines(b"x" * LINE_MAX_BYTES + end)
    assert made.full
    assert made.take() is None
    assert not made.whole
    assert lines(b"stop" + b"x" * LINE_MAX_BYTES + b"\n").take() is None


class Asker:
    """A client with so many lines of so many bytes."""

    def __init__(self, count: int, length_bytes: int = 40) -> None:
        self.left = count
        self.length_bytes = length_bytes
        self.taken_s: list[float] = []

    def take(self) -> tuple[int, bool]:
        """Take one line."""
        self.left -= 1
        self.taken_s.append(asyncio.get_running_loop().time())
        return self.length_bytes, self.left > 0


def test_one_question_is_taken_at_once_and_a_burst_in_turns() -> None:
    async def scenario() -> tuple[int, int, list[float]]:
        turns, one, many = Turns(), Asker(1), Asker(BURST_UNITS + 3 * UNITS_A_TURN)
        turns.come(one)
        at_once = len(one.taken_s)
        turns.come(many)
        in_this_turn = len(many.taken_s)
        await asyncio.sleep(1.0)
        return at_once, in_this_turn, many.taken_s

    at_once, in_this_turn, taken_s = run_virtual(scenario())
    assert (at_once, in_this_turn) == (1, BURST_UNITS - 1)
    assert len(taken_s) == BURST_UNITS + 3 * UNITS_A_TURN
    for at_s in taken_s[in_this_turn:]:
        assert sum(at_s <= other < at_s + TURN_S / 2 for other in taken_s) <= UNITS_A_TURN


def test_clients_take_turns_so_that_a_burst_of_one_leaves_room_for_another() -> None:
    async def scenario() -> float:
        turns, many, one = Turns(), Asker(10_000), Asker(1)
        turns.come(many)
        turns.come(one)
        await asyncio.sleep(0.1)
        return one.taken_s[0]

    assert run_virtual(scenario()) <= 2 * TURN_S


def test_long_lines_count_for_more() -> None:
    async def scenario() -> int:
        turns, heavy = Turns(), Asker(100, UNIT_BYTES * 8)
        turns.come(heavy)
        return len(heavy.taken_s)

    assert run_virtual(scenario()) == 2


def test_nothing_more_is_taken_of_a_client_that_is_gone() -> None:
    async def scenario() -> int:
        turns, many = Turns(), Asker(1000)
        turns.come(many)
        turns.leave(many)
        turns.leave(many)
        await asyncio.sleep(1.0)
        return len(many.taken_s)

    assert run_virtual(scenario()) == BURST_UNITS


@pytest.mark.parametrize(
    "asked",
    [
        {"do": "status", "args": {"why": "stop"}},
        {"do": "pause", "who": {"name": "christopher"}},
        {"do": "pause", "who": {"name": "stop"}},
        {"do": ["stop"]},
    ],
)
def test_a_line_with_the_word_in_it_keeps_its_place(asked: dict[str, object]) -> None:
    line, made = json.dumps(asked).encode(), Lines(LINE_MAX_BYTES)
    assert made.feed(LOOK + b"\n" + line + b"\n" + LOOK + b"\n", says_stop) == []
    assert rest(made) == [LOOK, line, LOOK]
