"""What people write into a file by hand, and the one sentence that says what to write instead."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from controller.config.check import check_configs, check_file
from controller.config.errors import ConfigError
from controller.config.lines import lines_of
from controller.config.locate import shipped_configs
from controller.config.meant import date_meant, number_meant, truth_meant
from controller.config.people import load_client
from controller.config.place import mistake
from controller.config.toml_words import syntax_words

NOW_WALL_S = 1_767_225_600.0  # 2026-01-01, within the calibration of the example
MACHINE_WORDS = re.compile(r"input should|at line|\bTOML\b|column|pydantic|statement|parse", re.I)


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    shutil.copy(
        folder / "handpieces" / "unit-example.toml", folder / "handpieces" / "unit-4711.toml"
    )
    return folder


def told(configs: Path, name: str, old: str, new: str) -> str:
    """Edit a file and return what its check says, without the name of the file."""
    path = configs / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    said = check_file(path, configs, NOW_WALL_S).problem
    assert said.startswith(f"{path}, line "), said
    assert said.count("\n") == 0
    assert said[-1] in ".?"
    assert not MACHINE_WORDS.search(said.removeprefix(str(path))), said
    (line,) = {n for n, each in enumerate(path.read_text().split("\n"), 1) if new and new in each}
    assert said.startswith(f"{path}, line {line}, "), said
    return said.removeprefix(f"{path}, line {line}, ")


REFRESH, DEMO, UNIT = "programs/refresh.toml", "clients/demo.toml", "handpieces/unit-4711.toml"
DUE = next(
    line
    for line in (shipped_configs() / "handpieces" / "unit-example.toml").read_text().splitlines()
    if line.startswith("calibration_due")
)


@pytest.mark.hazard("H20")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = 14,5",
         "suction_kpa = 14,5 has a decimal comma; write a point: suction_kpa = 14.5."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = 14,500",
         "suction_kpa = 14,500 has a comma; write suction_kpa = 14500, or suction_kpa = 14.500 "
         "with a decimal point."),
        (REFRESH, "suction_kpa = 28.0", 'suction_kpa = "14,5"',
         'in [[stages]], suction_kpa = "14,5" is text with a decimal comma; write suction_kpa = '
         "14.5; it must be 10 to 50 kPa."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = 28 kPa",
         "suction_kpa = 28 kPa has a unit behind it; write suction_kpa = 28, which is in kPa "
         "already."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = 28 mmHg",
         "suction_kpa = 28 mmHg has mmHg behind it; write the number alone, in kPa."),
        (REFRESH, "passes = 1", "passes = 02", "passes = 02 begins with 0; write passes = 2."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = .5",
         "suction_kpa = .5 has a point without a digit on both sides; write suction_kpa = 0.5."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa = 28.",
         "suction_kpa = 28. has a point without a digit on both sides; write suction_kpa = 28.0."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa =",
         "suction_kpa = has no value; write one behind suction_kpa =."),
        (REFRESH, "suction_kpa = 28.0", "suction_kpa: 28.0",
         "suction_kpa: 28.0 has a colon; write suction_kpa = 28.0."),
        (REFRESH, "suction_kpa = 28.0", "suction kpa = 28.0",
         "suction kpa = 28.0 has a space in its name; names are written as suction_kpa."),
        (REFRESH, 'name = "refresh"', "name = refresh",
         'name = refresh is text without quotes; write name = "refresh".'),
        (REFRESH, 'name = "refresh"', "name = “refresh”",
         'name = “refresh” has quotes of a printed page; write name = "refresh".'),
        (REFRESH, 'name = "refresh"', 'name = "refresh',
         'name = "refresh is text that is not closed; write name = "refresh".'),
        (REFRESH, "passes = 1", "// two passes",
         "// two passes cannot be read; a remark begins with #."),
        (REFRESH, "passes = 1", "two passes",
         "two passes is no field; write NAME = VALUE, or # before a remark."),
        (REFRESH, "passes = 1", "\u00a0passes = 1",
         "has a character that cannot be seen (U+00A0); remove it."),
        (REFRESH, "[[stages]]", "[[stages]",
         "[[stages] is no whole header of a table; write [[stages]]."),
        (DEMO, "practice = true", "practice = yes",
         "practice = yes is no word of this file; write practice = true."),
        (DEMO, "practice = true", "practice = True",
         "practice = True is no word of this file; write practice = true."),
        (DEMO, "practice = true", "practice = nein",
         "practice = nein is no word of this file; write practice = false."),
        (DEMO, "pregnancy = false", 'pregnancy = "no"',
         'checklist.pregnancy = "no" is text; write pregnancy = false, without quotes.'),
        (DEMO, "pregnancy = false", 'pregnancy = "maybe"',
         'checklist.pregnancy = "maybe" is neither yes nor no; write pregnancy = true or '
         "pregnancy = false."),
        (DEMO, "exclusions = []", 'exclusions = "nose"',
         'exclusions = "nose" is text; write a list: exclusions = ["nose"].'),
        (DEMO, "exclusions = []", "exclusions = [nose]",
         'exclusions = [nose] has text without quotes; write exclusions = ["nose"].'),
        (DEMO, "exclusions = []", "exclusions = nose, chin",
         'exclusions = nose, chin is text without quotes; write exclusions = ["nose", "chin"].'),
        (DEMO, "exclusions = []", 'exclusions = "nose", "chin"',
         'exclusions = "nose", "chin" is a list without brackets; write exclusions = ["nose", '
         '"chin"].'),
        (DEMO, "phototype = 2", 'phototype = "2"',
         'phototype = "2" is text; write the number without quotes; it must be 1 to 6.'),
        (DEMO, 'ref = "demo"', "ref = 7", 'ref = 7 is no text; write it in quotes: ref = "7".'),
        (UNIT, DUE, "calibration_due = 1.3.2027",
         "calibration_due = 1.3.2027 is a date in another form; write calibration_due = "
         "2027-03-01."),
        (UNIT, DUE, 'calibration_due = "01.03.2027"',
         'calibration_due = "01.03.2027" is text; write the date without quotes: '
         "calibration_due = 2027-03-01."),
        (UNIT, DUE, 'calibration_due = "2027-03-01"',
         'calibration_due = "2027-03-01" is text; write the date without quotes: '
         "calibration_due = 2027-03-01."),
        (UNIT, DUE, 'calibration_due = "soon"',
         'calibration_due = "soon" is no date; write year-month-day without quotes, such as '
         "calibration_due = 2027-03-01."),
        (UNIT, DUE, "calibration_due = 2027-3-1",
         "calibration_due = 2027-3-1 is a date in another form; write calibration_due = "
         "2027-03-01."),
        (UNIT, DUE, "calibration_due = 3/1/2027",
         "calibration_due = 3/1/2027 is no date that can mean one day alone; write "
         "year-month-day: calibration_due = 2027-03-01."),
        (UNIT, DUE, "calibration_due = 2027-02-30",
         "calibration_due = 2027-02-30 is no day of the calendar; write one such as "
         "calibration_due = 2027-03-01."),
        (UNIT, DUE, "calibration_due = 2027-03-01T10:00:00Z",
         "calibration_due = 2027-03-01 10:00:00+00:00 has a time; write the date alone: "
         "calibration_due = 2027-03-01."),
        (UNIT, DUE, "calibration_due = 2027",
         "calibration_due = 2027 is no date; write year-month-day without quotes, such as "
         "calibration_due = 2027-03-01."),
        (UNIT, "simulated = false", 'simulated = "false"',
         'simulated = "false" is text; write simulated = false, without quotes.'),
        (UNIT, "[tip]", "[[tip]]",
         "tip = a list is a list of tables; write its header with one bracket: [tip]."),
        (REFRESH, "[[stages]]", "[stages]",
         "stages = a table is one table; write its header with two brackets: [[stages]]."),
    ],
)  # fmt: skip
def test_what_is_written_by_hand_is_answered_with_what_to_write(
    configs: Path, name: str, old: str, new: str, said: str
) -> None:
    assert told(configs, name, old, new) == said


@pytest.mark.hazard("H20")
def test_a_field_that_stands_twice_is_told_with_both_lines(configs: Path) -> None:
    path = configs / REFRESH
    text = path.read_text()
    first = text.split("\n").index("passes = 1") + 1
    path.write_text(text.replace("passes = 1", "passes = 1\npasses = 3", 1))
    assert check_file(path, configs, NOW_WALL_S).problem == (
        f"{path}, line {first + 1}, passes stands there twice, first in line {first}; keep one."
    )
    path = configs / UNIT
    text = path.read_text()
    first = text.split("\n").index("[tip]") + 1
    path.write_text(text + "\n[tip]\n")
    last = text.count("\n") + 2
    assert check_file(path, configs, NOW_WALL_S).problem == (
        f"{path}, line {last}, the table [tip] stands there twice, first in line {first}; keep "
        "one, or write [[tip]] where there may be several."
    )


@pytest.mark.hazard("H20")
def test_a_line_that_was_added_at_the_end_is_told_where_it_belongs(configs: Path) -> None:
    path = configs / REFRESH
    text = path.read_text().rstrip("\n") + "\n"
    sources = len(tomllib.loads(text)["sources"])
    path.write_text(text + "suction_kpa = 14.0\n")
    line = text.count("\n") + 1
    assert sources > 1
    assert check_file(path, configs, NOW_WALL_S).problem == (
        f"{path}, line {line}, in the {ordinal(sources)} [[sources]], suction_kpa = 14.0: that "
        "table has no such field; move the line to [[stages]], or remove it."
    )
    path = configs / UNIT
    text = path.read_text().rstrip("\n") + "\n"
    path.write_text(text.replace("serial = 4711\n", "") + "serial = 4711\n")
    assert check_file(path, configs, NOW_WALL_S).problem.endswith(
        "tip.serial = 4711: that table has no such field; move the line to the top of the file, "
        "above the first [table], or remove it."
    )


def ordinal(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


@pytest.mark.hazard("H20")
def test_a_list_that_is_not_closed_is_told_where_it_begins(configs: Path) -> None:
    path = configs / DEMO
    text = path.read_text()
    begin = next(n for n, each in enumerate(text.split("\n"), 1) if each.startswith("zones = ["))
    broken = re.sub(r"(?ms)^(zones = \[.*?)\]", r"\1", text, count=1)
    path.write_text(broken)
    said = check_file(path, configs, NOW_WALL_S).problem
    assert said.startswith(f"{path}, line {begin}, zones = [")
    assert said.endswith("is a list that is not closed; write ] behind its end.")


@pytest.mark.hazard("H20")
def test_a_missing_field_is_told_in_the_line_of_its_table(configs: Path) -> None:
    path = configs / REFRESH
    text = path.read_text().replace("passes = 1\n", "", 1)
    path.write_text(text)
    line = text.split("\n").index("[[stages]]") + 1
    assert check_file(path, configs, NOW_WALL_S).problem == (
        f"{path}, line {line}, in [[stages]], passes is missing; add it (1 to 3)."
    )


@pytest.mark.parametrize("name", [REFRESH, DEMO, UNIT, "skin/sites.toml"])
def test_a_byte_order_mark_changes_nothing(configs: Path, name: str) -> None:
    path = configs / name
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert check_file(path, configs, NOW_WALL_S).problem == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('ref = "x"'.encode("utf-16"), " is saved as UTF-16; save it as UTF-8."),
        (b'# a\n# b\nlabel = "\xb5"\n',
         ", line 3, is not UTF-8 text (byte 17); save it as UTF-8."),
    ],
)  # fmt: skip
def test_another_encoding_is_told(configs: Path, data: bytes, said: str) -> None:
    path = configs / DEMO
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_client(configs, "demo")
    assert str(caught.value) == f"{path}{said}"


def test_every_line_of_every_shipped_file_that_is_damaged_is_told_by_its_number(
    tmp_path: Path,
) -> None:
    """One decimal comma at a time: the parser's own place is nowhere lost."""
    for file in sorted((shipped_configs() / "handpieces").glob("*.toml")):
        lines = file.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if re.fullmatch(r"\w+ = \d+\.\d+.*", line):
                damaged = [*lines]
                damaged[number - 1] = line.replace(".", ",", 1)
                path = tmp_path / file.name
                path.write_text("\n".join(damaged), encoding="utf-8")
                said = check_file(path, shipped_configs(), NOW_WALL_S).problem
                assert said.startswith(f"{path}, line {number}, {line.split()[0]} = "), said


