"""Draws a storm from a number: a scenario with everything that can befall a session of a clinic.

Every step has its own time and none needs another one: a storm without any of its steps is a
storm too, and so it is shrunk. At most one fault of the unit is active at a time, since that is
what the promise is about; line, kernel, disk, hand and people may do anything meanwhile.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from qa.scenarios.model import Scenario
from simulator.plant.faults import FAULTS
from simulator.plant.hands import HANDS

PROGRAM: Final = "refresh"
ZONES: Final = (["nose"], ["chin"], ["nose", "chin"])
LASTS_MIN_S: Final = 25.0
LASTS_MAX_S: Final = 60.0
FLOWS_S: Final = (2.0, 14.0)  # after a treatment is asked for it takes some eight to flow
GAP_MEAN_S: Final = 1.5
FAULT_GAP_S: Final = 1.0  # what a fault did is over before the next one comes
TAIL_S: Final = 2.0
FAULT_SPAN_S: Final = (0.02, 4.0)
FREEZE_SPAN_S: Final = (0.03, 3.0)
SLOW_SPAN_S: Final = (0.02, 1.5)  # from 1 s on the record fails
WAITS: Final = 0.8  # how often somebody who began again lets it come to a flow
MS: Final = 3

Table = dict[str, Any]

WEATHERS: Final[Mapping[str, Table]] = {
    "lossy": {"loss": 0.1},
    "noisy": {"flip_rate": 0.0005},
    "slow": {"delay_s": 0.06, "jitter_s": 0.04},
    "late": {"delay_s": 0.2, "jitter_s": 0.05},
    "twice": {"duplicate": 0.5},
    "overtaking": {"reorder": 0.3, "delay_s": 0.005},
    "everything": {
        "loss": 0.05, "flip_rate": 0.002, "delay_s": 0.02, "jitter_s": 0.03, "duplicate": 0.2,
        "reorder": 0.2,
    },
}  # fmt: skip

_HAND: Final = ("press", "release", "place", "lift", "hold-still", "auto", "auto")
_PEOPLE: Final = ("pause", "resume", "resume", "ack", "reset", "silence")
_HASTE: Final = (
    ("pause", "resume"),
    ("pause", "resume", "pause"),
    ("ack", "reset", "stop", "reset"),
    ("stop", "ack", "reset", "reset"),
    ("treat", "stop"),
)
_REMOTE: Final = {"origin": "remote", "role": "technician"}


def draw(seed: int, number: int) -> Scenario:
    """Return the storm of this number."""
    chance = random.Random(f"{seed} storm {number}")  # noqa: S311 - a campaign must repeat
    ends_at_s = round(chance.uniform(LASTS_MIN_S, LASTS_MAX_S), MS)
    first = {"do": "treat", "at_s": round(chance.uniform(0.2, 1.0), MS)}
    return Scenario.model_validate(
        {
            "name": f"storm-{seed}-{number}",
            "title": f"Storm {number} of seed {seed}",
            "seed": chance.getrandbits(32),
            "program": PROGRAM,
            "zones": chance.choice(ZONES),
            "hand": chance.choice(sorted(HANDS)),
            "ends_at_s": ends_at_s,
            "steps": [first, *_steps(chance, ends_at_s - TAIL_S)],
            "expect": [{"check": "promise"}],
        }
    )


def _steps(chance: random.Random, until_s: float) -> Iterator[Table]:
    at_s, whole_s = chance.uniform(*FLOWS_S), 0.0
    names, weights = tuple(_KINDS), [weight for weight, _ in _KINDS.values()]
    while at_s < until_s:
        name = chance.choices(names, weights)[0]
        if name == "fault" and at_s < whole_s:
            name = "hand"
        for step in _KINDS[name][1](chance):
            yield {**step, "at_s": round(at_s, MS)}
            if name == "fault":
                whole_s = at_s + step["lasts_s"] + FAULT_GAP_S
            at_s += chance.uniform(0.0, GAP_MEAN_S / 2)
        again = name in ("again", "restart") and chance.random() < WAITS
        at_s += chance.uniform(*FLOWS_S) if again else chance.expovariate(1.0 / GAP_MEAN_S)


def _span_s(chance: random.Random, span_s: tuple[float, float]) -> float:
    """Return a duration; short ones are as frequent as long ones of the same ratio."""
    least, most = span_s
    return float(round(least * (most / least) ** chance.random(), MS))


def _fault(chance: random.Random) -> Iterator[Table]:
    name = chance.choice(sorted(FAULTS))
    yield {"do": "fault", "name": name, "lasts_s": _span_s(chance, FAULT_SPAN_S)}


def _again(_: random.Random) -> Iterator[Table]:
    """Somebody cleans up after a trip, and goes on."""
    yield {"do": "restore-line"}
    yield {"do": "auto"}
    yield {"do": "ack"}
    yield {"do": "reset"}
    yield {"do": "treat"}


def _hand(chance: random.Random) -> Iterator[Table]:
    yield {"do": chance.choice(_HAND)}


def _people(chance: random.Random) -> Iterator[Table]:
    far = _REMOTE if chance.random() < 0.2 else {}  # noqa: PLR2004 - one in five is far away
    yield {"do": chance.choice(_PEOPLE), **far}


def _stop(chance: random.Random) -> Iterator[Table]:
    yield {"do": "stop", "emergency": chance.random() < 0.5}  # noqa: PLR2004 - every other one


def _lower(chance: random.Random) -> Iterator[Table]:
    yield {"do": "lower", "suction_kpa": chance.choice((12.0, 20.0, 28.0, 40.0))}


def _weather(chance: random.Random) -> Iterator[Table]:
    yield {"do": "noise-line", **WEATHERS[chance.choice(sorted(WEATHERS))]}


def _line(chance: random.Random) -> Iterator[Table]:
    yield {"do": chance.choice(("cut-line", "silence-line"))}
    yield {"do": "restore-line"}


def _garbage(chance: random.Random) -> Iterator[Table]:
    yield {"do": "send-garbage", "count": chance.randint(1, 400)}


def _restart(chance: random.Random) -> Iterator[Table]:
    yield {"do": chance.choice(("kill-kernel", "kill-kernel", "end-kernel"))}
    yield {"do": "start-kernel"}
    yield from _again(chance)


def _freeze(chance: random.Random) -> Iterator[Table]:
    yield {"do": "freeze-kernel", "lasts_s": _span_s(chance, FREEZE_SPAN_S)}


def _disk(chance: random.Random) -> Iterator[Table]:
    """The disk is full, or takes its time while people ask for one thing after the other."""
    if chance.random() < 0.4:  # noqa: PLR2004 - a slow one is the more frequent
        yield {"do": "fill-disk"}
    else:
        yield {"do": "slow-disk", "takes_s": _span_s(chance, SLOW_SPAN_S)}
        for do in chance.choice(_HASTE):
            yield {"do": do}
    yield {"do": "free-disk"}


_KINDS: Final[Mapping[str, tuple[int, Callable[[random.Random], Iterator[Table]]]]] = {
    "fault": (6, _fault),
    "again": (5, _again),
    "hand": (4, _hand),
    "people": (3, _people),
    "weather": (3, _weather),
    "freeze": (3, _freeze),
    "restart": (2, _restart),
    "line": (2, _line),
    "stop": (1, _stop),
    "lower": (1, _lower),
    "garbage": (1, _garbage),
    "disk": (2, _disk),
}
"""How often each comes, relative to the others, and what it does."""
