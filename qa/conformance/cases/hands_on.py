"""Cases that need a hand at the switch and the skin, or a fault in the unit."""

import asyncio
from itertools import pairwise
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.envelope import (
    BUDGET_NO_CONTACT_S,
    BUDGET_SWITCH_S,
    LEASE_MARGIN_S,
    VALVE_CLOSED_MIN_S,
)
from firmware_protocol.frame import DELIMITER
from firmware_protocol.messages import UNKNOWN_U16, Arm, SelfTest, Stop, Stopped, Telemetry
from firmware_protocol.session import age_ms
from firmware_protocol.vocabulary import (
    Cause,
    Defect,
    Input,
    Mode,
    Permit,
    Refusal,
    StopKind,
    Wish,
)
from qa.conformance.bench import (
    SELF_TEST_MAX_S,
    STREAM_S,
    TREATMENT,
    Bench,
    is_open,
)
from qa.conformance.case import Group, Needs
from qa.conformance.peer import MS_PER_S
from qa.conformance.verdicts import expect

GROUP = Group()
case = GROUP.case

STOP_BUDGET_S: Final = 0.100
LEASE_S: Final = 0.200
WATCH_S: Final = 0.5
CHATTER_S: Final = 1.5  # under the 2 s of the dwell guard
REPORT_MS: Final = 25  # between two TELEMETRY


async def _stays_shut(bench: Bench, what: str) -> None:
    """Watch the valve for a while."""
    end_s = bench.peer.now_s + WATCH_S
    while bench.peer.now_s < end_s:
        _, seen = await bench.peer.telemetry("no telemetry", lambda _: True)
        expect(seen.valve_percent <= 1, f"the valve is {seen.valve_percent} % open {what}")


@case("C70", "The valve opens with every permissive and with no fewer: not pressed without skin, "
      "not on skin without a press.", "H04", "H18", needs=Needs.HAND)  # fmt: skip
async def the_valve_needs_every_permissive(bench: Bench) -> None:
    await bench.armed(wish=Wish.ALL)
    await bench.hand("press")
    await _stays_shut(bench, "off the skin")
    await bench.hand("release", "place")
    await _stays_shut(bench, "with the switch released")
    await bench.hand("press")
    _, seen = await bench.peer.telemetry("the valve stays shut", is_open, 2.0)
    expect(seen.permits == Permit.ALL, f"it opened with {Permit(seen.permits)!r}")
    expect(seen.mode == Mode.ACTIVE, f"it opened in {Mode(seen.mode).name}")


@case("C71", "A released switch shuts the valve within 100 ms, and the unit is PAUSED.", "H36",
      needs=Needs.HAND)  # fmt: skip
async def a_release_shuts_the_valve(bench: Bench) -> None:
    await bench.active()
    took_s = await bench.shut_after(await bench.hand("release"))
    bench.within(took_s, BUDGET_SWITCH_S, "valve shut after a release")
    await bench.mode(Mode.PAUSED)


@case("C72", "A tip that is lifted shuts the valve within 100 ms.", "H04", needs=Needs.HAND)
async def a_lift_shuts_the_valve(bench: Bench) -> None:
    await bench.active()
    took_s = await bench.shut_after(await bench.hand("lift"))
    bench.within(took_s, BUDGET_NO_CONTACT_S, "valve shut after a lift")


@case("C73", "STOP in ACTIVE shuts the valve within 100 ms: NORMAL leads to STOPPING, EMERGENCY to "
      "DISARMED.", "H49", needs=Needs.HAND)  # fmt: skip
async def stop_in_active(bench: Bench) -> None:
    for kind, mode in ((StopKind.NORMAL, Mode.STOPPING), (StopKind.EMERGENCY, Mode.DISARMED)):
        await bench.active()
        began_s = bench.peer.now_s
        stopped = await bench.stop(kind)
        expect(stopped.mode == mode, f"{kind.name} led to {Mode(stopped.mode).name}")
        bench.within(await bench.shut_after(began_s), STOP_BUDGET_S, f"valve shut by {kind.name}")


