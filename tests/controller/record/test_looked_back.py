"""What is told of treatments afterwards: each of them in full, and what the record does not say."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from controller.config.paths import journal_path, run_dir
from controller.record import cut_off as cut_off_module
from controller.record import history, words
from controller.record.chain import Stamped
from controller.record.cut_off import CutOff, CutZone, cut_off
from controller.record.decisions import accept_here
from controller.record.history import Past, PastZone, past
from controller.record.journal import canonical
from controller.record.locks import Lock
from controller.record.recovery import UNSEEN_S
from controller.record.store import RecordError, Store
from controller.safety.refusal import RefusedError
from controller.safety.timeline import Moment
from tests.controller.record import damage
from tests.controller.record.crashed import HAD, LOCK, NOTHING, PER_S, begun

WALL_S: Final = 1_900_000_000.0
NOW: Final = Moment("boot", 5000.0, WALL_S + 5000.0)
TOM: Final = {"name": "tom", "role": "technician", "origin": "local"}
CHARGED: Final = {name: HAD[name] + UNSEEN_S * PER_S[name] for name in HAD}


def write(state: Path, *rows: tuple[int, str, dict[str, Any]]) -> None:
    """Write these rows, each a second after the one before it."""
    store = Store(journal_path(state))
    for treatment, kind, body in rows:
        at_s = 100.0 + store.probe()
        store.append([Stamped(at_s, WALL_S + at_s, treatment, kind, canonical(body))])
    store.close()


KERNEL: Final = (0, "kernel", {"boot": "boot", "asleep_s": 0.0})
ARM: Final = (1, "arm", {"may_open": ["nose"], "totals": None})
EXPOSED: Final = (1, "exposure", {"zone": "nose", **HAD, "may_open": ["nose"], "totals": None})
BEGUN: Final = (1, "treatment", begun("c-0042"))
MARKED: Final = (
    1,
    "interrupted",
    {"charged": ["nose"], "unseen_s": UNSEEN_S, "zones": [{"zone": "nose", **CHARGED}]},
)
LEFT: Final = (KERNEL, BEGUN, ARM, EXPOSED)
BROKEN_AT: Final = 4


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an hour and a half after the computer was switched on."""
    monkeypatch.setattr(cut_off_module, "moment", lambda: NOW)


# -- cut off ---------------------------------------------------------------------------------------
LEFT_OVER: Final = CutOff(
    treatment=1, client="c-0042", program="refresh", display_name="Refresh", simulated=False,
    unit=4711, by="anna", role="practitioner", begun_wall_s=WALL_S + 101.0,
    last_wall_s=WALL_S + 103.0,
    zones=(
        CutZone("nose", "Nose", CHARGED["bound_um"], UNSEEN_S * PER_S["bound_um"], 3.0),
    ),
    unseen_s=UNSEEN_S, marked=False, resumable=True, trouble=None,
)  # fmt: skip


def test_what_was_cut_off_is_told_in_full(tmp_path: Path) -> None:
    write(tmp_path, *LEFT)
    assert cut_off(tmp_path) == (LEFT_OVER,)


def test_what_a_later_kernel_has_marked_is_told_with_its_charge(tmp_path: Path) -> None:
    write(tmp_path, *LEFT, MARKED)
    assert cut_off(tmp_path) == (replace(LEFT_OVER, marked=True),)


def test_what_was_never_armed_has_no_zone_and_no_charge(tmp_path: Path) -> None:
    write(tmp_path, KERNEL, BEGUN)
    assert cut_off(tmp_path) == (
        replace(LEFT_OVER, last_wall_s=WALL_S + 101.0, zones=(), unseen_s=0.0),
    )


def test_what_the_row_of_a_treatment_does_not_say_is_not_made_up(tmp_path: Path) -> None:
    bare = {
        name: said
        for name, said in begun("c-0042").items()
        if name not in {"who", "plan", "display_name", "unit"}
    }
    write(tmp_path, KERNEL, (1, "treatment", bare), ARM, EXPOSED)
    (zone,) = LEFT_OVER.zones
    assert cut_off(tmp_path) == (
        replace(
            LEFT_OVER, display_name="refresh", by="", role="", unit=0,
            zones=(replace(zone, display="nose", cap_um=None),),
        ),
    )  # fmt: skip


