"""Commands of other distributions: one is loaded when it is named, a broken one harms nobody."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from simulator import plugins

ENTRIES = """[corneum_sim.commands]
good = a_plugin_of_a_test:add
broken = no_such_module_of_a_test:add
"""
MODULE = """
def add(app):
    @app.command()
    def good():
        print("it is good")
"""


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """Run an app with one command, in an environment with a distribution that brings two."""
    found = tmp_path / "other-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "a_plugin_of_a_test.py").write_text(MODULE)
    app = typer.Typer()

    @app.callback()
    def _all() -> None:
        pass

    @app.command()
    def own() -> None:
        typer.echo("it is ours")

    def _said(*words: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", [str(tmp_path)])
            plugins.add_to(app, words[0])
        result = CliRunner().invoke(app, list(words), prog_name="corneum-sim")
        return result.exit_code, result.stdout, result.stderr

    yield _said
    sys.modules.pop("a_plugin_of_a_test", None)


def test_our_own_command_loads_no_other(said: Said) -> None:
    assert said("own") == (0, "it is ours\n", "")
    assert "a_plugin_of_a_test" not in sys.modules


def test_what_is_named_is_loaded_and_not_what_lies_beside_it(said: Said) -> None:
    assert said("good") == (0, "it is good\n", "")


def test_what_cannot_be_loaded_is_a_sentence(said: Said) -> None:
    code, out, err = said("broken", "some", "--words", "-x")
    (line,) = err.splitlines()
    assert (code, out) == (3, "")
    assert line == (
        "corneum-sim: 'broken' cannot be loaded (ModuleNotFoundError: No module named "
        "'no_such_module_of_a_test'); install other anew"
    )


def test_the_help_tells_all_of_them(said: Said) -> None:
    code, out, err = said("--help")
    assert (code, err) == (0, "")
    for name in ("own", "good", "broken"):
        assert f" {name} " in out


def test_a_command_of_qa_says_what_to_install(said: Said) -> None:
    code, out, err = said("run", "configs/scenarios", "-j", "2", "--json")
    assert code == 2
    assert '"code": "USAGE"' in out
    assert err.endswith("not installed here; install it with: pip install corneum-qa\n")
    assert len(err.splitlines()) == 1
