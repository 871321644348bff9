"""The command line of a campaign that is a module: a mistake in it is one sentence, as usual."""

import argparse
from typing import Final, NoReturn

from controller.cli.outcome import ExitCode, Failure

_ARGUMENT: Final = "argument "


class Arguments(argparse.ArgumentParser):
    """Reads a command line, and tells a mistake in it as a `Failure` with exit code 2.

    To be used inside of `controller.cli.boundary.run`.
    """

    def error(self, message: str) -> NoReturn:
        """Raise what argparse has to say as a sentence with its next step."""
        said = message.removeprefix(_ARGUMENT)
        sentence = said[:1].upper() + said[1:].rstrip(".") + "."
        raise Failure(sentence, f"`{self.prog} --help` shows what there is.", ExitCode.USAGE)


def whole(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error


def above_zero(text: str) -> int:
    """Read how many of something there shall be."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; say 1 or more")
    return number


def seconds(text: str) -> float:
    """Read a time in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds above 0")
    return value
