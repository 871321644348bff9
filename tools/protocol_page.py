"""Renders docs/PROTOCOL.md from the catalogue, the vocabulary and the timing constants."""
# ruff: noqa: E501 (sentences of a document, with the names of constants where it has numbers)

from enum import Enum
from inspect import getdoc
from typing import Final

from firmware_protocol import envelope as e
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
from firmware_protocol.errors import CORRUPT, Reject
from firmware_protocol.frame import (
    BODY_MAX_BYTES,
    CRC_BYTES,
    DELIMITER,
    DIRECTION_BYTE,
    HEADER_BYTES,
    RESIDUE,
    RUN_KEPT_BYTES,
    RUN_MAX_BYTES,
    SEEDS,
    cobs_decode,
    flags_of,
)
from firmware_protocol.messages import WIDTH_BYTES, Config, SelfTest
from firmware_protocol.schema import (
    GROWING,
    SCHEMA_HASH,
    VOCABULARY,
    fields_of,
    members_of,
    since_of,
    span_of,
)
from firmware_protocol.session import (
    REQUESTS_MAX,
    RESOLVE_MAX_S,
    RTO_FIRST_S,
    RTO_MAX_S,
    TRIES_MAX,
)

_MS_PER_S: Final = 1000
_CONFIG_BYTES: Final = sum(WIDTH_BYTES[field.code] for _, field in fields_of(Config))
WAITS_MS: Final = tuple(
    round(min(RTO_FIRST_S * 2**tries, RTO_MAX_S) * _MS_PER_S) for tries in range(TRIES_MAX)
)
"""After each sending of a one-shot without an answer."""
KNOWN_ORDER: Final = (
    Reject.COBS, Reject.CRC, Reject.LENGTH, Reject.FLAGS, Reject.RANGE, Reject.SESSION, Reject.STALE,
)  # fmt: skip
"""How a frame of a known type is judged; the first that holds is the reason."""
UNKNOWN_ORDER: Final = (Reject.COBS, Reject.LENGTH, Reject.CRC, Reject.FLAGS, Reject.TYPE)
"""How one of an unknown type is; where it may be ignored, UNKNOWN stands for TYPE."""


def _rule(kind: Kind) -> str:
    return kind.value.partition(": ")[2]


def _names(reasons: tuple[Reject, ...]) -> str:
    return ", ".join(reason.name for reason in reasons)


def _example() -> str:
    """Return a frame, its CRC and its bytes on the line as a sentence."""
    wire = encode(SelfTest(), 1, 1)
    whole = cobs_decode(wire.rstrip(DELIMITER))
    body, crc = whole[:-CRC_BYTES], int.from_bytes(whole[-CRC_BYTES:], "little")
    seed = SCHEMA_HASH.to_bytes(4, "little") + DIRECTION_BYTE[Direction.TO_DEVICE]
    return (
        f"SELFTEST of session 1 and sequence 1 is `{body.hex()}`. The CRC over `{seed.hex()}` and it "
        f"is `{crc:#010x}`.\nThe line carries `{wire.hex()}`"
    )


