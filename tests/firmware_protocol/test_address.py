"""An address on the network is read as people write it, and written as it has to be."""

import pytest

from firmware_protocol.address import address_of, tcp_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://unit.local:5000", ("unit.local", 5000)),
        ("socket://127.0.0.1:1", ("127.0.0.1", 1)),
        ("tcp://UNIT:5000/", ("unit", 5000)),
        ("tcp://[::1]:5000", ("::1", 5000)),
        ("socket://[::1]:5000", ("::1", 5000)),
        ("tcp://::1:5000", ("::1", 5000)),
        ("[0:0:0:0:0:0:0:1]:0", ("::1", 0)),
        ("tcp://[FE80::1%eth0]:7", ("fe80::1%eth0", 7)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_a_host_may_be_a_name_or_a_number_of_either_kind(
    url: str, address: tuple[str, int]
) -> None:
    assert address_of(url) == address
    assert address_of(tcp_url(*address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "tcp://", "tcp://host", "tcp://:5000", "tcp://host:", "tcp://host:port", "tcp://host:65536",
        "tcp://[::1]", "tcp://::1", "tcp://fe80::1", "tcp://[::1:5000", "tcp://::1]:5000",
        "tcp://a b:1", "tcp://u@h:1", "tcp://h:٣", "tcp://h:1234567890", "",
        "tcp://[gg::1]:5",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(url: str) -> None:
    assert address_of(url) is None


def test_an_ipv6_host_is_written_in_brackets() -> None:
    assert tcp_url("::1", 5000) == "tcp://[::1]:5000"
    assert tcp_url("host", 5000) == "tcp://host:5000"
