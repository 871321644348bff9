"""The chapters of PROTOCOL.md about the unit: what it does with what it is told, and its numbers.

What a request does, why it is refused and what makes void is found by trying the simulator's own
firmware (`tools.unit_tables`); the numbers are read from its code. Sentences name constants.
"""
# ruff: noqa: E501 (sentences of a document, with the names of constants where it has numbers)

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Final

from controller.device.handpiece import BUSY_PAUSE_S
from controller.device.port import BAUD
from controller.device.stopping import STOP_REPEAT_MAX_S, STOP_REPEAT_S
from controller.safety.interlocks import RULES, Interlock
from firmware_protocol import envelope as e
from firmware_protocol.frame import RUN_KEPT_BYTES
from firmware_protocol.messages import WITNESSED_MAX
from firmware_protocol.vocabulary import (
    Capability,
    Defect,
    Input,
    LogCode,
    Mode,
    Permit,
    StopKind,
    Wish,
)
from simulator.firmware import (
    board,
    channel_b,
    contact,
    firmware,
    guards,
    memory,
    modes,
    outputs,
    selftest,
    setpoints,
    watchdog,
)
from tools.constants import constants_of, meanings_of
from tools.unit_tables import REFUSALS, REQUESTS, durations, refusals, tried, voids
from tools.unit_trial import CONFIG, SETPOINT

MODULES: Final[tuple[ModuleType, ...]] = (
    firmware, setpoints, contact, outputs, selftest, guards, channel_b, board, memory, watchdog,
)  # fmt: skip
"""Whose constants are told, in this order."""
_UNTOLD: Final = frozenset(name for name in vars(e) if name.isupper()) | {"NOTES_MAX"}
"""Those that have a table of their own, and one of the simulator's recordings."""
RECORD_BYTES: Final = 16
SMALL_PART_BYTES: Final = 20_480
FRAME_BYTES: Final = 39
HEALTHY_MIN_S: Final = (e.STREAM_HEALTHY_FRAMES - 1) * e.SETPOINT_PERIOD_S
"""From the first setpoint to the last of those that ARM needs."""
STOP_EFFECT_S: Final = next(
    rule.grace_s for rule in RULES if rule.interlock is Interlock.STOP_WITHOUT_EFFECT
)
"""How long our host gives the valve to shut after a STOP; then it trips."""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


# -- the tables ------------------------------------------------------------------------------------
def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _modes() -> str:
    meaning, lasts = meanings_of(Mode), durations()
    rows = []
    for mode, policy in modes.POLICY.items():
        drives = [
            *(["pump"] if policy.armed or policy.ending else []),
            *(["valve"] if policy.valve else []),
        ]
        after = f"{lasts[mode.name]:.2f} s" if mode.name in lasts else ""
        rows.append((f"{mode.value} {mode.name}", meaning[mode.name], " and ".join(drives), after))
    return _table(("mode", "", "may drive", "ends by itself after"), rows)


def _requests() -> str:
    found = tried()
    rows = ([name, *(found[name][mode] for mode in Mode)] for name in REQUESTS)
    return _table(("request", *(mode.name for mode in Mode)), rows)


def _refusals() -> str:
    rows = [
        (request, f"{number}", refusal.name, "; ".join(wrong.value for wrong in named))
        for request in REFUSALS
        for number, (refusal, named) in enumerate(refusals(request), 1)
    ]
    return _table(("request", "order", "refusal", "where"), rows)


def _voids() -> str:
    rows = ([name, *kept] for name, kept in voids().items())
    return _table(("what happens in READY", "token", "configuration", "lease"), rows)


def _guards() -> str:
    rows = [
        (
            guard.cause.name,
            (guard.stands.__doc__ or "").rstrip("."),
            f"{guard.after_ms}",
            guard.watch.value,
        )
        for guard in guards.GUARDS
    ]
    return _table(("cause", "stands where", "for ms", "watched"), rows)


