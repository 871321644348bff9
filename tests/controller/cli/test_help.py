"""How a command explains itself: -h, --version, completion, an example, on any terminal."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from controller.api.software import running_software
from controller.cli.app import app as corneum
from tests.corneum_sim import app as corneum_sim

APPS = {"corneum": corneum, "corneum-sim": corneum_sim}
COMPLETE = "_{}_COMPLETE"


def commands(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, the groups among them."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401
        yield words
        for child, found in sorted(getattr(command, "commands", {}).items()):
            yield from below(found, (*words, child))

    yield from below(typer.main.get_command(APPS[name]), ())


EVERY = [(name, words) for name in APPS for words in commands(name)]
SIMULATED = [
    words
    for name, words in EVERY
    if name == "corneum-sim" and words not in {(), ("attack",), ("campaign",)}
]


def said(name: str, *words: str, **variables: str) -> tuple[int, str]:
    """Run a command and return exit code and what it says."""
    result = CliRunner().invoke(APPS[name], list(words), prog_name=name, env=variables)
    return result.exit_code, result.output


@pytest.mark.parametrize(("name", "words"), EVERY, ids=lambda each: " ".join(each) or "-")
def test_every_command_explains_itself_with_h(name: str, words: tuple[str, ...]) -> None:
    code, out = said(name, *words, "-h")
    assert code == 0
    assert out.startswith("Usage: ")
    assert "-h, --help" in out
    assert (code, out) == said(name, *words, "--help")


@pytest.mark.parametrize("name", APPS)
def test_both_say_their_version(name: str) -> None:
    assert said(name, "--version") == (0, f"{name} {running_software().corneum}\n")


@pytest.mark.parametrize("words", SIMULATED, ids=" ".join)
def test_every_command_of_the_simulator_has_an_example(words: tuple[str, ...]) -> None:
    _, out = said("corneum-sim", *words, "--help")
    lead, _, examples = out.rpartition("Example")
    assert lead
    assert f"corneum-sim {' '.join(words)} " in " ".join(examples.split()) + " "


@pytest.mark.parametrize(
    ("name", "typed", "offered"),
    [
        ("corneum", "corneum con", "config"),
        ("corneum", "corneum records ver", "verify"),
        ("corneum", "corneum treat --sim", "--simulator"),
        ("corneum-sim", "corneum-sim campaign st", "storm"),
    ],
)
def test_bash_completes_commands_and_options(name: str, typed: str, offered: str) -> None:
    variable = COMPLETE.format(name.upper().replace("-", "_"))
    # --show-completion asks which shell started it, and a test need not be started from one.
    code, script = said(name, **{variable: "source_bash"})
    assert code == 0
    assert f"{variable}=complete_bash" in script
    place = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    _, out = said(name, **place, **{variable: "complete_bash"})
    assert offered in out.split()


@pytest.mark.parametrize("columns", ["40", "50", "80", "120"])
@pytest.mark.parametrize("name", APPS)
def test_help_names_every_command_on_any_terminal(name: str, columns: str) -> None:
    _, out = said(name, "--help", COLUMNS=columns, TERMINAL_WIDTH=columns)
    for child in typer.main.get_command(APPS[name]).commands:  # type: ignore[attr-defined]
        assert f"  {child} " in out
