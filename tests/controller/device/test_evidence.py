"""How a stranger on the line is told from a unit on a bad one, at the borders of each guess."""

import pytest

from controller.device.evidence import (
    JUDGED_MIN,
    KEPT_MAX,
    MARKS_MIN,
    MODBUS_MAX,
    QUOTED_MAX,
    Evidence,
    Look,
    Verdict,
    judge,
)
from firmware_protocol.codec import encode
from tests.controller.device.bench import TELEMETRY

HDLC = "frames between 0x7E flags (HDLC, ASH, Klipper and others)"
FILL = b"\x81"
"""A byte that is no text, no mark and no delimiter."""


def verdict(*chunks: bytes) -> Verdict:
    evidence = Evidence()
    for chunk in chunks:
        evidence.add(chunk)
    return judge(evidence)


def with_check_sum(data: bytes) -> bytes:
    """Return ``data`` as Modbus RTU ends it, by the table-free rule of its specification."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            carry, crc = crc & 1, crc >> 1
            crc ^= 0xA001 * carry
    return data + crc.to_bytes(2, "little")


def framed(mark: int, overhead: int, count: int) -> bytes:
    """Return ``count`` frames of MAVLink, each with a length of its own."""
    return b"".join(
        bytes([mark, size]) + FILL * (overhead - 2 + size) for size in range(1, count + 1)
    )


def test_nothing_is_kept_beyond_the_bound_and_no_empty_chunk_either() -> None:
    evidence = Evidence()
    for size in (KEPT_MAX - 1, 5, 5):
        evidence.add(FILL * size)
    assert [len(chunk) for chunk in evidence.chunks] == [KEPT_MAX - 1, 1]
    assert evidence.size == KEPT_MAX


def test_frames_of_ours_are_counted_and_a_line_without_damage_has_no_bit_errors() -> None:
    wires = [encode(TELEMETRY, 77, seq) for seq in (1, 2, 3)]
    assert verdict(*wires) == Verdict(Look.FRAMES, "", 3, 0, 0.0)


@pytest.mark.parametrize(("bad", "look"), [(1, Look.FRAMES), (2, Look.DAMAGED)])
def test_one_frame_that_was_cut_by_listening_late_is_no_damage(bad: int, look: Look) -> None:
    seen = verdict(*[b"\x05rubbish\x00"] * bad, *[encode(TELEMETRY, 77, seq) for seq in (1, 2, 3)])
    assert (seen.look, seen.good_frames, seen.bad_frames) == (look, 3, bad)


def test_noise_is_told_without_a_word_about_what_it_is() -> None:
    assert verdict(b"\x05rubbish\x00\x05rubbish\x00") == Verdict(Look.NOISE, "", 0, 2)


def test_text_is_quoted_on_one_line_and_cut() -> None:
    words = b"  ok   T:21.3\r\n\r\nB:60.0 " * 5
    assert verdict(words) == Verdict(Look.TEXT, ("ok T:21.3 B:60.0 " * 5)[:QUOTED_MAX])


def test_of_a_quotation_everything_but_ascii_is_replaced() -> None:
    """Two bytes of UTF-8 may be a command of a terminal, U+009B; and the coding is not known."""
    seen = verdict(b"this oven is at 21 \xc2\x9b1m, and it is here for bread only")
    assert seen.look is Look.TEXT
    assert seen.detail == "this oven is at 21 \ufffd\ufffd1m, and it is here "


@pytest.mark.parametrize(("unreadable", "look"), [(5, Look.TEXT), (6, Look.NOISE)])
def test_a_twentieth_of_a_text_may_be_unreadable(unreadable: int, look: Look) -> None:
    assert verdict(FILL * unreadable + b"a" * (100 - unreadable)).look is look


def test_fewer_than_eight_bytes_are_no_text_and_eight_are() -> None:
    assert verdict(b"a" * (JUDGED_MIN - 1)).look is Look.NOISE
    assert verdict(b"a" * JUDGED_MIN).look is Look.TEXT


@pytest.mark.parametrize(
    ("size", "look"),
    [(3, Look.NOISE), (4, Look.FOREIGN), (MODBUS_MAX, Look.FOREIGN), (MODBUS_MAX + 1, Look.NOISE)],
)
def test_modbus_is_known_by_its_check_sum_in_a_frame_of_its_sizes(size: int, look: Look) -> None:
    frame = with_check_sum(FILL * (size - 2))
    seen = verdict(FILL * JUDGED_MIN, frame)
    assert seen.look is look
    assert seen.detail == ("Modbus RTU (its check sum fits)" if look is Look.FOREIGN else "")


@pytest.mark.parametrize(
    ("mark", "overhead", "name"), [(0xFD, 12, "MAVLink 2"), (0xFE, 8, "MAVLink 1")]
)
def test_mavlink_is_known_by_three_lengths_that_lead_from_mark_to_mark(
    mark: int, overhead: int, name: str
) -> None:
    assert verdict(framed(mark, overhead, MARKS_MIN + 1)) == Verdict(Look.FOREIGN, name)
    assert verdict(framed(mark, overhead, MARKS_MIN)).look is Look.NOISE
    assert verdict(FILL * 9 + framed(mark, overhead, MARKS_MIN + 1)).detail == name


@pytest.mark.parametrize("mark", [0xFD, 0xFE])
def test_a_mark_at_the_very_end_leads_nowhere(mark: int) -> None:
    assert verdict(FILL * JUDGED_MIN + bytes([mark])).look is Look.NOISE


@pytest.mark.parametrize(
    ("flags", "size", "name"), [(3, 384, HDLC), (3, 385, ""), (2, 100, ""), (4, 512, HDLC)]
)
def test_flags_are_known_where_they_are_frequent(flags: int, size: int, name: str) -> None:
    data = b"\x7e" * flags + FILL * (size - flags)
    assert verdict(data).detail == name


@pytest.mark.parametrize(("zeros", "name"), [(1, HDLC), (2, "")])
def test_flags_among_as_many_zeros_are_chance(zeros: int, name: str) -> None:
    assert verdict(b"\x7e\x81" * 4 + b"\x00\x81" * zeros).detail == name
