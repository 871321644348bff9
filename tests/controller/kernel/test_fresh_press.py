"""After a hold nothing flows until the hand switch was released and pressed again."""

import asyncio

import pytest

from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service


def valve_percent(made: Service) -> float:
    """Return how far the valve is open."""
    return float(made.snapshot()["live"]["valve_percent"])


def mode(made: Service) -> str:
    """Return the mode of the unit."""
    live = made.snapshot()["live"]
    return "" if live is None else str(live["mode"])


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("pressed_while", ["preparing", "armed", "active"])
def test_a_resume_opens_nothing_under_a_switch_that_was_pressed_before_it(
    pressed_while: str,
) -> None:
    async def scenario() -> None:
        async with service(RigSpec(hand="absent")) as made:
            hand = made.rig.handpiece.hand
            await made.ask("treat", program="refresh", client="demo", zones=["chin"])
            if pressed_while == "active":
                await made.until(lambda: made.state == "armed")
                hand.place()
                hand.press()
                await made.until(lambda: valve_percent(made) > 0.0)
            elif pressed_while == "armed":
                await made.until(lambda: made.state == "armed")
            await made.ask("pause")
            await made.until(lambda: mode(made) in {"armed", "paused"})
            hand.place()
            hand.press()
            await asyncio.sleep(0.5)
            assert made.state == "paused"
            assert valve_percent(made) == 0.0
            await made.ask("resume")
            await asyncio.sleep(1.0)
            assert made.state == "paused"
            assert valve_percent(made) == 0.0
            hand.release()
            await asyncio.sleep(0.3)
            hand.press()
            await made.until(lambda: valve_percent(made) > 0.0, 1.0)
            assert made.state == "active"

    run_virtual(scenario())
