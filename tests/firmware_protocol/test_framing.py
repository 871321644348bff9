"""The frame decoder: any split, any noise, bounded memory."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import BadFrameError, decode, encode
from firmware_protocol.frame import RUN_KEPT_BYTES, RUN_MAX_BYTES, FrameDecoder
from tests.firmware_protocol.examples import SESSION, SETPOINT, run_of

WIRE = encode(SETPOINT, SESSION, 1)
RUN = run_of(WIRE)


def test_a_frame_comes_out_with_its_delimiter_and_not_before() -> None:
    decoder = FrameDecoder()
    assert [decoder.feed(WIRE[i : i + 1]) for i in range(len(RUN))] == [[]] * len(RUN)
    assert decoder.feed(b"\0") == [RUN]


def test_frames_that_arrive_together_come_out_apart() -> None:
    assert FrameDecoder().feed(WIRE * 3) == [RUN] * 3


def test_empty_runs_are_idle_fill() -> None:
    assert FrameDecoder().feed(b"\0\0\0" + WIRE + b"\0\0") == [RUN]


@pytest.mark.hazard("H11")
@given(
    pieces=st.lists(st.binary(max_size=60) | st.just(WIRE), max_size=8),
    cuts=st.lists(st.integers(0, 480)),
)
def test_the_split_of_the_bytes_makes_no_difference(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    decoder = FrameDecoder()
    runs: list[bytes] = []
    for start, end in pairwise(places):
        runs += decoder.feed(data[start:end])
    assert runs == FrameDecoder().feed(data)


@pytest.mark.hazard("H11")
@given(noise=st.binary(max_size=300))
def test_the_decoder_finds_its_feet_after_noise(noise: bytes) -> None:
    decoder = FrameDecoder()
    decoder.feed(noise + b"\0")
    assert decoder.feed(WIRE) == [RUN]


@pytest.mark.hazard("H11")
@given(noise=st.binary(min_size=1, max_size=300).filter(lambda noise: not noise.endswith(b"\0")))
def test_noise_right_before_a_frame_costs_at_most_that_frame(noise: bytes) -> None:
    decoder = FrameDecoder()
    decoder.feed(noise)
    decoder.feed(WIRE)
    assert decoder.feed(WIRE) == [RUN]


def test_an_endless_run_is_held_in_bounded_memory_and_reported_once() -> None:
    decoder = FrameDecoder()
    for _ in range(100):
        assert decoder.feed(b"\x55" * 1000) == []
        assert decoder.held_bytes == RUN_KEPT_BYTES
    (run,) = decoder.feed(b"\0")
    assert RUN_MAX_BYTES < len(run) == RUN_KEPT_BYTES
    with pytest.raises(BadFrameError):
        decode(run, Direction.TO_DEVICE)
    assert decoder.feed(WIRE) == [RUN]


def test_a_long_run_in_one_piece_is_cut_too() -> None:
    (run,) = FrameDecoder().feed(b"\x55" * 1000 + b"\0")
    assert len(run) == RUN_KEPT_BYTES
