"""What zones have had, by the rows: each figure, what went on from what, and what a crash adds."""

import asyncio
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from controller.record import recovery, treatments
from controller.record.chain import Stamped
from controller.record.clocks import Stamp
from controller.record.journal import canonical
from controller.record.recovery import UNSEEN_S, Interrupted, UnitNow, interrupted, unit_now
from controller.record.store import Store
from controller.record.treatments import CHAIN_MAX, HISTORY_S, RESUME_MAX_S, Beginning
from controller.safety.exposure import CHARGE_MAX_S, ZoneUse
from controller.safety.reading import Identity, Reading
from controller.safety.skin import PastDose
from controller.safety.timeline import Moment
from controller.safety.totals import Delivered, Totals
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Capability, Mode
from qa.loop import run_virtual
from tests.controller.record.crashed import HAD, LOCK, NOTHING, PER_S, begun
from tests.controller.treatment.couch import STOCKED

WALL_S: Final = 1.9e9
NOW: Final = Moment("boot", 5000.0, WALL_S + 5000.0)
Written = tuple[int, str, dict[str, Any]]
KERNEL: Final[Written] = (0, "kernel", {"boot": "boot", "asleep_s": 0.0})
FIGURES: Final = ("nominal_um", "bound_um", "contact_s", "grams", "suction_kpa_s")
"""In the order of `ZoneUse`."""


def record(*rows: Written) -> Store:
    """A record of these rows, each a second after the one before it."""
    store = Store(None)
    store.append(
        [
            Stamped(100.0 + number, WALL_S + 100.0 + number, treatment, kind, canonical(body))
            for number, (treatment, kind, body) in enumerate(rows)
        ]
    )
    return store


def use(figures: dict[str, float], times: float = 1.0) -> ZoneUse:
    return ZoneUse(*(figures[name] * times for name in FIGURES))


def zones(**had: dict[str, float]) -> list[dict[str, Any]]:
    return [{"zone": zone, **figures} for zone, figures in had.items()]


def part(share: float) -> dict[str, float]:
    return {name: figure * share for name, figure in HAD.items()}


def treatment(number: int, resumes: int | None = None, **more: object) -> Written:
    return number, Kind.TREATMENT, begun("c-1") | {"resumes": resumes} | more


def ended(number: int, outcome: str = "stopped", **had: dict[str, float]) -> Written:
    return number, Kind.ENDED, {"outcome": outcome, "zones": zones(**had)}


def exposed(number: int, zone: str, had: dict[str, float], **more: Any) -> Written:  # noqa: ANN401
    return number, Kind.EXPOSURE, {"zone": zone, **had, **more}


def armed(number: int, **more: Any) -> Written:  # noqa: ANN401 - by name
    return number, Kind.ARM, more


def beginning(store: Store, number: int = 1) -> Beginning:
    found = treatments._begun(store, number)
    assert found is not None
    return found


# -- a treatment -----------------------------------------------------------------------------------
def test_the_row_that_began_a_treatment_is_read_word_for_word() -> None:
    before = begun("c-1")["zones"][1:]
    store = record(KERNEL, treatment(7, 3, practice=True, zones=[["nose", HAD], *before]))
    assert beginning(store, 7) == Beginning(
        treatment=7, wall_s=WALL_S + 101.0, client="c-1", program="refresh", simulated=False,
        practice=True, unit=4711, lock=LOCK, resumes=3,
        zones={"nose": use(HAD), "chin": ZoneUse()},
        rates={"nose": use(PER_S), "chin": use(PER_S)},
    )  # fmt: skip
    assert treatments.use_body(use(HAD)) == HAD
    bare = {name: said for name, said in begun("c-1").items() if name != "unit"}
    assert beginning(record((1, Kind.TREATMENT, bare))).unit == 0
    assert treatments._begun(store, 8) is None


def test_zones_have_had_what_was_said_last_and_no_less_than_before() -> None:
    less, more = part(0.5), part(2.0)
    before = [["nose", HAD], ["chin", NOTHING]]
    rows = (KERNEL, treatment(1, zones=before), exposed(1, "nose", less), exposed(1, "chin", more),
            exposed(1, "chin", HAD), exposed(1, "lip", less))  # fmt: skip
    store = record(*rows)
    had = {"nose": use(HAD), "chin": use(more), "lip": use(less)}
    assert treatments.uses(store, beginning(store)) == had
    assert treatments.own_uses(store, beginning(store)) == {"chin": use(more), "lip": use(less)}
    store = record(*rows, ended(1, nose=more))
    assert treatments.uses(store, beginning(store)) == {"nose": use(more), "chin": ZoneUse()}
    assert treatments.own_uses(store, beginning(store)) == {"nose": use(HAD)}


