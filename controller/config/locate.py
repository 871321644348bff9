"""Where the shipped configuration lies. No search path: a folder is either given or this one."""

import os
from pathlib import Path
from typing import Final

CONFIGS_VARIABLE: Final = "CORNEUM_CONFIGS"
"""The environment variable that gives a folder to every command of this terminal."""


def shipped_configs() -> Path:
    """Return the shipped folder: inside the package in a wheel, ``configs/`` in a checkout."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "configs"


def given_configs() -> Path | None:
    """Return the folder that the environment gives; None where it gives none."""
    given = os.environ.get(CONFIGS_VARIABLE, "")
    return Path(given) if given else None
