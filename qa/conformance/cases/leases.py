"""Cases of SETPOINT and its lease, seen in TELEMETRY; most of them with outputs off."""

import asyncio
from dataclasses import replace
from typing import Final

from firmware_protocol.envelope import LEASE_MARGIN_S, LEASE_MAX_MS, LEASE_MIN_MS
from firmware_protocol.messages import Arm, Reset, Setpoint
from firmware_protocol.session import next_seq
from firmware_protocol.vectors import frame_of, out_of_range
from firmware_protocol.vocabulary import Cause, Input, Mode, Refusal, StopKind, Wish
from qa.conformance.bench import FLOW_MG_PER_MIN, SUCTION_PA, TREATMENT, Bench
from qa.conformance.case import Group
from qa.conformance.frames import SPECS, counts_of
from qa.conformance.peer import MS_PER_S
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

SETTLE_S: Final = 0.030
STALE_S: Final = 0.160  # limit of 100 ms, and what the line and a report may add
LONG_AGO_S: Final = 0.5
FRESH_S: Final = 0.020
AHEAD_MS: Final = 60_000  # in the future, which counts as 49 days old
BESIDE_MS: Final = (-3, -2, -1, 1, 2)  # no two TELEMETRY are so close
COUNTED: Final = 20
LEASE_MS: Final = 200


async def _configured(bench: Bench) -> None:
    await bench.configured()
    await bench.peer.telemetry("no telemetry", lambda _: True)


async def _used(bench: Bench, setpoint: Setpoint) -> bool:
    """Send a setpoint and return whether the unit says that it accepted it."""
    bench.peer.send(setpoint)
    await asyncio.sleep(SETTLE_S)
    _, seen = await bench.peer.telemetry("no telemetry", lambda _: True)
    return seen.loop_counter == setpoint.loop_counter and seen.lease_left_ms > 0


async def _lapse(bench: Bench) -> None:
    await bench.peer.telemetry("the lease does not lapse", lambda t: t.lease_left_ms == 0)


@case("C40", "The lease is clamped to 100 to 200 ms, whatever a setpoint asks for.", "H10", "H47")
async def the_lease_is_clamped(bench: Bench) -> None:
    await _configured(bench)
    peer = bench.peer
    asked = ((0, 1, LEASE_MIN_MS), (1, 1, LEASE_MIN_MS), (0xFFFF, LEASE_MIN_MS, LEASE_MAX_MS))
    for lease_ms, least_ms, most_ms in asked:
        sent_s = peer.now_s
        peer.send(peer.setpoint()._replace(lease_ms=lease_ms))
        _, seen = await peer.telemetry("no lease is granted", lambda t: t.lease_left_ms > 0)
        left_ms = seen.lease_left_ms
        fits = least_ms <= left_ms <= most_ms
        expect(fits, f"a lease of {lease_ms} ms was granted as {left_ms} ms")
        await _lapse(bench)
        took_ms = (peer.now_s - sent_s) * MS_PER_S
        expect(took_ms >= most_ms - 20, f"a lease of {lease_ms} ms ended after {took_ms:.0f} ms")


@case("C41", "Without a new setpoint the lease ends at its time, counted from receipt.", "H10")
async def the_lease_ends_at_its_time(bench: Bench) -> None:
    await _configured(bench)
    peer, sent_s = bench.peer, bench.peer.now_s
    peer.send(peer.setpoint())
    await peer.telemetry("no lease is granted", lambda t: t.lease_left_ms > 0)
    at_s, _ = await peer.telemetry("the lease does not lapse", lambda t: t.lease_left_ms == 0)
    bench.within(at_s - sent_s, LEASE_MS / MS_PER_S, "the end of a lease of 200 ms")


@case("C42", "A setpoint whose loop counter did not advance is dropped and renews no lease.",
      "H13", "H14")  # fmt: skip
