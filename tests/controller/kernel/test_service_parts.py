"""The parts of a kernel: how they are wired, begun, ended and looked after."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from controller.api.requests import WhoSays
from controller.api.software import Software
from controller.api.viewer import Viewer
from controller.config.locate import shipped_configs
from controller.device.answers import LinkState, PortError, PortTrouble, SilentError
from controller.device.handpiece import Listeners
from controller.kernel import service
from controller.kernel.control import About
from controller.kernel.service import END_MAX_S, GIVEN_UP_PERIOD_S, Kernel, Outside
from controller.kernel.treating import Room
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.record.locks import LockState
from controller.record.resets import Whose
from controller.safety.refusal import RefusedError
from controller.treatment.kinds import Kind
from tests.controller.kernel.house import KERNEL, PLACE, UNIT, House, Unit, at_home


class Part(str):
    """A part by its name, and the two of a control that others are given."""

    __slots__ = ()
    alarms, resets = "its alarms", "its resets"


# -- wiring ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("configs", [Path("/configs"), None])
def test_each_part_is_given_its_own(monkeypatch: pytest.MonkeyPatch, configs: Path | None) -> None:
    given: dict[str, tuple[object, ...]] = {}

    def maker(name: str) -> Callable[..., Part]:
        def make(*what: object) -> Part:
            given[name] = what
            return Part(f"a {name}")

        return make

    for name in ("Control", "Booking", "Upkeep", "Treating", "Leading", "DeviceLog"):
        monkeypatch.setattr(service, name, maker(name))
    unit, alive, listeners = Unit(), lambda _lock: LockState.HELD, Listeners()
    made: list[object] = []

    def make_client(heard: object) -> Any:  # noqa: ANN401 - a unit
        made.append(heard)
        return unit

    outside = Outside(
        make_client,
        cast("Any", unit),
        Here(lambda: 1.9e9),
        alive,
        pid=7,
        software=Software("0.9", "3.11.7"),
    )
    monkeypatch.setattr(Kernel, "_handpiece", unit)
    kernel = Kernel(replace(PLACE, configs=configs), outside)
    folder = configs or shipped_configs()
    *treating, client_of = cast("tuple[Any, ...]", given.pop("Treating"))
    assert client_of() is None  # before it was made
    assert treating == [Room(cast("Any", unit), outside.here, folder), "a Booking", "a Control"]
    assert given == {
        "Control": (
            kernel._make_client,
            unit,
            About("/dev/a", "/state/journal.sqlite3", outside.here, 7),
        ),
        "Booking": (unit, outside.here, folder, "0.9", "port-7.lock", alive),
        "Upkeep": (unit, outside.here, "a Booking", "its alarms", "its resets"),
        "DeviceLog": (unit.log_record, unit.note),
        "Leading": ("a Control", unit.commit),
    }
    client: object = kernel._make_client(cast("Any", listeners))
    assert client is unit
    kept: object = kernel._client
    assert kept is unit
    assert made == [listeners]


# -- start -----------------------------------------------------------------------------------------
def test_a_kernel_hears_stops_first_and_claims_its_unit_before_it_writes() -> None:
    async def play(house: House) -> None:
        await asyncio.sleep(2.0)
        assert await house.kernel.start() == UNIT

    house = at_home(play)
    row = Row(
        Kind.KERNEL,
        {
            "pid": 7,
            "port": "/dev/a",
            "unit": 1001,
            "firmware": "1.0",
            "simulated": True,
            "boot": "a boot",
            "asleep_s": 3.25,
            "corneum": "0.9",
            "python": "3.11.7",
        },
    )
    assert house.done == [
        ("hear stops", house.kernel.stop_as),
        "tables",
        "record",
        ("connect", 2.0),
        ("claim", UNIT),
        ("ready", None),
        [row],
        ("record", Whose(1001, simulated=True, boot="a boot")),
        ("log", house.outside.journal, 1001),
    ]


def test_a_kernel_whose_unit_or_record_is_away_says_so() -> None:
    async def play(house: House) -> None:
        for error, code in (
            (PortError(PortTrouble.HELD, "It is held.", "Wait."), "port_held"),
            (SilentError("It is held.", "Wait."), "device"),
        ):
            house.unit.fails = error
            with pytest.raises(RefusedError) as caught:
                await house.kernel.start()
            refused = caught.value
            assert (refused.code, refused.sentence) == (code, "It is held.")
            assert refused.next_step == "Wait."
        house.lost = "The disk is full."
        with pytest.raises(RefusedError) as caught:
            await house.kernel.start()
        refused = caught.value
        assert (refused.code, refused.sentence, refused.next_step) == (
            "record",
            "The disk is full.",
            "Nothing has moved; start again when that is done.",
        )

    assert ("claim", UNIT) not in at_home(play).done


# -- end -------------------------------------------------------------------------------------------
def test_an_end_stops_in_order_in_the_name_of_the_kernel_and_waits_until_it_is_idle() -> None:
    async def play(house: House) -> None:
        await house.kernel.end()
        house.treats("active")
        asyncio.get_running_loop().call_later(
            2.01,
            setattr,
            house.kernel.control,
            "idle",
            True,  # noqa: FBT003 - a field
        )
        await house.kernel.end()
        assert asyncio.get_running_loop().time() == pytest.approx(2.05)
        house.treats("active")
        began_s = asyncio.get_running_loop().time()
        await house.kernel.end()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(END_MAX_S)
        house.kernel.vent()

    assert at_home(play).stopped == [(KERNEL, False), (KERNEL, False), (KERNEL, True)]


def test_a_stop_voids_what_begins_and_says_what_came_of_it() -> None:
    async def play(house: House) -> None:
        house.treats("stopping")
        before = house.kernel._treating._stops
        said = house.kernel.stop_as(KERNEL, True)  # noqa: FBT003 - a callback
        assert said == {"state": "stopping", "link": "identified"}
        assert house.kernel._treating._stops == before + 1

    at_home(play)


NONE_TO_NOTE = ("treatments to note", 0)


@pytest.mark.parametrize("looked", [True, False])
def test_the_log_of_the_unit_is_looked_at_once_more_before_the_line_is_closed(
    *, looked: bool
) -> None:
    async def play(house: House) -> None:
        house.unit.identity = UNIT if looked else None
        house.kernel._treating.treatment = 8
        await house.kernel.close()

    look = [("last look", UNIT, 8)] if looked else []
    assert at_home(play).done == [*look, NONE_TO_NOTE, "line closed", "record closed"]


def test_a_kernel_that_never_had_a_line_closes_its_record() -> None:
    async def play(house: House) -> None:
        house.kernel._client = None
        await house.kernel.close()

    assert at_home(play).done == [NONE_TO_NOTE, "record closed"]


# -- whose log may be read -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "idle", "starting", "link", "may"),
    [
        ("idle", True, False, LinkState.IDENTIFIED, True),
        ("stopping", True, False, LinkState.IDENTIFIED, True),
        ("active", False, False, LinkState.IDENTIFIED, True),
        ("paused", False, False, LinkState.IDENTIFIED, True),
        ("preparing", False, False, LinkState.IDENTIFIED, False),
        ("arming", False, False, LinkState.IDENTIFIED, False),
        ("stopping", False, False, LinkState.IDENTIFIED, False),
        ("idle", True, True, LinkState.IDENTIFIED, False),
        ("idle", True, False, LinkState.CONNECTED, False),
    ],
)
def test_the_log_is_read_where_no_one_shot_of_a_treatment_waits(
    state: str, *, idle: bool, starting: bool, link: LinkState, may: bool
) -> None:
    async def play(house: House) -> None:
        house.treats(state, idle=idle)
        house.unit.identity, house.unit.state = UNIT, link
        house.kernel._treating.starting, house.kernel._treating.treatment = starting, 8
        assert house.kernel._log_of() == ((UNIT, 8) if may else None)
        left = 0 if may and idle else 8  # one look after its end is of the treatment
        assert house.kernel._treating.treatment == left

    at_home(play)


# -- a unit that is lost ---------------------------------------------------------------------------
def test_a_unit_that_was_given_up_is_looked_for_every_minute_and_then_kept() -> None:
    async def play(house: House) -> None:
        house.unit.stays_s = 100.0
        house.unit.fails = SilentError("It does not answer.", "Look.")
        keeping = asyncio.create_task(house.kernel._keep_connected(), name="keep-connected")
        await asyncio.sleep(230.0)
        house.unit.state = LinkState.IDENTIFIED
        await asyncio.sleep(160.0)
        keeping.cancel()

    given_up = Row(Kind.LINK_GIVEN_UP, {"why": "It does not answer."})
    assert GIVEN_UP_PERIOD_S == 60.0
    assert at_home(play).done == [
        ("gave up", 100.0),
        given_up,
        ("connect", 160.0),
        ("connect", 220.0),
        ("connect", 280.0),
        ("gave up", 380.0),
        given_up,
    ]


# -- while it runs ---------------------------------------------------------------------------------
def test_a_kernel_controls_keeps_its_line_checks_its_record_and_looks_at_lead_and_log() -> None:
    ran: list[tuple[Any, ...]] = []

    def lasts(name: str) -> Callable[..., Awaitable[None]]:
        async def runs(*given: object) -> None:
            ran.append((name, *given))
            await asyncio.sleep(1e6)

        return runs

    async def play(house: House) -> None:
        kernel = house.kernel
        for part, method, name in (
            (kernel.control, "run", "control"),
            (kernel._upkeep, "keep_checked", "checks"),
            (kernel._upkeep, "keep_noted", "notes"),
            (kernel._leading, "watch", "leading"),
            (kernel._device_log, "follow", "log"),
            (house.unit, "stay_connected", "line"),
        ):
            setattr(part, method, lasts(name))
        running_kernel = asyncio.create_task(kernel.run(), name="kernel")
        await asyncio.sleep(1.0)
        named = ["control", "line", "checks", "notes", "leading", "log"]
        assert [name for name, *_ in ran] == named
        (_, is_idle), (_, begun), (_, log_of) = ran[2], ran[3], ran[5]
        kernel._treating.begun = 3
        assert begun() == 3
        assert log_of == kernel._log_of
        assert is_idle()
        house.treats("active")
        assert not is_idle()
        assert begun() is None
        running_kernel.cancel()
        await asyncio.wait([running_kernel])

    at_home(play)


def test_a_connection_that_watches_is_a_screen_of_the_lead() -> None:
    watched: list[object] = []

    async def play(house: House) -> None:
        house.kernel._leading.watched = lambda *given: watched.append(given)  # type: ignore[method-assign]
        viewer, who = Viewer(), WhoSays(name="anna")
        house.kernel.watched(viewer, who)
        assert watched == [(viewer, who)]

    at_home(play)
