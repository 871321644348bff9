"""Proves of a compiled copy that it is compiled, and that it does what the interpreted sources do.

`python -m tests.compiled.same`, inside of the copy: exits 1 with a sentence where it is not so.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.compiled.build import TOP, modules
from tests.qa.pinned import RUNS, pin_of, pinned

PACKAGE: Final = "__init__"


def interpreted(top: Path) -> list[str]:
    """Return the modules that should be compiled and are not; a package's ``__init__`` may not."""
    names = [Path(name) for name in modules(top) if Path(name).stem != PACKAGE]
    dotted = [".".join(name.with_suffix("").parts) for name in names]
    return [name for name in dotted if str(import_module(name).__file__).endswith(".py")]


def different() -> list[str]:
    """Return the pinned runs whose bytes or records are others here."""
    pins = pinned()
    return [name for name in RUNS if pin_of(name) != pins[name]]


def main() -> None:
    """Look at the modules and at the runs."""
    if plain := interpreted(TOP):
        sys.exit(f"{TOP} is not a compiled copy: {', '.join(plain)}")
    if changed := different():
        sys.exit(f"the compiled copy does not do what the sources do: {', '.join(changed)}")
    sys.stdout.write("The same bytes and the same records as interpreted.\n")


if __name__ == "__main__":
    main()
