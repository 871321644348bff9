"""Minor versions: both ends speak the smaller one, and each direction of age works."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from firmware_protocol import schema
from firmware_protocol.catalogue import CATALOGUE, PROTOCOL_MINOR, Direction, Kind, Seed
from firmware_protocol.errors import LocalProtocolError, Reject
from firmware_protocol.link import FrameRejected, Link, MessageReceived, RequestReceived
from firmware_protocol.messages import Reset, Status, Stop, Stopped, Telemetry
from firmware_protocol.schema import SCHEMA_HASH, canonical_text
from firmware_protocol.vocabulary import Added, Capability, Cause, Mode, Permit, Refusal, StopKind
from tests.firmware_protocol.examples import SESSION, SETPOINT, SPEC_OF, TELEMETRY, example
from tests.firmware_protocol.next_minor import NextMinor, next_minor

RELEASED = {0: "bed05ac77c72baf0", 1: "fb02572e6d17f712"}
"""Of this major version, by minor, how its text begins to hash: a released one never changes."""
NEXT = PROTOCOL_MINOR + 1


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextMinor]:
    with next_minor(tmp_path_factory.mktemp("next")) as made:
        yield made


def opened(link: object, minor: int) -> object:
    link.open_session(SESSION, 0.0, minor)  # type: ignore[attr-defined]  # of either version
    return link


# -- the hash --------------------------------------------------------------------------------------
@pytest.mark.hazard("H33")
def test_every_released_minor_is_pinned_and_unchanged() -> None:
    assert set(RELEASED) == set(range(PROTOCOL_MINOR + 1))
    for minor, digest in RELEASED.items():
        assert hashlib.sha256(canonical_text(minor).encode()).hexdigest()[:16] == digest


@pytest.mark.hazard("H33")
def test_what_a_minor_adds_leaves_the_schema_hash_as_it_is(later: NextMinor) -> None:
    assert later.get("firmware_protocol.catalogue", "PROTOCOL_MINOR") == NEXT
    assert later.get("firmware_protocol.schema", "SCHEMA_HASH") == SCHEMA_HASH
    text = later.get("firmware_protocol.schema", "canonical_text")
    assert text(0) == canonical_text()
    assert {"0x42 Wear TO_HOST PERIODIC SCHEMA may", " TIP_WORN 25"} <= set(text(NEXT).splitlines())
    assert later.get("firmware_protocol.schema", "complaints")() == []


# -- words -----------------------------------------------------------------------------------------
def test_an_older_host_is_told_the_older_cause_and_permits_and_not_the_new_message(
    later: NextMinor,
) -> None:
    host, unit = Link(Direction.TO_DEVICE), _unit(later)
    opened(host, NEXT)
    opened(unit, PROTOCOL_MINOR)
    new = later.get("firmware_protocol.messages", "Telemetry")
    sent = new(*TELEMETRY._replace(cause=25, permits=1023, mode=Mode.SAFE))
    (heard,) = host.receive(unit.send(sent), 0.0)
    assert isinstance(heard, MessageReceived)
    assert isinstance(heard.message, Telemetry)
    assert (heard.message.cause, heard.message.permits) == (Cause.TIP_CHANGED, Permit.ALL)
    assert unit.send(later.get("firmware_protocol.messages", "Wear")(40)) == b""
    (heard,) = host.receive(unit.send(sent._replace(permits=511)), 0.0)  # the new permit is missing
    assert isinstance(heard, MessageReceived)
    assert isinstance(heard.message, Telemetry)
    assert heard.message.permits == Permit.ALL & ~Permit.REQUESTED
    assert host.bad_frames == 0


def test_two_ends_of_the_newer_minor_use_all_of_it(later: NextMinor) -> None:
    way = later.get("firmware_protocol.catalogue", "Direction")
    host = later.get("firmware_protocol.link", "Link")(way.TO_DEVICE)
    unit = _unit(later)
    opened(host, NEXT)
    opened(unit, NEXT)
    messages = later.module("firmware_protocol.messages")
    for message in (
        messages.Telemetry(*TELEMETRY._replace(cause=25, permits=1023)),
        messages.Wear(40),
    ):
        (heard,) = host.receive(unit.send(message), 0.0)
        assert heard.message == message
    host.request(messages.Blink(), 0.0)
    (asked,) = unit.receive(host.outgoing(), 0.0)
    assert asked.message == messages.Blink()


def test_a_newer_host_asks_an_older_unit_for_nothing_that_it_does_not_have(
    later: NextMinor,
) -> None:
    way = later.get("firmware_protocol.catalogue", "Direction")
    host = later.get("firmware_protocol.link", "Link")(way.TO_DEVICE)
    unit = Link(Direction.TO_HOST)
    opened(host, PROTOCOL_MINOR)
    opened(unit, NEXT)
    messages = later.module("firmware_protocol.messages")
    with pytest.raises(
        Exception, match=r"^Blink needs minor version 2, and this session speaks 2.1"
    ):
        host.request(messages.Blink(), 0.0)
    host.request(messages.Reset(25), 0.0)
    (asked,) = unit.receive(host.outgoing(), 0.0)
    assert isinstance(asked, RequestReceived)
    assert asked.message == Reset(Cause.TIP_CHANGED)
    (heard,) = unit.receive(host.send(messages.Setpoint(*SETPOINT)), 0.0)
    assert heard == MessageReceived(SETPOINT)
    for message in (TELEMETRY, example(SPEC_OF[Status])):
        (heard,) = host.receive(unit.send(message), 0.0)
        assert heard.message == message
    assert (unit.bad_frames, host.bad_frames) == (0, 0)


def test_what_was_not_agreed_is_not_understood_either(later: NextMinor) -> None:
    way = later.get("firmware_protocol.catalogue", "Direction")
    host, unit = later.get("firmware_protocol.link", "Link")(way.TO_DEVICE), _unit(later)
    opened(host, NEXT)
    opened(unit, PROTOCOL_MINOR)
    host.request(later.get("firmware_protocol.messages", "Blink")(), 0.0)
    (heard,) = unit.receive(host.outgoing(), 0.0)
    assert heard.reason.name == Reject.UNKNOWN.name
    old = Link(Direction.TO_HOST)
    opened(old, PROTOCOL_MINOR)
    assert old.receive(host.outgoing(), 0.0) == []
    opened(host, NEXT)
    host.request(later.get("firmware_protocol.messages", "Blink")(), 0.0)
    assert old.receive(host.outgoing(), 0.0) == [FrameRejected(Reject.TYPE)]


@pytest.mark.hazard("H49", "H33")
@pytest.mark.parametrize("kind", StopKind)
def test_stop_and_its_answer_are_the_same_in_every_minor(later: NextMinor, kind: StopKind) -> None:
    way = later.get("firmware_protocol.catalogue", "Direction")
    messages = later.module("firmware_protocol.messages")
    new_host, new_unit = later.get("firmware_protocol.link", "Link")(way.TO_DEVICE), _unit(later)
    stopped = example(SPEC_OF[Stopped])
    assert new_host.send(messages.Stop(kind)) == Link(Direction.TO_DEVICE).send(Stop(kind))
    assert new_unit.send(messages.Stopped(*stopped)) == Link(Direction.TO_HOST).send(stopped)


def _unit(later: NextMinor) -> Any:  # noqa: ANN401 (a type of the copy)
    way = later.get("firmware_protocol.catalogue", "Direction")
    return later.get("firmware_protocol.link", "Link")(way.TO_HOST)


# -- agreeing --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("theirs", "spoken"), [(0, 0), (PROTOCOL_MINOR, PROTOCOL_MINOR), (255, PROTOCOL_MINOR)]
)
def test_a_session_speaks_the_smaller_minor(theirs: int, spoken: int) -> None:
    link = Link(Direction.TO_HOST)
    opened(link, theirs)
    assert link.minor == spoken
    link.close_session()
    assert link.minor == 0


def test_a_session_of_which_nobody_says_the_minor_speaks_the_oldest(later: NextMinor) -> None:
    unit = _unit(later)
    unit.open_session(SESSION, 0.0)
    assert unit.minor == 0


# -- the rules -------------------------------------------------------------------------------------
def test_the_catalogue_keeps_the_rules() -> None:
    assert schema.complaints() == []


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (Added(Mode.SAFE, 1, Mode.DISARMED), "no minor may add to Mode"),
        (Added(StopKind.EMERGENCY, 1, StopKind.NORMAL), "no minor may add to StopKind"),
        (Added(Capability.SIMULATED, 1, 0), "no minor may add to Capability"),
        (Added(Cause.EXPOSURE, 2, Cause.DWELL), "is of minor 2, and the newest is 1"),
        (Added(Cause.EXPOSURE, 0, Cause.DWELL), "is of minor 0"),
        (Added(Cause.EXPOSURE, 1, 77), "must be known before minor 1"),
        (Added(Cause.EXPOSURE, 1, Cause.EXPOSURE), "must be known before minor 1"),
        (Added(Cause.DWELL, 1, Cause.NO_FLOW), "not above those of older minors"),
        (Added(Permit.CHANNEL_B, 1, 512), "must be known before minor 1"),
        (Added(Permit.ALL, 1, 0), "not above those of older minors"),
    ],
)
def test_a_word_that_breaks_a_rule_is_named(row: Added, sentence: str) -> None:
    found = schema.complaints([row], newest=1)
    assert any(sentence in one for one in found), found


def test_a_word_at_the_end_of_its_enum_keeps_the_rules() -> None:
    rows = [Added(Refusal.WITNESS_AHEAD, 1, Refusal.BUSY), Added(Cause.EXPOSURE, 2, Cause.DWELL)]
    assert schema.complaints(rows, newest=2) == []
    assert schema.complaints(rows[::-1], newest=2) != []


def test_stops_and_fixed_seeds_cannot_come_with_a_minor() -> None:
    for spec in CATALOGUE:
        fixed = spec.seed is Seed.FIXED or spec.kind is Kind.STOP
        assert bool(schema.complaints((), [replace(spec, since=1)], newest=1)) == fixed
    assert schema.complaints((), [replace(CATALOGUE[-3], since=2)], newest=1) != []


def test_a_word_whose_older_word_is_new_as_well_gives_way_twice() -> None:
    rows = [Added(Cause.NO_SUCTION, 1, Cause.NO_FLOW), Added(Cause.EXPOSURE, 2, Cause.NO_SUCTION)]
    assert schema.told(Cause.EXPOSURE, 1, rows) == Cause.NO_SUCTION
    assert schema.told(Cause.EXPOSURE, 0, rows) == Cause.NO_FLOW
    assert schema.told(Cause.EXPOSURE, 2, rows) == Cause.EXPOSURE
    message = TELEMETRY._replace(cause=Cause.EXPOSURE)
    assert schema.lowered(message, 0, rows) == TELEMETRY._replace(cause=Cause.NO_FLOW)


def test_a_mistake_of_our_own_is_a_local_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schema.SINCE, Reset, 1)
    monkeypatch.setattr("firmware_protocol.link.PROTOCOL_MINOR", 1)
    link = Link(Direction.TO_DEVICE)
    opened(link, 0)
    with pytest.raises(LocalProtocolError, match="Reset needs minor version 1"):
        link.request(Reset(0), 0.0)
