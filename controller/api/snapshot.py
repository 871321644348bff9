"""What the kernel shows of itself: frozen values that become the JSON of its API.

Field names are the keys, so ``as_dict`` is the whole mapping. Numbers that may be unknown are None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class KernelView:
    """The process."""

    pid: int
    port: str
    uptime_s: float
    scheduling: str | None = None
    """What the system granted: ``real-time 10``, ``nice -10`` or ``ordinary``; null: not asked."""
    memory_locked: bool | None = None
    late_max_ms: float | None = None
    """By how much its control loop has missed a beat at most, since it was started."""
    beats_missed: int | None = None
    configs: str = ""
    """Folder of the configuration that it reads, for whoever plans beside it."""
    corneum: str = ""
    """Its version."""
    boot: str = ""
    """The boot of the computer, empty where it is not known."""
    up_s: float | None = None
    """The clock of its loop, since that boot, at this snapshot."""
    wall_s: float | None = None
    """Its wall clock at this snapshot: whoever plans beside it plans for this instant."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """The line to the unit."""

    state: str
    bad_frames: int
    rtt_ms: float | None = None
    age_ms: float | None = None
    """How old the newest frame is that was used of the unit; null before the first one."""
    trouble: str | None = None
    """Why the unit is not there; null while it is, and before anybody looked."""
    next_step: str | None = None
    """What to do about the trouble."""


@dataclass(frozen=True, slots=True)
class UnitView:
    """The unit on the line, as it identified itself; where it is lost, the one that was."""

    serial: int
    firmware: str
    simulated: bool
    motion_sensor: bool = False


@dataclass(frozen=True, slots=True)
class ZoneView:
    """One zone of the treatment; ``state`` is waiting, current, done or skipped."""

    zone: str
    display: str
    state: str
    contact_s: float
    budget_s: float
    nominal_um: float
    bound_um: float
    cap_um: float
    suction_kpa_s: float
    """Suction dose of the place that has had most of it."""
    suction_max_kpa_s: float
    grams: float
    suction_kpa_mean: float | None
    suction_kpa_peak: float | None
    set_suction_kpa: float
    set_flow_g_per_min: float
    ended_by: str | None = None
    """What a zone that is done was ended by: time, exposure or suction."""
    share_percent: float | None = None
    """Of the stratum corneum of this zone, what the nominal depth is; null where nobody knows."""
    layers: float | None = None
    """Layers of corneocytes of the nominal depth."""
    shedding_h: float | None = None
    """As long as skin that is left alone takes to shed as many layers, about."""


@dataclass(frozen=True, slots=True)
class TreatmentView:
    """The treatment under way, or the last one of this kernel."""

    id: int
    program: str
    display_name: str
    client: str
    zones: tuple[ZoneView, ...]
    outcome: str | None
    """How it ended, once that is durable; null before that, and where it could not be written."""
    simulated: bool
    message: str | None = None
    recorded: bool | None = None
    """Whether the end is durable; null until the treatment is over."""
    stopped_by: str | None = None
    """Role of the person who stopped it; `unit` from elsewhere; null where no person did."""

    @property
    def over(self) -> bool:
        """True when nothing more will be told of it."""
        return self.outcome is not None or self.recorded is not None


@dataclass(frozen=True, slots=True)
class LiveView:
    """The newest reading; ``age_ms`` says how old it is."""

    suction_kpa: float | None
    flow_g_per_min: float | None
    set_suction_kpa: float
    set_flow_g_per_min: float
    valve_percent: float
    contact: bool
    switch: bool
    mode: str
    cause: str | None
    lease_left_ms: int
    age_ms: float


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm that stands."""

    code: str
    priority: str
    sentence: str
    next_step: str
    """Empty where the hand has another step to do first."""
    acknowledged: bool
    first_out: bool = False
    """Of what stands it came first: the others may be its consequence."""


@dataclass(frozen=True, slots=True)
class ToneView:
    """One burst of the sound of an alarm."""

    pulses: int
    pulse_ms: float
    every_s: float
    fundamental_hz: float


@dataclass(frozen=True, slots=True)
class LightView:
    """The light of an alarm; ``flash_hz`` 0 is steady."""

    colour: str
    flash_hz: float
    duty_percent: float


