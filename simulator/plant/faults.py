"""The catalogue of faults: each is a name, the hazards it belongs to, and what it changes.

A fault changes fields of ``Effects``; the plant reads the effects and nothing else. Faults combine;
where two change the same field, the one later in the catalogue holds. Hazard ids are those of the
hazard register.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class SensorEffects:
    """What is wrong with one analogue sensor."""

    connected: bool = True
    frozen: bool = False
    """The reading stays at its last value."""
    offset: float = 0.0
    """In the unit of the sensor."""
    drift_per_s: float = 0.0
    gain: float = 1.0


HEALTHY_SENSOR: Final = SensorEffects()


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that faults can change; the defaults are a healthy unit."""

    valve_closes: bool = True
    valve_opens: bool = True
    valve_speed: float = 1.0
    valve_leak: float = 0.0
    """Flow past the closed seat, as an opening that the position sensor does not see."""
    valve_meters: bool = True
    """False: any commanded opening is a full opening."""
    feed_gain: float = 1.0
    feed_pulses: bool = False
    """Damp crystals: nothing, then a burst."""
    pump_runs_away: bool = False
    """Full speed while there is power, and the regulator bleed is shut."""
    pump_gain: float = 1.0
    pump_lag_s: float = 0.0
    """On top of the pump's own."""
    vent_opens: bool = True
    hose_on: bool = True
    clog: float = 0.0
    """Blocked share of the tip and its line, 0 to 1."""
    hopper_empty: bool = False
    waste_full: bool = False
    filter_kpa_s_per_l: float = 0.0
    """Resistance on top of the filter's own."""
    suction_a: SensorEffects = HEALTHY_SENSOR
    suction_b: SensorEffects = HEALTHY_SENSOR
    flow: SensorEffects = HEALTHY_SENSOR
    contact_stuck: bool = False
    contact_dead: bool = False
    motion_stuck: bool = False
    """The motion sensor always says that the tip moves."""
    switch_stuck: bool = False
    switch_dead: bool = False
    switch_no_contact_stuck: bool = False
    """The normally open contact stays closed; the other one follows the hand."""
    supply_share: float = 1.0
    overheat_deg_c: float = 0.0
    tip_offset: int = 0
    """What the number of the fitted tip differs by."""
    tip_read: bool = True
    firmware_halted: bool = False
    """The processor stands still, with its outputs as they are."""
    restarts: bool = False
    """The processor starts anew, once."""
    restart_period_s: float = 0.0
    """The processor starts anew whenever it has been up for so long; 0 is never."""
    memory_flips: int = 0
    """Copies of the restart count in which a bit flips while the unit is restarted."""


HEALTHY: Final = Effects()

Change = bool | float | SensorEffects


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue."""

    number: int
    """Its number in the device's event log."""
    name: str
    hazards: tuple[str, ...]
    summary: str
    changes: tuple[tuple[str, Change], ...]
    """Fields of ``Effects`` and their values while the fault is active."""


def _fault(number: int, name: str, hazards: str, summary: str, **changes: Change) -> Fault:
    return Fault(number, name, tuple(hazards.split()), summary, tuple(changes.items()))


DISCONNECTED: Final = SensorEffects(connected=False)
FROZEN: Final = SensorEffects(frozen=True)

