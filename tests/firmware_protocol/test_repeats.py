"""What the answering end says to repeats, down to the flag, and to a sequence that is none."""

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode, encode
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.frame import RETRY, Frame, FrameDecoder
from firmware_protocol.link import Link, RequestReceived
from firmware_protocol.messages import Hello, Ident, Result, SelfTest
from firmware_protocol.schema import SCHEMA_HASH

SESSION = 7
HELLO = Hello(2, 0, SCHEMA_HASH, 9)
IDENT = Ident(1, 0, 2, 0, SCHEMA_HASH, 5, 1, 3, 1, 0)


def frames(wire: bytes) -> list[Frame]:
    """Return what these bytes say to a host."""
    return [decode(run, Direction.TO_HOST) for run in FrameDecoder().feed(wire)]


def device() -> Link:
    """The device's end, greeted, with a session open and its first request answered."""
    link = Link(Direction.TO_HOST)
    link.receive(encode(HELLO, 0, 1), 0.0)
    link.reply(1, IDENT)
    link.open_session(SESSION, 0.0)
    link.receive(encode(SelfTest(), SESSION, 1), 0.0)
    link.reply(1, Result(1, 0, 0, 11))
    assert link.outgoing() == b""
    return link


@pytest.mark.hazard("H11")
def test_both_repeats_that_wait_are_answered_at_once_and_marked_as_repeats() -> None:
    link = device()
    again = encode(HELLO, 0, 1, RETRY) + encode(SelfTest(), SESSION, 1, RETRY)
    assert link.receive(again, 0.1) == []
    ident, result = frames(link.outgoing())
    assert (ident.message, result.message) == (IDENT, Result(1, 0, 0, 11))
    assert ident.flags & result.flags & RETRY
    assert link.outgoing() == b""


@pytest.mark.hazard("H11", "H32")
def test_a_request_without_a_sequence_is_neither_executed_nor_answered() -> None:
    link = device()
    link.open_session(SESSION + 1, 0.2)
    events = link.receive(encode(SelfTest(), SESSION + 1, 0), 0.3)
    assert not [event for event in events if isinstance(event, RequestReceived)]
    assert link.outgoing() == b""


def test_a_decoder_that_heard_nothing_holds_nothing() -> None:
    assert FrameDecoder().held_bytes == 0


def test_flags_that_do_not_fit_are_refused_with_the_name_of_the_message() -> None:
    with pytest.raises(LocalProtocolError, match=r"^flags 0x80 do not fit SelfTest$"):
        encode(SelfTest(), SESSION, 1, 0x80)
