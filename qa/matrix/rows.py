"""The expectations of the fault matrix, as data: what may go wrong, and what has to follow.

A row names its hazards, its onset (from when it is dangerous), in which modes it is due to lead to
its safe state, the budget from onset to safety, and the causes that may be latched for it. A row
that is due nowhere needs no safe state, and ``why`` says why; whatever it does, the promise has to
hold within the budgets of `PROMISE`. Budgets are sums of the constants that the hazard register
names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    BUDGET_NO_CONTACT_S,
    BUDGET_SWITCH_S,
    DWELL_TRIP_S,
    ECHO_AGE_MAX_MS,
    LEASE_DEFAULT_MS,
    LEASE_MARGIN_S,
    SEAL_UNBROKEN_MAX_S,
    SWITCH_HELD_MAX_S,
)
from firmware_protocol.vocabulary import Cause
from qa.host import Ill
from qa.matrix import witness as onset
from qa.matrix.witness import Due, Onset
from simulator.firmware.guards import SUCKED_MAX_MS
from simulator.line import Weather

LEASE_S: Final = LEASE_DEFAULT_MS / 1000 + LEASE_MARGIN_S
INVALID_S: Final = 0.010 + BUDGET_SWITCH_S  # two samples at the rail
CONTACTS_S: Final = 0.050 + BUDGET_SWITCH_S
TIP_S: Final = 0.050 + BUDGET_SWITCH_S
DISAGREE_S: Final = 0.300 + BUDGET_SWITCH_S
HALT_S: Final = 0.100 + BUDGET_SWITCH_S  # the watchdog
HALF_S: Final = 0.500 + BUDGET_SWITCH_S  # a frozen sensor, waste, filter, heat
NO_FLOW_S: Final = 1.000 + BUDGET_SWITCH_S
NO_SUCTION_S: Final = 1.500 + BUDGET_SWITCH_S
STILL_S: Final = SEAL_UNBROKEN_MAX_S + BUDGET_FLOW_S
DWELL_S: Final = DWELL_TRIP_S + BUDGET_FLOW_S
SUCKED_S: Final = SUCKED_MAX_MS / 1000 + BUDGET_FLOW_S
LINE_DELAY_S: Final = 0.003
LASTS_S: Final = 3.0

PROMISE: Final[Mapping[str, float]] = MappingProxyType(
    {
        "live": BUDGET_SWITCH_S,
        "lease": LEASE_MARGIN_S,
        "switch": BUDGET_SWITCH_S,
        "skin": BUDGET_NO_CONTACT_S,
        "suction": BUDGET_NO_CONTACT_S,
    }
)
"""How long the valve may stand open against each clause of `FLOW`, whatever goes wrong."""

_JAMMED: Final = MappingProxyType(dict.fromkeys(PROMISE, BUDGET_FLOW_S))
_SHORTED: Final = MappingProxyType({"switch": SWITCH_HELD_MAX_S + BUDGET_SWITCH_S})
_HALTED: Final = MappingProxyType(dict.fromkeys(PROMISE, HALT_S))
_BY_SUCTION: Final = MappingProxyType({"skin": BUDGET_FLOW_S})
_AS_EVER: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that goes wrong, and what has to follow."""

    name: str
    hazards: tuple[str, ...]
    why: str
    faults: tuple[str, ...] = ()
    weather: Weather | None = None
    silent: bool = False
    ill: Ill = Ill.NOTHING
    lasts_s: float = LASTS_S
    due: Due = Due.NEVER
    onset: Onset = onset.injected
    budget_s: float = 0.0
    causes: frozenset[Cause] = frozenset()
    allows: Mapping[str, float] = field(default_factory=lambda: _AS_EVER)
    jammed: bool = False
    still: bool = False
    phantom_press: bool = False
    """The fault looks like a press of the hand switch, and no sensor can tell."""

    def allowed_s(self, lack: str) -> float:
        """Return how long the valve may stand open without a condition."""
        return self.allows.get(lack, PROMISE[lack])


def _unit(
    name: str,
    hazards: str,
    causes: str,
    why: str,
    **rest: object,
) -> Row:
    """Return a row for one or more faults of the catalogue, joined by a plus."""
    return Row(
        name, tuple(hazards.split()), why, faults=tuple(name.split("+")), causes=_causes(causes),
        **rest,  # type: ignore[arg-type]  # by field name
    )  # fmt: skip


