"""Renders the promise: every clause, its rule, its hazards, and which observer asks it."""
# ruff: noqa: E501 (sentences of a document)

from typing import Final

from qa.promise.clauses import PROMISE, Observer

_WHO: Final = {
    Observer.RIG: "rig",
    Observer.FUZZ: "fuzz",
    Observer.MATRIX: "matrix",
    Observer.DEVICE: "device",
    Observer.HOST: "host",
    Observer.PAIR: "pair",
}
_HEAD: Final = """\
### Clause by clause

What holds the promise is `qa.promise.clauses`: each clause once, with its check. Six observers ask it. **rig**: kernel, line and device in virtual time (storms, scenarios, stateful
tests). **fuzz**: one device under hostile bytes. **matrix**: every fault in every state of a device. **device**, **host**, **pair**: every reachable state of the firmware, of the supervisor,
and of both with a line between them. An empty cell: this observer cannot see it, and never asks it. The rules P1 to P11, L1 and L2 are those that
`python -m tests.proof.explore` counts.
"""


def render_promise() -> str:
    """Return the chapter."""
    heads = " | ".join(_WHO.values())
    rows = [f"| clause | rule | what is promised | hazards | {heads} |", "|---" * 10 + "|"]
    for moment in PROMISE:
        for clause in moment.clauses:
            hazards = ", ".join(f"[{one}](#{one.lower()})" for one in clause.hazards)
            marks = " | ".join("x" if one in clause.seen_by else "" for one in _WHO)
            says = f"{moment.says} {clause.says}"
            rows.append(f"| {clause.name} | {clause.rule} | {says} | {hazards} | {marks} |")
    return "\n".join((_HEAD, *rows, ""))
