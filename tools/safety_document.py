"""Renders docs/SAFETY.md from the hazard register, with the times of the code beside each name."""
# ruff: noqa: E501 (sentences of a document)

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from tools.derivation import render_derivation
from tools.promise_table import render_promise
from tools.register import (
    Budget,
    Hazard,
    Register,
    Standing,
    believed_ms,
    grace_s,
    hook_of,
    load,
)

_STANDING: Final = {
    Standing.BUILT: "built",
    Standing.PARTLY: "built in part",
    Standing.LATER: "left to a later part",
    Standing.OUTSIDE: "outside of this service",
}
_SHORT_WORDS: Final = 2  # of a dotted path: what it is in, and what it is

_HEAD: Final = """\
# Safety: the hazard register

Generated from `docs/hazards.toml` and the code that it names, by `python -m tools.generate`; do not edit. Every name, time and budget below
is looked up in the code, and a name that is not there fails the build. `python -m tools.generate --trace` prints
which test shows what, with results where it is given a JUnit file (`--junit FILE`).

## The promise

The crystal valve is open only while a live lease, an armed treatment, a pressed hand switch, skin contact, suction above its minimum,
no latched trip and exposure left in the zone all hold. As essential performance:

1. no crystals without contact, suction, a valid lease and the hand switch;
2. what a zone receives stays under its limit;
3. suction at the tip stays under a hard ceiling.

Nothing a person, a program, a message, a crash or a single fault does may break them. The operator is never the only protection: a
simple reaction takes 0.2 s, a useful one 1 to 2 s.
"""

_READING: Final = """\
## How to read the register

**Device** and **host** judge independently and share no code beyond the words of the protocol; on the device, channel A may open and channel B may
only close. A name in `code` is a name in the code: `Guard` and `ChannelB` belong to the firmware, `Permit` is one of the nine conditions of the open valve,
`Cause` is what a trip latches, `Interlock` and `Notice` belong to the host, `Rule` to planning, `Reject` to the line. The time behind a name is how long the
condition must stand before it is believed, none where it acts at once. **Budget** is from cause to shut valve. **Injection** is how the hazard is provoked: a fault of `corneum-sim fault`,
a hand of `corneum-sim serve --hand` (both in [FAULTS.md](FAULTS.md)), or a hook of the table below. The modes are in [STATES.md](STATES.md), the words of
the alarms in [MESSAGES.md](MESSAGES.md).
"""

_OUTSIDE: Final = """\
## Not in this register

Electric shock, heat at the case, noise, sharp edges and the compatibility of materials with skin belong to the unit's own file (IEC 60601-1 or
IEC 60335-2-115), and who may treat whom to the clinic. Abuse by people is in [THREATS.md](THREATS.md). Nothing here is a regulatory opinion,
and no integrity level is claimed.
"""


def render_safety() -> str:
    """Return the whole document."""
    register = load()
    chapters = "\n".join(
        (
            _HEAD,
            render_promise(),
            render_derivation(),
            _READING,
            _safe_states(register),
            _overview(register),
            *(_family(name, rows, register) for name, rows in _families(register)),
            _left(register),
            _requirements(register),
            _hooks(register),
            _OUTSIDE,
        )
    )
    return chapters.rstrip("\n") + "\n"


def _families(register: Register) -> list[tuple[str, list[Hazard]]]:
    key = attrgetter("family")
    return [(name, list(rows)) for name, rows in groupby(register.hazard, key)]


def _safe_states(register: Register) -> str:
    rows = [f"| {name} | {text} |" for name, text in register.safe_states.items()]
    return "\n".join(("| safe state | what it is |", "|---|---|", *rows, ""))


def _overview(register: Register) -> str:
    lines = [
        f"## Overview: {len(register.hazard)} hazards",
        "",
        "| id | hazard | safe state | budget | standing |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(register.hazard, key=attrgetter("id")):
        budget = ", ".join(f"{one.ms} ms" for one in row.budgets) or "-"
        lines.append(
            f"| [{row.id}](#{row.id.lower()}) | {row.title} | {row.safe} | {budget} "
            f"| {_STANDING[row.standing]} |"
        )
    return "\n".join((*lines, ""))


def _family(name: str, rows: Sequence[Hazard], register: Register) -> str:
    title = f"## {name[0].upper()}{name[1:]}"
    return "\n".join((title, "", *(_hazard(row, register) for row in rows)))


def _hazard(row: Hazard, register: Register) -> str:
    lines = [
        f'### <a id="{row.id.lower()}"></a>{row.id} {row.title}',
        "",
        f"- Causes: {'; '.join(row.causes)}.",
        f"- Device: {_names(row.device)}.",
        f"- Host: {_names(row.host)}.",
        f"- Safe state: {row.safe}.{_budgets(row.budgets)}",
        f"- Injection: {_injections(row.inject, register)}.",
        f"- Requirements: {', '.join(row.requirements)}. Standing: {_STANDING[row.standing]}.",
    ]
    if row.planned:
        words = ", ".join(f"`{name}`" for name in row.planned)
        lines.append(f"- In the vocabulary, and raised by nothing yet: {words}.")
    lines += [f"- Why: {row.note}"] if row.note else []
    lines += [f"- Left: {row.left}"] if row.left else []
    return "\n".join((*lines, ""))


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{_short(name)}`{_time(name)}" for name in names) or "none"


def _short(name: str) -> str:
    words = name.split(".")
    return ".".join(words[-_SHORT_WORDS:]) if len(words) > _SHORT_WORDS else name


def _time(name: str) -> str:
    first, _, rest = name.partition(".")
    if first == "Interlock":
        grace = grace_s(rest)
        return f" ({grace:g} s)" if grace else ""
    if first == "Guard":
        stands_ms = believed_ms(rest)
        return f" ({stands_ms} ms)" if stands_ms else ""
    return ""


def _budgets(budgets: Sequence[Budget]) -> str:
    said = [
        f" Budget{f' {one.when}' if one.when else ''}: {one.ms} ms "
        f"({' + '.join(f'`{_short(name)}`' for name in one.of)})."
        for one in budgets
    ]
    return "".join(said)


def _injections(names: Sequence[str], register: Register) -> str:
    return "; ".join(f"`{name}` ({hook_of(name, register)})" for name in names) or "none yet"


def _left(register: Register) -> str:
    rows = [
        f"| {row.id} | {row.title} | {_STANDING[row.standing]} | {row.left} |"
        for row in register.hazard
        if row.standing is not Standing.BUILT
    ]
    head = ("## What is left, and why", "", "| id | hazard | standing | what is left |")
    return "\n".join((*head, "|---|---|---|---|", *rows, ""))


def _requirements(register: Register) -> str:
    rows = [
        f"| {one.id} | {one.text} | "
        f"{', '.join(row.id for row in register.hazard if one.id in row.requirements)} |"
        for one in register.requirement
    ]
    head = ("## Requirements", "", "| id | requirement | hazards |", "|---|---|---|")
    return "\n".join((*head, *rows, ""))


def _hooks(register: Register) -> str:
    rows = [
        f"| `{name}` | {hook.does} | `{_short(hook.by)}` |" for name, hook in register.hooks.items()
    ]
    head = ("## Hooks", "", "| hook | what it does | by |", "|---|---|---|")
    return "\n".join((*head, *rows, ""))
