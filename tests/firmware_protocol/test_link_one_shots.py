"""One-shots: retries with the same sequence, applied once, and three outcomes."""

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode, encode
from firmware_protocol.errors import LocalProtocolError, Reject
from firmware_protocol.frame import RETRY
from firmware_protocol.link import (
    Event,
    FrameRejected,
    MessageReceived,
    RequestDone,
    RequestReceived,
    RequestResolved,
    RequestUnknown,
)
from firmware_protocol.messages import LogRead, LogRecord, Message, Reset, Result, SelfTest
from firmware_protocol.session import (
    REQUESTS_MAX,
    RESOLVE_MAX_S,
    RTO_FIRST_S,
    RTO_MAX_S,
    SEQ_SPAN,
    TRIES_MAX,
)
from tests.firmware_protocol.examples import (
    ARM,
    SESSION,
    TELEMETRY,
    Pair,
    done,
    hello,
    ident,
    run_of,
)

GIVEN_UP_S = 0.025 + 0.050 + 0.100 + 0.200 + 0.400


def failed(seq: int) -> Result:
    return Result(seq, 1, 4, 0)


def told(pair: Pair, last_request_seq: int) -> list[Event]:
    """Let the device's telemetry say which one-shot it executed last."""
    message = TELEMETRY._replace(last_request_seq=last_request_seq)
    events = pair.to_host(pair.device.send(message), 1.0)
    assert events[0] == MessageReceived(message)
    return events[1:]


def give_up(pair: Pair, from_s: float = 0.0) -> list[bytes]:
    """Poll at each deadline until the outcome is unknown; return what was written, try by try."""
    tries = [pair.host.outgoing()]
    for _ in range(TRIES_MAX):
        deadline_s = pair.host.deadline_s()
        assert deadline_s is not None
        assert pair.host.poll(deadline_s - 1e-6) == []
        events = pair.host.poll(deadline_s)
        if events:
            assert deadline_s == pytest.approx(from_s + GIVEN_UP_S)
            assert isinstance(events[0], RequestUnknown)
            return tries
        tries.append(pair.host.outgoing())
    raise AssertionError("never given up")


# -- done and failed -------------------------------------------------------------------------------
@pytest.mark.parametrize("message", [ARM, SelfTest(), Reset(1)])
def test_a_request_is_executed_and_answered(message: Message) -> None:
    pair = Pair().open()
    assert pair.ask(message) == RequestDone(1, done(1))
    assert pair.executed == [message]
    assert pair.device.last_request_seq == 1
    assert pair.host.deadline_s() is None
    assert pair.host.poll(99.0) == []


def test_a_log_record_answers_a_log_read() -> None:
    pair = Pair().open()
    record = LogRecord(1, 5, 77, 1, 0, 9)
    pair.host.request(LogRead(5), 0.0)
    pair.to_device(pair.host.outgoing())
    assert pair.to_host(pair.device.reply(1, record)) == [RequestDone(1, record)]


def test_a_failed_request_is_answered_but_was_not_executed() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.to_device(pair.host.outgoing())
    assert pair.to_host(pair.device.reply(1, failed(1))) == [RequestDone(1, failed(1))]
    assert pair.device.last_request_seq == 0


# -- retries ---------------------------------------------------------------------------------------
@pytest.mark.hazard("H11", "H23")
def test_a_retry_has_the_same_sequence_and_is_applied_once() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    first = pair.host.outgoing()
    answer = pair.serve(first)  # lost on the way
    assert pair.host.outgoing() == b""
    assert pair.host.poll(RTO_FIRST_S) == []
    second = pair.host.outgoing()
    flags = decode(run_of(first), Direction.TO_DEVICE).flags
    assert not flags & RETRY
    assert decode(run_of(second), Direction.TO_DEVICE) == (ARM, SESSION, 1, flags | RETRY)
    again = pair.serve(second)
    assert pair.executed == [ARM]
    assert decode(run_of(again), Direction.TO_HOST).message == done(1)
    assert pair.to_host(again + answer) == [
        RequestDone(1, done(1)),
        FrameRejected(Reject.UNSOLICITED),
    ]
    assert pair.host.bad_frames == 0


def test_a_hundred_repeats_in_one_piece_get_one_answer() -> None:
    pair = Pair().open()
    wire = encode(ARM, SESSION, 1)
    answers = pair.serve(wire)
    again = pair.serve(wire * 100)
    assert pair.executed == [ARM]
    assert len(again) == len(answers)


def test_a_repeat_of_a_request_that_is_still_being_worked_on_is_not_answered() -> None:
    pair = Pair().open()
    wire = encode(ARM, SESSION, 1)
    assert pair.to_device(wire) == [RequestReceived(ARM, 1)]
    assert pair.to_device(wire) == []
    assert pair.device.outgoing() == b""


