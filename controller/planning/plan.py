"""A plan: a program bound to a client, a unit and what is left of each zone, or a refusal."""

from dataclasses import dataclass
from typing import Final, Literal

from controller.planning.program import Program
from controller.planning.proof import Line, Proof
from controller.safety.effect import Effect, Stratum, effect_of
from controller.safety.exposure import SECONDS_PER_MIN, ZoneLedger, ZoneUse
from controller.safety.limits import Quantity, Receipt
from controller.safety.removal import RemovalModel

EndsBy = Literal["time", "exposure", "suction"]
NO_USE: Final = ZoneUse()


@dataclass(frozen=True, slots=True)
class Lower:
    """A practitioner's own settings, below the program's; None leaves the program's value."""

    suction_kpa: float | None = None
    flow_g_per_min: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One zone as it will be treated, with the receipts of what was allowed and why."""

    zone: str
    display: str
    suction_kpa: float
    flow_g_per_min: float
    contact_budget_s: float
    cap_um: float
    suction_max_kpa_s: float
    area_cm2: float
    expected_nominal_um: float
    expected_bound_um: float
    expected_suction_kpa_s: float
    expected_contact_s: float
    ends_by: EndsBy
    receipts: tuple[Receipt, ...]
    used: ZoneUse = NO_USE
    proof: tuple[Line, ...] = ()
    stratum: Stratum | None = None
    """What is removed here, to say it in words; None where nobody has said."""

    def effect(self, depth_um: float, bound_um: float) -> Effect | None:
        """Return what a depth means in this zone; None where its stratum corneum is not known."""
        return None if self.stratum is None else effect_of(self.stratum, depth_um, bound_um)

    def receipt(self, quantity: Quantity) -> Receipt | None:
        """Return what was allowed of one quantity, or None where nobody asked."""
        return next((each for each in self.receipts if each.quantity is quantity), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a treatment may do, zone by zone in order."""

    program: Program
    client_ref: str
    unit_serial: int
    simulated: bool
    tip: int
    stages: tuple[PlannedStage, ...]
    notes: tuple[str, ...]
    model: RemovalModel
    motion_sensor: bool
    """The unit shows when the tip stands still, so that its ledgers can charge that by itself."""

    @property
    def proof(self) -> Proof:
        """What was proved of every stage before anything is armed."""
        return Proof(tuple(line for stage in self.stages for line in stage.proof))

    @property
    def effects(self) -> tuple[Effect | None, ...]:
        """What is expected of each stage; None where its stratum corneum is not known."""
        return tuple(
            stage.effect(stage.expected_nominal_um, stage.expected_bound_um)
            for stage in self.stages
        )

    @property
    def suction_max_kpa(self) -> float:
        """The highest suction of any stage: what CONFIG tells the device."""
        return max(stage.suction_kpa for stage in self.stages)

    @property
    def flow_max_g_per_min(self) -> float:
        """The highest crystal flow of any stage: what CONFIG tells the device."""
        return max(stage.flow_g_per_min for stage in self.stages)

    @property
    def needed_g(self) -> float:
        """The crystals that all of the planned contact takes."""
        return (
            sum(
                stage.flow_g_per_min * (stage.expected_contact_s - stage.used.contact_s)
                for stage in self.stages
            )
            / SECONDS_PER_MIN
        )

    def ledgers(self) -> tuple[ZoneLedger, ...]:
        """Return a fresh ledger for each stage, in order, holding what was used already."""
        return tuple(self.ledger(stage) for stage in self.stages)

    def ledger(self, stage: PlannedStage) -> ZoneLedger:
        """Return the ledger of one stage, holding what was used already."""
        return ledger_of(stage, self.model, motion_sensor=self.motion_sensor)


def ledger_of(stage: PlannedStage, model: RemovalModel, *, motion_sensor: bool) -> ZoneLedger:
    """Return a ledger with the limits of a stage, holding what was used already."""
    used = stage.used
    return ZoneLedger(
        zone=stage.zone,
        cap_um=stage.cap_um,
        suction_max_kpa_s=stage.suction_max_kpa_s,
        area_cm2=stage.area_cm2,
        model=model,
        motion_sensor=motion_sensor,
        nominal_um=used.nominal_um,
        bound_um=used.bound_um,
        contact_s=used.contact_s,
        grams=used.grams,
        suction_kpa_s=used.suction_kpa_s,
    )
