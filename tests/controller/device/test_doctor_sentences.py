"""What the doctor says, to the letter: whoever reads it has nothing else to go by."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli import doctor as printed
from controller.cli.outcome import ExitCode
from controller.device.answers import LinkState
from controller.device.doctor import Finding, diagnose
from controller.device.handpiece import HandpieceClient
from firmware_protocol.codec import encode
from firmware_protocol.messages import LogRead, LogRecord, Message, Result, Status, Telemetry
from firmware_protocol.vocabulary import Capability, Cause, Defect, Mode
from qa.loop import run_virtual
from tests.controller.device.bench import IDENT, SERIAL, TELEMETRY, FarEnd, talking

CABLE = "check plug and cable, and that nothing strong is switched near the line"
QUICK = Finding("round trip", ok=True, sentence="half of the questions are answered within 3.0 ms")
PORT = Finding("port", ok=True, sentence="there opens and is free")
MUTE = Finding("round trip", ok=False, sentence="only 0 of 20 questions were answered",
               next_step=CABLE)  # fmt: skip


def log_record(message: Message, seq: int) -> Message:
    return LogRecord(seq, 1, 5, 1, 7, 1) if isinstance(message, LogRead) else Result(seq, 0, 0, 42)


def healthy() -> FarEnd:
    return FarEnd(answer=log_record)


def status(defects: Defect) -> Status:
    return Status(5000, 7, 7, 300_000, 4, 900, 25, 24_000, 0, defects)


def examined(
    far: FarEnd,
    telemetry: Telemetry | None = TELEMETRY,
    meanwhile: Callable[[FarEnd], None] = lambda _: None,
    serial: int | None = None,
) -> list[Finding]:
    """Return the findings about a unit that talks; ``meanwhile`` happens half a second later."""

    async def scenario() -> list[Finding]:
        asyncio.get_running_loop().call_later(0.5, meanwhile, far)
        unit = asyncio.create_task(asyncio.sleep(60.0), name="mute")
        if telemetry is not None:
            unit.cancel()
            unit = asyncio.create_task(talking(far, telemetry), name="unit")
        try:
            return await diagnose("there", serial=serial, open_port=far.open)
        finally:
            unit.cancel()

    return run_virtual(scenario(), limit_s=60.0)


def unit(sentence: str) -> Finding:
    return Finding("unit", ok=True, sentence=sentence)


def test_a_healthy_unit_has_five_findings_and_no_step_to_take() -> None:
    assert examined(healthy()) == [
        PORT,
        unit(
            f"a simulated unit answers: serial number {SERIAL}, firmware 1.2, boot 00000007, "
            "without a motion sensor"
        ),
        Finding("state", ok=True, sentence="the unit is disarmed"),
        QUICK,
        Finding("line", ok=True, sentence="no damaged frame among 74"),  # 20 of them answers
    ]


@pytest.mark.parametrize(
    ("capabilities", "serial", "sentence"),
    [
        (Capability(0), None, "a unit answers: {}, without a motion sensor"),
        (Capability(0), SERIAL, "the expected unit answers: {}, without a motion sensor"),
        (
            Capability.SIMULATED,
            SERIAL,
            "the expected unit answers: {}, without a motion sensor (simulated)",
        ),
        (Capability.MOTION_SENSOR, None, "a unit answers: {}, with a motion sensor"),
    ],
)
def test_who_answers_is_told_with_whether_it_is_simulated(
    capabilities: Capability, serial: int | None, sentence: str
) -> None:
    far = healthy()
    far.ident = IDENT._replace(capabilities=capabilities)
    who = f"serial number {SERIAL}, firmware 1.2, boot 00000007"
    assert examined(far, serial=serial)[1] == unit(sentence.format(who))


def test_a_unit_that_sends_no_telemetry_is_to_be_restarted() -> None:
    found = examined(FarEnd(answer=lambda _message, _seq: None), telemetry=None)
    assert found[2:4] == [
        Finding(
            "state",
            ok=False,
            sentence="the unit answers HELLO but sends no telemetry",
            next_step="restart the unit; if it stays so, it needs service",
        ),
        MUTE,
    ]


def test_a_trip_is_told_with_its_cause_and_what_ends_it() -> None:
    tripped = TELEMETRY._replace(mode=Mode.SAFE, cause=Cause.LEASE_LAPSED)
    assert examined(healthy(), tripped)[2] == Finding(
        "state",
        ok=False,
        sentence="the unit has tripped and holds itself safe: lease lapsed",
        next_step="see to the cause, then acknowledge and reset it",
    )


def test_what_the_self_test_found_stands_beside_the_state() -> None:
    found = examined(healthy(), meanwhile=lambda far: far.say(status(Defect.VALVE_OPEN)))
    assert found[2:4] == [
        Finding("state", ok=True, sentence="the unit is disarmed"),
        Finding(
            "self-test",
            ok=False,
            sentence="the newest self-test of the unit found: the crystal valve was not shut",
            next_step="see to it and switch the unit off and on; call service if it stays",
        ),
    ]


def test_a_self_test_that_found_nothing_is_no_finding() -> None:
    found = examined(healthy(), meanwhile=lambda far: far.say(status(Defect.NONE)))
    assert [each.check for each in found] == ["port", "unit", "state", "round trip", "line"]


def test_questions_without_an_answer_are_counted() -> None:
    far = FarEnd()
    asked = iter(range(1000))
    far.answer = lambda message, seq: log_record(message, seq) if next(asked) < 7 else None
    assert examined(far)[3] == MUTE._replace(sentence="only 7 of 20 questions were answered")


def test_damaged_frames_are_counted_with_what_to_check() -> None:
    def damage(far: FarEnd) -> None:
        for _ in range(2):
            far.put(b"\x05rubbish\x00")

    line = examined(healthy(), meanwhile=damage)[-1]
    assert (line.check, line.ok, line.next_step) == ("line", False, CABLE)
    assert line.sentence.startswith("2 damaged frames in 1 s, bit error rate about ")


def test_a_line_that_goes_away_meanwhile_is_the_finding_and_the_unit_is_not_blamed() -> None:
    found = examined(healthy(), meanwhile=lambda far: far.lose("the plug came out"))
    assert [each.check for each in found] == ["port", "unit", "line"]
    assert found[-1] == Finding(
        "line",
        ok=False,
        sentence="the line was lost while it was looked at: the plug came out",
        next_step=CABLE,
    )


def test_the_port_is_left_free_whatever_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[LinkState] = []
    close = HandpieceClient.close

    async def noted(client: HandpieceClient) -> None:
        await close(client)
        closed.append(client.state)

    monkeypatch.setattr(HandpieceClient, "close", noted)
    far = healthy()
    examined(far)
    assert closed == [LinkState.DISCONNECTED]
    assert far.stream is not None
    assert far.stream.closed


def test_listening_to_a_stranger_leaves_its_port_free() -> None:
    far = FarEnd(ident=None)
    wire = encode(TELEMETRY, 77, 1)
    found = examined(far, None, lambda far: far.put(wire))
    assert [each.ok for each in found] == [True, False]
    assert far.stream is not None
    assert far.stream.closed


def test_a_stranger_that_speaks_late_is_heard_while_nothing_is_asked_any_more() -> None:
    async def scenario() -> list[Finding]:
        far = FarEnd(ident=None)
        asyncio.get_running_loop().call_later(2.0, far.put, b"ready at last\r\n")
        return await diagnose("there", open_port=far.open)

    line = run_virtual(scenario(), limit_s=60.0)[-1]
    assert 'readable text, not our protocol: "ready at last"' in line.sentence


def test_another_unit_is_a_finding_about_the_unit() -> None:
    found = examined(healthy(), serial=4711)
    assert found == [
        PORT,
        Finding(
            "unit",
            ok=False,
            sentence=f"unit {SERIAL} answered, but this connection is bound to unit 4711",
            next_step=f"plug unit 4711 in again, or start anew for unit {SERIAL}",
        ),
    ]


def test_a_slow_adapter_is_told_how_slow_and_what_to_set() -> None:
    far = healthy()
    answer = far.put

    def slowly(data: bytes) -> None:
        asyncio.get_running_loop().call_later(0.037, answer, data)

    far.put = slowly  # type: ignore[method-assign]
    assert examined(far)[-2] == Finding(
        "round trip",
        ok=False,
        sentence="half of the questions are answered within 40.0 ms",
        next_step="set the latency timer of the USB adapter to 1 ms",
    )


@pytest.mark.realtime
def test_a_port_is_opened_by_its_name(tmp_path: Path) -> None:
    (found,) = asyncio.run(diagnose(str(tmp_path / "none")))
    assert found.sentence == f"there is no port {tmp_path / 'none'}: no such device"
    assert (found.check, found.ok) == ("port", False)


@pytest.mark.realtime
def test_what_is_printed_of_a_port_is_a_line_for_each_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(tmp_path / "none")
    assert printed.run(port, as_json=False) is ExitCode.PORT
    name, finding = capsys.readouterr().out.splitlines()
    assert name == port
    assert finding.startswith(f"  !!  port: there is no port {port}: no such device; ")
    assert finding.endswith(".")
    assert printed.run(port, as_json=True) is ExitCode.PORT
    (said,) = json.loads(capsys.readouterr().out)["ports"][port]
    assert set(said) == {"check", "ok", "sentence", "next_step"}
    assert (said["check"], said["ok"]) == ("port", False)


def test_a_stranger_on_the_line_never_commands_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = FarEnd(ident=None)
    clears = b"\x1b[2J" + b"hello, I am another device and speak text. " * 4
    found = examined(far, None, lambda far: far.put(clears))
    printed._print("there", found)
    said = capsys.readouterr().out
    assert "hello, I am another device" in said
    assert all(char.isprintable() or char == "\n" for char in said)
