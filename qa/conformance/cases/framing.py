"""Cases of bytes: how they are cut, what is noise, and what the unit finds again after it."""

import asyncio
from collections import Counter
from itertools import pairwise
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.frame import BODY_MAX_BYTES, DELIMITER, RUN_MAX_BYTES, cobs_decode
from firmware_protocol.messages import (
    Ident,
    LogRead,
    Result,
    Status,
    Stop,
    Stopped,
    Telemetry,
)
from firmware_protocol.session import next_seq
from firmware_protocol.vocabulary import StopKind
from qa.conformance.bench import Bench
from qa.conformance.case import Group
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

BYTE_GAP_S: Final = 0.002
QUIET_S: Final = 0.100
NOISE: Final = bytes(range(1, 31))
"""Thirty bytes without a delimiter: one run, and no frame."""
USUAL_MAX: Final = 0.8  # of 20 ms, where every second TELEMETRY is drawn to be late
FLIPS: Final = (1, 0x80)


async def _answered(bench: Bench, what: str) -> None:
    """Check that the unit understands the very next frame; a retry would hide that it does not."""
    peer, mark = bench.peer, bench.peer.mark
    seq = peer.request_seq = next_seq(peer.request_seq)
    peer.write(peer.request_wire(LogRead(1), seq))
    await peer.until(
        f"the first frame after {what} is not answered", lambda: peer.answer_to(seq, mark)
    )


async def _counted(bench: Bench, before: int, count: int, what: str) -> None:
    """Check by how much the count of bad frames rose."""
    await asyncio.sleep(0.030)  # what is on its way to the unit has come
    rose = (await bench.status()).bad_frames - before
    expect(rose == count, f"{what} counted {rose} bad frames, and should be {count}")


@case("C10", "The cut of the stream does not matter: a frame that comes byte by byte is a frame.",
      "H11")  # fmt: skip
async def bytes_may_come_one_by_one(bench: Bench) -> None:
    await bench.fresh()
    peer, mark = bench.peer, bench.peer.mark
    peer.request_seq = 1
    for byte in peer.request_wire(LogRead(1), 1):
        peer.write(bytes((byte,)))
        await asyncio.sleep(BYTE_GAP_S)
    await peer.until("a frame byte by byte is not answered", lambda: peer.answer_to(1, mark))
    await _counted(bench, 0, 0, "a frame byte by byte")


