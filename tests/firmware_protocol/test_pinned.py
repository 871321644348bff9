"""Numbers that both ends compute for themselves, as another implementation must find them.

Each is written out here. A change that both of our own ends would follow, such as another order of
bytes, breaks every unit in the field and would be noticed by nothing else.
"""

from typing import TYPE_CHECKING

import pytest

from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.codec import decode
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.frame import SEEDS, FrameDecoder, seed_for
from firmware_protocol.link import Link, session_number
from firmware_protocol.messages import (
    Config,
    Hello,
    Result,
    SelfTest,
    Setpoint,
    check_value,
    g_per_min_to_mg_per_min,
    kpa_to_pa,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import ErrorLimiter, RequestUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

SETPOINT = Setpoint(200, 1, 0, 20_000, 6_000, 3, 77, 500)


def test_a_session_is_made_of_both_nonces_least_byte_first_and_the_hosts_first() -> None:
    assert session_number(0x01020304, 0x0A0B0C0D) == 0xF47B13D6
    assert session_number(0x0A0B0C0D, 0x01020304) != 0xF47B13D6


def test_the_check_value_of_a_configuration_is_over_its_packed_fields() -> None:
    config = Config(
        treatment=77, suction_max_pa=30_000, flow_max_mg_per_min=8_000, suction_min_pa=8_000, tip=3
    )
    assert check_value(config) == 0xA9A1E676


def test_a_seed_is_made_of_the_schema_least_byte_first_and_the_direction() -> None:
    assert seed_for(Direction.TO_DEVICE, 0x11223344) == 0x897B6F50
    assert seed_for(Direction.TO_HOST, 0x11223344) == 0xD8F47F4F
    assert seed_for(Direction.TO_DEVICE, None) == 0x5093D36C
    assert seed_for(Direction.TO_HOST, None) == 0x011CC373


@pytest.mark.parametrize("direction", Direction)
def test_the_table_of_seeds_holds_what_is_computed(direction: Direction) -> None:
    assert SEEDS[direction, Seed.FIXED] == seed_for(direction, None)
    assert SEEDS[direction, Seed.SCHEMA] == seed_for(direction, SCHEMA_HASH)


def test_what_the_wire_cannot_carry_is_refused_by_its_name_and_value() -> None:
    with pytest.raises(LocalProtocolError, match=r"^suction_kpa 70\.5 is not in 0 to 65\.534"):
        kpa_to_pa(70.5)
    with pytest.raises(LocalProtocolError, match=r"^flow_g_per_min -1\.5 is not in 0 to 65\.534"):
        g_per_min_to_mg_per_min(-1.5)


def test_a_second_hello_that_waits_is_asked_when_the_first_one_was_given_up() -> None:
    link, now_s = Link(Direction.TO_DEVICE), 0.0
    for nonce in (1, 2):
        link.request(Hello(2, 0, SCHEMA_HASH, nonce), now_s)
    asked = [link.outgoing()]
    events: list[object] = []
    while not events:
        deadline_s = link.deadline_s()
        assert deadline_s is not None
        now_s = deadline_s
        events += link.poll(now_s)
        asked.append(link.outgoing())
    assert events == [RequestUnknown(1)]
    assert asked[-1] not in asked[:-1]
    assert link.deadline_s() == pytest.approx(now_s + 0.025)


def test_a_hello_travels_outside_of_the_session_that_is_open() -> None:
    link = Link(Direction.TO_DEVICE)
    link.open_session(7, 0.0)
    link.request(Hello(2, 0, SCHEMA_HASH, 9), 0.0)
    (run,) = FrameDecoder().feed(link.outgoing())
    assert decode(run, Direction.TO_DEVICE).session == 0


def test_a_mistake_of_our_own_names_the_message_that_it_was_made_with() -> None:
    link, seq = Link(Direction.TO_DEVICE), 1
    reply = Result(seq, 0, 0, 0)
    mistakes: dict[str, Callable[[], object]] = {
        "session 0 is not in 1 to 4294967295": lambda: link.open_session(0, 0.0),
        "Hello is one-shot": lambda: link.send(Hello(2, 0, SCHEMA_HASH, 9)),
        "Setpoint needs an open session": lambda: link.send(SETPOINT),
        "Setpoint is not a one-shot": lambda: link.request(SETPOINT, 0.0),
        "SelfTest needs an open session": lambda: link.request(SelfTest(), 0.0),
        "SelfTest is not an answer": lambda: link.reply(seq, SelfTest()),
        "Result travels the other way": lambda: link.reply(seq, reply),
    }
    for words, mistake in mistakes.items():
        with pytest.raises(LocalProtocolError, match=f"^{words}"):
            mistake()


def test_a_limiter_remembers_a_bounded_number_however_noisy_the_line_is() -> None:
    limiter = ErrorLimiter()
    for number in range(1000):
        limiter.note(number / 1000)
    assert len(limiter._newest_s) <= 41
    assert limiter.exceeded(1.0)
