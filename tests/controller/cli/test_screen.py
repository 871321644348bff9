"""What the terminal shows, from fixed snapshots: nothing too wide, nothing left out."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from controller.api.snapshot import (
    AlarmView,
    LinkView,
    Snapshot,
    TreatmentView,
)
from controller.cli import footer, live, output, summary
from controller.cli.outcome import ExitCode
from controller.cli.screen import Screen
from controller.cli.status import lines
from controller.cli.words import state_words
from tests.controller.cli.views import ACTIVE, ALARM, CHIN, LIVE, NOSE, TREATMENT


def drawn(snapshot: Snapshot, width: int = 80) -> str:
    console = Console(width=width, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(live.render(snapshot))
    return capture.get()


def test_the_live_view_shows_what_a_practitioner_looks_for() -> None:
    text = drawn(ACTIVE)
    for wanted in (
        "Refresh for demo", "SIMULATED", "treating", "Nose", "12 of 31 s", "0.90 of 3.15 µm",
        "1.4 g", "27.9 kPa", "set 28.0", "7.1 g/min", "set 7.0", "on skin, switch pressed",
        "46 % open", "MEDIUM", "Suction went above its limit.", "Ctrl-C",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_live_view_cuts_nothing_off_at_eighty_columns() -> None:
    text = drawn(ACTIVE)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_an_unknown_reading_is_a_dash_and_never_a_zero() -> None:
    blind = replace(ACTIVE, live=replace(LIVE, suction_kpa=None, flow_g_per_min=None))
    assert "— kPa" in drawn(blind)
    assert "— g/min" in drawn(blind)


def test_a_pipe_gets_one_line_with_every_figure() -> None:
    line = live.plain_line(ACTIVE)
    assert "\n" not in line
    assert "Nose 39 % (12 of 31 s)" in line
    assert "exposure 0.90 of 3.15 µm" in line
    assert "suction 27.9 kPa (set 28.0)" in line


def test_the_state_alone_is_said_before_a_zone_is_under_way() -> None:
    assert live.plain_line(replace(ACTIVE, treatment=None, state="idle")).plain == "idle"


# -- how old it is ---------------------------------------------------------------------------------
LOST = LinkView(
    "disconnected",
    0,
    age_ms=12_300.0,
    trouble="unit 777 answered, but this connection is bound to unit 1001",
    next_step="plug unit 1001 in again, or start anew for unit 777",
)
OLD = replace(ACTIVE, live=replace(LIVE, age_ms=430.0))


def test_status_and_live_view_say_how_old_the_reading_is() -> None:
    assert "unit 1001, firmware 1.0, simulated, heard 8 ms ago" in lines(ACTIVE)
    assert any(line.endswith("(read 12 ms ago)") for line in lines(ACTIVE))
    assert "heard 8 ms ago, read 12 ms ago" in drawn(ACTIVE)


@pytest.mark.hazard("H10")
def test_a_reading_that_is_no_picture_of_now_is_called_old_everywhere() -> None:
    old = "OLD: read 430 ms ago"
    assert any(old in line for line in lines(OLD))
    assert old in drawn(OLD)
    assert old in live.plain_line(OLD).plain


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("treatment", [TREATMENT, None])
def test_a_unit_that_is_not_there_is_called_lost_everywhere_since_when_and_why(
    treatment: TreatmentView | None,
) -> None:
    lost = replace(ACTIVE, link=LOST, live=None, treatment=treatment)
    told = "unit 1001 is LOST, last heard 12 s ago: unit 777 answered"
    assert any(line.startswith(told) for line in lines(lost))
    assert f"next: {LOST.next_step}" in lines(lost)
    assert "unit 1001 is LOST, last heard 12 s ago" in drawn(lost, 160)
    assert told in live.plain_line(lost).plain


def test_a_unit_that_was_never_heard_has_no_age() -> None:
    never = replace(ACTIVE, link=LinkView("connected", 0), live=None)
    assert any("last heard never" in line for line in lines(never))


def test_a_kernel_that_sends_nothing_makes_the_picture_old_and_says_for_how_long() -> None:
    console = Console(width=80, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(live.render(ACTIVE, quiet_s=2.4))
    assert "OLD: the kernel has sent nothing for 2 s" in capture.get()
    assert "OLD" not in drawn(ACTIVE)


def test_in_a_pipe_that_is_said_once_a_silence(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False, footer=footer.of_treatment)
    screen.show(ACTIVE)
    for quiet_s in (1.0, 1.25, 1.5):
        screen.show_old(ACTIVE, quiet_s)
    screen.show(ACTIVE)
    screen.show_old(ACTIVE, 1.0)
    assert capsys.readouterr().out.count("OLD: the kernel has sent nothing for 1 s") == 2


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("completed", ExitCode.DONE),
        ("stopped", ExitCode.REFUSED),
        ("tripped", ExitCode.TRIPPED),
        ("refused", ExitCode.REFUSED),
        (None, ExitCode.PORT),
    ],
)
def test_the_exit_code_tells_the_outcome(outcome: str | None, code: ExitCode) -> None:
    assert summary.exit_code(outcome) is code


@pytest.mark.parametrize(
    ("by", "code"), [("viewer", ExitCode.STOPPED), ("unit", ExitCode.STOPPED), (None, 1)]
)
def test_a_treatment_that_a_person_stopped_has_an_exit_code_of_its_own(
    by: str | None, code: int
) -> None:
    ended = replace(ACTIVE, treatment=replace(TREATMENT, outcome="stopped", stopped_by=by))
    assert summary.exit_code_of(ended) == code


HOSTILE = ("[/b]", "[red]x", ":smile:", "a\x1b[2Jb", "two\nlines", "\ud800")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_and_never_markup_or_a_command_of_the_terminal(name: str) -> None:
    """Somebody called [/b] stopped a treatment, and the summary died of it."""
    alarm = replace(ALARM, sentence=f"{name} did it.", next_step=name)
    zone = replace(NOSE, display=name, state="done", ended_by="time")
    treatment = replace(
        TREATMENT, display_name=name, client=name, zones=(zone,), message=f"stop by {name}"
    )
    shown = replace(ACTIVE, treatment=treatment, alarms=(alarm,))
    for markup in (True, False):  # also on a console that would take it
        console = Console(width=200, file=io.StringIO(), markup=markup)
        with console.capture() as capture:
            console.print(live.render(shown))
            console.print(live.plain_line(shown))
            summary.show(console, shown)
        text = capture.get() + "\n".join(lines(shown))
        assert "\x1b[2J" not in text
        assert output.clean(name).partition("\n")[0][:4] in text
        if name.startswith("["):
            assert f"stop by {name}" in text


def test_scripts_get_outcome_zones_and_record_as_one_object() -> None:
    ended = replace(ACTIVE, treatment=replace(TREATMENT, outcome="completed"))
    said = json.loads(json.dumps(summary.as_object(ended)))
    assert said["outcome"] == "completed"
    assert [zone["zone"] for zone in said["zones"]] == ["nose", "chin"]
    assert said["record"] == {
        "path": "journal.sqlite3",
        "treatment": 7,
        "rows": 12,
        "witness": None,
    }
    assert said["simulated"] is True


def test_the_summary_names_each_zone_and_where_the_record_lies() -> None:
    ended = replace(
        ACTIVE,
        treatment=replace(TREATMENT, outcome="stopped"),
        time_to_safe_ms=38.4,
        record=replace(ACTIVE.record, witness="Unit 1001 keeps row 9."),
    )
    console = Console(width=80, file=None)
    with console.capture() as capture:
        summary.show(console, ended)
    text = capture.get()
    assert text.endswith("in journal.sqlite3\nwitness: Unit 1001 keeps row 9.\n")
    assert "stopped (simulated)" in text
    assert "26.4, 29.5 kPa" in text
    assert "0.90 of 3.15 µm" in text
    assert "valve shut 38 ms after the stop" in text
    assert "record: treatment 7 in journal.sqlite3" in text
    assert "…" not in text


@pytest.mark.parametrize(
    ("ended_by", "said"),
    [
        ("exposure", "Nose: ended at 39 % of its time, its exposure is spent\n"),
        ("suction", "Nose: ended at 39 % of its time, its suction dose is spent\n"),
        ("time", ""),
        (None, ""),
    ],
)
def test_the_summary_says_which_limit_ended_a_zone_before_its_time(
    ended_by: str | None, said: str
) -> None:
    zones = (replace(NOSE, state="done", ended_by=ended_by), CHIN)
    done = replace(ACTIVE, treatment=replace(TREATMENT, outcome="completed", zones=zones))
    console = Console(width=80, file=None)
    with console.capture() as capture:
        summary.show(console, done)
    assert ("ended at" in capture.get()) is bool(said)
    assert said in capture.get()
    assert summary.as_object(done)["zones"][0]["ended_by"] == ended_by


def test_the_status_says_unit_treatment_alarm_and_what_was_left_unfinished() -> None:
    text = "\n".join(lines(ACTIVE))
    assert "/dev/ttyACT0: treating (kernel pid 4242)" in text
    assert "unit 1001, firmware 1.0, simulated" in text
    assert "MEDIUM V01" in text
    assert "corneum treat refresh --client c-1 --resume" in text


def test_a_kernel_without_a_unit_says_so() -> None:
    text = "\n".join(lines(replace(ACTIVE, unit=None, link=LinkView("disconnected", 0))))
    assert "no unit: disconnected" in text


def test_a_snapshot_survives_its_way_over_the_socket() -> None:
    assert Snapshot.from_dict(json.loads(json.dumps(ACTIVE.as_dict()))) == ACTIVE


# -- one step at a time ----------------------------------------------------------------------------
def standing(*codes: str) -> tuple[AlarmView, ...]:
    return tuple(AlarmView(code, "information", "It is so.", "Do it.", False) for code in codes)  # noqa: FBT003


@pytest.mark.parametrize(
    ("state", "codes", "switch", "said"),
    [
        ("armed", ("H04",), False, "armed: press the hand switch"),
        ("paused", (), False, "paused: press the hand switch to go on"),
        ("paused", (), True, "paused: release the hand switch, then press it to go on"),
        ("paused", ("H07",), True, "paused: resume (p), then release and press the hand switch"),
        ("paused", ("H04", "C17"), False,
         "paused: resume (p), then release and press the hand switch"),
        ("paused", ("S05",), False, "paused"),
        ("armed", ("S06",), False, "armed"),
        ("armed", ("H07", "H04"), False, "armed"),
        ("arming", ("H05",), False, "arming"),
        ("active", (), True, "treating"),
    ],
)  # fmt: skip
def test_the_state_and_the_alarms_never_tell_the_hand_two_things(
    state: str, codes: tuple[str, ...], said: str, *, switch: bool
) -> None:
    shown = replace(ACTIVE, state=state, alarms=standing(*codes), live=replace(LIVE, switch=switch))
    assert state_words(shown) == said


@pytest.mark.parametrize(
    ("state", "codes", "ending", "treat", "watch"),
    [
        ("active", (), 0, "p pauses, Ctrl-C ends the treatment in order.",
         "p pauses, Ctrl-C ends only this view; `corneum stop` stops."),
        ("preparing", (), 0, "p pauses, Ctrl-C ends the treatment in order.",
         "p pauses, Ctrl-C ends only this view; `corneum stop` stops."),
        ("paused", ("H07",), 0, "p goes on, Ctrl-C ends the treatment in order.",
         "p goes on, Ctrl-C ends only this view; `corneum stop` stops."),
        ("paused", (), 0, "p pauses, Ctrl-C ends the treatment in order.",
         "p pauses, Ctrl-C ends only this view; `corneum stop` stops."),
        ("stopping", (), 0, "Ctrl-C twice vents at once.",
         "Ctrl-C ends only this view; `corneum stop --emergency` vents at once."),
        ("stopping", (), 1, "Ctrl-C again vents at once.",
         "Ctrl-C ends only this view; `corneum stop --emergency` vents at once."),
        ("stopping", (), 2, "",
         "Ctrl-C ends only this view; `corneum stop --emergency` vents at once."),
        ("active", (), 1, "Ctrl-C again vents at once.",
         "p pauses, Ctrl-C ends only this view; `corneum stop` stops."),
        ("tripped", (), 0, "", "Ctrl-C ends this view."),
        ("completed", (), 0, "", "Ctrl-C ends this view."),
        ("idle", (), 0, "", "Ctrl-C ends this view."),
    ],
)  # fmt: skip
def test_the_last_line_says_what_the_keys_do_in_this_state_only(
    state: str, codes: tuple[str, ...], ending: int, treat: str, watch: str
) -> None:
    shown = replace(ACTIVE, state=state, alarms=standing(*codes))
    assert (footer.of_treatment(shown, ending), footer.of_view(shown, ending)) == (treat, watch)


def test_what_was_said_of_a_key_is_gone_with_the_next_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, width=100)
    monkeypatch.setattr(output, "console", lambda _: terminal)
    held = replace(ACTIVE, alarms=standing("H07"))

    def shown(snapshot: Snapshot) -> str:
        file.seek(0)
        file.truncate()
        screen.show(snapshot)
        return file.getvalue()

    with Screen(as_json=False, footer=footer.of_treatment) as screen:
        shown(ACTIVE)
        screen.say("pausing", passing=True)
        assert "pausing" in shown(ACTIVE)
        assert "pausing" not in shown(held)
        screen.say("this screen stood still for 9 s")
        assert "stood still" in shown(ACTIVE)
        assert "p pauses" in shown(ACTIVE)
