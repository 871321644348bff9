"""Hostile bytes from a seed: noise that is no frame, and forged frames whose CRC is right.

A forged frame is made field by field and sealed with a true check sum, so that it gets past the
codec's first line: fields at and beyond their ranges, lengths that do not belong to the type,
reserved flags, foreign sessions, old sequences, unknown types, replays, floods of HELLO, and STOP
in between. A gentle forger keeps to what the error limiter does not count, because six counted
frames end an armed treatment, and with it most of what there is to find.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Final, NamedTuple

from firmware_protocol.catalogue import (
    CATALOGUE,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    Direction,
    Kind,
    Seed,
    Spec,
)
from firmware_protocol.codec import encode
from firmware_protocol.frame import MUST_UNDERSTAND, RETRY, SEEDS, cobs_encode, crc32, flags_of
from firmware_protocol.messages import (
    WIDTH_MAX,
    Arm,
    Config,
    Field,
    Hello,
    LogRead,
    Message,
    Reset,
    SelfTest,
    Setpoint,
    Stop,
    WitnessAsk,
    WitnessKeep,
)
from firmware_protocol.schema import SCHEMA_HASH, fields_of
from firmware_protocol.vocabulary import Cause, StopKind, Wish

REMEMBERED_MAX: Final = 256
"""Frames of the past that may be replayed."""

TOKENS_MAX: Final = 4  # arm tokens of the past that are tried again
NOISE_MAX_BYTES: Final = 64
RUN_ON_BYTES: Final = 3000  # a line that never sends a delimiter
RUN_ON_SHARE: Final = 0.002
_U16: Final = 0xFFFF
_U32: Final = 0xFFFF_FFFF
_SEQ_HALF: Final = 0x8000
_NO_CHANGE: Final = 0
_OLD_ECHO: Final = 0.3  # of what is not to be accepted: a tick that was sent, of any age
_LEASES_MS: Final = (0, 99, 100, 200, 500, 501, _U16)

_head = Struct("<BBIH").pack
_crc = Struct("<I").pack
_TO_DEVICE: Final = tuple(spec for spec in CATALOGUE if spec.direction is Direction.TO_DEVICE)
_NUMBERS: Final = frozenset(spec.number for spec in CATALOGUE)


class Chunk(NamedTuple):
    """Bytes for the wire; ``asks`` where they may hold a request, whose answer must be heard."""

    data: bytes
    asks: bool = False


class Insight(NamedTuple):
    """What the forger knows of the device: everything."""

    session: int
    seen_seq: int
    seen_request: int
    loop_counter: int
    tick_ms: int
    treatment: int
    token: int
    cause: int
    armed: bool
    told_ticks: tuple[int, ...]
    """The newest ticks of its TELEMETRY, oldest first."""


class Mood(NamedTuple):
    """What a burst of setpoints keeps to, so that the regulators get anywhere at all."""

    suction_pa: int
    flow_mg_per_min: int
    left_mg: int
    wild: float
    """Share of the setpoints that do not keep to it."""


CALM: Final = Mood(28_000, 7000, _U16, 0.0)


def any_mood(chance: random.Random) -> Mood:
    """Return a mood; most let a treatment go on, and some ask for more than is allowed."""
    return Mood(
        chance.choice((20_000, 28_000, 28_000, 40_000, 50_000, 9000)),
        chance.choice((3000, 7000, 10_000, 12_000, 12_000, 1)),
        chance.choice((_U16, _U16, _U16, 60_000, 30, 0)),
        chance.choice((0.0, 0.001, 0.01, 0.2)),
    )


class _Layout(NamedTuple):
    """How one message is packed, without the codec: any count that fits the width passes."""

    spec: Spec
    pack: Callable[..., bytes]
    fields: tuple[Field, ...]
    seed: int


def _layout(spec: Spec) -> _Layout:
    fields = tuple(field for _, field in fields_of(spec.message))
    body = Struct("<" + "".join(field.code for field in fields))
    return _Layout(spec, body.pack, fields, SEEDS[Direction.TO_DEVICE, spec.seed])


_LAYOUTS: Final = tuple(_layout(spec) for spec in _TO_DEVICE)
_SCHEMA_SEED: Final = SEEDS[Direction.TO_DEVICE, Seed.SCHEMA]


def sealed(raw: bytes, seed: int = _SCHEMA_SEED) -> bytes:
    """Return the wire bytes of a raw frame with a true check sum."""
    return cobs_encode(raw + _crc(crc32(raw, seed))) + b"\0"


class Forger:
    """Makes hostile chunks from ``chance``."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.mood = CALM
        self._tokens: deque[int] = deque((0,), maxlen=TOKENS_MAX)
        self._past: deque[bytes] = deque(maxlen=REMEMBERED_MAX)
        self._gentle: Sequence[Callable[[Insight], Chunk]] = (
            *(self._setpoint,) * 10, self._old_setpoint, self._lawful, self._lawful,
            self._arm_guess, self._hello, self._unknown_but_optional, self._repeated_request,
            self._stop,
        )  # fmt: skip
        self._rude: Sequence[Callable[[Insight], Chunk]] = (
            *self._gentle, self._any_fields, self._any_fields, self._any_fields, self._bad_flags,
            self._bad_length, self._foreign_session, self._unknown, self._replay, self._echo,
            self._stop, self._hello_flood,
        )  # fmt: skip

    def remember(self, data: bytes) -> None:
        """Keep what an honest host sent, for a replay."""
        self._past.append(data)

    # -- noise -------------------------------------------------------------------------------------
    def noise(self, insight: Insight) -> Chunk:
        """Return bytes that are no frame, but for chances of one in four billion."""
        chance = self._chance
        pick = chance.random()
        if pick < RUN_ON_SHARE:
            return Chunk(chance.randbytes(RUN_ON_BYTES).replace(b"\0", b"\1"))
        if pick < 0.7:
            return Chunk(chance.randbytes(chance.randrange(1, NOISE_MAX_BYTES)) + b"\0")
        wire = bytearray(self._gentle[0](insight).data)
        if pick < 0.9:
            for _ in range(chance.randrange(1, 4)):
                wire[chance.randrange(len(wire) - 1)] ^= 1 << chance.randrange(8)
            return Chunk(bytes(wire), asks=True)
        cut = chance.randrange(1, len(wire) - 1)  # cut off in the middle, or its head is lost
        return Chunk(bytes(wire[:cut]) + b"\0" if pick < 0.95 else bytes(wire[cut:]))

    # -- forged ------------------------------------------------------------------------------------
    def forged(self, insight: Insight, *, gentle: bool) -> Chunk:
        """Return one or more frames with a true check sum."""
        chunk = self._chance.choice(self._gentle if gentle else self._rude)(insight)
        if self._chance.random() < 0.1:
            self._past.append(chunk.data)
        return chunk

    def _setpoint(self, insight: Insight) -> Chunk:
        """A legal setpoint: of use, out of date, or at the edge of what is legal."""
        chance = self._chance
        pick = chance.random()
        loop, tick, treatment = insight.loop_counter + 1, insight.tick_ms, insight.treatment
        mood = self.mood
        suction, flow, wish, left = mood.suction_pa, mood.flow_mg_per_min, Wish.ALL, mood.left_mg
        if pick < mood.wild:
            suction = chance.choice((0, 8000, 50_000, chance.randrange(50_001)))
            flow = chance.choice((0, 1, 12_000, chance.randrange(12_001)))
            wish = Wish(chance.randrange(4))
            left = chance.choice((0, 5, 100, _U16))
        elif pick > 0.8:
            loop += chance.choice((0, -1, chance.randrange(_U16)))
            tick -= chance.choice((0, 1, 7, 20, 99, 101, 10**6, -1))
            if insight.told_ticks and chance.random() < _OLD_ECHO:
                tick = chance.choice(insight.told_ticks)
            treatment ^= chance.choice((0, 1))
        message = Setpoint(
            lease_ms=chance.choice(_LEASES_MS),
            loop_counter=loop & _U16,
            echo_tick_ms=tick & _U32,
            suction_pa=suction,
            flow_mg_per_min=flow,
            wish=wish,
            treatment=treatment,
            exposure_left_mg=left,
        )
        return Chunk(encode(message, insight.session, insight.seen_seq % _U16 + 1))

    def _old_setpoint(self, insight: Insight) -> Chunk:
        """A setpoint of the past of this session, or of its other half turn."""
        back = self._chance.choice((0, 1, 2, 100, _SEQ_HALF - 1, _SEQ_HALF))
        fresh = (1, insight.loop_counter + 1 & _U16, insight.tick_ms, 50_000, 12_000, Wish.ALL)
        message = Setpoint(*fresh, insight.treatment, _U16)
        return Chunk(encode(message, insight.session, insight.seen_seq - back & _U16))

    def _lawful(self, insight: Insight) -> Chunk:
        """A well-formed one-shot that nobody expects now."""
        chance = self._chance
        message: Message = chance.choice(
            (
                Config(chance.getrandbits(32), 50_000, 12_000, 0, 1),
                Config(insight.treatment, 60_000, _U16, 60_000, 255),
                SelfTest(),
                Reset(insight.cause),
                Reset(chance.randrange(max(Cause) + 1)),
                LogRead(chance.choice((0, 1, chance.randrange(9000), _U32))),
                WitnessKeep(
                    0,
                    chance.randrange(6),
                    chance.randrange(1, 9),
                    0,
                    0,
                    chance.randrange(2),
                    chance.randrange(2),
                ),
                WitnessAsk(0, chance.randrange(6)),
            )
        )
        seq = (insight.seen_request + chance.choice((1, 1, 1, 2, 1000))) & _U16
        return Chunk(encode(message, insight.session, seq), asks=True)

    def _arm_guess(self, insight: Insight) -> Chunk:
        """An arming with something wrong, or with everything right and too early."""
        chance = self._chance
        if insight.token and insight.token != self._tokens[-1]:
            self._tokens.append(insight.token)
        token, treatment = insight.token, insight.treatment
        pick = chance.randrange(6)
        if pick == 0:
            token = chance.choice(self._tokens)
        elif pick == 1:
            token = chance.getrandbits(32)
        elif pick == 2:
            treatment = chance.choice((0, treatment ^ 1))
        seq = insight.seen_request % _U16 + 1
        return Chunk(encode(Arm(token, treatment), insight.session, seq), asks=True)

    def _repeated_request(self, insight: Insight) -> Chunk:
        """The sequence of the newest request again, or an older one, with other content."""
        chance = self._chance
        message = chance.choice((SelfTest(), Arm(insight.token, insight.treatment), LogRead(1)))
        seq = (insight.seen_request - chance.choice((0, 0, 1, 7))) & _U16
        flags = chance.choice((0, RETRY))
        return Chunk(encode(message, insight.session, seq, flags), asks=True)

    def _hello(self, insight: Insight) -> Chunk:
        """Somebody else greets the device."""
        del insight
        chance = self._chance
        honest = chance.random() < 0.5
        message = Hello(
            PROTOCOL_MAJOR if honest else chance.getrandbits(8),
            PROTOCOL_MINOR if honest else chance.getrandbits(8),
            SCHEMA_HASH if honest else chance.getrandbits(32),
            chance.choice((0, 1, chance.getrandbits(32))),
        )
        return Chunk(encode(message, 0, chance.choice((0, 1, chance.getrandbits(16)))), asks=True)

    def _hello_flood(self, insight: Insight) -> Chunk:
        return Chunk(b"".join(self._hello(insight).data for _ in range(12)), asks=True)

    def _stop(self, insight: Insight) -> Chunk:
        """STOP, rare while a treatment is armed, so that there is one; from any session."""
        chance = self._chance
        if insight.armed and chance.random() < 0.96:
            return self._setpoint(insight)
        session = chance.choice((0, insight.session, chance.getrandbits(32)))
        return Chunk(encode(Stop(chance.choice(tuple(StopKind))), session, chance.getrandbits(16)))

    def _any_fields(self, insight: Insight) -> Chunk:
        """Any message to the device with each field anywhere in its width."""
        chance = self._chance
        layout = chance.choice(_LAYOUTS)
        counts = [self._count(field) for field in layout.fields]
        raw = self._raw(layout, insight, flags_of(layout.spec)) + layout.pack(*counts)
        return Chunk(sealed(raw, layout.seed), asks=True)

    def _count(self, field: Field) -> int:
        chance = self._chance
        top = WIDTH_MAX[field.code]
        pick = chance.randrange(8)
        if pick < 4:
            return chance.randrange(top + 1)
        return (field.low, field.top, min(field.top + 1, top), top)[pick - 4]

    def _raw(self, layout: _Layout, insight: Insight, flags: int) -> bytes:
        """Return a head that belongs here, so that it is the payload that is looked at."""
        if layout.spec.message is Hello:
            return _head(layout.spec.number, flags, 0, self._chance.getrandbits(16))
        seq = insight.seen_request if layout.spec.kind is Kind.REQUEST else insight.seen_seq
        return _head(layout.spec.number, flags, insight.session, (seq + 1) & _U16)

    def _bad_flags(self, insight: Insight) -> Chunk:
        layout = self._chance.choice(_LAYOUTS)
        wrong = flags_of(layout.spec) ^ (1 << self._chance.randrange(8))
        counts = [field.low for field in layout.fields]
        return Chunk(
            sealed(self._raw(layout, insight, wrong) + layout.pack(*counts), layout.seed), asks=True
        )

    def _bad_length(self, insight: Insight) -> Chunk:
        layout = self._chance.choice(_LAYOUTS)
        body = self._chance.randbytes(self._chance.randrange(40))
        raw = self._raw(layout, insight, flags_of(layout.spec)) + body
        return Chunk(sealed(raw, layout.seed), asks=True)

    def _foreign_session(self, insight: Insight) -> Chunk:
        chance = self._chance
        own = insight.session
        session = chance.choice((0, 1, _U32, own ^ 1, chance.getrandbits(32)))
        message = chance.choice(
            (Setpoint(200, 1, insight.tick_ms, 30_000, 7000, 3, insight.treatment, 999), SelfTest())
        )
        return Chunk(encode(message, session, chance.getrandbits(16)), asks=True)

    def _unknown(self, insight: Insight) -> Chunk:
        return self._stranger(insight, MUST_UNDERSTAND)

    def _unknown_but_optional(self, insight: Insight) -> Chunk:
        return self._stranger(insight, _NO_CHANGE)

    def _stranger(self, insight: Insight, flags: int) -> Chunk:
        """A message of a later minor version."""
        number = self._chance.randrange(256)
        while number in _NUMBERS:
            number = self._chance.randrange(256)
        body = self._chance.randbytes(self._chance.randrange(27))
        return Chunk(sealed(_head(number, flags, insight.session, 1) + body))

    def _replay(self, insight: Insight) -> Chunk:
        if not self._past:
            return self._setpoint(insight)
        return Chunk(self._chance.choice(self._past), asks=True)

    def _echo(self, insight: Insight) -> Chunk:
        """The device's own frames, sent back to it."""
        number = self._chance.choice((0x02, 0x03, 0x40, 0x41, 0x7E))
        raw = _head(number, MUST_UNDERSTAND, insight.session, 1) + bytes(18)
        return Chunk(sealed(raw, SEEDS[Direction.TO_HOST, Seed.SCHEMA]))
