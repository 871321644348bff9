"""What a person probably meant by a name that does not exist."""

from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, or None where none is like it.

    Upper case, spaces, ``-`` and ``_`` make no difference.
    """
    import difflib  # noqa: PLC0415  10 ms at start that only a mistake needs

    spelt = {_plain(each): each for each in sorted(known)}
    found = difflib.get_close_matches(_plain(name), spelt, n=1)
    return spelt[found[0]] if found else None


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")
