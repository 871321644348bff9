"""Numbers behind options, as people write them."""

import typer

from controller.config.meant import number_meant


def number(text: str) -> float:
    """Return the number in ``text``; BadParameter says how it is written."""
    try:
        return float(text)
    except ValueError:
        meant = number_meant(text)
    if meant:
        raise typer.BadParameter(f"{text} has a decimal comma; write {meant}.")
    raise typer.BadParameter(f"{text} is not a number; write digits alone, such as 14.5.")
