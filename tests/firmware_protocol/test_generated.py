"""What is made from the catalogue is up to date, complete, and says what the code does."""

import json
import re
import struct
from itertools import accumulate, combinations
from pathlib import Path

import pytest
from cobs import cobs

from firmware_protocol import envelope
from firmware_protocol.catalogue import CATALOGUE, Direction, Seed
from firmware_protocol.codec import encode
from firmware_protocol.errors import Reject
from firmware_protocol.frame import SEEDS, flags_of
from firmware_protocol.link import FrameRejected, Link, MessageReceived, RequestUnknown
from firmware_protocol.messages import Field, Hello, Message, SelfTest, Setpoint, u8, u16
from firmware_protocol.schema import (
    LIMITS,
    SCHEMA_HASH,
    VOCABULARY,
    canonical_text,
    fields_of,
    is_legal,
    members_of,
    span_of,
)
from firmware_protocol.vectors import RawFrame, render_vectors
from tools import generate
from tools.codecs import render_check, render_codec
from tools.protocol_page import KNOWN_ORDER, UNKNOWN_ORDER, WAITS_MS, render_document


def test_every_generated_file_is_up_to_date() -> None:
    assert generate.stale_files(generate.TOP) == []
    assert generate.main(["--check"]) == 0


def test_a_changed_or_missing_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "TOP", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "docs/PROTOCOL.md is out of date" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "docs/PROTOCOL.md").write_text("edited by hand", encoding="utf-8")
    assert generate.main(["--check"]) == 1


def test_codecs_of_another_catalogue_are_named_alone_and_renewed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = tmp_path / "firmware_protocol/codec_to_host.py"
    codec.parent.mkdir()
    codec.write_text("old", encoding="utf-8")
    assert generate.stale_files(tmp_path) == ["firmware_protocol/codec_to_host.py"]
    ran: list[object] = []

    def run(command: list[str], **_how: object) -> None:
        ran.append(command)

    monkeypatch.setattr("tools.generate.subprocess.run", run)
    generate.write_files(tmp_path)
    assert codec.read_text(encoding="utf-8") == render_codec(Direction.TO_HOST)
    assert len(ran) == 1
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize("direction", Direction)
def test_each_codec_holds_the_messages_of_its_way(direction: Direction) -> None:
    source = render_codec(direction)
    for spec in CATALOGUE:
        packs = f"_pack_{spec.message.__name__.lower()}(" in source
        assert packs == (spec.direction is direction)


def test_the_document_tells_every_message_field_word_and_reason() -> None:
    text = render_document()
    for spec in CATALOGUE:
        assert f"### {spec.message.__name__} ({spec.number:#04x})" in text
        for name, field in fields_of(spec.message):
            assert f"`{name}` | {span_of(field)} | {field.about} |" in text
    for words in VOCABULARY:
        assert f"**{words.__name__}**" in text
        for name, value in members_of(words):
            assert f"{value} {name}" in text
    for reason in Reject:
        assert f"| {reason.name} |" in text


# -- what the sentences of the document say --------------------------------------------------------
def finished_crc(data: bytes, before: int = 0) -> int:
    """CRC-32/AUTOSAR bit by bit, going on from the finished CRC of what came before."""
    register = before ^ 0xFFFF_FFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xC8DF_352F if register & 1 else 0)  # 0xF4ACFB13 reflected
    return register ^ 0xFFFF_FFFF


@pytest.mark.hazard("H11")
def test_the_example_of_the_crc_is_what_another_crc_makes_of_it() -> None:
    text = render_document()
    found = re.search(
        r"is `(\w+)`. The CRC over `(\w+)` and it is `(\w+)`.\nThe line carries `(\w+)`", text
    )
    assert found
    body, seed, wire = (bytes.fromhex(found[group]) for group in (1, 2, 4))
    crc = int(found[3], 16)
    assert finished_crc(seed + body) == crc
    assert finished_crc(body, finished_crc(seed)) == crc
    assert f"| `{finished_crc(seed):#010x}` |" in text  # the row of the table that it goes on from
    whole = body + crc.to_bytes(4, "little")
    assert cobs.encode(whole) + b"\0" == wire
    assert f"always `{finished_crc(seed + whole):#010x}`" in text
    assert finished_crc(b"123456789") == 0x1697_D06A


_LATER = 7
_SETPOINT = next(spec for spec in CATALOGUE if spec.message is Setpoint)


def judged(wrongs: frozenset[Reject], number: int) -> Reject:
    """What a device says of a frame that is wrong in several ways."""
    link = Link(Direction.TO_HOST)
    link.open_session(1, 0.0)
    good = Setpoint(200, 1, 0, 0, 0, 0, 0, 0)
    assert link.receive(encode(good, 1, _LATER), 0.0) == [MessageReceived(good)]
    payload = struct.pack("<HHIHHBIH", *good._replace(wish=99 * (Reject.RANGE in wrongs)))
    frame = RawFrame(
        number,
        flags_of(_SETPOINT) | 0x80 * (Reject.FLAGS in wrongs),
        2 if Reject.SESSION in wrongs else 1,
        _LATER + (Reject.STALE not in wrongs),
        payload.ljust(27, b"\1") if Reject.LENGTH in wrongs else payload,  # one more than fits
        SEEDS[Direction.TO_DEVICE, Seed.SCHEMA] ^ (Reject.CRC in wrongs),
    )
    wire = frame.wire()
    (event,) = link.receive(b"\xff" + wire[1:] if Reject.COBS in wrongs else wire, 0.0)
    assert isinstance(event, FrameRejected)
    return event.reason


