"""Years of a clinic as a record: many treatments of many clients, some of them interrupted."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controller.record import resets, tips, treatments
from controller.record.chain import Stamped
from controller.record.journal import canonical
from controller.record.resets import Whose
from controller.record.store import Store
from controller.safety.timeline import Moment

WALL_S: Final = 1.7e9
APART_S: Final = 1800.0
"""From one treatment to the next, day and night: 20,000 are a busy year."""

BATCH: Final = 3000
PLAN_BYTES: Final = 7000
"""The plan in the row that begins a treatment; with the rest it has about 8 kB."""


@dataclass(frozen=True, slots=True)
class Years:
    """How much there is on record."""

    treatments: int
    one_interrupted_in: int = 100
    clients: int = 1000
    tips: int = 50
    exposures: int = 3
    """Rows of exposure in a treatment; a real one has two for each second on skin."""

    @property
    def end_wall_s(self) -> float:
        """When somebody asks: right after the last treatment."""
        return WALL_S + self.treatments * APART_S + 60.0


def write(path: Path | None, years: Years) -> Store:
    """Write such a record and return it open."""
    store, batch = Store(path), []
    for row in _rows(years):
        batch.append(row)
        if len(batch) >= BATCH:
            store.append(batch)
            batch = []
    store.append(batch)
    return store


def _rows(years: Years) -> Iterator[Stamped]:
    use = {"nominal_um": 1.0, "bound_um": 2.0, "contact_s": 9.0, "grams": 1.0, "suction_kpa_s": 9.0}
    begun = {
        "program": "refresh", "unit": 1001, "simulated": True, "practice": False,
        "kernel_lock": "port-x.lock", "resumes": None,
        "zones": [["nose", {**use, "bound_um": 0.0}]], "worst_per_s": [["nose", use]],
        "plan": "p" * PLAN_BYTES,
    }  # fmt: skip
    zone = {"zone": "nose", **use}
    for number in range(1, years.treatments + 1):
        wall_s, client = WALL_S + number * APART_S, f"c-{number % years.clients}"
        yield Stamped(0.0, wall_s, number, "treatment", canonical({**begun, "client": client}))
        label = f"T-{number % years.tips}"
        tip = {"label": label, "use": "sterilise", "unit": 1001, "simulated": True}
        yield Stamped(0.0, wall_s, number, "tip", canonical({**tip, "client": client}))
        yield Stamped(0.0, wall_s + 1.0, number, "arm", "{}")
        for _ in range(years.exposures):
            yield Stamped(0.0, wall_s + 2.0, number, "exposure", canonical(zone))
        if number % years.one_interrupted_in == 0:
            yield Stamped(0.0, wall_s + 3.0, number, "interrupted", canonical({"zones": [zone]}))
            reset = {"cause": "DWELL", "unit": 1001, "simulated": True, "boot": "b"}
            yield Stamped(0.0, wall_s + 4.0, number, "reset_done", json.dumps(reset))
        else:
            body = {"outcome": "completed", "zones": [zone]}
            yield Stamped(0.0, wall_s + 3.0, number, "ended", canonical(body))


def questions(years: Years) -> Mapping[str, Callable[[Store], object]]:
    """Return everything that a start and a plan ask the record."""
    now_s = years.end_wall_s
    now = Moment("b", now_s, now_s)
    return MappingProxyType(
        {
            "open": treatments.open_treatments,
            "unfinished": treatments.unfinished,
            "resumable": lambda store: treatments.resumable(store, "c-1", now, simulated=True),
            "history": lambda store: treatments.history(store, "c-1", now, simulated=True),
            "resets": lambda store: resets.read(store, Whose(1001, True, "b"), 0.0, now_s),  # noqa: FBT003
            "fitted tip": lambda store: tips.fitted(store, 1001, simulated=True),
            "past of a tip": lambda store: tips.past(store, "T-1", simulated=True),
            "tip under way": lambda store: tips.under_way(store, "T-1"),
        }
    )


def took_s(store: Store, question: Callable[[Store], object]) -> float:
    """Return the seconds of this process, not those of others beside it, that an answer takes."""
    began_s = time.process_time()
    question(store)
    return time.process_time() - began_s
