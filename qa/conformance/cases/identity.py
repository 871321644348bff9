"""Cases of HELLO, IDENT and the session that they make."""

import asyncio
from dataclasses import replace
from itertools import pairwise

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction, Seed
from firmware_protocol.frame import DELIMITER, SEEDS
from firmware_protocol.messages import Hello, Ident, Status, Stop, Stopped, Telemetry
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vectors import frame_of
from firmware_protocol.vocabulary import Input, Mode, Refusal, StopKind
from qa.conformance.bench import Bench
from qa.conformance.case import Group
from qa.conformance.frames import SPECS, counts_of
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

QUIET_S = 0.100  # five telemetry periods: what has not come by then does not come
NONCES = (0, 1, 2, 0xFFFF_FFFF)  # of the vectors


@case("C01", "HELLO is answered with an IDENT that repeats its sequence and names version and "
      "schema.", "H33")  # fmt: skip
async def hello_is_answered(bench: Bench) -> None:
    ident = await bench.fresh()
    said = (ident.refusal, ident.major, ident.schema)
    expect(said == (Refusal.NONE, PROTOCOL_MAJOR, SCHEMA_HASH), f"IDENT says {ident}")
    expect(ident.serial != 0, "IDENT has no serial number")


@case("C02", "A HELLO of another schema is refused with VERSION, the unit names its own, and the "
      "session goes on.", "H33")  # fmt: skip
async def another_schema_is_named(bench: Bench) -> None:
    await bench.fresh()
    ident = await bench.peer.ident(bench.peer.hello_wire(schema=SCHEMA_HASH ^ 1))
    expect(ident.refusal == Refusal.VERSION, f"refusal is {Refusal(ident.refusal).name}")
    expect(ident.schema == SCHEMA_HASH, f"IDENT names schema {ident.schema:#010x}")
    await bench.peer.telemetry("the session ended by a refused HELLO", lambda _: True)


@case("C03", "Another major version is refused with VERSION; another minor one is not.", "H33")
async def the_major_version_must_match(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    ident = await peer.ident(peer.hello_wire(major=PROTOCOL_MAJOR + 1))
    expect(ident.refusal == Refusal.VERSION, f"major: refusal {Refusal(ident.refusal).name}")
    newer = peer.greeting(Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR + 1, SCHEMA_HASH, 77))
    ident = await peer.ident(newer)
    expect(ident.refusal == Refusal.NONE, f"minor: refusal {Refusal(ident.refusal).name}")
    peer.begin(ident, 77)


@case("C04", "A repeated HELLO (same sequence and content) gets the same IDENT and begins nothing "
      "anew.", "H11")  # fmt: skip
async def a_repeated_hello_begins_nothing(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    wire = peer.hello_wire()
    first = await peer.ident(wire)
    peer.begin(first, peer.nonce)
    await bench.done(bench.config())
    again = await peer.ident(wire)
    expect(again == first, f"the answers differ: {first} and {again}")
    _, seen = await peer.telemetry("the session was lost by a repeated HELLO", lambda _: True)
    expect(bool(seen.inputs & Input.CONFIGURED), "a repeated HELLO took the configuration away")


@case("C05", "A new session has a fresh nonce of the unit and begins DISARMED without a "
      "configuration.", "H18", "H23")  # fmt: skip
async def a_new_session_begins_with_nothing(bench: Bench) -> None:
    await bench.ready()
    bench.peer.stop_stream()
    first = bench.peer.session
    ident = await bench.peer.hello()
    expect(bench.peer.session != first, "two sessions have one number")
    _, seen = await bench.peer.telemetry("no telemetry in the new session", lambda _: True)
    expect(seen.mode == Mode.DISARMED, f"the new session begins {Mode(seen.mode).name}")
    expect(not seen.inputs & Input.CONFIGURED, "the configuration outlived its session")
    expect(seen.lease_left_ms == 0, "the lease outlived its session")
    again = await bench.peer.hello()
    expect(again.device_nonce != ident.device_nonce, "the unit's nonce is not fresh")


@case("C06", "The session is the CRC-32 over both nonces, or 1 where that is 0.", "H23")
async def the_session_is_computed_from_both_nonces(bench: Bench) -> None:
    await bench.fresh()
    for nonce in NONCES:
        hello = Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, nonce)
        bench.peer.begin(await bench.peer.ident(bench.peer.greeting(hello)), nonce)
        await bench.peer.telemetry(f"wrong session for the nonce {nonce:#x}", lambda _: True)


@case("C07", "HELLO and STOP are seeded with the direction alone; seeded with the schema they are "
      "not understood.", "H33", "H49")  # fmt: skip
async def hello_and_stop_have_fixed_seeds(bench: Bench) -> None:
    await bench.fresh()
    peer, schema_seed = bench.peer, SEEDS[Direction.TO_DEVICE, Seed.SCHEMA]
    for message in (Stop(StopKind.NORMAL), Hello(PROTOCOL_MAJOR, 0, SCHEMA_HASH, 99)):
        frame = frame_of(SPECS[type(message)], counts_of(message), session=0, seq=9)
        mark = peer.mark
        peer.write(DELIMITER + replace(frame, seed=schema_seed).wire())
        await asyncio.sleep(QUIET_S)
        answers = [*peer.since(mark, Stopped), *peer.since(mark, Ident)]
        expect(not answers, f"{type(message).__name__} seeded with the schema was answered")
    await bench.stop(StopKind.NORMAL, session=0)


@case("C08", "HELLO travels outside of sessions: with a session number it is not answered.", "H11")
async def hello_with_a_session_is_refused(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    hello = Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, 4242)
    frame = frame_of(SPECS[Hello], counts_of(hello), session=peer.session, seq=4242)
    mark = peer.mark
    peer.write(DELIMITER + frame.wire())
    await asyncio.sleep(QUIET_S)
    expect(not list(peer.since(mark, Ident)), "a HELLO with a session number was answered")


@case("C09", "TELEMETRY comes every 20 ms of the unit's clock and of ours, STATUS every 200 ms, "
      "under rising sequences.", "H41")  # fmt: skip
async def telemetry_comes_fifty_times_a_second(bench: Bench) -> None:
    await bench.fresh()
    peer, mark = bench.peer, bench.peer.mark
    await asyncio.sleep(2.0)
    heard = list(peer.since(mark, Telemetry))
    expect(97 <= len(heard) <= 103, f"{len(heard)} TELEMETRY in 2 s, and should be 100")
    for (_, one, before), (_, two, after) in pairwise(heard):
        apart_ms = (after.tick_ms - before.tick_ms) % 2**32
        expect(apart_ms in range(10, 31), f"two TELEMETRY are {apart_ms} ms of the tick apart")
        expect(0 < (two.seq - one.seq) % 2**16 <= 3, f"sequence {two.seq} after {one.seq}")
    slow = len(list(peer.since(mark, Status)))
    expect(9 <= slow <= 11, f"{slow} STATUS in 2 s, and should be 10")
