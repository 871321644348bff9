"""Cases of STOP: in any mode, any session, answered every time."""

import asyncio
from dataclasses import replace
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.envelope import PURGE_S
from firmware_protocol.frame import DELIMITER, FLAGS_KNOWN, RETRY
from firmware_protocol.messages import SelfTest, Stop, Stopped
from firmware_protocol.vectors import frame_of
from firmware_protocol.vocabulary import Input, Mode, StopKind
from qa.conformance.bench import ENDING_MAX_S, Bench
from qa.conformance.case import Group
from qa.conformance.frames import SPECS, counts_of
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

REPEATS: Final = 5
STRANGER: Final = 0xC0FF_EE01


async def _leads(bench: Bench, kind: StopKind, mode: Mode) -> None:
    """Stop and check that STOPPED and TELEMETRY both say where that led."""
    stopped = await bench.stop(kind)
    led = Mode(stopped.mode)
    expect(led is mode, f"{kind.name} led to {led.name}, and should to {mode.name}")
    expect(stopped.valve_percent <= 1, f"the valve is {stopped.valve_percent} % open")
    _, seen = await bench.peer.telemetry("no telemetry", lambda _: True)
    expect(seen.mode == mode, f"TELEMETRY says {Mode(seen.mode).name} after STOPPED")


@case("C60", "Every STOP is answered with STOPPED, from any session or none, and counts as no "
      "error.", "H49")  # fmt: skip
async def every_stop_is_answered(bench: Bench) -> None:
    await bench.fresh()
    peer = bench.peer
    for session in (0, peer.session, STRANGER):
        mark = peer.mark
        peer.write((DELIMITER + encode(Stop(StopKind.NORMAL), session, 0)) * REPEATS)
        await asyncio.sleep(0.1)
        count = sum(1 for _ in peer.since(mark, Stopped))
        expect(count == REPEATS, f"{count} STOPPED for {REPEATS} STOP of session {session:#x}")
    bad = (await bench.status()).bad_frames
    expect(bad == 0, f"{bad} STOP counted as bad frames")


@case("C61", "STOP in DISARMED is answered and changes nothing.", "H49")
async def stop_in_disarmed(bench: Bench) -> None:
    await bench.fresh()
    for kind in StopKind:
        await _leads(bench, kind, Mode.DISARMED)


@case("C62", "STOP in SELFTEST leads to DISARMED.", "H49")
async def stop_in_selftest(bench: Bench) -> None:
    for kind in StopKind:
        await bench.configured()
        await bench.done(SelfTest())
        await bench.mode(Mode.SELFTEST)
        await _leads(bench, kind, Mode.DISARMED)


@case("C63", "STOP in READY leads to DISARMED.", "H49")
async def stop_in_ready(bench: Bench) -> None:
    for kind in StopKind:
        await bench.ready()
        await _leads(bench, kind, Mode.DISARMED)


@case("C64", "NORMAL in ARMED leads to STOPPING, purges for at least 2 s while the host lives, "
      "vents, and ends in DISARMED.", "H48", "H49")  # fmt: skip
async def an_orderly_stop_purges_and_vents(bench: Bench) -> None:
    await bench.armed()
    began_s = bench.peer.now_s
    await _leads(bench, StopKind.NORMAL, Mode.STOPPING)
    at_s, seen = await bench.mode(Mode.DISARMED, ENDING_MAX_S)
    expect(at_s - began_s >= PURGE_S, f"the orderly end took only {at_s - began_s:.2f} s")
    expect(bool(seen.inputs & Input.VENT_OPEN), "the vent is shut after the end")


@case("C65", "EMERGENCY in ARMED leads to DISARMED at once, pump off and vent open.", "H48", "H49")
async def an_emergency_stop_vents_at_once(bench: Bench) -> None:
    await bench.armed()
    await _leads(bench, StopKind.EMERGENCY, Mode.DISARMED)
    _, seen = await bench.peer.telemetry("no telemetry", lambda _: True)
    vented = seen.inputs & (Input.VENT_OPEN | Input.PUMP_COMMANDED) == Input.VENT_OPEN
    expect(vented, f"inputs are {Input(seen.inputs)!r}")


@case("C66", "EMERGENCY in STOPPING ends the purge; NORMAL in STOPPING changes nothing.", "H49")
async def an_emergency_overtakes_an_orderly_stop(bench: Bench) -> None:
    await bench.armed()
    await _leads(bench, StopKind.NORMAL, Mode.STOPPING)
    await _leads(bench, StopKind.NORMAL, Mode.STOPPING)
    await _leads(bench, StopKind.EMERGENCY, Mode.DISARMED)


@case("C67", "A STOP that follows noise or half a frame is understood: it brings its own "
      "delimiter.", "H49", "H11")  # fmt: skip
async def noise_swallows_no_stop(bench: Bench) -> None:
    await bench.ready()
    bench.peer.write(bytes(range(1, 20)))
    await asyncio.sleep(0.02)
    mark = bench.peer.mark
    bench.peer.write(DELIMITER + encode(Stop(StopKind.NORMAL), bench.peer.session, 0))
    await bench.peer.until(
        "a STOP behind noise is not answered",
        lambda: next(bench.peer.since(mark, Stopped), None), 0.3,
    )  # fmt: skip
    await bench.mode(Mode.DISARMED)


@case("C68", "A STOP is a STOP with any of the known flags, so that a host may mark its repeats "
      "with RETRY, and counts as no error.", "H49", "H11")  # fmt: skip
async def the_flags_of_a_stop_do_not_matter(bench: Bench) -> None:
    await bench.ready()
    peer, stop = bench.peer, Stop(StopKind.NORMAL)
    plain = frame_of(SPECS[Stop], counts_of(stop), session=peer.session, seq=0)
    for flags in (plain.flags | RETRY, *range(FLAGS_KNOWN + 1)):
        mark = peer.mark
        peer.write(DELIMITER + replace(plain, flags=flags).wire())
        await peer.until(
            f"a STOP with flags {flags:#04x} is not answered",
            lambda: next(peer.since(mark, Stopped), None), 0.3,  # noqa: B023 (awaited at once)
        )  # fmt: skip
        await bench.mode(Mode.DISARMED)
    bad = (await bench.status()).bad_frames
    expect(bad == 0, f"{bad} STOP counted as bad frames")