def _words() -> str:
    rows = [
        (words.__name__, name, meaning)
        for words in (StopKind, Wish, Permit, Input, Capability, Defect, LogCode)
        for name, meaning in meanings_of(words).items()
    ]
    return _table(("", "word", ""), rows)


def _limits() -> str:
    rows = [(f"`{one.name}`", f"{one.value:g}", one.why) for one in constants_of(e)]
    return _table(("limit", "value", ""), rows)


def _constants() -> str:
    rows = [
        (f"`{one.name}`", f"{one.value:g}", one.why)
        for module in MODULES
        for one in constants_of(module)
        if one.name not in _UNTOLD
    ]
    return _table(("constant", "value", ""), rows)


_LIMITER: Final = e.BAD_FRAMES_LONG_MAX + 1
KEPT: Final[tuple[tuple[str, int, str], ...]] = (
    ("bytes since the last delimiter", RUN_KEPT_BYTES, ""),
    ("one decoded frame", FRAME_BYTES, ""),
    ("session, minor, boot id, serial number, both nonces", 4 + 1 + 4 + 4 + 8, ""),
    ("newest sequences: periodic sent, periodic used, one-shot seen, one-shot executed", 4 * 2, ""),
    ("the newest answer, for repeats of its request", FRAME_BYTES, "the fields of RESULT, 8 bytes; a record is read from the log again"),
    ("the newest HELLO and its IDENT, for repeats", 2 + 10 + 24, ""),
    ("times of the newest bad frames, and their number", _LIMITER * 4 + 2, "the newest 6 and a count that a clean hour clears, which is stricter: 30 bytes"),
    ("ticks of the newest TELEMETRY", setpoints.SENT_TICKS_MAX * 4, ""),
    ("ticks of the newest accepted setpoints", e.STREAM_HEALTHY_FRAMES * 4, ""),
    ("the setpoint in force, its loop counter, the lease of each channel", 19 + 2 + 2 * 5, ""),
    ("configuration, token, mode, latched cause and its tick", 11 + 4 + 1 + 1 + 4, ""),
    ("clocks of the guards", len(guards.GUARDS) * 2, ""),
    ("dwell, switch, self-test and totals", 3 * 4 + 3 * 4 + 32 + 3 * 4, ""),
    ("resets of the newest causes", board.RESETS_MAX * 5, ""),
    ("event log", memory.CAPACITY * RECORD_BYTES, "256 records, which is what a host reads back; none in a unit without LOG_READ, which gives no answer to it"),
    ("witness: name, row, hash and decisions of four journals, over a restart", WITNESSED_MAX * (8 + 4 + 12 + 1), "none in a unit of minor 0"),
    ("frames that wait to be written", firmware.OUTGOING_MAX_BYTES, "two frames: TELEMETRY for which there is no room is left out, and its tick is no echo"),
)  # fmt: skip
"""What a unit keeps between two bytes: what, bytes in a plain C struct, what a small one may do."""


def kept_bytes() -> int:
    """Return how much a unit keeps in all."""
    return sum(size for _, size, _ in KEPT)


def _kept() -> str:
    rows = [(what, f"{size}", small) for what, size, small in KEPT]
    rows.append(
        ("**in all**", f"**{kept_bytes()}**", f"fits a part with {SMALL_PART_BYTES // 1024} kB")
    )
    return _table(("what is kept", "bytes", "a smaller unit may keep"), rows)


