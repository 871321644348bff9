"""Writes what follows from the anchors where it is used: simulated skin, the controller's model.

Of configs/skin/removal.toml only the numbers change, in their lines: sources and comments stay.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from controller.config.errors import ConfigError
from controller.config.skin import read_removal
from qa.anchors.rows import FILE
from qa.anchors.told import Findings, as_json
from qa.skin.belief_file import BELIEF_FILE

REMOVAL: Final = Path("skin") / "removal.toml"


class LineMissingError(ValueError):
    """A number that should be written has no line of its own in removal.toml."""


def renew(found: Findings, configs: Path) -> tuple[Path, ...]:
    """Write the files and return them: both whole, or neither.

    Raises:
        ConfigError: the numbers are out of what a skin file may hold; nothing was changed.
        LineMissingError: likewise, there is no line for one.
        OSError: likewise, there is no room or no right to write.
    """
    removal = configs / REMOVAL
    numbers = with_numbers(removal.read_text(encoding="utf-8"), found)
    belief = json.dumps(belief_of_file(found, configs), indent=1) + "\n"
    texts = {removal: numbers, BELIEF_FILE: belief}
    fresh = {path: path.with_name(f"{path.name}.new") for path in texts}
    try:
        for path, text in texts.items():
            fresh[path].write_text(text, encoding="utf-8")
        _check(fresh[removal], removal)
        for path, written in fresh.items():
            written.replace(path)
    finally:
        for written in fresh.values():
            written.unlink(missing_ok=True)
    return tuple(texts)


def _check(fresh: Path, removal: Path) -> None:
    """Read a removal.toml that is not in its place yet; ConfigError names the one it will be."""
    try:
        read_removal(fresh)
    except ConfigError as error:
        sentence = error.sentence.replace(str(fresh), str(removal))
        raise ConfigError(sentence, file=removal, field=error.field) from error


def with_numbers(text: str, found: Findings) -> str:
    """Return the text of removal.toml with the numbers that follow."""
    for name, value in found.numbers.as_dict().items():
        text, times = re.subn(
            rf"^({name} = )[0-9.]+", rf"\g<1>{value:g}", text, count=1, flags=re.MULTILINE
        )
        if times != 1:
            raise LineMissingError(f"{REMOVAL} has no line `{name} = ...`; add it, then renew.")
    return text


def belief_of_file(found: Findings, configs: Path) -> dict[str, Any]:
    """Return what simulated skin and the documents need, with the hash of the anchors."""
    return {"anchors_sha256": sha256_of(configs), **as_json(found)}


def sha256_of(configs: Path) -> str:
    """Return the hash of a file of anchors."""
    return hashlib.sha256((configs / FILE).read_bytes()).hexdigest()
