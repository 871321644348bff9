"""What a campaign of treatments looks at: one row a question, the same figures for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, unique
from functools import cache
from pathlib import Path
from typing import Final

from controller.config.people import load_client, load_unit
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.planning.plan import Plan
from controller.planning.planning import make_plan
from controller.safety.skin import Skin
from qa.campaigns.exposure.fault_responses import response_of, responses
from qa.campaigns.exposure.population import NO_TILT, Tilt
from qa.campaigns.exposure.settings import Arm, ZoneSetting, settings_of
from qa.campaigns.exposure.treatments import Cell
from qa.skin.tails import CENTRAL, TAILS, Tail, name_of
from qa.skin.truth import Account
from simulator.handpiece import SERIAL_NUMBER
from simulator.plant.habits import HABITS

NOW_WALL_S: Final = 1_900_000_000.0  # any moment: simulated clients have no history
ORDINARY_HANDS: Final = ("average", "careful")
CARELESS_HANDS: Final = ("hurried", "slow", "uneven", "talker", "doubler", "drifter", "trembler")
STANDARD: Final = "refresh"
DERATED: Final = "tone-safe"  # made for darker skin; the standard one may be refused there
PHOTOTYPE: Final = 2
AGE_YEARS: Final = 34
DARK_PHOTOTYPE: Final = 5
OLD_YEARS: Final = 70
GRAINS: Final = (
    CENTRAL, Tail(flake_mm=0.5), Tail(flake_mm=0.1), Tail(flake_mm=0.05),
    Tail(correlation_mm=4.0), Tail(correlation_mm=8.0), Tail(flake_mm=0.5, correlation_mm=8.0),
)  # fmt: skip


@unique
class Group(Enum):
    """The questions of a campaign."""

    PRESET = "every preset, average hand"
    HAND = "every hand"
    SKIN = "skin type and age"
    SITE = "every site"
    UNIT = "a unit without a motion sensor"
    FAULT = "every single fault"
    GRAIN = "structure of the skin, which is assumed"
    TAIL = "tails: thickness within a site, streaks, flakes and harm, one at a time"


@dataclass(frozen=True, slots=True)
class Row:
    """One question: who is treated with what by whom, and what goes wrong."""

    group: Group
    program: str = STANDARD
    zones: tuple[str, ...] | None = None
    hand: str = "average"
    arm: Arm = Arm.INTERLOCKED
    account: Account = Account.LOWEST
    phototype: int = PHOTOTYPE
    age_years: int = AGE_YEARS
    fault: str | None = None
    motion_sensor: bool = True
    tail: Tail = CENTRAL

    @property
    def label(self) -> str:
        """What the row is about, in a few words."""
        parts = [self.program, *(self.zones or ()), f"{self.hand} hand"]
        if (self.phototype, self.age_years) != (PHOTOTYPE, AGE_YEARS):
            parts.append(f"phototype {self.phototype}, {self.age_years} years")
        if not self.motion_sensor:
            parts.append("no motion sensor")
        if self.fault is not None:
            parts.append(self.fault)
        if self.group is Group.TAIL:
            parts.append(name_of(self.tail))
        elif self.tail != CENTRAL:
            parts.append(self.tail.words)
        return ", ".join(parts)

    @property
    def key(self) -> str:
        """A name that no other row has."""
        return f"{self.group.name}: {self.label}; {self.arm.value}; {self.account.value}"

    @property
    def ordinary(self) -> bool:
        """Whether nothing goes wrong in it, so that an early stop is a needless one."""
        return self.hand in ORDINARY_HANDS and self.fault is None


class NoPlanError(ValueError):
    """The controller refuses a row; the text is its sentence."""


def rows_of(configs: Path, programs: Sequence[str] | None = None) -> tuple[Row, ...]:
    """Return the rows of a whole campaign, or only those of some programs.

    Each question is asked in every account, with all interlocks, with a fixed time alone, and with
    nothing; and each preset with every tail in the account of what is known.
    """
    named = programs or program_names(configs)
    questions = [Row(Group.PRESET, name) for name in named]
    if not programs:
        questions += _questions(configs)
    rows = [
        replace(row, account=account, arm=arm)
        for row in questions
        for account in Account
        for arm in Arm
    ]
    if not programs:
        rows += [Row(Group.GRAIN, tail=tail) for tail in GRAINS]
    rows += [
        Row(Group.TAIL, name, tail=tail, account=Account.POSTERIOR)
        for name in named
        for tail in TAILS.values()
    ]
    return tuple(rows)


def _questions(configs: Path) -> list[Row]:
    hands = (*ORDINARY_HANDS, *CARELESS_HANDS)
    skins = ((DARK_PHOTOTYPE, AGE_YEARS), (PHOTOTYPE, OLD_YEARS), (DARK_PHOTOTYPE, OLD_YEARS))
    return [
        *(Row(Group.HAND, hand=hand) for hand in hands),
        *(
            Row(Group.SKIN, program, phototype=phototype, age_years=age)
            for program in (STANDARD, DERATED)
            for phototype, age in skins
        ),
        *_site_rows(configs),
        *(Row(Group.UNIT, hand=hand, motion_sensor=False) for hand in ("average", "talker")),
        *(Row(Group.FAULT, fault=name) for name in responses()),
        Row(Group.FAULT, fault="motion-stuck", hand="talker"),
    ]


def _site_rows(configs: Path) -> list[Row]:
    """Each zone once, in the program that gives it the most crystals."""
    skin = _skin(configs)
    strongest: dict[str, tuple[float, str]] = {}
    for name in program_names(configs):
        for stage in load_program(configs, name, skin).stages:
            grams = stage.flow_g_per_min * stage.contact_budget_s
            strongest[stage.zone] = max(strongest.get(stage.zone, (0.0, "")), (grams, name))
    return [
        Row(Group.SITE, program=program, zones=(zone,))
        for zone, (_, program) in sorted(strongest.items())
    ]


def cell_of(row: Row, configs: Path, tilt: Tilt = NO_TILT) -> Cell:
    """Return the row as something to simulate; NoPlanError where the controller refuses it."""
    return Cell(
        zones=_zones(row, configs),
        habit=HABITS[row.hand],
        arm=row.arm,
        account=row.account,
        fault=None if row.fault is None else response_of(row.fault),
        tail=row.tail,
        tilt=tilt,
    )


def _zones(row: Row, configs: Path) -> tuple[ZoneSetting, ...]:
    return settings_of(plan_of(row, configs))


@cache
def plan_of(row: Row, configs: Path) -> Plan:
    """Return the controller's own plan of a row; NoPlanError where it refuses."""
    skin = _skin(configs)
    client = replace(
        load_client(configs, "demo"), practice=False, zones=None,
        phototype=row.phototype, age_years=row.age_years,
    )  # fmt: skip
    plan = make_plan(
        load_program(configs, row.program, skin),
        client,
        replace(load_unit(configs, SERIAL_NUMBER, simulated=True), motion_sensor=row.motion_sensor),
        skin,
        (),
        NOW_WALL_S,
        zones=row.zones,
    )
    if not isinstance(plan, Plan):
        raise NoPlanError(plan.sentence)
    return plan


@cache
def _skin(configs: Path) -> Skin:
    return load_skin(configs)
