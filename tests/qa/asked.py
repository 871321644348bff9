"""Which moments of the promise an observer asks, and which it declares that it can see."""

import pytest

from qa.matrix import witness as matrix
from qa.promise import watch
from qa.promise.clauses import PROMISE, Judge, Observer
from tests.proof.explore import promises

Judges = list[Judge]


def keep(monkeypatch: pytest.MonkeyPatch) -> Judges:
    """Return a list that keeps every judge that is made from now on."""
    kept: Judges = []

    class Kept(Judge):
        def __init__(self, observer: Observer) -> None:
            super().__init__(observer)
            kept.append(self)

    for module in (watch, matrix, promises):
        monkeypatch.setattr(module, "Judge", Kept)
    return kept


def seen_by(observer: Observer) -> set[str]:
    """Return the moments of which it can see something."""
    return {
        moment.says
        for moment in PROMISE
        if any(observer in clause.seen_by for clause in moment.clauses)
    }


def asked(judges: Judges) -> set[str]:
    """Return the moments of which somebody was asked."""
    return {moment.says for judge in judges for moment in judge.asked}