def _line(name: str, causes: str, why: str, **rest: object) -> Row:
    hazards = rest.pop("hazards", "H11")
    return Row(
        f"line:{name}", tuple(str(hazards).split()), why, causes=_causes(causes),
        **rest,  # type: ignore[arg-type]  # by field name
    )  # fmt: skip


def _host(name: str, hazards: str, why: str, **rest: object) -> Row:
    causes = str(rest.pop("causes", "LEASE_LAPSED"))
    return Row(
        f"host:{name}", tuple(hazards.split()), why, causes=_causes(causes),
        **rest,  # type: ignore[arg-type]  # by field name
    )  # fmt: skip


def _causes(names: str) -> frozenset[Cause]:
    return frozenset(Cause[name] for name in names.split())


_EVER, _RUN, _ARM = Due.ALWAYS, Due.RUNNING, Due.ARMED
_STUCK: Final = "VALVE_STUCK_OPEN FLOW_WITHOUT_CONTACT ENVELOPE"
_LINK: Final = "LEASE_LAPSED LINK_ERRORS"

_UNIT: Final = (
    _unit("valve-stuck-open", "H05", _STUCK, "channel B takes the power from pump and valve",
          due=_EVER, onset=onset.ajar, budget_s=BUDGET_FLOW_S, jammed=True, allows=_JAMMED),
    _unit("valve-stuck-shut", "H06", "NO_FLOW", "commanded without effect",
          due=_ARM, onset=onset.starved, budget_s=NO_FLOW_S),
    _unit("valve-slow", "H05", _STUCK, "too slow is stuck",
          due=_EVER, onset=onset.ajar, budget_s=BUDGET_FLOW_S, jammed=True, allows=_JAMMED),
    _unit("valve-leak", "H05", _STUCK, "effect while commanded off, seen by the flow sensor alone",
          due=_EVER, onset=onset.leaking, budget_s=BUDGET_FLOW_S, jammed=True, allows=_JAMMED),
    _unit("flow-runaway", "H01 H38", "ENVELOPE", "more than was set",
          due=_RUN, onset=onset.excess, budget_s=BUDGET_FLOW_S),
    _unit("crystals-damp", "H30 H55", "ENVELOPE NO_FLOW", "a burst above the limit trips",
          due=_RUN, onset=onset.excess, budget_s=BUDGET_FLOW_S),
    _unit("pump-runaway", "H03 H38 H48", "OVER_SUCTION", "power off, vent open",
          due=_EVER, onset=onset.over_suction, budget_s=BUDGET_FLOW_S),
    _unit("pump-weak", "H04 H38", "NO_SUCTION", "no seal gives suction",
          due=_ARM, onset=onset.slack, budget_s=NO_SUCTION_S),
    _unit("pump-strong", "H38", "OVER_SUCTION", "the regulator holds three times the pump",
          due=_EVER, onset=onset.over_suction, budget_s=BUDGET_FLOW_S),
    _unit("pump-sluggish", "H38", "OVER_SUCTION", "the regulator holds a late pump",
          due=_EVER, onset=onset.over_suction, budget_s=BUDGET_FLOW_S),
    _unit("vent-stuck-shut", "H03 H48", "OVER_SUCTION",
          "the valve shuts as ever; that the tip does not let go is told, not cured"),
    _unit("hose-off", "H04", "NO_SUCTION NO_FLOW", "without suction the permissive is gone",
          due=_ARM, onset=onset.slack, budget_s=NO_SUCTION_S),
    _unit("clog", "H06", "NO_FLOW", "commanded without effect",
          due=_ARM, onset=onset.starved, budget_s=NO_FLOW_S),
    _unit("hopper-empty", "H30", "HOPPER_EMPTY NO_FLOW", "commanded without effect",
          due=_ARM, onset=onset.starved, budget_s=NO_FLOW_S),
    _unit("waste-full", "H28", "WASTE_FULL", "the self-test refuses it before",
          due=_RUN, budget_s=HALF_S),
    _unit("filter-loaded", "H29", "FILTER_LOADED NO_SUCTION", "the drop shows while air flows",
          due=_RUN, onset=onset.filter_shows, budget_s=HALF_S),
    _unit("suction-a-frozen", "H08", "SENSOR_FROZEN SENSORS_DISAGREE CONTACT_TOO_LONG",
          "no noise is no life", due=_RUN, onset=onset.numb, budget_s=HALF_S),
    _unit("suction-a-offset", "H07", "SENSORS_DISAGREE SENSOR_FROZEN",
          "its twin tells; below its zero it stands still",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S),
    _unit("suction-a-drift", "H07", "SENSORS_DISAGREE", "its twin tells, once it is 2 kPa",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S, lasts_s=24.0),
    _unit("suction-a-creep", "H07", "SENSORS_DISAGREE", "20 minutes from the trip; "
          "the zero check of the next self-test finds it first",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S),
    _unit("suction-a-sink", "H07", "SENSORS_DISAGREE", "as the creep",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S),
    _unit("suction-a-gain", "H07", "SENSORS_DISAGREE", "its twin tells",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S),
    _unit("suction-a-disconnected", "H09", "SENSOR_INVALID", "a rail value permits nothing",
          due=_EVER, budget_s=INVALID_S),
    _unit("suction-b-frozen", "H08", "SENSOR_FROZEN SENSORS_DISAGREE",
          "channel B finds it under suction, its twin at rest",
          due=_RUN, onset=onset.numb_b, budget_s=HALF_S),
    _unit("suction-b-offset", "H07", "SENSORS_DISAGREE", "its twin tells",
          due=_EVER, onset=onset.apart, budget_s=DISAGREE_S),
    _unit("suction-b-disconnected", "H09", "SENSOR_INVALID", "a rail value permits nothing",
          due=_EVER, budget_s=INVALID_S),
    _unit("flow-frozen", "H08", "SENSOR_FROZEN VALVE_STUCK_OPEN FLOW_WITHOUT_CONTACT",
          "no noise is no life; frozen in flow it looks like a leak",
          due=_RUN, onset=onset.numb, budget_s=HALF_S),
    _unit("flow-disconnected", "H09", "SENSOR_INVALID", "a rail value permits nothing",
          due=_EVER, budget_s=INVALID_S),
    _unit("contact-stuck", "H04", "NO_SUCTION", "suction is the second condition of contact: "
          "air needs its time to leave", allows=_BY_SUCTION),
    _unit("contact-dead", "H04", "FLOW_WITHOUT_CONTACT", "without contact nothing is permitted"),
    _unit("motion-stuck", "H02", "DWELL", "an unbroken seal trips whatever the sensor says",
          due=_ARM, onset=onset.standing, budget_s=STILL_S, still=True, lasts_s=9.0),
    _unit("switch-stuck", "H36 H18", "SWITCH_FAULT", "looks like a hand that holds on; bounded by "
          "contact, exposure and 120 s", allows=_SHORTED, phantom_press=True),
    _unit("switch-dead", "H36", "", "looks like a hand that let go, and when it ends, like a press",
          phantom_press=True),
    _unit("switch-contacts-disagree", "H36", "SWITCH_FAULT", "two contacts, one hand",
          due=_EVER, onset=onset.two_minded, budget_s=CONTACTS_S),
    _unit("brown-out", "H17", "BROWN_OUT", "below what valve and pump need",
          due=_EVER, budget_s=INVALID_S),
    _unit("power-lost", "H16", "BROWN_OUT", "springs shut the valve and open the vent",
          due=_EVER, budget_s=BUDGET_SWITCH_S),
    _unit("overheat", "H45", "OVERHEAT", "bearings and diaphragm",
          due=_EVER, onset=onset.hot, budget_s=HALF_S),
    _unit("tip-swapped", "H27", "TIP_CHANGED", "the limits are those of another tip",
          due=_ARM, budget_s=TIP_S),
    _unit("tip-unread", "H27", "TIP_CHANGED", "unknown is another one",
          due=_ARM, budget_s=TIP_S),
    _unit("firmware-halt", "H15 H18", "LEASE_LAPSED",
          "the watchdog restarts it, outputs off, DISARMED; a halt that it just lets pass may cost "
          "the lease", due=_ARM, budget_s=HALT_S, allows=_HALTED),
    _unit("power-dip", "H17 H18", "", "boots DISARMED", due=_ARM, budget_s=BUDGET_SWITCH_S),
    _unit("reset-storm", "H46 H18", "RESET_STORM", "boots DISARMED, and at the fourth time SAFE",
          due=_ARM, budget_s=2.0 + BUDGET_SWITCH_S, lasts_s=9.0),
    _unit("memory-flip", "H34", "", "the other copy is believed"),
    _unit("memory-flip+power-dip", "H34", "", "the other copy is believed at the boot",
          due=_ARM, budget_s=BUDGET_SWITCH_S),
    _unit("memory-spoilt", "H34", "", "read at the next boot only"),
    _unit("memory-spoilt+power-dip", "H34 H46", "RESET_STORM", "unknown is the worst: SAFE",
          due=_ARM, budget_s=BUDGET_SWITCH_S),
)  # fmt: skip