@pytest.mark.hazard("H11", "H33")
@pytest.mark.parametrize(
    ("order", "number"),
    [(KNOWN_ORDER, _SETPOINT.number), (UNKNOWN_ORDER, 0x6F), (UNKNOWN_ORDER, 0x40)],
)
def test_of_several_reasons_the_first_in_the_order_of_the_document_is_told(
    order: tuple[Reject, ...], number: int
) -> None:
    for at, reason in enumerate(order):
        assert judged(frozenset(order[at:]), number) is reason
    for first, later in combinations(order, 2):
        assert judged(frozenset({first, later}), number) is first
    for words in (KNOWN_ORDER, UNKNOWN_ORDER):
        assert ", ".join(reason.name for reason in words) in render_document()


@pytest.mark.hazard("H11")
def test_a_long_run_is_one_bad_frame_and_judged_by_its_first_bytes() -> None:
    link = Link(Direction.TO_HOST)
    link.open_session(1, 0.0)
    whole = bytes([41]) + b"\x01" * 40  # one code, to the very end
    assert len(cobs.decode(whole)) == 40
    assert link.receive(whole + b"\0", 0.0) == [FrameRejected(Reject.COBS)]
    assert "judged by its first 40." in render_document()


@pytest.mark.parametrize("message", [SelfTest(), Hello(2, 0, SCHEMA_HASH, 1)])
def test_a_one_shot_is_sent_and_given_up_when_the_document_says(message: Message) -> None:
    link = Link(Direction.TO_DEVICE)
    link.open_session(1, 0.0)
    link.request(message, 0.0)
    assert link.outgoing()
    for due_ms in accumulate(WAITS_MS):
        due_s = link.deadline_s()
        assert due_s is not None
        assert due_s == pytest.approx(due_ms / 1000)
        events = link.poll(due_s)
        given_up = due_ms == sum(WAITS_MS)
        assert [isinstance(event, RequestUnknown) for event in events] == [True] * given_up
        assert bool(link.outgoing()) is not given_up
    assert "5 times and waits 25, 50, 100, 200 and 400 ms after\nthem." in render_document()


@pytest.mark.hazard("H11", "H20", "H32")
def test_the_vectors_cover_every_message_every_range_and_the_wraps() -> None:
    vectors = json.loads(render_vectors())
    accepted = {row["name"] for row in vectors["accepted"]}
    refused = {row["name"] for row in vectors["refused"]}
    assert vectors["schema_hash"] == SCHEMA_HASH
    assert vectors["crc"]["check"] == "0x1697d06a"
    for spec in CATALOGUE:
        name = spec.message.__name__
        assert {f"{name} {word}" for word in ("min", "typ", "max", "last sequence")} <= accepted
    assert {"Setpoint suction_pa one too high", "Setpoint wish one too high"} <= refused
    assert {"unknown type, flags 0", "unknown type, flags 4"} <= refused
    assert {"no type", "Stop the other way, fixed seed", "unknown type, run of 40 bytes"} <= refused
    assert {"a": 1, "b": 65535, "newer": True} in vectors["newer"]
    assert {"now": 50, "old": 2**32 - 50, "age_ms": 100} in vectors["age"]


# -- the schema hash -------------------------------------------------------------------------------
@pytest.mark.hazard("H33")
def test_the_schema_text_holds_layout_ranges_and_words_but_no_prose() -> None:
    text = canonical_text()
    assert " suction_pa H Pa 0 50000 None\n" in text
    assert "0x30 Setpoint TO_DEVICE PERIODIC SCHEMA must\n" in text
    assert " SAFE 8\n" in text
    for spec in CATALOGUE:
        for _, field in fields_of(spec.message):
            assert len(field.about) < 12 or field.about not in text


@pytest.mark.hazard("H33", "H47")
def test_the_schema_text_holds_every_limit_of_the_envelope() -> None:
    lines = set(canonical_text().splitlines())
    limits = {name: value for name, value in vars(envelope).items() if name.isupper()}
    assert {f" {name} {value}" for name, value in limits.items()} <= lines
    assert {" DWELL_TRIP_S 2.0", " LEASE_MAX_MS 200", " SUCTION_TRIP_PA 55000"} <= lines
    assert dict(LIMITS) == limits


@pytest.mark.hazard("H33")
@pytest.mark.parametrize("name", ["DWELL_TRIP_S", "LEASE_MAX_MS", "SUCTION_TRIP_PA"])
def test_another_limit_is_another_schema(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = canonical_text()
    monkeypatch.setattr("firmware_protocol.schema.LIMITS", {**LIMITS, name: LIMITS[name] + 1})
    assert canonical_text() != before


# -- fields ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "check"),
    [
        (u8("", ""), ""),
        (u8("", "", high=3), "x <= 3"),
        (u8("", "", low=1), "x >= 1"),
        (u16("Pa", "", unknown=0xFFFF), ""),
        (u16("Pa", "", high=50_000, unknown=0xFFFF), "(x <= 50000 or x == 65535)"),
        (u16("Pa", "", low=5, high=9), "5 <= x <= 9"),
    ],
)
def test_a_range_is_checked_only_where_it_is_narrower_than_the_width(
    field: Field, check: str
) -> None:
    assert render_check("x", field) == check
    for count in (0, 1, 3, 4, 5, 9, 10, 255, 50_000, 50_001, 65_534, 65_535):
        fits = count <= {"B": 0xFF, "H": 0xFFFF}[field.code]
        allowed = eval(check, {"x": count}) if check else True  # noqa: S307 (our own source)
        assert (fits and allowed) == is_legal(field, count)


def test_spans_are_words() -> None:
    assert span_of(u16("Pa", "", unknown=0xFFFF)) == "0 to 65534 Pa, or 65535 for unknown"
    assert span_of(u8("", "", high=3)) == "0 to 3"