_CATALOGUE: Final = (
    _fault(1, "valve-stuck-open", "H05", "the valve never moves towards shut", valve_closes=False),
    _fault(2, "valve-stuck-shut", "H06", "the valve never opens", valve_opens=False),
    _fault(3, "valve-slow", "H05", "the valve moves ten times slower", valve_speed=0.1),
    _fault(
        4, "valve-leak", "H05", "a fifth of full flow passes the shut valve, unseen by its sensor",
        valve_leak=0.2,
    ),
    _fault(
        5, "flow-runaway", "H01", "any opening is a full opening, with half as much flow again",
        valve_meters=False, feed_gain=1.5,
    ),
    _fault(6, "crystals-damp", "H30", "crystals come in bursts", feed_pulses=True),
    _fault(
        7, "pump-runaway", "H03", "the pump runs at full speed and the bleed is shut",
        pump_runs_away=True,
    ),
    _fault(8, "pump-weak", "H04", "the pump moves a twentieth of its air", pump_gain=0.05),
    _fault(9, "vent-stuck-shut", "H03", "the vent does not open", vent_opens=False),
    _fault(10, "hose-off", "H04", "the hose came off the handpiece", hose_on=False),
    _fault(11, "clog", "H06", "tip and line are blocked to 97 percent", clog=0.97),
    _fault(12, "hopper-empty", "H30", "no crystals left", hopper_empty=True),
    _fault(13, "waste-full", "H28", "the waste canister is full", waste_full=True),
    _fault(
        14, "filter-loaded", "H29", "the filter is loaded far beyond its service limit",
        filter_kpa_s_per_l=300.0,
    ),
    _fault(15, "suction-a-frozen", "H08", "sensor A stays at its last value", suction_a=FROZEN),
    _fault(
        16, "suction-a-offset", "H07", "sensor A reads 6 kPa low",
        suction_a=SensorEffects(offset=-6.0),
    ),
    _fault(
        17, "suction-a-drift", "H07", "sensor A falls by 0.1 kPa each second",
        suction_a=SensorEffects(drift_per_s=-0.1),
    ),
    _fault(
        18, "suction-a-gain", "H07", "sensor A reads a fifth too low",
        suction_a=SensorEffects(gain=0.8),
    ),
    _fault(19, "suction-a-disconnected", "H09", "sensor A is at its rail", suction_a=DISCONNECTED),
    _fault(20, "suction-b-frozen", "H08", "sensor B stays at its last value", suction_b=FROZEN),
    _fault(
        21, "suction-b-offset", "H07", "sensor B reads 6 kPa high",
        suction_b=SensorEffects(offset=6.0),
    ),
    _fault(22, "suction-b-disconnected", "H09", "sensor B is at its rail", suction_b=DISCONNECTED),
    _fault(23, "flow-frozen", "H08", "the flow sensor stays at its last value", flow=FROZEN),
    _fault(24, "flow-disconnected", "H09", "the flow sensor is at its rail", flow=DISCONNECTED),
    _fault(25, "contact-stuck", "H04", "the contact ring always says skin", contact_stuck=True),
    _fault(26, "contact-dead", "H04", "the contact ring never says skin", contact_dead=True),
    _fault(27, "motion-stuck", "H02", "the motion sensor always says moving", motion_stuck=True),
    _fault(28, "switch-stuck", "H36", "both contacts say pressed", switch_stuck=True),
    _fault(29, "switch-dead", "H36", "both contacts say released", switch_dead=True),
    _fault(
        30, "switch-contacts-disagree", "H36", "the normally open contact stays closed",
        switch_no_contact_stuck=True,
    ),
    _fault(31, "brown-out", "H17", "the supply sags to 70 percent", supply_share=0.7),
    _fault(32, "power-lost", "H16", "the supply is gone for the outputs", supply_share=0.0),
    _fault(33, "overheat", "H45", "the pump gets 80 degrees hotter", overheat_deg_c=80.0),
    _fault(
        34, "suction-a-creep", "H07", "sensor A rises by 0.1 kPa each minute",
        suction_a=SensorEffects(drift_per_s=0.1 / 60),
    ),
    _fault(
        35, "suction-a-sink", "H07", "sensor A falls by 0.1 kPa each minute",
        suction_a=SensorEffects(drift_per_s=-0.1 / 60),
    ),
    _fault(36, "pump-strong", "H38", "the pump moves three times its air", pump_gain=3.0),
    _fault(37, "pump-sluggish", "H38", "the pump follows 100 ms later", pump_lag_s=0.1),
    _fault(38, "tip-swapped", "H27", "another tip is fitted", tip_offset=1),
    _fault(39, "tip-unread", "H27", "the coding of the tip cannot be read", tip_read=False),
    _fault(
        40, "firmware-halt", "H15", "the processor stands still until it is restarted",
        firmware_halted=True,
    ),
    _fault(41, "power-dip", "H17 H18", "the processor loses its supply for an instant, once",
        restarts=True),
    _fault(
        42, "reset-storm", "H46", "the processor restarts every 2 seconds", restart_period_s=2.0
    ),
    _fault(
        43, "memory-flip", "H34", "a bit flips in one copy of the restart count",
        memory_flips=1,
    ),
    _fault(
        44, "memory-spoilt", "H34", "bits flip in both copies of the restart count",
        memory_flips=2,
    ),
)  # fmt: skip

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({fault.name: fault for fault in _CATALOGUE})
"""The catalogue by name."""


class UnknownFaultError(ValueError):
    """The name is not in the catalogue; the text says which names are."""


@dataclass(slots=True)
class PlantFaults:
    """The faults that are active now, and their joint effect."""

    active: frozenset[str] = frozenset()
    effects: Effects = HEALTHY

    def set(self, name: str) -> Fault:
        """Make a fault active and return it; UnknownFaultError for a name that is not known."""
        fault = find_fault(name)
        self._become(self.active | {name})
        return fault

    def clear(self, name: str) -> Fault:
        """End a fault and return it, whether it was active or not; UnknownFaultError as above."""
        fault = find_fault(name)
        self._become(self.active - {name})
        return fault

    def clear_all(self) -> None:
        """End every fault."""
        self._become(frozenset())

    def _become(self, active: frozenset[str]) -> None:
        self.active = active
        changes: dict[str, Change] = {}
        for fault in _CATALOGUE:
            if fault.name in active:
                changes.update(fault.changes)
        self.effects = replace(HEALTHY, **changes) if changes else HEALTHY  # type: ignore[arg-type]  # by field name


def find_fault(name: str) -> Fault:
    """Return the fault of that name; UnknownFaultError names the ones that exist."""
    if name not in FAULTS:
        raise UnknownFaultError(f"there is no fault '{name}'; choose one of {', '.join(FAULTS)}")
    return FAULTS[name]
