"""Sessions, periodic messages and STOP, seen from both ends at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol import vectors
from firmware_protocol.catalogue import CATALOGUE, Direction, Seed
from firmware_protocol.codec import decode, encode
from firmware_protocol.errors import CORRUPT, LocalProtocolError, Reject
from firmware_protocol.frame import RUN_KEPT_BYTES, seed_for
from firmware_protocol.link import (
    FrameRejected,
    Link,
    MessageReceived,
    RequestDone,
    RequestReceived,
    session_number,
)
from firmware_protocol.messages import Hello, Message, Status, Stop, Telemetry
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import SEQ_SPAN
from tests.firmware_protocol.examples import (
    ARM,
    SESSION,
    SETPOINT,
    SPEC_OF,
    TELEMETRY,
    Pair,
    done,
    example,
    hello,
    ident,
    run_of,
    stopped,
)

OTHER_SESSION = SESSION ^ 1
STATUS = example(SPEC_OF[Status])


# -- opening ---------------------------------------------------------------------------------------
def test_hello_and_ident_make_the_same_session_on_both_ends() -> None:
    pair = Pair()
    seq = pair.host.request(hello(nonce=10), 0.0)
    (asked,) = pair.to_device(pair.host.outgoing())
    assert asked == RequestReceived(hello(nonce=10), seq)
    wire = pair.device.reply(seq, ident(seq))
    pair.device.open_session(session_number(10, ident(seq).device_nonce), 0.0)
    (answer,) = pair.to_host(wire)
    assert answer == RequestDone(seq, ident(seq))
    pair.host.open_session(session_number(10, ident(seq).device_nonce), 0.0)
    assert pair.host.session == pair.device.session != 0
    assert pair.to_device(pair.host.send(SETPOINT)) == [MessageReceived(SETPOINT)]


def test_a_repeated_hello_gets_the_same_ident_after_the_session_opened() -> None:
    pair = Pair()
    seq = pair.host.request(hello(), 0.0)
    pair.to_device(pair.host.outgoing())
    pair.device.reply(seq, ident(seq))  # lost on the way
    pair.device.open_session(SESSION, 0.0)
    assert pair.host.poll(0.025) == []
    assert pair.to_device(pair.host.outgoing()) == []
    assert pair.device.session == SESSION
    assert pair.to_host(pair.device.outgoing()) == [RequestDone(seq, ident(seq))]
    assert pair.device.outgoing() == b""


@given(noise=st.binary(max_size=50))
def test_no_noise_from_before_the_line_was_opened_swallows_hello_or_ident(noise: bytes) -> None:
    pair = Pair()
    pair.to_device(noise)
    pair.to_host(noise)
    seq = pair.host.request(hello(), 0.0)
    assert pair.to_device(pair.host.outgoing())[-1] == RequestReceived(hello(), seq)
    wire = pair.device.reply(seq, ident(seq))
    assert pair.to_host(wire)[-1] == RequestDone(seq, ident(seq))
    pair.to_device(encode(hello(), 0, seq) + noise)
    pair.to_host(noise)
    assert pair.to_host(pair.device.outgoing())[-1] == FrameRejected(Reject.UNSOLICITED)


def test_a_hello_repeated_before_its_answer_is_not_answered_twice() -> None:
    pair = Pair()
    wire = encode(hello(), 0, 1)
    assert pair.to_device(wire) == [RequestReceived(hello(), 1)]
    assert pair.to_device(wire) == []
    assert pair.device.outgoing() == b""


@pytest.mark.hazard("H23")
def test_a_host_that_starts_again_at_the_same_sequence_is_heard_as_new() -> None:
    pair = Pair()
    pair.to_device(encode(hello(nonce=1), 0, 1))
    pair.device.reply(1, ident(1))
    wire = encode(hello(nonce=2), 0, 1)
    assert pair.to_device(wire + wire) == [RequestReceived(hello(nonce=2), 1)]
    assert pair.device.outgoing() == b""


def test_the_sequence_of_hello_goes_on_over_sessions() -> None:
    pair = Pair()
    assert pair.host.request(hello(), 0.0) == 1
    pair.open()
    assert pair.host.request(hello(nonce=2), 0.0) == 2
    assert pair.host.request(ARM, 0.0) == 1


@pytest.mark.parametrize("session", [0, -1, 2**32])
def test_a_session_needs_a_number(session: int) -> None:
    with pytest.raises(LocalProtocolError, match="session"):
        Pair().host.open_session(session, 0.0)


def test_without_a_session_there_is_nothing_to_say() -> None:
    pair = Pair()
    with pytest.raises(LocalProtocolError, match="open session"):
        pair.host.send(SETPOINT)
    with pytest.raises(LocalProtocolError, match="open session"):
        pair.host.request(ARM, 0.0)


def test_each_end_sends_only_its_own_messages_and_each_by_its_own_way() -> None:
    pair = Pair().open()
    with pytest.raises(LocalProtocolError, match="other way"):
        pair.host.send(TELEMETRY)
    with pytest.raises(LocalProtocolError, match="one-shot"):
        pair.host.send(ARM)
    with pytest.raises(LocalProtocolError, match="not a one-shot"):
        pair.host.request(SETPOINT, 0.0)
    with pytest.raises(LocalProtocolError, match="not an answer"):
        pair.device.reply(1, TELEMETRY)
    with pytest.raises(LocalProtocolError, match="other way"):
        pair.host.reply(1, done(1))
    with pytest.raises(LocalProtocolError, match="answer is to 2"):
        pair.device.reply(1, done(2))


# -- foreign frames --------------------------------------------------------------------------------
@pytest.mark.hazard("H23")
@pytest.mark.parametrize("message", [SETPOINT, ARM])
@pytest.mark.parametrize("session", [0, OTHER_SESSION])
def test_a_frame_of_another_session_is_refused_and_counted(message: Message, session: int) -> None:
    pair = Pair().open()
    assert pair.to_device(encode(message, session, 9)) == [FrameRejected(Reject.SESSION)]
    assert pair.device.bad_frames == 1


@pytest.mark.parametrize("message", [SETPOINT, ARM])
def test_without_a_session_only_hello_and_stop_are_heard(message: Message) -> None:
    pair = Pair()
    assert pair.to_device(encode(message, 0, 9)) == [FrameRejected(Reject.SESSION)]
    assert pair.device.bad_frames == 1
    assert pair.to_device(encode(message, SESSION, 9)) == [FrameRejected(Reject.SESSION)]
    assert pair.to_device(encode(Stop(0), 0, 0)) == [MessageReceived(Stop(0))]
    assert pair.to_device(encode(hello(), 0, 9)) == [RequestReceived(hello(), 9)]


def test_a_hello_inside_of_a_session_is_refused() -> None:
    pair = Pair().open()
    assert pair.to_device(encode(hello(), SESSION, 9)) == [FrameRejected(Reject.SESSION)]


@pytest.mark.hazard("H23")
def test_a_session_played_back_into_the_next_one_moves_nothing() -> None:
    pair = Pair().open()
    recorded = b"".join(pair.host.send(SETPOINT) for _ in range(20))
    pair.host.request(ARM, 0.0)
    recorded += pair.host.outgoing()
    pair.open(OTHER_SESSION)
    events = pair.to_device(recorded)
    assert events == [FrameRejected(Reject.SESSION)] * 21
    assert pair.device.last_request_seq == 0


@pytest.mark.hazard("H33")
def test_another_schema_is_noise_but_its_hello_and_stop_are_understood() -> None:
    pair = Pair().open()
    for spec in CATALOGUE:
        if spec.direction is not Direction.TO_DEVICE:
            continue
        counts = vectors.examples_of(spec)["typ"]
        frame = vectors.frame_of(spec, counts, session=SESSION, seq=1)
        if spec.seed is Seed.SCHEMA:
            foreign = vectors.RawFrame(
                frame.number, frame.flags, SESSION, 1, frame.payload,
                seed_for(spec.direction, SCHEMA_HASH ^ 1),
            )  # fmt: skip
            assert pair.to_device(foreign.wire()) == [FrameRejected(Reject.CRC)]
    strange = Hello(9, 9, SCHEMA_HASH ^ 1, 5)
    assert pair.to_device(encode(strange, 0, 1)) == [RequestReceived(strange, 1)]
    assert pair.to_device(encode(Stop(1), OTHER_SESSION, 7)) == [MessageReceived(Stop(1))]


# -- periodic messages -----------------------------------------------------------------------------
@pytest.mark.hazard("H11", "H23")
def test_a_duplicate_and_an_overtaken_frame_are_dropped_without_counting() -> None:
    pair = Pair().open()
    first, second = pair.host.send(SETPOINT), pair.host.send(SETPOINT)
    assert pair.to_device(second) == [MessageReceived(SETPOINT)]
    assert pair.to_device(second + first) == [FrameRejected(Reject.STALE)] * 2
    assert pair.device.bad_frames == 0


def test_lost_frames_do_not_stop_the_newer_ones() -> None:
    pair = Pair().open()
    for _ in range(100):
        pair.host.send(SETPOINT)
    assert pair.to_device(pair.host.send(SETPOINT)) == [MessageReceived(SETPOINT)]


@pytest.mark.hazard("H32")
def test_the_sequence_wraps_without_a_gap() -> None:
    pair = Pair().open()
    pair.host._sent_seq = pair.device._seen_seq = SEQ_SPAN - 10
    for i in range(20):
        message = SETPOINT._replace(echo_tick_ms=i)
        assert pair.to_device(pair.host.send(message)) == [MessageReceived(message)]
    assert pair.to_device(encode(SETPOINT, SESSION, SEQ_SPAN - 1)) == [FrameRejected(Reject.STALE)]


def test_telemetry_and_status_share_one_sequence() -> None:
    pair = Pair().open()
    wire = pair.device.send(TELEMETRY) + pair.device.send(STATUS)
    assert pair.to_host(wire) == [MessageReceived(TELEMETRY), MessageReceived(STATUS)]


def test_a_new_session_starts_sequences_and_counters_afresh() -> None:
    pair = Pair().open()
    pair.to_device(b"\x05\x05\0" * 50)
    pair.to_device(pair.host.send(SETPOINT))
    assert pair.device.bad_frames == 50
    assert pair.device.limit_exceeded(0.0)
    pair.open(OTHER_SESSION)
    assert pair.device.bad_frames == 0
    assert not pair.device.limit_exceeded(0.0)
    assert pair.to_device(pair.host.send(SETPOINT)) == [MessageReceived(SETPOINT)]


def test_a_closed_session_understands_nothing_of_it() -> None:
    pair = Pair().open()
    late = pair.device.send(TELEMETRY)
    pair.host.close_session()
    assert pair.host.session == 0
    assert pair.to_host(late) == [FrameRejected(Reject.SESSION)]


# -- stop ------------------------------------------------------------------------------------------
@pytest.mark.hazard("H11")
@pytest.mark.parametrize("session", [0, SESSION, OTHER_SESSION])
def test_stop_is_heard_in_any_session_and_as_often_as_it_comes(session: int) -> None:
    pair = Pair().open()
    wire = encode(Stop(1), session, 0)
    assert pair.to_device(wire * 3) == [MessageReceived(Stop(1))] * 3
    assert pair.to_host(encode(stopped(), session, 0)) == [MessageReceived(stopped())]


def test_stop_can_be_sent_without_a_session() -> None:
    pair = Pair()
    wire = pair.host.send(Stop(0))
    assert decode(run_of(wire), Direction.TO_DEVICE) == (Stop(0), 0, 0, 4)
    assert pair.to_device(wire) == [MessageReceived(Stop(0))]
    assert pair.to_host(pair.device.send(stopped())) == [MessageReceived(stopped())]


@pytest.mark.hazard("H11")
@given(noise=st.binary(max_size=200))
def test_no_noise_before_it_swallows_a_stop(noise: bytes) -> None:
    pair = Pair().open()
    pair.to_device(noise)
    assert pair.to_device(pair.host.send(Stop(1)))[-1] == MessageReceived(Stop(1))


@pytest.mark.hazard("H11")
def test_a_half_sent_frame_does_not_swallow_a_stop() -> None:
    pair = Pair().open()
    setpoint = pair.host.send(SETPOINT)
    for sent in range(len(setpoint)):
        events = pair.to_device(setpoint[:sent] + pair.host.send(Stop(1)))
        assert events[-1] == MessageReceived(Stop(1))


@pytest.mark.hazard("H11")
def test_stop_passes_when_the_error_limit_is_exceeded() -> None:
    pair = Pair().open()
    pair.to_device(b"\x05\x05\0" * 1000)
    assert pair.device.limit_exceeded(0.0)
    assert pair.to_device(pair.host.send(Stop(1))) == [MessageReceived(Stop(1))]


# -- noise -----------------------------------------------------------------------------------------
@pytest.mark.hazard("H11")
@given(noise=st.lists(st.binary(max_size=80), max_size=12))
def test_no_bytes_crash_a_link_or_grow_it(noise: list[bytes]) -> None:
    pair = Pair().open()
    for piece in noise:
        for link in (pair.host, pair.device):
            events = link.receive(piece, 0.0)
            assert all(isinstance(event, FrameRejected) for event in events)
            assert link._decoder.held_bytes <= RUN_KEPT_BYTES
            assert link.outgoing() == b""


def test_the_count_of_bad_frames_saturates_at_what_status_can_carry() -> None:
    pair = Pair().open()
    pair.device.bad_frames = SEQ_SPAN - 3
    pair.to_device(b"\x05\x05\0" * 5)
    assert pair.device.bad_frames == SEQ_SPAN - 1


def test_an_unknown_message_that_may_be_ignored_is_not_counted() -> None:
    pair = Pair().open()
    wires = {why: wire for _, way, why, wire in vectors.refused() if way is Direction.TO_DEVICE}
    assert pair.to_device(wires[Reject.UNKNOWN]) == [FrameRejected(Reject.UNKNOWN)]
    assert pair.device.bad_frames == 0
    assert pair.to_device(wires[Reject.TYPE]) == [FrameRejected(Reject.TYPE)]
    assert pair.device.bad_frames == 1


@pytest.mark.hazard("H11")
def test_what_counts_is_damage_and_foreign_frames_not_repeats() -> None:
    assert set(Reject) - CORRUPT == {Reject.UNKNOWN, Reject.STALE, Reject.UNSOLICITED}


@pytest.mark.hazard("H11", "H20")
@pytest.mark.parametrize("direction", Direction)
def test_each_refused_vector_is_counted_by_a_link_or_ignored_by_the_rules(
    direction: Direction,
) -> None:
    for name, way, why, wire in vectors.refused():
        if way is not direction:
            continue
        sends = Direction.TO_HOST if way is Direction.TO_DEVICE else Direction.TO_DEVICE
        link = Link(sends)
        link.open_session(SESSION, 0.0)
        assert link.receive(wire, 0.0) == [FrameRejected(why)], name
        assert link.bad_frames == (why in CORRUPT), name


def test_telemetry_is_fresh_again_after_garbage_between_frames() -> None:
    pair = Pair().open()
    wire = b"".join(pair.device.send(TELEMETRY) + b"\x11\x22\x33\0" for _ in range(5))
    events = pair.to_host(wire)
    heard = [event for event in events if isinstance(event, MessageReceived)]
    assert [type(event.message) for event in heard] == [Telemetry] * 5
    assert pair.host.bad_frames == 5
