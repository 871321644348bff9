"""Cases of the one-shots: answered, applied once, refused with a reason."""

import asyncio
from typing import Final

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    FLOW_SET_MIN_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
)
from firmware_protocol.frame import RETRY
from firmware_protocol.messages import LogRead, LogRecord, Reset, Result, SelfTest, check_value
from firmware_protocol.vocabulary import Cause, LogCode, Mode, Refusal
from qa.conformance.bench import Bench
from qa.conformance.case import Group
from qa.conformance.verdicts import NonconformityError, expect

GROUP = Group()
case = GROUP.case

QUIET_S: Final = 0.100
REPEATS: Final = 3


async def _records(bench: Bench, since: int) -> list[LogRecord]:
    """Return the records of the unit's log after number ``since``."""
    records: list[LogRecord] = []
    number = since + 1
    while True:
        answer = await bench.peer.ask(LogRead(number))
        if not isinstance(answer, LogRecord):
            raise NonconformityError(f"LOG READ was answered with {answer}")
        if answer.record_seq == 0:
            return records
        records.append(answer)
        number += 1


async def _newest(bench: Bench) -> int:
    answer = await bench.peer.ask(LogRead(0xFFFF_FFFF))
    if not isinstance(answer, LogRecord):
        raise NonconformityError(f"LOG READ was answered with {answer}")
    return answer.newest_seq


@case("C30", "A one-shot that is repeated under its sequence is answered each time and applied "
      "once.", "H11")  # fmt: skip
async def a_repeated_one_shot_is_applied_once(bench: Bench) -> None:
    await bench.configured()
    since = await _newest(bench)
    peer = bench.peer
    token = await bench.done(SelfTest())
    for _ in range(REPEATS):
        mark = peer.mark
        peer.write(peer.request_wire(SelfTest(), peer.request_seq, RETRY))
        again = await peer.until(
            "a repeat is not answered",
            lambda mark=mark: peer.answer_to(peer.request_seq, mark),  # type: ignore[misc]
        )
        same = isinstance(again, Result) and (again.refusal, again.detail) == (0, token)
        expect(same, f"the repeat was answered with {again}, the first with the token {token}")
    await bench.mode(Mode.READY, 5.0)
    moves = [r for r in await _records(bench, since) if r.code == LogCode.MODE]
    tests = sum(r.arg == Mode.SELFTEST for r in moves)
    expect(tests == 1, f"the log shows {tests} self-tests for one request")


@case("C31", "A one-shot with an older sequence is dropped without an answer and does not count.",
      "H11", "H23")  # fmt: skip
async def an_older_one_shot_is_dropped(bench: Bench) -> None:
    await bench.configured()
    peer = bench.peer
    await bench.done(bench.config())
    mark = peer.mark
    peer.write(peer.request_wire(SelfTest(), peer.request_seq - 1))
    await asyncio.sleep(QUIET_S)
    expect(not list(peer.since(mark, Result)), "an older one-shot was answered")
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(seen.mode == Mode.DISARMED, "an older one-shot was executed")
    bad = (await bench.status()).bad_frames
    expect(bad == 0, f"{bad} bad frames counted for an older one-shot")


@case("C32", "CONFIG is answered with its check value, and TELEMETRY names the last one-shot that "
      "was executed, not one that was refused.", "H34")  # fmt: skip
async def the_last_executed_sequence_is_told(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    detail = await bench.done(bench.config())
    expect(detail == check_value(bench.config()), f"the check value is {detail:#010x}")
    done = peer.request_seq
    await peer.telemetry("TELEMETRY does not name it", lambda t: t.last_request_seq == done)
    await bench.outcome(bench.config(suction_max_pa=SUCTION_SET_MAX_PA + 1))
    _, seen = await peer.telemetry("no telemetry", lambda _: True)
    expect(seen.last_request_seq == done, "a refused one-shot counts as executed")


@case("C33", "A CONFIG outside of the unit's envelope is refused with OUT_OF_ENVELOPE and changes "
      "nothing.", "H03", "H47")  # fmt: skip
async def a_configuration_never_widens(bench: Bench) -> None:
    await bench.fresh()
    wide = (
        bench.config(suction_max_pa=SUCTION_SET_MAX_PA + 1),
        bench.config(flow_max_mg_per_min=FLOW_SET_MAX_MG_PER_MIN + 1),
        bench.config(suction_min_pa=20_001),
    )
    for config in wide:
        refusal = await bench.outcome(config)
        expect(refusal is Refusal.OUT_OF_ENVELOPE, f"{config}: refusal {refusal.name}")
    await bench.peer.telemetry("a refused CONFIG configures", lambda t: not t.inputs & 128)
    widest = bench.config(
        suction_max_pa=SUCTION_SET_MAX_PA, flow_max_mg_per_min=FLOW_SET_MAX_MG_PER_MIN
    )
    await bench.done(widest)


@case("C34", "The event log is read by number, in rising order; a record that is not there has "
      "number 0.", "H20")  # fmt: skip
async def the_log_is_read_by_number(bench: Bench) -> None:
    await bench.fresh()
    newest = await _newest(bench)
    since = max(0, newest - 5)
    records = await _records(bench, since)
    numbers = [record.record_seq for record in records]
    expect(numbers == list(range(since + 1, since + 1 + len(numbers))), f"numbers {numbers}")
    expect(newest == numbers[-1], f"the newest is {newest}, the last that is there {numbers[-1]}")
    expect(any(record.code == LogCode.SESSION for record in records), "no SESSION in the log")


@case("C35", "RESET does nothing outside of SAFE: refused with WRONG_MODE.", "H18")
async def reset_belongs_to_safe(bench: Bench) -> None:
    await bench.fresh()
    refusal = await bench.outcome(Reset(Cause.LEASE_LAPSED))
    expect(refusal is Refusal.WRONG_MODE, f"RESET in DISARMED: refusal {refusal.name}")


@case("C36", "A CONFIG with which no crystal could ever flow is refused with OUT_OF_ENVELOPE and "
      "changes nothing.", "H03", "H34")  # fmt: skip
async def a_configuration_can_flow(bench: Bench) -> None:
    await bench.fresh()
    never = (
        bench.config(flow_max_mg_per_min=0),
        bench.config(flow_max_mg_per_min=FLOW_SET_MIN_MG_PER_MIN - 1),
        bench.config(suction_max_pa=SUCTION_PERMIT_MIN_PA - 1, suction_min_pa=0),
        bench.config(suction_max_pa=0, suction_min_pa=0),
        bench.config(treatment=0),
        bench.config(tip=0),
    )
    for config in never:
        refusal = await bench.outcome(config)
        expect(refusal is Refusal.OUT_OF_ENVELOPE, f"{config}: refusal {refusal.name}")
    await bench.peer.telemetry("a refused CONFIG configures", lambda t: not t.inputs & 128)
    least = bench.config(
        suction_max_pa=SUCTION_PERMIT_MIN_PA,
        suction_min_pa=SUCTION_PERMIT_MIN_PA,
        flow_max_mg_per_min=FLOW_SET_MIN_MG_PER_MIN,
    )
    await bench.done(least)
