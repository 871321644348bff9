"""Where the zones of configs/skin/sites.toml lie on drawings of face and body.

Front views are drawn as they are seen by somebody who faces the client: the client's left is on the
right of the picture. The back is drawn as it is seen from behind, the hands as their owner sees the
backs of them. The drawings show where a zone is; they are no measure of its area.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Where one zone lies: its polygons, and where its number stands."""

    polygons: tuple[Polygon, ...]
    label: tuple[float, float]


@dataclass(frozen=True, slots=True)
class View:
    """One drawing: its outline as an SVG path, what is never treated, and the zones in it.

    A px is a unit of the drawing, whatever size it is printed in.
    """

    title: str
    width_px: int
    height_px: int
    outline: str
    never: tuple[str, ...]
    """Paths of what no zone covers, such as eyes and lips."""
    parts: Mapping[str, Part]


_FRONT: Final = "as seen facing the client; the client's left is on the right"


def _mirrored(polygon: Polygon, width: float) -> Polygon:
    return tuple((width - x, y) for x, y in reversed(polygon))


def _pair(name: str, polygon: Polygon, label: tuple[float, float], width: float) -> dict[str, Part]:
    """Return a zone of the client's right, on the left of a front view, and its mirror image."""
    (x, y), mirrored = label, _mirrored(polygon, width)
    return {
        f"{name}_right": Part((polygon,), label),
        f"{name}_left": Part((mirrored,), (width - x, y)),
    }


_NOSE_SIDE: Final[Polygon] = ((90, 92), (86, 144), (76, 146), (82, 118))

FACE: Final = View(
    title=f"Face, {_FRONT}",
    width_px=200,
    height_px=246,
    outline="M100,6 C150,6 172,44 172,100 C172,140 164,176 146,208 C132,232 116,240 100,240 "
    "C84,240 68,232 54,208 C36,176 28,140 28,100 C28,44 50,6 100,6 Z",
    never=(
        "M54,98 C62,86 80,86 88,98 C80,108 62,108 54,98 Z",
        "M112,98 C120,86 138,86 146,98 C138,108 120,108 112,98 Z",
        "M78,178 C90,170 110,170 122,178 C110,190 90,190 78,178 Z",
    ),
    parts=MappingProxyType({
        "forehead": Part((((0, 0), (200, 0), (200, 52), (152, 62), (152, 80), (108, 80), (104, 86),
                           (96, 86), (92, 80), (48, 80), (48, 62), (0, 52)),), (100, 46)),
        **_pair("temple", ((0, 55), (46, 65), (46, 108), (0, 118)), (38, 88), 200),
        "nose": Part((((92, 88), (108, 88), (114, 146), (100, 152), (86, 146)),), (100, 128)),
        "nose_sides": Part((_NOSE_SIDE, _mirrored(_NOSE_SIDE, 200)), (121, 138)),
        **_pair("cheek", ((0, 124), (48, 112), (82, 112), (76, 148), (72, 172), (38, 182),
                          (0, 190)), (56, 146), 200),
        "upper_lip": Part((((78, 152), (100, 156), (122, 152), (124, 170), (100, 168), (76, 170)),),
                          (100, 163)),
        "chin": Part((((84, 192), (116, 192), (122, 246), (78, 246)),), (100, 213)),
        **_pair("jaw", ((0, 194), (38, 184), (72, 174), (76, 188), (82, 192), (78, 250), (0, 250)),
                (66, 198), 200),
    }),
)  # fmt: skip

CHEST: Final = View(
    title=f"Neck and chest, {_FRONT}",
    width_px=200,
    height_px=190,
    outline="M72,4 L70,52 C52,64 22,66 8,84 L4,186 L196,186 L192,84 C178,66 148,64 130,52 L128,4 Z",
    never=("M95,4 L105,4 L105,60 L95,60 Z",),
    parts=MappingProxyType({
        **_pair("neck", ((60, 8), (94, 8), (94, 62), (74, 62), (60, 56)), (83, 34), 200),
        "chest": Part((((52, 78), (148, 78), (158, 108), (134, 142), (66, 142), (42, 108)),),
                      (100, 108)),
    }),
)  # fmt: skip

_OWN: Final = "the client's left is on the left"

