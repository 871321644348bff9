"""The approved values of the thirteen presets: a file may go below them, never above.

They stand in code, beside the envelope, so that editing a file in place cannot raise a preset, nor
a copy of it. What goes above needs a supervisor's approval of its content (`approvals`). Sources
are in the files.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Preset(NamedTuple):
    """The highest suction, flow and passes, and the lowest speed, of a group of zones."""

    zones: tuple[str, ...]
    suction_kpa: float
    flow_g_per_min: float
    passes: int
    speed_mm_per_s: float


_CHEEKS_TEMPLES_CHIN: Final = ("temple_left", "temple_right", "cheek_left", "cheek_right", "chin")
_FACE_LESS_NOSE_SIDES: Final = (
    *_CHEEKS_TEMPLES_CHIN, "forehead", "nose", "upper_lip", "jaw_left", "jaw_right",
)  # fmt: skip
_FACE: Final = (*_FACE_LESS_NOSE_SIDES, "nose_sides")
_BACK: Final = (
    "back_upper_left", "back_upper_right", "back_middle_left", "back_middle_right",
)  # fmt: skip
_LIMBS: Final = ("arm_left", "arm_right", "thigh_left", "thigh_right")

PRESETS: Final[Mapping[str, tuple[Preset, ...]]] = MappingProxyType(
    {
        "patch-test": (Preset(("forearm_inner",), 15.0, 1.2, 1, 40.0),),
        "first-gentle": (Preset(_FACE, 18.0, 1.4, 1, 40.0),),
        "refresh": (Preset(_FACE, 28.0, 1.0, 1, 40.0),),
        "clarify": (Preset(_FACE, 30.0, 1.0, 1, 40.0),),
        "texture-refine": (Preset(_CHEEKS_TEMPLES_CHIN, 30.0, 1.0, 1, 40.0),),
        "even-bright": (Preset(_FACE, 30.0, 1.0, 1, 40.0),),
        "tone-safe": (Preset(_FACE, 13.0, 1.0, 1, 50.0),),
        "fine-skin": (Preset(_FACE_LESS_NOSE_SIDES, 16.0, 1.4, 1, 40.0),),
        "neck-chest": (
            Preset(("neck_left", "neck_right"), 16.0, 1.6, 1, 40.0),
            Preset(("chest",), 20.0, 1.6, 1, 40.0),
        ),
        "hands": (Preset(("hand_left", "hand_right"), 24.0, 1.2, 2, 35.0),),
        "back": (Preset(_BACK, 36.0, 1.1, 1, 50.0),),
        "body-smooth": (Preset(_LIMBS, 34.0, 1.3, 1, 45.0),),
        "maintain": (Preset(_FACE, 24.0, 1.0, 1, 35.0),),
    }
)

INTERVAL_MIN_DAYS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "patch-test": 7.0,
        "first-gentle": 21.0,
        "refresh": 14.0,
        "clarify": 14.0,
        "texture-refine": 14.0,
        "even-bright": 14.0,
        "tone-safe": 28.0,
        "fine-skin": 21.0,
        "neck-chest": 21.0,
        "hands": 14.0,
        "back": 14.0,
        "body-smooth": 14.0,
        "maintain": 28.0,
    }
)
"""The shortest interval of each preset."""

TRAINED: Final = frozenset({"texture-refine"})
"""Presets for trained people alone."""


def preset_of(program: str, zone: str) -> Preset | None:
    """Return the approved values of a zone of a preset; None where there are none."""
    return next((preset for preset in PRESETS.get(program, ()) if zone in preset.zones), None)
