"""A kernel that did not run, a unit that is not the one: each is called what it is."""

import asyncio
import math
from dataclasses import replace

import pytest

from controller.api import server
from controller.api.ask import (
    ACT_TIMEOUT_S,
    END_MAX_S,
    MARGIN_S,
    PREPARED_MAX_S,
    TREAT_TIMEOUT_S,
)
from controller.api.requests import unit_absent
from controller.api.viewer import SILENT_MAX_S
from controller.cli import start
from controller.kernel import service as service_module
from controller.record import writer
from controller.record.clocks import Here
from controller.record.device_log import LAST_LOOK_MAX_S
from controller.record.journal import LAG_MAX_S
from controller.safety.clocks import STEP_MIN_S
from controller.safety.interlocks import LOOP_STALL_MAX_S
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import service
from tests.controller.device.clients import stand_still
from tests.controller.kernel.clinic import Clinic, scenario
from tests.controller.kernel.test_control import bring_to
from tests.controller.kernel.test_leading import ANNA, FLICKER_S, Screen, alarms_of, lead_of


def test_a_kernel_that_did_not_run_calls_no_screen_gone() -> None:
    async def play() -> None:
        async with service() as made:
            screen = Screen(made, ANNA)
            await screen.ask("treat", program="refresh", client="demo", zones=["nose"])
            await screen.watch()
            await asyncio.sleep(0.3)
            stand_still(SILENT_MAX_S + 1.0)
            screen.frozen = True  # its confirmations of meanwhile wait to be read
            await asyncio.sleep(FLICKER_S)
            screen.frozen = False
            await asyncio.sleep(1.0)
            assert (lead_of(made), alarms_of(made)) == (("anna", False), [])
            screen.close()

    run_virtual(play())


@pytest.mark.hazard("H14", shows="works")
@pytest.mark.parametrize("stood_s", [2 * LOOP_STALL_MAX_S, 3.0])
def test_a_treatment_whose_kernel_did_not_run_ends_as_held_up_and_its_link_stays(
    stood_s: float,
) -> None:
    async def play(made: Clinic) -> None:
        await bring_to(made, "active")
        stand_still(stood_s)
        await made.until("tripped", within_s=0.2)
        await asyncio.sleep(1.0)
        assert made.codes() == ["C06"]
        assert made.view.link.state == "identified"
        assert [body["why"] for kind, body in made.rows("link") if "silent" in body["why"]] == []

    scenario(play)


@pytest.mark.hazard("H14", shows="works")
def test_a_treatment_over_which_the_computer_slept_says_so() -> None:
    asleep_s = 0.0

    async def play(made: Clinic) -> None:
        nonlocal asleep_s
        here = Here(made.rig.wall_clock, "boot", lambda: asleep_s)
        made.control._about = replace(made.control._about, here=here)
        await bring_to(made, "active")
        asleep_s = 40.0
        await made.until("tripped", within_s=0.1)
        (alarm,) = made.view.alarms
        assert alarm.code == "C06"
        assert alarm.sentence.endswith("It slept for 40 s.")

    assert STEP_MIN_S <= 40.0
    scenario(play)


def test_whoever_wants_to_treat_with_a_unit_that_is_not_there_hears_what_is() -> None:
    error = unit_absent("unit 777 answered, but this one is unit 1001", "plug unit 1001 in again")
    assert error.sentence == (
        "The unit does not answer (unit 777 answered, but this one is unit 1001)."
    )
    assert error.next_step == "Plug unit 1001 in again."
    assert unit_absent(None, None).sentence == "The unit does not answer at the moment."


def test_a_treatment_that_is_asked_for_without_its_unit_is_refused_with_the_trouble() -> None:
    async def play() -> tuple[RefusedError, str | None]:
        async with service() as made:
            made.rig.wire.unplug()
            await asyncio.sleep(1.0)
            with pytest.raises(RefusedError) as caught:
                await made.ask("treat", program="refresh", client="demo")
            return caught.value, made.kernel.control.snapshot().link.trouble

    error, trouble = run_virtual(play())
    assert error.code == "unit_absent"
    assert trouble is not None
    assert trouble in error.sentence


# -- bounds ----------------------------------------------------------------------------------------
def test_whoever_asks_waits_longer_than_the_kernel_takes() -> None:
    rows_s = 3 * LAG_MAX_S  # a screen that takes the lead, a booking, what is unfinished
    assert ACT_TIMEOUT_S == END_MAX_S + MARGIN_S
    assert TREAT_TIMEOUT_S == PREPARED_MAX_S + END_MAX_S + MARGIN_S
    assert rows_s < MARGIN_S


def test_a_kernel_that_is_told_to_end_is_not_killed_before_its_own_bounds() -> None:
    takes_s = math.fsum(
        (
            service_module.END_MAX_S,
            2 * server.CLOSE_MAX_S,
            LAST_LOOK_MAX_S,
            writer.CLOSE_MAX_S,
        )
    )
    assert takes_s < start.END_MAX_S
