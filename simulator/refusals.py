"""How the commands of `corneum-sim` end when something is wrong: one sentence, one exit code."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import typer

from simulator.control_client import NobodyThereError
from simulator.plant.faults import UnknownFaultError
from simulator.plant.hands import UnknownHandError
from simulator.ports import PortUnusableError

REFUSED: Final = 1
USAGE: Final = 2
PORT: Final = 3
KINDS: Final = {USAGE: "USAGE", PORT: "PORT"}


class Refusal(Exception):  # noqa: N818 - it ends the command, it is no error of the program
    """One sentence for a person, and the exit code that goes with it."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Return ``command`` with its refusals told, as ``--json`` where it is asked for that."""

    @functools.wraps(command)
    def telling(*, as_json: bool, **said: Any) -> None:  # noqa: ANN401 - the options of any command
        with refusals(as_json=as_json):
            command(as_json=as_json, **said)

    return telling


@contextlib.contextmanager
def refusals(flag: str = "", *, as_json: bool) -> Iterator[None]:
    """Turn what can be wrong with a request into one sentence and an exit code.

    With ``as_json`` it is an object as well, in which ``flag`` is false where one is given.
    """
    try:
        yield
    except Refusal as error:
        _end(flag, str(error), error.code, as_json=as_json)
    except (UnknownHandError, UnknownFaultError) as error:
        _end(flag, str(error), USAGE, as_json=as_json)
    except NobodyThereError as error:
        _end(flag, str(error), PORT, as_json=as_json)
    except PortUnusableError as error:
        _end(flag, str(error), USAGE if error.usage else PORT, as_json=as_json)
    except OSError as error:
        if error.filename is None and not flag:
            raise
        sentence = f"{error.filename or 'the port'}: {error.strerror or error}"
        _end(flag, sentence, PORT, as_json=as_json)


def _end(flag: str, sentence: str, code: int, *, as_json: bool) -> NoReturn:
    if as_json:
        problem = {"code": KINDS.get(code, "REFUSED"), "sentence": sentence, "next_step": ""}
        typer.echo(json.dumps(({flag: False} if flag else {}) | {"error": problem}))
    typer.echo(f"corneum-sim: {sentence}", err=True)
    raise typer.Exit(code)
