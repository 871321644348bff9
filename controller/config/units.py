"""Units in field names: what a suffix means, and what was probably meant by a wrong one."""

from typing import Final, NamedTuple

UNITS: Final = (
    # Longest first: the first suffix that fits is the unit.
    ("_um_per_s", "µm/s"),
    ("_g_per_min", "g/min"),
    ("_mm_per_s", "mm/s"),
    ("_h_per_layer", "h per layer"),
    ("_kpa_s", "kPa s"),
    ("_percent", "%"),
    ("_years", "years"),
    ("_days", "days"),
    ("_kpa", "kPa"),
    ("_cm2", "cm²"),
    ("_um", "µm"),
    ("_mm", "mm"),
    ("_s", "s"),
)


class Foreign(NamedTuple):
    """A unit that is not stored: its suffix, its name, the stored suffix, and the factor."""

    suffix: str
    unit: str
    stored: str
    factor: float


FOREIGN: Final = (
    Foreign("_mmhg", "mmHg", "_kpa", 0.133322),
    Foreign("_cmhg", "cmHg", "_kpa", 1.33322),
    Foreign("_inhg", "inHg", "_kpa", 3.38639),
    Foreign("_mbar", "mbar", "_kpa", 0.1),
    Foreign("_hpa", "hPa", "_kpa", 0.1),
    Foreign("_psi", "psi", "_kpa", 6.89476),
    Foreign("_bar", "bar", "_kpa", 100.0),
    Foreign("_mpa", "MPa", "_kpa", 1000.0),
    Foreign("_pa", "Pa", "_kpa", 0.001),
    Foreign("_mg_per_min", "mg/min", "_g_per_min", 0.001),
    Foreign("_g_per_s", "g/s", "_g_per_min", 60.0),
    Foreign("_kg_per_h", "kg/h", "_g_per_min", 1000.0 / 60.0),
    Foreign("_cm_per_s", "cm/s", "_mm_per_s", 10.0),
    Foreign("_m_per_s", "m/s", "_mm_per_s", 1000.0),
    Foreign("_min", "min", "_s", 60.0),
    Foreign("_ms", "ms", "_s", 0.001),
    Foreign("_weeks", "weeks", "_days", 7.0),
    Foreign("_hours", "h", "_days", 1.0 / 24.0),
    Foreign("_mm2", "mm²", "_cm2", 0.01),
    Foreign("_nm", "nm", "_um", 0.001),
    Foreign("_inch", "inch", "_mm", 25.4),
    Foreign("_cm", "cm", "_mm", 10.0),
)


def unit_of(field: str) -> str:
    """Return the unit that a field's name carries, or an empty text."""
    return next((unit for suffix, unit in UNITS if field.endswith(suffix)), "")


def with_unit(field: str, number: float) -> str:
    """Return a number with the unit of its field."""
    return f"{number:g} {unit_of(field)}".rstrip()


def meant_by(field: str, known: frozenset[str]) -> tuple[str, Foreign] | None:
    """Return the known field that ``field`` names in a foreign unit, and that unit."""
    for foreign in FOREIGN:
        if field.lower().endswith(foreign.suffix):
            stem = field.lower().removesuffix(foreign.suffix)
            if stem + foreign.stored in known:
                return stem + foreign.stored, foreign
    return None


def without_unit(field: str, known: frozenset[str]) -> str | None:
    """Return the known field that ``field`` names without its unit, such as ``suction``."""
    return next((name for name in sorted(known) if name.startswith(f"{field}_") and unit_of(name)),
                None)  # fmt: skip
