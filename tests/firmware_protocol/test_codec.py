"""One message, one frame: what goes in comes out, and nothing else is let through."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol import vectors
from firmware_protocol.catalogue import CATALOGUE, Direction, Seed, Spec
from firmware_protocol.codec import BadFrameError, Frame, Reject, decode, encode
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.frame import (
    BODY_MAX_BYTES,
    CRC_BYTES,
    DELIMITER,
    RESIDUE,
    RETRY,
    RUN_MAX_BYTES,
    SEEDS,
    cobs_decode,
    cobs_encode,
    crc32,
    flags_of,
    seed_for,
)
from firmware_protocol.messages import Arm, Message, Setpoint, Telemetry
from firmware_protocol.schema import SCHEMA_HASH
from tests.firmware_protocol.examples import SESSION, SETPOINT, example, messages_of, run_of

VECTORS = Path(vectors.__file__).with_name("vectors.json")
every_message = pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.message.__name__)
frames = st.sampled_from(CATALOGUE).flatmap(
    lambda spec: st.tuples(st.just(spec), messages_of(spec))
)


def reason_of(run: bytes, direction: Direction) -> Reject:
    with pytest.raises(BadFrameError) as caught:
        decode(run, direction)
    return caught.value.reason


@given(row=frames, session=st.integers(0, 2**32 - 1), seq=st.integers(0, 2**16 - 1))
def test_what_is_encoded_is_decoded(row: tuple[Spec, Message], session: int, seq: int) -> None:
    spec, message = row
    wire = encode(message, session, seq)
    assert wire.endswith(DELIMITER)
    assert DELIMITER not in wire[:-1]
    assert decode(wire[:-1], spec.direction) == Frame(message, session, seq, flags_of(spec))


@every_message
@pytest.mark.parametrize("word", ["min", "typ", "max"])
def test_a_message_comes_back_as_its_own_type(spec: Spec, word: str) -> None:
    frame = decode(run_of(encode(example(spec, word), 1, 2)), spec.direction)
    assert type(frame) is Frame
    assert type(frame.message) is spec.message


@every_message
def test_a_frame_stays_within_the_span_of_hamming_distance_8(spec: Spec) -> None:
    run = run_of(encode(example(spec, "max"), 2**32 - 1, 2**16 - 1))
    assert len(cobs_decode(run)) - CRC_BYTES <= BODY_MAX_BYTES
    assert len(run) <= RUN_MAX_BYTES


def test_message_numbers_are_unique_in_both_directions() -> None:
    assert len({spec.number for spec in CATALOGUE}) == len(CATALOGUE)


@every_message
def test_the_generated_codec_agrees_with_the_catalogue_byte_by_byte(spec: Spec) -> None:
    for counts in vectors.examples_of(spec).values():
        assert (
            encode(spec.message(**counts), SESSION, 9)
            == vectors.frame_of(spec, counts, SESSION, 9).wire()
        )


# -- the conformance vectors -----------------------------------------------------------------------
def vector_rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))[name]
    return rows


@pytest.mark.hazard("H11")
@pytest.mark.parametrize("row", vector_rows("accepted"), ids=lambda row: row["name"])
def test_every_accepted_vector_is_understood(row: dict[str, Any]) -> None:
    frame = decode(run_of(bytes.fromhex(row["wire"])), Direction[row["direction"].upper()])
    assert frame.message._asdict() == row["fields"]
    assert (frame.session, frame.seq, frame.flags) == (row["session"], row["seq"], row["flags"])
    again = encode(frame.message, frame.session, frame.seq, frame.flags & RETRY)
    assert again == bytes.fromhex(row["wire"])


@pytest.mark.hazard("H49", "H11")
@pytest.mark.parametrize("row", vector_rows("tolerated"), ids=lambda row: row["name"])
def test_a_stop_is_understood_with_any_known_flags(row: dict[str, Any]) -> None:
    frame = decode(run_of(bytes.fromhex(row["wire"])), Direction[row["direction"].upper()])
    assert frame.message._asdict() == row["fields"]
    assert frame.flags == row["flags"]


def test_every_set_of_known_flags_of_stop_and_stopped_has_a_vector() -> None:
    rows = vector_rows("accepted") + vector_rows("tolerated")
    for name in ("Stop ", "Stopped "):
        assert {row["flags"] for row in rows if row["name"].startswith(name)} == set(range(8))


@pytest.mark.hazard("H11", "H20")
@pytest.mark.parametrize("row", vector_rows("refused"), ids=lambda row: row["name"])
def test_every_refused_vector_is_refused_for_its_reason(row: dict[str, Any]) -> None:
    run = run_of(bytes.fromhex(row["wire"]))
    assert reason_of(run, Direction[row["direction"].upper()]) is Reject[row["reason"]]


# -- the check sum ---------------------------------------------------------------------------------
def test_the_crc_has_the_published_check_value() -> None:
    assert crc32(b"123456789") == 0x1697D06A


@given(data=st.binary(max_size=80), seed=st.integers(0, 2**32 - 1))
def test_a_frame_with_its_crc_always_leaves_the_residue(data: bytes, seed: int) -> None:
    assert crc32(data + crc32(data, seed).to_bytes(4, "little"), seed) == RESIDUE


@pytest.mark.hazard("H33")
def test_the_seeds_of_the_two_ways_and_of_the_schema_all_differ() -> None:
    strangers = [seed_for(way, SCHEMA_HASH ^ 1) for way in Direction]
    assert len({*SEEDS.values(), *strangers}) == len(SEEDS) + len(strangers)


@every_message
def test_an_echo_of_our_own_frame_is_not_the_peers(spec: Spec) -> None:
    other = next(way for way in Direction if way is not spec.direction)
    assert reason_of(run_of(encode(example(spec), 1, 1)), other) is Reject.CRC


# -- our own mistakes ------------------------------------------------------------------------------
@pytest.mark.hazard("H20")
@every_message
def test_a_field_one_above_its_range_is_our_bug_and_named(spec: Spec) -> None:
    for field, counts in vectors.out_of_range(spec).items():
        with pytest.raises(LocalProtocolError, match=f"{spec.message.__name__}.{field} .* is not"):
            encode(spec.message(**counts), 1, 1)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1, 2**16, 30_000.0])
def test_only_whole_numbers_in_range_reach_the_wire(bad: float) -> None:
    with pytest.raises(LocalProtocolError, match=r"Setpoint\.suction_pa"):
        encode(SETPOINT._replace(suction_pa=bad), 1, 1)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(("session", "seq"), [(-1, 0), (2**32, 0), (0, -1), (0, 2**16)])
def test_a_session_or_sequence_too_wide_is_our_bug(session: int, seq: int) -> None:
    with pytest.raises(LocalProtocolError, match="needs a session of 32 bits"):
        encode(SETPOINT, session, seq)


@pytest.mark.parametrize(("message", "flags"), [(SETPOINT, RETRY), (Arm(1, 2), 1), (Arm(1, 2), 8)])
def test_flags_belong_to_the_message(message: Message, flags: int) -> None:
    with pytest.raises(LocalProtocolError, match="do not fit"):
        encode(message, 1, 1, flags)


def test_a_retry_is_marked() -> None:
    frame = decode(run_of(encode(Arm(1, 2), 1, 1, RETRY)), Direction.TO_DEVICE)
    assert frame.flags & RETRY


def test_an_unknown_reading_passes() -> None:
    message = Telemetry(1, 1, 0, 0, 0, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0)
    assert decode(run_of(encode(message, 1, 1)), Direction.TO_HOST).message == message


# -- their mistakes, and noise ---------------------------------------------------------------------
@pytest.mark.hazard("H11", "H39")
@given(run=st.binary(max_size=300), direction=st.sampled_from(Direction))
def test_no_bytes_make_the_decoder_crash_or_believe(run: bytes, direction: Direction) -> None:
    assert reason_of(run, direction) in Reject


@pytest.mark.hazard("H11", "H39")
@given(row=frames, position=st.integers(0, 45), byte=st.integers(1, 255))
def test_a_changed_byte_is_always_noticed(
    row: tuple[Spec, Message], position: int, byte: int
) -> None:
    spec, message = row
    run = bytearray(run_of(encode(message, SESSION, 5)))
    run[position % len(run)] ^= byte
    assert reason_of(bytes(run), spec.direction) in Reject


@pytest.mark.hazard("H11")
@every_message
def test_a_frame_cut_anywhere_is_refused(spec: Spec) -> None:
    run = run_of(encode(example(spec), SESSION, 5))
    for length in range(len(run)):
        assert reason_of(run[:length], spec.direction) in (Reject.COBS, Reject.CRC, Reject.LENGTH)
        assert reason_of(run[length + 1 :], spec.direction) in Reject


@pytest.mark.hazard("H39")
def test_a_frame_with_a_good_crc_and_random_counts_is_used_only_where_all_are_legal() -> None:
    spec = next(row for row in CATALOGUE if row.message is Setpoint)
    counts = {**vectors.examples_of(spec)["typ"], "suction_pa": 60_000}
    assert reason_of(run_of(vectors.frame_of(spec, counts).wire()), spec.direction) is Reject.RANGE


def test_an_unknown_message_of_odd_length_is_refused_for_its_length() -> None:
    short = vectors.RawFrame(0x6F, 0, 1, 1, b"", 0).raw()[:7]
    assert reason_of(cobs_encode(short), Direction.TO_HOST) is Reject.LENGTH
    long = vectors.RawFrame(0x6F, 0, 1, 1, bytes(RUN_MAX_BYTES), 0).raw()
    assert reason_of(cobs_encode(long), Direction.TO_HOST) is Reject.LENGTH
    assert reason_of(b"\x01", Direction.TO_HOST) is Reject.LENGTH


@pytest.mark.parametrize(
    ("payload_bytes", "reason"),
    [(0, Reject.UNKNOWN), (26, Reject.UNKNOWN), (27, Reject.LENGTH)],
)
def test_an_unknown_message_may_be_as_long_as_a_frame_may(
    payload_bytes: int, reason: Reject
) -> None:
    seed = SEEDS[Direction.TO_HOST, Seed.SCHEMA]
    wire = vectors.RawFrame(0x6F, 0, 1, 1, bytes(payload_bytes), seed).wire()
    assert reason_of(run_of(wire), Direction.TO_HOST) is reason


def test_an_unknown_message_with_a_wrong_crc_is_noise() -> None:
    wire = vectors.RawFrame(0x6F, 0, 1, 1, b"", 0).wire()
    assert reason_of(run_of(wire), Direction.TO_HOST) is Reject.CRC
