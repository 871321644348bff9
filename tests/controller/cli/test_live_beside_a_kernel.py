"""`corneum watch` on a kernel: what it shows, asks, and says when it ends."""

import asyncio
import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.api.snapshot import Snapshot
from controller.cli import attached
from controller.cli.keys import keys
from controller.cli.outcome import ExitCode
from controller.cli.screen import Screen
from tests.controller.cli.acting_kernel import acting
from tests.controller.cli.conftest import Corneum
from tests.controller.cli.live_scenes import (
    GONE,
    UNSEEN,
    be_quick,
    ctrl_c,
    ctrl_c_at,
    ends,
    lost_after,
)
from tests.controller.cli.views import ACTIVE, DONE, IDLE

pytestmark = pytest.mark.realtime
LEFT = (
    "This screen led the treatment: without one it pauses within 2 s. `corneum watch` at the unit "
    "goes on with it, `corneum stop` ends it.\n"
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    be_quick(monkeypatch)


@pytest.mark.parametrize("leads", [True, False])
def test_a_view_shows_until_ctrl_c_and_says_what_becomes_of_a_treatment_that_it_led(
    corneum: Corneum, state: Path, *, leads: bool
) -> None:
    with acting(state) as kernel:
        kernel.shows, kernel.leads = [ACTIVE, replace(ACTIVE, state="paused")], leads
        kernel.when_seen = ctrl_c_at(2)
        ended = corneum("watch")
    assert (ended.code, ended.err) == (0, LEFT if leads else "")
    first, alarm, *_ = ended.out.splitlines()
    assert first.startswith("treating · Nose 39 % (12 of 31 s)")
    assert alarm == "MEDIUM V01: Suction went above its limit. Check the skin."
    assert kernel.did == ["watch"]
    assert kernel.asked[0].who == {"name": "anna", "role": "practitioner", "origin": "local"}


@pytest.mark.parametrize("shown", [IDLE, DONE])
def test_a_view_that_leads_nothing_that_runs_is_left_without_a_word(
    corneum: Corneum, state: Path, shown: Snapshot
) -> None:
    with acting(state) as kernel:
        kernel.shows, kernel.leads, kernel.when_seen = [shown], True, ctrl_c
        assert corneum("watch")[::2] == (0, "")


def test_scripts_get_one_object_for_each_change(corneum: Corneum, state: Path) -> None:
    with acting(state) as kernel:
        kernel.shows, kernel.when_seen = [IDLE, IDLE, ACTIVE], ctrl_c_at(3)
        ended = corneum("watch", "--json")
    shown = [json.loads(line) for line in ended.out.splitlines()]
    assert [each["state"] for each in shown] == ["idle", "active"]
    assert shown[0] == json.loads(json.dumps(IDLE.as_dict()))


def test_a_kernel_that_ends_while_nothing_runs_ends_the_view(corneum: Corneum, state: Path) -> None:
    with acting(state) as kernel:
        kernel.shows = [IDLE]
        ends(kernel)
        ended = corneum("watch")
    assert (ended.code, ended.err) == (0, "The kernel has ended; no treatment was under way.\n")


def test_a_kernel_that_goes_during_a_treatment_is_told_with_what_the_unit_does(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        kernel.shows = [ACTIVE]
        ends(kernel)
        ended = corneum("watch", "--json")
    assert ended.code == ExitCode.PORT
    assert ended.err == GONE.format("the kernel has closed the connection")
    assert json.loads(ended.out.splitlines()[-1])["error"]["code"] == "kernel_gone"
    assert len(kernel.did) >= 2  # it was asked anew before it was called gone


def test_a_connection_that_breaks_once_is_made_anew_and_the_view_goes_on(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        kernel.shows = [ACTIVE]

        def seen(_number: int) -> None:
            kernel.shows = [replace(ACTIVE, state="paused", alarms=())]
            kernel.when_seen = ctrl_c
            kernel.hang_up()

        kernel.when_seen = seen
        ended = corneum("watch")
    assert (ended.code, ended.err) == (0, "")
    assert "paused: release the hand switch, then press it to go on" in ended.out.splitlines()[-1]
    assert kernel.did == ["watch", "watch"]


def test_a_kernel_that_listens_and_says_nothing_is_given_up_within_a_bound(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "ANSWER_MAX_S", 0.05)
    with acting(state) as kernel:
        kernel.shows = [ACTIVE]

        def seen(_number: int) -> None:
            kernel.silent.add("watch")
            kernel.hang_up()

        kernel.when_seen = seen
        ended = corneum("watch")
    assert ended.code == ExitCode.PORT
    assert ended.err.startswith("The kernel cannot be reached any more (")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [({}, "paused"), ({"code": "no_treatment", "sentence": "None."}, "active")],
)
def test_a_view_that_leads_and_shows_nothing_any_more_pauses_the_treatment(
    corneum: Corneum,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, str],
    outcome: str,
) -> None:
    lost_after(monkeypatch, 1, errno.ENOSPC)
    with acting(state) as kernel:
        kernel.shows, kernel.leads = [ACTIVE, ACTIVE], True
        if answer:
            kernel.errors["pause"] = answer
        ended = corneum("watch")
        assert kernel.did == ["watch", "pause"]
        assert kernel.asked[-1].args == {}
    assert (ended.code, ended.err) == (ExitCode.PORT, UNSEEN.format(outcome))


def test_a_view_that_can_neither_show_nor_pause_says_that_it_is_out_of_reach(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_after(monkeypatch, 0, errno.ENOSPC)
    with acting(state) as kernel:
        kernel.shows, kernel.leads, kernel.hangs_up_at = [ACTIVE], True, {"pause"}
        assert corneum("watch").err == UNSEEN.format("out of reach")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errno.EPIPE, ""),
        (errno.ENOSPC, "Standard output cannot be written: No space left on device.\n"),
    ],
)
def test_a_view_of_anothers_treatment_leaves_it_alone_when_it_can_show_nothing(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch, error: int, said: str
) -> None:
    lost_after(monkeypatch, 0, error)
    with acting(state) as kernel:
        kernel.shows = [ACTIVE]
        ended = corneum("watch")
        assert kernel.did == ["watch"]
    assert (ended.code, ended.err) == (ExitCode.PORT, said)


