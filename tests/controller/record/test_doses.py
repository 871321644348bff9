"""The doses of a client as the record tells them: never less than what was given, nor much more."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.record import listing, treatments
from controller.record.chain import Stamped
from controller.record.clocks import Here
from controller.record.journal import canonical
from controller.record.recovery import UNSEEN_S, UnitNow, interrupted
from controller.record.store import Store
from controller.safety.exposure import ZoneUse
from controller.safety.timeline import Moment
from controller.safety.totals import Totals
from controller.treatment.kinds import Kind
from tests.controller.record.edits import bodies

WALL_S = 1.9e9
DAY_S = 86_400.0
CLIENT, PROGRAM, UNIT = "anna", "refresh", 1001
ZONES = ("nose", "chin", "forehead")
UM_PER_S, KPA, GRAMS_PER_S = 0.5, 30.0, 0.1
RATE = ZoneUse(UM_PER_S / 4, UM_PER_S, 1.0, GRAMS_PER_S, KPA)


def use_of(seconds: float) -> ZoneUse:
    return ZoneUse(*(figure * seconds for figure in treatments._figures(RATE)))


@dataclass
class Book:
    """A record that is written row by row, with clocks that a test sets."""

    store: Store = field(default_factory=lambda: Store(None))
    now_s: float = 100.0
    ahead_s: float = 0.0
    boot: str = "one"
    booted_s: float = 0.0

    def reboot(self, boot: str) -> None:
        """Switch the computer off and on."""
        self.boot, self.booted_s = boot, self.now_s

    def put(self, kind: str, body: dict[str, Any], treatment: int = 0) -> None:
        """Write one row now."""
        row = Stamped(self.now_s, WALL_S + self.now_s + self.ahead_s, treatment, kind, "")
        self.store.append([row._replace(body=canonical(body))])

    def kernel(self) -> None:
        """Write the row of a kernel that has found its unit."""
        self.put("kernel", self.here.body())

    def begin(self, before: dict[str, ZoneUse], resumes: int | None = None, **more: object) -> int:
        """Write the row of a treatment of the zones of ``before``."""
        number = listing.newest(self.store) + 1
        body = {
            "client": CLIENT, "program": PROGRAM, "simulated": False, "practice": False,
            "unit": UNIT, "kernel_lock": "gone", "resumes": resumes,
            "zones": [[zone, treatments.use_body(use)] for zone, use in before.items()],
            "worst_per_s": [[zone, treatments.use_body(RATE)] for zone in before],
        }  # fmt: skip
        self.put(Kind.TREATMENT, body | more, number)
        return number

    def expose(
        self, number: int, zone: str, use: ZoneUse, totals: Totals | None = None, *ahead: str
    ) -> None:
        """Write what a zone has had by now."""
        body = {"may_open": [zone, *ahead], "totals": None if totals is None else totals._asdict()}
        self.put(Kind.EXPOSURE, {"zone": zone, **treatments.use_body(use), **body}, number)

    def end(self, number: int, outcome: str, uses: dict[str, ZoneUse]) -> None:
        """Write the row of the end."""
        zones = [{"zone": zone, **treatments.use_body(use)} for zone, use in uses.items()]
        self.put(Kind.ENDED, {"outcome": outcome, "zones": zones}, number)

    def recover(self, unit: UnitNow | None = None) -> None:
        """Mark what a dead kernel has left, as the next one does at its start."""
        for each in interrupted(self.store, lambda _lock: False, unit):
            row = each.row(self.here)
            self.put(row.kind, dict(row.body), row.treatment)

    @property
    def here(self) -> Here:
        """The clocks of the computer; monotonic time goes on through boots, so sleep is below 0."""
        return Here(lambda: self.now.wall_s, self.boot, lambda: -self.booted_s)

    @property
    def now(self) -> Moment:
        """This moment."""
        up_s = self.now_s - self.booted_s
        return Moment(self.boot, up_s, WALL_S + self.now_s + self.ahead_s)

    def doses(self, zone: str, leave_out: int | None = None) -> list[Any]:
        """Return what the record says that a zone has had."""
        found = treatments.history(
            self.store, CLIENT, self.now, simulated=False, leave_out=leave_out
        )
        return [dose for dose in found if dose.zone == zone]


# -- charged where the crystals fell ---------------------------------------------------------------
@pytest.mark.hazard("H51")
def test_the_zones_that_the_last_row_names_are_charged_and_no_other() -> None:
    book = Book()
    number = book.begin(dict.fromkeys(ZONES, ZoneUse()))
    book.put(Kind.ARM, {"may_open": ["chin"]}, number)
    book.recover()
    (dose,) = book.doses("chin")
    assert dose.bound_um == pytest.approx(UNSEEN_S * UM_PER_S)
    assert not book.doses("nose")
    assert not book.doses("forehead")


@pytest.mark.hazard("H51", shows="works")
@pytest.mark.parametrize("row", [Kind.ARM, Kind.EXPOSURE, Kind.ZONE])
@pytest.mark.parametrize("named", [("nose", "chin"), ("chin", "forehead"), ZONES])
def test_each_zone_that_could_be_reached_unseen_is_charged_in_full(
    named: tuple[str, ...], row: str
) -> None:
    book = Book()
    number = book.begin(dict.fromkeys(ZONES, ZoneUse()))
    book.put(Kind.ARM, {"may_open": ["forehead"]}, number)
    if row == Kind.EXPOSURE:
        book.expose(number, named[0], ZoneUse(), None, *named[1:])
    else:
        book.put(row, {"may_open": list(named)}, number)
    book.recover()
    charged = {zone: sum(dose.bound_um for dose in book.doses(zone)) for zone in ZONES}
    full_um = pytest.approx(UNSEEN_S * UM_PER_S)
    assert charged == {zone: full_um if zone in named else 0.0 for zone in ZONES}


def test_a_record_of_an_older_build_that_names_none_charges_all() -> None:
    book = Book()
    number = book.begin(dict.fromkeys(ZONES, ZoneUse()))
    book.put(Kind.ARM, {}, number)
    book.recover()
    assert all(book.doses(zone)[0].bound_um > 0.9 for zone in ZONES)


@pytest.mark.hazard("H51", shows="works")
@pytest.mark.parametrize(
    ("totals", "seconds"),
    [
        (Totals(7, 55.0, 5.0), 5.0),  # by the time with an open valve on skin
        (Totals(7, 50.5, 5.6), 6.0),  # by the weight that went through the valve
        (Totals(7, 50.1, 5.01), UNSEEN_S),  # never less than the lease allowed
        (Totals(8, 99.0, 9.0), UNSEEN_S),  # another boot
    ],
)
def test_what_the_unit_says_that_it_delivered_unseen_is_charged_where_it_is_more(
    totals: Totals, seconds: float
) -> None:
    book = Book()
    number = book.begin(dict.fromkeys(ZONES, ZoneUse()))
    book.put(Kind.ARM, {"may_open": ["nose"]}, number)
    book.expose(number, "nose", use_of(3.0), Totals(7, 50.0, 5.0))
    book.recover(UnitNow(UNIT, simulated=False, totals=totals))
    (dose,) = book.doses("nose")
    assert dose.bound_um == pytest.approx((3.0 + seconds) * UM_PER_S)
    # Longer than rows name zones for: whatever came after may have been open too.
    assert bool(book.doses("chin")) is (seconds > 2.0)


def test_the_totals_of_another_unit_tell_nothing() -> None:
    book = Book()
    number = book.begin({"nose": ZoneUse()})
    book.put(Kind.ARM, {"may_open": ["nose"], "totals": Totals(7, 1.0, 1.0)._asdict()}, number)
    book.recover(UnitNow(UNIT + 1, simulated=False, totals=Totals(7, 99.0, 99.0)))
    assert book.doses("nose")[0].bound_um == pytest.approx(UNSEEN_S * UM_PER_S)


# -- neither lost nor doubled ----------------------------------------------------------------------
def test_a_dose_of_suction_alone_is_no_treatment_and_is_not_forgotten() -> None:
    book = Book()
    number = book.begin({"nose": ZoneUse()})
    book.end(number, "stopped", {"nose": ZoneUse(suction_kpa_s=20.0)})
    (dose,) = book.doses("nose")
    assert (dose.bound_um, dose.suction_kpa_s) == (0.0, 20.0)


def test_a_dose_that_is_no_number_stays_one_through_a_resume() -> None:
    book = Book()
    spoilt = ZoneUse(bound_um=math.inf)
    first = book.begin({"nose": ZoneUse()})
    book.end(first, "stopped", {"nose": spoilt})
    second = book.begin({"nose": spoilt}, resumes=first)
    book.end(second, "stopped", {"nose": spoilt})
    assert [dose.bound_um for dose in book.doses("nose")] == [math.inf, math.inf]


def test_an_end_that_a_dead_kernel_wrote_after_all_is_what_counts() -> None:
    book = Book()
    number = book.begin({"nose": ZoneUse()})
    book.put(Kind.ARM, {"may_open": ["nose"]}, number)
    book.recover()
    book.end(number, "completed", {"nose": use_of(9.0)})
    assert not treatments.unfinished(book.store)
    assert not treatments.resumable(book.store, CLIENT, book.now, simulated=False)
    assert [dose.bound_um for dose in book.doses("nose")] == [9.0 * UM_PER_S]


def test_a_treatment_on_a_simulated_unit_is_not_resumed_on_a_real_one() -> None:
    book = Book()
    number = book.begin({"nose": ZoneUse()}, simulated=True)
    book.end(number, "stopped", {"nose": use_of(1.0)})
    assert not treatments.resumable(book.store, CLIENT, book.now, simulated=False)
    assert len(treatments.resumable(book.store, CLIENT, book.now, simulated=True)) == 1


def test_what_cannot_be_followed_back_to_its_beginning_is_not_resumed() -> None:
    book, number, had = Book(), None, 0.0
    for _ in range(treatments.CHAIN_MAX + 1):
        assert number is None or treatments.resumable(book.store, CLIENT, book.now, simulated=False)
        number = book.begin({"nose": use_of(had)}, resumes=number)
        had += 0.1
        book.end(number, "stopped", {"nose": use_of(had)})
    assert not treatments.resumable(book.store, CLIENT, book.now, simulated=False)


def test_a_dose_of_today_is_not_counted_twice_in_a_resume_of_a_resume() -> None:
    book = Book()
    other = book.begin({"nose": ZoneUse()})
    book.end(other, "completed", {"nose": use_of(2.0)})
    first = book.begin({"nose": use_of(2.0)})  # its ledger begins with what the day has given
    book.end(first, "stopped", {"nose": use_of(3.0)})
    (begun,) = treatments.resumable(book.store, CLIENT, book.now, simulated=False)
    assert treatments.resumed_uses(book.store, begun)["nose"].bound_um == pytest.approx(UM_PER_S)
    (left,) = book.doses("nose", leave_out=first)
    assert left.bound_um == 2.0 * UM_PER_S


# -- the clock -------------------------------------------------------------------------------------
@pytest.mark.hazard("H25", "H31", shows="works")
def test_a_dose_of_a_boot_in_the_past_is_history_and_of_now() -> None:
    book = Book(ahead_s=-2000 * DAY_S)
    book.kernel()
    number = book.begin({"nose": ZoneUse()})
    book.end(number, "completed", {"nose": use_of(4.0)})
    book.now_s, book.ahead_s = 200.0, 0.0
    (dose,) = book.doses("nose")
    assert book.now.wall_s - dose.ended_wall_s == pytest.approx(100.0, abs=1.0)


@pytest.mark.hazard("H25", "H31", shows="works")
def test_a_dose_in_the_future_counts_as_now_until_a_technician_decides_about_the_clock() -> None:
    book = Book()
    book.kernel()
    book.reboot("two")
    book.ahead_s = 1000 * DAY_S
    book.kernel()
    number = book.begin({"nose": ZoneUse()})
    book.end(number, "completed", {"nose": use_of(4.0)})
    book.reboot("three")
    book.now_s, book.ahead_s = book.now_s + 60.0, -50 * DAY_S
    (dose,) = book.doses("nose")
    assert book.now.wall_s - dose.ended_wall_s == pytest.approx(60.0, abs=1.0)
    assert "The clock of this computer says" in dose.doubt
    book.put("decision", {"subject": "clock", "reason": "set by hand", **book.here.body()})
    book.reboot("four")
    book.now_s += 7 * DAY_S - 1.0
    (dose,) = book.doses("nose")
    assert "was wrong at that time" in dose.doubt
    assert book.now.wall_s - dose.ended_wall_s == pytest.approx(7 * DAY_S + 60.0, abs=62.0)


def test_time_that_the_computer_slept_has_passed_for_a_dose_too() -> None:
    book = Book()
    book.kernel()
    number = book.begin({"nose": ZoneUse()})
    book.end(number, "completed", {"nose": use_of(4.0)})
    slept = book.now._replace(up_s=book.now.up_s + 8 * DAY_S, wall_s=book.now.wall_s + 8 * DAY_S)
    (dose,) = treatments.history(book.store, CLIENT, slept, simulated=False)
    assert dose.ended_wall_s == book.now.wall_s


@pytest.mark.parametrize(("hours", "found"), [(11.9, 1), (12.1, 0)])
def test_a_treatment_is_resumed_on_the_day_of_its_last_row_not_of_its_recovery(
    hours: float, found: int
) -> None:
    book = Book()
    book.kernel()
    number = book.begin({"nose": ZoneUse()})
    book.put(Kind.ARM, {"may_open": ["nose"]}, number)
    book.now_s += hours * 3600.0
    book.recover()
    assert len(treatments.resumable(book.store, CLIENT, book.now, simulated=False)) == found


# -- any order of everything -----------------------------------------------------------------------
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ended", "killed early", "killed late", "refused"]),
        st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 3.0)), min_size=1, max_size=4),
        st.booleans(),
        st.floats(0.0, UNSEEN_S),
        st.sampled_from([0.0, -2000 * DAY_S, 400 * DAY_S, 3600.0]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.hazard("H51", "H25", shows="works")
@given(steps=STEPS)
def test_whatever_ends_treatments_and_sets_clocks_no_dose_is_lost_or_doubled(
    steps: list[tuple[str, list[tuple[int, float]], bool, float, float, bool]],
) -> None:
    book, given_s, charged_s = Book(), dict.fromkeys(ZONES, 0.0), dict.fromkeys(ZONES, 0.0)
    last: int | None = None
    for turn, (how, falls, resume, unseen_s, jump_s, reboots) in enumerate(steps):
        if reboots:
            book.reboot(f"boot {turn}")
        book.ahead_s += jump_s
        book.recover()
        book.kernel()
        begun = [] if last is None else [each for each in _open(book) if each.treatment == last]
        resumed = begun[0] if resume and begun else None
        before = {} if resumed is None else treatments.resumed_uses(book.store, resumed)
        uses = {zone: before.get(zone, ZoneUse()) for zone in ZONES}
        number = book.begin(uses, None if resumed is None else resumed.treatment)
        last = number
        if how == "refused":
            book.end(number, "refused", {})
            continue
        book.put(Kind.ARM, {"may_open": [ZONES[falls[0][0]]]}, number)
        zone = ZONES[falls[-1][0]]
        for index, seconds in falls:
            zone = ZONES[index]
            uses[zone] = treatments._sum(uses[zone], use_of(seconds))
            given_s[zone] += seconds
            book.now_s += seconds + 1.0
            book.expose(number, zone, uses[zone])
        if how == "ended":
            book.end(number, "stopped", uses)
        elif how == "killed late":
            given_s[zone] += unseen_s
        charged_s[zone] += 0.0 if how == "ended" else UNSEEN_S
    book.recover()
    for zone in ZONES:
        had_um = sum(dose.bound_um for dose in book.doses(zone))
        assert had_um >= given_s[zone] * UM_PER_S - 1e-9
        assert had_um <= (given_s[zone] + charged_s[zone]) * UM_PER_S + 1e-9


def _open(book: Book) -> list[treatments.Beginning]:
    return treatments.resumable(book.store, CLIENT, book.now, simulated=False)


def test_the_row_of_an_interruption_says_in_which_boot_it_was_found() -> None:
    book = Book()
    book.begin({"nose": ZoneUse()})
    book.recover()
    (text,) = bodies(book.store.connection(), "interrupted")
    assert json.loads(text)["boot"] == "one"
