"""A sterilisation is recorded: by a kernel, or beside none, for it happens where no unit is.

RecordError where the record cannot be kept, RefusedError for everything else.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controller.api.authority import Do
from controller.api.requests import SterilisedArgs, read_args
from controller.planning.unit import Reuse
from controller.record import beside, tips
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.safety.refusal import RefusedError, refusing
from controller.treatment import rows
from controller.treatment.events import Who
from controller.treatment.kinds import Kind


async def sterilised(
    journal: Journal, args: dict[str, Any], who: Who, alive: Callable[[str], bool]
) -> dict[str, Any]:
    """Record that a tip was sterilised; ``alive`` is False where no kernel holds a lock."""
    said = read_args(SterilisedArgs, args)
    known = await journal.read(lambda store: tips.newest(store, said.tip))
    if known is None:
        raise await _unknown(journal, said.tip)
    if known["use"] == Reuse.SINGLE.value:
        raise refusing(
            "tip_single",
            f"Tip {said.tip} is for single use; no sterilisation makes it fit for another client.",
            "Throw it away, and fit a fresh one for the next treatment.",
        )
    busy = await journal.read(lambda store: tips.under_way(store, said.tip))
    if busy is not None and alive(busy[1]):
        raise refusing(
            "tip_in_use",
            f"Treatment {busy[0]} is under way with tip {said.tip}.",
            "Sterilise it after the end, and record it then.",
        )
    body = {
        "label": said.tip,
        "simulated": known["simulated"],
        "cycle": said.cycle,
        "who": rows.who_body(who),
    }
    await journal.commit([Row(Kind.TIP_STERILISED, body)])
    return {"tip": said.tip}


async def _unknown(journal: Journal, label: str) -> RefusedError:
    known = await journal.read(tips.labels)
    return refusing(
        "tip_unknown",
        f"No treatment was begun with a tip {label}, so there is nothing to record.",
        f"Check the label; used lately: {', '.join(known)}."
        if known
        else "A tip that was never used needs no record; name it when you treat (--tip).",
    )


def sterilised_here(args: Mapping[str, Any], who: Mapping[str, str], state: Path) -> dict[str, Any]:
    """Record it without a kernel, in the record of a state folder; same rules, same row."""

    async def act(journal: Journal, person: Who, _clocks: Here) -> dict[str, Any]:
        return await sterilised(journal, dict(args), person, beside.alive_in(state))

    return beside.write(Do.STERILISED, who, state, act, "Ask somebody at the unit who may.")
