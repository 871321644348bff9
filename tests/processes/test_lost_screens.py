"""A leading screen that is suspended, killed, closed or cannot write leaves no crystals unseen."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from controller.api.ask import KernelAbsentError, ask
from controller.api.viewer import SILENT_MAX_S
from controller.config.paths import run_dir, socket_path
from tests.processes.service import SOMEBODY, Unit, command, corneum, end, unit

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

PREPARED_MAX_S = 20.0
OPEN_MAX_S = 10.0
PAUSED_MAX_S = SILENT_MAX_S + 3.0  # a busy machine; 2.1 s are usual
TREAT = ("treat", "refresh", "--client", "demo", "--zones", "chin")


class Treating:
    """A treatment that a `corneum treat` in a process of its own leads."""

    def __init__(self, device: Unit, state: Path, process: subprocess.Popen[bytes]) -> None:
        self.device = device
        self.state = state
        self.process = process

    def status(self) -> dict[str, Any]:
        """Return the snapshot of the kernel."""
        answer = ask(socket_path(self.state, self.device.port), "status", {}, SOMEBODY, 5.0)
        return dict(answer["result"])

    def until(self, state: str, max_s: float) -> dict[str, Any]:
        """Wait until the treatment is in ``state`` and return the snapshot."""
        end_s = time.monotonic() + max_s
        said: dict[str, Any] = {}
        while time.monotonic() < end_s:
            with contextlib.suppress(KernelAbsentError):
                said = self.status()
                if said["state"] == state:
                    return said
            time.sleep(0.05)
        raise AssertionError(f"not {state} but {said.get('state')}: {said.get('alarms')}")

    def paused_unled(self) -> None:
        """See that the treatment pauses because no screen leads, and the valve is shut."""
        said = self.until("paused", PAUSED_MAX_S)
        assert said["lead"]["gone"]
        assert [alarm["code"] for alarm in said["alarms"]] == ["C17"]
        time.sleep(0.2)
        assert self.status()["live"]["valve_percent"] == 0.0


@contextmanager
def treating(
    folder: Path,
    *words: str,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    flowing: bool = True,
    **more: str,
) -> Iterator[Treating]:
    """Treat with a hand that works, from a client of which nothing is read here."""
    state = folder / "state"
    with unit(folder, hand="average") as device:
        call = [command("corneum"), *TREAT, *words, "--port", device.port]
        environment = {**os.environ, "CORNEUM_STATE": str(state), **more}
        with subprocess.Popen(
            call, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment
        ) as process:
            try:
                if flowing:
                    device.witness.wait_for("mode", PREPARED_MAX_S, mode="ACTIVE")
                    device.witness.wait_for("valve", OPEN_MAX_S)
                yield Treating(device, state, process)
            finally:
                end(process)  # type: ignore[arg-type]  # ends a process whatever it prints
                with contextlib.suppress(KernelAbsentError, OSError):
                    ask(socket_path(state, device.port), "shutdown", {}, SOMEBODY, 8.0)


@pytest.mark.hazard("H57", shows="works")
def test_a_suspended_screen_pauses_and_says_so_when_it_goes_on(tmp_path: Path) -> None:
    """It said once that the kernel was gone and that the valve had shut."""
    log = tmp_path / "log"
    with log.open("wb") as out, treating(tmp_path, stdout=out, stderr=out) as one:
        one.process.send_signal(signal.SIGSTOP)
        one.paused_unled()
        time.sleep(1.0)
        one.process.send_signal(signal.SIGCONT)
        time.sleep(1.0)
        assert one.process.poll() is None
        said = log.read_text()
        assert "this screen stood still for" in said
        assert "the treatment was paused meanwhile" in said
        assert "gone" not in said.replace("this treatment is gone", "")
        assert one.status()["lead"]["gone"]  # it does not lead again by itself
        assert corneum(one.state, "resume").code == 0
        one.until("active", OPEN_MAX_S)
        assert not one.status()["lead"]["gone"]
        one.process.send_signal(signal.SIGINT)
        assert one.process.wait(15.0) == 5


@pytest.mark.hazard("H57", shows="works")
def test_a_killed_screen_pauses_and_another_one_goes_on(tmp_path: Path) -> None:
    with treating(tmp_path) as one:
        one.process.kill()
        killed_s = one.device.now_s
        one.paused_unled()
        assert one.device.witness.shut_s(killed_s) <= killed_s + PAUSED_MAX_S
        refused = corneum(one.state, "resume")
        assert refused.code == 1
        assert "corneum watch" in refused.err
        call = [command("corneum"), "watch"]
        environment = {**os.environ, "CORNEUM_STATE": str(one.state)}
        with subprocess.Popen(
            call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as watching:
            assert watching.stdout is not None
            first = watching.stdout.readline() + watching.stdout.readline()
            assert b"paused" in first
            assert b"The screen that led this treatment is gone" in first
            time.sleep(0.5)
            assert corneum(one.state, "resume").code == 0
            one.until("active", OPEN_MAX_S)
            watching.send_signal(signal.SIGINT)
            _, err = watching.communicate(timeout=10.0)
            assert watching.returncode == 0
            assert b"This screen led the treatment" in err
        one.paused_unled()


@pytest.mark.hazard("H57", shows="works")
def test_a_terminal_that_is_closed_stops_in_order(tmp_path: Path) -> None:
    with treating(tmp_path) as one:
        one.process.send_signal(signal.SIGHUP)
        assert one.process.wait(15.0) == 5
        (stop,) = one.device.witness.events("stop")
        assert stop["stop_kind"] == "NORMAL"


@pytest.mark.hazard("H57", shows="works")
def test_a_full_disk_under_the_screen_pauses_and_is_no_refusal(tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        treating(tmp_path, stdout=full, flowing=False) as one,
    ):
        _, err = one.process.communicate(timeout=PREPARED_MAX_S)
        assert one.process.returncode == 3
        (line,) = err.decode().splitlines()
        assert line.startswith("Standard output cannot be written: No space left on device.")
        assert "The treatment is paused" in line
        assert "corneum watch" in line
        time.sleep(2.0)
        assert one.device.witness.events("valve") == []


@pytest.mark.hazard("H57", shows="works")
def test_a_reader_that_goes_away_pauses(tmp_path: Path) -> None:
    """As in `corneum treat ... | head -1`."""
    with treating(tmp_path) as one:
        assert one.process.stdout is not None
        one.process.stdout.close()
        closed_s = one.device.now_s
        assert one.process.wait(10.0) == 3
        assert one.until("paused", 2.0)["lead"]["name"]
        assert one.device.witness.shut_s(closed_s) <= closed_s + PAUSED_MAX_S


@pytest.mark.hazard("H57", shows="works")
def test_a_reader_that_reads_nothing_pauses_and_goes_on_when_it_reads(tmp_path: Path) -> None:
    """A stalled line, a halted terminal, a full pipe: what cannot be shown is not confirmed."""
    read_end, write_end = os.pipe()
    try:
        with treating(tmp_path, stdout=write_end) as one:
            os.set_blocking(write_end, False)
            with contextlib.suppress(BlockingIOError):
                while os.write(write_end, bytes(4096)):
                    pass
            os.set_blocking(write_end, True)
            one.paused_unled()
            os.set_blocking(read_end, False)
            said, end_s = b"", time.monotonic() + 5.0
            while b"stood still" not in said and time.monotonic() < end_s:
                with contextlib.suppress(BlockingIOError):
                    said += os.read(read_end, 65536)
                time.sleep(0.05)
            assert b"this screen stood still" in said
            assert one.process.poll() is None
            assert corneum(one.state, "resume").code == 0, one.status()["alarms"]
            one.until("active", OPEN_MAX_S)
    finally:
        os.close(read_end)
        os.close(write_end)


@pytest.mark.hazard("H57", shows="works")
def test_a_terminal_without_our_characters_shows_the_treatment(tmp_path: Path) -> None:
    with treating(tmp_path, PYTHONIOENCODING="ascii") as one:
        time.sleep(3.0)
        assert one.status()["state"] == "active"
        one.process.send_signal(signal.SIGTERM)
        out, err = one.process.communicate(timeout=15.0)
        assert one.process.returncode == 5
        assert b"Traceback" not in out + err
        assert b" um - suction " in out


# -- who ends when ---------------------------------------------------------------------------------
def _trip(one: Treating) -> None:
    one.device.do("fault", name="suction-a-disconnected")
    one.until("tripped", 10.0)


def _fds(pid: int) -> set[str]:
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}


def test_a_kernel_that_a_treatment_started_holds_nothing_of_it_and_stays_for_a_reset(
    tmp_path: Path,
) -> None:
    """`corneum treat ... 2>&1 | cat` ends when the treatment does, also where a trip stands."""
    with treating(tmp_path, stderr=subprocess.STDOUT) as one:
        pid = int(one.status()["kernel"]["pid"])
        ours = {link for link in _fds(one.process.pid) if link.startswith("pipe:")}
        assert ours
        assert not ours & _fds(pid)
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        assert str(run_dir(one.state) / "kernel.log") in _fds(pid)
        _trip(one)
        out, _ = one.process.communicate(timeout=10.0)  # to the end of the pipe, as cat does
        assert one.process.returncode == 4
        assert b"The trip stands until `corneum ack` and `corneum reset`" in out
        one.device.do("fault", name="suction-a-disconnected", clear=True)
        one.device.hand("release", "lift")
        time.sleep(0.5)
        assert corneum(one.state, "ack").code == 0
        assert corneum(one.state, "reset").code == 0
        _ended(pid)


def test_with_once_the_kernel_ends_with_its_client_and_the_trip_stands_in_the_unit(
    tmp_path: Path,
) -> None:
    with treating(tmp_path, "--once") as one:
        pid = int(one.status()["kernel"]["pid"])
        _trip(one)
        _, err = one.process.communicate(timeout=10.0)
        assert one.process.returncode == 4
        assert b"The trip stands in the unit" in err
        _ended(pid)
        assert one.device.do("state")["mode"] == "SAFE"


def test_with_once_a_client_that_is_killed_ends_its_kernel_in_order(tmp_path: Path) -> None:
    with treating(tmp_path, "--once") as one:
        pid = int(one.status()["kernel"]["pid"])
        one.process.kill()
        _ended(pid)
        (stop,) = one.device.witness.events("stop")
        assert stop["stop_kind"] == "NORMAL"


def _ended(pid: int) -> None:
    end_s = time.monotonic() + 12.0
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end_s:
        if Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z":
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_watching_with_status_names_the_command_that_watches(tmp_path: Path) -> None:
    done = corneum(tmp_path, "status", "--watch")
    assert (done.code, done.out) == (2, "")
    assert "corneum watch" in done.err
