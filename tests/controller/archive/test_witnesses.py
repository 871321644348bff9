"""The end of a record: what the owner of its file can do to it, and which witness sees that."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.archive import notary
from controller.archive.own_key import own_key
from controller.archive.proof import Proof, prove
from controller.archive.signed_note import SigningKey
from controller.archive.witnesses import Said
from controller.config.errors import ConfigError
from controller.config.paths import journal_path
from controller.config.witnesses import add_witness_folder
from controller.record.chain import Chained, Stamped
from controller.record.store import Store
from controller.record.verify import verify
from tests.controller.record import damage, years
from tests.controller.record.years import Years

NOW_S = 1_796_000_000.0
ROWS = 28

Harm = Callable[[Path], None]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    years.write(journal_path(state), Years(treatments=4, clients=2)).close()
    return state


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def disk(tmp_path: Path, own: Path) -> Path:
    folder = tmp_path / "other disk"
    folder.mkdir()
    add_witness_folder(own, folder)
    return folder


def note(state: Path, own: Path) -> notary.Noted:
    return notary.note(state, own, NOW_S)


def said(found: Proof) -> list[Said]:
    return [one.said for one in found.opinions]


# -- harm that leaves a chain whole ----------------------------------------------------------------
def _hide(state: Path) -> None:
    """Remove what lies beside the file and would tell."""
    for each in state.glob("head-*.json"):
        each.unlink()


def cut(state: Path) -> None:
    """Delete the newest rows, and set the head."""
    with damage.editor(journal_path(state)) as connection:
        connection.execute("DELETE FROM journal WHERE id > 20")
        connection.execute(
            "UPDATE head SET id = 20, hash = (SELECT hash FROM journal WHERE id = 20)"
        )
    _hide(state)


def hash_anew(state: Path) -> None:
    """Change one row, and hash everything behind it anew."""
    rows = _rows(state)
    rows[9] = rows[9]._replace(body='{"lower":true}')
    _written_anew(state, rows, _journal(state))


def swap(state: Path) -> None:
    """Write two rows the other way round, and hash everything anew."""
    rows = _rows(state)
    rows[9], rows[10] = rows[10], rows[9]
    _written_anew(state, rows, _journal(state))


def replace(state: Path) -> None:
    """Put another journal in its place, with a name of its own."""
    _written_anew(state, _rows(state), "")


HARMS = pytest.mark.parametrize("harm", [cut, hash_anew, swap, replace])


def _journal(state: Path) -> str:
    with sqlite3.connect(journal_path(state)) as connection:
        return str(connection.execute("SELECT journal FROM identity").fetchone()[0])


def _rows(state: Path) -> list[Stamped]:
    store = Store(journal_path(state))
    found: list[Chained] = store.rows("1")
    store.close()
    return [Stamped(r.mono_s, r.wall_s, r.treatment, r.kind, r.written) for r in found]


def _written_anew(state: Path, rows: list[Stamped], journal: str) -> None:
    for each in state.glob("journal.sqlite3*"):
        each.unlink()
    _hide(state)
    store = Store(journal_path(state))
    store.append(rows)
    if journal:
        store.connection().execute("UPDATE identity SET journal = ?", (journal,))
    store.close()
    _hide(state)


# -- what is seen ----------------------------------------------------------------------------------
def test_a_record_that_never_had_a_witness_is_unproved_and_not_wrong(
    state: Path, own: Path
) -> None:
    found = prove(state, own)
    assert (found.ok, found.newest) == (True, None)
    assert found.sentence == (
        "Its end is unproved: no witness has ever been told of it; `corneum records witness` tells "
        "them."
    )


def test_a_note_of_the_own_folder_proves_the_end_weakly(state: Path, own: Path) -> None:
    place = own / "notes" / f"{_journal(state)}.note"
    assert note(state, own).places == (str(place),)
    found = prove(state, own)
    assert (found.ok, said(found)) == (True, [Said.AGREES])
    assert found.sentence == (
        f"Row {ROWS} of {ROWS} is witnessed by {place}, a weak witness, since the owner of the "
        "record writes it, too."
    )


@HARMS
@pytest.mark.hazard("H25")
def test_what_the_chain_cannot_see_a_witness_sees(state: Path, own: Path, harm: Harm) -> None:
    note(state, own)
    harm(state)
    assert verify(journal_path(state)).ok  # the chain itself is whole
    found = prove(state, own)
    assert not found.ok
    assert said(found)[0] is Said.DIFFERS or said(found)[-1] is Said.DIFFERS
    assert found.sentence.startswith("The witness ")


def test_each_harm_is_told_for_what_it_is(state: Path, own: Path) -> None:
    note(state, own)
    place = own / "notes" / f"{_journal(state)}.note"
    cut(state)
    at = "2026-11-30T00:53:20Z"
    assert prove(state, own).sentence == (
        f"The witness {place} has row {ROWS} as of {at}, which is gone."
    )


def test_a_row_that_became_another_is_told(state: Path, own: Path) -> None:
    note(state, own)
    hash_anew(state)
    assert prove(state, own).sentence.endswith(", which was another one.")


def test_a_replaced_record_is_told(state: Path, own: Path) -> None:
    note(state, own)
    replace(state)
    assert "lay at this place at " in prove(state, own).sentence


def test_rows_that_came_after_the_note_harm_nothing(state: Path, own: Path) -> None:
    note(state, own)
    store = Store(journal_path(state))
    store.append([Stamped(1.0, NOW_S, 0, "link", "{}")] * 3)
    store.close()
    found = prove(state, own)
    assert found.ok
    assert found.sentence.startswith(f"Row {ROWS} of {ROWS + 3} is witnessed by ")


def test_a_note_that_speaks_against_the_record_is_never_replaced(
    state: Path, own: Path, disk: Path
) -> None:
    note(state, own)
    texts = [each.read_text() for each in disk.iterdir()]
    cut(state)
    noted = note(state, own)
    assert (noted.places, len(noted.kept)) == ((), 2)
    assert [each.read_text() for each in disk.iterdir()] == texts


def test_a_folder_on_another_disk_keeps_its_own_note(state: Path, own: Path, disk: Path) -> None:
    note(state, own)
    for each in (own / "notes").iterdir():
        each.unlink()
    cut(state)
    found = prove(state, own)
    assert said(found) == [Said.NOTHING, Said.DIFFERS]


def test_a_witness_that_the_record_names_must_be_there_or_a_newer_one(
    state: Path, own: Path, disk: Path
) -> None:
    noted = note(state, own)
    store = Store(journal_path(state))
    body = {"row": noted.said.row, "hash": noted.said.hash, "places": noted.places}
    store.append([Stamped(1.0, NOW_S, 0, "noted", json.dumps(body))])
    store.close()
    note_there = next(disk.iterdir())
    assert prove(state, own).ok
    note_there.rename(note_there.with_suffix(".away"))
    assert prove(state, own).ok, "the own folder knows the same row"
    for each in (own / "notes").iterdir():
        each.unlink()
    found = prove(state, own)
    assert not found.ok
    assert {one.place for one in found.missing} == set(noted.places)
    assert "cannot be asked here, and no newer witness agrees" in found.sentence


def test_a_unit_that_keeps_a_row_is_missed_until_a_newer_note_agrees(
    state: Path, own: Path
) -> None:
    store = Store(journal_path(state))
    body = {"unit": 1001, "simulated": True, "kept": True, "why": "", "head": {"row": ROWS}}
    store.append([Stamped(1.0, NOW_S, 0, "witnessed", json.dumps(body))])
    store.close()
    found = prove(state, own)
    assert not found.ok
    assert found.sentence.startswith(f"Its end is unproved: row {ROWS} was witnessed by unit 1001,")
    note(state, own)
    assert prove(state, own).ok


def test_a_disk_that_is_not_mounted_is_told_and_the_others_are_written(
    state: Path, own: Path, disk: Path
) -> None:
    disk.rmdir()
    noted = note(state, own)
    assert [Path(place).parent for place in noted.places] == [own / "notes"]
    assert [one.why for one in noted.kept] == ["No such file or directory"]
    assert said(prove(state, own)) == [Said.AGREES, Said.UNBELIEVED]


def test_a_note_of_a_printed_report_is_heard_with_its_key(
    state: Path, own: Path, tmp_path: Path
) -> None:
    note(state, own)
    text = next((own / "notes").iterdir()).read_text()
    elsewhere = tmp_path / "nothing here"
    unknown = prove(state, elsewhere, [("report", text)])
    assert said(unknown) == [Said.NOTHING, Said.UNBELIEVED]
    known = prove(state, elsewhere, [("report", text)], [own_key(own).public])
    assert said(known) == [Said.NOTHING, Said.AGREES]
    cut(state)
    late = prove(state, elsewhere, [("report", text)], [own_key(own).public])
    assert not late.ok


def test_a_note_of_a_stranger_proves_nothing(state: Path, own: Path) -> None:
    note(state, own)
    place = next((own / "notes").iterdir())
    text = place.read_text().split("\n\n")[0] + "\n"
    place.write_text(SigningKey.made("corneum/00000000").signed(text))
    found = prove(state, own)
    assert said(found) == [Said.UNBELIEVED]
    assert found.newest is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 100_000])
def test_a_damaged_note_is_no_proof_and_no_accusation(
    state: Path, own: Path, content: bytes
) -> None:
    note(state, own)
    next((own / "notes").iterdir()).write_bytes(content)
    found = prove(state, own)
    assert (found.ok, said(found)) == (True, [Said.UNBELIEVED])


def test_a_pipe_in_the_place_of_a_note_holds_nobody_up(state: Path, own: Path) -> None:
    note(state, own)
    place = next((own / "notes").iterdir())
    place.unlink()
    os.mkfifo(place)
    assert said(prove(state, own)) == [Said.UNBELIEVED]


def test_folders_are_named_once_and_by_their_whole_path(own: Path, disk: Path) -> None:
    assert not add_witness_folder(own, disk)
    with pytest.raises(ConfigError, match="is no folder that can be seen from here"):
        add_witness_folder(own, disk / "none")
    (own / "witnesses.toml").write_text('folders = ["here"]')
    with pytest.raises(ConfigError, match=r'witnesses\.toml, line 1, folders: "here" is no whole'):
        add_witness_folder(own, disk)
    (own / "witnesses.toml").write_text('folders = ["/a", "/a"]')
    with pytest.raises(ConfigError, match='"/a" stands there twice; keep one'):
        add_witness_folder(own, disk)
