"""Makes a copy of this checkout whose pure floors are compiled to C, for campaigns that take hours.

`python -m tests.compiled.build [FOLDER]`, or `make compiled`

What is compiled is what the import contracts call pure (no clock, no loop, no wire), and the shell
around the simulated device. The sources are the same and stay beside their compiled form, so a
copy is consistent in itself whatever happens to the checkout. It is for speed alone: tests that
replace a function from outside, and the explorer, which reads the fields of objects, need the
interpreted sources.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from setuptools import Distribution
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, PlatformError

TOP: Final = Path(__file__).resolve().parents[2]
FOLDER_DEFAULT: Final = Path(".compiled")
PURE: Final = (
    "firmware_protocol/*.py", "controller/safety/*.py", "controller/planning/*.py",
    "controller/treatment/*.py",
    "simulator/plant/*.py", "simulator/firmware/*.py",
    "simulator/handpiece.py", "simulator/host.py", "simulator/line.py",
    "controller/device/translation.py", "qa/wire.py",
)  # fmt: skip
INTERPRETED: Final = frozenset(
    f"firmware_protocol/{name}.py"
    for name in (
        "messages",  # its annotations are read at run time, and a compiled class has none
        "schema", "vectors",  # for the start, for older peers and for tests: nobody waits for them
    )
) | {"controller/safety/refusal.py"}  # fmt: skip  # interpreted errors derive from its own
OPTIMISED: Final = "1"  # -O2 takes a quarter longer to build and is not faster
COMPILERS_AT_ONCE: Final = 2
MARK: Final = ".compiled-copy"
"""What every copy has and no checkout."""
COMPILER_MISSING: Final = (
    "it needs a C compiler and the headers of this Python (Debian: apt install gcc python3-dev)"
)


class ForeignFolderError(Exception):
    """The folder holds something that nobody asked to remove."""


def modules(top: Path) -> Iterator[str]:
    """Yield what is compiled, as paths below ``top``."""
    for pattern in PURE:
        for path in sorted(top.glob(pattern)):
            name = path.relative_to(top).as_posix()
            if name not in INTERPRETED:
                yield name


def copy_checkout(to: Path) -> None:
    """Make ``to`` a copy of this checkout, without what begins with a dot or was generated.

    ForeignFolderError where there is something else than an earlier copy; nothing is removed then.
    """
    if to.is_dir() and any(to.iterdir()) and not (to / MARK).is_file():
        raise ForeignFolderError(f"{to} is not empty and no earlier copy; name a new folder.")
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(TOP, to, ignore=partial(_ignored, to))
    (to / MARK).touch()


def _ignored(to: Path, folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name.startswith(".") or name == "__pycache__" or Path(folder, name) == to
    }


def compile_in(folder: Path) -> int:
    """Compile the pure floors of the copy in ``folder`` in place and return how many modules."""
    from mypyc.build import mypycify  # noqa: PLC0415 - takes a second

    os.chdir(folder)  # where mypy looks for its configuration, and build_ext puts what it makes
    names = list(modules(folder))
    extensions = mypycify(names, opt_level=OPTIMISED, debug_level="0", target_dir="build")
    command = build_ext(Distribution({"ext_modules": extensions}))
    command.inplace = True
    command.parallel = COMPILERS_AT_ONCE
    command.ensure_finalized()
    command.run()
    shutil.rmtree("build")
    return len(names)


def compiler() -> str:
    """Return the command that build_ext will call for C."""
    words = os.environ.get("CC") or str(sysconfig.get_config_var("CC"))
    return words.split()[0]


def prove(folder: Path) -> None:
    """Exit 1 unless what was compiled exchanges the bytes that the interpreted sources do."""
    words = [sys.executable, "-m", "tests.compiled.same"]
    if subprocess.run(words, cwd=folder, check=False).returncode:
        sys.exit(f"The copy in {folder} is not to be used.")


def main() -> None:
    """Copy, compile, prove, and say how to use it; exit 1 where one of these fails."""
    parser = argparse.ArgumentParser(prog="make compiled", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=TOP / FOLDER_DEFAULT)
    folder = parser.parse_args().folder.absolute()
    if shutil.which(compiler()) is None:
        sys.exit(f"Nothing was compiled: {COMPILER_MISSING}. There is no {compiler()} here.")
    sys.stderr.write(f"Compiling the pure floors into {folder}; it takes a minute or two ...\n")
    try:
        copy_checkout(folder)
    except ForeignFolderError as error:
        sys.exit(f"Nothing was compiled: {error}")
    try:
        count = compile_in(folder)
    except (CCompilerError, PlatformError) as error:
        shutil.rmtree(folder)
        sys.exit(f"Nothing was compiled: {COMPILER_MISSING}. The compiler said: {error}")
    prove(folder)
    sys.stdout.write(
        f"{count} modules are compiled. For example:\n"
        f"  PYTHONPATH={folder} corneum-sim campaign storm --n 1000\n"
    )


if __name__ == "__main__":
    main()
