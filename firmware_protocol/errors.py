"""Errors of the protocol, by who is at fault."""


class ProtocolError(Exception):
    """Root of every error of this package."""


class LocalProtocolError(ProtocolError):
    """Our own side asked for something the protocol does not allow: a bug, raised at once."""


class RemoteProtocolError(ProtocolError):
    """The peer, or noise, sent something the protocol does not allow: counted, never fatal."""