async def a_frozen_loop_counter_is_dropped(bench: Bench) -> None:
    await _configured(bench)
    peer, sent_s = bench.peer, bench.peer.now_s
    expect(await _used(bench, peer.setpoint()), "a good setpoint was not accepted")
    for step in (0, 0, -1, 0, 0, 0):
        peer.send(peer.setpoint(step=step))
        await asyncio.sleep(0.050)
    at_s, _ = await peer.telemetry("the lease does not lapse", lambda t: t.lease_left_ms == 0)
    bench.within(at_s - sent_s, 0.350, "the end of a lease under a frozen loop counter")


@case("C43", "A setpoint that echoes a tick older than 100 ms, or of the future, is dropped; a "
      "fresh echo is accepted.", "H11", "H10")  # fmt: skip
async def a_stale_echo_is_dropped(bench: Bench) -> None:
    await _configured(bench)
    peer = bench.peer
    await asyncio.sleep(3 * FRESH_S)
    fresh = await _used(bench, peer.setpoint(echo=peer.tick_heard(FRESH_S)))
    expect(fresh, "a fresh echo was dropped")
    await _lapse(bench)
    await asyncio.sleep(LONG_AGO_S)
    for ago_s in (STALE_S, LONG_AGO_S):
        used = await _used(bench, peer.setpoint(echo=peer.tick_heard(ago_s)))
        expect(not used, f"an echo {ago_s * MS_PER_S:.0f} ms old was accepted")
    for ahead_ms in (AHEAD_MS, 2**31):
        used = await _used(bench, peer.setpoint(echo=peer.newest_tick + ahead_ms))
        expect(not used, f"an echo {ahead_ms} ms ahead was accepted")
    expect(await _used(bench, peer.setpoint()), "after stale echoes a fresh one was dropped")


@case("C44", "A setpoint of another treatment is dropped.", "H21", "H24")
async def another_treatment_is_dropped(bench: Bench) -> None:
    await _configured(bench)
    for treatment in (0, TREATMENT + 1):
        setpoint = bench.peer.setpoint()._replace(treatment=treatment)
        used = await _used(bench, setpoint)
        expect(not used, f"a setpoint of treatment {treatment:#x} was accepted")
    expect(await _used(bench, bench.peer.setpoint()), "a setpoint of the treatment was dropped")


@case("C45", "A setpoint beyond the envelope is refused as a bad frame (RANGE): not used, counted.",
      "H03", "H47")  # fmt: skip
async def a_setpoint_outside_of_the_envelope_is_refused(bench: Bench) -> None:
    await _configured(bench)
    peer, spec = bench.peer, SPECS[Setpoint]
    fields = list(out_of_range(spec))
    for name in fields:
        good = peer.setpoint()
        high = out_of_range(spec)[name][name]
        peer.sent_seq = next_seq(peer.sent_seq)
        frame = frame_of(
            spec, counts_of(good) | {name: high}, session=peer.session, seq=peer.sent_seq
        )
        peer.write(replace(frame).wire())
        await asyncio.sleep(SETTLE_S)
        _, seen = await peer.telemetry("no telemetry", lambda _: True)
        expect(seen.loop_counter != good.loop_counter, f"{name} of {high} was accepted")
    bad = (await bench.status()).bad_frames
    expect(bad == len(fields), f"{bad} bad frames counted for {len(fields)} out of range")


@case("C46", "Before ARM a setpoint gives nothing: no pump, no valve, no flow, no setpoint in "
      "force.", "H18", "H22")  # fmt: skip
async def a_setpoint_before_arm_gives_nothing(bench: Bench) -> None:
    await bench.ready()
    peer = bench.peer
    peer.wishes.wish = Wish.ALL
    peer.wishes.suction_pa, peer.wishes.flow_mg_per_min = SUCTION_PA, FLOW_MG_PER_MIN
    end_s = peer.now_s + 0.5
    while peer.now_s < end_s:
        _, seen = await peer.telemetry("no telemetry", lambda _: True)
        driven = seen.inputs & (Input.PUMP_COMMANDED | Input.VALVE_COMMANDED)
        off = not driven and seen.valve_percent == 0
        expect(off, f"outputs are driven in {Mode(seen.mode).name}: {seen}")
        force = (seen.set_suction_pa, seen.set_flow_mg_per_min)
        expect(force == (0, 0), f"setpoints are in force in {Mode(seen.mode).name}: {force}")
        expect(seen.mode == Mode.READY, f"setpoints moved the unit to {Mode(seen.mode).name}")


