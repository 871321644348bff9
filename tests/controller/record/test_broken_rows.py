"""A damaged record refuses the clients whom the damage concerns, and nobody else."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from controller.record import health, listing, recovery, treatments
from controller.record.chain import Stamped, chain_text, text_hash
from controller.record.journal import canonical
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import Break, verify
from controller.safety.timeline import Moment
from controller.treatment.kinds import Kind
from tests.controller.record import damage, years
from tests.controller.record.damage import Damage
from tests.controller.record.years import Years

CLINIC = Years(treatments=12, one_interrupted_in=5, clients=4)
ROWS_EACH = 7
NOW_S = CLINIC.end_wall_s
BEGUN = 1
"""The row that begins treatment 1, of client c-1."""
CLOSED = 7
"""The row that ends it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of twelve treatments of four clients, closed in order."""
    made = tmp_path / "journal.sqlite3"
    years.write(made, CLINIC).close()
    return made


def doses(path: Path, client: str) -> list[float]:
    """Return what a plan for a client hears of earlier doses."""
    store = Store(path)
    try:
        health.believe(store, client, ())
        found = treatments.history(store, client, Moment("b", NOW_S, NOW_S), simulated=True)
        return [dose.bound_um for dose in found]
    finally:
        store.close()


def start(path: Path) -> None:
    """Ask what every start of a kernel asks, and write as it does."""
    store = Store(path)
    for name, question in years.questions(CLINIC).items():
        if name != "history":
            question(store)
    recovery.interrupted(store, lambda _lock: False)
    store.append([Stamped(0.0, NOW_S, 0, "kernel", "{}")])
    store.close()


def test_the_doses_of_each_client_are_known(path: Path) -> None:
    assert [len(doses(path, f"c-{client}")) for client in range(4)] == [3, 3, 3, 3]


@pytest.mark.hazard("H56", "H25", shows="works")
@pytest.mark.parametrize(
    "broken",
    [
        damage.no_json,
        damage.no_text,
        damage.other_json,
        damage.other_client,
        damage.no_row,
        damage.no_page,
    ],
)
@pytest.mark.parametrize("row", [BEGUN, CLOSED])
def test_a_broken_row_refuses_its_client_with_file_and_row(
    path: Path, row: int, broken: Damage
) -> None:
    if (broken, row) == (damage.other_client, CLOSED):
        pytest.skip("the row that ends a treatment names no client")
    broken(path, row)
    with pytest.raises(BrokenRowError) as caught:
        doses(path, "c-1")
    assert f"Row {caught.value.row} of the record {path}" in str(caught.value)
    if broken is not damage.no_page:  # which takes the rows beside it along
        assert caught.value.row == row
    assert f"corneum records accept row {caught.value.row} --reason" in str(caught.value)


@pytest.mark.parametrize(
    "broken",
    [damage.no_json, damage.no_text, damage.other_json, damage.no_row, damage.other_client],
)
@pytest.mark.parametrize("row", [BEGUN, CLOSED])
def test_a_broken_row_of_one_client_refuses_no_other(path: Path, row: int, broken: Damage) -> None:
    before = {client: doses(path, client) for client in ("c-0", "c-2", "c-3", "c-9")}
    broken(path, row)
    start(path)
    assert {client: doses(path, client) for client in before} == before


def test_a_page_that_is_damaged_in_the_middle_of_a_treatment_names_a_row_and_the_way_out(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite3"
    store = Store(path)
    for row in years._rows(Years(treatments=2, clients=2)):
        more = 60 if row.kind == "exposure" and row.treatment == 1 else 1
        store.append([row] * more)
    begun, closed = (
        store.ask("SELECT id FROM journal WHERE kind = ? AND treatment = 1", (kind,))[0][0]
        for kind in ("treatment", "ended")
    )
    store.close()
    damage.no_page(path, (begun + closed) // 2)
    with pytest.raises(BrokenRowError) as caught:
        doses(path, "c-1")
    assert begun < caught.value.row < closed
    assert f"corneum records accept row {caught.value.row} --reason" in str(caught.value)
    start(path)
    assert len(doses(path, "c-0")) == 1


def test_a_damaged_page_with_the_row_of_a_kernel_stops_no_start_and_refuses_no_client(
    path: Path,
) -> None:
    store = Store(path)
    body = canonical({"boot": "b", "asleep_s": 0.0})
    kernel_row = store.append([Stamped(NOW_S, NOW_S, 0, "kernel", body)] * 20) - 1
    store.append([Stamped(NOW_S, NOW_S, 0, "state", "{}")] * 40)
    store.close()
    before = [doses(path, f"c-{client}") for client in range(4)]
    damage.no_page(path, kernel_row)
    start(path)
    assert [doses(path, f"c-{client}") for client in range(4)] == before


@pytest.mark.parametrize("broken", [damage.no_index, damage.no_list])
def test_a_damaged_index_or_list_is_made_anew_from_the_rows(path: Path, broken: Damage) -> None:
    before = doses(path, "c-1")
    broken(path, 0)
    start(path)
    assert doses(path, "c-1") == before
    assert verify(path).ok


@pytest.mark.hazard("H25", shows="works")
def test_a_list_that_has_lost_an_entry_refuses_its_client_until_it_is_made_anew(
    path: Path,
) -> None:
    damage.lost_entry(path, BEGUN)
    with pytest.raises(RecordError, match=r"has 2 of 3 treatments of c-1.*corneum records recover"):
        doses(path, "c-1")
    assert len(doses(path, "c-2")) == 3
    store = Store(path)
    assert store.recover()
    store.close()
    assert len(doses(path, "c-1")) == 3


def test_after_a_decision_a_broken_row_refuses_nobody_and_is_left_out(path: Path) -> None:
    damage.no_json(path, BEGUN)
    store = Store(path)
    said = {"subject": "row", "row": BEGUN, "who": {}, "reason": "read on paper"}
    store.append([Stamped(0.0, NOW_S, 0, Kind.DECISION, canonical(said))])
    store.close()
    assert len(doses(path, "c-1")) == 2
    assert verify(path).first_bad_id == BEGUN


def test_a_row_beside_a_damaged_one_is_still_believed(path: Path) -> None:
    damage.no_row(path, CLOSED)
    store = Store(path)
    assert [row.id for row in store.read([CLOSED - 1, CLOSED + 1])] == [CLOSED - 1, CLOSED + 1]
    store.close()


def test_an_edited_row_whose_own_hash_was_mended_is_not_believed(path: Path) -> None:
    store = Store(path)
    (row,) = store.read([CLOSED])
    store.close()
    less = Stamped(*row[1:6])._replace(body=row.written.replace("2.0", "0.1"))
    text = chain_text(row.prev_hash, CLOSED, less)
    with damage.editor(path) as connection:
        connection.execute(
            "UPDATE journal SET text = ?, hash = ? WHERE id = ?",
            (text, text_hash(text), CLOSED),
        )
    with pytest.raises(BrokenRowError, match="the row after it followed another one"):
        doses(path, "c-1")


def test_a_break_that_the_whole_check_has_found_refuses_who_was_treated_then(path: Path) -> None:
    store = Store(path)
    exposure = CLOSED + 5  # of treatment 2, of client c-2; no plan reads it
    assert listing.treated_at(store, exposure) == {"c-2"}
    found = [Break(exposure, "its content is not what was written")]
    health.believe(store, "c-1", found)
    with pytest.raises(BrokenRowError, match=f"Row {exposure} "):
        health.believe(store, "c-2", found)
    store.close()


def test_an_open_treatment_with_a_broken_row_is_not_charged_and_stops_no_start(
    path: Path,
) -> None:
    store = Store(path)
    (last,) = store.rows("kind = 'treatment' AND treatment = 12")
    body = canonical({**last.body, "client": "c-7"})
    begun = store.append([Stamped(0.0, NOW_S, 13, "treatment", body)])
    store.append([Stamped(0.0, NOW_S, 13, "arm", "{}")])
    exposed = store.append([Stamped(0.0, NOW_S, 13, "exposure", '{"zone":"nose","bound_um":2.0}')])
    store.append([Stamped(0.0, NOW_S, 0, "kernel", "{}")])
    assert [each.beginning.treatment for each in recovery.interrupted(store, lambda _: False)] == [
        13
    ]
    store.close()
    damage.other_json(path, exposed)
    store = Store(path)
    assert recovery.interrupted(store, lambda _lock: False) == []
    store.close()
    with pytest.raises(BrokenRowError):
        doses(path, "c-7")
    assert begun == exposed - 2


def test_a_client_whom_every_list_has_lost_is_found_in_the_rows(path: Path) -> None:
    """Lists that agree with each other may still not agree with the rows."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("DELETE FROM treatments WHERE client = 'c-1'")
        file.execute("DELETE FROM clients WHERE client = 'c-1'")
        file.commit()
    with pytest.raises(RecordError, match="corneum records recover"):
        doses(path, "c-1")
    assert len(doses(path, "c-2")) == 3


def test_a_row_that_is_gone_from_the_middle_of_a_treatment_refuses_its_client(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("DROP TRIGGER journal_is_never_shortened")
        file.execute("DELETE FROM journal WHERE id = ?", (BEGUN + 3,))
        file.commit()
    with pytest.raises(BrokenRowError) as gone:
        doses(path, "c-1")
    assert gone.value.row == BEGUN + 3


def test_a_record_without_the_head_of_its_chain_is_damaged_and_no_mistake_of_ours(
    path: Path,
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("DELETE FROM head")
        file.commit()
    with pytest.raises(RecordError, match="is damaged"):
        doses(path, "c-1")
