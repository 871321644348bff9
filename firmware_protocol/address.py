"""How a line over the network is named: ``tcp://HOST:PORT``, the same for both of its ends."""

from typing import Final

TCP_SCHEMES: Final = frozenset({"tcp", "socket"})
"""Both name a TCP port: our own word and pyserial's."""

TCP_FORM: Final = "tcp://host:port, with an IPv6 host in brackets: tcp://[::1]:5000"
NUMBER_MAX: Final = 65_535
_DIGITS_MAX: Final = 9
"""A longer number is none of a port, whatever it is worth."""

_NO_HOST: Final = frozenset("[]/@ ")


def address_of(url: str) -> tuple[str, int] | None:
    """Return host and port number of ``SCHEME://HOST:PORT`` or ``HOST:PORT``; None for others.

    An IPv6 host may stand in brackets, as it has to in a URL, or without, as people write it.
    """
    _, mark, behind = url.partition("://")
    host, colon, number = (behind if mark else url).rstrip("/").rpartition(":")
    digits = number.isascii() and number.isdecimal() and len(number) <= _DIGITS_MAX
    if not (colon and digits and int(number) <= NUMBER_MAX):
        return None
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bare = _plain_ipv6(bare) if ":" in bare else bare.lower()
    return (bare, int(number)) if bare and not _NO_HOST & set(bare) else None


def tcp_url(host: str, number: int) -> str:
    """Return the address of a TCP port as it has to be written."""
    return f"tcp://[{host}]:{number}" if ":" in host else f"tcp://{host}:{number}"


def _plain_ipv6(host: str) -> str:
    """Return the one way to write an IPv6 address; nothing where it is none."""
    import ipaddress  # noqa: PLC0415 - `corneum stop` has no time for what only some ports need

    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        return ""
