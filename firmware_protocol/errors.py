"""Errors of the protocol, by who is at fault."""

from enum import Enum, unique


@unique
class Reject(Enum):
    """Why a received frame was not used."""

    COBS = "not a COBS run"
    LENGTH = "too short, too long, or not the length of its message"
    CRC = "check sum wrong: noise, another schema, or an echo of our own frames"
    FLAGS = "reserved flag set, or flags that do not belong to the message"
    RANGE = "a field outside of its range"
    TYPE = "unknown message that must be understood"
    SESSION = "a frame of another session"
    UNKNOWN = "unknown message that may be ignored"
    STALE = "a repeat, a replay or a frame overtaken by a newer one"
    UNSOLICITED = "an answer that nobody waits for"


CORRUPT = frozenset(
    {
        Reject.COBS,
        Reject.LENGTH,
        Reject.CRC,
        Reject.FLAGS,
        Reject.RANGE,
        Reject.TYPE,
        Reject.SESSION,
    }
)
"""What the error limiter counts: damage and foreign frames, not repeats and late arrivals."""


class ProtocolError(Exception):
    """Root of every error of this package."""


class LocalProtocolError(ProtocolError):
    """Our own side asked for something the protocol does not allow: a bug, raised at once."""


class RemoteProtocolError(ProtocolError):
    """The peer, or noise, sent something the protocol does not allow: counted, never fatal."""


class BadFrameError(RemoteProtocolError):
    """One received frame is not usable; ``reason`` says why."""

    def __init__(self, reason: Reject) -> None:
        super().__init__(reason.value)
        self.reason = reason
