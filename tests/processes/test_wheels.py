"""What is installed from wheels: the clinic's alone runs a treatment, QA's adds its commands."""

import json
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from simulator.plugins import GROUP, OF_QA
from tests.made_once import made_once
from tests.processes.service import ROOT

pytestmark = pytest.mark.realtime

BUILD_MAX_S: Final = 120.0  # a busy machine; a second is usual
TREATMENT_MAX_S: Final = 180.0
SCENARIO: Final = "controller/config/shipped/scenarios/day-looks-away.toml"
WITH_A_FIXTURE: Final = "def test_it(handpiece):\n    assert handpiece.rig is not None\n"


class Installed:
    """An environment with some of our wheels, and beside them what they depend on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))

    def install(self, *wheels: Path) -> None:
        """Make the environment and install the wheels into it."""
        venv.create(self.folder, symlinks=True, with_pip=False)
        for found in {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}:
            for path in Path(found).iterdir():  # all but this checkout, which is installed there
                if "corneum" not in path.name and path.suffix != ".pth":
                    (self.packages / path.name).symlink_to(path)
        words = ("-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index")
        done = self.run("python", *words, *map(str, wheels))
        assert done.returncode == 0, done.stderr

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, where nothing leads to the checkout."""
        return subprocess.run(
            [self.folder / "bin" / name, *words],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "CORNEUM_STATE": str(self.folder / "state")},
            capture_output=True,
            text=True,
            timeout=TREATMENT_MAX_S,
            check=False,
        )


def _build(project: Path, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=project, capture_output=True, timeout=BUILD_MAX_S, check=True,
    )  # fmt: skip


def _wheel(factory: pytest.TempPathFactory, name: str, project: Path) -> Path:
    (made,) = made_once(factory, f"{name}-wheel", partial(_build, project)).iterdir()
    return made


def _installed(factory: pytest.TempPathFactory, name: str, *wheels: Path) -> Installed:
    return Installed(made_once(factory, name, lambda to: Installed(to).install(*wheels)))


@pytest.fixture(scope="module")
def of_clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _wheel(tmp_path_factory, "clinic", ROOT)


@pytest.fixture(scope="module")
def of_qa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _wheel(tmp_path_factory, "qa", ROOT / "qa")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, of_clinic: Path) -> Installed:
    return _installed(tmp_path_factory, "clinic", of_clinic)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, of_clinic: Path, of_qa: Path) -> Installed:
    return _installed(tmp_path_factory, "both", of_clinic, of_qa)


def _project(place: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / place / "pyproject.toml").read_text())["project"]
    return found


def _tops(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return {name.partition("/")[0] for name in file.namelist()}


def test_each_wheel_holds_its_own_packages_and_nothing_else(of_clinic: Path, of_qa: Path) -> None:
    product = {"controller", "firmware_protocol", "simulator"}
    version = _project("")["version"]
    assert _tops(of_clinic) == {*product, f"corneum-{version}.dist-info"}
    assert _tops(of_qa) == {"qa", f"corneum_qa-{version}.dist-info"}
    with zipfile.ZipFile(of_qa) as file:
        names = set(file.namelist())
    sources = [path for end in ("py", "json") for path in (ROOT / "qa").rglob(f"*.{end}")]
    assert {path.relative_to(ROOT).as_posix() for path in sources} <= names
    assert "qa/pyproject.toml" not in names


def test_from_the_clinics_wheel_alone_a_treatment_runs(clinic: Installed) -> None:
    words = ("treat", "patch-test", "--client", "demo", "--simulator", "--json")
    done = clinic.run("corneum", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "completed"


def test_beside_the_clinics_wheel_there_is_no_qa_and_its_commands_say_so(clinic: Installed) -> None:
    where = "import importlib.util as u; print([u.find_spec(n) is None for n in ('qa', 'tests')])"
    assert clinic.run("python", "-c", where).stdout == "[True, True]\n"
    told = clinic.run("corneum-sim", "--help")
    assert "  serve " in told.stdout
    assert "  campaign " not in told.stdout
    for name in OF_QA:
        done = clinic.run("corneum-sim", name, "--seed", "1")
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (2, "")
        assert line.endswith("install it with: pip install corneum-qa")


def test_with_the_wheel_of_qa_a_shipped_scenario_runs(both: Installed) -> None:
    done = both.run("corneum-sim", "run", str(both.packages / SCENARIO))
    assert done.returncode == 0, done.stderr
    assert "1 scenarios, 0 failed" in done.stdout
    assert both.run("corneum-sim", "campaign", "storm", "--n", "1").returncode == 0


def test_with_the_wheel_of_qa_pytest_has_its_fixtures(both: Installed) -> None:
    (both.folder / "test_it.py").write_text(WITH_A_FIXTURE)
    done = both.run("python", "-m", "pytest", "-q", "test_it.py")
    assert "1 passed" in done.stdout


def test_both_distributions_have_one_version_and_qa_tests_that_one() -> None:
    product, of_qa = _project(""), _project("qa")
    assert of_qa["version"] == product["version"]
    assert f"corneum=={product['version']}" in of_qa["dependencies"]
    assert {*of_qa["entry-points"][GROUP]} == {*OF_QA}
