"""`corneum records report`: what it writes, and one sentence for what is in the way."""

import resource
import sys
from pathlib import Path

import pytest

from controller.archive.own_key import own_key
from controller.cli.outcome import ExitCode
from controller.config.paths import journal_path
from tests.controller.archive.played import JOURNAL
from tests.controller.cli.conftest import Corneum
from tests.controller.record import damage, years
from tests.controller.record.years import Years

ROOM_BYTES = 4096
"""Less than any report has."""


@pytest.fixture
def record(state: Path) -> Path:
    """A record as years of a clinic leave it: its rows say little, and nobody may need more."""
    years.write(journal_path(state), Years(treatments=2, clients=1)).close()
    return journal_path(state)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "corneum"


def test_both_files_are_written_and_named(corneum: Corneum, record: Path, tmp_path: Path) -> None:
    pdf, page = tmp_path / "one.pdf", tmp_path / "one.html"
    ended = corneum("records", "report", "2", "--pdf", str(pdf), "--html", str(page))
    assert (ended.code, ended.out) == (0, f"written: {pdf}\nwritten: {page}\n")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert sorted(tmp_path.iterdir()) == sorted([page, pdf, record.parent, *tmp_path.glob("table")])


def test_a_script_gets_the_facts_without_any_file(corneum: Corneum, record: Path) -> None:
    ended = corneum("records", "report", "2", "--json")
    assert record.name == JOURNAL
    facts = ended.said["facts"]
    assert (ended.code, ended.said["files"]) == (0, {})
    assert (facts["treatment"], facts["client"], facts["end"]) == (2, "c-0", "completed")
    assert facts["zones"][0]["had"]["grams"] == 1.0
    assert facts["zones"][0]["cap_share"] is None


def test_neither_unit_nor_key_is_needed_and_none_is_made(
    corneum: Corneum, record: Path, own: Path, tmp_path: Path
) -> None:
    before = sorted(record.parent.iterdir())
    assert corneum("records", "report", "1", "--html", str(tmp_path / "x.html")).code == 0
    assert not own.exists()
    assert sorted(record.parent.iterdir()) == before


def test_the_code_of_a_report_is_a_note_for_verify(
    corneum: Corneum, record: Path, own: Path, tmp_path: Path
) -> None:
    own_key(own)
    page = tmp_path / "x.html"
    corneum("records", "report", "1", "--html", str(page))
    note = tmp_path / "note.txt"
    note.write_text(page.read_text("utf-8").partition("<pre>")[2].partition("</pre>")[0])
    ended = corneum("records", "verify", "--note", str(note))
    assert (ended.code, record.exists()) == (0, True)
    assert "is witnessed by" in ended.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("1",), "A report needs a file. Name it: corneum records report 1 --pdf treatment-1.pdf"),
        (("7", "--json"), "Treatment 7 is not in the record "),
        (("1", "--pdf", "/nowhere/x.pdf"), "The folder /nowhere is not there."),
        (("1", "--html", "/"), "/ is a folder. Name a file in it."),
        (("1", "--html", "/dev/full"), "The report cannot be written into /dev/full (No space"),
        (("1", "--json", "--time-zone", "Mars/Base"), "--time-zone 'Mars/Base' is no time zone"),
        (("1", "--json", "--configs", "/nowhere"), "/nowhere"),
    ],
)
def test_what_is_in_the_way_is_one_sentence(
    corneum: Corneum, record: Path, words: tuple[str, ...], sentence: str
) -> None:
    ended = corneum("records", "report", *words)
    assert record.exists()
    assert ended.code in {ExitCode.REFUSED, ExitCode.USAGE}
    (line,) = ended.err.splitlines()
    assert sentence in line


def test_no_record_is_one_sentence(corneum: Corneum) -> None:
    ended = corneum("records", "report", "1", "--json")
    assert ended.err.startswith("There is no record ")


def test_a_beginning_that_cannot_be_believed_is_one_sentence(
    corneum: Corneum, record: Path
) -> None:
    damage.no_json(record, 1)
    ended = corneum("records", "report", "1", "--json")
    assert ended.code == ExitCode.REFUSED
    assert ended.err.startswith(f"Row 1 of the record {record} cannot be believed")


@pytest.mark.parametrize(("library", "option"), [("typst", "--pdf"), ("segno", "--html")])
def test_a_library_that_is_not_installed_is_named_with_the_way_to_get_it(
    corneum: Corneum,
    record: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    option: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    ended = corneum("records", "report", "1", option, str(tmp_path / "x"))
    assert record.exists()
    assert ended.err == (
        f"Reports need {library}, which is not installed. Install it with: "
        "pip install 'corneum[reports]'.\n"
    )
    assert not (tmp_path / "x").exists()


def test_a_disk_that_refuses_in_mid_file_leaves_the_older_report(
    corneum: Corneum, record: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "x.html").write_text("older")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
    try:
        ended = corneum("records", "report", "1", "--html", str(folder / "x.html"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert record.exists()
    assert ended.err.startswith(f"The report cannot be written into {folder / 'x.html'} (")
    assert [each.read_text() for each in folder.iterdir()] == ["older"]
