"""Cases of arming: what it needs, who may, and what a damaged line does to it."""

import asyncio
from typing import Final

from firmware_protocol.envelope import BAD_FRAMES_SHORT_MAX
from firmware_protocol.frame import DELIMITER
from firmware_protocol.messages import Arm, LogRead, SelfTest
from firmware_protocol.vocabulary import Cause, Mode, Refusal, StopKind
from qa.conformance.bench import (
    SELF_TEST_MAX_S,
    STREAM_S,
    TREATMENT,
    Bench,
)
from qa.conformance.case import Group
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

DAMAGED: Final = b"\x05damaged" + DELIMITER
GAP_S: Final = 0.030


async def _refused(bench: Bench, arm: Arm, refusal: Refusal, when: str) -> None:
    got = await bench.outcome(arm)
    expect(got is refusal, f"ARM {when}: refused with {got.name}, and should be {refusal.name}")


@case("C50", "ARM without a passed self-test is refused with WRONG_MODE.", "H18", "H22")
async def arm_needs_a_self_test(bench: Bench) -> None:
    await bench.configured()
    bench.peer.start_stream()
    await asyncio.sleep(STREAM_S)
    await _refused(bench, Arm(1, TREATMENT), Refusal.WRONG_MODE, "in DISARMED")


@case("C51", "ARM with another token than that of the self-test is refused with BAD_TOKEN.", "H22",
      "H23")  # fmt: skip
async def arm_needs_the_token(bench: Bench) -> None:
    await bench.ready()
    await asyncio.sleep(STREAM_S)
    for token in (0, bench.token ^ 1, bench.token - 1):
        await _refused(
            bench, Arm(token % 2**32, TREATMENT), Refusal.BAD_TOKEN, "with a made-up token"
        )
    await bench.mode(Mode.READY)


@case("C52", "ARM for another treatment than that of CONFIG is refused with NOT_CONFIGURED.", "H21")
async def arm_needs_the_treatment(bench: Bench) -> None:
    await bench.ready()
    await asyncio.sleep(STREAM_S)
    await _refused(
        bench, Arm(bench.token, TREATMENT + 1), Refusal.NOT_CONFIGURED, "for another treatment"
    )


@case("C53", "ARM without 18 accepted setpoints in the last second is refused with "
      "STREAM_NOT_HEALTHY.", "H10", "H13")  # fmt: skip
async def arm_needs_a_healthy_stream(bench: Bench) -> None:
    await bench.ready()
    peer = bench.peer
    peer.stop_stream()
    await peer.telemetry("the lease does not lapse", lambda t: t.lease_left_ms == 0)
    arm = Arm(bench.token, TREATMENT)
    await _refused(bench, arm, Refusal.STREAM_NOT_HEALTHY, "without a lease")
    await asyncio.sleep(1.0)
    peer.start_stream()
    await peer.telemetry("no lease is granted", lambda t: t.lease_left_ms > 0)
    await _refused(bench, arm, Refusal.STREAM_NOT_HEALTHY, "after the first setpoints")


@case("C54", "ARM for another tip than the one that is fitted is refused with OUT_OF_ENVELOPE.",
      "H27")  # fmt: skip
async def arm_needs_the_tip(bench: Bench) -> None:
    await bench.fresh()
    await bench.done(bench.config(tip=(bench.tip + 1) % 256))
    bench.peer.start_stream()
    token = await bench.done(SelfTest())
    await bench.mode(Mode.READY, SELF_TEST_MAX_S)
    await asyncio.sleep(STREAM_S)
    await _refused(bench, Arm(token, TREATMENT), Refusal.OUT_OF_ENVELOPE, "with another tip")


@case("C55", "A STOP voids the token: ARM needs a new self-test, and the old token stays void.",
      "H18", "H23")  # fmt: skip
async def a_stop_voids_the_token(bench: Bench) -> None:
    await bench.ready()
    old = Arm(bench.token, TREATMENT)
    await bench.stop(StopKind.NORMAL)
    await asyncio.sleep(STREAM_S)
    await _refused(bench, old, Refusal.WRONG_MODE, "after STOP")
    await bench.done(SelfTest())
    await bench.mode(Mode.READY, SELF_TEST_MAX_S)
    await _refused(bench, old, Refusal.BAD_TOKEN, "with the token from before the STOP")


@case("C56", "While a treatment is armed the HELLO of a stranger is answered with BUSY, and the "
      "session goes on.", "H24")  # fmt: skip
async def an_armed_unit_keeps_its_session(bench: Bench) -> None:
    await bench.armed()
    peer = bench.peer
    ident = await peer.ident(peer.hello_wire())
    expect(ident.refusal == Refusal.BUSY, f"refusal is {Refusal(ident.refusal).name}")
    await asyncio.sleep(0.3)
    _, seen = await peer.telemetry("the session ended by a stranger's HELLO", lambda _: True)
    expect(seen.mode == Mode.ARMED, f"a stranger's HELLO led to {Mode(seen.mode).name}")
    expect(seen.lease_left_ms > 0, "a stranger's HELLO took the lease away")


@case("C57", "Armed, more than 5 corrupt frames in 10 s latch SAFE with LINK_ERRORS; 5 do not.",
      "H11", "H20")  # fmt: skip
async def too_many_errors_latch_the_safe_state(bench: Bench) -> None:
    await bench.armed()
    peer = bench.peer
    for _ in range(BAD_FRAMES_SHORT_MAX):
        peer.write(DELIMITER + DAMAGED)
        await asyncio.sleep(GAP_S)
    await asyncio.sleep(GAP_S)
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(seen.mode == Mode.ARMED, f"5 corrupt frames led to {Mode(seen.mode).name}")
    peer.write(DELIMITER + DAMAGED)
    _, seen = await bench.mode(Mode.SAFE)
    expect(seen.cause == Cause.LINK_ERRORS, f"the cause is {Cause(seen.cause).name}")


@case("C58", "Repeats and late frames are no errors: armed, any number of them latches nothing.",
      "H11")  # fmt: skip
async def repeats_latch_nothing(bench: Bench) -> None:
    await bench.armed()
    peer = bench.peer
    await peer.ask(LogRead(1))
    repeat = peer.request_wire(LogRead(1), peer.request_seq)
    older = peer.request_wire(LogRead(1), peer.request_seq - 1)
    for _ in range(3 * BAD_FRAMES_SHORT_MAX):
        peer.write(repeat + older)
        await asyncio.sleep(GAP_S)
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(seen.mode == Mode.ARMED, f"repeats led to {Mode(seen.mode).name}")


@case("C59", "After bad frames beyond the limit ARM is refused with STREAM_NOT_HEALTHY until a new "
      "session.", "H11")  # fmt: skip
async def a_bad_line_is_not_armed(bench: Bench) -> None:
    await bench.ready()
    for _ in range(BAD_FRAMES_SHORT_MAX + 1):
        bench.peer.write(DELIMITER + DAMAGED)
    await asyncio.sleep(STREAM_S)
    await _refused(
        bench, Arm(bench.token, TREATMENT), Refusal.STREAM_NOT_HEALTHY, "after 6 bad frames"
    )
    await bench.mode(Mode.READY)
