"""The file of a fault: where it lies, how many there are, and what never stands in it."""

import os
import tempfile
from pathlib import Path

import pytest

from controller.api.fault_files import FILES_MAX, FOLDER, Files, fault_sentence, support_step


def _raised(text: str = "x") -> KeyError:
    try:
        raise KeyError(text)
    except KeyError as error:
        return error


def _at(number: int) -> Exception:
    """Return an error that arose at a place of its own."""
    source = "\n" * number + "raise ValueError"
    try:
        exec(compile(source, "made-up.py", "exec"))  # noqa: S102 - one line of this test
    except ValueError as error:
        return error
    raise AssertionError


def test_it_has_frames_and_kinds_and_no_words_of_a_client(tmp_path: Path) -> None:
    error = RuntimeError("client anna-b was 'Anna B' at 5551234")
    error.__cause__ = _raised("Anna B")
    path = Files("kernel", tmp_path).leave(error, "the request treat", ("anna-b", "se"))
    assert path is not None
    text = path.read_text()
    assert path.parent == tmp_path / FOLDER
    assert "RuntimeError: client ... was ... at ..." in text
    assert "because of KeyError: ..." in text
    assert "test_fault_files.py" in text
    assert str(Path(__file__).parents[2]) not in text
    assert text.count("\n") < 40


def test_an_error_that_cannot_even_be_put_into_words_leaves_its_file(tmp_path: Path) -> None:
    class SpeechlessError(Exception):
        def __str__(self) -> str:
            raise ValueError("anna-b")

    path = Files("kernel", tmp_path).leave(SpeechlessError(), "x")
    assert path is not None
    assert "SpeechlessError: it cannot say what it is about" in path.read_text()


def test_the_number_of_files_is_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    made = [Files("kernel", tmp_path).leave(_at(number), "x") for number in range(FILES_MAX + 5)]
    left = sorted((tmp_path / FOLDER).iterdir())
    assert left == made[5:]


def test_one_place_of_the_sources_leaves_one_file_however_often(tmp_path: Path) -> None:
    files = Files("kernel", tmp_path)
    assert len({files.leave(_raised(), "x") for _ in range(50)}) == 1


def test_without_a_state_folder_it_lies_in_a_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = tmp_path / "state"
    taken.touch()
    for state in (tmp_path / "none", taken):
        path = Files("corneum", state).leave(_raised(), "x")
        assert path is not None
        assert path.parent == tmp_path / f"corneum-{FOLDER}-{os.getuid()}"
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "none").exists()


def test_a_folder_that_somebody_else_put_there_is_not_written_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"corneum-{FOLDER}-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    assert Files("corneum", tmp_path / "none").leave(_raised(), "x") is None
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert "no file about it could be written" in support_step(None)


def test_the_sentence_names_kind_and_place_and_takes_the_blame() -> None:
    said = fault_sentence(_raised("Anna B"), "corneum")
    assert said.startswith("This is a fault of corneum itself and no mistake of yours: KeyError at")
    assert "test_fault_files.py:" in said
    assert "Anna" not in said