def test_a_mark_of_an_older_build_charges_nothing_that_it_does_not_say(tmp_path: Path) -> None:
    write(tmp_path, *LEFT, (1, "interrupted", {"zones": [{"zone": "nose", **CHARGED}]}))
    assert cut_off(tmp_path) == (replace(LEFT_OVER, zones=(), unseen_s=0.0, marked=True),)


def test_a_zone_that_was_charged_and_never_planned_has_no_known_charge(tmp_path: Path) -> None:
    zones = [{"zone": "lip", **CHARGED}]
    charge = {"charged": ["lip", "ear"], "unseen_s": 2.0, "zones": zones}
    write(tmp_path, *LEFT, (1, "interrupted", charge))
    (left,) = cut_off(tmp_path)
    assert left.zones == (
        CutZone("lip", "lip", CHARGED["bound_um"], 0.0, None),
        CutZone("ear", "ear", 0.0, 0.0, None),
    )


def test_rows_that_cannot_be_believed_are_the_trouble_and_the_rest_is_told(tmp_path: Path) -> None:
    write(tmp_path, *LEFT, MARKED)
    damage.no_json(journal_path(tmp_path), BROKEN_AT + 1)
    assert cut_off(tmp_path) == (
        CutOff(
            treatment=1, client="c-0042", program="refresh", display_name="refresh",
            simulated=False, unit=4711, by="", role="", begun_wall_s=WALL_S + 101.0,
            last_wall_s=WALL_S + 101.0, zones=(), unseen_s=0.0, marked=False, resumable=False,
            trouble=(
                f"Row 5 of the record {journal_path(tmp_path)} cannot be believed (its content is "
                f"not what was written): {words.RESTORE}, or let a technician decide on it with "
                "`corneum records accept row 5 --reason TEXT`."
            ),
        ),
    )  # fmt: skip


def test_a_mark_that_was_decided_to_be_left_out_is_rows_that_cannot_be_believed(
    tmp_path: Path,
) -> None:
    write(tmp_path, *LEFT, MARKED)
    damage.no_json(journal_path(tmp_path), BROKEN_AT + 1)
    accept_here({"subject": "row", "number": BROKEN_AT + 1, "reason": "read"}, TOM, tmp_path)
    (left,) = cut_off(tmp_path)
    assert left.trouble == "Rows of treatment 1 cannot be believed."


def test_a_record_that_cannot_be_read_is_told_and_nothing_was_changed(tmp_path: Path) -> None:
    path = journal_path(tmp_path)
    path.write_bytes(b"no database" * 100)
    for look in (lambda: cut_off(tmp_path), lambda: past(tmp_path, None, 5)):
        code, sentence, step = refused(look)
        assert (code, step) == ("record", "Nothing was changed.")
        assert sentence == (
            f"The record {path} is damaged, or is no record (file is not a database): leave it "
            f"where it is; {words.RESTORE}."
        )


def test_a_record_that_is_gone_is_not_one_without_treatments(tmp_path: Path) -> None:
    write(tmp_path, *LEFT)
    journal_path(tmp_path).unlink()
    code, sentence, _ = refused(lambda: cut_off(tmp_path))
    assert (code, sentence) == (
        "record", f"The record {journal_path(tmp_path)} is gone: {words.RESTORE}.",
    )  # fmt: skip


# -- the list --------------------------------------------------------------------------------------
ENDED: Final = (
    1,
    "ended",
    {"outcome": "completed", "zones": [{"zone": "nose", **HAD}, {"zone": "chin", **NOTHING}]},
)
TOLD: Final = Past(
    treatment=1, outcome="completed", client="c-0042", program="refresh", simulated=False,
    unit=4711, by="anna", begun_wall_s=WALL_S + 101.0, ended_wall_s=WALL_S + 104.0,
    zones=(PastZone("nose", HAD["contact_s"], HAD["nominal_um"], HAD["bound_um"]),),
)  # fmt: skip


def test_a_treatment_that_ended_is_told_in_full(tmp_path: Path) -> None:
    write(tmp_path, *LEFT, ENDED)
    assert past(tmp_path, None, 5) == (TOLD,)


