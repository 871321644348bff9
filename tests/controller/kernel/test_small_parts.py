"""Small parts of the kernel at their borders: beats, leftovers, faults, stops, and who asked."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from controller.api import held_ports, interrupts, own_output
from controller.api.fault_files import Files, _end_of, _written
from controller.api.faults import FaultHandler
from controller.api.peer import is_welcome, peer_uid
from controller.api.stop_way import ROLE, StopWay
from controller.config.paths import NoStateFolderError
from controller.device import precedence
from controller.device.answers import PortError, PortTrouble, SilentError, StopReport
from controller.device.precedence import PRIORITY, Linux
from controller.kernel.view import Timing
from controller.record import sweep
from controller.record.chain import GENESIS, Chained, fault
from controller.record.health import SHOWN_MAX, RecordHealth
from controller.record.journal import Row
from controller.record.locks import Lock
from controller.record.stop_rows import PERIOD_S, StopRows
from controller.record.verify import Break
from controller.safety.alarms import Alarm, Priority
from controller.treatment import persons
from controller.treatment.kinds import Kind
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.vocabulary import Mode, StopKind
from qa.loop import run_virtual


# -- beats -----------------------------------------------------------------------------------------
@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    ("late", "next_beat", "missed"),
    [(0.0, 1, 0), (0.5, 1, 0), (0.9, 1, 0), (1.5, 2, 1), (3.2, 4, 3)],
)
def test_a_beat_that_was_missed_is_counted_and_not_made_up_for(
    late: float, next_beat: int, missed: int
) -> None:
    timing, due_s = Timing(), 1000.0
    now_s = due_s + late * SETPOINT_PERIOD_S
    after_s = timing.next_due_s(due_s, now_s)
    assert after_s == pytest.approx(due_s + next_beat * SETPOINT_PERIOD_S)
    assert timing.beats_missed == missed
    timing.woke(due_s, due_s + 0.004)
    timing.woke(due_s, due_s + 0.002)
    shown = timing.view(7, "/dev/a", 1.23456)
    assert (shown.pid, shown.port, shown.uptime_s) == (7, "/dev/a", 1.235)
    assert (shown.late_max_ms, shown.beats_missed) == (4.0, missed)
    assert (shown.scheduling, shown.memory_locked) == (None, None)


# -- leftovers -------------------------------------------------------------------------------------
@pytest.mark.realtime
def test_to_look_whether_a_process_is_there_does_nothing_to_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert not sweep._is_gone(process.pid)
        time.sleep(0.02)
        assert process.poll() is None
        process.kill()
        process.wait()
        assert sweep._is_gone(process.pid)


@pytest.mark.realtime
def test_a_lock_that_is_held_is_seen_with_its_process_without_taking_it(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    assert held_ports.held_ports(run_dir) == []
    lock = Lock(run_dir / "port-0123.lock")
    lock.take()
    (run_dir / "port-free.lock").touch()
    (run_dir / "unit-7.lock").touch()
    assert held_ports.held_ports(run_dir) == [held_ports.HeldPort("port-0123.lock", os.getpid())]
    lock.release()
    assert held_ports.held_ports(run_dir) == []


# -- a row and its neighbours ----------------------------------------------------------------------
def row(row_id: int, prev_hash: str, own_hash: str, *, holds: bool = True) -> Any:  # noqa: ANN401
    class Seen:
        id = row_id

    seen = Seen()
    seen.prev_hash, seen.hash, seen.holds = prev_hash, own_hash, holds  # type: ignore[attr-defined]
    return seen


@pytest.mark.parametrize(
    ("found", "head", "why"),
    [
        ([], (3, "c"), "it is missing or unreadable"),
        ([row(2, "a", "b", holds=False)], (3, "c"), "its content is not what was written"),
        ([row(1, "", "x"), row(2, "a", "b")], (3, "c"), "it does not follow the row before it"),
        ([row(2, "a", "b"), row(3, "x", "c")], (3, "c"), "the row after it followed another one"),
        ([row(2, "a", "b")], (3, "c"), "no row beside it vouches for it"),
        ([row(2, "a", "b")], (2, "x"), "no row beside it vouches for it"),
        ([row(2, "a", "b")], (2, "b"), None),
        ([row(1, "", "a"), row(2, "a", "b")], (3, "c"), None),
        ([row(2, "a", "b"), row(3, "b", "c")], (3, "c"), None),
        ([row(1, "", "x", holds=False), row(2, "a", "b"), row(3, "b", "c")], (3, "c"), None),
    ],
)
def test_a_row_is_believed_when_a_neighbour_vouches_for_it_and_none_contradicts(
    found: list[Chained], head: tuple[int, str], why: str | None
) -> None:
    assert fault({each.id: each for each in found}, 2, head) == why
    first = row(1, GENESIS, "a")
    assert fault({1: first}, 1, (3, "c")) is None


# -- words -----------------------------------------------------------------------------------------
def test_an_alarm_as_an_answer_has_its_sentence_and_its_step() -> None:
    alarm = Alarm("V01", Priority.MEDIUM, "It is so.", "Do it.")
    said = persons.of_alarm("held", alarm)
    assert (said.code, said.sentence, said.next_step) == ("held", "It is so.", "Do it.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PortError(PortTrouble.HELD, "It is held.", "Wait."), "port_held"),
        (PortError(PortTrouble.NOT_FOUND, "It is held.", "Wait."), "port_not_found"),
        (SilentError("It is held.", "Wait."), "device"),
    ],
)
def test_what_is_wrong_with_a_port_has_a_code_of_its_own(error: Any, code: str) -> None:  # noqa: ANN401
    refused = error
    assert (refused.code, refused.sentence, refused.next_step) == (code, "It is held.", "Wait.")


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (1, "at row 1."),
        (SHOWN_MAX, f"at row {', '.join(map(str, range(1, SHOWN_MAX + 1)))}."),
        (SHOWN_MAX + 2, f"at row {', '.join(map(str, range(1, SHOWN_MAX + 1)))} and 2 more."),
    ],
)
def test_a_broken_record_names_its_first_rows_and_counts_the_others(count: int, rows: str) -> None:
    health = RecordHealth(breaks=tuple(Break(number, "x") for number in range(1, count + 1)))
    sentence = health.sentence(Path("/r"))
    assert sentence is not None
    assert f"The record /r is broken {rows} Clients who were treated" in sentence


# -- faults ----------------------------------------------------------------------------------------
@pytest.mark.realtime
def test_what_a_callback_raises_is_told_once_with_its_file_and_names_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left: list[tuple[str, tuple[str, ...]]] = []

    def leave(error: BaseException, doing: str, private: tuple[str, ...]) -> Path | None:
        assert isinstance(error, ZeroDivisionError)
        left.append((doing, private))
        return tmp_path / "fault.txt"

    async def scenario() -> None:
        desk, loop = FaultHandler(leave), asyncio.get_running_loop()
        desk.heard(loop, {"message": "only words"})
        desk.heard(loop, {"exception": asyncio.CancelledError()})
        for _ in range(3):
            desk.heard(loop, {"exception": ZeroDivisionError("x")})
        async with asyncio.timeout(5.0):
            while not left:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert left == [("a callback of the loop", ())]
    words, fault_told = capsys.readouterr().err.splitlines()
    assert words == "only words"
    assert fault_told.startswith("This is a fault of the kernel itself")
    assert str(tmp_path / "fault.txt") in fault_told


def test_a_place_in_a_file_for_support_is_named_without_where_the_program_lies() -> None:
    named = _end_of("/srv/anna/corneum/controller/api/requests.py")
    assert "anna" not in named
    assert named.endswith("controller/api/requests.py")


def test_a_fault_is_written_into_the_first_folder_that_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "good"
    good.mkdir()

    def nowhere() -> Path:
        raise NoStateFolderError("There is none.")

    path = _written("text", [nowhere, lambda: tmp_path / "none", lambda: good])
    assert path is not None
    assert path.parent == good
    assert path.read_text().splitlines()[1] == "text"
    assert _written("text", [nowhere]) is None
    assert Files("x", tmp_path) is not None
    monkeypatch.undo()


# -- stops -----------------------------------------------------------------------------------------
def test_a_stop_that_is_repeated_is_one_row_with_its_count() -> None:
    noted: list[Row] = []
    rows = StopRows(noted.append)
    stop = Row(Kind.STOP, {"kind": "NORMAL"}, 7)
    for _ in range(3):
        rows.pass_on(stop, 1.0)
    rows.pass_on(Row(Kind.ZONE, {}, 7), 1.0)
    assert noted == [stop, Row(Kind.ZONE, {}, 7)]
    rows.tick(1.0 + PERIOD_S - 0.001)
    assert len(noted) == 2
    rows.tick(1.0 + PERIOD_S)
    assert noted[2:] == [Row(Kind.STOP, {"kind": "NORMAL", "times": 2}, 7)]


def test_how_a_stop_ended_is_a_row_with_its_figures() -> None:
    noted: list[Row] = []

    async def scenario() -> None:
        rows, loop = StopRows(noted.append), asyncio.get_running_loop()
        report: asyncio.Future[StopReport] = loop.create_future()
        rows.follow(report, 7)
        rows.follow(report, 7)
        given_up: asyncio.Future[StopReport] = loop.create_future()
        report.set_result(StopReport(StopKind.EMERGENCY, True, 0.0384, Mode.SAFE, 3))  # noqa: FBT003
        await asyncio.sleep(0)
        rows.follow(given_up, 7)
        given_up.cancel()
        await asyncio.sleep(0)

    run_virtual(scenario())
    body = {"kind": "EMERGENCY", "confirmed": True, "took_ms": 38.4, "frames": 3}
    assert noted == [Row(Kind.STOP_REPORT, body, 7)]


def test_whoever_stops_is_a_local_person_by_account_and_process() -> None:
    way = StopWay("/dev/a", 7)
    said = way._who([])
    assert (said.name, said.role, said.origin) == ("somebody", ROLE, "local")
    told = (1).to_bytes(4, "little") + os.getuid().to_bytes(4, "little") + bytes(4)
    named = way._who([(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, told)])
    assert named.name.endswith("(process 1)")
    assert named.origin == "local"


# -- the system ------------------------------------------------------------------------------------
@pytest.mark.realtime
def test_the_peer_of_a_socket_is_named_by_its_account_and_no_other_line_has_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) == os.getuid()
    assert peer_uid(ours) is None  # closed meanwhile
    assert [is_welcome(uid, 5) for uid in (5, 0, 6, None)] == [True, True, False, False]


def test_each_thread_is_given_the_priority_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int, int]] = []

    def schedule(thread: int, policy: int, param: Any) -> None:  # noqa: ANN401
        asked.append((thread, policy, param.sched_priority))

    monkeypatch.setattr(precedence, "_threads", lambda: [11, 12])
    monkeypatch.setattr(os, "sched_setscheduler", schedule)
    Linux().real_time(PRIORITY)
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    assert asked == [(11, policy, PRIORITY), (12, policy, PRIORITY)]
    asked.clear()
    Linux().real_time(0)
    assert asked == [(11, os.SCHED_OTHER, 0), (12, os.SCHED_OTHER, 0)]


@pytest.mark.realtime
def test_what_the_system_refuses_is_told_in_its_words() -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        precedence._call("close", 987_654)
    assert (caught.value.errno, caught.value.strerror) == (9, "Bad file descriptor")
    with pytest.raises(OSError, match="this system has no such thing"):
        precedence._call("no_such_function_of_c")


@pytest.mark.realtime
def test_ctrl_c_ends_at_once_until_something_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupts.end_at_once()
    os.kill(os.getpid(), signal.SIGINT)
    assert codes == [130]
    interrupts.unwind()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts.end_at_once()
    interrupts.unwind()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.realtime
def test_a_line_for_a_reader_that_is_gone_is_dropped_with_what_is_left_of_it() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w", encoding="ascii") as stream:
        own_output.write_line(stream, "µ" * 10)
        own_output.write_line(stream, "again")  # and closing raises nothing either
    own_output.write_line(None, "nobody")
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w", encoding="ascii") as stream:
        own_output.write_line(stream, "µ")
        assert os.read(read_end, 100) == b"\\xb5\n"
    os.close(read_end)


@pytest.mark.realtime
def test_a_kernel_for_a_treatment_holds_nothing_of_whoever_started_it() -> None:
    script = (
        "import os, sys; from controller.api import own_output; own_output.hold_nothing(); "
        "print('not heard', flush=True); os.write(1, b'not heard either'); "
        "sys.stderr.write(os.getcwd())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"/")
    before = Path.cwd()
    kept, errors = os.dup(1), sys.stderr
    try:
        own_output.hold_nothing()
        assert Path.cwd() == Path("/")
        assert os.write(1, b"into nothing") == len(b"into nothing")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        sys.stderr = errors
        os.chdir(before)