@dataclass(frozen=True, slots=True)
class SignalView:
    """What is to be heard and seen now, and what holds it back for how long."""

    tone: ToneView | None
    light: LightView | None
    inactivation: str
    left_s: float | None
    reminder_in_s: float | None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One limited or refused request, with its chain and the limit that bound it, in words."""

    quantity: str
    unit: str
    requested: float | None
    allowed: float | None
    limited: bool
    refused: bool
    binding: str | None
    margin: float | None
    chain: Sequence[Mapping[str, Any]]
    """Source and value of each limit."""
    sentence: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Where the journal lies, how far it got, and what is known about its rows."""

    path: str
    rows: int
    verified_to: int | None = None
    """The row up to which the whole chain was checked; null before the first check."""
    trouble: str | None = None
    """What is wrong with it; null while nothing is known to be."""
    witness: str | None = None
    """Which unit keeps its end, or why none does; null while that is not known."""


@dataclass(frozen=True, slots=True)
class UnfinishedView:
    """A treatment that no kernel ended: power or process was lost in the middle of it."""

    treatment: int
    client: str
    program: str


@dataclass(frozen=True, slots=True)
class SimulatedFaultView:
    """One fault that somebody injected into a simulated unit; docs/FAULTS.md has the numbers."""

    number: int
    active: bool


@dataclass(frozen=True, slots=True)
class LeadView:
    """Who leads the treatment; where the screen is gone, who led last."""

    name: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a client of the kernel may look at, in one value."""

    kernel: KernelView
    link: LinkView
    unit: UnitView | None
    state: str
    treatment: TreatmentView | None
    live: LiveView | None
    alarms: tuple[AlarmView, ...]
    receipts: tuple[ReceiptView, ...]
    record: RecordView
    unfinished: tuple[UnfinishedView, ...]
    time_to_safe_ms: float | None
    signal: SignalView | None = None
    simulated_faults: tuple[SimulatedFaultView, ...] = ()
    clock: str | None = None
    """What is wrong with the wall clock, and what to do about it; None where nothing is."""
    lead: LeadView | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form; what already is JSON is shared with it."""
        return _plain_fields(self)

    @staticmethod
    def from_dict(said: Mapping[str, Any]) -> "Snapshot":
        """Return the snapshot that a kernel sent; what it does not say is left at its default."""
        return Snapshot(
            kernel=_one(KernelView, said["kernel"]),
            link=_one(LinkView, said["link"]),
            unit=_one(UnitView, said["unit"]) if said["unit"] else None,
            state=said["state"],
            treatment=_treatment(said["treatment"]) if said["treatment"] else None,
            live=_one(LiveView, said["live"]) if said["live"] else None,
            alarms=_many(AlarmView, said["alarms"]),
            receipts=_many(ReceiptView, said["receipts"]),
            record=_one(RecordView, said["record"]),
            unfinished=_many(UnfinishedView, said["unfinished"]),
            time_to_safe_ms=said["time_to_safe_ms"],
            signal=_signal(said["signal"]) if said.get("signal") else None,
            simulated_faults=_many(SimulatedFaultView, said.get("simulated_faults", ())),
            clock=said.get("clock"),
            lead=_one(LeadView, said["lead"]) if said.get("lead") else None,
        )


@cache
def _names(view: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(view))


def _plain_fields(view: object) -> dict[str, Any]:
    names = _names(type(view))  # type: ignore[arg-type] # mypy takes a type for unhashable
    return {name: _plain(getattr(view, name)) for name in names}


def _plain(value: object) -> object:
    """A tenth of the cost of `dataclasses.asdict`, which copies all that it meets."""
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return _plain_fields(value)


def _one(view: type[V], said: Mapping[str, Any]) -> V:
    return view(**said)


def _many(view: type[V], said: Sequence[Mapping[str, Any]]) -> tuple[V, ...]:
    return tuple(view(**each) for each in said)


def _treatment(said: Mapping[str, Any]) -> TreatmentView:
    return TreatmentView(**{**said, "zones": _many(ZoneView, said["zones"])})


def _signal(said: Mapping[str, Any]) -> SignalView:
    return SignalView(
        **{
            **said,
            "tone": _one(ToneView, said["tone"]) if said["tone"] else None,
            "light": _one(LightView, said["light"]) if said["light"] else None,
        }
    )
