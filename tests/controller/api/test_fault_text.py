"""What stands in the file of a fault, line for line, and what is told of it."""

import os
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from controller.api import fault_files
from controller.api.fault_files import (
    ERRORS_MAX,
    FILE_MAX_CHARS,
    FILES_MAX,
    FOLDER,
    FRAMES_MAX,
    TEXT_MAX_CHARS,
    Files,
    fault_sentence,
    kind_of,
    place_of,
    support_step,
)
from controller.api.software import running_software

HERE: Final = "controller/api/test_fault_text.py"


def raised(error: Exception, source: str = "made-up.py", line: int = 3) -> Exception:
    """Return ``error`` as it arose in a line of a source."""
    code = compile("\n" * (line - 1) + "raise error", source, "exec")
    try:
        exec(code, {"error": error})  # noqa: S102 - one line of this test
    except Exception as met:  # noqa: BLE001 - handed back as it is
        return met
    raise AssertionError


def left(folder: Path, error: BaseException, *private: str) -> list[str]:
    """Return the lines of the file that a fault leaves."""
    path = Files("kernel", folder).leave(error, "the request ack", private)
    assert path is not None
    return path.read_text(encoding="utf-8").splitlines()


def told(folder: Path, error: BaseException, *private: str) -> list[str]:
    """Return the lines of errors, without their frames."""
    return [line for line in left(folder, error, *private)[4:] if line and line[0] != " "]


def test_the_file_says_when_what_and_which_versions_and_then_each_error_with_its_frames(
    tmp_path: Path,
) -> None:
    error = raised(ValueError("no 7 for 'anna'"), "/srv/far/away/a/b/c.py", 12)
    error.__cause__ = raised(KeyError("x"), "d.py", 2)
    before = datetime.now(UTC).replace(microsecond=0)
    head, *lines = left(tmp_path, error)
    written = datetime.fromisoformat(head.removeprefix("written: "))
    assert before <= written <= datetime.now(UTC)
    system = os.uname()
    python = running_software().python
    corneum = running_software().corneum
    raised_at = next(line for line in lines if HERE in line)
    assert re.fullmatch(rf"  {HERE}:\d+ in raised", raised_at)
    assert lines == [
        "A fault of Corneum's own, for support. No client and no setting is named in here.",
        "program: kernel, the request ack",
        f"versions: corneum {corneum}, Python {python}, {system.sysname} {system.release}",
        "",
        "ValueError: no ... for ...",
        raised_at,
        "  a/b/c.py:12 in <module>",
        "",
        "because of KeyError: ...",
        raised_at,
        "  d.py:2 in <module>",
    ]


def test_causes_contexts_and_members_are_told_each_once_and_how_they_belong(
    tmp_path: Path,
) -> None:
    inner, context, hidden = OSError("inner"), TypeError("context"), TypeError("hidden")
    inner.__context__ = context
    caused = ValueError("caused")
    caused.__cause__, caused.__context__ = inner, hidden
    context.__cause__ = caused  # round in a circle
    group = ExceptionGroup("several", [caused, KeyError("second")])
    assert told(tmp_path, group) == [
        "ExceptionGroup: several (... sub-exceptions)",
        "member: ValueError: caused",
        "member: KeyError: ...",
        "because of OSError: inner",
        "while handling TypeError: context",
    ]


def test_a_context_that_was_suppressed_is_left_out(tmp_path: Path) -> None:
    error = ValueError("x")
    error.__context__, error.__suppress_context__ = KeyError("y"), True
    assert told(tmp_path, error) == ["ValueError: x"]


def test_so_many_errors_are_told_and_no_more(tmp_path: Path) -> None:
    group = ExceptionGroup("all", [ValueError("x") for _ in range(ERRORS_MAX + 3)])
    assert told(tmp_path, group) == [
        "ExceptionGroup: all (... sub-exceptions)",
        *["member: ValueError: x"] * (ERRORS_MAX - 1),
    ]


def _deep(more: int) -> None:
    if more == 0:
        raise ValueError
    _deep(more - 1)


@pytest.mark.parametrize("more", [FRAMES_MAX - 2, FRAMES_MAX - 1, FRAMES_MAX + 5])
def test_of_many_frames_the_last_are_told_and_the_others_counted(tmp_path: Path, more: int) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - made here
        _deep(more)
    frames = [line for line in left(tmp_path, caught.value) if line.startswith("  ")]
    of_deep = re.compile(rf"  {HERE}:\d+ in _deep")
    there = more + 2 - FRAMES_MAX  # one more frame is that of this test
    assert all(of_deep.fullmatch(line) for line in frames[-FRAMES_MAX + 1 :])
    if there > 0:
        assert frames[0] == f"  {there} frames before"
        assert len(frames) == FRAMES_MAX + 1
    else:
        assert len(frames) == FRAMES_MAX


