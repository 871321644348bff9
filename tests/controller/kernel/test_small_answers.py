"""Short answers of the kernel's parts, each asked alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api.faults import FaultHandler
from controller.api.requests import Request
from controller.kernel.service import Kernel
from controller.record import listing
from controller.record.resets import _Steps
from controller.record.treatments import uses
from controller.record.verify import Break, Trail, verify
from controller.safety.exposure import ZoneUse
from controller.safety.refusal import RefusedError
from controller.treatment.events import Who

STOP = {"do": "stop", "who": {"name": "anna", "role": "viewer", "origin": "local"}}


# -- stops -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("args", "emergency"),
    [({}, False), ({"emergency": True}, True), ({"emergency": "yes"}, False)],
)
def test_a_stop_vents_at_once_only_where_that_was_asked_for(
    args: dict[str, object], *, emergency: bool
) -> None:
    stopped: list[tuple[Who, bool]] = []

    def stop_as(who: Who, vents: bool) -> dict[str, Any]:  # noqa: FBT001 - as the kernel's own
        stopped.append((who, vents))
        return {"state": "stopping"}

    kernel = cast("Kernel", SimpleNamespace(stop_as=stop_as))
    request = Request.model_validate({**STOP, "id": 1, "args": args})
    assert Kernel.stop(kernel, request) == {"state": "stopping"}
    assert stopped == [(Who("anna", "viewer", "local"), emergency)]


def test_who_cannot_wait_for_the_purge_is_the_service_itself() -> None:
    stopped: list[tuple[Who, bool]] = []

    def stop_as(who: Who, *, emergency: bool) -> None:
        stopped.append((who, emergency))

    Kernel.vent(cast("Kernel", SimpleNamespace(stop_as=stop_as)))
    assert stopped == [(Who("kernel", "service", "local"), True)]


# -- locks and faults ------------------------------------------------------------------------------
@pytest.mark.parametrize("own", [True, False])
def test_an_answer_that_nobody_waits_for_any_more_is_no_fault(*, own: bool) -> None:
    """A request that is cancelled ends; one whose inner task was cancelled has met a fault."""

    async def scenario() -> None:
        desk = FaultHandler(lambda *_: None)
        request = Request.model_validate({**STOP, "id": 1, "args": {}})
        inner: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asking = asyncio.create_task(desk.guarded(inner, request), name="asking")
        await asyncio.sleep(0)
        if own:
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            return
        inner.cancel()
        with pytest.raises(RefusedError) as caught:
            await asking
        assert caught.value.code == "fault"

    asyncio.run(scenario())


# -- rows ------------------------------------------------------------------------------------------
@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    ("zones", "had"),
    [
        ([{"zone": "nose", "bound_um": 0.5}], {"nose": ZoneUse(0.0, 0.5)}),
        ([{"other": 1}, "zone", None, 7], {}),
        (
            [{"zone": "nose", "bound_um": 0.5}, {"zone": "nose", "bound_um": 0.25}],
            {"nose": ZoneUse(0.0, 0.5)},
        ),
    ],
)
def test_of_each_zone_that_rows_name_the_larger_figure_counts(
    monkeypatch: pytest.MonkeyPatch, zones: list[object], had: dict[str, ZoneUse]
) -> None:
    row = SimpleNamespace(body={"zones": zones})
    monkeypatch.setattr(listing, "closing", lambda _store, _treatment: [row])
    beginning = cast("Any", SimpleNamespace(zones={}, treatment=7))
    found = uses(cast("Any", None), beginning)
    assert {zone: use.bound_um for zone, use in found.items()} == {
        zone: use.bound_um for zone, use in had.items()
    }


@pytest.mark.parametrize(("row", "ahead_s"), [(None, 7.0), (3, 7.0), (2, 4.0), (1, 0.0)])
def test_only_steps_of_the_clock_ahead_are_summed_up(row: int | None, ahead_s: float) -> None:
    steps = cast("Any", _Steps.__new__(_Steps))
    steps._steps = [(1, -3.0), (2, 4.0), (3, 3.0), (3, None)]
    assert steps.ahead_s(row) == ahead_s


def chained(row_id: int, prev_hash: str, own_hash: str, *, holds: bool = True) -> Any:  # noqa: ANN401
    return SimpleNamespace(id=row_id, prev_hash=prev_hash, hash=own_hash, holds=holds)


def test_a_trail_names_what_is_wrong_with_each_row() -> None:
    trail = Trail()
    trail.follow(
        [
            chained(1, "", "a", holds=False),
            chained(2, "x", "b"),
            chained(3, "other", "c"),
            chained(4, "c", "d"),
        ]
    )
    assert trail.breaks == [
        Break(1, "its content is not what was written"),
        Break(3, "it does not follow the row before it"),
    ]


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"no database" * 100)])
def test_a_file_that_is_no_record_is_told_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "journal.sqlite3"
    make(path)
    found = verify(path)
    assert not found.ok
    assert found.unreadable is not None
    assert str(path) in found.sentence
    assert "is damaged" in found.sentence
