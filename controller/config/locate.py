"""Where the shipped configuration lies. No search path: a folder is either given or this one."""

from pathlib import Path


def shipped_configs() -> Path:
    """Return the shipped folder: inside the package in a wheel, ``configs/`` in a checkout."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "configs"