@pytest.mark.parametrize(
    ("text", "private", "kept"),
    [
        ("anna and ann", ("ann", "anna"), "... and ..."),
        ("an ann", ("an", "ann"), "an ..."),
        ("bob", ("bob",), "..."),
        ("a 'b c' \"d\" `e f` 12 g", (), "a ... ... ... ... g"),
        ("it's 'a\nb' x", (), "it...a b' x"),
        ("a\n\n  b\tc", (), "a b c"),
        ("x" * 301, (), "x" * 300),
    ],
)
def test_what_may_be_a_clients_is_left_out_of_the_text(
    tmp_path: Path, text: str, private: tuple[str, ...], kept: str
) -> None:
    assert TEXT_MAX_CHARS == 300
    assert told(tmp_path, ValueError(text), *private) == [f"ValueError: {kept}"]


def test_a_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    assert told(tmp_path, ValueError("a\ud800b")) == ["ValueError: a?b"]


def test_a_file_is_cut_at_its_bound(tmp_path: Path) -> None:
    path = Files("k" * FILE_MAX_CHARS, tmp_path).leave(ValueError("x"), "x")
    assert path is not None
    assert len(path.read_text()) == FILE_MAX_CHARS


# -- where it lies ---------------------------------------------------------------------------------
def test_a_file_is_named_by_its_time_and_process_and_read_by_its_owner_alone(
    tmp_path: Path,
) -> None:
    path = Files("kernel", tmp_path).leave(ValueError("x"), "x")
    assert path is not None
    assert path.parent == tmp_path / FOLDER
    assert re.fullmatch(rf"fault-\d{{8}}T\d{{12}}-{os.getpid()}\.txt", path.name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_only_files_of_faults_are_counted_and_the_newest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(mode=0o700)
    (folder / "notes.txt").touch()
    older = [folder / f"fault-2000010{number}T000000000000-1.txt" for number in range(1, 10)]
    older += [folder / f"fault-200001{number}T000000000000-1.txt" for number in range(10, 20)]
    for path in older:
        path.touch()
    assert len(older) == FILES_MAX - 1
    files = Files("kernel", tmp_path)
    first = files.leave(raised(ValueError("x"), "a.py"), "x")
    assert set(folder.iterdir()) == {*older, first, folder / "notes.txt"}
    second = files.leave(raised(ValueError("x"), "b.py"), "x")
    assert set(folder.iterdir()) == {*older[1:], first, second, folder / "notes.txt"}


def test_one_process_leaves_so_many_files_and_no_more(tmp_path: Path) -> None:
    files = Files("kernel", tmp_path)
    made = [files.leave(raised(ValueError("x"), f"{n}.py"), "x") for n in range(FILES_MAX + 2)]
    assert None not in made[:FILES_MAX]
    assert made[FILES_MAX:] == [None, None]
    assert files.leave(raised(ValueError("x"), "0.py"), "x") == made[0]


def test_a_fault_whose_file_could_not_be_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files("kernel", tmp_path)
    monkeypatch.setattr(fault_files, "_folders", lambda _named: ())
    assert files.leave(raised(ValueError("x")), "x") is None
    monkeypatch.undo()
    assert files.leave(raised(ValueError("x")), "x") is not None


def test_another_kind_of_error_at_the_same_place_is_another_fault(tmp_path: Path) -> None:
    files = Files("kernel", tmp_path)
    one, other = (files.leave(raised(error("x")), "x") for error in (ValueError, KeyError))
    assert one != other


@pytest.mark.parametrize(
    "taken_by",
    [lambda path: path.symlink_to("/"), lambda path: path.touch()],
    ids=["a link", "a file"],
)
def test_a_place_that_is_taken_is_left_for_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken_by: Callable[[Path], None]
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    taken_by(tmp_path / FOLDER)
    path = Files("kernel", tmp_path).leave(ValueError("x"), "x")
    assert path is not None
    assert path.parent == tmp_path / "tmp" / f"corneum-faults-{os.getuid()}"


def test_a_folder_of_another_account_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with pytest.raises(PermissionError) as caught:
        fault_files._made(tmp_path / "x")
    assert str(caught.value) == (f"[Errno 1] it belongs to somebody else: '{tmp_path / 'x'}'")


# -- what is told ----------------------------------------------------------------------------------
def test_a_fault_is_told_by_its_kind_and_place_and_of_a_group_by_its_first() -> None:
    error = raised(ValueError("anna"), "/srv/x/a/b/c.py", 12)
    group = ExceptionGroup("g", [ExceptionGroup("h", [error]), KeyError("x")])
    for one in (error, group):
        assert (kind_of(one), place_of(one)) == ("ValueError", "a/b/c.py:12")
        assert fault_sentence(one, "corneum") == (
            "This is a fault of corneum itself and no mistake of yours: ValueError at a/b/c.py:12."
        )


def test_a_fault_that_arose_nowhere_is_told_by_its_kind() -> None:
    assert place_of(KeyError("x")) == ""
    assert fault_sentence(KeyError("x"), "the kernel") == (
        "This is a fault of the kernel itself and no mistake of yours: KeyError."
    )


def test_a_fault_goes_to_support_by_its_file_or_by_its_sentence() -> None:
    assert support_step(Path("/s/f.txt")) == "Give the file /s/f.txt to support."
    assert support_step(None) == (
        "Give this sentence to support: no file about it could be written."
    )
