"""What `make compiled` compiles. That it does the same is proved by the build itself."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.compiled.build import (
    COMPILER_MISSING,
    MARK,
    TOP,
    ForeignFolderError,
    copy_checkout,
    modules,
)

PURE_CONTRACT = "The pure core knows no clock, no loop, no wire"


def pure_packages() -> list[str]:
    """What the import contracts of the house call pure."""
    house = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = house["tool"]["importlinter"]["contracts"]
    (pure,) = [one for one in contracts if one["name"] == PURE_CONTRACT]
    return list(pure["source_modules"])


def test_every_pure_floor_is_compiled() -> None:
    compiled = {str(Path(name).parent).replace("/", ".") for name in modules(TOP)}
    assert set(pure_packages()) <= compiled


def test_nothing_is_compiled_that_knows_the_loop_but_the_shell_of_the_device_and_its_line() -> None:
    outside = [
        name for name in modules(TOP)
        if str(Path(name).parent).replace("/", ".") not in pure_packages()
    ]  # fmt: skip
    assert outside == [
        "simulator/handpiece.py", "simulator/host.py", "simulator/line.py",
        "controller/device/translation.py", "qa/wire.py",
    ]  # fmt: skip


def test_a_copy_has_the_sources_and_nothing_that_was_made(tmp_path: Path) -> None:
    copy_checkout(tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert {"controller", "firmware_protocol", "simulator", "configs", "tests"} <= names
    assert [name for name in names if name.startswith(".")] == [MARK]
    assert not list((tmp_path / "copy").rglob("*.pyc"))
    assert len(list(modules(tmp_path / "copy"))) == len(list(modules(TOP)))


def test_an_earlier_copy_is_renewed_and_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    copy, foreign = tmp_path / "copy", tmp_path / "thesis"
    copy_checkout(copy)
    (copy / "controller" / "gone.py").touch()
    copy_checkout(copy)
    assert not (copy / "controller" / "gone.py").exists()
    for place, inside in ((foreign, "chapter.txt"), (tmp_path / "checkout", "pyproject.toml")):
        place.mkdir()
        (place / inside).touch()
        with pytest.raises(ForeignFolderError, match="is not empty and no earlier copy"):
            copy_checkout(place)
        assert (place / inside).exists()


@pytest.mark.realtime
def test_without_a_compiler_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.compiled.build", str(tmp_path / "copy")]
    missing = {"CC": "no-such-compiler", "PATH": str(Path(shutil.which("sh") or "").parent)}
    done = subprocess.run(
        words, cwd=TOP, env=missing, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert COMPILER_MISSING in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "copy").exists()
