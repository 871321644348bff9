"""Traffic in words: what is new is a line, what repeats is counted, what is broken is marked."""

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import encode
from firmware_protocol.messages import Arm, Result, Setpoint, Status, Stop, Stopped, Telemetry
from firmware_protocol.vocabulary import Cause, Mode, Outcome, Permit, Refusal, StopKind, Wish
from qa.traffic.recording import Chunk
from qa.traffic.words import Teller

SESSION = 7
QUIET = Telemetry(0, Mode.DISARMED, Cause.NONE, Permit.NO_TRIP, 0, 0, 25, 0, 10, 0, 0, 0, 0, 0)
SETPOINT = Setpoint(200, 1, 5, 20_000, 4_000, Wish.PUMP, 1, 500)


def told(*frames: tuple[Direction, bytes], every: bool = False) -> list[str]:
    teller = Teller(every=every)
    for number, (way, wire) in enumerate(frames):
        teller.take(Chunk(number / 100, way, wire))
    return list(teller.lines())


def up(message: Telemetry | Result | Status | Stopped, seq: int = 1) -> tuple[Direction, bytes]:
    return Direction.TO_HOST, encode(message, SESSION, seq)


def down(message: Setpoint | Arm | Stop, seq: int = 1) -> tuple[Direction, bytes]:
    return Direction.TO_DEVICE, encode(message, SESSION, seq)


def test_frames_that_say_nothing_new_are_counted() -> None:
    noisy = [up(QUIET._replace(tick_ms=t, suction_pa=t), t) for t in range(1, 6)]
    lines = told(*noisy, up(QUIET._replace(mode=Mode.SAFE, cause=Cause.DWELL), 6))
    assert len(lines) == 2
    assert "mode=DISARMED cause=NONE permits=NO_TRIP" in lines[0]
    assert lines[0].endswith(" x5")
    assert "mode=SAFE cause=DWELL" in lines[1]


def test_a_setpoint_is_new_by_what_it_asks_and_not_by_its_counters() -> None:
    same = [down(SETPOINT._replace(loop_counter=n, exposure_left_mg=n), n) for n in range(1, 4)]
    lines = told(*same, down(SETPOINT._replace(flow_mg_per_min=0), 4))
    assert [line.split(" x")[-1] for line in lines[:1]] == ["3"]
    assert "wish=PUMP suction_pa=20000 flow_mg_per_min=0" in lines[1]


def test_requests_answers_and_stops_are_each_a_line() -> None:
    arm, refused = Arm(0xAB, 1), Result(1, Outcome.FAILED, Refusal.BAD_TOKEN, 0)
    stop, stopped = Stop(StopKind.EMERGENCY), Stopped(5, Mode.DISARMED, 0, 65535)
    lines = told(down(arm), up(refused), down(stop, 0), down(stop, 0), up(stopped, 0))
    assert len(lines) == 5
    assert "token=0xab" in lines[0]
    assert "outcome=FAILED refusal=BAD_TOKEN" in lines[1]
    assert "kind=EMERGENCY" in lines[2]
    assert "mode=DISARMED" in lines[4]


def test_what_is_no_frame_is_marked_with_its_reason() -> None:
    way, wire = down(SETPOINT)
    lines = told((way, wire[:6] + b"\x01" + wire[7:]), (way, b"\x05ab\x00"))
    assert "> ! CRC: check sum wrong" in lines[0]
    assert "> ! COBS: " in lines[1]


def test_pieces_may_be_cut_anywhere_and_every_frame_can_be_told() -> None:
    way, wire = up(QUIET)
    lines = told((way, wire[:9]), (way, wire[9:] + wire), every=True)
    assert len(lines) == 2
    assert "tick_ms=0" in lines[0]


def test_the_check_covers_every_byte_of_the_line_it_stands_on() -> None:
    def checks(pressure_pa: int) -> list[str]:
        teller = Teller()
        for seq, pa in ((1, 25), (2, pressure_pa)):
            teller.take(Chunk(0.0, *up(QUIET._replace(suction_pa=pa), seq)))
        return list(teller.lines(check=True))

    assert checks(30) == checks(30)
    assert checks(30) != checks(31)
    assert checks(30)[0].split(" #")[0] == checks(31)[0].split(" #")[0]