@case("C47", "Armed, no setpoint in force is above the configuration, and suction rises no faster "
      "than 20 kPa/s.", "H03", "H47")  # fmt: skip
async def the_configuration_narrows(bench: Bench) -> None:
    await bench.armed()
    peer = bench.peer
    peer.wishes.suction_pa = 50_000
    began_s, most_pa = peer.now_s, 0
    while peer.now_s < began_s + 1.5:
        _, seen = await peer.telemetry("no telemetry", lambda _: True)
        most_pa = max(most_pa, seen.set_suction_pa)
        expect(most_pa <= SUCTION_PA, f"{most_pa} Pa are in force, the configuration says 20000")
        expect(seen.mode == Mode.ARMED, f"the unit went to {Mode(seen.mode).name}")
    expect(most_pa == SUCTION_PA, f"only {most_pa} Pa came into force, 20000 are configured")


@case("C48", "Armed and without setpoints the unit is in SAFE with LEASE_LAPSED, valve shut, in "
      "250 ms; only RESET with that cause leaves it, to DISARMED.", "H10", "H12",
      "H18")  # fmt: skip
async def silence_latches_the_safe_state(bench: Bench) -> None:
    await bench.armed()
    peer = bench.peer
    peer.stop_stream()
    silent_s = peer.setpoint_at_s
    at_s, seen = await bench.mode(Mode.SAFE)
    expect(seen.cause == Cause.LEASE_LAPSED, f"the cause is {Cause(seen.cause).name}")
    expect(seen.valve_percent <= 1, f"the valve is {seen.valve_percent} % open")
    bench.within(at_s - silent_s, LEASE_MS / MS_PER_S + LEASE_MARGIN_S, "safe after silence")
    peer.start_stream()
    stopped = await bench.stop(StopKind.NORMAL)
    expect(stopped.mode == Mode.SAFE, f"STOP led from SAFE to {Mode(stopped.mode).name}")
    await peer.hello()
    await bench.mode(Mode.SAFE)
    refusal = await bench.outcome(Reset(Cause.DWELL))
    expect(refusal is Refusal.CAUSE_STANDS, f"RESET of another cause: {refusal.name}")
    refusal = await bench.outcome(Arm(bench.token, TREATMENT))
    expect(refusal is Refusal.WRONG_MODE, f"ARM in SAFE: {refusal.name}")
    await bench.done(Reset(Cause.LEASE_LAPSED))
    await bench.mode(Mode.DISARMED)


@case("C49", "A setpoint that echoes a tick that was not sent in this session is dropped, however "
      "near to the clock it is.", "H11", "H10", "H13")  # fmt: skip
async def a_made_up_echo_is_dropped(bench: Bench) -> None:
    await bench.fresh()
    _, before = await bench.peer.telemetry("no telemetry", lambda _: True)
    await _configured(bench)
    peer = bench.peer
    used = await _used(bench, peer.setpoint(echo=before.tick_ms))
    expect(not used, "the echo of a tick of the session before was accepted")
    for beside_ms in BESIDE_MS:
        used = await _used(bench, peer.setpoint(echo=peer.newest_tick + beside_ms))
        expect(not used, f"an echo {beside_ms} ms beside the tick that was sent was accepted")
    first, began_s = peer.newest_tick, peer.now_s
    held = 0
    for _ in range(COUNTED):
        passed_ms = round((peer.now_s - began_s) * MS_PER_S)
        held += await _used(bench, peer.setpoint(echo=first + passed_ms + 1))
    expect(held < COUNTED // 2, f"{held} of {COUNTED} ticks that were only counted were accepted")
    expect(await _used(bench, peer.setpoint()), "after made-up echoes a real one was dropped")
