"""Ctrl-C at any moment of a command's first seconds: exit code 130, and never a traceback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qa.campaigns.kept import Kept
from qa.campaigns.stops.campaign import name_of
from qa.campaigns.stops.lane import Scale
from tests.processes.service import command, kernel, unit

pytestmark = pytest.mark.realtime

END_MAX_S = 60.0  # a busy machine

AT_AN_IMPORT = """
import os, runpy, signal, sys

BOUNDARIES = ("controller.cli.boundary", "controller.kernel.process", "simulator.boundary")
signal.signal(signal.SIGINT, signal.default_int_handler)
at, module = int(sys.argv[1]), sys.argv[2]
sys.argv = [module, *sys.argv[3:]]
seen = 0

def look(event, words):
    global seen
    begun = seen or words and words[0] in BOUNDARIES
    if event == "import" and begun:
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(look)
runpy.run_module(module, run_name="__main__")
"""
"""Runs a module and presses Ctrl-C as it begins its so manieth import."""

STATUS = ("controller.cli.main", "status")
PLAN = ("controller.cli.main", "plan", "refresh", "--client", "demo")
TREAT = ("controller.cli.main", "treat", "refresh", "--client", "demo", "--simulator")
SERVE = ("simulator.cli", "serve")
CONFORMANCE = ("simulator.cli", "conformance", "--handpiece", "sim:")
MATRIX = ("simulator.cli", "campaign", "matrix", "-j", "2")
KERNEL = ("controller.kernel", "--port", "/dev/null")
FUZZ = ("tests.proof.fuzz",)


@pytest.mark.parametrize(
    ("words", "at"),
    [
        *((words, 1) for words in (STATUS, SERVE, KERNEL, FUZZ)),
        *((words, 40) for words in (STATUS, PLAN, MATRIX, KERNEL, FUZZ)),
        *((words, 250) for words in (PLAN, TREAT, CONFORMANCE, SERVE, KERNEL)),
    ],
    ids=lambda value: " ".join(value[1:3]) or value[0] if isinstance(value, tuple) else str(value),
)
def test_ctrl_c_in_the_middle_of_an_import_is_130_without_a_word(
    words: tuple[str, ...], at: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_AN_IMPORT, str(at), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "CORNEUM_STATE": str(tmp_path)},
        timeout=END_MAX_S,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert list(tmp_path.iterdir()) == []


def _hear_ctrl_c() -> None:
    """Whoever starts the tests in the background lets them ignore it, and all below them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupted(
    state: Path, words: Sequence[str], after_s: float, begun: Callable[[], object] = lambda: True
) -> tuple[int, str, float]:
    """Start a command as a terminal does and press Ctrl-C once it has ``begun`` and some time on.

    Returns code, complaints and the seconds that it took to end.
    """
    environment = {**os.environ, "CORNEUM_STATE": str(state)}
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - no thread here
    ) as process:
        try:
            waited_s = time.monotonic()
            while not begun() and time.monotonic() - waited_s < END_MAX_S:
                time.sleep(0.05)
            time.sleep(after_s)
            began_s = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)  # everything on the terminal hears it
            _, err = process.communicate(timeout=END_MAX_S)
            return process.returncode, err, time.monotonic() - began_s
        finally:
            process.kill()


@pytest.mark.parametrize(
    "words",
    [
        ("corneum", "treat", "refresh", "--client", "demo", "--simulator"),
        ("corneum-sim", "conformance", "--handpiece", "sim:"),
        ("corneum-sim", "campaign", "matrix", "-j", "2"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_ctrl_c_while_other_processes_start_is_no_traceback_of_any_of_them(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    code, err, _ = _interrupted(tmp_path, [command(words[0]), *words[1:]], 1.4)
    assert "Traceback" not in err, err
    assert "KeyboardInterrupt" not in err
    # On a quick machine the treatment has been asked for by then: a person has stopped it.
    assert code in ((130, 5) if "treat" in words else (130,))


@pytest.mark.alone
def test_ctrl_c_in_a_campaign_of_stops_ends_it_soon_and_keeps_what_was_kept(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept.jsonl"
    with Kept(kept, name_of(1, Scale())) as before:
        before.keep("stop 0", {"code": 0})
    words = ("campaign", "stop", "--n", "200", "--lanes", "2", "--resume", str(kept))
    call = [command("corneum-sim"), *words]
    code, err, took_s = _interrupted(tmp_path, call, 1.0, begun=_of_campaign)
    assert code == 130, err
    assert "interrupted; what was done is kept in" in err
    assert "Traceback" not in err
    assert took_s < 10.0  # about 1 s; it was up to a minute
    assert '"stop 0"' in kept.read_text()
    assert _of_campaign() == []


def _of_campaign() -> list[str]:
    """Return the processes that such a campaign has started and not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if "corneum-stop-" in line:
                found.append(line)
    return found


def test_a_kernel_that_hears_ctrl_c_once_it_is_ready_ends_in_order(tmp_path: Path) -> None:
    with unit(tmp_path) as device, kernel(device, tmp_path / "state") as host:
        host.send(signal.SIGINT)
        assert host.process.wait(END_MAX_S) == 0
