"""A record as a kernel leaves it that was killed in mid-treatment, a moment ago or long since."""

import time
from pathlib import Path
from typing import Any, Final

from controller.record.chain import Stamped
from controller.record.computer import boot_id
from controller.record.journal import canonical
from controller.record.recovery import UNSEEN_S
from controller.record.store import Store
from controller.safety.totals import Totals

LOCK: Final = "port-killed.lock"
HAD: Final = {
    "nominal_um": 0.5, "bound_um": 1.0, "contact_s": 9.0, "grams": 1.0, "suction_kpa_s": 200.0,
}  # fmt: skip
PER_S: Final = {
    "nominal_um": 0.05, "bound_um": 0.1, "contact_s": 1.0, "grams": 0.1, "suction_kpa_s": 28.0,
}  # fmt: skip
NOTHING: Final = dict.fromkeys(HAD, 0.0)
ZONES: Final = ("nose", "chin")


def begun(client: str) -> dict[str, Any]:
    """Return the body of the row that began a treatment of nose and chin."""
    plan = {"zones": [{"zone": zone, "display": zone.title(), "cap_um": 3.0} for zone in ZONES]}
    return {
        "client": client, "program": "refresh", "display_name": "Refresh", "unit": 4711,
        "simulated": False, "practice": False, "kernel_lock": LOCK, "resumes": None,
        "zones": [[zone, NOTHING] for zone in ZONES],
        "worst_per_s": [[zone, PER_S] for zone in ZONES],
        "who": {"name": "anna", "role": "practitioner", "origin": "local"},
        "plan": plan,
    }  # fmt: skip


def crashed(
    path: Path,
    *,
    treatment: int = 1,
    client: str = "c-0042",
    marked: bool = False,
    age_s: float = 60.0,
    totals: Totals | None = None,
) -> None:
    """Append to a record a treatment whose kernel was killed on the nose."""
    mono_s, wall_s = time.monotonic() - age_s, time.time() - age_s
    so_far = None if totals is None else totals._asdict()
    exposure = {"zone": "nose", **HAD, "may_open": ["nose"], "totals": so_far}
    bodies: list[tuple[int, str, dict[str, Any]]] = [
        (0, "kernel", {"boot": boot_id(), "asleep_s": 0.0}),
        (treatment, "treatment", begun(client)),
        (treatment, "arm", {"may_open": ["nose"], "totals": None}),
        (treatment, "exposure", exposure),
    ]
    if marked:
        charged = {name: HAD[name] + UNSEEN_S * PER_S[name] for name in HAD}
        body = {"charged": ["nose"], "unseen_s": UNSEEN_S, "zones": [{"zone": "nose", **charged}]}
        bodies.append((treatment, "interrupted", body))
    store = Store(path)
    store.append([Stamped(mono_s, wall_s, number, kind, canonical(said))
                  for number, kind, said in bodies])  # fmt: skip
    store.close()
