"""Planning in the process of whoever asks: nothing of it loads the kernel, and nothing moves.

Beside a kernel it reads the files and the record that the kernel names in its snapshot, so that
both come to the same plan. Without one it plans for a simulated handpiece.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.api.requests import TreatArgs, read_args, unit_absent
from controller.api.snapshot import KernelView, Snapshot
from controller.config.chances import chance_of
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.record.computer import moment
from controller.record.past import Asked
from controller.record.plan_json import chance_as_dict, effects_told
from controller.record.planner import ANY_SIMULATED, Handset, Purpose, planned
from controller.record.read_only import ask_record
from controller.record.store import record_refused
from controller.safety.refusal import refusing
from controller.safety.timeline import Moment


def plan_beside(
    snapshot: Mapping[str, Any],
    wish: Mapping[str, Any],
    purpose: Purpose,
    configs: Path | None = None,
) -> dict[str, Any]:
    """Return the plan of ``wish`` for the unit of a kernel; ``configs`` is a folder that was named.

    or a RefusedError.
    """
    shown = Snapshot.from_dict(snapshot)
    unit = handset_in(shown)
    reads = Path(shown.kernel.configs) if shown.kernel.configs else shipped_configs()
    if configs is not None and configs.resolve() != reads.resolve():
        raise refusing(
            "config",
            f"The kernel of {shown.kernel.port} reads {reads}, and another folder was named: "
            f"{configs}.",
            "Leave --configs out, or end that kernel first.",
        )
    known = Path(shown.record.path), _now_of(shown.kernel)
    plan = _plan(wish, unit, reads, known, purpose)
    if shown.record.trouble is not None:
        plan["notes"] = [*plan["notes"], f"Before treating: {shown.record.trouble}"]
    return plan


def handset_in(shown: Snapshot) -> Handset:
    """Return the unit that a kernel shows; RefusedError where it does not answer."""
    if shown.unit is None or shown.link.state != "identified":
        raise unit_absent(shown.link.trouble, shown.link.next_step)
    return Handset(shown.unit.serial, shown.unit.simulated, shown.unit.motion_sensor)


def plan_alone(
    wish: Mapping[str, Any], record: Path, configs: Path | None = None
) -> dict[str, Any]:
    """Return the plan of ``wish`` for a simulated handpiece; or a RefusedError."""
    folder = shipped_configs() if configs is None else configs
    return _plan(wish, ANY_SIMULATED, folder, (record, moment()), Purpose.LOOK)


def _plan(
    wish: Mapping[str, Any],
    unit: Handset,
    configs: Path,
    known: tuple[Path, Moment],
    purpose: Purpose,
) -> dict[str, Any]:
    record, at = known
    asked = Asked(read_args(TreatArgs, dict(wish)), unit.serial, unit.simulated, at)
    with record_refused("Nothing has moved."):
        proved = ask_record(record, lambda store: planned(store, configs, asked, unit, purpose))
    told = effects_told(proved.plan, proved.as_dict())
    return {**told, "chance": _chance_told(configs, proved.plan.program.sha256)}


def _chance_told(configs: Path, program_sha256: str) -> dict[str, Any] | None:
    """Return how often this goes too deep; it is for words alone, so no plan is proved by it."""
    try:
        chance = chance_of(configs, program_sha256)
    except ConfigError as error:
        raise refusing("config", error.sentence, "Then ask again; nothing has moved.") from error
    return None if chance is None else chance_as_dict(chance)


def _now_of(kernel: KernelView) -> Moment:
    """Return the instant of a snapshot by the clocks of its kernel: the plan is made for it.

    The kernel starts no plan of a later time than its own, and the record carries its time.
    """
    if kernel.up_s is None or kernel.wall_s is None:
        return moment()
    return Moment(kernel.boot, kernel.up_s, kernel.wall_s)
