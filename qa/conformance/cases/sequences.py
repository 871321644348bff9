"""Cases of the vectors, of sequences, and of frames from another time or session."""

import asyncio
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.frame import DELIMITER
from firmware_protocol.messages import Ident, Result, SelfTest, Setpoint, Stopped
from firmware_protocol.session import SEQ_SPAN, next_seq
from firmware_protocol.vocabulary import Mode
from qa.conformance.bench import Bench
from qa.conformance.case import Group
from qa.conformance.frames import (
    SESSIONLESS,
    Vector,
    accepted_vectors,
    in_session,
    refused_vectors,
    vectors,
)
from qa.conformance.verdicts import NonconformityError, expect

GROUP = Group()
case = GROUP.case

SETTLE_S: Final = 0.030
STRIDE: Final = SEQ_SPAN // 2 - 1  # the farthest that a sequence may jump ahead
_QUIET: Final = frozenset({"Setpoint"})


@case("C20", "Every accepted vector for the unit, brought into the open session, is understood and "
      "answered as its kind is.", "H11", "H32")  # fmt: skip
async def accepted_vectors_are_understood(bench: Bench) -> None:
    await bench.fresh()
    for vector in accepted_vectors():
        await _understood(bench, vector)
    bad = (await bench.status()).bad_frames
    expect(bad == 0, f"{bad} accepted vectors counted as bad frames")


async def _understood(bench: Bench, vector: Vector) -> None:
    peer, name = bench.peer, vector.message
    seq = peer.request_seq = next_seq(peer.request_seq)
    session = 0 if name in SESSIONLESS else peer.session
    wire = in_session(vector.wire, session, seq)
    if wire is None:
        raise NonconformityError(f"the vector {vector.name} is no frame")
    mark = peer.mark
    peer.write(DELIMITER + wire)
    if name in _QUIET:
        return  # what it does is the matter of other cases; that it counts as bad would be seen
    kind = {"Hello": Ident, "Stop": Stopped}.get(name, object)

    def answer() -> object | None:
        found = (f.message for _, f, _ in peer.since(mark, kind) if _answers(f.message, seq))
        return next(found, None)

    await peer.until(f"the vector {vector.name} has no answer", answer)


def _answers(message: object, seq: int) -> bool:
    return isinstance(message, Stopped) or getattr(message, "request_seq", None) == seq


@case("C21", "No refused vector, and nothing that is made for the host, is used or answered; each "
      "counts as PROTOCOL.md says.", "H11", "H20")  # fmt: skip
async def refused_vectors_are_refused(bench: Bench) -> None:
    rows = list(refused_vectors())
    if await _miscounted(bench, rows) == 0:
        return
    for vector in rows:  # slower: one at a time, to name the one
        wrong = await _miscounted(bench, [vector])
        should = "count once" if vector.counts else "not count"
        expect(wrong == 0, f"the vector {vector.name} should {should}, and is off by {wrong}")
    raise NonconformityError("the count of bad frames is wrong for all refused vectors together")


async def _miscounted(bench: Bench, rows: list[Vector]) -> int:
    """Send these in a session of their own and return by how much the count is wrong."""
    peer = bench.peer
    await peer.hello()
    mark = peer.mark
    for number, vector in enumerate(rows, 1):
        session = 0 if vector.message in SESSIONLESS else peer.session
        peer.write(DELIMITER + (in_session(vector.wire, session, number) or vector.wire))
        if number % 8 == 0:
            await asyncio.sleep(SETTLE_S)  # at 115200 baud a frame takes 3.4 ms
    await asyncio.sleep(SETTLE_S)
    status = await bench.status()
    answers = [m for kind in (Result, Stopped, Ident) for _, _, m in peer.since(mark, kind)]
    names = ", ".join(vector.name for vector in rows[:3])
    expect(not answers, f"a refused vector ({names}) was answered with {answers[:1]}")
    return status.bad_frames - sum(vector.counts for vector in rows)


@case("C22", "A periodic frame is used only if its sequence is newer by less than half a turn, "
      "also over the wrap (the vectors of newer).", "H11", "H32")  # fmt: skip
async def only_newer_sequences_are_used(bench: Bench) -> None:
    for row in vectors()["newer"]:
        a, b = int(row["a"]), int(row["b"])
        await bench.configured()
        await bench.peer.telemetry("no telemetry", lambda _: True)
        seq = 0
        while seq != b:
            seq = min(b, seq + STRIDE)
            await _offer(bench, seq, taken=True)
        await _offer(bench, a, taken=bool(row["newer"]))


async def _offer(bench: Bench, seq: int, *, taken: bool) -> None:
    peer = bench.peer
    setpoint = peer.setpoint()
    peer.write(encode(setpoint, peer.session, seq))
    await asyncio.sleep(SETTLE_S)
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    was = seen.loop_counter == setpoint.loop_counter
    expect(was is taken, f"a setpoint with the sequence {seq} was {'' if was else 'not '}used")


@case("C23", "Frames of another session are never used, and count.", "H23", "H24")
async def frames_of_another_session_are_not_used(bench: Bench) -> None:
    await bench.configured()
    peer = bench.peer
    await peer.telemetry("no telemetry", lambda _: True)
    old = [
        peer.request_wire(bench.config(), 7),
        peer.request_wire(SelfTest(), 8),
        DELIMITER + encode(peer.setpoint(), peer.session, 9),
    ]
    await peer.hello()
    await bench.done(bench.config())
    mark = peer.mark
    peer.write(b"".join(old))
    await asyncio.sleep(2 * SETTLE_S)
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(not list(peer.since(mark, Result)), "a request of an old session was answered")
    expect(seen.mode == Mode.DISARMED, f"an old session moved the unit to {Mode(seen.mode).name}")
    expect(seen.lease_left_ms == 0, "a setpoint of an old session was granted a lease")
    bad = (await bench.status()).bad_frames
    expect(bad == len(old), f"{bad} bad frames counted for {len(old)} of an old session")


@case("C24", "A frame that is played back in its own session is not used, has no effect and does "
      "not count.", "H23", "H11")  # fmt: skip
async def a_replay_is_not_used(bench: Bench) -> None:
    await bench.configured()
    peer = bench.peer
    await peer.telemetry("no telemetry", lambda _: True)
    first: Setpoint = peer.setpoint()
    recorded = encode(first, peer.session, 1)
    peer.write(recorded + encode(peer.setpoint(), peer.session, 2))
    await asyncio.sleep(SETTLE_S)
    _, seen = await peer.telemetry("no telemetry", lambda t: t.loop_counter == peer.loop_counter)
    newest = peer.loop_counter
    peer.write(DELIMITER + recorded * 3)
    await asyncio.sleep(SETTLE_S)
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(seen.loop_counter == newest, "a setpoint that was played back was used")
    left_ms = seen.lease_left_ms
    expect(left_ms <= 200 - 2 * 20, f"a replay renewed the lease: {left_ms} ms are left")
    bad = (await bench.status()).bad_frames
    expect(bad == 0, f"{bad} repeats counted as bad frames")
