"""`corneum status`: what the kernel and the unit are doing, once."""

import json
import sys

from controller.api.snapshot import KernelView, LiveView, Snapshot, TreatmentView
from controller.cli.outcome import ExitCode, Failure
from controller.cli.output import clean
from controller.cli.session import NO_KERNEL, asked, running
from controller.cli.words import (
    alarm_words,
    outcome_words,
    quantity,
    reading_words,
    state_words,
    unit_words,
)


def run(port: str | None, *, as_json: bool) -> ExitCode:
    """Print the status; where no kernel runs, what the last one has left unfinished."""
    try:
        address = running(port)
    except Failure as failure:
        if failure.name != NO_KERNEL:
            raise
        from controller.cli import cut_off  # noqa: PLC0415 - a kernel that runs answers at once

        return cut_off.show(failure, as_json=as_json)
    said = asked(address.socket, "status")
    shown = [json.dumps(said)] if as_json else lines(Snapshot.from_dict(said))
    sys.stdout.write("\n".join(shown) + "\n")
    return ExitCode.DONE


def lines(snapshot: Snapshot) -> list[str]:
    """Return the status in a few lines for people."""
    return [clean(line) for line in _lines(snapshot)]


def _lines(snapshot: Snapshot) -> list[str]:
    kernel = snapshot.kernel
    said = [f"{kernel.port}: {state_words(snapshot)} (kernel pid {kernel.pid})"]
    said.append(unit_words(snapshot.unit, snapshot.link))
    if snapshot.link.next_step is not None:
        said.append(f"next: {snapshot.link.next_step}")
    if kernel.late_max_ms is not None:
        said.append(_timing(kernel))
    if snapshot.treatment is not None:
        said += _treatment(snapshot.treatment, snapshot.state)
    if snapshot.live is not None:
        said.append(_live(snapshot.live))
    said += [alarm_words(alarm) for alarm in snapshot.alarms]
    said += [
        f"simulated fault {fault.number} (see FAULTS.md): {'active' if fault.active else 'over'}"
        for fault in snapshot.simulated_faults
    ]
    if snapshot.record.trouble is not None:
        said.append(f"record: {snapshot.record.trouble}")
    if snapshot.record.witness is not None:
        said.append(f"witness: {snapshot.record.witness}")
    if snapshot.clock is not None:
        said.append(f"clock: {snapshot.clock}")
    said += [
        f"unfinished: treatment {left.treatment}, {left.program} for {left.client}; go on with "
        f"`corneum treat {left.program} --client {left.client} --resume`"
        for left in snapshot.unfinished
    ]
    return said


def _timing(kernel: KernelView) -> str:
    memory = ", memory locked" if kernel.memory_locked else ""
    granted = f"{kernel.scheduling or 'ordinary'}{memory}"
    return f"scheduling {granted}; the latest beat came {kernel.late_max_ms:.0f} ms late"


def _treatment(treatment: TreatmentView, state: str) -> list[str]:
    outcome = outcome_words(treatment.outcome, state, recorded=treatment.recorded)
    return [
        f"{treatment.display_name} for {treatment.client}: {outcome}",
        *(
            f"  {zone.display}: {zone.state}, {zone.contact_s:.0f} of {zone.budget_s:.0f} s, "
            f"exposure {zone.bound_um:.2f} of {zone.cap_um:.2f} µm"
            for zone in treatment.zones
        ),
    ]


def _live(live: LiveView) -> str:
    suction = f"{quantity(live.suction_kpa, 'kPa')} (set {live.set_suction_kpa:.1f})"
    flow = f"{quantity(live.flow_g_per_min, 'g/min')} (set {live.set_flow_g_per_min:.1f})"
    valve = f"valve {live.valve_percent:.0f} %"
    return f"suction {suction}, crystals {flow}, {valve} ({reading_words(live)})"
