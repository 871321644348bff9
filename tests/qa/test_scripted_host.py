"""The scripted host keeps its lease, and is dishonest in exactly the way it is told."""

from collections.abc import Iterator

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.frame import FrameDecoder
from firmware_protocol.messages import Setpoint
from firmware_protocol.vocabulary import Mode
from qa.host import WAYS, Ill
from tests.simulator.host import Host


def setpoints(line: list[bytes]) -> Iterator[tuple[int, Setpoint]]:
    for run in FrameDecoder().feed(b"".join(line)):
        frame = decode(run, Direction.TO_DEVICE)
        if isinstance(frame.message, Setpoint):
            yield frame.seq, frame.message


def said_by(ill: Ill) -> tuple[list[int], list[Setpoint]]:
    """Return what an armed host says in the second after it fell ill."""
    host = Host().armed()
    host.line.clear()
    host.ill = ill
    host.run(1.0)
    seqs, said = [], []
    for seq, setpoint in setpoints(host.line):
        seqs.append(seq)
        said.append(setpoint)
    return seqs, said


def test_an_honest_host_renews_its_lease_twenty_times_a_second_and_echoes_what_it_hears() -> None:
    seqs, said = said_by(Ill.NOTHING)
    assert len(set(seqs)) == len(said) == 20
    assert len({one.loop_counter for one in said}) == 20
    assert len({one.echo_tick_ms for one in said}) == 20


@pytest.mark.parametrize("ill", [Ill.KILLED, Ill.FROZEN])
def test_a_host_that_is_gone_or_stands_still_says_nothing(ill: Ill) -> None:
    assert said_by(ill) == ([], [])


def test_a_sender_that_repeats_itself_repeats_the_very_same_frame() -> None:
    seqs, said = said_by(Ill.SAME_FRAME)
    assert len(said) == 20
    assert len(set(seqs)) == len(set(said)) == 1


def test_a_loop_that_stands_leaves_the_counter_and_nothing_else() -> None:
    _, said = said_by(Ill.SAME_COUNTER)
    assert len({one.loop_counter for one in said}) == 1
    assert len({one.echo_tick_ms for one in said}) > 1


def test_a_host_that_hears_nothing_echoes_one_tick_for_ever() -> None:
    _, said = said_by(Ill.SAME_ECHO)
    assert len({one.echo_tick_ms for one in said}) == 1
    assert len({one.loop_counter for one in said}) == 20


def test_a_host_that_asks_on_says_that_nothing_is_left() -> None:
    _, said = said_by(Ill.ASKS_ON)
    assert {one.exposure_left_mg for one in said} == {0}


@pytest.mark.parametrize("goal", WAYS[2:])
def test_a_device_is_led_into_each_mode_and_not_beyond_it(goal: Mode) -> None:
    host = getattr(Host(), goal.name.lower())()
    assert host.mode is goal
    assert not host.eager