def test_a_repeat_of_a_new_request_is_not_answered_with_the_old_answer() -> None:
    pair = Pair().open()
    pair.ask(ARM)
    wire = encode(SelfTest(), SESSION, 2)
    assert pair.to_device(wire + wire) == [RequestReceived(SelfTest(), 2)]
    assert pair.device.outgoing() == b""


def test_an_answer_takes_back_a_retry_that_was_not_written_yet() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    answer = pair.serve(pair.host.outgoing())
    assert pair.host.poll(RTO_FIRST_S) == []
    assert pair.to_host(answer) == [RequestDone(1, done(1))]
    assert pair.host.outgoing() == b""


def test_retries_back_off_and_end() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    tries = give_up(pair)
    assert len(tries) == TRIES_MAX
    assert len({run_of(wire) for wire in tries[1:]}) == 1
    assert RTO_MAX_S == RTO_FIRST_S * 2 ** (TRIES_MAX - 1)


@pytest.mark.hazard("H11", "H23")
def test_an_old_request_that_arrives_late_is_not_executed() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    late = pair.host.outgoing()
    pair.to_host(pair.serve(late))
    pair.ask(SelfTest())
    assert pair.to_device(late) == [FrameRejected(Reject.STALE)]
    assert pair.device.last_request_seq == 2
    assert pair.device.outgoing() == b""


def test_two_requests_that_arrive_together_are_answered_in_either_order() -> None:
    pair = Pair().open()
    events = pair.to_device(encode(ARM, SESSION, 1) + encode(SelfTest(), SESSION, 2))
    assert events == [RequestReceived(ARM, 1), RequestReceived(SelfTest(), 2)]
    pair.device.reply(2, done(2))
    pair.device.reply(1, done(1))
    assert pair.device.last_request_seq == 2
    pair.to_device(encode(SelfTest(), SESSION, 2))
    assert decode(run_of(pair.device.outgoing()), Direction.TO_HOST).message == done(2)


@pytest.mark.hazard("H32")
def test_the_sequence_of_requests_wraps_past_zero() -> None:
    pair = Pair().open()
    last = pair.device._answerer
    pair.host._asker._seq = last._seen_seq = last.last_request_seq = SEQ_SPAN - 4
    for _ in range(3):
        assert pair.host.request(ARM, 0.0) == last.last_request_seq + 1
        pair.to_host(pair.serve(pair.host.outgoing()))
    assert pair.device.last_request_seq == SEQ_SPAN - 1
    assert pair.host.request(ARM, 0.0) == 1
    assert pair.to_host(pair.serve(pair.host.outgoing())) == [RequestDone(1, done(1))]
    assert pair.device.last_request_seq == 1


# -- one at a time, and bounded --------------------------------------------------------------------
def test_the_next_request_waits_for_the_answer_to_the_first() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.host.request(SelfTest(), 0.0)
    answer = pair.serve(pair.host.outgoing())
    assert pair.host.outgoing() == b""
    pair.to_host(answer, 0.01)
    assert pair.host.deadline_s() == pytest.approx(0.01 + RTO_FIRST_S)
    assert pair.to_host(pair.serve(pair.host.outgoing())) == [RequestDone(2, done(2))]
    assert pair.executed == [ARM, SelfTest()]


def test_no_more_than_four_wait() -> None:
    pair = Pair().open()
    for _ in range(REQUESTS_MAX):
        pair.host.request(ARM, 0.0)
    with pytest.raises(LocalProtocolError, match="waiting"):
        pair.host.request(ARM, 0.0)


def test_a_request_that_the_wire_cannot_carry_takes_no_sequence() -> None:
    pair = Pair().open()
    with pytest.raises(LocalProtocolError, match=r"Reset\.cause"):
        pair.host.request(Reset(99), 0.0)
    assert pair.host.request(ARM, 0.0) == 1


# -- unknown, and how it is resolved ---------------------------------------------------------------
@pytest.mark.hazard("H11")
def test_an_unknown_outcome_is_resolved_as_executed_by_the_next_telemetry() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.serve(give_up(pair)[0])  # it arrived, every answer was lost
    assert told(pair, pair.device.last_request_seq) == [RequestResolved(1, executed=True)]
    assert told(pair, pair.device.last_request_seq) == []


@pytest.mark.hazard("H11")
def test_an_unknown_outcome_is_resolved_as_not_executed_by_the_next_telemetry() -> None:
    pair = Pair().open()
    pair.ask(SelfTest())
    pair.host.request(ARM, 0.0)
    give_up(pair)
    assert told(pair, pair.device.last_request_seq) == [RequestResolved(2, executed=False)]


def test_a_request_that_failed_unheard_is_resolved_as_not_executed() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.to_device(give_up(pair)[0])
    pair.device.reply(1, failed(1))
    assert told(pair, pair.device.last_request_seq) == [RequestResolved(1, executed=False)]


