"""How a test is set up, and what has to be known to see a failure again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from qa.loop import LIMIT_DEFAULT_S
from qa.plugin.timeline import rendered
from qa.rig import LINE_DELAY_S, RigSpec
from simulator.handpiece import Happening
from simulator.line import Weather
from simulator.plant.spec import PlantSpec

WEATHER: Final = tuple(each.name for each in fields(Weather))
KNOWN: Final = ("hand", "seed", "motion_sensor", "limit_s", "configs", *WEATHER)
TAIL_S: Final = 2.0  # how much of the end is shown where no moment matters more than another


class SettingError(ValueError):
    """The marker says something that cannot be; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the markers and the command line say about one test."""

    seed: int
    hand: str | None = None
    motion_sensor: bool = True
    limit_s: float = LIMIT_DEFAULT_S
    configs: Path | None = None
    weather: Mapping[str, float] = field(default_factory=dict)

    def rig_spec(self, hand: str) -> RigSpec:
        """Return the specification of a virtual device; ``hand`` is who holds it by default."""
        return RigSpec(
            seed=self.seed,
            hand=self.hand or hand,
            plant=PlantSpec(motion_sensor=self.motion_sensor),
            weather=Weather(**{"delay_s": LINE_DELAY_S, **self.weather}),
            configs=self.configs,
        )


def setting_of(
    marks: Sequence[Mapping[str, Any]], seed_asked: int | None, seed_default: int
) -> Setting:
    """Put the markers together, the closest first; a seed of the command line beats them all."""
    said: dict[str, Any] = {}
    for mark in reversed(marks):
        said.update(mark)
    strange = [name for name in said if name not in KNOWN]
    if strange:
        raise SettingError(
            f"the marker corneum takes {', '.join(KNOWN)}, and not {', '.join(strange)}"
        )
    weather = {name: said.pop(name) for name in WEATHER if name in said}
    seed = said.pop("seed", seed_default)
    return Setting(seed if seed_asked is None else seed_asked, weather=weather, **said)


@dataclass(frozen=True, slots=True)
class Story:
    """The seed and the name of a test, and so the way back to it."""

    seed: int
    nodeid: str
    folder: Path | None
    """Where pytest has to be started; None is where it was."""

    @property
    def again(self) -> str:
        """The command that runs the test again with the same seed."""
        start = "" if self.folder is None else f"cd {shlex.quote(str(self.folder))} && "
        test = shlex.quote(self.nodeid)
        return f"{start}python -m pytest {test} --corneum-seed {self.seed}"

    def told(self, events: Sequence[Happening]) -> str:
        """Return the end of the timeline and the way back, for a failure of any kind."""
        end_s = float(str(events[-1]["t_s"])) if events else 0.0
        return f"{rendered(events, end_s - TAIL_S, end_s)}\n{self.way_back}"

    @property
    def way_back(self) -> str:
        """Seed and command, in two lines."""
        return f"seed: {self.seed}\nagain: {self.again}"