def test_each_figure_is_larger_less_and_summed_by_itself() -> None:
    one, other = ZoneUse(1.0, 20.0, 3.0, 40.0, 5.0), ZoneUse(10.0, 2.0, 30.0, 4.0, 50.0)
    assert treatments._larger(one, other) == ZoneUse(10.0, 20.0, 30.0, 40.0, 50.0)
    assert treatments._sum(one, other) == ZoneUse(11.0, 22.0, 33.0, 44.0, 55.0)
    assert treatments._less(one, other) == ZoneUse(0.0, 18.0, 0.0, 36.0, 0.0)
    spoilt = ZoneUse(bound_um=math.inf)
    assert treatments._less(spoilt, spoilt) == spoilt


def test_a_resume_has_had_what_all_before_it_gave() -> None:
    store = record(
        KERNEL,
        treatment(1), ended(1, nose=part(1.0)),
        treatment(2, 1, zones=[["nose", part(1.0)], ["chin", NOTHING]]),
        ended(2, nose=part(1.5), chin=part(0.25)),
        treatment(3, 2, zones=[["nose", part(1.5)], ["chin", part(0.25)]]),
        ended(3, nose=part(1.75), chin=part(0.25)),
    )  # fmt: skip
    last = beginning(store, 3)
    chain = treatments._chain(store, last)
    assert chain is not None
    assert [each.treatment for each in chain] == [3, 2, 1]
    assert treatments.resumed_uses(store, last) == {
        "nose": use(part(1.75)),
        "chin": use(part(0.25)),
    }
    assert treatments.forerunners(store, 2) == [2, 1]
    assert treatments.forerunners(store, None) == treatments.forerunners(store, 9) == []


def test_what_cannot_be_followed_back_has_had_its_own() -> None:
    store = record(KERNEL, treatment(2, 1), ended(2, nose=HAD))
    lost = beginning(store, 2)
    assert treatments._chain(store, lost) is None
    assert treatments.resumed_uses(store, lost) == {"nose": use(HAD), "chin": ZoneUse()}
    assert treatments.forerunners(store, 2) == [2]
    assert treatments.recent(store, [lost], NOW) == []


@pytest.mark.parametrize(("steps", "followed"), [(CHAIN_MAX, True), (CHAIN_MAX + 1, False)])
def test_a_chain_is_followed_so_far(steps: int, *, followed: bool) -> None:
    store = record(KERNEL, *(treatment(n, n - 1 or None) for n in range(1, steps + 1)))
    assert (treatments._chain(store, beginning(store, steps)) is not None) is followed


# -- for how long it counts ------------------------------------------------------------------------
def later(seconds: float) -> Moment:
    return Moment("boot", 5000.0 + seconds, WALL_S + 5000.0 + seconds)


@pytest.mark.parametrize(
    ("last", "rows"),
    [
        (101.0, ()),
        (102.0, (armed(1),)),
        (103.0, (armed(1), exposed(1, "nose", HAD))),
        (104.0, (armed(1), exposed(1, "nose", HAD), ended(1, nose=HAD))),
        (103.0, (armed(1), exposed(1, "nose", HAD), (1, Kind.INTERRUPTED, {}))),
        (101.0, ((1, Kind.STATE, {}), (1, Kind.DISMISSED, {}))),
    ],
)
def test_a_treatment_may_be_gone_on_with_for_half_a_day_after_its_last_own_row(
    last: float, rows: tuple[Written, ...]
) -> None:
    store = record(KERNEL, treatment(1), *rows)
    one = beginning(store)
    stamp = treatments.last_told(store, one)
    assert stamp == Stamp(int(last) - 99, last, WALL_S + last, None, None)
    for seconds, count in ((0.0, 1), (0.001, 0)):
        now = later(RESUME_MAX_S + seconds - 5000.0 + last)
        assert len(treatments.recent(store, [one], now)) == count


def test_only_treatments_of_the_same_kind_of_unit_are_gone_on_with() -> None:
    store = record(
        KERNEL, treatment(1), ended(1), treatment(2, simulated=True), ended(2), treatment(3),
        (3, Kind.INTERRUPTED, {}),
    )  # fmt: skip

    def numbers(*, simulated: bool, client: str = "c-1", now: Moment = NOW) -> list[int]:
        found = treatments.resumable(store, client, now, simulated=simulated)
        return [each.treatment for each in found]

    assert (numbers(simulated=False), numbers(simulated=True)) == ([3, 1], [2])
    assert numbers(simulated=False, client="c-2") == []
    assert numbers(simulated=False, now=later(RESUME_MAX_S)) == []
    assert [each.treatment for each in treatments.unfinished(store)] == [3]


