"""Commands that other distributions add to ``corneum-sim``: an entry point each.

The name of the entry point is that of the command; its object is a function that adds the command
to the app it is given. One is loaded when its command is named, and all of them when none of the
simulator's own is (for the help, for completion), so that ``serve`` waits for none.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

import typer

from simulator.refusals import PORT, USAGE, Refusal, refusals

GROUP: Final = "corneum_sim.commands"
OF_QA: Final = ("anchors", "attack", "campaign", "conformance", "record", "replay", "run")
"""What the distribution corneum-qa brings: who misses it is told its name."""


def add_to(app: typer.Typer, word: str = "") -> None:
    """Add the command ``word`` to ``app``; all of them where nobody has one of that name."""
    own = [command.callback for command in app.registered_commands]
    if word in {callback.__name__ for callback in own if callback is not None}:
        return
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in [word] if word in found else sorted(found):
        _add(app, found[name])
    if word in OF_QA and word not in found:
        sentence = (
            f"'{word}' is a command of corneum-qa, which is not installed here; "
            "install it with: pip install corneum-qa"
        )
        _stand_in(app, word, sentence, USAGE)


def _add(app: typer.Typer, entry: EntryPoint) -> None:
    try:
        entry.load()(app)
    except Exception as error:  # noqa: BLE001 - whatever is broken there, the others go on
        bringer = "the package that brings it" if entry.dist is None else entry.dist.name
        why = " ".join(f"{type(error).__name__}: {error}".split())
        sentence = f"'{entry.name}' cannot be loaded ({why}); install {bringer} anew"
        _stand_in(app, entry.name, sentence, PORT)


def _stand_in(app: typer.Typer, name: str, sentence: str, code: int) -> None:
    """Add a command that takes any words and says why there is no better one."""
    any_words = {"allow_extra_args": True, "ignore_unknown_options": True}

    @app.command(name, help=sentence, context_settings=any_words)
    def stand_in(context: typer.Context) -> None:
        with refusals(as_json="--json" in context.args):
            raise Refusal(sentence, code)
