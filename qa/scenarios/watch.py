"""Watches the host and the plant while a scenario runs; it never touches either."""

import asyncio
from typing import Any, Final

from controller.kernel.service import Kernel
from qa.scenarios.stage import Stage
from qa.scenarios.story import Dose, Sample

STATE_PERIOD_S: Final = 0.01
SAMPLE_EVERY: Final = 5  # of these: suction and flow for the plots
SNAPSHOT_EVERY: Final = 10  # zones, alarms and exposure


class Watch:
    """Looks at the host's state every 10 ms, and at everything else less often."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._timeline = stage.timeline

    async def run(self) -> None:
        """Look until cancelled."""
        looks = 0
        while True:
            self._look(looks)
            looks += 1
            await asyncio.sleep(STATE_PERIOD_S)

    def last_look(self) -> None:
        """Look at everything once more."""
        self._look(0)

    def _look(self, number: int) -> None:
        stage = self._stage
        if number % SAMPLE_EVERY == 0:
            truth = stage.rig.handpiece.plant.truth
            stage.story.samples.append(
                Sample(
                    stage.now_s, truth.suction_kpa, truth.flow_g_per_min, truth.valve_open * 100.0
                )
            )
        process = stage.process
        if process is None or process.frozen or process.killed or process.over:
            return
        kernel = process.kernel
        if kernel is not None:
            self._host(kernel, full=number % SNAPSHOT_EVERY == 0)

    def _host(self, kernel: Kernel, *, full: bool) -> None:
        state = kernel.control.state
        changed = state != self._timeline.now("state")
        over = kernel.control.idle and self._timeline.now("outcome") == "" and state != "idle"
        if full or changed or over:
            self._snapshot(kernel.snapshot())
        if changed:
            self._put("state", state)

    def _snapshot(self, seen: dict[str, Any]) -> None:
        self._put("link", seen["link"]["state"])
        alarms = {alarm["code"]: alarm["sentence"] for alarm in seen["alarms"]}
        standing = self._timeline.now("alarm")
        words = "; ".join(
            f"alarm {code}: {alarms[code]}" for code in alarms if code not in standing
        )
        now_s = self._stage.now_s
        gone = words or f"alarms {', '.join(sorted(alarms)) or 'none'}"
        self._timeline.put(now_s, "host", "alarm", frozenset(alarms), gone)
        treatment = seen["treatment"]
        if treatment is not None:
            self._treatment(treatment, now_s)

    def _treatment(self, treatment: dict[str, Any], now_s: float) -> None:
        self._put("outcome", treatment["outcome"] or "")
        current = ""
        for zone in treatment["zones"]:
            if zone["state"] == "current":
                current = zone["zone"]
            doses = self._stage.story.doses.setdefault((treatment["id"], zone["zone"]), [])
            dose = Dose(
                now_s,
                zone["nominal_um"],
                zone["bound_um"],
                zone["cap_um"],
                zone["contact_s"],
                zone["grams"],
            )
            if not doses or doses[-1][1:] != dose[1:]:
                doses.append(dose)
        self._put("zone", current)

    def _put(self, subject: str, value: str) -> None:
        self._timeline.put(self._stage.now_s, "host", subject, value)
