"""An unfinished treatment is not continued: noted by a kernel, or beside none.

The row is written only while the treatment is unfinished: the look and the row are one transaction,
so that nobody resumes or dismisses it between them. One that a crash has left open and that no
kernel has marked yet stays open: what nobody saw is charged by the next kernel, which can ask the
unit. RecordError where the record cannot be kept, RefusedError for everything else.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controller.api.authority import Do
from controller.api.requests import DismissArgs, read_args
from controller.record import beside, treatments
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.store import Store
from controller.safety.refusal import RefusedError, refusing
from controller.treatment import rows
from controller.treatment.events import Who
from controller.treatment.kinds import Kind


async def dismiss(
    journal: Journal, args: Mapping[str, Any], who: Who, alive: Callable[[str], bool]
) -> dict[str, Any]:
    """Note it; ``alive`` says whether a kernel holds the lock of a treatment that is open."""
    said = read_args(DismissArgs, dict(args))

    def refusal(store: Store) -> RefusedError | None:
        known = [str(each.treatment) for each in treatments.cut_off(store, alive)]
        if str(said.treatment) in known:
            return None
        return refusing(
            "unknown_treatment",
            f"Treatment {said.treatment} is not unfinished.",
            f"Unfinished are: {', '.join(known)}." if known else "There is none.",
        )

    body = {"who": rows.who_body(who), "reason": said.reason}
    refused = await journal.commit_unless(Row(Kind.DISMISSED, body, said.treatment), refusal)
    if refused is not None:
        raise refused
    return {"treatment": said.treatment}


def dismiss_here(args: Mapping[str, Any], who: Mapping[str, str], state: Path) -> dict[str, Any]:
    """Note it without a kernel, in the record of a state folder; same rules, same row."""
    beside.check_record(state)
    beside.check_no_kernel(state, "Ask it: leave --port out, or name its port.")

    async def act(journal: Journal, person: Who, _clocks: Here) -> dict[str, Any]:
        return await dismiss(journal, args, person, beside.alive_in(state))

    return beside.write(Do.DISMISS, who, state, act, "Ask somebody at the unit who may.")