@pytest.mark.parametrize(("reply", "executed"), [(done(1), True), (failed(1), False)])
def test_an_answer_that_comes_after_all_resolves_too(reply: Result, executed: bool) -> None:  # noqa: FBT001 (a column of the table)
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.to_device(give_up(pair)[0])
    assert pair.to_host(pair.device.reply(1, reply)) == [RequestResolved(1, executed)]


def test_telemetry_does_not_end_a_request_that_is_still_being_tried() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    assert told(pair, 1) == []


def test_the_next_request_waits_until_the_unknown_one_is_resolved() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.host.request(SelfTest(), 0.0)
    give_up(pair)
    assert pair.host.outgoing() == b""
    assert told(pair, 0) == [RequestResolved(1, executed=False)]
    assert pair.serve(pair.host.outgoing())
    assert pair.executed == [SelfTest()]


def test_without_telemetry_an_unknown_outcome_stays_unknown_and_the_next_goes_on() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.host.request(SelfTest(), 0.0)
    give_up(pair)
    end_s = GIVEN_UP_S + RESOLVE_MAX_S
    assert pair.host.deadline_s() == pytest.approx(end_s)
    assert pair.host.poll(end_s + 1e-6) == []
    assert pair.serve(pair.host.outgoing())
    assert pair.executed == [SelfTest()]
    assert told(pair, 2) == []


def test_an_unanswered_hello_is_unknown_and_simply_asked_again() -> None:
    pair = Pair()
    pair.host.request(hello(), 0.0)
    give_up(pair)
    assert pair.host.deadline_s() is None
    assert pair.host.request(hello(nonce=2), 2.0) == 2
    assert pair.to_device(pair.host.outgoing()) == [RequestReceived(hello(nonce=2), 2)]


# -- sessions end ----------------------------------------------------------------------------------
@pytest.mark.hazard("H23")
def test_a_new_session_makes_every_waiting_outcome_unknown_and_sends_none_of_it() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    pair.host.request(SelfTest(), 0.0)
    pair.open(SESSION ^ 1, 0.1)
    assert pair.host.outgoing() == b""
    assert pair.host.deadline_s() == 0.0
    assert pair.host.poll(0.1) == [RequestUnknown(1), RequestUnknown(2)]
    assert pair.host.deadline_s() is None
    assert told(pair, 5) == []


@pytest.mark.hazard("H23")
def test_a_new_session_counts_its_requests_afresh_on_both_ends() -> None:
    pair = Pair().open()
    pair.ask(SelfTest())
    pair.ask(ARM)
    pair.to_device(encode(ARM, SESSION, 2))  # a repeat, whose answer is not written any more
    pair.open(SESSION ^ 1)
    assert pair.device.outgoing() == b""
    assert pair.device.last_request_seq == 0
    assert pair.ask(Reset(1)) == RequestDone(1, done(1))
    assert pair.executed == [SelfTest(), ARM, Reset(1)]


def test_a_repeat_in_a_new_session_is_not_answered_from_the_old_one() -> None:
    pair = Pair().open()
    pair.ask(ARM)
    pair.open(SESSION ^ 1)
    wire = encode(ARM, SESSION ^ 1, 1)
    assert pair.to_device(wire + wire) == [RequestReceived(ARM, 1)]
    assert pair.device.outgoing() == b""


def test_an_outcome_that_is_unknown_already_is_not_reported_again() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    give_up(pair)
    pair.host.close_session()
    assert pair.host.poll(2.0) == []


def test_outcomes_that_nobody_polls_for_are_kept_in_bounded_number() -> None:
    pair = Pair()
    for session in range(1, 100):
        pair.host.open_session(session, 0.0)
        pair.host.request(ARM, 0.0)
    assert len(pair.host.poll(0.0)) == 4 * REQUESTS_MAX


@pytest.mark.hazard("H23")
def test_an_answer_of_the_old_session_is_not_taken_for_the_new() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    old_answer = pair.serve(pair.host.outgoing())
    pair.open(SESSION ^ 1)
    pair.host.request(ARM, 0.0)
    assert pair.to_host(old_answer) == [FrameRejected(Reject.SESSION)]


def test_an_ident_is_not_taken_for_the_answer_to_a_request() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    assert pair.to_host(encode(ident(1), 0, 1)) == [FrameRejected(Reject.UNSOLICITED)]


def test_an_answer_whose_two_sequences_differ_is_nobodys() -> None:
    pair = Pair().open()
    pair.host.request(ARM, 0.0)
    assert pair.to_host(encode(done(1), SESSION, 2)) == [FrameRejected(Reject.UNSOLICITED)]
    assert pair.to_host(encode(done(2), SESSION, 1)) == [FrameRejected(Reject.UNSOLICITED)]


def test_an_answer_without_any_request_is_nobodys() -> None:
    pair = Pair().open()
    assert pair.to_host(encode(done(1), SESSION, 1)) == [FrameRejected(Reject.UNSOLICITED)]
