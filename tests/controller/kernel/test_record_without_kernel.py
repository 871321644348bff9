"""The record where no kernel runs: what is found wrong, decided, refused, and told."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from controller.config.paths import journal_path
from controller.record import decisions, whole, words
from controller.record.asker import plan_alone
from controller.record.chain import Stamped
from controller.record.dismissal import dismiss_here
from controller.record.sterilised import sterilised_here
from controller.record.store import Store
from controller.record.treatments import _use
from controller.record.verify import BREAKS_MAX, Break, verify
from controller.safety.exposure import ZoneUse
from controller.safety.refusal import RefusedError
from tests.controller.record import damage, years
from tests.controller.record.crashed import crashed
from tests.controller.record.edits import changing
from tests.controller.record.years import Years

ANNA = {"name": "anna", "role": "practitioner", "origin": "local"}
TECHNICIAN = {**ANNA, "role": "technician"}
VIEWER = {**ANNA, "role": "viewer"}
RESTORE = words.RESTORE


@pytest.fixture
def state(tmp_path: Path) -> Path:
    years.write(journal_path(tmp_path), Years(treatments=4, clients=2)).close()
    return tmp_path


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


def deciding(state: Path, **args: object) -> tuple[str, str, str]:
    asked = {"reason": "read", **args}
    return refused(lambda: decisions.accept_here(asked, TECHNICIAN, state))


# -- decisions -------------------------------------------------------------------------------------
def test_what_may_be_decided_on_is_listed_where_something_else_was_named(state: Path) -> None:
    step = "Name one of: row N, head, witness, clock."
    assert deciding(state, subject="tail") == (
        "bad_request", "There is nothing like tail to decide on.", step,
    )  # fmt: skip
    assert deciding(state, subject="head", number=3) == (
        "bad_request", "There is nothing like head 3 to decide on.", step,
    )  # fmt: skip
    assert deciding(state, subject="row")[1] == "There is nothing like row to decide on."


def test_what_is_whole_is_not_decided_on(state: Path) -> None:
    assert deciding(state, subject="row", number=7) == (
        "row_whole",
        "Row 7 of the record is as it was written, or was decided on before.",
        "`corneum records verify` names the rows that are broken.",
    )
    assert deciding(state, subject="head") == (
        "record_whole", "The record lacks no row that was written here.", "Nothing to decide.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("act", "step"),
    [
        (
            lambda state: decisions.accept_here({"subject": "clock", "reason": "x"}, VIEWER, state),
            "Ask a technician at the unit; CORNEUM_ROLE=technician says that you are one.",
        ),
        (
            lambda state: dismiss_here({"treatment": 1, "reason": "x"}, VIEWER, state),
            "Ask somebody at the unit who may.",
        ),
        (
            lambda state: sterilised_here({"tip": "R-7", "cycle": ""}, VIEWER, state),
            "Ask somebody at the unit who may.",
        ),
    ],
)
def test_who_may_not_write_is_told_whom_to_ask(
    state: Path, act: Callable[[Path], object], step: str
) -> None:
    code, sentence, next_step = refused(lambda: act(state))
    assert (code, next_step) == ("not_allowed", step)
    assert "viewer" in sentence


def test_a_treatment_that_is_not_unfinished_is_told_beside_those_that_are(tmp_path: Path) -> None:
    crashed(journal_path(tmp_path))
    wrong = {"treatment": 9, "reason": "x"}
    assert refused(lambda: dismiss_here(wrong, ANNA, tmp_path)) == (
        "unknown_treatment", "Treatment 9 is not unfinished.", "Unfinished are: 1.",
    )  # fmt: skip
    assert dismiss_here({"treatment": 1, "reason": "x"}, ANNA, tmp_path) == {"treatment": 1}
    assert refused(lambda: dismiss_here(wrong, ANNA, tmp_path))[2] == "There is none."


def test_a_tip_that_is_not_known_is_told_beside_those_that_are(state: Path, tmp_path: Path) -> None:
    sterilised = {"tip": "R-7", "cycle": ""}
    sentence = "No treatment was begun with a tip R-7, so there is nothing to record."
    step = "Check the label; used lately: T-4, T-3, T-2, T-1."
    assert refused(lambda: sterilised_here(sterilised, ANNA, state)) == (
        "tip_unknown", sentence, step,
    )  # fmt: skip
    none = tmp_path / "none"
    years.write(journal_path(none), Years(treatments=0, clients=0)).close()
    assert refused(lambda: sterilised_here(sterilised, ANNA, none)) == (
        "tip_unknown",
        sentence,
        "A tip that was never used needs no record; name it when you treat (--tip).",
    )


# -- checks ----------------------------------------------------------------------------------------
def test_a_check_of_a_folder_names_what_is_broken_and_what_was_decided(state: Path) -> None:
    told: list[tuple[int, int]] = []
    checked = whole.check(state, lambda row, rows: told.append((row, rows)))
    assert (checked.ok, checked.found.rows, checked.accepted, checked.lacking) == (
        True,
        28,
        (),
        None,
    )
    assert told[-1] == (28, 28)
    damage.other_json(journal_path(state), 7)
    broken = whole.check(state, lambda _row, _rows: None)
    what = "its content is not what was written"
    assert (broken.ok, broken.found.breaks) == (False, [Break(7, what)])
    decided = decisions.accept_here(
        {"subject": "row", "number": 7, "reason": "read"}, TECHNICIAN, state
    )
    assert decided == {"subject": "row", "row": 7, "found": what}
    after = whole.check(state, lambda _row, _rows: None)
    assert after.ok
    assert [(one.row, one.what, one.reason) for one in after.accepted] == [(7, what, "read")]
    assert after.sentence == (
        f"The record {journal_path(state)} is whole but for 1 accepted break: {after.found.rows} "
        "rows."
    )


def test_where_too_much_is_broken_nothing_is_told_as_decided(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    store = Store(path)
    store.append([Stamped(n / 10, 1.9e9 + n, 1, "zone", "{}") for n in range(BREAKS_MAX + 5)])
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute(changing("body", "'[]'", "id <= ?"), (BREAKS_MAX,))
    found = verify(path)
    assert len(found.breaks) == BREAKS_MAX
    assert whole.check(tmp_path, lambda _row, _rows: None).accepted == ()


def test_a_row_behind_the_newest_and_one_that_follows_another_are_breaks(state: Path) -> None:
    path = journal_path(state)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE head SET id = 27, hash = (SELECT hash FROM journal WHERE id=27)")
    assert verify(path).breaks == [Break(28, "it stands behind the one that was written last")]


def test_lists_over_damaged_rows_are_not_made_anew(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journal_path(state)
    monkeypatch.setattr(Store, "recover", lambda _store: False)
    assert refused(lambda: whole.recover(state)) == (
        "record",
        f"The rows of the record {path} are damaged too, so nothing was changed.",
        f"To go on, {RESTORE}.",
    )


def test_a_plan_over_a_record_that_cannot_be_read_moves_nothing(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    path.write_bytes(b"no database" * 100)
    told = refused(lambda: plan_alone({"program": "refresh", "client": "demo"}, path))
    assert (told[0], told[2]) == ("record", "Nothing has moved.")


# -- what a zone has had ---------------------------------------------------------------------------
@pytest.mark.hazard("H39")
def test_what_a_row_says_of_a_zone_is_read_and_what_it_does_not_say_is_the_worst() -> None:
    said = {
        "nominal_um": 0.25, "bound_um": 2.38, "contact_s": 25.2, "grams": 1.4,
        "suction_kpa_s": 34.0,
    }  # fmt: skip
    assert _use(said) == ZoneUse(0.25, 2.38, 25.2, 1.4, 34.0)
    assert _use({}) == ZoneUse(0.0, math.inf, 0.0, 0.0, 0.0)
    assert _use({**said, "bound_um": None, "suction_kpa_s": None}) == ZoneUse(
        0.25, math.inf, 25.2, 1.4, math.inf
    )