def test_a_file_that_has_changed_since_it_was_read_has_no_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone.toml"
    assert str(mistake(gone, ("tip", "use"), " = 3 is odd.")) == f"{gone}, tip.use = 3 is odd."


def test_a_line_number_is_that_of_the_key_whatever_stands_before(tmp_path: Path) -> None:
    text = 'a = """\n[b]\nc = 1\n"""\n[[b]]\nc = [\n  1, # d = 2\n  2,\n]\n[[b]]\n"c" = 3\n'
    lines = lines_of(text)
    assert {place: lines[place] for place in [("a",), ("b", 0, "c"), ("b", 1, "c")]} == {
        ("a",): 1, ("b", 0, "c"): 6, ("b", 1, "c"): 11,
    }  # fmt: skip


def test_an_unreadable_folder_is_not_an_empty_one(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("controller.config.toml_file.os.scandir", denied)
    found = {each.file.name: each.problem for each in check_configs(configs, NOW_WALL_S)}
    assert "cannot be read (Permission denied)" in found["clients"]


@pytest.mark.parametrize(
    ("text", "number", "truth", "date"),
    [
        ("1,5", "1.5", "", ""), ("-2", "-2", "", ""), ("1.2.3", "", "", ""),
        ("NO", "", "false", ""),
        ("Ja ", "", "true", ""), ("31.12.26", "", "", "2026-12-31"), ("30.2.2027", "", "", ""),
        ("2027/3/1", "", "", "2027-03-01"), ("3/1/2027", "", "", ""), ("", "", "", ""),
    ],
)  # fmt: skip
def test_only_what_can_mean_one_thing_is_understood(
    text: str, number: str, truth: str, date: str
) -> None:
    assert (number_meant(text), truth_meant(text), date_meant(text)) == (number, truth, date)


@pytest.mark.parametrize(
    "text",
    ["", "[", "]", "=", "a", "a.b.", '"', "'", "[[", "[a]]", "a = [1 2]", "a = {", "a = {b}", "a=",
     "a = 1 b = 2", 'a = """x', "a = '''x", "\x00", "a = \x07", "ä = 1", "a = [\n1\n2]", "a b",
     "a = 'x\\'", 'a = "\\q"', "[a]\n[a]", "a = 1\na = 2", "a = 1\n[a]", "a = {b = 1, b = 2}"],
)  # fmt: skip
def test_any_text_is_told_in_one_sentence_with_a_line_that_it_has(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = syntax_words(error, text)
        assert 1 <= found.line <= text.count("\n") + 1
        assert found.what.endswith(".")
        assert "\n" not in found.what
