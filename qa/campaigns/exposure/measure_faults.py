"""Measure what the whole service does about every single fault; see `fault_responses`.

Usage: python -m qa.campaigns.exposure.measure_faults
"""

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.cli import boundary
from qa.campaigns.exposure.fault_responses import FILE
from qa.campaigns.workers import Where, spread
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from qa.skin.truth import CHOKE_KPA, REFERENCE_KPA, SUCTION_EXPONENT
from simulator.plant.deposit import DepositRow
from simulator.plant.faults import FAULTS

PROGRAM: Final = "refresh"
ZONE: Final = "chin"  # small, so that a run takes half a minute of treatment
ONSET_S: Final = (3.0, 8.0)  # of contact, while the zone has another 9 s
SEEDS: Final = range(1, 6)
ZONE_MAX_S: Final = 90.0  # three times what an average hand takes
ROWS_FEW: Final = 20  # a tenth of a second of crystals: nothing to tell a rate from
REPORT_S: Final = 1.0  # telemetry and ledger have caught up with the last crystals
DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Response:
    """One run."""

    true_gain: float
    seen_gain: float
    lasts_s: float | None
    """None where the zone came to its end as if nothing had happened."""


def measure(name: str, seed: int) -> Response:
    """Return what one run of the service did about a fault."""
    return run_virtual(_run(name, seed))


async def _run(name: str, seed: int) -> Response:
    onset_s = random.Random(f"{name} {seed}").uniform(*ONSET_S)  # noqa: S311 - it must repeat
    async with service(RigSpec(seed, deposit=True)) as made:
        await made.ask("treat", program=PROGRAM, client="demo", zones=[ZONE])
        await made.until(lambda: _zone(made)["contact_s"] >= onset_s)
        bound_um, began = _zone(made)["bound_um"], len(_rows(made))
        made.rig.handpiece.set_fault(name)
        with contextlib.suppress(TimeoutError):  # it waits for a person: nothing flows any more
            await made.until(lambda: made.kernel.idle or _over(made), ZONE_MAX_S)
        await asyncio.sleep(REPORT_S)
        completed = made.state == "completed"
        before, after = _rows(made)[:began], _rows(made)[began:]
        added_um = _zone(made)["bound_um"] - bound_um
    if len(after) < ROWS_FEW:
        return Response(1.0, 1.0, None if completed else round(_seconds(after), DIGITS))
    true_gain = _per_second(after) / _per_second(before)
    seen_gain = (added_um / _seconds(after)) / (bound_um / _seconds(before))
    lasts_s = None if completed else round(_seconds(after), DIGITS)
    return Response(round(true_gain, DIGITS), round(seen_gain, DIGITS), lasts_s)


def _over(made: Service) -> bool:
    return made.state in {"completed", "stopped", "tripped", "refused"}


def _zone(made: Service) -> dict[str, float]:
    treatment = made.snapshot()["treatment"] or {}
    zones: list[dict[str, float]] = treatment.get("zones") or [{"contact_s": 0.0, "bound_um": 0.0}]
    return zones[0]


def _rows(made: Service) -> Sequence[DepositRow]:
    return () if made.rig.deposit is None else made.rig.deposit.rows


def _seconds(rows: Sequence[DepositRow]) -> float:
    return sum(row.seconds for row in rows)


def _per_second(rows: Sequence[DepositRow]) -> float:
    """Return the mean removal under the tip, in the flow of the rows, at the central exponents."""
    exponent = SUCTION_EXPONENT[1]
    removed = (
        row.flow_g_per_min
        * (min(row.suction_kpa, CHOKE_KPA) / REFERENCE_KPA) ** exponent
        * row.seconds
        for row in rows
    )
    return float(sum(removed)) / _seconds(rows)


def _measured(job: tuple[str, int]) -> Response:
    return measure(*job)


def main() -> None:
    """Measure all faults and write the file."""
    jobs = {f"{name} {seed}": (name, seed) for name in FAULTS for seed in SEEDS}
    found = dict(spread(_measured, jobs, Where(), "faults"))
    rows = {
        name: [
            {"true_gain": each.true_gain, "seen_gain": each.seen_gain, "lasts_s": each.lasts_s}
            for seed in SEEDS
            for each in (found[f"{name} {seed}"],)
        ]
        for name in FAULTS
    }
    text = json.dumps({"program": PROGRAM, "zone": ZONE, "faults": rows}, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(jobs)} runs, written to {FILE.name}\n")


if __name__ == "__main__":
    boundary.run("qa.campaigns.exposure.measure_faults", main)