_CHAPTERS: Final = f"""\
# The wire

Generated from `firmware_protocol` by `python -m tools.generate`; do not edit.
Protocol {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}, schema hash `{SCHEMA_HASH:#010x}`.
Conformance vectors: `firmware_protocol/vectors.json`. The first part tells the wire, the second the unit: what it does with what it is told.

## The line

Any 8-bit clean byte stream: UART (speed and format are in the second part), USB CDC, pty, TCP. No flow control, no time gaps, no meaning in
opening, closing or end of file: only silence ends anything.

## A frame

| bytes | field | |
|---|---|---|
| 1 | type | number of the message |
| 1 | flags | bit 0 RELIABLE, bit 1 RETRY, bit 2 MUST_UNDERSTAND, others 0 |
| 4 | session | 0 in HELLO and IDENT; any in STOP and STOPPED |
| 2 | seq | see below |
| 0 to {BODY_MAX_BYTES - HEADER_BYTES} | payload | the fields of the message, in order, without padding |
| {CRC_BYTES} | crc | over everything before it |

All integers are unsigned and little-endian. The frame is COBS-encoded and followed by one zero byte.
Empty runs between zeros are idle fill. A run of more than {RUN_MAX_BYTES} bytes, its zero not counted, is one bad frame, judged by its first {RUN_KEPT_BYTES}. Each
message has exactly the length of its table. A sender writes whole frames or none.

**Flags.** A sender sets the flags of the message's table. RETRY marks every further sending of one and the same frame: of a request that was not answered, and of an answer to
a repeat. It changes nothing for the receiver, who knows a repeat by its sequence; a sender that never sets it is understood as well. SETPOINT, TELEMETRY and STATUS are never repeated. A receiver
takes a one-shot and its answer with or without RETRY, and **STOP and STOPPED with any of the three flags**:
a whole frame that says stop is a stop, however it is labelled. Every other difference is a bad frame. Reserved
flags are refused in STOP too: no sender of this major version sets one, so that the next one may use them.

**CRC.** CRC-32/AUTOSAR: polynomial 0xF4ACFB13, initial value and final XOR 0xFFFFFFFF, reflected,
check value 0x1697D06A over `123456789`. Hamming distance 8 up to {BODY_MAX_BYTES} bytes, which is the
limit of a frame. It is taken in one run over a seed, which is not sent, and the frame. The seed is the schema hash (4 bytes)
and the direction (1 byte: 1 to the device, 2 to the host), so that another schema or an echo of our own frames is never
understood. HELLO, IDENT, STOP and STOPPED are seeded with the direction byte alone: a stranger can be
told by name, and stopping always works. Every other type has both, and so has one that is unknown or known only the other way, such as HELLO to a host.

The table has the finished CRC of each seed, **after the final XOR**. A function that goes on from the finished CRC of what came
before, as `crc32(data, before)` of zlib does, takes it as it is; a bare register takes it XOR 0xFFFFFFFF.
For example, {_example()}. The finished CRC over seed, frame and the CRC of the frame is always `{RESIDUE:#010x}`.

| direction | seed | finished CRC of the seed |
|---|---|---|
@SEEDS@

## Sessions

The host sends HELLO with a fresh nonce, the device answers IDENT with another; the session is CRC-32/AUTOSAR,
unseeded, over host nonce and device nonce, 8 bytes, little-endian, or 1 where that is 0. It holds from IDENT on: TELEMETRY may follow in the same read. Both begin it with
all sequences at zero, and with nothing of the session before: no configuration, token, lease or tick to echo. Frames of another session are never used. A device in ARMED, ACTIVE,
PAUSED or STOPPING answers HELLO with BUSY and keeps its session. In SAFE it takes HELLO and stays in SAFE; in BOOT it answers at the end of BOOT; from every
other mode a new session leads to DISARMED. An IDENT with a refusal opens nothing and ends nothing.

## Versions

A version is major.minor. Peers of different **major** versions do not understand each other: HELLO is answered with IDENT
and the refusal VERSION, both ends name both versions, and nothing but STOP gets through. HELLO, IDENT, STOP and STOPPED
are the same in every version for ever.

The schema hash, and with it the seed of the CRC, covers the messages, fields, ranges and words of **minor 0** of its major, and the limits that both ends judge by.
A host of any minor therefore speaks with a unit of any minor. HELLO and IDENT name each end's minor, and the session
speaks the smaller one. What a minor may add:

- Messages, periodic or one-shot. A sender never sends a message to a peer whose minor does not have it; a receiver takes one
  that was not agreed for an unknown message.
- Words of @GROWING@. Each names the older words that an older peer is sent instead: a cause or a
  refusal by another one; a bit of Input by the bits that then stand; a bit of Permit by the bits that are missing while it is. A
  combination such as ALL never grows, and no end requires a bit that the other's minor does not have. A RESET names a cause as
  the host was told it. Words of this kind inside `detail` and `arg` are numbers for records: who does not know one shows the number.
- A Capability, without a minor: who does not know the bit ignores it.

What a minor may not do: change the width, order, unit, range or meaning of a field, add or remove one, give a number another
meaning, change a limit, or add a mode, an outcome, a stop kind, a wish or a defect. Those are a new major version.

## Three families

**Periodic:** {_rule(Kind.PERIODIC)}. Each end counts its periodic frames of the session, of all periodic messages together, from 1 to 65535 and on with 1: 0 is never sent. A receiver uses a frame only if its sequence is newer than the last one used:
`0 < (a - b) mod 65536 < 32768`.

**One-shots:** {_rule(Kind.REQUEST)}. One at a time; the reply repeats the sequence of its request, in
the frame and in the payload. One-shots count by themselves, also from 1 in each session, also without 0. The asking end sends at most {TRIES_MAX} times and waits {", ".join(map(str, WAITS_MS[:-1]))} and {WAITS_MS[-1]} ms after
them. After the last wait the outcome is unknown. It queues at most {REQUESTS_MAX}. The answering end executes
a sequence once and answers its repeats with the same answer; an older sequence is dropped.
HELLO has a count of its own, outside of sessions and from 1 too; two are the same if sequence and content are the same. A HELLO is repeated like any other; after its last wait a new one follows, under a new sequence.
Outcomes: done, failed, unknown. An unknown one is resolved by `last_request_seq` of the next TELEMETRY
(executed if it is not older than the request; what was refused was not executed); the next one-shot waits for that, {RESOLVE_MAX_S:.0f} s at most.
The answer itself is lost. Ask anew, under a new sequence, for what it told: SELFTEST for a token (in mode SELFTEST wait for its end), LOG_READ for a record, WITNESS_ASK for a row,
CONFIG for a check value. What became of ARM and RESET the mode tells.

**STOP:** {_rule(Kind.STOP)}. Every STOP is answered with STOPPED; session and sequence of both may be anything,
and 0 is as good as any. What confirms a stop is in the second part.

A sender puts a zero byte before STOP, STOPPED, IDENT and every request, so that noise or a half-sent
frame cannot swallow them.

## Freshness and the lease

SETPOINT is a lease: it holds from receipt for `lease_ms`, clamped to {e.LEASE_MIN_MS} to {e.LEASE_MAX_MS} ms
(default {e.LEASE_DEFAULT_MS}), is sent every {e.SETPOINT_PERIOD_S * _MS_PER_S:.0f} ms, and its lapse shuts the
crystal valve within {e.LEASE_MARGIN_S * _MS_PER_S:.0f} ms: {e.LEASE_MAX_MS + e.LEASE_MARGIN_S * _MS_PER_S:.0f} ms from the last word to the shut valve.

It proves that its host hears: it echoes `tick_ms` of the newest TELEMETRY of this session. The device drops it unless it has sent TELEMETRY with just that tick in this session and
`(tick - echo) mod 2^32` is at most {e.ECHO_AGE_MAX_MS} ms. Ticks of STATUS and STOPPED are no echo. TELEMETRY comes every {e.TELEMETRY_PERIOD_S * _MS_PER_S:.0f} ms, each at random on its beat or {e.TELEMETRY_SHIFT_S * _MS_PER_S:.0f} ms later, so that
ticks cannot be counted by a host that does not hear; the device draws anew for each. STATUS comes every {e.STATUS_PERIOD_S * _MS_PER_S:.0f} ms.

A setpoint is also dropped, and renews nothing, where its treatment is not that of CONFIG, or its loop counter is not newer than that of the last accepted one (as with sequences).

The **check value** of CONFIG, in `detail` of its RESULT, is CRC-32/AUTOSAR, unseeded, over the {_CONFIG_BYTES} bytes of its payload; the host compares it with its own, and arms nothing where they differ. `detail` of SELFTEST is the token
that ARM must show, never 0; of every other RESULT it is 0.

## What is refused

Bad frames are dropped without an answer. More than {e.BAD_FRAMES_SHORT_MAX} that count in
{e.BAD_FRAMES_SHORT_S:.0f} s, or {e.BAD_FRAMES_LONG_MAX} in {e.BAD_FRAMES_LONG_S / 60:.0f} minutes, each from the beginning of the session on, latch the safe state
on both ends while armed: the unit trips with LINK_ERRORS, the host sends STOP emergency and ends the treatment.

The first that holds is the reason. A known type is judged in the order {_names(KNOWN_ORDER)} or UNSOLICITED: however short, it is CRC unless it ends with its CRC. A type that is unknown,
known only the other way, or missing (the run `01`), is judged in the order {_names(UNKNOWN_ORDER)} or UNKNOWN; its LENGTH is wrong below {HEADER_BYTES + CRC_BYTES} and above {RUN_MAX_BYTES - 1} bytes before COBS.

| reason | counts | |
|---|---|---|
@REJECTS@

## Messages
"""


