"""Playing: the same seed the same run, kernels that are killed and frozen, and runs that break."""

import asyncio
import tempfile

import pytest

from qa.scenarios.load import parse_scenario
from qa.scenarios.play import play
from qa.scenarios.process import KeptStore
from qa.scenarios.story import Played
from tests.controller.record.edits import changing

TREAT = '[[steps]]\ndo = "treat"\n\n'
CLOSED = '[[expect]]\ncheck = "finally"\nholds = { valve = "shut" }\n'


def _play(steps: str, expect: str = CLOSED, seed: int = 1, top: str = "") -> Played:
    text = f'name = "a"\ntitle = "b"\n{top}\n{TREAT}{steps}\n{expect}'
    return play(parse_scenario(text), seed)


def _step(do: str, after: str = "") -> str:
    when = f"when = {{ {after} }}\n" if after else ""
    return f'[[steps]]\ndo = "{do}"\n{when}\n'


FLOWING = 'valve = "open", after_s = 0.5'


def _written_by_host_since(played: Played, kind: str) -> list[float]:
    (at_s,) = [t_s for t_s, value in played.story.timeline.values["kernel"] if value == kind]
    return [row.mono_s for row in played.story.rows if row.mono_s > at_s]


def test_the_same_seed_gives_the_same_bytes_and_rows_and_another_seed_gives_others() -> None:
    first, second = _play(""), _play("")
    other = _play("", seed=2)
    assert first.passed
    assert first.trace_sha256 == second.trace_sha256
    assert first.journal_sha256 == second.journal_sha256
    assert [str(entry) for entry in first.timeline] == [str(entry) for entry in second.timeline]
    assert other.trace_sha256 != first.trace_sha256
    assert other.journal_sha256 != first.journal_sha256


def test_a_run_with_people_of_its_own_has_the_same_rows_wherever_its_files_lie() -> None:
    def refused(folder: str) -> str:
        before = tempfile.tempdir
        tempfile.tempdir = folder
        try:
            return _play("", top='client = "nobody"\n[[clients]]\nref = "anna"\n').journal_sha256
        finally:
            tempfile.tempdir = before

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        assert refused(one) == refused(two)


@pytest.mark.hazard("H12", shows="works")
def test_nothing_of_a_killed_kernel_reaches_the_line_or_the_record() -> None:
    played = _play(_step("kill-kernel", FLOWING) + '[[steps]]\ndo = "wait"\nafter_s = 2.0\n')
    values = played.story.timeline.values
    assert played.passed
    assert [value for _, value in values["kernel"]][-1] == "killed"
    assert values["stop"][1:] == []
    assert values["trip"][-1][1] == "LEASE_LAPSED"
    assert _written_by_host_since(played, "killed") == []
    assert values["state"][-1][1] == ""


@pytest.mark.hazard("H51", shows="works")
def test_a_kernel_that_is_started_finds_the_record_of_the_one_before() -> None:
    restart = '[[steps]]\ndo = "start-kernel"\nafter_s = 1.0\n'
    played = _play(_step("kill-kernel", FLOWING) + restart)
    kinds = [row.kind for row in played.story.rows]
    assert kinds.count("kernel") == 2
    assert kinds.index("interrupted") > kinds.index("exposure")


@pytest.mark.hazard("H14", shows="works")
def test_a_frozen_kernel_does_nothing_until_it_goes_on() -> None:
    freeze = f'[[steps]]\ndo = "freeze-kernel"\nlasts_s = 1.0\nwhen = {{ {FLOWING} }}\n\n'
    wait = '[[steps]]\ndo = "wait"\nafter_s = 3.0\n'
    played = _play(freeze + wait)
    timeline = played.story.timeline
    (frozen_s,) = [t_s for t_s, value in timeline.values["kernel"] if value == "frozen"]
    during = [
        entry
        for entry in timeline.entries
        if frozen_s < entry.t_s < frozen_s + 1.0 and entry.who == "host"
    ]
    assert during == []
    assert _written_by_host_since(played, "frozen")[0] == pytest.approx(frozen_s + 1.0, abs=0.001)
    assert timeline.values["state"][-1][1] == "tripped"


