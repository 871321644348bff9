"""The page of programs and zones: every preset, what it removes in words, and every site."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from controller.config.chances import FILE as CHANCES
from controller.config.chances import chance_of, read_chances
from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.config.toml_file import is_there
from controller.planning.plan import Plan
from controller.planning.planning import make_plan
from controller.planning.program import Program
from controller.safety.chance import TAIL_WORDS, Chance, at_most_in_words
from controller.safety.effect import in_words
from controller.safety.instruments import INSTRUMENTS
from controller.safety.skin import Skin, risk_cap_um
from tools.tables import as_page, as_table

PLANNED_AT_S: Final = 0.0
"""Any instant: the practice client has no history, and a simulated unit is always calibrated."""

SEEN: Final = (
    "What instruments can see in one person. A depth below every one of these floors is less than "
    "any of them can see: a result that somebody notices then is not shown by a measurement."
)

TAILS: Final = (
    "What nobody has published about skin and harm decides how rare that is. Each of these was "
    "simulated, one at a time; nothing published contradicts any of them. The worst is the one "
    "with the largest bound. What they are in full is in `qa/skin/tails.py`."
)


def programs_page() -> str:
    """Return docs/PROGRAMS.md: every preset and every site, with the cap of one treatment."""
    configs = shipped_configs()
    skin = load_skin(configs)
    programs = [load_program(configs, name, skin) for name in program_names(configs)]
    caps = [
        (
            site.display, f"`{site.zone}`", f"{site.sc_nom_um:g}", f"{site.area_cm2:g}",
            f"{min(site.sc_nom_um * skin.rules.cap_share, risk_cap_um(skin, site)):.2f}",
            site.confidence,
        )
        for site in skin.sites
        if site.selectable
    ]  # fmt: skip
    excluded = ", ".join(site.display.lower() for site in skin.sites if not site.selectable)
    return as_page(
        "Programs and zones",
        "Suction is below ambient. A practitioner may lower suction and flow, never raise them; "
        "the interval is what the program advises, and less than "
        f"{skin.rules.interval_refuse_days:g} days in the same zone is refused. Crystal flows are "
        "proposals: no commercial machine publishes one.",
        as_table(
            ("program", "zones", "kPa", "g/min", "passes", "mm/s", "on skin, s", "days"),
            [row for program in programs for row in _program_rows(program)],
        ),
        *_effects_chapter(configs, skin, programs),
        "## Zones\n\nThe cap is what the 95th-centile bound of one treatment may reach on a "
        f"client with light skin below {skin.rules.age_derate_from_years} years: "
        f"{skin.rules.cap_share:g} of the thickness, or less where the chance that a point loses "
        f"its whole stratum corneum would pass {skin.rules.breach_max_share:.0%}. Skin type, age "
        f"and earlier treatments lower it. Not selectable: {excluded}.",
        as_table(("zone", "name in files", "thickness, µm", "area, cm²", "cap, µm", "data"), caps),
    )


def _program_rows(program: Program) -> Iterable[tuple[str, ...]]:
    groups: dict[tuple[float, float, int, float], list[str]] = {}
    for stage in program.stages:
        key = (stage.suction_kpa, stage.flow_g_per_min, stage.passes, stage.speed_mm_per_s)
        groups.setdefault(key, []).append(stage.zone)
    for (suction_kpa, flow, passes, speed), zones in groups.items():
        budget_s = sum(stage.contact_budget_s for stage in program.stages if stage.zone in zones)
        yield (
            f"{program.display_name} `{program.name}`", ", ".join(zones), f"{suction_kpa:g}",
            f"{flow:g}", str(passes), f"{speed:g}", f"{budget_s:.0f}", f"{program.interval_days:g}",
        )  # fmt: skip


def _effects_chapter(configs: Path, skin: Skin, programs: Sequence[Program]) -> tuple[str, ...]:
    """Return the parts of the chapter: each preset in one sentence, and the instruments."""
    shedding = skin.shedding
    head = (
        "## What a treatment removes\n\nA name says what a program is chosen for, not what it is "
        "known to do: its sources are about how others treat, with devices of which no depth is "
        "published. What follows is what this model expects, as `corneum plan` says it for a "
        f"client with light skin below {skin.rules.age_derate_from_years} years whose skin is dry, "
        f"with all zones, crystals of {skin.model.crystal_ref_um:g} µm and a motion sensor. Where "
        "the cap ends a zone before its time, less is removed than the program asks for, and it "
        "is counted so. *About* stands for the average over a zone at the median of what the "
        "publications leave open of the removal rate (`corneum-sim anchors`), which may be wrong "
        "by four times either way; the bound is what gates the valve. Where "
        "zones differ, the least and the most of them are given. Shedding is that of young skin, "
        f"{shedding.body_h_per_layer:g} h per layer of the body and {shedding.face_h_per_layer:g} "
        "h of the face; old skin of the body takes 41 to 47 h."
    )
    return (
        head,
        _chances_head(configs),
        as_table(
            (
                "program",
                "what it does",
                "loses 1 mm²: by what is known",
                "loses 1 mm²: by the worst not ruled out",
            ),
            _sentences(configs, skin, programs),
        ),
        TAILS,
        as_table(("name", "what it assumes"), [(f"`{k}`", w) for k, w in TAIL_WORDS.items()]),
        SEEN,
        as_table(
            ("instrument", "in a client's file", "sees from, µm", "data", "source"), _instruments()
        ),
    )


def plan_of_preset(configs: Path, skin: Skin, program: Program) -> Plan:
    """Return the plan of all zones of a preset for the practice client.

    ValueError where it is refused: a preset that cannot be planned as it is shipped is a mistake.
    """
    client = replace(load_client(configs, "demo", skin), zones=None)
    unit = replace(
        load_unit(configs, 0, simulated=True),
        motion_sensor=True,
        crystal_um=skin.model.crystal_ref_um,
    )
    plan = make_plan(program, client, unit, skin, (), PLANNED_AT_S)
    if isinstance(plan, Plan):
        return plan
    raise ValueError(f"{program.name} cannot be planned: {plan.sentence}")


def _sentences(configs: Path, skin: Skin, programs: Sequence[Program]) -> Iterable[tuple[str, ...]]:
    for program in programs:
        effects = plan_of_preset(configs, skin, program).effects
        known = [effect for effect in effects if effect is not None]
        chance = chance_of(configs, program.sha256)
        yield (
            f"{program.display_name} `{program.name}`", in_words(known), *chance_cells(chance)
        )  # fmt: skip


def chance_cells(chance: Chance | None) -> tuple[str, str]:
    """Return how often a treatment goes too deep, by both accounts."""
    if chance is None:
        return "not simulated", "not simulated"
    worst = f"{at_most_in_words(chance.worst_bound_share)} (`{chance.worst_tail}`)"
    return at_most_in_words(chance.likely_bound_share), worst


def _chances_head(configs: Path) -> str:
    """Say what the two figures are, and of whom."""
    path = configs / CHANCES
    entries = read_chances(path) if is_there(path) else ()
    numbers = sorted({n for each in entries for n in (each.likely_n, each.worst_n)}, reverse=True)
    counted = " and ".join(f"{number:,}" for number in numbers) or "no"
    return (
        "The last two columns say how many treatments lose a connected square millimetre of "
        "stratum corneum in the simulation, as upper 95 % bounds of a count among "
        f"{counted} treatments of each preset: with the removal rate drawn from what publications "
        "leave of it, and thickness by a gamma distribution; and by the worst assumption about "
        "skin and harm that nothing published rules out. An average hand treats all zones of "
        "light skin of 34 years, with a motion sensor. Lower settings and fewer zones lose it less "
        "often. Other hands, skins and units: [EXPOSURE_FIGURES.md](EXPOSURE_FIGURES.md). It is "
        "no clinical trial: [EXPOSURE.md](EXPOSURE.md)."
    )


def _instruments() -> Iterable[tuple[str, ...]]:
    for each in INSTRUMENTS.values():
        floor = "no depth" if each.floor_um is None else f"{each.floor_um:g}"
        yield each.name, f"`{each.key}`", floor, each.confidence, each.cite
