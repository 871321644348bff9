"""The key of this computer: made once, for its owner alone, and renewed without losing its past."""

from pathlib import Path

import pytest

from controller.archive.own_key import KeyFileError, known_keys, own_key, renewed_key
from controller.archive.signed_note import opened


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "corneum"
    key = own_key(folder)
    assert own_key(folder).text == key.text
    assert (folder / "record-key").stat().st_mode & 0o777 == 0o600
    assert known_keys(folder) == (key.public,)


def test_what_an_older_key_signed_is_believed_after_its_renewal(tmp_path: Path) -> None:
    old = own_key(tmp_path)
    note = old.signed("a\n")
    new = renewed_key(tmp_path)
    assert own_key(tmp_path).text == new.text != old.text
    assert opened(note, known_keys(tmp_path)) == ("a\n", old.public)


def test_a_lost_key_is_made_anew_and_its_notes_are_still_believed(tmp_path: Path) -> None:
    note = own_key(tmp_path).signed("a\n")
    (tmp_path / "record-key").unlink()
    own_key(tmp_path)
    assert opened(note, known_keys(tmp_path))[0] == "a\n"


def test_a_damaged_key_is_not_replaced_behind_its_owner(tmp_path: Path) -> None:
    own_key(tmp_path)
    (tmp_path / "record-key").write_text("PRIVATE+KEY+")
    with pytest.raises(KeyFileError) as told:
        own_key(tmp_path)
    assert told.value.sentence == (
        f"The key {tmp_path}/record-key cannot be used (it is no private key of a signed note): "
        "put it back from a backup, or move it away, and the next note makes a new one; what the "
        "old one signed stays checked."
    )
    assert (tmp_path / "record-key").read_text() == "PRIVATE+KEY+"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="No key for notes about the record can be written in"):
        own_key(tmp_path / "file" / "corneum")


def test_lines_that_are_no_keys_are_passed_over(tmp_path: Path) -> None:
    key = own_key(tmp_path)
    with (tmp_path / "record-keys.txt").open("a") as file:
        file.write("# moved from the other computer\nnonsense+1+2\n")
    assert known_keys(tmp_path) == (key.public,)
    (tmp_path / "record-keys.txt").write_bytes(b"\xff")
    assert known_keys(tmp_path) == ()