@case("C11", "Many frames in one piece are each a frame.", "H11")
async def frames_may_come_in_one_piece(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    await bench.done(bench.config())
    await peer.telemetry("no telemetry", lambda _: True)
    mark, count = peer.mark, (peer.loop_counter + 1) % 2**16
    setpoint = encode(peer.setpoint(), peer.session, next_seq(peer.sent_seq))
    stop = encode(Stop(StopKind.NORMAL), 0, 0)
    peer.write(setpoint + peer.request_wire(LogRead(1), 2) + stop)
    await peer.until("the second frame is not answered", lambda: peer.answer_to(2, mark))
    await peer.until("the third frame is not answered",
                     lambda: next(peer.since(mark, Stopped), None))  # fmt: skip
    await peer.telemetry("the first frame is lost", lambda t: t.loop_counter == count)


@case("C12", "Empty runs between delimiters are idle fill and no errors.", "H11")
async def idle_fill_is_no_error(bench: Bench) -> None:
    await bench.fresh()
    bench.peer.write(DELIMITER * 60)
    await _answered(bench, "idle fill")
    await _counted(bench, 0, 0, "idle fill")


@case("C13", "Noise is dropped without an answer, counts once, and ends at the next delimiter.",
      "H11")  # fmt: skip
async def noise_ends_at_the_next_delimiter(bench: Bench) -> None:
    await bench.fresh()
    bench.peer.write(NOISE)
    await asyncio.sleep(0.020)
    await _answered(bench, "noise")
    await _counted(bench, 0, 1, "one run of noise")


@case("C14", "A run of more than 39 bytes is one bad frame, however long it is.", "H11")
async def a_run_that_is_too_long_counts_once(bench: Bench) -> None:
    await bench.fresh()
    for length in (RUN_MAX_BYTES + 1, 20 * RUN_MAX_BYTES):
        bench.peer.write(b"\x01" * length + DELIMITER)
    await _answered(bench, "runs that are too long")
    await _counted(bench, 0, 2, "two runs that are too long")


@case("C15", "A frame that was cut off is one bad frame, and the frame behind its delimiter is "
      "understood.", "H11")  # fmt: skip
async def a_frame_may_be_cut_off_anywhere(bench: Bench) -> None:
    await bench.fresh()
    whole = bench.peer.request_wire(LogRead(1), 1).strip(DELIMITER)
    cuts = (1, len(whole) // 2, len(whole) - 1)
    for cut in cuts:
        bench.peer.write(whole[:cut])
        await _answered(bench, f"the first {cut} bytes of a frame")
    await _counted(bench, 0, len(cuts), "frames that were cut off")


@case("C16", "A frame with any byte changed is not used, has no answer, and counts.", "H11")
async def a_changed_byte_is_noticed(bench: Bench) -> None:
    await bench.fresh()
    peer, mark, sent = bench.peer, bench.peer.mark, 0
    wire = peer.request_wire(LogRead(1), 1).strip(DELIMITER)
    for at in range(len(wire)):
        for flip in FLIPS:
            changed = bytearray(wire)
            changed[at] ^= flip
            if 0 in changed:  # it would be two runs
                continue
            peer.write(bytes(changed) + DELIMITER)
            sent += 1
        await asyncio.sleep(BYTE_GAP_S)
    await asyncio.sleep(QUIET_S)
    expect(peer.answer_to(1, mark) is None, "a frame with a changed byte was answered")
    await _counted(bench, 0, sent, "frames with a changed byte")


@case("C17", "The unit's own frames coming back are not understood, and count.", "H11")
async def an_echo_is_not_understood(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    await peer.hello()
    await bench.done(bench.config())
    await bench.stop(StopKind.NORMAL)
    kinds = (Result, Telemetry, Status, Stopped, Ident)
    await bench.status()
    echoes = [next(h.frame for h in peer.heard if isinstance(h.frame.message, k)) for k in kinds]
    before, mark = (await bench.status()).bad_frames, peer.mark
    for frame in echoes:
        peer.write(DELIMITER + encode(frame.message, frame.session, frame.seq))
    await asyncio.sleep(QUIET_S)
    answers = [m for k in (Result, Stopped, Ident) for _, _, m in peer.since(mark, k)]
    expect(not answers, f"an echo was answered with {answers}")
    await _counted(bench, before, len(kinds), "echoes")


@case("C18", "No frame of the unit has more than 34 bytes before its check sum, and every run that "
      "it sends is a frame.", "H11")  # fmt: skip
async def the_units_frames_are_short_and_whole(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    await bench.done(bench.config())
    await peer.ask(LogRead(1))
    await bench.stop(StopKind.NORMAL)
    await bench.status()
    expect(not peer.strange, f"the unit sent what is no frame: {peer.strange[:1]}")
    longest = max(
        len(cobs_decode(encode(h.frame.message, h.frame.session, h.frame.seq)[:-1])) - 4
        for h in peer.heard
    )
    expect(longest <= BODY_MAX_BYTES, f"a frame has {longest} bytes before its check sum")


@case("C19", "When TELEMETRY is sent cannot be counted from an earlier one: its distances vary.",
      "H11", "H13")  # fmt: skip
async def telemetry_cannot_be_counted(bench: Bench) -> None:
    await bench.fresh()
    mark = bench.peer.mark
    await asyncio.sleep(2.0)
    ticks = [m.tick_ms for _, _, m in bench.peer.since(mark, Telemetry)]
    distances = Counter((after - before) % 2**32 for before, after in pairwise(ticks))
    _, usual = distances.most_common(1)[0]
    share = usual / distances.total()
    expect(share <= USUAL_MAX, f"{share:.0%} of the distances are the same: {dict(distances)}")
