"""Ends that come late, are lost or never come: there is always a way out, and old faults show."""

from collections.abc import Callable

import pytest

from controller.treatment import conduct as conduct_module
from controller.treatment.acts import Acts
from controller.treatment.conduct import Conduct
from controller.treatment.events import (
    Begin,
    Body,
    Closed,
    Command,
    Commit,
    End,
    Event,
    Observed,
    Person,
    Step,
    Wake,
)
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode, Permit
from tests.proof.explore.host import AT_REST, HERE, EndOf, Happens, HostWorld
from tests.proof.explore.host_clocks import Wait
from tests.proof.explore.search import Search
from tests.qa.test_explore import first_broken


def _stop_voids_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conduct_module, "VOIDED_BY_STOP", ())


def _stop_loses_a_reset(patch: pytest.MonkeyPatch) -> None:
    """As it was: the wish is remembered, what was asked is dropped, and nobody hears of it."""
    void = Acts.void

    def lossy(self: Acts, *steps: Step) -> tuple[Closed, ...]:
        kept = {n: one for n, one in self.open.items() if one.step in persons_steps}
        closed = void(self, *steps)
        self.open.update({-n: one for n, one in kept.items()})  # numbers whose ends never come
        return tuple(one for one in closed if one.act not in {k.act for k in kept.values()})

    persons_steps = (Step.RESET_ROW, Step.RESET)
    patch.setattr(Acts, "void", lossy)


def _any_end_is_taken(patch: pytest.MonkeyPatch) -> None:
    take = Acts.take
    patch.setattr(
        Acts,
        "take",
        lambda self, number: take(self, number) or take(self, max(self.open, default=0)),
    )


def _resume_counts_when_asked(patch: pytest.MonkeyPatch) -> None:
    row = Conduct.row

    def eager(self: Conduct, kind: Kind, body: Body, step: Step | None = None) -> Commit:
        self.held = self.held and kind != Kind.RESUME
        return row(self, kind, body, step)

    patch.setattr(Conduct, "row", eager)


HELD_MAX = 600
"""States from a hold on: a flow that is wished too early shows before the 500th."""


class Led(HostWorld):
    """The supervisor from a state on that certain events have led to."""

    def __init__(self, *way: Happens) -> None:
        super().__init__(small=True)
        self._way = way

    def start(self) -> None:
        super().start()
        for happens in self._way:
            assert self.perform(happens) == ()


def _way(*events: Event | EndOf) -> list[Happens]:
    return [Happens("on the way", event) for event in events]


_READY = AT_REST._replace(mode=Mode.READY)
_LEASED = _READY._replace(permits=Permit.LEASE)
_CONFIGURING = _way(Begin(HERE), EndOf(Step.BEGIN, End.DONE), Observed(AT_REST))
_TESTED = _way(
    EndOf(Step.CONFIGURE, End.DONE),
    Observed(AT_REST),
    EndOf(Step.SELF_TEST, End.DONE, detail=77),
    Observed(_READY),
)
_PROVEN = [
    *_way(Wake()),
    Happens("the lease lives", Observed(_LEASED), Wait.ENOUGH),
    *_way(Observed(_READY)),
    Happens("the stream is proven", Observed(_READY), Wait.ENOUGH),
]


def tripped() -> Led:
    """A trip while CONFIG has not been answered."""
    safe = AT_REST._replace(mode=Mode.SAFE, cause=Cause.DWELL)
    return Led(*_CONFIGURING, *_way(Observed(safe)))


def held() -> Led:
    """An armed treatment whose flow a person holds."""
    armed = AT_REST._replace(mode=Mode.ARMED)
    arming = _way(EndOf(Step.ARM_ROW, End.DONE), Observed(armed), Person(Command.PAUSE, HERE))
    return Led(*_CONFIGURING, *_TESTED, *_PROVEN, *arming)


LATE_BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], set[str]]] = {
    "a stop voids nothing": (_stop_voids_nothing, {"P3", "P6", "P11"}),
    "a stop loses a reset": (_stop_loses_a_reset, {"L2", "P11"}),
    "any end is taken": (_any_end_is_taken, {"P3"}),
}


@pytest.mark.hazard("H18")
def test_from_a_trip_on_every_end_may_come_late_or_never_and_a_reset_stays_possible() -> None:
    found = Search(tripped(), 20_000).run()
    assert [trace.text() for trace in found.traces] == []
    assert found.closed
    assert found.checks["L2"]
    assert found.checks["P11"]


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("bug", LATE_BUGS)
def test_a_bug_that_only_lateness_shows_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed, rules = LATE_BUGS[bug]
    seed(monkeypatch)
    assert first_broken(tripped()).broken.rule in rules


@pytest.mark.hazard("H40")
def test_from_a_hold_on_no_flow_is_wished_before_the_row_of_a_resume_is_durable() -> None:
    found = Search(held(), HELD_MAX).run()
    assert [trace.text() for trace in found.traces] == []
    assert found.checks["P1"]


@pytest.mark.hazard("H40")
def test_flow_that_is_wished_before_its_resume_is_durable_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _resume_counts_when_asked(monkeypatch)
    trace = first_broken(held())
    assert trace.broken.rule == "P1"
    assert "neither paused nor stopped" in trace.broken.how