def test_what_is_asked_of_a_frozen_kernel_is_answered_when_it_goes_on() -> None:
    freeze = f'[[steps]]\ndo = "freeze-kernel"\nlasts_s = 0.1\nwhen = {{ {FLOWING} }}\n\n'
    played = _play(freeze + '[[steps]]\ndo = "stop"\nafter_s = 0.05\n')
    (asked_s,) = [t_s for t_s, value in played.story.timeline.values["done"][1:] if value == "stop"]
    answered = [entry.t_s for entry in played.timeline if entry.words == "stop: done"]
    assert answered == [pytest.approx(asked_s + 0.05, abs=0.001)]


def test_a_frozen_kernel_can_be_killed() -> None:
    played = _play(
        _step("freeze-kernel", FLOWING) + '[[steps]]\ndo = "kill-kernel"\nafter_s = 0.3\n'
    )
    assert played.passed
    assert played.story.timeline.values["stop"][1:] == []


def test_what_is_asked_of_nobody_is_refused() -> None:
    played = _play(_step("kill-kernel", FLOWING) + '[[steps]]\ndo = "stop"\nafter_s = 0.5\n')
    assert [value for _, value in played.story.timeline.values["refused"][1:]] == ["no_kernel"]


def test_a_kernel_that_finds_no_unit_says_so_and_ends() -> None:
    text = (
        'name = "a"\ntitle = "b"\n[[steps]]\ndo = "cut-line"\n\n[[steps]]\ndo = "treat"\n\n'
        '[[steps]]\ndo = "wait"\nafter_s = 20.0\n\n'
        '[[expect]]\ncheck = "finally"\nholds = { kernel = "ended" }\n'
    )
    played = play(parse_scenario(text))
    assert played.passed
    refused = [value for _, value in played.story.timeline.values["refused"][1:]]
    assert refused[-1] == "no_kernel"
    assert len(refused) == 2


def test_a_step_whose_moment_never_comes_is_an_error_that_names_it() -> None:
    played = _play(_step("lift", 'trip = "OVERHEAT"'), top="wait_max_s = 3.0\n")
    (failure,) = played.failures
    assert played.outcome == "error"
    assert "step 2 (lift) waited 3 s" in failure.seen
    assert "the trip OVERHEAT is latched" in failure.seen
    assert played.timeline


def test_what_breaks_in_the_service_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_self: object, _now_s: float) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("controller.treatment.alarm_system.AlarmSystem.tick", broken)
    played = _play("")
    assert played.outcome == "error"
    assert "ZeroDivisionError in the service: a bug" in played.failures[0].seen


def test_a_moment_without_a_number_has_come_when_it_is_so() -> None:
    text = (
        'name = "a"\ntitle = "b"\n[[steps]]\ndo = "wait"\nwhen = { tip = "lifted" }\n\n'
        '[[steps]]\ndo = "treat"\n\n[[steps]]\ndo = "stop"\nwhen = { tip = "lifted", number = 1 }\n'
        f"\n{CLOSED}"
    )
    values = play(parse_scenario(text)).story.timeline.values
    done = {value: t_s for t_s, value in values["done"][1:]}
    lifts = [t_s for t_s, value in values["tip"][1:] if value == "lifted"]
    assert done["wait"] == 0.0
    assert done["stop"] == pytest.approx(lifts[0], abs=0.02)


def test_a_run_ends_when_it_is_told_to() -> None:
    assert _play("", top="ends_at_s = 3.0\n").virtual_s == pytest.approx(3.0)


def test_a_full_disk_keeps_what_was_written() -> None:
    fill = '[[steps]]\ndo = "fill-disk"\nwhen = { valve = "open" }\n'
    played = _play(fill)
    assert "ended" not in [row.kind for row in played.story.rows]
    assert "kernel" in [row.kind for row in played.story.rows]
    assert played.story.record_broken == ""


def test_a_row_that_was_changed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = KeptStore.connection

    def spoilt(self: KeptStore) -> object:
        opened = connection(self)
        if asyncio.get_running_loop().time() > 4.0:
            opened.execute("DROP TRIGGER IF EXISTS journal_is_never_edited")
            opened.execute(changing("body", "'{}'"), (2,))
        return opened

    monkeypatch.setattr(KeptStore, "connection", spoilt)
    played = _play("")
    assert played.outcome == "failed"
    assert played.failures[-1].seen == "row 2 does not follow the row before it"
