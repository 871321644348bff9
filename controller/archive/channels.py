"""The channels of a file of waveforms: the one table of topics, their fields and units.

A file is read for as long as records are kept: a topic keeps its place in this table and its
fields keep their meaning; new ones are added at the end. Each message is a JSON object; a field
that nobody knew at that instant is left out. docs/WAVEFORMS.md and the JSON Schemas in each file
are made from this table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from controller.safety.limits import Quantity

PROFILE: Final = "corneum"
"""What the header of a file says of who has written it."""

NUMBER: Final = "number"
WHOLE: Final = "integer"
TRUTH: Final = "boolean"
TEXT: Final = "string"

KPA: Final = Quantity.SUCTION_KPA.unit
G_PER_MIN: Final = Quantity.FLOW_G_PER_MIN.unit
UM: Final = Quantity.DEPTH_UM.unit
SECONDS: Final = Quantity.CONTACT_S.unit
KPA_S: Final = Quantity.SUCTION_KPA_S.unit
PERCENT: Final = "%"
GRAMS: Final = "g"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    says: str
    kind: str = NUMBER
    unit: str = ""
    """Empty where it has none: a truth, a text, a count."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic."""

    topic: str
    says: str
    fields: Mapping[str, Field]
    steady: bool = True
    """True where each reading is a message; else one for each change, and one a second."""
    event: bool = False
    """True where a message tells what happened, and nothing holds on from one to the next."""

    def schema(self) -> bytes:
        """Return the JSON Schema of its messages, with the unit of each field."""
        properties = {
            name: {
                "type": field.kind,
                "description": f"{field.says}{f' [{field.unit}]' if field.unit else ''}",
                **({"unit": field.unit} if field.unit else {}),
            }
            for name, field in self.fields.items()
        }
        said: dict[str, Any] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.schema_name,
            "description": self.says,
            "type": "object",
            "properties": properties,
        }
        return json.dumps(said, ensure_ascii=False).encode()

    @property
    def schema_name(self) -> str:
        """The name of its JSON Schema."""
        return f"{PROFILE}{self.topic.replace('/', '.')}"


def _fields(**fields: Field) -> Mapping[str, Field]:
    return MappingProxyType(fields)


SUCTION: Final = Channel(
    "/suction",
    "Suction below ambient, by the two sensors of the unit.",
    _fields(
        a_kpa=Field("sensor of channel A", unit=KPA),
        b_kpa=Field("sensor of channel B", unit=KPA),
    ),
)
FLOW: Final = Channel(
    "/flow", "Crystals, as measured.", _fields(g_per_min=Field("flow", unit=G_PER_MIN))
)
VALVE: Final = Channel(
    "/valve",
    "Position of the crystal valve, as measured.",
    _fields(percent=Field("0 is shut; up to 1 is on its seat", unit=PERCENT)),
)
EXPOSURE: Final = Channel(
    "/exposure",
    "What the zone under the tip has had, as the host adds it up.",
    _fields(
        zone=Field("name of the zone", TEXT),
        nominal_um=Field("removed as expected", unit=UM),
        bound_um=Field("removed at most, in the worst place", unit=UM),
        contact_s=Field("time with crystals on skin", unit=SECONDS),
        grams=Field("crystals", unit=GRAMS),
        suction_kpa_s=Field("suction dose in the worst place", unit=KPA_S),
    ),
    steady=False,
)
SETPOINT: Final = Channel(
    "/setpoint",
    "What the host asks for, and what of it the unit holds after its own limits.",
    _fields(
        sent_suction_kpa=Field("suction that the host asks for", unit=KPA),
        sent_g_per_min=Field("flow that the host asks for", unit=G_PER_MIN),
        in_force_suction_kpa=Field("suction that the unit holds", unit=KPA),
        in_force_g_per_min=Field("flow that the unit holds", unit=G_PER_MIN),
        wish=Field("what the host permits: NONE, PUMP, FLOW or ALL", TEXT),
    ),
    steady=False,
)
CONTACT: Final = Channel(
    "/contact",
    "The tip is sealed on skin.",
    _fields(on_skin=Field("as the unit says", TRUTH)),
    steady=False,
)
MOTION: Final = Channel(
    "/motion",
    "The tip moves; never true where no motion sensor is fitted.",
    _fields(moving=Field("as the unit says", TRUTH)),
    steady=False,
)
SWITCH: Final = Channel(
    "/switch",
    "The hand switch, by both of its contacts; where they disagree neither is true.",
    _fields(
        pressed=Field("both contacts say so", TRUTH), released=Field("both contacts say so", TRUTH)
    ),
    steady=False,
)
STATE: Final = Channel(
    "/state",
    "Where the treatment stands, and the unit.",
    _fields(
        treatment=Field("state of the treatment, as in STATES.md", TEXT),
        device=Field("mode of the unit", TEXT),
        cause=Field("trip that the unit has latched, or NONE", TEXT),
    ),
    steady=False,
)
ALARM: Final = Channel(
    "/alarm",
    "An alarm comes or goes.",
    _fields(
        code=Field("as in MESSAGES.md", TEXT),
        priority=Field("HIGH, MEDIUM, LOW or INFORMATION", TEXT),
        stands=Field("true where it comes, false where it goes", TRUTH),
        sentence=Field("what happened", TEXT),
    ),
    steady=False,
    event=True,
)
GAP: Final = Channel(
    "/gap",
    "The file lacks something: the time of this message is the end of a gap.",
    _fields(
        seconds=Field("how long the gap is, up to this message", unit=SECONDS),
        lost_samples=Field("readings that the host had and the file lacks", WHOLE),
        why=Field("in words", TEXT),
    ),
    steady=False,
    event=True,
)

CHANNELS: Final = (
    SUCTION, FLOW, VALVE, EXPOSURE, SETPOINT, CONTACT, MOTION, SWITCH, STATE, ALARM, GAP,
)  # fmt: skip
"""In this order their ids in a file count from 1."""

IDS: Final[Mapping[str, int]] = MappingProxyType(
    {channel.topic: number for number, channel in enumerate(CHANNELS, 1)}
)