def test_what_waits_for_somebody_leaves_out_what_a_kernel_is_at_work_on() -> None:
    store = record(treatment(1), treatment(2, kernel_lock="b.lock"), treatment(3),
                   (3, Kind.INTERRUPTED, {}))  # fmt: skip
    asked: list[str] = []

    def alive(lock: str) -> bool:
        asked.append(lock)
        return lock == "b.lock"

    assert [each.treatment for each in treatments.cut_off(store, alive)] == [3, 1]
    assert asked == [LOCK, "b.lock"]
    assert [each.treatment for each in treatments.open_treatments(store)] == [1, 2]


# -- earlier doses ---------------------------------------------------------------------------------
def dose(zone: str, at_s: float, figures: dict[str, float]) -> PastDose:
    return PastDose(
        zone, WALL_S + at_s, figures["bound_um"], figures["nominal_um"], figures["suction_kpa_s"]
    )


def test_the_doses_of_a_client_are_told_figure_by_figure() -> None:
    store = record(
        KERNEL,
        treatment(1), ended(1, nose=HAD, chin=part(0.5)),
        treatment(2, practice=True), ended(2, nose=HAD),
        treatment(3, simulated=True), ended(3, nose=part(0.25)),
        treatment(4), exposed(4, "nose", part(2.0)),
        treatment(5, 1, zones=[["nose", HAD], ["chin", NOTHING]]), ended(5, nose=part(3.0)),
    )  # fmt: skip

    def told(*, simulated: bool = False, leave_out: int | None = None) -> list[PastDose]:
        return treatments.history(store, "c-1", NOW, simulated=simulated, leave_out=leave_out)

    first = [dose("nose", 102.0, HAD), dose("chin", 102.0, part(0.5))]
    fourth, fifth = dose("nose", 108.0, part(2.0)), dose("nose", 110.0, part(2.0))
    assert told() == [*first, fourth, fifth]
    assert told(simulated=True) == [dose("nose", 106.0, part(0.25))]
    assert told(leave_out=5) == [fourth]
    assert told(leave_out=1) == [fourth, fifth]
    assert treatments.history(store, "c-2", NOW, simulated=False) == []


@pytest.mark.parametrize(("more_s", "count"), [(-0.5, 1), (0.0, 0)])
def test_a_dose_counts_for_half_a_year(more_s: float, count: int) -> None:
    store = record(KERNEL, treatment(1), ended(1, nose=HAD))
    now = later(HISTORY_S - 5000.0 + 102.0 + more_s)
    assert len(treatments.history(store, "c-1", now, simulated=False)) == count


def test_the_newest_row_of_a_client_is_that_of_whichever_treatment_was_written_last() -> None:
    store = record(treatment(1), treatment(2), exposed(1, "nose", HAD), treatment(3))
    store.append([Stamped(9.0, WALL_S, 3, Kind.STATE, "{}")])
    newest = treatments.newest_of(store, "c-1", 0)
    assert newest == Stamp(4, 103.0, WALL_S + 103.0)
    assert treatments.newest_of(store, "c-2", 0) is None
    assert treatments.newest_of(store, "c-1", 4) is None


def test_a_treatment_without_a_beginning_is_no_treatment() -> None:
    store = record(treatment(1))
    gone = replace(beginning(store), treatment=9)
    with pytest.raises(LookupError) as caught:
        treatments._last_row(store, gone, (Kind.ENDED,))
    assert caught.value.args == ("treatment 9 has no beginning",)


# -- what a crash adds -----------------------------------------------------------------------------
TOTALS: Final = Totals(9, 50.0, 5.0)
UNIT: Final = UnitNow(4711, simulated=False, totals=TOTALS)


def charged(store: Store, unit: UnitNow | None = None) -> Interrupted:
    (found,) = interrupted(store, lambda _lock: False, unit)
    return found


def test_what_was_never_armed_is_not_charged() -> None:
    store = record(KERNEL, treatment(1), exposed(1, "nose", HAD))
    had = {"nose": use(HAD), "chin": ZoneUse()}
    assert charged(store, UNIT) == Interrupted(beginning(store), (), 0.0, None, had)
    assert not treatments.was_armed(store, beginning(store))