@case("C74", "STOP in PAUSED: NORMAL leads to STOPPING, EMERGENCY to DISARMED.", "H49",
      needs=Needs.HAND)  # fmt: skip
async def stop_in_paused(bench: Bench) -> None:
    for kind, mode in ((StopKind.NORMAL, Mode.STOPPING), (StopKind.EMERGENCY, Mode.DISARMED)):
        await bench.active()
        await bench.hand("release")
        await bench.mode(Mode.PAUSED)
        stopped = await bench.stop(kind)
        expect(stopped.mode == mode, f"{kind.name} led to {Mode(stopped.mode).name}")


@case("C75", "With crystals flowing, silence shuts the valve within 250 ms of the last setpoint "
      "and latches LEASE_LAPSED.", "H10", "H12", needs=Needs.HAND)  # fmt: skip
async def silence_shuts_the_valve(bench: Bench) -> None:
    await bench.active()
    bench.peer.stop_stream()
    took_s = await bench.shut_after(bench.peer.setpoint_at_s)
    bench.within(took_s, LEASE_S + LEASE_MARGIN_S, "valve shut after silence")
    _, seen = await bench.mode(Mode.SAFE)
    expect(seen.cause == Cause.LEASE_LAPSED, f"the cause is {Cause(seen.cause).name}")


@case("C76", "With the switch pressed SELFTEST and ARM are refused with SWITCH_PRESSED.", "H36",
      "H18", needs=Needs.HAND)  # fmt: skip
async def a_pressed_switch_arms_nothing(bench: Bench) -> None:
    await bench.ready()
    await asyncio.sleep(STREAM_S)
    await bench.hand("press")
    await asyncio.sleep(0.05)
    for message in (Arm(bench.token, TREATMENT), SelfTest()):
        refusal = await bench.outcome(message)
        name = type(message).__name__.upper()
        expect(refusal is Refusal.SWITCH_PRESSED, f"{name}: refusal {refusal.name}")


@case("C77", "With no exposure left the valve shuts.", "H01", needs=Needs.HAND)
async def a_spent_zone_shuts_the_valve(bench: Bench) -> None:
    await bench.active()
    bench.peer.wishes.exposure_left_mg = 0
    took_s = await bench.shut_after(bench.peer.now_s)
    bench.within(took_s, 0.250, "valve shut with no exposure left")


@case("C78", "A host that withdraws its wish for flow pauses the unit, and its wish alone does not "
      "resume: the switch must be pressed anew.", "H18", needs=Needs.HAND)  # fmt: skip
async def a_held_switch_does_not_resume(bench: Bench) -> None:
    await bench.active()
    bench.peer.wishes.wish = Wish.PUMP
    await bench.mode(Mode.PAUSED)
    await bench.shut_after(bench.peer.now_s)
    bench.peer.wishes.wish = Wish.ALL
    await _stays_shut(bench, "by the host's wish alone")


@case("C79", "After each closing the valve stays shut for 300 ms, also under a host that grants "
      "one milligram again and again.", "H01", "H05", needs=Needs.HAND)  # fmt: skip
async def the_valve_does_not_chatter(bench: Bench) -> None:
    await bench.active()
    bench.peer.wishes.exposure_left_mg = 1
    mark = bench.peer.mark
    await asyncio.sleep(CHATTER_S)
    seen = [m for _, _, m in bench.peer.since(mark, Telemetry)]
    shut_tick: int | None = None
    for before, after in pairwise(seen):
        was, now = (bool(each.inputs & Input.VALVE_COMMANDED) for each in (before, after))
        if was and not now:
            shut_tick = after.tick_ms
        elif now and not was and shut_tick is not None:
            shut_ms = age_ms(after.tick_ms, shut_tick)
            least_ms = VALVE_CLOSED_MIN_S * MS_PER_S - REPORT_MS
            expect(shut_ms >= least_ms, f"the valve opened {shut_ms} ms after it was shut")
    expect(shut_tick is not None, "with one milligram left the valve was not shut")


