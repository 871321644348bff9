"""The port doctor: each thing that can be wrong is told apart and named."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from controller.device.answers import PortError, PortTrouble
from controller.device.doctor import Finding, diagnose
from controller.device.evidence import KEPT_MAX, Evidence, Look, judge
from firmware_protocol.codec import encode
from firmware_protocol.messages import SelfTest, Setpoint
from firmware_protocol.vocabulary import Cause, Defect, Mode, Refusal
from qa.loop import run_virtual
from qa.rig import RigSpec, rig
from simulator.line import Weather
from tests.controller.device.bench import IDENT, SERIAL, TELEMETRY, FarEnd, talking

SETPOINT = Setpoint(200, 1, 1, 0, 0, 0, 0, 0)
KLIPPER = b"\x05\x10\x0f\x21\x7e" * 20
MAVLINK = b"".join(b"\xfd\x04\x00\x00" + bytes([n]) + bytes(range(1, 12)) for n in range(6))
MODBUS = bytes.fromhex("01 03 04 00 01 00 02 2a 32")


def findings(scenario: Coroutine[Any, Any, list[Finding]]) -> dict[str, Finding]:
    return {finding.check: finding for finding in run_virtual(scenario, limit_s=60.0)}


def noise(size: int, seed: int = 1) -> bytes:
    chance = random.Random(seed)  # noqa: S311 - a test must repeat
    return bytes(chance.getrandbits(8) for _ in range(size))


def look(*chunks: bytes) -> Look:
    evidence = Evidence()
    for chunk in chunks:
        evidence.add(chunk)
    return judge(evidence).look


async def with_talker(far: FarEnd, say: Callable[[], bytes]) -> list[Finding]:
    async def talk() -> None:
        while True:
            await asyncio.sleep(0.05)
            far.put(say())

    talker = asyncio.create_task(talk(), name="talker")
    try:
        return await diagnose("there", open_port=far.open)
    finally:
        talker.cancel()


def test_a_healthy_unit_is_described_in_full() -> None:
    async def scenario() -> list[Finding]:
        async with rig() as made:
            return await diagnose("the port", open_port=made.wire.open)

    found = findings(scenario())
    assert all(finding.ok for finding in found.values())
    assert set(found) == {"port", "unit", "state", "round trip", "line"}
    for word in ("simulated", "serial number 1001", "firmware 1.0", "boot "):
        assert word in found["unit"].sentence
    assert "6.0 ms" in found["round trip"].sentence
    assert "no damaged frame" in found["line"].sentence


def test_a_port_that_does_not_open_is_the_only_finding() -> None:
    error = PortError(PortTrouble.HELD, "it is held by process 5 (x)", "end it")
    found = findings(diagnose("there", open_port=FarEnd(open_error=error).open))
    assert list(found.values()) == [Finding("port", False, error.sentence, error.next_step)]  # noqa: FBT003


def test_silence_is_told_as_such() -> None:
    found = findings(diagnose("there", open_port=FarEnd(ident=None).open))
    assert found["port"].ok
    assert "nothing was received" in found["line"].sentence
    assert "switch the unit on" in found["line"].next_step


@pytest.mark.parametrize(
    ("bytes_heard", "words"),
    [
        (b"ok T:21.3 /0.0\r\n", 'readable text, not our protocol: "ok T:21.3'),
        (MODBUS, "Modbus RTU"),
        (KLIPPER, "0x7E"),
        (MAVLINK, "MAVLink 2"),
        (noise(64), "another speed than the 115200 baud"),
    ],
)
def test_a_stranger_on_the_line_is_named(bytes_heard: bytes, words: str) -> None:
    far = FarEnd(ident=None)
    found = findings(with_talker(far, lambda: bytes_heard))
    assert words in found["line"].sentence
    assert found["line"].next_step


def test_a_line_that_returns_our_own_frames_is_named() -> None:
    far = FarEnd(loops_back=True)
    found = findings(diagnose("there", open_port=far.open))
    assert "our own frames come back" in found["line"].sentence


@pytest.mark.hazard("H14")
def test_an_echo_with_a_unit_behind_it_is_named_and_not_taken_for_damage() -> None:
    found = findings(diagnose("there", open_port=FarEnd(echoes=True).open))
    assert (
        "unit 1001 answers, and our own frames come back beside its own" in found["line"].sentence
    )
    assert "echo of the adapter" in found["line"].next_step
    assert look(encode(SETPOINT, 5, 1) + encode(TELEMETRY, 77, 1)) is Look.ECHOED


def test_an_echo_with_a_deaf_unit_behind_it_is_named() -> None:
    far = FarEnd(ident=None, echoes=True)
    wire = encode(TELEMETRY, 77, 1)
    found = findings(with_talker(far, lambda: wire))
    assert "our own frames come back beside those of the unit" in found["line"].sentence


def test_a_unit_that_talks_but_does_not_listen_is_named() -> None:
    far = FarEnd(ident=None)
    wire = encode(TELEMETRY, 77, 1)
    found = findings(with_talker(far, lambda: wire))
    assert "does not answer HELLO" in found["line"].sentence


def test_a_noisy_line_gives_an_estimate_of_its_bit_errors() -> None:
    far = FarEnd(ident=None)
    wires = [encode(TELEMETRY, 77, 1), encode(TELEMETRY, 77, 2)[:20] + b"\x55\x55\x00"]
    turn = iter(range(10_000))
    found = findings(with_talker(far, lambda: wires[next(turn) % 2]))
    assert "bit error rate about" in found["line"].sentence


@pytest.mark.hazard("H33")
def test_another_version_names_both() -> None:
    far = FarEnd(ident=IDENT._replace(major=3, minor=3, refusal=Refusal.VERSION))
    found = findings(diagnose("there", open_port=far.open))
    assert "protocol 3.3" in found["version"].sentence
    assert "this program speaks 2.1" in found["version"].sentence


def test_another_unit_names_both() -> None:
    found = findings(diagnose("there", serial=4711, open_port=FarEnd().open))
    assert f"unit {SERIAL} answered" in found["unit"].sentence
    assert "4711" in found["unit"].sentence


def test_the_expected_unit_is_confirmed() -> None:
    async def scenario() -> list[Finding]:
        async with rig() as made:
            return await diagnose("there", serial=SERIAL, open_port=made.wire.open)

    assert "the expected unit" in findings(scenario())["unit"].sentence


def test_a_unit_that_another_host_has_armed_is_told() -> None:
    far = FarEnd(ident=IDENT._replace(refusal=Refusal.BUSY))
    assert "armed by another host" in findings(diagnose("x", open_port=far.open))["unit"].sentence


def test_a_unit_that_has_tripped_names_its_cause() -> None:
    async def scenario() -> list[Finding]:
        far = FarEnd(answer=lambda _message, _seq: None)
        tripped = TELEMETRY._replace(mode=Mode.SAFE, cause=Cause.LEASE_LAPSED)
        unit = asyncio.create_task(talking(far, tripped), name="unit")
        try:
            return await diagnose("there", open_port=far.open)
        finally:
            unit.cancel()

    found = findings(scenario())
    assert "lease lapsed" in found["state"].sentence
    assert not found["round trip"].ok


def test_what_the_newest_self_test_found_is_told() -> None:
    async def scenario() -> list[Finding]:
        async with rig() as made:
            await asyncio.sleep(0.2)  # through its self-test at power-on
            made.handpiece.firmware.board.tested(Defect.VALVE_OPEN | Defect.SUPPLY_LOW)
            return await diagnose("the port", open_port=made.wire.open)

    found = findings(scenario())["self-test"]
    assert not found.ok
    assert "the crystal valve was not shut, the supply is too low" in found.sentence


def test_a_unit_without_telemetry_is_told() -> None:
    found = findings(diagnose("there", open_port=FarEnd().open))
    assert "no telemetry" in found["state"].sentence
    assert not found["state"].ok


def test_a_slow_adapter_is_told_with_its_remedy() -> None:
    async def scenario() -> list[Finding]:
        async with rig(RigSpec(weather=Weather(delay_s=0.020))) as made:
            return await diagnose("there", open_port=made.wire.open)

    found = findings(scenario())
    assert not found["round trip"].ok
    assert "latency timer" in found["round trip"].next_step


def test_a_line_that_flips_bits_is_told_beside_a_unit_that_answers() -> None:
    async def scenario() -> list[Finding]:
        async with rig(RigSpec(weather=Weather(delay_s=0.003, flip_rate=0.002))) as made:
            return await diagnose("there", open_port=made.wire.open)

    found = findings(scenario())
    assert found["unit"].ok
    assert not found["line"].ok
    assert "damaged frames" in found["line"].sentence


def test_evidence_is_bounded() -> None:
    evidence = Evidence()
    for _ in range(100):
        evidence.add(bytes(1000))
    assert len(evidence.data) == evidence.size == KEPT_MAX


def test_too_few_bytes_prove_nothing() -> None:
    assert look(b"ok\r\n") is Look.NOISE
    assert look() is Look.SILENT


def test_noise_tells_how_many_frames_it_may_have_damaged() -> None:
    evidence = Evidence()
    evidence.add(b"\x05rubbish\x00\x05rubbish\x00")
    verdict = judge(evidence)
    assert (verdict.look, verdict.good_frames, verdict.bad_frames) == (Look.NOISE, 0, 2)


def test_frames_of_a_one_shot_prove_the_echo_only_on_the_way_to_the_device() -> None:
    assert look(encode(SETPOINT, 5, 1)) is Look.ECHO
    assert look(encode(SelfTest(), 5, 1, 0)) is Look.ECHO
    assert look(encode(TELEMETRY, 5, 1)) is Look.FRAMES


def test_the_estimate_of_bit_errors_is_near_the_truth() -> None:
    chance = random.Random(3)  # noqa: S311 - a test must repeat
    rate = 1e-3
    evidence = Evidence()
    for seq in range(1, 180):
        frame = bytearray(encode(TELEMETRY, 5, seq))
        for at in range(len(frame) - 1):
            for bit in range(8):
                if chance.random() < rate:
                    frame[at] ^= 1 << bit
        evidence.add(bytes(frame))
    verdict = judge(evidence)
    assert verdict.look is Look.DAMAGED
    assert verdict.bit_error_ratio == pytest.approx(rate, rel=0.5)


@pytest.mark.parametrize("seed", range(50))
def test_noise_is_never_taken_for_frames_and_never_raises(seed: int) -> None:
    assert look(noise(500, seed)) not in {Look.FRAMES, Look.DAMAGED, Look.ECHO, Look.TEXT}
