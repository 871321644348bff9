"""The port doctor: opens a port, listens, says HELLO, and names what is wrong with it.

It moves nothing: it never sends a SETPOINT, and a unit that another host has armed keeps its
session. Each finding is a sentence and, where something is wrong, what to do about it.
"""

import asyncio
import statistics
from functools import partial
from typing import Final, NamedTuple

from controller.device.answers import (
    DeviceError,
    PortError,
    SilentError,
    UnitBusyError,
    VersionMismatchError,
    WrongUnitError,
)
from controller.device.evidence import Evidence, Look, Verdict, judge
from controller.device.handpiece import HandpieceClient, Listeners
from controller.device.port import BAUD
from controller.device.transport import ByteStream, OnData, OnLost, OpenStream, open_stream
from controller.safety import defects
from controller.safety.reading import Identity
from firmware_protocol.vocabulary import Cause

LISTEN_S: Final = 1.0  # 50 telemetry frames, and a whole line of most talkers
ROUND_TRIPS: Final = 20  # a median that one late frame does not move
ROUND_TRIP_MAX_S: Final = 0.030  # beyond it the echo of the tick gets close to its 100 ms
BIT_ERRORS_MAX: Final = 1e-6  # one damaged frame in an hour of telemetry is 1.4e-8; 40 are 6e-7
MS_PER_S: Final = 1000


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    ok: bool
    sentence: str
    next_step: str = ""


async def diagnose(
    url: str, *, serial: int | None = None, open_port: OpenStream | None = None
) -> list[Finding]:
    """Look at the port ``url`` and the unit behind it, which should be ``serial`` where given."""
    evidence = Evidence()
    opener = _listening(open_port or partial(open_stream, url), evidence)
    client = HandpieceClient(opener, Listeners(), serial=serial)
    try:
        identity = await client.connect()
    except PortError as error:
        return [Finding("port", ok=False, sentence=error.sentence, next_step=error.next_step)]
    except DeviceError as error:
        return [_port(url), await _trouble(error, opener, evidence)]
    try:
        await asyncio.sleep(LISTEN_S)
        unit = [_port(url), *_unit(identity, known=serial is not None)]
        seen = [*_state(client), await _round_trip(client), _line(client, evidence)]
        return [*unit, _gone(evidence.lost)] if evidence.lost else [*unit, *seen]
    finally:
        await client.close()


def _listening(opener: OpenStream, evidence: Evidence) -> OpenStream:
    """Return an opener that also keeps what comes in, and why the line went away."""

    async def opened(on_data: OnData, on_lost: OnLost) -> ByteStream:
        def heard(data: bytes) -> None:
            evidence.add(data)
            on_data(data)

        def gone(why: str) -> None:
            evidence.lost = why
            on_lost(why)

        return await opener(heard, gone)

    return opened


async def _trouble(error: DeviceError, opener: OpenStream, evidence: Evidence) -> Finding:
    check = _CHECKS.get(type(error), "line")
    if not isinstance(error, SilentError):
        return Finding(check, ok=False, sentence=error.sentence, next_step=error.next_step)
    await _listen_on(opener)
    return _stranger(judge(evidence))


_CHECKS: Final[dict[type[DeviceError], str]] = {
    VersionMismatchError: "version",
    WrongUnitError: "unit",
    UnitBusyError: "unit",
}


async def _listen_on(opener: OpenStream) -> None:
    """Give a talker that does not answer the time to say something by itself."""
    try:
        stream = await opener(_ignore, _ignore)
    except DeviceError:  # gone meanwhile; what was heard before still counts
        return
    try:
        await asyncio.sleep(LISTEN_S)
    finally:
        stream.close()


def _ignore(_: object) -> None:
    """Take no notice: the evidence is kept on the way here."""


def _stranger(verdict: Verdict) -> Finding:
    sentence, next_step = _STRANGERS[verdict.look]
    return Finding("line", ok=False, sentence=sentence.format(verdict), next_step=next_step)


