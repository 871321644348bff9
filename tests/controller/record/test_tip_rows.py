"""What the record knows of single tips: each use, what cleaned it, and which one is fitted."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from controller.planning.tips import TipPast, TipUse
from controller.planning.unit import Reuse
from controller.record import tips
from controller.record.chain import Stamped
from controller.record.store import BrokenRowError, Store
from controller.record.tips import LABELS_SHOWN_MAX, FittedTip
from controller.treatment.kinds import Kind
from tests.controller.record import damage
from tests.controller.record.crashed import LOCK, begun

WALL_S: Final = 1.9e9
Written = tuple[int, str, dict[str, Any]]


def record(*rows: Written, path: Path | None = None) -> Store:
    """A record of these rows, each a second after the one before it."""
    store = Store(path)
    store.append(
        [
            Stamped(float(number), WALL_S + number, treatment, kind, json.dumps(body))
            for number, (treatment, kind, body) in enumerate(rows, start=1)
        ]
    )
    return store


def treatment(number: int, client: str = "c-1", lock: str = LOCK) -> Written:
    return number, Kind.TREATMENT, begun(client) | {"kernel_lock": lock}


def tip(
    number: int, label: str = "A-1", client: str = "c-1", unit: int = 4711, **more: object
) -> Written:
    body = FittedTip(label, Reuse.STERILISE).body(unit, client, simulated=True)
    return number, Kind.TIP, body | more


def cleaned(label: str = "A-1", *, simulated: bool = True) -> Written:
    return 0, Kind.TIP_STERILISED, {"label": label, "simulated": simulated}


def act(number: int, kind: Kind, **body: object) -> Written:
    return number, kind, body


def use(
    number: int, at_s: float, client: str = "c-1", *, clean: bool = False, reuse: str = "sterilise"
) -> TipUse:
    return TipUse(number, client, WALL_S + at_s, Reuse(reuse), clean)


def uses(store: Store, label: str = "A-1", *, simulated: bool = True) -> tuple[TipUse, ...]:
    found = tips.past(store, label, simulated=simulated)
    assert found == TipPast(label, found.uses)
    return found.uses


def test_each_use_says_by_which_treatment_of_whom_when_and_what_it_was() -> None:
    store = record(
        treatment(1), tip(1), treatment(2, "c-2"), tip(2, client="c-2", use="single"),
        treatment(3), tip(3, "B-1"), treatment(4), tip(4, simulated=False),
    )  # fmt: skip
    assert uses(store) == (use(1, 2.0), use(2, 4.0, "c-2", reuse="single"))
    assert uses(store, "B-1") == (use(3, 6.0),)
    assert uses(store, simulated=False) == (use(4, 8.0),)
    assert uses(store, "C-1") == ()


@pytest.mark.hazard("H26")
@pytest.mark.parametrize(
    ("after", "clean"),
    [
        ((cleaned(),), True),
        ((cleaned("B-1"),), False),
        ((cleaned(simulated=False),), False),
        ((act(1, Kind.ARM), cleaned()), True),
        ((cleaned(), act(1, Kind.ARM)), False),
        ((cleaned(), act(1, Kind.EXPOSURE)), False),
        ((cleaned(), act(1, Kind.ENDED, outcome="stopped")), False),
        ((cleaned(), act(1, Kind.STATE)), True),
        ((cleaned(), act(2, Kind.ARM)), True),
        ((cleaned(), act(1, Kind.ARM), cleaned()), True),
    ],
)
def test_a_tip_is_clean_after_a_sterilisation_behind_the_last_act_of_its_use(
    after: tuple[Written, ...], *, clean: bool
) -> None:
    assert uses(record(treatment(1), tip(1), *after)) == (use(1, 2.0, clean=clean),)


@pytest.mark.hazard("H26")
@pytest.mark.parametrize(
    ("rows", "touched"),
    [
        ((act(1, Kind.ENDED, outcome="refused"),), False),
        ((act(1, Kind.ARM), act(1, Kind.ENDED, outcome="refused")), True),
        ((act(1, Kind.ENDED, outcome="stopped"),), True),
        ((act(1, Kind.INTERRUPTED),), True),
        ((act(2, Kind.ARM), act(1, Kind.ENDED, outcome="refused")), False),
        ((), True),
    ],
)
def test_a_tip_has_touched_somebody_unless_it_was_refused_before_it_was_armed(
    rows: tuple[Written, ...], *, touched: bool
) -> None:
    assert uses(record(treatment(1), tip(1), *rows)) == ((use(1, 2.0),) if touched else ())


def test_of_many_uses_the_newest_are_told_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tips, "USES_MAX", 2)
    store = record(*(row for number in (1, 2, 3) for row in (treatment(number), tip(number))))
    assert uses(store) == (use(2, 4.0), use(3, 6.0))


def test_a_use_that_cannot_be_believed_is_not_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    record(treatment(1), tip(1), cleaned(), path=path).close()
    for row in (2, 3):
        damage.no_json(path, row)
        store = Store(path)
        with pytest.raises(BrokenRowError) as caught:
            tips.past(store, "A-1", simulated=True)
        assert caught.value.row == row
        store.append([Stamped(9.0, WALL_S, 0, Kind.DECISION, f'{{"subject":"row","row":{row}}}')])
        store.close()
    store = Store(path)
    assert uses(store) == ()
    store.close()


def test_a_sterilisation_that_was_decided_to_be_left_out_has_cleaned_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite3"
    record(treatment(1), tip(1), cleaned(), path=path).close()
    damage.no_json(path, 3)
    store = Store(path)
    store.append([Stamped(9.0, WALL_S, 0, Kind.DECISION, '{"subject":"row","row":3}')])
    assert uses(store) == (use(1, 2.0),)
    store.close()


# -- which one -------------------------------------------------------------------------------------
def test_the_tip_that_is_fitted_is_the_last_that_was_named_for_this_unit() -> None:
    store = record(
        tip(1, "A-1"), tip(2, "B-1"), tip(3, "C-1", unit=7), tip(4, "D-1", simulated=False),
        cleaned("A-1"),
    )  # fmt: skip
    assert tips.fitted(store, 4711, simulated=True) == "B-1"
    assert tips.fitted(store, 4711, simulated=False) == "D-1"
    assert tips.fitted(store, 7, simulated=True) == "C-1"
    assert tips.fitted(store, 8, simulated=True) is None


def test_the_newest_row_of_a_label_is_told_of_whichever_kind() -> None:
    store = record(tip(1), tip(2, simulated=False), tip(3, "B-1"), cleaned())
    assert tips.newest(store, "A-1") == {
        "label": "A-1", "use": "sterilise", "unit": 4711, "simulated": False, "client": "c-1",
    }  # fmt: skip
    assert tips.newest(store, "C-1") is None


def test_labels_that_were_used_lately_are_told_once_each_newest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = ["G", "A", "B", "A", "C", "D", "E", "F", "E"]
    store = record(*(tip(n, label) for n, label in enumerate(labels, start=1)), cleaned("X"))
    assert tips.labels(store) == ["E", "F", "D", "C", "A"]
    assert len(tips.labels(store)) == LABELS_SHOWN_MAX
    monkeypatch.setattr(tips, "USES_MAX", 3)
    assert tips.labels(store) == ["E", "F"]


def test_a_treatment_that_is_open_has_its_tip_on_the_skin() -> None:
    store = record(
        treatment(1, lock="a.lock"), tip(1), treatment(2, lock="b.lock"), tip(2, "B-1"),
        treatment(3, lock="c.lock"), treatment(4), tip(4, "D-1"), act(4, Kind.ENDED),
    )  # fmt: skip
    assert tips.under_way(store, "A-1") == (1, "a.lock")
    assert tips.under_way(store, "B-1") == (2, "b.lock")
    assert tips.under_way(store, "D-1") is None
