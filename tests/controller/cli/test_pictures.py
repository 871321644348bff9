"""What people see, as they see it: each picture lies in `pictures`, ^ stands for escape.

After a wished change: `CORNEUM_DRAW=1 pytest tests/controller/cli/test_pictures.py`, then look at
the difference.
"""

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from controller.api.snapshot import KernelView, LinkView, SimulatedFaultView, Snapshot
from controller.cli import cut_off, jitter, live, output, plan, records, status, summary
from controller.cli.outcome import ExitCode
from controller.cli.screen import Screen
from controller.device.precedence import Precedence
from controller.record.cut_off import CutOff, CutZone
from controller.record.history import Past, PastZone
from controller.safety.jitter import Measured
from controller.safety.refusal import refusing
from tests.controller.cli.views import (
    ACTIVE,
    ALARM,
    CHIN,
    DONE,
    IDLE,
    LIVE,
    NOSE,
    PLAN,
    STOPPED,
    TREATMENT,
    TRIPPED,
)

PICTURES = Path(__file__).parent / "pictures"
OLD = replace(LIVE, age_ms=430.0, valve_percent=1.0, contact=False, switch=False, suction_kpa=None)
LOST = LinkView("disconnected", 3, age_ms=12_300.0, trouble="unplugged", next_step="plug it in")
FORGOTTEN = CutOff(
    6, "c-1", "refresh", "Refresh", simulated=False, unit=4711, by="anna", role="practitioner",
    begun_wall_s=1.9e9, last_wall_s=1.9e9 + 60, unseen_s=1.85, marked=False, resumable=True,
    zones=(CutZone("nose", "Nose", 1.19, 0.19, 3.0), CutZone("chin", "Chin", 1.0, 0.1, None)),
)  # fmt: skip
PAST = (
    Past(
        12, "completed", "c-0042", "refresh", False, 4711, "anna", 1.9e9, 1.9e9 + 300,  # noqa: FBT003
        (PastZone("nose", 31.4, 0.1, 0.9), PastZone("chin", 44.0, 0.1, 0.9)),
    ),
    Past(11, "cut off", "demo", "tone-safe", simulated=True, unit=1001, begun_wall_s=1.9e9),
    Past(10, "its rows cannot be believed"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this room be in Greenwich."""
    with monkeypatch.context() as moved:
        moved.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def looks_like(name: str, drawn: str) -> None:
    """Compare with the picture that is kept."""
    path = PICTURES / f"{name}.txt"
    text = "".join(f"{line.rstrip()}\n" for line in drawn.replace("\x1b", "^").splitlines())
    if "CORNEUM_DRAW" in os.environ:
        path.write_text(text)
        pytest.skip("drawn anew: look at the difference")  # what was just written proves nothing
    assert text == path.read_text()


def drawn(width: int, *shown: RenderableType | Callable[[Console], None]) -> str:
    console = Console(
        width=width, height=200, file=io.StringIO(), force_terminal=True, highlight=False,
        markup=False, emoji=False, color_system="standard", legacy_windows=False,
    )  # fmt: skip
    with console.capture() as capture:
        for each in shown:
            if callable(each):
                each(console)
            else:
                console.print(each)
    return capture.get()


@pytest.mark.parametrize("width", [40, 80])
def test_the_live_view_of_a_treatment(width: int) -> None:
    message = replace(TREATMENT, message="paused by anna", simulated=False)
    high = replace(ALARM, priority="high", sentence="It is hot.", next_step="")
    other = replace(ALARM, priority="information", sentence="So it is.", next_step="")
    paused = replace(
        ACTIVE,
        state="paused",
        link=LOST,
        live=OLD,
        unit=None,
        treatment=message,
        alarms=(high, other),
    )
    looks_like(
        f"live-{width}",
        drawn(
            width,
            live.render(ACTIVE),
            live.render(paused, hint="p goes on", said="noted", quiet_s=2.4),
            live.render(replace(TRIPPED, live=None)),
            live.render(replace(IDLE, alarms=(ALARM,)), hint=""),
        ),
    )


def test_the_lines_that_a_pipe_gets_of_a_treatment() -> None:
    lost = replace(ACTIVE, link=LOST)
    shown = (ACTIVE, replace(ACTIVE, live=OLD), lost, replace(lost, live=None), DONE, IDLE)
    looks_like("plain", "\n".join(live.plain_line(each).plain for each in shown))
    assert live.alarm_line(ALARM).plain == (
        "MEDIUM V01: Suction went above its limit. Check the skin."
    )


@pytest.mark.parametrize("width", [30, 80])
def test_the_summary_of_each_end(width: int) -> None:
    lost = replace(STOPPED, treatment=replace(TREATMENT, recorded=False, simulated=False))
    spent = replace(NOSE, state="done", ended_by="suction", contact_s=31.0)
    tripped = replace(TRIPPED, treatment=replace(TREATMENT, outcome="tripped", zones=(spent, CHIN)))
    ends = (DONE, STOPPED, tripped, lost)
    looks_like(
        f"summary-{width}",
        drawn(width, *[lambda console, end=end: summary.show(console, end) for end in ends]),
    )


@pytest.mark.parametrize("end", [DONE, STOPPED, TRIPPED, IDLE])
def test_the_object_of_each_end_has_the_same_names_and_null_where_nothing_is_known(
    end: Any,  # noqa: ANN401 - a snapshot
) -> None:
    said = summary.as_object(end)
    treatment = end.treatment
    assert said["outcome"] == (treatment.outcome if treatment else None)
    for name in ("program", "client", "simulated", "message", "recorded", "stopped_by"):
        assert said[name] == (getattr(treatment, name) if treatment else None)
    assert said["record"] == {
        "path": "journal.sqlite3", "rows": 12, "treatment": 7 if treatment else None,
        "witness": None,
    }  # fmt: skip
    assert set(said) == {
        "outcome", "state", "recorded", "program", "client", "simulated", "unit", "zones",
        "effect", "message", "stopped_by", "alarms", "time_to_safe_ms", "simulated_faults",
        "record",
    }  # fmt: skip
    assert summary.as_object(replace(end, unit=None))["unit"] is None


def test_the_summary_says_what_was_really_removed() -> None:
    said = summary.as_object(DONE)["effect"]
    assert said.startswith("This removed about 0.10 µm on average (bound: 0.90 µm): 1.1 %")


def test_the_summary_of_a_kernel_that_does_not_say_what_a_depth_means_leaves_it_out() -> None:
    older = replace(NOSE, share_percent=None, layers=None, shedding_h=None)
    end = replace(DONE, treatment=replace(TREATMENT, zones=(older,)))
    assert summary.as_object(end)["effect"] is None
    shown = drawn(80, lambda console: summary.show(console, end))
    assert "Nose" in shown
    assert "of the stratum corneum" not in shown


def test_the_status_of_everything_that_can_be_told() -> None:
    everything = replace(
        ACTIVE,
        kernel=KernelView(4242, "/dev/ttyACT0", 3.0, "round-robin 10", True, 3.4),  # noqa: FBT003
        link=LOST,
        live=OLD,
        simulated_faults=(SimulatedFaultView(3, True), SimulatedFaultView(4, False)),  # noqa: FBT003
        record=replace(ACTIVE.record, trouble="row 7 is damaged"),
        clock="it was set back",
    )
    looks_like("status", "\n".join([*status.lines(everything), "", *status.lines(IDLE)]))


@pytest.mark.parametrize("width", [40, 100])
def test_a_plan_for_people(width: int) -> None:
    whole = [{**zone, "contact_budget_s": zone["expected_contact_s"]} for zone in PLAN["zones"]]
    unit = PLAN | {"simulated": False, "unit_serial": 4711, "zones": whole}
    looks_like(
        f"plan-{width}",
        drawn(
            width,
            lambda console: plan._show(console, PLAN),
            lambda console: plan._show(console, unit),
        ),
    )


@pytest.mark.parametrize("width", [40, 100, 140])
def test_the_treatments_on_record(width: int) -> None:
    looks_like(f"past-{width}", drawn(width, records.sheet(PAST)))


def test_what_a_crash_has_cut_off() -> None:
    shown = (
        FORGOTTEN,
        replace(FORGOTTEN, marked=True, simulated=True, by="", resumable=False),
        replace(FORGOTTEN, zones=()),
        replace(FORGOTTEN, zones=(), trouble="row 7 is damaged"),
    )
    looks_like("cut-off", "\n".join(line for each in shown for line in cut_off.lines(each)))


def test_how_well_a_computer_keeps_time() -> None:
    found = jitter.Found(
        Precedence("ordinary", memory_locked=True, refused=("priority: no", "more: no")),
        (0.0, 0.5, 1.0, 1.5, 30.0, 30.0, 250.0),
        (Measured(60, 0.061, 0.0, 0.06), Measured(60, 0.131, 0.0, 0.13)),
    )
    ordinary = replace(found, precedence=Precedence("ordinary", memory_locked=False), looks=())
    looks_like("jitter", "\n".join([*jitter.lines(found), "", *jitter.lines(ordinary)]))
    said = jitter.as_object(found)["jitter"]
    assert (said["ok"], said["steady_percent"]) == (True, 50.0)
    assert said["histogram"] == [
        {"up_to_ms": bound, "beats": beats}
        for bound, beats in [
            (1, 3), (2, 1), (5, 0), (10, 0), (20, 0), (50, 2), (100, 0), (None, 1),
        ]
    ]  # fmt: skip
    assert said["precedence"] == found.precedence.as_dict()


# -- a screen --------------------------------------------------------------------------------------
def footer(snapshot: Snapshot, ending: int) -> str:
    return f"keys of {snapshot.unit is not None} after {ending}"


def test_a_terminal_shows_the_newest_with_what_was_said_and_what_the_keys_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    terminal = Console(
        width=60, height=50, file=io.StringIO(), force_terminal=True, color_system=None
    )
    monkeypatch.setattr(output, "console", lambda _file: terminal)

    def look() -> str:
        shown.append(terminal.file.getvalue())  # type: ignore[attr-defined]
        terminal.file.truncate(0)
        terminal.file.seek(0)
        return shown[-1]

    with Screen(as_json=False, footer=footer) as screen:
        assert screen._live is not None
        assert not screen._live.auto_refresh  # what was confirmed has been written
        screen.show(ACTIVE)
        assert "keys of True after 0" in look()
        screen.ending = 1
        screen.say("pausing", passing=True)
        screen.show(ACTIVE)
        seen = look()
        assert "pausing" in seen
        assert "keys of True after 1" in seen
        screen.show_old(ACTIVE, 2.0)
        seen = look()
        assert "keys of True after 1" in seen
        assert "pausing" in seen
        assert "OLD: the kernel has sent nothing for 2 s" in seen
        screen.show(replace(ACTIVE, state="paused"))
        assert "pausing" not in look()
    assert screen._live is None


def test_a_pipe_gets_each_change_with_its_alarms_and_what_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Screen(as_json=False, footer=footer) as screen:
        screen.show(ACTIVE)
        screen.show(ACTIVE)
        screen.say("pausing")
        screen.show_old(ACTIVE, 1.0)
        screen.show(replace(ACTIVE, alarms=()))
        screen.finish(DONE)
    out = capsys.readouterr().out.splitlines()
    line = live.plain_line(ACTIVE).plain
    assert out[:5] == [
        line,
        "MEDIUM V01: Suction went above its limit. Check the skin.",
        "pausing",
        "OLD: the kernel has sent nothing for 1 s",
        line,
    ]
    assert "Refresh for demo: completed (simulated)" in out


def test_what_cannot_be_read_of_the_record_is_told_beside_what_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))

    def damaged(_state: Path) -> tuple[CutOff, ...]:
        raise refusing("record", "The record is damaged.", "Put a backup back.")

    monkeypatch.setattr(cut_off, "cut_off", damaged)
    failure = output.LostError(1, OSError(5, "Input/output error"))
    assert cut_off.show(failure, as_json=False) is ExitCode.PORT
    said = capsys.readouterr()
    assert said.out == "The record is damaged.\n"
    assert said.err == f"{failure.words}\n"
