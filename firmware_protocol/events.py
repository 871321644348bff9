"""What a link reports: bytes in, these out."""

from typing import NamedTuple

from firmware_protocol.errors import Reject
from firmware_protocol.messages import Message


class MessageReceived(NamedTuple):
    """A periodic message, the newest of its session, or a STOP or its answer."""

    message: Message


class RequestReceived(NamedTuple):
    """A one-shot that was not seen before; it wants exactly one reply."""

    message: Message
    seq: int


class RequestDone(NamedTuple):
    """The answer to our one-shot. It may still say that the request failed."""

    seq: int
    reply: Message


class RequestUnknown(NamedTuple):
    """No answer: our one-shot may or may not have been executed."""

    seq: int


class RequestResolved(NamedTuple):
    """An unknown outcome became known, without the content of the answer."""

    seq: int
    executed: bool


class FrameRejected(NamedTuple):
    """A run of bytes that was not used, and why."""

    reason: Reject


Event = (
    MessageReceived
    | RequestReceived
    | RequestDone
    | RequestUnknown
    | RequestResolved
    | FrameRejected
)
