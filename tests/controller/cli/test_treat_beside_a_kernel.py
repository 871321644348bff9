"""`corneum treat` on a kernel: what it asks for, and what it says of each end."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from controller.cli.outcome import ExitCode
from tests.controller.cli.acting_kernel import acting
from tests.controller.cli.conftest import Corneum, Ended
from tests.controller.cli.live_scenes import (
    GONE,
    UNSEEN,
    be_quick,
    ctrl_c,
    ends,
    lost_after,
    treats,
)
from tests.controller.cli.views import ACTIVE, DONE, STOPPED, TRIPPED

pytestmark = pytest.mark.realtime
TREAT = ("treat", "refresh", "--client", "demo", "--zones", "nose", "--port", "/dev/ttyACT0")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    be_quick(monkeypatch)


def test_a_treatment_is_planned_asked_for_shown_and_summed_up(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, ACTIVE, DONE)
        ended = corneum(*TREAT)
        assert (ended.code, ended.err) == (0, "")
        assert kernel.did == ["status", "status", "treat", "watch"]
        asked = kernel.asked[2].args
    assert (asked["program"], asked["client"], asked["zones"]) == ("refresh", "demo", ["nose"])
    assert "treating · Nose 39 %" in ended.out
    assert "Refresh for demo: completed (simulated)" in ended.out
    assert "record: treatment 7 in journal.sqlite3" in ended.out


def test_scripts_get_the_end_as_the_one_object_and_people_the_view_beside_it(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, ACTIVE, STOPPED)
        ended = corneum(*TREAT, "--json")
    assert (ended.code, ended.said["outcome"]) == (ExitCode.STOPPED, "stopped")
    assert ended.said["stopped_by"] == "anna"
    assert "treating · Nose 39 %" in ended.err


@pytest.mark.parametrize(
    ("once", "words"),
    [
        (False, "The trip stands until `corneum ack` and `corneum reset`.\n"),
        (
            True,
            "The trip stands in the unit; a kernel that was started by this command ends with it, "
            "and the next `corneum treat` or `corneum ack` and `corneum reset` find the trip "
            "there.\n",
        ),
    ],
)
def test_a_trip_is_told_with_what_clears_it(
    corneum: Corneum, state: Path, words: str, *, once: bool
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, TRIPPED)
        ended = corneum(*TREAT, *(["--once"] if once else []))
    assert (ended.code, ended.err) == (ExitCode.TRIPPED, words)


def test_ctrl_c_ends_a_treatment_in_order_and_the_second_one_vents(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, ACTIVE)
        kernel.shows_after = {"stop": [replace(ACTIVE, state="stopping"), STOPPED]}
        kernel.when_seen = lambda number: ctrl_c() if number < 3 else None
        ended = corneum(*TREAT)
        stops = [one.args for one in kernel.asked if one.do == "stop"]
    assert (ended.code, stops) == (ExitCode.STOPPED, [{}, {"emergency": True}])
    assert "stopping in order; Ctrl-C again vents at once\n" in ended.out
    assert "venting\n" in ended.out


def refused(ended: Ended) -> tuple[int, str, object]:
    return ended.code, ended.err, ended.said["outcome"]


def test_a_treatment_that_the_kernel_refuses_says_why_and_begins_nothing(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel)
        kernel.errors["treat"] = {
            "code": "unit_held", "sentence": "The unit is held.", "next_step": "Wait.",
        }  # fmt: skip
        assert refused(corneum(*TREAT, "--json")) == (
            ExitCode.PORT, "The unit is held. Wait.\n", "refused",
        )  # fmt: skip
        assert kernel.did == ["status", "status", "treat"]


def test_a_treatment_whose_kernel_goes_has_an_end_that_nobody_here_knows(
    corneum: Corneum, state: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, ACTIVE)
        ends(kernel)
        ended = corneum(*TREAT, "--json")
    assert ended.code == ExitCode.PORT
    assert ended.err.endswith(GONE.format("the kernel has closed the connection"))
    assert (ended.said["outcome"], ended.said["record"]) == (None, None)


def test_a_treatment_whose_screen_is_lost_is_paused_and_told_to_scripts(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_after(monkeypatch, 1, errno.ENOSPC)
    with acting(state) as kernel:
        treats(state, kernel, ACTIVE, ACTIVE)
        ended = corneum(*TREAT, "--json")
        assert kernel.did[-1] == "pause"
    assert ended.code == ExitCode.PORT
    assert ended.err.endswith(UNSEEN.format("paused"))
    assert (ended.said["outcome"], ended.said["client"]) == ("paused", "demo")
    assert ended.said["error"]["code"] == "output_lost"


def test_what_is_told_of_a_treatment_with_another_folder_is_what_the_kernel_reads(
    corneum: Corneum, state: Path, tmp_path: Path
) -> None:
    with acting(state) as kernel:
        treats(state, kernel, DONE)
        ended = corneum(*TREAT, "--configs", str(tmp_path))
        assert "treat" not in kernel.did[:2]
    assert ended.code == ExitCode.REFUSED
    assert "and another folder was named" in ended.err
