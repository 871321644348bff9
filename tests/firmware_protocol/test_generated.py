"""What is made from the catalogue is up to date, complete, and says what the code does."""

import json
from pathlib import Path

import pytest

from firmware_protocol import envelope
from firmware_protocol.catalogue import CATALOGUE, Direction
from firmware_protocol.errors import Reject
from firmware_protocol.messages import Field, u8, u16
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
from firmware_protocol.vectors import render_vectors
from tools import generate
from tools.codecs import render_check, render_codec
from tools.protocol_page import render_document


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
        (u8("", "", low=1), "1 <= x"),
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