_LINE: Final = (
    _line("silent", "LEASE_LAPSED", "the lease", hazards="H10 H44", silent=True,
          due=_ARM, budget_s=LEASE_S),
    _line("loss-1%", _LINK, "four in a row are one in 1e8", hazards="H10",
          weather=Weather(loss=0.01, delay_s=LINE_DELAY_S)),
    _line("loss-5%", _LINK, "four in a row are one in 1e5", hazards="H10",
          weather=Weather(loss=0.05, delay_s=LINE_DELAY_S)),
    _line("loss-50%", _LINK, "a silence trips as soon as it is long enough", hazards="H10",
          weather=Weather(loss=0.5, delay_s=LINE_DELAY_S)),
    _line("delay-50ms", _LINK, "echoes are about as old as they may be",
          weather=Weather(delay_s=0.05)),
    _line("delay-150ms", _LINK, "every echo is too old", hazards="H11 H10",
          weather=Weather(delay_s=0.15),
          due=_ARM, budget_s=LEASE_S),
    _line("delay-400ms", _LINK, "every echo is too old", hazards="H11 H10",
          weather=Weather(delay_s=0.4),
          due=_ARM, budget_s=LEASE_S),
    _line("duplicated", "", "the second of a frame is never newer",
          weather=Weather(duplicate=0.3, delay_s=LINE_DELAY_S)),
    _line("reordered", "", "an overtaken frame is never newer; 30 ms late is inside of the lease",
          weather=Weather(reorder=0.3, delay_s=LINE_DELAY_S)),
    _line("flips-0.02%", _LINK, "dropped and counted",
          weather=Weather(flip_rate=0.0002, delay_s=LINE_DELAY_S)),
    _line("flips-0.5%", _LINK, "the limiter latches",
          weather=Weather(flip_rate=0.005, delay_s=LINE_DELAY_S)),
    _line("flips-5%", _LINK, "hardly a frame passes",
          weather=Weather(flip_rate=0.05, delay_s=LINE_DELAY_S)),
)  # fmt: skip