def render_document() -> str:
    """Return the text of docs/PROTOCOL.md."""
    seeds = [
        f"| {way.value} | {seed.value} | `{value:#010x}` |" for (way, seed), value in SEEDS.items()
    ]
    rejects = [
        f"| {reason.name} | {'yes' if reason in CORRUPT else 'no'} | {reason.value} |"
        for reason in Reject
    ]
    growing = ", ".join(sorted(words.__name__ for words in GROWING))
    chapters = _CHAPTERS.replace("@GROWING@", growing)
    head = chapters.replace("@SEEDS@", "\n".join(seeds)).replace("@REJECTS@", "\n".join(rejects))
    messages = [_overview(), *(_render_message(spec) for spec in CATALOGUE)]
    return "\n".join([head, *messages, "## Words\n", *(_render_words(w) for w in VOCABULARY)])


def _overview() -> str:
    rows = [
        f"| {spec.number:#04x} | {spec.message.__name__} | {spec.direction.value} "
        f"| {spec.kind.name.lower()} | {spec.seed.name.lower()} "
        f"| {'must' if spec.must_understand else 'may'} | {_payload_bytes(spec)} |"
        for spec in CATALOGUE
    ]
    head = "| type | message | way | family | seed | understand | payload bytes |\n" + "|---" * 7
    return "\n".join([head + "|", *rows, ""])


