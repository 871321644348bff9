"""What several tests of the controller start from."""

import shutil
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """The shipped configuration with a client who is no practice client."""
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    demo = (folder / "clients" / "demo.toml").read_text()
    anna = demo.replace('ref = "demo"', 'ref = "c-0042"').replace("practice = true", "")
    (folder / "clients" / "c-0042.toml").write_text(anna)
    return folder