_HOST: Final = (
    _host("killed", "H12", "the lease", ill=Ill.KILLED, due=_ARM, budget_s=LEASE_S),
    *(
        _host(f"frozen-{ms}ms", "H14", "within the lease", ill=Ill.FROZEN, causes="",
              lasts_s=ms / 1000)
        for ms in (50, 100)
    ),
    _host("frozen-200ms", "H14", "at the lease", ill=Ill.FROZEN, lasts_s=0.2),
    *(
        _host(f"frozen-{ms}ms", "H14", "the lease; nothing resumes when it goes on",
              ill=Ill.FROZEN, lasts_s=ms / 1000, due=_ARM, budget_s=LEASE_S)
        for ms in (400, 1000, 5000)
    ),
    _host("same-frame", "H13 H23", "a repeated frame renews nothing", ill=Ill.SAME_FRAME,
          due=_ARM, budget_s=LEASE_S),
    _host("same-counter", "H13", "only the deciding loop renews", ill=Ill.SAME_COUNTER,
          due=_ARM, budget_s=LEASE_S),
    _host("same-echo", "H11 H13", "renewed until the echo is too old, then the lease",
          ill=Ill.SAME_ECHO, due=_ARM, budget_s=ECHO_AGE_MAX_MS / 1000 + LEASE_S),
    _host("asks-on+valve-leak", "H01 H05", "the zone has had all, and crystals go on falling",
          ill=Ill.ASKS_ON, faults=("valve-leak",), causes=f"EXPOSURE {_STUCK}",
          due=_EVER, onset=onset.leaking, budget_s=BUDGET_FLOW_S, jammed=True, allows=_JAMMED),
)  # fmt: skip

_HAND: Final = (
    Row("hand:stands-still", ("H02",), "crystals fall on one spot, and the motion sensor says so",
        still=True, due=_ARM, onset=onset.standing, budget_s=DWELL_S, causes=_causes("DWELL")),
    Row("hand:rests-on-skin", ("H02", "H36"), "one place is sucked in, though no crystal falls",
        faults=("switch-dead",), still=True, lasts_s=22.0, phantom_press=True,
        due=_RUN, onset=onset.sucked, budget_s=SUCKED_S, causes=_causes("CONTACT_TOO_LONG")),
)  # fmt: skip

ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {row.name: row for row in (*_UNIT, *_LINE, *_HOST, *_HAND)}
)
"""Every row by name."""