# -- the page --------------------------------------------------------------------------------------
def _to_crystals() -> str:
    return f"""\
# The unit

What follows is the behaviour of a unit. The tables of requests, refusals and of what makes void were made by bringing the simulator's firmware into each
mode and trying each request there; the numbers are read from its code. A unit may be stricter than these guards; the shared limits are the contract.

## From power-on to crystals

A client that treats does this, in this order. `->` is what it sends.

1. Open the port: {BAUD} baud, 8 data bits, no parity, 1 stop bit, no flow control; over USB, pty and TCP the speed means nothing. Nothing is sent by a unit without a session,
   except IDENT and STOPPED. What was received before the first zero byte may be the end of a frame: throw it away.
2. `-> HELLO`, with a fresh nonce. In BOOT the answer waits for its end. IDENT says NONE, or VERSION, or BUSY: a treatment is armed or comes to its end. Ask anew
   every {_ms(BUSY_PAUSE_S)}: where its host is gone the lease lapses within {e.LEASE_MAX_MS + e.LEASE_MARGIN_S * 1000:.0f} ms, and an orderly end takes {e.PURGE_S + e.VENT_TIMEOUT_S:.0f} s at most.
   A session begins in DISARMED, **or in SAFE: a trip outlives every session.** Without telemetry from the unit for 1 s count it as gone and begin again with HELLO.
3. TELEMETRY comes from now on. In SAFE: see to the cause, let a person acknowledge it, `-> RESET` with it. The acknowledgement is the host's duty, the unit cannot see it. RESET needs no setpoints.
   A cause that is watched only while a treatment is armed does not stand in SAFE, such as LEASE_LAPSED and DWELL. STATUS tells in `defects` what the self-test at power-on found.
4. `-> CONFIG`. The treatment is any number but 0, and a new one for each treatment. `tip` is the number of the tip that is fitted, 1 to 255: it is printed on the tip, the unit
   reads it from the tip's coding, and **nothing on the wire tells it**. A simulated unit has tip 1. A `suction_min_pa` below
   {e.SUCTION_PERMIT_MIN_PA} counts as {e.SUCTION_PERMIT_MIN_PA}. The unit answers with the check value.
5. `-> SETPOINT` every {_ms(e.SETPOINT_PERIOD_S)}, **before ARM and until the treatment is over**, first when TELEMETRY of this session has come: there is no tick to echo before. Before ARM a setpoint drives
   nothing, whatever it wishes. It must name the treatment of CONFIG (0 before CONFIG); with any other it is dropped. The loop counter may begin anywhere in a session and is one more each time.
6. `-> SELFTEST`, with the hand switch released; the tip may be on the skin: CONTACT is told in every mode, with and without suction. RESULT comes at once, with the token; the test itself lasts {durations()["SELFTEST"]:.1f} s, after at most {selftest.VENT_WAIT_MAX_MS / 1000:.0f} s of venting. It has passed when
   the mode is READY. It has failed when the mode goes from SELFTEST to DISARMED without a STOP: STATUS tells why in `defects`, and ARM is refused with SELF_TEST_FAILED.
7. `-> ARM` with that token and the treatment, when {e.STREAM_HEALTHY_FRAMES} setpoints were accepted in the last second: {HEALTHY_MIN_S:.2f} s after the first at the earliest. ARMED lasts {e.ARM_WAIT_MAX_S:.0f} s: if nobody presses the hand switch, the unit goes to DISARMED.
   From now on setpoints wish for ALL: PUMP and FLOW, with a suction and a flow. A host that wants crystals to wait leaves FLOW out, and PUMP alone holds the suction.
8. A person presses the hand switch: ARMED becomes ACTIVE, **whether or not the host wishes for flow and the tip is on the skin**. The person who holds the switch agrees, and the valve opens
   when all of `permits` are set: with the first setpoint that wishes for flow, without a new press, and no sooner than {_ms(e.VALVE_CLOSED_MIN_S)} after it was last shut.
   Crystals flow where `flow_mg_per_min` is above {guards.FLOW_NONE_G_PER_MIN * 1000:.0f}; less cannot be told from the noise of the sensor.
   A person who lets go leads to PAUSED. So does a host that takes its wish back: after a setpoint that wished for flow, one without FLOW or with a flow of 0. From PAUSED only a new press leads to ACTIVE, and only while the host wishes for flow.
9. `exposure_left_mg` is what may still flow in this zone, from the arrival of this setpoint. The host counts it down with `crystal_total_mg` of STATUS or with the measured flow;
   the unit counts from each setpoint on and shuts the valve at 0.
10. `-> STOP normal` ends the treatment. **Go on with the setpoints until the mode is DISARMED:** STOPPING purges for {e.PURGE_S:.0f} s and then vents, and a lapsed lease cuts the purge short. It is no trip there.
    What these setpoints wish for means nothing, and the hand switch may be pressed or not. The purge goes on at the suction that was in force, but at {outputs.PURGE_MIN_PA:.0f} Pa at least, and never above `suction_max_pa`.
11. The session goes on, after a trip too. `-> CONFIG` with a new number begins the next treatment; sequences and loop counter go on. In between, setpoints may go on or cease: in DISARMED, SELFTEST and READY a lapsed
    lease is no trip. A session has no farewell: a host that is through falls silent in DISARMED, and the unit goes on with TELEMETRY until the next HELLO or restart.

**An example.** These values bring crystals to flow in the simulated unit; they say nothing of what a skin bears. CONFIG: `suction_max_pa` {CONFIG.suction_max_pa}, `flow_max_mg_per_min` {CONFIG.flow_max_mg_per_min},
`suction_min_pa` {CONFIG.suction_min_pa}, `tip` {CONFIG.tip}. SETPOINT: `lease_ms` {SETPOINT.lease_ms}, `suction_pa` {SETPOINT.suction_pa}, `flow_mg_per_min` {SETPOINT.flow_mg_per_min}, `exposure_left_mg` {SETPOINT.exposure_left_mg} and counted down.

@DWELL@
**How fast outputs rise.** Suction rises by {setpoints.SUCTION_UP_PA_PER_MS:.0f} Pa each millisecond and flow by {setpoints.FLOW_UP_MG_PER_MIN_PER_MS:.0f} mg/min each millisecond, each from 0 whenever its output was off; both fall at once. `set_suction_pa` and
`set_flow_mg_per_min` of TELEMETRY show where they are.

**Answer time.** A unit answers STOP and every request within one tick of its loop ({firmware.TICK_MS} ms) after the last byte, and {FRAME_BYTES + 2} bytes take {(FRAME_BYTES + 2) * 10_000 / BAUD:.1f} ms at {BAUD} baud. IDENT in BOOT comes at its end.

**Whole frames or none.** A unit that has no room for a frame leaves out the whole frame, never a part. TELEMETRY that was left out was not sent, and its tick is no echo.
"""


