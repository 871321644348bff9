"""The rows of stops: the first at once, repeats counted, and how each stop ended."""

import asyncio

from controller.device.answers import StopReport
from controller.record.journal import Row
from controller.record.stop_rows import PERIOD_S, StopRows
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Mode, StopKind
from qa.loop import run_virtual


def stop(kind: str, treatment: int = 7, **more: object) -> Row:
    return Row(Kind.STOP, {"kind": kind, "why": "asked", **more}, treatment)


def test_the_rows_of_two_kinds_of_stop_are_counted_apart_and_the_newest_is_written() -> None:
    noted: list[Row] = []
    rows = StopRows(noted.append)
    rows.add(stop("NORMAL"), 10.0)
    rows.add(stop("EMERGENCY"), 10.2)
    assert noted == [stop("NORMAL"), stop("EMERGENCY")]
    noted.clear()
    rows.add(stop("NORMAL", 8), 10.5)
    rows.add(stop("NORMAL", 9), 10.9)
    rows.add(stop("EMERGENCY"), 11.0)
    assert noted == []
    rows.tick(11.0)
    assert noted == [stop("NORMAL", 9, times=2)]
    rows.tick(11.2)
    assert noted[1:] == [stop("EMERGENCY")]
    rows.tick(20.0)
    rows.add(stop("NORMAL"), 11.5)  # a second after the one before it was written
    assert len(noted) == 2
    rows.add(stop("NORMAL"), 12.0)
    assert noted[2:] == [stop("NORMAL", times=2)]
    assert PERIOD_S == 1.0


def test_each_stop_that_ends_is_told_with_its_own_figures() -> None:
    noted: list[Row] = []

    async def scenario() -> None:
        rows, loop = StopRows(noted.append), asyncio.get_running_loop()
        first: asyncio.Future[StopReport] = loop.create_future()
        second: asyncio.Future[StopReport] = loop.create_future()
        rows.follow(first, 7)
        rows.follow(first, 7)  # the same stop, asked for again
        rows.follow(second, 8)
        first.set_result(
            StopReport(StopKind.NORMAL, confirmed=True, took_s=0.12345, mode=Mode.SAFE, frames=1)
        )
        await asyncio.sleep(0.5)
        second.set_result(
            StopReport(StopKind.NORMAL, confirmed=False, took_s=2.0, mode=None, frames=9)
        )
        await asyncio.sleep(0.4)
        rows.tick(loop.time())
        assert len(noted) == 1
        await asyncio.sleep(0.1)
        rows.tick(loop.time())

    run_virtual(scenario())
    assert noted == [
        Row(
            Kind.STOP_REPORT,
            {"kind": "NORMAL", "confirmed": True, "took_ms": 123.5, "frames": 1},
            7,
        ),
        Row(
            Kind.STOP_REPORT,
            {"kind": "NORMAL", "confirmed": False, "took_ms": 2000.0, "frames": 9},
            8,
        ),
    ]


def test_rows_that_are_no_stops_pass_at_once_whatever_is_held() -> None:
    noted: list[Row] = []
    rows = StopRows(noted.append)
    pause = Row(Kind.PAUSE, {"who": {}}, 7)
    for _ in range(2):
        rows.pass_on(pause, 10.0)
        rows.pass_on(stop("NORMAL"), 10.0)
    assert noted == [pause, stop("NORMAL"), pause]
