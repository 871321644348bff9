"""The presets as they were approved first, and a skin that goes slower than the shipped one.

What ships is so weak, and counts so much for the little that it does, that a zone is treated to the
end of its time or not at all. Where a limit ends a zone early, or leaves room for a lower setting,
is shown with these.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from controller.config.locate import shipped_configs
from controller.config.presets import PRESETS
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.planning.program import Program

FIRST_APPROVED: Final[Mapping[str, tuple[tuple[float, float, int, float], ...]]] = {
    "patch-test": ((15, 3, 1, 40),),
    "first-gentle": ((18, 4, 1, 40),),
    "refresh": ((28, 7, 2, 30),),
    "clarify": ((30, 8, 2, 30),),
    "texture-refine": ((32, 9, 3, 30),),
    "even-bright": ((30, 8, 2, 30),),
    "tone-safe": ((20, 5, 1, 40),),
    "fine-skin": ((16, 4, 1, 40),),
    "neck-chest": ((16, 4, 1, 40), (20, 5, 1, 40)),
    "hands": ((24, 6, 2, 35),),
    "back": ((36, 10, 2, 50),),
    "body-smooth": ((34, 9, 2, 45),),
    "maintain": ((24, 6, 1, 35),),
}
"""Suction, flow, passes and speed as approved first, by program and group of zones as in `PRESETS`.

No version goes above them.
"""

_SHIPPED: Final = load_skin(shipped_configs())
SLOW_SKIN: Final = replace(
    _SHIPPED,
    model=replace(
        _SHIPPED.model, rate_ref_um_per_s=0.75, suction_exponent=0.7, flow_exponent=1.0,
        coverage_factor=1.9, coverage_factor_blind=3.0,
    ),
)  # fmt: skip
"""Skin of the least rate that A1 allows, under a hand that covers it evenly."""


def stronger(program: Program, **changes: float) -> Program:
    """Return a program beyond the presets, as a supervisor might approve one."""
    stages = tuple(replace(stage, **changes) for stage in program.stages)  # type: ignore[arg-type]
    return replace(program, stages=stages)


def first_of(program: Program) -> Program:
    """Return a preset with what was approved first, and the contact time that this takes."""
    stages = []
    for stage in program.stages:
        groups = zip(PRESETS[program.name], FIRST_APPROVED[program.name], strict=True)
        (first,) = (values for preset, values in groups if stage.zone in preset.zones)
        suction_kpa, flow_g_per_min, passes, speed = first
        longer = (passes / speed) / (stage.passes / stage.speed_mm_per_s)
        stages.append(
            replace(
                stage, suction_kpa=suction_kpa, flow_g_per_min=flow_g_per_min, passes=passes,
                speed_mm_per_s=speed, contact_budget_s=stage.contact_budget_s * longer,
            )
        )  # fmt: skip
    return replace(program, stages=tuple(stages))


FIRST: Final = {
    name: first_of(load_program(shipped_configs(), name, _SHIPPED))
    for name in program_names(shipped_configs())
}
"""Every preset as it was approved first, by name."""