BACK: Final = View(
    title=f"Back, as seen from behind; {_OWN}",
    width_px=200,
    height_px=220,
    outline="M80,4 L80,24 C56,34 24,36 14,52 L34,140 L36,216 L164,216 L166,140 L186,52 "
    "C176,36 144,34 120,24 L120,4 Z",
    never=("M97,30 L103,30 L103,190 L97,190 Z",),
    parts=MappingProxyType({
        "back_upper_left": Part((((30, 48), (96, 40), (96, 108), (40, 108)),), (68, 78)),
        "back_upper_right": Part((((170, 48), (104, 40), (104, 108), (160, 108)),), (132, 78)),
        "back_middle_left": Part((((40, 112), (96, 112), (96, 182), (44, 182)),), (70, 147)),
        "back_middle_right": Part((((160, 112), (104, 112), (104, 182), (156, 182)),), (130, 147)),
    }),
)  # fmt: skip

_HAND: Final = (
    "M{a},168 L{b},120 C{c},96 {d},92 {d},78 L{e},30 C{e},22 {f},22 {f},30 L{g},76 L{g},16 "
    "C{g},8 {h},8 {h},16 L{i},74 L{j},12 C{j},4 {k},4 {k},12 L{l},76 L{m},24 C{m},16 {n},16 {n},24 "
    "L{o},92 L{p},84 C{q},78 {r},84 {q},92 L{s},136 L{t},168 Z"
)


def _hand(*, left: bool) -> str:
    """Return the outline of the back of a hand with its fingers up."""
    xs = (34, 30, 26, 20, 22, 30, 34, 42, 45, 48, 57, 60, 62, 71, 72, 84, 94, 92, 74, 70)
    places = zip("abcdefghijklmnopqrst", xs, strict=True)
    return _HAND.format(**{name: x if left else 200 - x for name, x in places})


HANDS: Final = View(
    title=f"Backs of the hands, as their owner sees them; {_OWN}",
    width_px=200,
    height_px=172,
    outline=f"{_hand(left=True)} {_hand(left=False)}",
    never=(),
    parts=MappingProxyType({
        "hand_left": Part((((22, 84), (70, 84), (74, 112), (70, 144), (32, 144), (29, 118)),),
                          (50, 114)),
        "hand_right": Part((((178, 84), (130, 84), (126, 112), (130, 144), (168, 144),
                            (171, 118)),), (150, 114)),
    }),
)  # fmt: skip

_ARM: Final = "M14,30 C26,14 48,14 58,30 L56,120 L52,186 L30,186 L20,120 Z"
_OTHER_ARM: Final = "M186,30 C174,14 152,14 142,30 L144,120 L148,186 L170,186 L180,120 Z"

ARMS: Final = View(
    title=f"Upper arms, {_FRONT}",
    width_px=200,
    height_px=190,
    outline=f"{_ARM} {_OTHER_ARM}",
    never=(),
    parts=MappingProxyType(_pair("arm", ((10, 34), (62, 34), (58, 104), (16, 104)), (37, 70), 200)),
)

_THIGH: Final = "M28,6 L94,6 L86,120 L80,186 L48,186 L36,120 Z"
_OTHER_THIGH: Final = "M172,6 L106,6 L114,120 L120,186 L152,186 L164,120 Z"

THIGHS: Final = View(
    title=f"Thighs, {_FRONT}",
    width_px=200,
    height_px=190,
    outline=f"{_THIGH} {_OTHER_THIGH}",
    never=(),
    parts=MappingProxyType(
        _pair("thigh", ((20, 22), (96, 22), (88, 108), (30, 108)), (61, 66), 200)
    ),
)

FOREARM: Final = View(
    title="Inner side of the forearm; the patch lies where it was marked",
    width_px=200,
    height_px=100,
    outline="M4,22 C60,4 120,18 160,30 L196,28 L196,68 L160,66 C120,80 60,96 4,80 Z",
    never=(),
    parts=MappingProxyType(
        {"forearm_inner": Part((((72, 38), (100, 38), (100, 66), (72, 66)),), (86, 52))}
    ),
)

VIEWS: Final = (FACE, CHEST, BACK, HANDS, ARMS, THIGHS, FOREARM)
