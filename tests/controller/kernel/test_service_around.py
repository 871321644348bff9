"""What is said of a kernel, and how it is started, run and ended around a body."""

import asyncio
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api.snapshot import LeadView, SimulatedFaultView
from controller.kernel import service
from controller.kernel.service import Outside, Place, running
from controller.safety.refusal import RefusedError, refusing
from controller.safety.timeline import Moment
from qa.loop import run_virtual
from tests.controller.kernel.house import LEFT, PLACE, House, at_home


# -- what is said of it ----------------------------------------------------------------------------
def test_what_is_said_of_a_kernel_is_what_its_parts_say() -> None:
    async def play(house: House) -> None:
        await asyncio.sleep(2.0)
        kernel = house.kernel
        assert kernel.now() == Moment("a boot", 5.25, 1.9e9)
        assert kernel.journal is house.outside.journal
        assert (kernel.idle, kernel.state, kernel.treatments) == (True, "idle", 0)
        kernel._treating.starting, kernel._treating.begun = True, 3
        assert (kernel.idle, kernel.treatments) == (False, 3)
        kernel._device_log = cast("Any", SimpleNamespace(faults=(SimulatedFaultView(7, True),)))  # noqa: FBT003
        kernel._leading = cast("Any", SimpleNamespace(view=LeadView("anna", gone=True)))
        shown = kernel.snapshot()
        assert shown["simulated_faults"] == ({"number": 7, "active": True},)
        assert shown["unfinished"] == (asdict(LEFT[0]),)
        assert shown["clock"] == "It is so."
        assert shown["lead"] == {"name": "anna", "gone": True}
        assert shown["kernel"] == {
            "pid": 7,
            "port": "/dev/a",
            "uptime_s": 2.0,
            "scheduling": None,
            "memory_locked": None,
            "late_max_ms": 0.0,
            "beats_missed": 0,
            "configs": "/configs",
            "corneum": "0.9",
            "boot": "a boot",
            "up_s": 5.25,
            "wall_s": 1.9e9,
        }

    at_home(play)


# -- around a body ---------------------------------------------------------------------------------
class Ran:
    """A kernel around a body, whose steps are noted."""

    def __init__(self, fails: Exception | None, place: Place, outside: Outside) -> None:
        self.given = (place, outside)
        self.done: list[str] = []
        self.fails = fails

    async def start(self) -> None:
        self.done.append("start")
        if self.fails is not None:
            raise self.fails

    async def run(self) -> None:
        self.done.append("run")
        try:
            await asyncio.sleep(1e6)
        finally:
            self.done.append("cancelled")

    async def end(self) -> None:
        self.done.append("end")

    async def close(self) -> None:
        self.done.append("close")


@pytest.mark.parametrize(
    ("start", "body", "done"),
    [
        (None, None, ["start", "run", "end", "cancelled", "close"]),
        (None, ValueError("of the body"), ["start", "run", "cancelled", "close"]),
        (refusing("unit_held", "It is held.", "Wait."), None, ["start", "close"]),
    ],
    ids=["well", "body fails", "does not start"],
)
def test_a_kernel_is_started_run_ended_and_closed_around_a_body(
    monkeypatch: pytest.MonkeyPatch,
    start: Exception | None,
    body: Exception | None,
    done: list[str],
) -> None:
    made: list[Ran] = []

    def make(place: Place, outside: Outside) -> Ran:
        made.append(Ran(start, place, outside))
        return made[0]

    monkeypatch.setattr(service, "Kernel", make)
    outside = cast("Any", object())

    async def scenario() -> None:
        async with running(PLACE, outside) as kernel:
            assert cast("Any", kernel) is made[0]
            await asyncio.sleep(0)
            if body is not None:
                raise body

    try:
        run_virtual(scenario())
    except (RefusedError, ValueError) as error:
        raised: Exception | None = error
    else:
        raised = None
    assert raised is (start or body)
    assert made[0].given == (PLACE, outside)
    assert made[0].done == done