def _render_message(spec: Spec) -> str:
    fixed = ", fixed seed" if spec.seed is Seed.FIXED else ""
    lines = [
        f"### {spec.message.__name__} ({spec.number:#04x})\n",
        f"{getdoc(spec.message) or ''}\n",
        f"{spec.direction.value}, {spec.kind.name.lower()}, flags {flags_of(spec):#04x}{fixed}{_since(spec.since)}.\n",
    ]
    fields = fields_of(spec.message)
    if fields:
        lines += ["| at | bytes | field | counts | |", "|---|---|---|---|---|"]
    at = HEADER_BYTES
    for name, field in fields:
        size = WIDTH_BYTES[field.code]
        lines.append(f"| {at} | {size} | `{name}` | {span_of(field)} | {field.about} |")
        at += size
    return "\n".join([*lines, ""])


def _render_words(words: type[Enum]) -> str:
    members = ", ".join(
        f"{value} {name}{_since(since_of(words, name))}" for name, value in members_of(words)
    )
    return f"**{words.__name__}**: {members}.\n"


def _since(minor: int) -> str:
    return f", since minor {minor}" if minor > 0 else ""


def _payload_bytes(spec: Spec) -> int:
    return sum(WIDTH_BYTES[field.code] for _, field in fields_of(spec.message))
