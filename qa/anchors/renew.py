"""Writes what follows from the anchors where it is used: simulated skin, the controller's model.

Of configs/skin/removal.toml only the numbers change, in their lines: sources and comments stay.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from controller.config.skin import read_removal
from qa.anchors.rows import FILE
from qa.anchors.told import Findings, as_json
from qa.skin.belief_file import BELIEF_FILE

REMOVAL: Final = Path("skin") / "removal.toml"


class LineMissingError(ValueError):
    """A number that should be written has no line of its own in removal.toml."""


def renew(found: Findings, configs: Path) -> tuple[Path, ...]:
    """Write the files and return them.

    Raises:
        ConfigError: the numbers are out of what a skin file may hold; nothing was changed.
        LineMissingError: likewise, there is no line for one.
    """
    removal = configs / REMOVAL
    before = removal.read_text(encoding="utf-8")
    after = with_numbers(before, found)
    removal.write_text(after, encoding="utf-8")
    try:
        read_removal(removal)
    except Exception:
        removal.write_text(before, encoding="utf-8")
        raise
    BELIEF_FILE.write_text(json.dumps(belief_of_file(found, configs), indent=1) + "\n", "utf-8")
    return removal, BELIEF_FILE


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
