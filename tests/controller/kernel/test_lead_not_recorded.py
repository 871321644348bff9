"""A screen that takes the lead while its row is lost does not lead, and nobody waits for ever."""

import asyncio

import pytest

from controller.kernel.leading import UNLED_MAX_S
from controller.record.store import RecordError
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import service
from tests.controller.kernel.test_leading import BEN, FLICKER_S, Screen, lead_of, led


@pytest.mark.hazard("H57", shows="works")
def test_where_the_change_of_the_lead_cannot_be_recorded_the_wait_for_a_screen_goes_on() -> None:
    async def lost(_rows: object) -> None:
        raise RecordError("The disk is full.")

    async def scenario() -> None:
        async with service() as made:
            screen = await led(made)
            screen.close()
            await made.until(lambda: lead_of(made)[1])
            other = Screen(made, BEN)
            await other.watch()
            await asyncio.sleep(FLICKER_S)
            made.kernel._leading._commit = lost
            with pytest.raises(RefusedError, match="disk is full"):
                await other.ask("resume")
            await asyncio.sleep(FLICKER_S)
            assert (made.state, lead_of(made)[1]) == ("paused", True)
            made.kernel._leading._since_s -= UNLED_MAX_S - 3.0  # three seconds are left
            await made.until(lambda: made.kernel.idle, 10.0)
            assert made.snapshot()["treatment"]["outcome"] == "stopped"
            other.close()

    run_virtual(scenario())
