"""What a host may send to the device, well or badly behaved, as real bytes.

A delayed, repeated or reordered frame is one that arrives when the device has seen newer ones, or
with the sequence, loop counter, echo or session of earlier. Between them these frames are what a
line that loses, repeats, reorders and delays can make of a host's frames, and more: any of them may
come at any moment, in any number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR
from firmware_protocol.codec import encode
from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN, SUCTION_SET_MAX_PA
from firmware_protocol.messages import (
    Arm,
    Config,
    Hello,
    LogRead,
    Message,
    Reset,
    SelfTest,
    Setpoint,
    Stop,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import SEQ_SPAN, TICK_SPAN, next_seq
from firmware_protocol.vocabulary import Cause, StopKind, Wish
from simulator.firmware.firmware import Firmware
from tests.proof.explore import clocks
from tests.proof.explore.scenes import ENOUGH_KPA

TREATMENT: Final = 7
FLOW_MG_PER_MIN: Final = 1_000  # within one beat of the slowest rise, so that there is no ramp
SUCTION_PA: Final = int(ENOUGH_KPA * 1000)
CONFIG: Final = Config(TREATMENT, SUCTION_PA, FLOW_MG_PER_MIN, 8_000, 1)
_WIDE: Final = CONFIG._replace(suction_max_pa=SUCTION_SET_MAX_PA + 1)
NOISE_RUNS: Final = 6  # one more than the limiter lets pass
ECHO_OLD_MS: Final = 150
BESIDE_MS: Final = 3  # beside a tick that was sent, and as fresh
LITTLE_MG: Final = 1


class Words(NamedTuple):
    """The content of one setpoint."""

    wish: Wish = Wish.ALL
    lease_ms: int = 200
    left_mg: int = 0xFFFF
    suction_pa: int = SUCTION_PA
    flow_mg_per_min: int = FLOW_MG_PER_MIN


@dataclass(frozen=True, slots=True)
class Send:
    """One thing that arrives at the device; ``grants`` is the lease it may renew."""

    name: str
    make: Callable[[Firmware], bytes]
    grants: Words | None = None
    foreign: bool = False
    """It must not change anything at all."""
    stops: bool = False

    def __str__(self) -> str:
        return f"arrives: {self.name}"


def session_of(firmware: Firmware, *, other: bool = False) -> int:
    """Return the session of the device, or another one."""
    return (firmware.link.session ^ 0x5A5A if other else firmware.link.session) or 1


def request(firmware: Firmware, message: Message, *, other: bool = False) -> bytes:
    """Return the bytes of the next one-shot."""
    seq = next_seq(clocks.next_request_seq(firmware))
    return encode(message, session_of(firmware, other=other), seq)


class Manner(NamedTuple):
    """In which way a setpoint comes too late."""

    other: bool = False
    seq_back: int = -1
    """Behind the newest that the device has seen; -1 is the next one."""
    counter_back: int = 0
    echo_age_ms: int = 0
    treatment: int = TREATMENT


WELL_MANNERED: Final = Manner()


def setpoint(firmware: Firmware, words: Words, manner: Manner = WELL_MANNERED) -> bytes:
    """Return the bytes of a setpoint, the next one unless told otherwise; b"" where none fits."""
    board = firmware.board
    told = clocks.newest_tick(firmware)
    seen = clocks.newest_seq(firmware)
    seq = next_seq(seen) if manner.seq_back < 0 else (seen - manner.seq_back) % SEQ_SPAN
    counter = (board.a.setpoints.loop_counter or 0) + 1 - manner.counter_back
    if board.a.setpoints.loop_counter is None and manner.counter_back:
        return b""  # the first of a session has nothing to be behind of
    return encode(
        Setpoint(
            lease_ms=words.lease_ms,
            loop_counter=counter % SEQ_SPAN,
            echo_tick_ms=(told - manner.echo_age_ms) % TICK_SPAN,
            suction_pa=words.suction_pa,
            flow_mg_per_min=words.flow_mg_per_min,
            wish=int(words.wish),
            treatment=manner.treatment,
            exposure_left_mg=words.left_mg,
        ),
        session_of(firmware, other=manner.other),
        seq,
    )


def hello(firmware: Firmware, *, major: int = PROTOCOL_MAJOR) -> bytes:
    """Return a HELLO with a nonce of its own."""
    nonce = firmware.board.nonces() & 0xFFFF_FFFF
    return encode(Hello(major, PROTOCOL_MINOR, SCHEMA_HASH, nonce), 0, 1)


def arm(firmware: Firmware, *, wrong: int = 0, other: bool = False, treatment: int = 7) -> bytes:
    """Return the bytes of ARM with the token of the device, or with a wrong one."""
    token = (firmware.board.token or 1) + wrong
    return request(firmware, Arm(token & 0xFFFF_FFFF, treatment), other=other)


def _other_cause(firmware: Firmware) -> Cause:
    return Cause.DWELL if firmware.board.cause is not Cause.DWELL else Cause.NO_FLOW


FULL: Final = Words()
_TOP: Final = Words(
    lease_ms=0xFFFF, suction_pa=SUCTION_SET_MAX_PA, flow_mg_per_min=FLOW_SET_MAX_MG_PER_MIN
)


def _words(name: str, words: Words) -> Send:
    return Send(name, lambda fw: setpoint(fw, words), grants=words)


def _foreign(name: str, make: Callable[[Firmware], bytes]) -> Send:
    return Send(name, make, foreign=True)


def _late(name: str, manner: Manner) -> Send:
    return Send(name, lambda fw: setpoint(fw, FULL, manner), foreign=True)


SENDS: Final = (
    Send("HELLO of a host", hello),
    Send("CONFIG", lambda fw: request(fw, CONFIG)),
    Send("SELFTEST", lambda fw: request(fw, SelfTest())),
    Send("ARM with the token", arm),
    _words("SETPOINT, flow wished", FULL),
    _words("SETPOINT, only the pump wished", Words(Wish.PUMP, flow_mg_per_min=0, left_mg=0)),
    Send("STOP", lambda fw: encode(Stop(StopKind.NORMAL), 99, 0), stops=True),
    Send("STOP emergency", lambda fw: encode(Stop(StopKind.EMERGENCY), 99, 0), stops=True),
    Send("RESET of the latched cause", lambda fw: request(fw, Reset(fw.board.cause))),
    _late("SETPOINT once more (same sequence)", Manner(seq_back=0)),
    _late("SETPOINT whose loop counter does not advance", Manner(counter_back=1)),
    _late("SETPOINT that echoes an old tick", Manner(echo_age_ms=ECHO_OLD_MS)),
    _late("SETPOINT that echoes a tick that was not sent", Manner(echo_age_ms=BESIDE_MS)),
    _late("SETPOINT of another session", Manner(other=True)),
    # -- the rest is for the full configuration ----------------------------------------------------
    _words("SETPOINT, flow wished, nothing left of the exposure", Words(left_mg=0)),
    _words("SETPOINT, flow wished, 1 mg left of the exposure", Words(left_mg=LITTLE_MG)),
    _words("SETPOINT, nothing wished", Words(Wish.NONE, flow_mg_per_min=0, left_mg=0)),
    _words("SETPOINT, everything as high as it goes", _TOP),
    _words("SETPOINT, flow wished, the shortest lease", Words(lease_ms=0)),
    _late("SETPOINT that was overtaken (older sequence)", Manner(seq_back=3)),
    _late("SETPOINT of another treatment", Manner(treatment=8)),
    _foreign("ARM of another session", lambda fw: arm(fw, other=True)),
    _foreign("ARM with another token", lambda fw: arm(fw, wrong=1)),
    _foreign("ARM for another treatment", lambda fw: arm(fw, treatment=8)),
    _foreign("RESET of another cause", lambda fw: request(fw, Reset(_other_cause(fw)))),
    _foreign(
        "RESET, of another session", lambda fw: request(fw, Reset(fw.board.cause), other=True)
    ),
    _foreign("CONFIG of another session", lambda fw: request(fw, CONFIG, other=True)),
    _foreign("SELFTEST of another session", lambda fw: request(fw, SelfTest(), other=True)),
    _foreign("CONFIG for no treatment", lambda fw: request(fw, CONFIG._replace(treatment=0))),
    _foreign("CONFIG above the envelope", lambda fw: request(fw, _WIDE)),
    _foreign("HELLO of another version", lambda fw: hello(fw, major=PROTOCOL_MAJOR + 1)),
    _foreign("LOG_READ", lambda fw: request(fw, LogRead(1))),
    Send("six corrupt frames", lambda _: b"\0" + b"\x05xyz\0" * NOISE_RUNS),
)
SMALL: Final = 14
"""So many of them, from the first, are in the small configuration."""