def test_what_an_earlier_treatment_gave_is_not_told_again_of_the_one_that_went_on(
    tmp_path: Path,
) -> None:
    before = {name: figure / 4 for name, figure in HAD.items()}
    went_on = begun("c-0042") | {"zones": [["nose", before], ["chin", NOTHING]]}
    write(tmp_path, KERNEL, (1, "treatment", went_on), ARM, EXPOSED, ENDED)
    own = [HAD[name] * 0.75 for name in ("contact_s", "nominal_um", "bound_um")]
    assert past(tmp_path, None, 5) == (replace(TOLD, zones=(PastZone("nose", *own),)),)


@pytest.mark.parametrize(
    ("rows", "outcome", "had_um"),
    [
        ((), "cut off", HAD["bound_um"]),
        ((MARKED,), "cut off", CHARGED["bound_um"]),
        ((MARKED, (1, "dismissed", {})), "cut off, dismissed", CHARGED["bound_um"]),
        (((1, "dismissed", {}),), "cut off, dismissed", HAD["bound_um"]),
    ],
)
def test_a_treatment_that_nobody_ended_has_no_end(
    tmp_path: Path, rows: tuple[tuple[int, str, dict[str, Any]], ...], outcome: str, had_um: float
) -> None:
    write(tmp_path, *LEFT, *rows)
    (told,) = past(tmp_path, None, 5)
    assert (told.outcome, told.ended_wall_s, told.zones[0].bound_um) == (outcome, None, had_um)


def test_a_treatment_whose_kernel_lives_is_under_way(tmp_path: Path) -> None:
    write(tmp_path, *LEFT)
    lock = Lock(run_dir(tmp_path) / LOCK)
    lock.take()
    assert past(tmp_path, None, 5) == (replace(TOLD, outcome="under way", ended_wall_s=None),)
    lock.release()


@pytest.mark.parametrize("who", [{}, {"who": None}, {"who": {"name": ""}}, {"who": {"role": "x"}}])
def test_who_began_and_how_it_ended_is_left_open_where_no_row_says_it(
    tmp_path: Path, who: dict[str, Any]
) -> None:
    bare = {name: said for name, said in begun("c-0042").items() if name not in {"who", "unit"}}
    zones = [{"zone": "nose", **HAD}]
    write(
        tmp_path, KERNEL, (1, "treatment", bare | who), ARM, EXPOSED, (1, "ended", {"zones": zones})
    )
    assert past(tmp_path, None, 5) == (replace(TOLD, by=None, unit=0, outcome="ended"),)


def test_a_treatment_with_a_broken_row_is_told_by_its_number_alone(tmp_path: Path) -> None:
    write(tmp_path, *LEFT, ENDED)
    damage.no_json(journal_path(tmp_path), 2)
    nothing = Past(1, "its rows cannot be believed")
    assert past(tmp_path, None, 5) == (nothing,)
    assert nothing == Past(1, history.BROKEN, None, None, None, None, None, None, None, ())
    accept_here({"subject": "row", "number": 2, "reason": "read"}, TOM, tmp_path)
    assert past(tmp_path, None, 5) == (nothing,)


def test_pages_go_back_from_a_number_for_one_client_or_for_all(tmp_path: Path) -> None:
    clients = ("c-1", "c-2", "c-1", "c-2", "c-1")
    write(tmp_path, KERNEL, *(
        (number, "treatment", begun(client)) for number, client in enumerate(clients, start=1)
    ))  # fmt: skip

    def numbers(*asked: Any) -> list[int]:  # noqa: ANN401 - as they are passed on
        return [each.treatment for each in past(tmp_path, *asked)]

    assert numbers(None, 9) == [5, 4, 3, 2, 1]
    assert numbers(None, 2) == [5, 4]
    assert numbers(None, 2, 4) == [3, 2]
    assert numbers("c-1", 9) == [5, 3, 1]
    assert numbers("c-1", 9, 5) == [3, 1]
    assert numbers("c-3", 9) == []


def test_a_list_that_cannot_be_asked_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *LEFT)

    def ask(_store: Store, _question: str, _parameters: object = ()) -> list[tuple[Any, ...]]:
        raise RecordError("It is busy.") from sqlite3.OperationalError("busy")

    monkeypatch.setattr(Store, "ask", ask)
    said = ("record", "It is busy.", "Nothing was changed.")
    assert refused(lambda: past(tmp_path, None, 5)) == said
    assert refused(lambda: cut_off(tmp_path)) == said
