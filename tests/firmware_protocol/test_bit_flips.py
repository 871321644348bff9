"""Every single and every double bit flip on the encoded line, of every message, is noticed."""

from itertools import combinations

import pytest

from firmware_protocol.catalogue import CATALOGUE, Spec
from firmware_protocol.codec import BadFrameError, decode, encode
from firmware_protocol.frame import FrameDecoder
from firmware_protocol.vectors import examples_of
from tests.firmware_protocol.examples import SESSION, example

every_message = pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.message.__name__)


def accepted(wire: bytes, spec: Spec) -> int:
    """Count the frames that a fresh receiver would believe; a closing zero ends what is open."""
    believed = 0
    for run in FrameDecoder().feed(wire + b"\0"):
        try:
            decode(run, spec.direction)
        except BadFrameError:
            continue
        believed += 1
    return believed


def flipped(wire: bytes, *bits: int) -> bytes:
    noisy = bytearray(wire)
    for bit in bits:
        noisy[bit >> 3] ^= 1 << (bit & 7)
    return bytes(noisy)


@pytest.mark.hazard("H11")
@every_message
def test_no_single_flip_is_believed(spec: Spec) -> None:
    for word in examples_of(spec):
        wire = encode(example(spec, word), SESSION, 258)
        assert accepted(wire, spec) == 1
        closed = len(wire) * 8 - 8  # a flipped delimiter alone leaves the frame before it whole
        for bit in range(closed):
            assert accepted(flipped(wire, bit), spec) == 0, (word, bit)


@pytest.mark.hazard("H11")
@every_message
def test_no_double_flip_is_believed(spec: Spec) -> None:
    wire = encode(example(spec), SESSION, 258)
    for bits in combinations(range(len(wire) * 8), 2):
        assert accepted(flipped(wire, *bits), spec) == 0, bits


@pytest.mark.hazard("H11")
@every_message
def test_a_flipped_delimiter_costs_its_frame_and_the_next_but_not_the_third(spec: Spec) -> None:
    wire = encode(example(spec), SESSION, 258)
    for bit in range(len(wire) * 8 - 8, len(wire) * 8):
        assert accepted(flipped(wire, bit) + wire + wire, spec) == 1