_CABLE: Final = "check plug and cable, and that nothing strong is switched near the line"
_STRANGERS: Final = {
    Look.SILENT: (
        "nothing was received: the port is open, but nobody answers on it",
        "switch the unit on, and check the cable and that this is the port of the handpiece",
    ),
    Look.TEXT: (
        'the other end speaks readable text, not our protocol: "{0.detail}"',
        "this is another device, or a unit in its boot loader; name another port",
    ),
    Look.FOREIGN: (
        "the other end speaks another protocol: {0.detail}",
        "this is another device; name another port",
    ),
    Look.ECHO: (
        "our own frames come back: receive and transmit are joined, and no unit is there",
        "take the loop out of the cable, or switch off the echo of the adapter",
    ),
    Look.ECHOED: (
        "our own frames come back beside those of the unit ({0.good_frames}), which does not "
        "answer HELLO",
        "take the loop out of the cable, or switch off the echo of the adapter",
    ),
    Look.FRAMES: (
        "the unit sends whole frames ({0.good_frames}) but does not answer HELLO",
        "the line to the unit is broken in one direction: check the cable, then restart the unit",
    ),
    Look.DAMAGED: (
        "{0.bad_frames} of the unit's frames are damaged, {0.good_frames} are whole (bit error "
        "rate about {0.bit_error_ratio:.1e}), and HELLO is not answered",
        _CABLE,
    ),
    Look.NOISE: (
        "bytes are received but no frame can be read: noise, or another speed than the "
        f"{BAUD} baud of this program",
        f"set the unit to {BAUD} baud; if it is, {_CABLE}",
    ),
}


def _port(url: str) -> Finding:
    return Finding("port", ok=True, sentence=f"{url} opens and is free")


def _unit(identity: Identity, *, known: bool) -> list[Finding]:
    kind = "a simulated unit" if identity.simulated else "a unit"
    whose = "the expected unit" if known else kind
    motion = "with" if identity.motion_sensor else "without"
    return [
        Finding(
            "unit",
            ok=True,
            sentence=f"{whose} answers: serial number {identity.serial}, firmware "
            f"{identity.firmware}, boot {identity.boot_id:08x}, {motion} a motion sensor"
            + (" (simulated)" if known and identity.simulated else ""),
        )
    ]


def _state(client: HandpieceClient) -> list[Finding]:
    reading = client.newest
    if reading is None:
        return [
            Finding(
                "state",
                ok=False,
                sentence="the unit answers HELLO but sends no telemetry",
                next_step="restart the unit; if it stays so, it needs service",
            )
        ]
    if reading.cause is not Cause.NONE:
        cause = reading.cause.name.lower().replace("_", " ")
        return [
            Finding(
                "state",
                ok=False,
                sentence=f"the unit has tripped and holds itself safe: {cause}",
                next_step="see to the cause, then acknowledge and reset it",
            )
        ]
    state = Finding("state", ok=True, sentence=f"the unit is {reading.mode.name.lower()}")
    found = "" if reading.supplies is None else defects.told(reading.supplies.defects)
    if not found:
        return [state]
    return [
        state,
        Finding(
            "self-test",
            ok=False,
            sentence=f"the newest self-test of the unit found: {found}",
            next_step="see to it and switch the unit off and on; call service if it stays",
        ),
    ]


def _gone(why: str) -> Finding:
    """Return what counts beside nothing else: a line that went away tells nothing of the unit."""
    sentence = f"the line was lost while it was looked at: {why}"
    return Finding("line", ok=False, sentence=sentence, next_step=_CABLE)


async def _round_trip(client: HandpieceClient) -> Finding:
    loop = asyncio.get_running_loop()
    took_s = []
    for _ in range(ROUND_TRIPS):
        began_s = loop.time()
        if await client.log_record(0) is None:
            break
        took_s.append(loop.time() - began_s)
    if len(took_s) < ROUND_TRIPS:
        return Finding(
            "round trip",
            ok=False,
            sentence=f"only {len(took_s)} of {ROUND_TRIPS} questions were answered",
            next_step=_CABLE,
        )
    p50_s = statistics.median(took_s)
    quick = p50_s <= ROUND_TRIP_MAX_S
    return Finding(
        "round trip",
        ok=quick,
        sentence=f"half of the questions are answered within {max(p50_s * MS_PER_S, 1.0):.1f} ms",
        next_step="" if quick else "set the latency timer of the USB adapter to 1 ms",
    )


def _line(client: HandpieceClient, evidence: Evidence) -> Finding:
    verdict = judge(evidence)
    rate = verdict.bit_error_ratio or 0.0
    if client.bad_frames == 0:
        heard = f"no damaged frame among {verdict.good_frames}"
        return Finding("line", ok=True, sentence=heard)
    return Finding(
        "line",
        ok=rate <= BIT_ERRORS_MAX,
        sentence=f"{client.bad_frames} damaged frames in {LISTEN_S:g} s, bit "
        f"error rate about {rate:.1e}",
        next_step=_CABLE,
    )