def test_a_kernel_that_is_silent_over_the_old_and_a_new_connection_is_gone(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "ANSWER_MAX_S", 0.05)
    monkeypatch.setattr(attached, "QUIET_MAX_S", 0.05)
    with acting(state) as kernel:
        kernel.shows = [ACTIVE]
        kernel.when_seen = lambda _number: kernel.silent.add("watch")
        ended = corneum("watch")
    assert (ended.code, ended.err) == (ExitCode.PORT, GONE.format("it has hung up"))


def test_a_screen_that_was_halted_shows_the_next_snapshot_when_it_can(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter([False, False])
    monkeypatch.setattr(Screen, "takes_more", property(lambda _screen: next(room, True)))
    with acting(state) as kernel:
        kernel.shows = [IDLE, ACTIVE, replace(ACTIVE, state="paused")]
        kernel.when_seen = ctrl_c
        ended = corneum("watch")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("paused: release the hand switch")


def test_an_act_may_take_longer_than_a_stop_may(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "ANSWER_MAX_S", 0.05)
    with acting(state) as kernel:
        kernel.takes_s["pause"] = 0.15
        kernel.shows = [ACTIVE]
        kernel.shows_after = {"pause": [replace(ACTIVE, state="paused", alarms=())]}
        kernel.when_seen = lambda number: ctrl_c() if number == 2 else None
        show = Screen.show

        def shown(screen: Screen, snapshot: Snapshot) -> None:
            show(screen, snapshot)
            if snapshot.state == "active":
                asyncio.get_running_loop().call_soon(pressed[0], "p")

        pressed: list[Callable[[str], None]] = []

        def heard(on_key: Callable[[str], None]) -> object:
            pressed.append(on_key)
            return keys(on_key)

        monkeypatch.setattr(attached, "keys", heard)
        monkeypatch.setattr(Screen, "show", shown)
        ended = corneum("watch")
        assert kernel.did == ["watch", "pause"]
    assert "was not confirmed" not in ended.out + ended.err


# -- keys ------------------------------------------------------------
@pytest.mark.parametrize(("code", "verb"), [("V01", "pause"), ("H07", "resume")])
def test_p_pauses_and_goes_on(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch, code: str, verb: str
) -> None:
    pressed: list[Callable[[str], None]] = []

    def heard(on_key: Callable[[str], None]) -> object:
        pressed.append(on_key)
        return keys(on_key)

    monkeypatch.setattr(attached, "keys", heard)
    alarm = replace(ACTIVE.alarms[0], code=code)
    with acting(state) as kernel:
        kernel.shows = [replace(ACTIVE, alarms=(alarm,))]
        kernel.errors[verb] = {"sentence": "Not now.", "next_step": "Later."}
        show = Screen.show
        asked: list[int] = []

        def shown(screen: Screen, snapshot: Snapshot) -> None:
            show(screen, snapshot)
            if not asked:
                asked.append(1)
                asyncio.get_running_loop().call_soon(pressed[0], "x")
                asyncio.get_running_loop().call_soon(pressed[0], "P")

        monkeypatch.setattr(Screen, "show", shown)
        say = Screen.say

        def said(screen: Screen, words: str, *, passing: bool = False) -> None:
            say(screen, words, passing=passing)
            if words == "Not now. Later.":
                ctrl_c()

        monkeypatch.setattr(Screen, "say", said)
        ended = corneum("watch")
        assert kernel.did == ["watch", verb]
        assert kernel.asked[-1].args == {}
    assert ended.code == 0
    assert {"pause": "pausing", "resume": "resuming"}[verb] in ended.out.splitlines()
    assert "Not now. Later." in ended.out.splitlines()
