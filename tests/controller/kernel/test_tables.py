"""Without usable skin data no kernel starts, and the unit never hears of one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs
from controller.kernel.service import Kernel, Place
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import rig


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    return folder


def start_with(configs: Path) -> tuple[RefusedError, bytes]:
    """Start a kernel in virtual time; return why it does not start, and what the unit heard."""
    heard: list[bytes] = []

    async def scenario() -> RefusedError:
        async with rig() as made:
            made.handpiece.receive = heard.append  # type: ignore[method-assign, assignment]
            kernel = Kernel(Place("virtual", configs=configs), made.outside())
            try:
                with pytest.raises(RefusedError) as caught:
                    await kernel.start()
            finally:
                await kernel.close()
            return caught.value

    error = run_virtual(scenario())
    return error, b"".join(heard)


@pytest.mark.hazard("H20")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("removal.toml", "cap_share = 0.35", "cap_share = 0.9", "rules.cap_share = 0.9 is out of"),
        ("removal.toml", "error_ln_sd = 0.9", "", "model.error_ln_sd is missing; add it"),
        ("removal.toml", 'about = "model.choke_kpa"', 'about = "x"', "model.choke_kpa has no sour"),
        ("sites.toml", "sc_nom_um = 10.0", "sc_nom_um = nan", "[[sites]], sc_nom_um = nan is"),
        ("sites.toml", "[[sites]]", "[[sites", "[[sites is no whole header"),
    ],
)  # fmt: skip
def test_a_wrong_table_stops_the_start_with_one_sentence(
    configs: Path, name: str, old: str, new: str, said: str
) -> None:
    path = configs / "skin" / name
    path.write_text(path.read_text().replace(old, new, 1))
    error, heard = start_with(configs)
    assert error.code == "config"
    assert said in error.sentence
    assert str(path) in error.sentence
    assert "\n" not in error.sentence
    assert heard == b""


@pytest.mark.hazard("H20")
@pytest.mark.parametrize("name", ["removal.toml", "sites.toml"])
def test_a_missing_table_stops_the_start(configs: Path, name: str) -> None:
    (configs / "skin" / name).unlink()
    error, heard = start_with(configs)
    assert error.code == "config"
    assert f"{name} cannot be read (No such file or directory)" in error.sentence
    assert heard == b""


@pytest.mark.realtime
@pytest.mark.hazard("H20")
def test_the_process_says_so_and_ends(configs: Path, tmp_path: Path) -> None:
    (configs / "skin" / "sites.toml").unlink()
    words = ["--port", str(tmp_path / "none"), "--state", str(tmp_path / "state")]
    ended = subprocess.run(
        [sys.executable, "-m", "controller.kernel", *words, "--configs", str(configs)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (said["ready"], said["error"]["code"]) == (False, "config")
    assert "sites.toml cannot be read" in said["error"]["sentence"]
    assert "Traceback" not in ended.stderr
