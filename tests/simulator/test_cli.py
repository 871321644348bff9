import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator.app import app


def run(*arguments: str) -> tuple[int, str, str]:
    """Run the command and return exit code, standard output and standard error."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["serve", "--hand", "bob"], 2, "there is no hand 'bob'; choose one of average"),
        (["serve", "--fault", "rust@3"], 2, "there is no fault 'rust'; choose one of valve"),
        (["serve", "--fault", "clog@soon"], 2, "must be NAME@SECONDS"),
        (["serve", "--fault", "clog@-1"], 2, "must be NAME@SECONDS"),
        (["serve", "--fault", "clog@inf"], 2, "must be NAME@SECONDS"),
        (["serve", "--tcp", "nowhere"], 2, "must be HOST:PORT"),
        (["serve", "--tcp", "localhost:99999"], 2, "must be HOST:PORT"),
        (["serve", "--tcp", "localhost:0", "--pty", "x"], 2, "two places; choose one"),
        (["serve", "--events", "/no/such/folder/e"], 2, "cannot write the event file /no/such"),
        (["serve", "--pty", "/no/such/folder/p"], 2, "cannot make the link /no/such/folder/p"),
        (["serve", "--control", "/no/such/folder/c", "--pty", "/no/p"], 2, "cannot make the link"),
        (["fault", "clog", "--control", "/no/such/socket"], 3, "no simulator answers on"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(
    arguments: list[str], code: int, sentence: str
) -> None:
    exit_code, out, err = run(*arguments)
    assert exit_code == code
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_with_json_the_same_is_data() -> None:
    exit_code, out, _ = run("serve", "--hand", "bob", "--json")
    assert exit_code == 2
    said = json.loads(out)
    assert said["ready"] is False
    assert said["error"]["code"] == "USAGE"
    assert "no hand 'bob'" in said["error"]["sentence"]


def test_a_file_or_a_foreign_link_is_not_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("mine", encoding="utf-8")
    link.symlink_to(file)
    for path, sentence in [(file, "exists and is not a link"), (link, "and not to a pty")]:
        exit_code, _, err = run("serve", "--pty", str(path))
        assert exit_code == 2
        assert sentence in err
    exit_code, _, err = run("serve", "--control", str(file))
    assert exit_code == 2
    assert "is not a socket" in err
    assert file.read_text(encoding="utf-8") == "mine"