@case("C80", "After a restart the unit has no session, boots to DISARMED by itself, names another "
      "boot, and tells what its self-test at power-on found.", "H16", "H36", "H46",
      needs=Needs.FAULT)  # fmt: skip
async def a_restart_begins_with_nothing(bench: Bench) -> None:
    before = await bench.fresh()
    await bench.done(bench.config())
    await bench.hand("press")
    await bench.fault("power-dip")
    await asyncio.sleep(WATCH_S)
    after = await bench.peer.hello()
    expect(after.boot_id != before.boot_id, "the boot id is the same after a restart")
    _, seen = await bench.peer.telemetry("no telemetry", lambda _: True)
    expect(seen.mode == Mode.DISARMED, f"the unit booted to {Mode(seen.mode).name}")
    expect(seen.valve_percent == 0, "the valve is open after a restart")
    defects = (await bench.status()).defects
    told = bool(defects & Defect.SWITCH_PRESSED)
    expect(told, f"it started with the switch pressed, and STATUS tells {Defect(defects)!r}")


@case("C81", "A restart ends an armed treatment: its session is gone, its setpoints give nothing, "
      "and STOP is answered as soon as the unit speaks.", "H16", "H23", "H49",
      needs=Needs.FAULT)  # fmt: skip
async def a_restart_ends_the_treatment(bench: Bench) -> None:
    await bench.armed()
    await bench.fault("power-dip")
    mark, end_s = bench.peer.mark, bench.peer.now_s + WATCH_S
    await asyncio.sleep(0.030)  # what was on the line before
    late = bench.peer.mark
    while bench.peer.now_s < end_s:
        bench.peer.write(DELIMITER + encode(Stop(StopKind.NORMAL), 0, 0))
        await asyncio.sleep(0.010)
    old = [f for _, f, _ in bench.peer.since(late, Telemetry) if f.session == bench.peer.session]
    expect(not old, "the unit speaks in the session from before its restart")
    answers = [m for _, _, m in bench.peer.since(mark, Stopped)]
    expect(bool(answers), "no STOP was answered through a restart")
    for answer in answers:
        quiet = answer.mode in (Mode.BOOT, Mode.DISARMED) and answer.valve_percent <= 1
        expect(quiet, f"STOPPED says {Mode(answer.mode).name}, valve {answer.valve_percent} %")


@case("C82", "A sensor that is disconnected is told as unknown, and trips with SENSOR_INVALID.",
      "H09", needs=Needs.FAULT)  # fmt: skip
async def a_lost_sensor_is_unknown(bench: Bench) -> None:
    await bench.armed()
    await bench.fault("suction-a-disconnected")
    _, seen = await bench.mode(Mode.SAFE)
    expect(seen.cause == Cause.SENSOR_INVALID, f"the cause is {Cause(seen.cause).name}")
    expect(seen.suction_pa == UNKNOWN_U16, f"suction A is told as {seen.suction_pa} Pa")


@case("C83", "A self-test that fails leads to DISARMED, ARM is refused with SELF_TEST_FAILED, and "
      "STATUS names the defect.", "H28", needs=Needs.FAULT)  # fmt: skip
async def a_failed_self_test_is_told(bench: Bench) -> None:
    await bench.configured()
    await bench.fault("waste-full")
    token = await bench.done(SelfTest())
    await bench.mode(Mode.SELFTEST)
    await bench.mode(Mode.DISARMED, SELF_TEST_MAX_S)
    refusal = await bench.outcome(Arm(token, TREATMENT))
    expect(refusal is Refusal.SELF_TEST_FAILED, f"ARM: refusal {refusal.name}")
    defects = (await bench.status()).defects
    expect(bool(defects & Defect.WASTE_FULL), f"STATUS tells {Defect(defects)!r}")
    await bench.fault("waste-full", clear=True)
    await bench.ready()
    defects = (await bench.status()).defects
    expect(defects == 0, f"a passed self-test is told with {Defect(defects)!r}")