def test_each_figure_of_a_charged_zone_grows_by_the_worst_of_each_second() -> None:
    store = record(KERNEL, treatment(1), armed(1), exposed(1, "nose", HAD, may_open=["chin"]))
    found = charged(store)
    assert (found.charged, found.unseen_s, found.told) == (("chin",), UNSEEN_S, None)
    assert found.zones == {"nose": use(HAD), "chin": use(PER_S, UNSEEN_S)}
    one, rate = ZoneUse(1.0, 2.0, 3.0, 4.0, 5.0), ZoneUse(10.0, 20.0, 30.0, 40.0, 50.0)
    assert recovery._plus(one, rate, 2.0) == ZoneUse(21.0, 42.0, 63.0, 84.0, 105.0)


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (UNIT, Delivered(2.0, 0.25)),
        (None, None),
        (UnitNow(4712, simulated=False, totals=TOTALS), None),
        (UnitNow(4711, simulated=True, totals=TOTALS), None),
        (UnitNow(4711, simulated=False, totals=TOTALS._replace(boot_id=8)), None),
    ],
)
def test_only_the_unit_of_a_treatment_tells_what_it_delivered_since_the_last_row(
    unit: UnitNow | None, told: Delivered | None
) -> None:
    before = Totals(9, 48.0, 4.75)._asdict()
    store = record(
        treatment(1), armed(1, totals=Totals(9, 1.0, 1.0)._asdict()),
        exposed(1, "nose", HAD, totals=before, may_open=["nose"]),
        exposed(1, "nose", HAD, totals=None, may_open=["nose"]),
    )  # fmt: skip
    found = charged(store, unit)
    assert found.told == told
    assert found.unseen_s == pytest.approx(2.5 if told else UNSEEN_S)  # a tenth of a gram a second
    assert found.charged == (("nose", "chin") if told else ("nose",))
    assert treatments.totals_last(store, beginning(store)) == Totals(**before)
    assert treatments.totals_last(record(treatment(1), armed(1)), beginning(store)) is None


@pytest.mark.parametrize(
    ("told", "grams_per_s", "seconds"),
    [
        (None, 0.1, 0.0),
        (Delivered(3.0, 0.2), 0.1, 3.0),
        (Delivered(3.0, 0.5), 0.1, 5.0),
        (Delivered(3.0, 0.5), 0.0, 3.0),
        (Delivered(10**6, 0.0), 0.1, CHARGE_MAX_S),
        (Delivered(0.0, 10**6), 0.5, CHARGE_MAX_S),
    ],
)
def test_what_was_delivered_stands_for_seconds_by_time_and_by_weight(
    told: Delivered | None, grams_per_s: float, seconds: float
) -> None:
    assert recovery._seconds(told, ZoneUse(grams=grams_per_s)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("named", "unseen_s", "open_zones"),
    [
        (["chin"], 2.0, ("chin",)),
        (["chin", "nose"], 2.0, ("nose", "chin")),
        (["nose"], 2.001, ("nose", "chin")),
        (["chin"], 2.001, ("chin",)),
        (["elsewhere"], 1.0, ("nose", "chin")),
        ([], 1.0, ("nose", "chin")),
        (None, 1.0, ("nose", "chin")),
    ],
)
def test_the_zones_that_may_have_been_open_are_told_in_the_order_of_the_plan(
    named: list[str] | None, unseen_s: float, open_zones: tuple[str, ...]
) -> None:
    store = record(treatment(1), armed(1, may_open=["nose"]), (1, Kind.ZONE, {"may_open": named}))
    one = beginning(store)
    assert recovery._could_be_open(store, one, unseen_s) == open_zones
    assert treatments.may_have_opened(store, one) == (None if named is None else tuple(named))
    assert treatments.may_have_opened(record(treatment(1)), one) is None


# -- the unit --------------------------------------------------------------------------------------
SERIAL: Final = Identity(4711, 9, "1.0", Capability.SIMULATED)
TELLS: Final = Reading(
    0.0, 0, Mode.SAFE, boot_id=9,
    supplies=STOCKED._replace(contact_total_s=50.0, crystal_total_g=5.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "tells_at_s", "found", "took_s"),
    [
        (SERIAL, 0.0, UnitNow(4711, simulated=True, totals=TOTALS), 0.0),
        (SERIAL, 0.05, UnitNow(4711, simulated=True, totals=TOTALS), 0.06),
        (None, 0.0, None, 0.0),
        (SERIAL, 0.6, None, 0.5),
    ],
)
def test_a_unit_is_asked_for_its_totals_for_half_a_second(
    identity: Identity | None, tells_at_s: float, found: UnitNow | None, took_s: float
) -> None:
    async def scenario() -> None:
        shown: Any = SimpleNamespace(identity=identity, newest=None)
        loop = asyncio.get_running_loop()
        if tells_at_s:
            loop.call_later(tells_at_s, setattr, shown, "newest", TELLS)
        else:
            shown.newest = TELLS
        began_s = loop.time()
        assert await unit_now(shown) == found
        assert loop.time() - began_s == pytest.approx(took_s, abs=0.001)

    run_virtual(scenario())
