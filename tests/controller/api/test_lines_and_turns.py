"""Lines and turns at their borders: what counts as one, what is looked at, and what is left."""

import asyncio

import pytest

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

MAX_BYTES = 32
WORD = b'"stop"'


def yes(_line: bytes) -> bool:
    return True


def no(_line: bytes) -> bool:
    return False


def rest(made: Lines) -> list[bytes | None]:
    """Take all whole lines."""
    found = []
    while made.whole:
        found.append(made.take())
    return found


# -- lines -----------------------------------------------------------------------------------------
def test_a_stop_in_pieces_behind_one_that_was_taken_out_is_found() -> None:
    made = Lines(MAX_BYTES)
    assert made.feed(b"x\n" + WORD + b'\n"st', yes) == [WORD]
    assert made.feed(b'op"\n', yes) == [WORD]
    assert rest(made) == [b"x"]


def test_a_stop_in_pieces_behind_a_line_that_was_taken_is_found() -> None:
    made = Lines(MAX_BYTES)
    assert made.feed(b'aaaa\n"st', yes) == []
    assert made.take() == b"aaaa"
    assert made.feed(b'op"\n', yes) == [WORD]
    assert not made.whole


def test_a_stop_is_found_whatever_was_read_before_it() -> None:
    made = Lines(MAX_BYTES)
    for _ in range(3):
        assert made.feed(b"a\nbb\n", yes) == []
        assert made.take() == b"a"
        assert made.feed(WORD + b"\nc\n", yes) == [WORD]
        assert rest(made) == [b"bb", b"c"]


def test_stops_that_come_together_come_out_in_their_order_whole() -> None:
    made = Lines(MAX_BYTES)
    data = b'{"a":"stop"}\nx\n{"b":"stop"}\n{"c":"stop"}\ny'
    assert made.feed(data, yes) == [b'{"a":"stop"}', b'{"b":"stop"}', b'{"c":"stop"}']
    assert made.feed(b"\n", yes) == []
    assert rest(made) == [b"x", b"y"]


def test_a_line_is_looked_at_once_however_often_the_word_is_in_it_and_never_again() -> None:
    made, looked = Lines(200), []

    def look(line: bytes) -> bool:
        looked.append(line)
        return line == WORD

    often = b",".join([WORD] * (STOPS_AHEAD_MAX + 1))
    assert made.feed(WORD + b"\n" + often + b"\n", look) == [WORD]
    assert looked == [often, WORD]
    assert made.feed(b"x\n", look) == []
    assert looked == [often, WORD]
    assert rest(made) == [often, b"x"]


def test_of_many_that_are_no_stop_so_many_are_looked_at() -> None:
    made, looked = Lines(200), []

    def look(line: bytes) -> bool:
        looked.append(line)
        return False

    assert made.feed(b"".join(b"%d %b\n" % (n, WORD) for n in range(9)), look) == []
    assert looked == [b"8 " + WORD, b"7 " + WORD, b"6 " + WORD, b"5 " + WORD]


def test_a_stop_as_long_as_a_line_may_be_is_one_and_a_longer_one_is_not() -> None:
    longest = WORD + b" " * (MAX_BYTES - 1 - len(WORD))
    assert Lines(MAX_BYTES).feed(longest + b"\n", yes) == [longest]
    made = Lines(MAX_BYTES)
    assert made.feed(longest + b" \n", yes) == []
    assert made.take() is None


def test_a_line_with_its_end_fits_or_nothing_of_it_is_kept() -> None:
    made = Lines(MAX_BYTES)
    made.feed(b"x" * (MAX_BYTES - 1), no)
    assert (made.full, made.whole) == (False, False)
    made.feed(b"\n", no)
    assert (made.full, made.whole) == (True, True)
    assert made.take() == b"x" * (MAX_BYTES - 1)
    made.feed(b"x" * MAX_BYTES, no)
    assert (made.full, made.whole) == (True, True)
    assert made.take() is None
    assert (made.full, made.whole) == (False, False)
    assert made.feed(WORD + b"\n", yes) == [WORD]
    assert Lines(MAX_BYTES).take() is None


# -- turns -----------------------------------------------------------------------------------------
class Asker:
    """A client with so many lines of so many bytes, which notes when each was taken."""

    def __init__(self, count: int, length_bytes: int = 40) -> None:
        self.left = count
        self.length_bytes = length_bytes
        self.taken: list[int] = []
        """In which turn since the start of the loop."""

    def take(self) -> tuple[int, bool]:
        """Take one line."""
        self.left -= 1
        self.taken.append(round(asyncio.get_running_loop().time() / TURN_S))
        return self.length_bytes, self.left > 0


def test_a_burst_is_taken_at_once_and_so_many_lines_in_each_later_turn() -> None:
    async def scenario() -> list[int]:
        turns, many = Turns(), Asker(BURST_UNITS + 2 * UNITS_A_TURN + 1)
        turns.come(many)
        turns.come(many)  # once more is once
        await asyncio.sleep(1.0)
        return many.taken

    assert run_virtual(scenario()) == [0] * 16 + [1] * 4 + [2] * 4 + [3]


@pytest.mark.parametrize(
    ("length_bytes", "at_once"), [(0, 16), (UNIT_BYTES - 1, 16), (UNIT_BYTES, 8), (8191, 8)]
)
def test_a_line_counts_as_one_more_for_each_so_many_bytes(length_bytes: int, at_once: int) -> None:
    async def scenario() -> int:
        turns, many = Turns(), Asker(100, length_bytes)
        turns.come(many)
        taken = len(many.taken)
        turns.leave(many)
        return taken

    assert run_virtual(scenario()) == at_once


def test_a_quiet_moment_makes_room_for_one_burst_and_no_more() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        turns, first, second = Turns(), Asker(BURST_UNITS), Asker(100)
        turns.come(first)
        await asyncio.sleep(2.5 * TURN_S)
        part = Asker(100)
        turns.come(part)
        turns.leave(part)
        await asyncio.sleep(97.0 * TURN_S)
        turns.come(second)
        turns.leave(second)
        return part.taken, second.taken

    part, second = run_virtual(scenario())
    assert len(part) == 2 * UNITS_A_TURN
    assert len(second) == BURST_UNITS


def test_where_nobody_asks_no_timer_runs() -> None:
    async def scenario() -> tuple[bool, bool]:
        turns = Turns()
        turns.come(Asker(1))
        runs = turns._timer is not None
        await asyncio.sleep(1.0)
        return runs, turns._timer is not None

    assert run_virtual(scenario()) == (True, False)


def test_clients_are_taken_one_line_each_in_the_order_in_which_they_came() -> None:
    order: list[str] = []

    class Named(Asker):
        def __init__(self, name: str, count: int) -> None:
            super().__init__(count)
            self.name = name

        def take(self) -> tuple[int, bool]:
            order.append(self.name)
            return super().take()

    async def scenario() -> None:
        turns = Turns()
        turns.come(Asker(BURST_UNITS + 1))
        for name, count in (("a", 3), ("b", 1), ("c", 2)):
            turns.come(Named(name, count))
        turns.leave(Named("d", 1))  # it never came
        assert order == []
        await asyncio.sleep(1.0)

    run_virtual(scenario())
    assert order == ["a", "b", "c", "a", "c", "a"]