def _on_one_spot() -> str:
    return f"""\
**How long on one spot.** Three clocks run over the patch of skin below the tip.

- Still tip: VALVE_COMMANDED and CONTACT are set and MOTION is not; with MOTION_SENSOR only. More than {e.DWELL_TRIP_S:.0f} s trip with DWELL; warn the person after {e.DWELL_WARN_S:.0f} s. A tip that moves begins it anew.
- Seal: VALVE_COMMANDED and CONTACT are set, MOTION or not. More than {e.SEAL_UNBROKEN_MAX_S:.0f} s of open valve in one seal trip with DWELL, however long the pauses between.
- Sucked skin: CONTACT is set and suction is above {e.CONTACT_SUCTION_MIN_PA} Pa, valve open or shut. More than {e.SUCKED_MAX_S:.0f} s trip with CONTACT_TOO_LONG. Less suction begins it anew.

A lift begins all three anew: one sample without CONTACT, every {firmware.TICK_MS} ms, is enough. A shut valve halts the first two and does not begin them anew: no pause, STOP, RESET
or new session does. After a trip by DWELL and its RESET, ARM trips again where the tip was not lifted (or, where it stood still, moved).
"""


def _rules() -> str:
    return f"""
## What confirms a STOP

STOPPED says that the stop was heard, and what the valve showed **at that moment**: a valve needs up to 50 ms, so that it is usually still open. A stop is confirmed by
a mode in which nothing can flow **and** `valve_percent` of at most {guards.VALVE_SHUT_PERCENT:.0f}, in STOPPED or TELEMETRY: BOOT, DISARMED or SAFE, and STOPPING for a normal stop. Repeat STOP every {_ms(STOP_REPEAT_S)} until then,
{STOP_REPEAT_MAX_S:.0f} s at most; repeats do not begin the purge anew. From STOP normal on the setpoints wish for PUMP alone, with a flow of 0; from STOP emergency on they cease.
A normal stop without effect becomes an emergency after {STOP_EFFECT_S:.1f} s at most. What is not confirmed when the {STOP_REPEAT_MAX_S:.0f} s are over, a person ends: lift the tip, switch the unit off at the mains. `suction_pa` says whether the skin is let go: at most {e.VENTED_MAX_PA} Pa.

## Modes

{{modes}}

Durations are those of a healthy unit with nothing in the way; STOPPING takes up to {e.PURGE_S + e.VENT_TIMEOUT_S:.0f} s.

## Each request in each mode

Everything else is as it must be: a session, a configuration, a stream of setpoints, a released switch where one is needed. "done, MODE" names the mode where it changes. A request
without a session is a bad frame (SESSION) and has no answer. A setpoint that is dropped has no answer.

{{requests}}

## Why a request is refused

Where more than one thing is wrong, the first of these is told.

{{refusals}}

## What makes void

{{voids}}

A restart voids everything. ARM uses its token up: a second ARM needs a new SELFTEST. After each STOP, trip and new session too.

## The end of a record

A record on the host's computer cannot show by itself that its end was cut off, or that it was replaced as a whole. So the host tells the unit at each disarm which row of which journal is the newest (WITNESS_KEEP), once that row is durable,
and asks before each arming (WITNESS_ASK). The unit keeps the rows of {WITNESSED_MAX} journals, the newest first, over restarts; one more replaces the one that was kept longest ago. A row never goes back by itself: a lower one, or another hash of the same row, is refused
with WITNESS_AHEAD, unless `decided` says that a technician has decided on it, which the unit counts. Nothing of this moves, permits or shuts anything, and no answer is waited for by what does. It witnesses
against who owns the files of the host, not against who can write to the unit. A unit of minor 0 has none of it, and is told none.

## What trips a unit

First out: the first row that has stood for its time latches SAFE. Channel B, which shares nothing with these rows, trips by itself on OVER_SUCTION ({channel_b.OVER_SUCTION_MAX_MS} ms), SENSOR_INVALID ({channel_b.SENSOR_LOST_MAX_MS} ms), SENSOR_FROZEN
({channel_b.SENSOR_FROZEN_MAX_MS} ms) and VALVE_STUCK_OPEN ({channel_b.VALVE_OPEN_MAX_MS} ms) of its own sensor and the valve's switch. A hang of the firmware restarts the unit within {watchdog.STALL_MAX_MS} ms, with outputs off.

{{guards}}
"""


def _figures() -> str:
    return f"""
## What the words mean

Modes have their table above, causes that of the guards, refusals theirs.

{{words}}

## The limits that both ends share

Part of the schema hash: a change of one is a new major version.

{{limits}}

## The constants of the unit

Of the simulated unit, whose loop runs every {firmware.TICK_MS} ms. Those of another unit may be stricter.

{{constants}}

## What a unit keeps

{{kept}}

Of this only the event log, the count of restarts and the witness outlive a restart. A HELLO is kept over sessions, everything else of a session ends with it.
"""


def unit_chapters() -> str:
    """Return the chapters about the unit."""
    tables: Mapping[str, Callable[[], str]] = {
        "modes": _modes, "requests": _requests, "refusals": _refusals, "voids": _voids,
        "guards": _guards, "words": _words, "limits": _limits, "constants": _constants, "kept": _kept,
    }  # fmt: skip
    text = _to_crystals().replace("@DWELL@", _on_one_spot()) + _rules() + _figures()
    for name, render in tables.items():
        text = text.replace(f"{{{name}}}", render())
    return text
