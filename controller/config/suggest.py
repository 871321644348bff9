"""What a person probably meant by a name that does not exist."""

from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, or None where none is like it."""
    import difflib  # noqa: PLC0415  10 ms at start that only a mistake needs

    found = difflib.get_close_matches(name, sorted(known), n=1)
    return found[0] if found else None
