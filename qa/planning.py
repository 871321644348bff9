"""What a client of the kernel does before it asks for a treatment: it plans, beside the kernel.

The same code as of the command line, with one difference: in virtual time the record may lie in
memory, so that it is read through the kernel's journal.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.api.authority import Do
from controller.api.requests import Request, TreatArgs, read_args
from controller.api.snapshot import Snapshot
from controller.kernel.service import Kernel
from controller.record.asker import handset_in
from controller.record.past import Asked
from controller.record.planner import Purpose, planned, request_of
from controller.record.store import RecordError
from controller.safety.refusal import RefusedError, refusing
from controller.safety.timeline import Moment


async def plan_beside(
    kernel: Kernel, wish: Mapping[str, Any], at: Moment, purpose: Purpose
) -> dict[str, Any]:
    """Return the plan of ``wish`` for the unit of ``kernel``; or a RefusedError."""
    shown = Snapshot.from_dict(kernel.snapshot())
    unit = handset_in(shown)
    asked = Asked(read_args(TreatArgs, dict(wish)), unit.serial, unit.simulated, at)
    configs = Path(shown.kernel.configs)
    try:
        proved = await kernel.journal.read(
            lambda store: planned(store, configs, asked, unit, purpose)
        )
    except RecordError as error:
        raise refusing("record", str(error), "Nothing has moved.") from error
    return proved.as_dict()


async def planned_request(kernel: Kernel, request: Request) -> Request:
    """Return a request for a treatment with the plan of this moment; any other as it is.

    What cannot be planned is asked for without a plan: the kernel says why it refuses.
    """
    if request.do is not Do.TREAT:
        return request
    try:
        plan = await plan_beside(kernel, request.args, kernel.now(), Purpose.START)
    except RefusedError:
        return request
    return request.model_copy(update={"args": request_of(request.args, plan)})
